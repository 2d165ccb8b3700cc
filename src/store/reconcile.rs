//! What a start sets right: whatever an earlier process, or a hand in the database, left undone.

use super::{Store, StoreError};

/// What [`Store::adopt_orphans`] found and mended. All zero after any crash of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Pending requests that had no live timer.
    pub timers: usize,
    /// Pending requests that nobody was shown, with no card owed.
    pub cards: usize,
    /// Waiting runs whose every question had an answer.
    pub runs: usize,
    /// Open questions without a request or an execution; their call is answered as not started.
    pub questions: usize,
}

impl Store {
    /// Mends what must not be, with one audit record for each defect.
    pub async fn adopt_orphans(&self) -> Result<Adopted, StoreError> {
        todo!()
    }
}
