//! The chain: gapless, unbroken, never back in time, and ending where the head says.

use super::{Anchor, Look, reduced};
use crate::audit::chain::GENESIS;
use crate::audit::export::{page, workspaces};
use crate::base::{Timestamp, WorkspaceId};
use crate::store::{StoreError, big};

/// Gives back where each chain ends, for an anchor to be kept outside.
pub(super) async fn check(look: &mut Look, anchors: &[Anchor]) -> Result<Vec<Anchor>, StoreError> {
    let mut ends = Vec::new();
    for workspace in workspaces(&mut look.snapshot).await? {
        let mut last = (0, GENESIS.to_owned(), Timestamp::from_millis(i64::MIN));
        loop {
            let records = page(&mut look.snapshot, &workspace, last.0).await?;
            if records.is_empty() {
                break;
            }
            for record in records {
                let at = format!("{workspace}:{}", record.seq);
                if record.seq != last.0 + 1 {
                    let missing = last.0 + 1;
                    look.broken("I6", &at, format!("the record {missing} before it is missing"));
                }
                if record.prev_hash != last.1 {
                    look.broken("I6", &at, "it does not follow the record before it");
                }
                // What is left of another has its hash in the record that tells of it.
                if record.reduced_by.is_none() && record.hash != record.computed_hash() {
                    look.broken("I6", &at, "it was changed after it was written");
                }
                reduced::told(look, &record).await?;
                if record.at < last.2 {
                    look.broken("I20", &at, "it is older than the record before it");
                }
                last = (record.seq, record.hash, record.at);
            }
        }
        let head: Option<(i64, String)> =
            sqlx::query_as("SELECT seq, hash FROM audit_heads WHERE workspace = $1")
                .bind(&workspace)
                .fetch_optional(&mut look.snapshot)
                .await?;
        if head.is_none_or(|(seq, hash)| seq != big(last.0) || hash != last.1) {
            look.broken("I6", &workspace, "the log does not end where its head says");
        }
        let (seq, hash, _) = last;
        ends.push(Anchor { workspace: WorkspaceId::existing(workspace), seq, hash });
    }
    for anchor in anchors {
        let kept: Option<String> =
            sqlx::query_scalar("SELECT hash FROM audit WHERE workspace = $1 AND seq = $2")
                .bind(anchor.workspace.as_str())
                .bind(big(anchor.seq))
                .fetch_optional(&mut look.snapshot)
                .await?;
        if kept.as_deref() != Some(&anchor.hash) {
            let at = format!("{}:{}", anchor.workspace, anchor.seq);
            let end = ends.iter().find(|end| end.workspace == anchor.workspace);
            let what = match end.filter(|end| end.seq < anchor.seq) {
                Some(end) => format!(
                    "the log ends at {}, before the record that was anchored outside: it was rolled back \
                     or cut, or the anchor is of a later time than this copy",
                    end.seq
                ),
                None => "the record that was anchored outside is gone or changed".to_owned(),
            };
            look.broken("I6", at, what);
        }
    }
    Ok(ends)
}
