//! Wires configuration, store and ports into a running desk: for `serve`, the demo and tests alike.

mod roles;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use roles::{NoRole, Role, Roles};

use crate::base::failpoint::{self, Point};
use crate::base::{Clock, Ids};
use crate::config::Config;
use crate::desk::{Desk, StartError};
use crate::http;
use crate::store::StoreError;
use crate::work::{self, Deliveries, Executions, Runs, Streams, Timers, Wake, Work};

/// How long work under way may take to finish once we are told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How much of each kind of work may be under way at once.
const RUNS_AT_ONCE: usize = 32;
const EXECUTIONS_AT_ONCE: usize = 16;
const TIMERS_AT_ONCE: usize = 64;
const DELIVERIES_AT_ONCE: usize = 32;
const STREAMS_AT_ONCE: usize = 32;

/// The desk with its loops.
pub struct App {
    pub desk: Arc<Desk>,
    runs: Runs,
    executions: Executions,
    timers: Timers,
    deliveries: Deliveries,
    streams: Streams,
}

impl App {
    /// Opens the store, asks Slack who we are, and sets right what an earlier process left.
    pub async fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StartError> {
        Ok(Self::of(Desk::open(config, clock, ids).await?))
    }

    /// The loops around a desk that is open.
    pub fn of(desk: Desk) -> Self {
        let desk = Arc::new(desk);
        Self {
            runs: Runs::new(desk.clone()),
            executions: Executions::new(desk.clone()),
            timers: Timers::new(desk.clone()),
            deliveries: Deliveries::new(desk.clone()),
            streams: Streams::new(desk.clone()),
            desk,
        }
    }

    /// The routes that Slack calls.
    pub fn router(&self) -> Router {
        http::router(self.desk.clone())
    }

    /// Does everything that is due at this moment, until nothing is: for tests and the demo, which
    /// turn the clock themselves.
    pub async fn settle(&self) -> Result<(), StoreError> {
        loop {
            let done = work::one_turn(&self.timers, TIMERS_AT_ONCE).await?
                + work::one_turn(&self.runs, RUNS_AT_ONCE).await?
                + work::one_turn(&self.executions, EXECUTIONS_AT_ONCE).await?
                + work::one_turn(&self.deliveries, DELIVERIES_AT_ONCE).await?
                + work::one_turn(&self.streams, STREAMS_AT_ONCE).await?;
            if done == 0 {
                return Ok(());
            }
        }
    }

    /// Serves until `stop` is cancelled, as much of it as the roles say. Then no new work is taken,
    /// what is under way is finished, and whatever takes longer than ten seconds is left to its
    /// lease. A store that has broken stops it as well, with an error: whoever starts the desk again
    /// opens the store anew, and it goes on.
    pub async fn serve(
        self,
        listener: TcpListener,
        roles: Roles,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let router = match roles.has(Role::Web) {
            true => self.router(),
            false => http::health_only(self.desk.clone()),
        };
        let Self { desk, runs, executions, timers, deliveries, streams } = self;
        let crew =
            Crew { roles, wake: desk.wake.clone(), stop: stop.clone(), tasks: TaskTracker::new() };
        crew.keep_going(runs, RUNS_AT_ONCE);
        crew.keep_going(executions, EXECUTIONS_AT_ONCE);
        crew.keep_going(timers, TIMERS_AT_ONCE);
        crew.keep_going(deliveries, DELIVERIES_AT_ONCE);
        crew.keep_going(streams, STREAMS_AT_ONCE);
        let crew = crew.tasks;
        let (ear, end) = (desk.wake.clone(), stop.clone());
        crew.spawn(async move {
            tokio::select! {
                () = ear.hear_others() => {}
                () = end.cancelled() => {}
            }
        });
        let (store, end) = (desk.store.clone(), stop.clone());
        crew.spawn(async move {
            tokio::select! {
                () = store.broken().cancelled() => end.cancel(),
                () = end.cancelled() => {}
            }
        });
        crew.close();
        let patience = desk.config.streams.patience.to_std();
        let listeners = desk.listeners.clone();
        let end = async move {
            stop.cancelled().await;
            failpoint::reach(Point::Closing);
            listeners.send_home();
        };
        let result = http::serve(listener, router, patience, end).await;
        if tokio::time::timeout(DRAIN, crew.wait()).await.is_err() {
            tracing::warn!("some work did not finish in time; its leases bring it back");
        }
        // A database that was closed has no log left behind, so the next start need not look at
        // every page of it as after a crash.
        desk.store.close().await;
        match desk.store.broken().is_cancelled() {
            true => Err(std::io::Error::other(StoreError::Poisoned)),
            false => result,
        }
    }
}

/// The loops that this process keeps going.
struct Crew {
    roles: Roles,
    wake: Wake,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Crew {
    fn keep_going(&self, work: impl Work + 'static, room: usize) {
        if self.roles.has(Role::Work(work.which())) {
            let (ear, end) = (self.wake.clone(), self.stop.clone());
            self.tasks.spawn(async move { work::keep_going(work, room, &ear, end).await });
        }
    }
}
