//! Wires configuration, store and ports into a running desk: for `serve`, the demo and tests alike.

mod roles;
mod start;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use roles::{NoRole, Role, Roles};

use crate::base::failpoint::{self, Point};
use crate::base::{Clock, Ids};
use crate::config::Config;
use crate::desk::{Desk, StartError};
use crate::http;
use crate::store::{Store, StoreError};
use crate::work::{self, Deliveries, Executions, Retention, Runs, Streams, Timers, Wake, Work};

/// How long work under way may take to finish once we are told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How much of each kind of work may be under way at once.
const RUNS_AT_ONCE: usize = 128;
const EXECUTIONS_AT_ONCE: usize = 64;
const TIMERS_AT_ONCE: usize = 64;
const DELIVERIES_AT_ONCE: usize = 128;
const STREAMS_AT_ONCE: usize = 128;
/// A batch, and room for one more: so the loop rests after each.
const BATCHES_AT_ONCE: usize = 2;

/// The desk with its loops.
pub struct App {
    pub desk: Arc<Desk>,
    runs: Runs,
    executions: Executions,
    timers: Timers,
    deliveries: Deliveries,
    streams: Streams,
    retention: Retention,
}

impl App {
    /// Opens the store and asks Slack who we are.
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
            retention: Retention::new(desk.clone()),
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
                + work::one_turn(&self.streams, STREAMS_AT_ONCE).await?
                + work::one_turn(&self.retention, BATCHES_AT_ONCE).await?;
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
        let Self { desk, runs, executions, timers, deliveries, streams, retention } = self;
        let crew =
            Crew { roles, wake: desk.wake.clone(), stop: stop.clone(), tasks: TaskTracker::new() };
        crew.keep_going(runs, RUNS_AT_ONCE);
        crew.keep_going_once_sound(executions, EXECUTIONS_AT_ONCE, &desk.store);
        crew.keep_going(timers, TIMERS_AT_ONCE);
        crew.keep_going(deliveries, DELIVERIES_AT_ONCE);
        crew.keep_going(streams, STREAMS_AT_ONCE);
        crew.keep_going(retention, BATCHES_AT_ONCE);
        let crew = crew.tasks;
        let ear = desk.wake.clone();
        crew.spawn(stop.clone().run_until_cancelled_owned(async move { ear.hear_others().await }));
        let orphans = start::adopt_orphans(desk.clone());
        crew.spawn(stop.clone().run_until_cancelled_owned(orphans));
        let (broken, all) = (desk.store.broken().clone(), stop.clone());
        let breaks = async move {
            broken.cancelled().await;
            all.cancel();
        };
        crew.spawn(stop.clone().run_until_cancelled_owned(breaks));
        crew.close();
        let patience = desk.config.streams.patience.to_std();
        let listeners = desk.listeners.clone();
        let (all, told) = (stop.clone(), stop.clone());
        let too_long = async move {
            told.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        let too_long = too_long.shared();
        let end = async move {
            stop.cancelled().await;
            failpoint::reach(Point::Closing);
            listeners.send_home();
        };
        let result = tokio::select! {
            result = http::serve(listener, router, patience, end) => result,
            () = too_long.clone() => {
                tracing::warn!("somebody did not finish their request in time; they are cut off");
                Ok(())
            }
            damage = start::damage(&desk.store) => {
                all.cancel();
                return Err(damage);
            }
        };
        all.cancel();
        tokio::select! {
            biased;
            () = crew.wait() => {}
            () = too_long => {
                tracing::warn!("some work did not finish in time; its leases bring it back");
            }
        }
        // A database that was closed, and looked at if it had to be, has no mark left behind: so the
        // next start need not look at every page of it as after a crash.
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

    /// For what changes the world outside: it begins when every page was looked at that it may stand
    /// on.
    fn keep_going_once_sound(&self, work: impl Work + 'static, room: usize, store: &Store) {
        if self.roles.has(Role::Work(work.which())) {
            let (ear, end, store) = (self.wake.clone(), self.stop.clone(), store.clone());
            self.tasks.spawn(async move {
                if let Some(Ok(())) = end.run_until_cancelled(store.is_sound()).await {
                    work::keep_going(work, room, &ear, end).await;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
