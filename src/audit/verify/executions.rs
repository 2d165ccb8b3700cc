//! Executions: nothing ran that was not approved, nothing ran twice.

use super::Look;
use crate::approval::{Digest, Sealed};
use crate::store::StoreError;

pub(super) async fn check(look: &mut Look) -> Result<(), StoreError> {
    look.none_such(
        "I1",
        "it has started without an approval",
        "SELECT e.id FROM executions e JOIN requests r ON r.id = e.request_id
         WHERE e.started_at IS NOT NULL AND (r.outcome IS NULL OR r.outcome <> 'approved')",
    )
    .await?;
    look.none_such(
        "I1",
        "what it is to run is not what was approved",
        "SELECT e.id FROM executions e JOIN requests r ON r.id = e.request_id
         WHERE e.digest <> r.digest OR e.envelope <> r.envelope",
    )
    .await?;
    look.none_such(
        "I1",
        "it started after its approval had lapsed",
        "SELECT id FROM executions WHERE started_at >= start_by",
    )
    .await?;
    look.none_such(
        "I5",
        "it was begun more than once, and its tool can neither be repeated nor asked",
        "SELECT id FROM executions WHERE attempts > 1 AND retry_class = 'once'",
    )
    .await?;
    look.none_such(
        "I6",
        "its beginnings and the log's do not match",
        "SELECT id FROM executions WHERE attempts <> (
           SELECT count(*) FROM audit WHERE subject = executions.id
             AND kind = 'execution.started')",
    )
    .await?;
    let started: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT id, envelope, digest FROM executions
         WHERE started_at IS NOT NULL AND reduced_at IS NULL ORDER BY id",
    )
    .fetch_all(&mut look.snapshot)
    .await?;
    for (id, envelope, digest) in started {
        let stored = Digest::try_from(digest);
        let same = Sealed::open(&envelope).is_ok_and(|sealed| Ok(sealed.digest()) == stored);
        if !same {
            look.broken("I1", id, "its envelope does not give its digest");
        }
    }
    Ok(())
}
