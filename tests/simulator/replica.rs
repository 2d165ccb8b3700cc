//! A replica: a desk of its own on the store that all share, with its five loops.
//!
//! SQLite lets one process write, so several replicas are several desks on one store, as several
//! processes are on one Postgres. What a replica has in memory goes when it crashes; when everything
//! crashes the store is closed too, and the file is opened again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use countersign::agent::{AgentSpec, Budget, ScriptedModel, Tool, Toolbox, agent_graph};
use countersign::base::{Clock, Ids};
use countersign::config::{self, Config};
use countersign::desk::{Desk, Worker};
use countersign::http;
use countersign::store::{Adopted, Store, StoreError};
use countersign::work::{self, Deliveries, Executions, Loop, Retention, Runs, Streams, Timers};

use crate::company::Company;
use crate::ports::{Door, Line, Service, Wire};
use crate::slack::Slack;
use crate::time::{CountedIds, VirtualClock};

pub const SECRET: &str = "the-simulation-signs-with-this";
const CONFIGURATION: &str = include_str!("countersign.yaml");
const SCRIPT: &str = include_str!("script.yaml");

/// What all replicas share.
#[derive(Clone)]
pub struct Outside {
    pub clock: Arc<VirtualClock>,
    pub ids: Arc<CountedIds>,
    pub slack: Arc<Slack>,
    pub company: Arc<Company>,
    pub changed: Arc<AtomicBool>,
    pub config: Config,
}

pub fn configuration(folder: &Path) -> Config {
    let (file, script) = (folder.join("countersign.yaml"), folder.join("script.yaml"));
    std::fs::write(&file, CONFIGURATION).unwrap();
    std::fs::write(script, SCRIPT).unwrap();
    let mut config = config::load(&file, &|name| match name {
        "SECRET" => Some(SECRET.to_owned()),
        _ => Some("xoxb-simulation".to_owned()),
    })
    .unwrap();
    config.store = format!("sqlite://{}", folder.join("countersign.db").display()).into();
    config
}

pub struct Replica {
    pub router: Router,
    runs: Arc<Runs>,
    executions: Arc<Executions>,
    timers: Arc<Timers>,
    deliveries: Arc<Deliveries>,
    streams: Arc<Streams>,
    retention: Arc<Retention>,
}

impl Replica {
    pub async fn open(store: Store, outside: Outside) -> Result<Self, String> {
        let Outside { clock, ids, slack, company, changed, config } = outside;
        let adopted =
            store.adopt_orphans(Duration::ZERO).await.map_err(|error| error.to_string())?;
        assert_eq!(adopted, Adopted::default(), "a crash left something undone");
        let store = store.behind(Arc::new(Door(changed)));
        let wire = Arc::new(Wire { slack, clock: clock.clone() });
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) = (clock, ids);
        let opened = Desk::open_on(store, config, wire, clock.clone(), ids).await;
        let mut desk = opened.map_err(|error| error.to_string())?;
        let services = desk.config.tools.keys().filter_map(|name| desk.gate.toolbox.get(name));
        let services = services.map(|tool| {
            let (tool, company) = (tool.clone(), company.clone());
            Arc::new(Service { tool, company }) as Arc<dyn Tool>
        });
        desk.gate.toolbox = Toolbox::new(services.collect::<Vec<_>>());
        let tools = desk.config.tools.keys().filter_map(|name| desk.gate.toolbox.get(name));
        let spec = AgentSpec {
            name: "ops".to_owned(),
            instructions: "You help with payments.".to_owned(),
            tools: tools.map(|tool| tool.description().clone()).collect(),
            answer: None,
            budget: Budget::default(),
        };
        let model = ScriptedModel::read(SCRIPT, clock).map_err(|error| error.to_string())?;
        let graph = agent_graph(spec, Arc::new(Line(model))).map_err(|error| error.to_string())?;
        desk.agents.insert("ops".to_owned(), Worker { graph, channels: Vec::new() });
        let desk = Arc::new(desk);
        Ok(Self {
            router: http::router(desk.clone()),
            runs: Arc::new(Runs::new(desk.clone())),
            executions: Arc::new(Executions::new(desk.clone())),
            timers: Arc::new(Timers::new(desk.clone())),
            deliveries: Arc::new(Deliveries::new(desk.clone())),
            streams: Arc::new(Streams::new(desk.clone())),
            retention: Arc::new(Retention::new(desk)),
        })
    }

    /// One turn of one loop, as production takes it, with room for one piece of work.
    pub fn turn(
        &self,
        which: Loop,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<usize, StoreError>> + Send>> {
        match which {
            Loop::Runs => Box::pin(one(self.runs.clone())),
            Loop::Executions => Box::pin(one(self.executions.clone())),
            Loop::Timers => Box::pin(one(self.timers.clone())),
            Loop::Deliveries => Box::pin(one(self.deliveries.clone())),
            Loop::Streams => Box::pin(one(self.streams.clone())),
            Loop::Retention => Box::pin(one(self.retention.clone())),
        }
    }
}

async fn one<W: work::Work + 'static>(work: Arc<W>) -> Result<usize, StoreError> {
    work::one_turn(work.as_ref(), 1).await
}
