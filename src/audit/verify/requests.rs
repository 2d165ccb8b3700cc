//! Requests: what was decided, by whom, and whether everybody who should know can.

use std::collections::BTreeSet;

use super::{Look, log};
use crate::approval::{Choice, Outcome, Separation};
use crate::base::{RequestId, WorkspaceId};
use crate::store::{StoreError, StoredRequest, requests};

pub(super) async fn check(look: &mut Look) -> Result<(), StoreError> {
    look.none_such(
        "I4",
        "it is pending and no timer ends its stage",
        "SELECT id FROM requests WHERE outcome IS NULL AND NOT EXISTS (
           SELECT 1 FROM timers WHERE request_id = requests.id AND done_at IS NULL
             AND kind LIKE '%stage_ends%')",
    )
    .await?;
    look.none_such(
        "I10",
        "it has ended and still has a live timer",
        "SELECT id FROM requests WHERE outcome IS NOT NULL AND EXISTS (
           SELECT 1 FROM timers WHERE request_id = requests.id AND done_at IS NULL)",
    )
    .await?;
    look.none_such(
        "I14",
        "it is pending, and nobody was or will be shown it",
        "SELECT id FROM requests WHERE outcome IS NULL AND undeliverable IS NULL AND NOT EXISTS (
           SELECT 1 FROM cards WHERE request_id = requests.id AND kind = 'stage'
             AND stage = requests.stage AND state <> 'dead')",
    )
    .await?;
    look.none_such(
        "I2",
        "its outcome is not the one of its decision",
        r#"SELECT id FROM requests
         WHERE outcome IS NOT NULL AND decision NOT LIKE '%"outcome":"' || outcome || '"%'"#,
    )
    .await?;
    look.none_such(
        "I2",
        "the log does not hold exactly one end of it",
        "SELECT id FROM requests WHERE CASE WHEN outcome IS NULL THEN 0 ELSE 1 END <> (
           SELECT count(*) FROM audit WHERE subject = requests.id AND kind IN (
             'request.approved', 'request.rejected', 'request.expired', 'request.cancelled',
             'request.superseded'))",
    )
    .await?;
    let all: Vec<(String, String)> =
        sqlx::query_as("SELECT workspace, id FROM requests ORDER BY id")
            .fetch_all(&mut look.snapshot)
            .await?;
    for (workspace, id) in all {
        let (workspace, request) = (WorkspaceId::existing(workspace), RequestId::existing(&id));
        match requests::stored(&mut look.snapshot, &workspace, &request).await {
            Ok(Some(stored)) => {
                decided_by_right(&stored, look);
                log::request(&stored, look).await?;
            }
            Ok(None) => look.broken("I1", id, "its row and its envelope name two workspaces"),
            Err(StoreError::Damaged { what, why }) => {
                look.broken("I1", id, format!("its {what} is damaged: {why}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Recomputes from the votes alone whether the outcome was anybody's to give.
fn decided_by_right(stored: &StoredRequest, look: &mut Look) {
    let request = &stored.request;
    let id = request.id.as_str();
    if stored.kept.digest() != request.digest {
        look.broken("I1", id, "its envelope is not the one that people decided on");
    }
    let requester = &request.requester;
    let mut people = BTreeSet::new();
    for vote in &request.votes {
        if !people.insert(&vote.by.person) {
            look.broken("I7", id, "one person voted twice");
        }
        let own =
            vote.by.person == requester.person || requester.owner.as_ref() == Some(&vote.by.person);
        if own && request.terms.separation == Separation::Required {
            look.broken("I7", id, "the requester decided on their own request");
        }
    }
    let Some(decision) = &request.decision else {
        return;
    };
    match decision.outcome {
        Outcome::Approved => {
            if decision.at >= request.decide_by() {
                look.broken("I1", id, "it was approved after its deadline");
            }
            let reached = request.terms.path.iter().enumerate().take(request.stage + 1);
            let quorum = reached.into_iter().any(|(stage, rules)| {
                let approvals = request
                    .votes
                    .iter()
                    .filter(|vote| vote.choice == Choice::Approve && vote.stages.contains(&stage));
                approvals.count() >= rules.quorum.max(1) as usize
            });
            if !quorum {
                look.broken("I1", id, "it is approved without a quorum of votes");
            }
        }
        Outcome::Rejected => {
            if !request.votes.iter().any(|vote| vote.choice == Choice::Reject) {
                look.broken("I1", id, "it is rejected and nobody rejected it");
            }
        }
        Outcome::Expired | Outcome::Cancelled | Outcome::Superseded => {}
    }
}
