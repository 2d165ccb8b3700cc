//! The rows against the log: what was written down of them is still what stands there.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Look;
use crate::approval::Kept;
use crate::store::{StoreError, StoredRequest, instant};

pub(super) async fn check(look: &mut Look) -> Result<(), StoreError> {
    look.none_such(
        "I6",
        "the log knows this request, and it is gone",
        "SELECT DISTINCT subject FROM audit WHERE kind = 'request.opened'
           AND NOT EXISTS (SELECT 1 FROM requests WHERE id = subject)",
    )
    .await?;
    look.none_such(
        "I6",
        "the log knows this execution, and it is gone",
        "SELECT DISTINCT subject FROM audit WHERE kind IN ('execution.allowed', 'execution.started')
           AND NOT EXISTS (SELECT 1 FROM executions WHERE id = subject)",
    )
    .await?;
    look.none_such(
        "I6",
        "the log does not hold exactly one end of it",
        "SELECT id FROM executions WHERE CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END <> (
           SELECT count(*) FROM audit WHERE subject = executions.id AND kind IN (
             'execution.succeeded', 'execution.failed', 'execution.unknown', 'execution.refused'))",
    )
    .await?;
    look.none_such(
        "I6",
        "it did not end as the log says",
        "SELECT id FROM executions WHERE ended_at IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM audit WHERE subject = executions.id AND kind = 'execution.' || state)",
    )
    .await?;
    starts(look).await?;
    allowed(look).await?;
    results(look).await?;
    findings(look).await
}

/// Until when each may start, against what its decision or its rule said.
async fn starts(look: &mut Look) -> Result<(), StoreError> {
    let ordered: Vec<(String, i64, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT executions.id, start_by, decision, body FROM executions
           LEFT JOIN requests ON requests.id = request_id
           LEFT JOIN audit ON subject = executions.id AND kind = 'execution.allowed'
         ORDER BY executions.id",
    )
    .fetch_all(&mut look.snapshot)
    .await?;
    for (id, start_by, decision, allowed) in ordered {
        if read(decision.or(allowed).as_deref())["start_by"] != written(&instant(start_by)) {
            look.broken("I6", id, "its time to start is not the one in the log");
        }
    }
    Ok(())
}

/// What is left of the actions that a rule allowed: of a request's, the request's rest is compared.
async fn allowed(look: &mut Look) -> Result<(), StoreError> {
    let reduced: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT executions.id, envelope, digest, body FROM executions JOIN audit
           ON subject = executions.id AND kind = 'execution.allowed'
         WHERE request_id IS NULL AND reduced_at IS NOT NULL ORDER BY executions.id",
    )
    .fetch_all(&mut look.snapshot)
    .await?;
    for (id, envelope, digest, body) in reduced {
        let said = read(Some(&body));
        if said["envelope"] != read(Some(&envelope)) || said["digest"] != digest.as_str() {
            look.broken("I6", id, "what is left of it is not what the log says");
        }
    }
    Ok(())
}

/// Each result against the hash that the log took of it.
async fn results(look: &mut Look) -> Result<(), StoreError> {
    let ended: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT executions.id, note, body FROM executions LEFT JOIN audit
           ON subject = executions.id AND kind = 'execution.' || state
         WHERE ended_at IS NOT NULL AND reduced_at IS NULL ORDER BY executions.id",
    )
    .fetch_all(&mut look.snapshot)
    .await?;
    for (id, note, body) in ended {
        let hash = hex::encode(Sha256::digest(note.unwrap_or_default()));
        if read(body.as_deref())["note_hash"] != hash.as_str() {
            look.broken("I6", id, "its result is not the one in the log");
        }
    }
    Ok(())
}

/// What humans found out about unknown outcomes, against the hash that the log took of it.
async fn findings(look: &mut Look) -> Result<(), StoreError> {
    let settled: Vec<(String, String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT executions.id, state, settled, body FROM executions LEFT JOIN audit
           ON subject = executions.id AND kind = 'execution.settled'
         WHERE settled IS NOT NULL OR body IS NOT NULL ORDER BY executions.id",
    )
    .fetch_all(&mut look.snapshot)
    .await?;
    for (id, state, settled, body) in settled {
        let hash = settled.map(|settled| hex::encode(Sha256::digest(settled)));
        let same = read(body.as_deref())["settled_hash"].as_str() == hash.as_deref();
        if !same || hash.is_none() || state != "unknown" {
            look.broken("I6", id, "what was found out about it is not what is in the log");
        }
    }
    Ok(())
}

/// A request's terms, votes and decision against the log's.
pub(super) async fn request(stored: &StoredRequest, look: &mut Look) -> Result<(), StoreError> {
    let request = &stored.request;
    let records: Vec<(String, String)> = sqlx::query_as(
        "SELECT kind, body FROM audit
         WHERE subject = $1 AND kind LIKE 'request.%' ORDER BY workspace, seq",
    )
    .bind(request.id.as_str())
    .fetch_all(&mut look.snapshot)
    .await?;
    let bodies: Vec<Value> = records.iter().map(|(_, body)| read(Some(body))).collect();
    let said = |key: &str| -> Vec<Value> {
        bodies.iter().filter_map(|body| body.get(key).cloned()).collect()
    };
    let id = request.id.as_str();
    if said("terms") != [written(&request.terms)] {
        look.broken("I6", id, "its terms are not those in the log");
    }
    if said("digest").iter().any(|digest| *digest != written(&request.digest)) {
        look.broken("I6", id, "its digest is not the one in the log");
    }
    if let Kept::Reduced { remains, .. } = &stored.kept
        && said("envelope") != [written(remains)]
    {
        look.broken("I6", id, "what is left of it is not what the log says");
    }
    if said("vote") != request.votes.iter().map(written).collect::<Vec<_>>() {
        look.broken("I6", id, "its votes are not those in the log");
    }
    if said("decision") != request.decision.iter().map(written).collect::<Vec<_>>() {
        look.broken("I6", id, "its decision is not the one in the log");
    }
    let newest = bodies.iter().rfind(|body| body.get("version").is_some());
    let stands = json!({
        "version": request.version, "stage": request.stage, "stage_since": request.stage_since,
    });
    let logged = |(key, value): (&String, &Value)| newest.is_some_and(|body| body[key] == *value);
    if !stands.as_object().is_some_and(|stands| stands.iter().all(logged)) {
        look.broken("I6", id, "it does not stand where the log left it");
    }
    Ok(())
}

/// A text that is no JSON equals nothing that was ever written.
fn read(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn written(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
