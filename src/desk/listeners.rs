//! Who follows runs over HTTP at this moment: counted, limited, and sent home when the desk closes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The open streams of this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Listeners(Arc<Room>);

#[derive(Default)]
struct Room {
    by_caller: Mutex<HashMap<String, u32>>,
    all: watch::Sender<usize>,
    closing: CancellationToken,
}

/// A place among the listeners, given back when it is dropped.
pub struct Seat {
    room: Arc<Room>,
    caller: String,
}

impl Listeners {
    /// A seat for one more stream of this caller, if fewer than `most` are taken.
    pub fn sit_down(&self, caller: &str, most: u32) -> Option<Seat> {
        let mut taken = self.0.taken();
        let of_caller = taken.entry(caller.to_owned()).or_default();
        if *of_caller >= most {
            return None;
        }
        *of_caller += 1;
        self.0.all.send_modify(|all| *all += 1);
        Some(Seat { room: self.0.clone(), caller: caller.to_owned() })
    }

    /// How many streams are open, now and whenever it changes.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.0.all.subscribe()
    }

    /// Ends every stream: their clients come back to the next process.
    pub fn send_home(&self) {
        self.0.closing.cancel();
    }
}

impl Seat {
    /// Resolves when the desk closes.
    pub async fn closing(&self) {
        self.room.closing.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        if let Some(of_caller) = taken.get_mut(&self.caller) {
            *of_caller -= 1;
            if *of_caller == 0 {
                taken.remove(&self.caller);
            }
        }
        self.room.all.send_modify(|all| *all -= 1);
    }
}

impl Room {
    fn taken(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        // Each use is one step; a panic elsewhere leaves nothing half done in it.
        self.by_caller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_so_many_seats_and_gets_them_back() {
        let listeners = Listeners::default();
        let first = listeners.sit_down("a", 1);
        assert!(first.is_some());
        assert!(listeners.sit_down("a", 1).is_none(), "one is the most");
        assert!(listeners.sit_down("b", 1).is_some(), "others have their own");
        drop(first);
        assert_eq!(*listeners.count().borrow(), 0);
        assert!(listeners.sit_down("a", 1).is_some());
    }
}
