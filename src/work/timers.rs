//! Time passes: reminders, escalations, expiries.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Loop, Work};
use crate::base::failpoint::{self, Point};
use crate::desk::Desk;
use crate::store::StoreError;

/// Fires timers that are due. Claiming one is firing it: the transition is one transaction.
pub struct Timers {
    desk: Arc<Desk>,
}

impl Timers {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }
}

impl Work for Timers {
    type Claimed = ();

    fn which(&self) -> Loop {
        Loop::Timers
    }

    fn claim(&self, room: usize) -> BoxFuture<'_, Result<Vec<()>, StoreError>> {
        async move {
            let fired = self.desk.store.fire_due_timers(room).await?;
            if fired > 0 {
                failpoint::reach(Point::TimerCommitted);
                tracing::info!(fired, "timers fired");
                self.desk.wake.these(&[Loop::Runs, Loop::Deliveries, Loop::Streams]);
            }
            Ok(vec![(); fired])
        }
        .boxed()
    }

    fn work(&self, (): ()) -> BoxFuture<'_, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }
}
