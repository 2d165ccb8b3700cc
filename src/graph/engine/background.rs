//! Saves turns while the run goes on. Those that come while one commit is under way share the next.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{mpsc, oneshot};

use crate::graph::{SaveError, Saver, Turn};

/// How many turns may wait while a commit is under way, and how many one commit takes: enough to
/// hide its cost. A crash loses twice as many at most.
const GATHERED: usize = 32;

enum Order {
    Keep(Box<Turn>),
    /// To be told when everything before is saved.
    Tell(oneshot::Sender<()>),
}

/// Where a run and the graphs within it hand in their turns: one line, so that what a crash leaves
/// is the run as it was at some moment.
#[derive(Clone)]
pub(in crate::graph) struct Background(mpsc::Sender<Order>);

impl Background {
    /// The line, and what saves: to be polled beside the run. It ends only with an error, after which
    /// nothing is saved any more.
    pub(super) fn open(saver: Arc<dyn Saver>) -> (Self, impl Future<Output = SaveError> + use<>) {
        let (sender, orders) = mpsc::channel(GATHERED);
        (Self(sender), save(saver, orders))
    }

    /// Waits while too many turns wait already.
    pub(in crate::graph) async fn hand_in(&self, turn: Turn) -> Result<(), SaveError> {
        self.0.send(Order::Keep(Box::new(turn))).await.map_err(|_| over())?;
        step_back().await;
        Ok(())
    }

    /// Waits until everything that was handed in is saved.
    pub(in crate::graph) async fn saved(&self) -> Result<(), SaveError> {
        let (tell, told) = oneshot::channel();
        self.0.send(Order::Tell(tell)).await.map_err(|_| over())?;
        told.await.map_err(|_| over())
    }
}

/// What a node hears that has outlived its run.
fn over() -> SaveError {
    SaveError::new("the run is over")
}

/// Lets the saving begin: nodes that never wait would leave no time for it.
async fn step_back() {
    let mut back = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut back, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn save(saver: Arc<dyn Saver>, mut orders: mpsc::Receiver<Order>) -> SaveError {
    let mut taken = Vec::new();
    while orders.recv_many(&mut taken, GATHERED).await > 0 {
        let (mut turns, mut waiting) = (Vec::new(), Vec::new());
        for order in taken.drain(..) {
            match order {
                Order::Keep(turn) => turns.push(*turn),
                Order::Tell(tell) => waiting.push(tell),
            }
        }
        if !turns.is_empty()
            && let Err(error) = saver.save(turns).await
        {
            return error;
        }
        for tell in waiting {
            // Whoever waited may have been dropped.
            let _ = tell.send(());
        }
    }
    pending().await
}
