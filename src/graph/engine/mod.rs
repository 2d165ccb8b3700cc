//! The engine: takes a thread up, does supersteps until there is a reason to stop, and hands each
//! to the saver.
//!
//! [`opening`] decides what an input means for the thread as it was found, [`answers`] whose
//! questions it answers, and [`begin`] sets out. [`position`] holds the state between supersteps; [`entry`] takes an input
//! into it and [`advance`] a finished superstep, by [`fold`] and [`lead`]. [`superstep`] runs tasks
//! side by side, [`task`] one of them, [`care`] one that may be tried again or time out. [`keep`]
//! makes a turn of each superstep, its checkpoint by [`making`]; [`ledger`] keeps turns as durable as was asked for, with [`background`] while
//! the run goes on; [`suspend`] says what is kept of a superstep that is
//! not complete; [`told`] tells those who watch. [`drive`] is the loop around them.

mod advance;
mod answers;
mod background;
mod begin;
mod care;
mod drive;
mod entry;
mod fold;
mod keep;
mod lead;
mod ledger;
mod making;
mod opening;
mod position;
mod superstep;
mod suspend;
mod task;
mod told;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures::future::{self, Either};
use serde_json::Value;

pub(super) use self::background::Background;
use self::drive::Engine;
use self::opening::{Opening, Wanted};
pub(super) use self::{
    advance::{as_nodes, live},
    fold::{Changes, add_changes},
    lead::shown_targets,
    making::Making,
    position::Position,
};
use super::shared::Shared;
use super::{
    At, Durability, EventSink, Graph, Input, Pauses, RunEnd, RunError, RunOptions, Saver, Snapshot,
    Update,
};

/// How a graph's run ended.
pub(super) enum Ended {
    Run(RunEnd),
    /// A node handed a command to the graph that runs this one.
    Handed {
        node: Arc<str>,
        update: Update,
    },
}

/// A run of a graph within a node.
pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) input: Value,
    pub(super) passes_pause: bool,
}

pub(super) async fn run(
    graph: &Graph,
    input: Input,
    saver: Arc<dyn Saver>,
    events: Arc<dyn EventSink>,
    options: RunOptions,
) -> Result<RunEnd, RunError> {
    let RunOptions {
        run,
        supersteps,
        durability,
        at,
        pause_before,
        pause_after,
        drain,
        stray,
        timer,
    } = options;
    let (background, saving) = match durability {
        Durability::Async if saver.keeps() => {
            let (background, saving) = Background::open(Arc::clone(&saver));
            (Some(background), Some(saving))
        }
        Durability::Sync | Durability::Async | Durability::Exit => (None, None),
    };
    let shared = Arc::new(Shared {
        saver,
        heard: events.listens(),
        events,
        timer,
        drain,
        maker: Arc::clone(&run),
        run,
        supersteps,
        stray,
        durability,
        background,
        namespace: Arc::default(),
        parents: Vec::new(),
        offered: BTreeMap::new(),
        order: tokio::sync::Mutex::default(),
    });
    // To go on from the latest checkpoint by its name is to go on from a copy of it.
    let forks = at.is_some() && input == Input::Continue;
    let mut found = Found::load(&shared, at).await?;
    if forks && found.branch.is_none() {
        found.branch_off();
    }
    let shown = if shared.heard { input.shown() } else { None };
    let wanted = Wanted::ByCaller(input);
    let mut opening = opening::of(wanted, found.snapshot.as_ref(), &shared)?;
    if let Opening::GoOn(going_on) = &mut opening {
        going_on.shown = shown;
    }
    let before = pause_before.as_ref().unwrap_or(&graph.pause_before);
    let after = pause_after.as_ref().unwrap_or(&graph.pause_after);
    let run = pin!(start(graph, Arc::clone(&shared), found, opening, (before, after)));
    let ended = match saving {
        None => run.await,
        // Saving comes first: once it failed, the run ends where it stands.
        Some(saving) => match future::select(pin!(saving), run).await {
            Either::Left((error, _)) => {
                let error = error.into();
                told::failed(&shared, &error);
                Err(error)
            }
            Either::Right((ended, _)) => ended,
        },
    };
    match ended? {
        Ended::Run(end) => Ok(end),
        Ended::Handed { node, .. } => {
            let error = RunError::NoParent { node };
            told::failed(&shared, &error);
            Err(error)
        }
    }
}

pub(super) async fn run_inner(graph: &Graph, inner: Inner) -> Result<Ended, RunError> {
    let Inner { shared, input, passes_pause } = inner;
    // An earlier run of it, or an earlier try of its node, may have handed in what is not saved yet.
    shared.saved().await?;
    let found = Found::load(&shared, None).await?;
    let wanted = Wanted::ByTask { input, passes_pause };
    let opening = opening::of(wanted, found.snapshot.as_ref(), &shared)?;
    start(graph, shared, found, opening, (&graph.pause_before, &graph.pause_after)).await
}

/// What a run is taken up from.
struct Found {
    snapshot: Option<Snapshot>,
    /// The thread's latest checkpoint, if the snapshot is of an older one.
    branch: Option<String>,
}

impl Found {
    /// A fork asks anew, and does anew what was done.
    fn branch_off(&mut self) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.tasks.clear();
            snapshot.answers.clear();
            self.branch = Some(snapshot.checkpoint.id.clone());
        }
    }

    async fn load(shared: &Shared, at: Option<String>) -> Result<Self, RunError> {
        let here = At::default().within(&*shared.namespace);
        let latest = shared.saver.load(&here).await?;
        let Some(id) = at else {
            return Ok(Self { snapshot: latest, branch: None });
        };
        match latest {
            Some(latest) if latest.checkpoint.id == id => {
                Ok(Self { snapshot: Some(latest), branch: None })
            }
            latest => {
                let wanted = At { checkpoint: Some(id.clone()), ..here };
                let Some(mut snapshot) = shared.saver.load(&wanted).await? else {
                    return Err(RunError::UnknownCheckpoint { id });
                };
                // A fork asks anew, and does anew what was done.
                snapshot.tasks.clear();
                snapshot.answers.clear();
                let branch = latest.map(|latest| latest.checkpoint.id);
                Ok(Self { snapshot: Some(snapshot), branch })
            }
        }
    }
}

async fn start(
    graph: &Graph,
    shared: Arc<Shared>,
    found: Found,
    opening: Opening,
    pauses: (&Pauses, &Pauses),
) -> Result<Ended, RunError> {
    let mut engine = Engine::take_up(graph, Arc::clone(&shared), found, &opening, pauses)?;
    let ended = engine.run(opening).await;
    if let Err(error) = &ended {
        told::failed(&shared, error);
    }
    ended
}
