//! Runs: each decided question resumes its run once, and no run waits for nothing.

use super::Look;
use crate::store::StoreError;

pub(super) async fn check(look: &mut Look) -> Result<(), StoreError> {
    look.none_such(
        "I15",
        "it was consumed without an answer",
        "SELECT id FROM interrupts WHERE consumed_at IS NOT NULL AND answer IS NULL",
    )
    .await?;
    look.none_such(
        "I15",
        "it waits although every question has an answer",
        "SELECT id FROM runs WHERE state = 'waiting' AND NOT EXISTS (
           SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL)",
    )
    .await?;
    look.none_such(
        "I15",
        "it is done and a question of its own was never answered",
        "SELECT id FROM runs WHERE state = 'done' AND EXISTS (
           SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL)",
    )
    .await
}
