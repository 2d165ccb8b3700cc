//! Runs: each decided question resumes its run once, and no run waits for nothing.

use super::{Violation, none_such};
use crate::store::{Store, StoreError};

pub(super) async fn check(store: &Store, found: &mut Vec<Violation>) -> Result<(), StoreError> {
    none_such(
        store,
        found,
        "I15",
        "it was consumed without an answer",
        "SELECT id FROM interrupts WHERE consumed_at IS NOT NULL AND answer IS NULL",
    )
    .await?;
    none_such(
        store,
        found,
        "I15",
        "it waits although every question has an answer",
        "SELECT id FROM runs WHERE state = 'waiting' AND NOT EXISTS (
           SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL)",
    )
    .await?;
    none_such(
        store,
        found,
        "I15",
        "it is done and a question of its own was never answered",
        "SELECT id FROM runs WHERE state = 'done' AND EXISTS (
           SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL)",
    )
    .await
}
