//! Every click that was answered with 200 is in the database, with its verdict and its record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Findings;
use crate::evidence::{AuditRow, Evidence};

/// What became of the clicks that were answered with 200.
#[derive(Debug, Default)]
pub struct Answered {
    pub counted: usize,
    pub refused: usize,
    /// A press that opened a dialog decides nothing yet.
    pub dialogs: usize,
    /// Deliveries of a click that had a verdict already.
    pub again: usize,
}

impl Answered {
    pub fn all(&self) -> usize {
        self.counted + self.refused + self.dialogs
    }
}

pub fn answered(evidence: &Evidence) -> Answered {
    let mut answered = Answered::default();
    let mut seen = BTreeSet::new();
    for payload in payloads(evidence) {
        let key = key(payload);
        match evidence.desk.intake.get(&key) {
            Some(_) if !seen.insert(key.clone()) => answered.again += 1,
            Some(verdict) if verdict[1]["Ok"].is_null() => answered.refused += 1,
            Some(_) => answered.counted += 1,
            None => answered.dialogs += 1,
        }
    }
    answered
}

pub fn check(evidence: &Evidence, findings: &mut Findings) {
    let dialogs: BTreeSet<&str> = evidence
        .slack
        .iter()
        .filter(|passed| passed.what == "views.open")
        .filter_map(|passed| passed.sent["trigger_id"].as_str())
        .collect();
    let records = records(&evidence.desk.audit);
    let mut seen = BTreeSet::new();
    for payload in payloads(evidence) {
        let key = key(payload);
        if !seen.insert(key.clone()) {
            continue;
        }
        match evidence.desk.intake.get(&key) {
            Some(verdict) => {
                let name = if is_withdrawal(payload) { pressed_at(payload) } else { Some(&*key) };
                let of_it = name.and_then(|name| records.get(name)).map_or(&[][..], Vec::as_slice);
                recorded(evidence, &key, verdict, of_it, findings);
            }
            None => {
                let trigger = payload["trigger_id"].as_str().unwrap_or_default();
                let opened = payload["type"] == "block_actions" && dialogs.contains(trigger);
                if !opened {
                    let what = &payload["actions"][0]["action_id"];
                    findings.add(format!("answered and forgotten: {what} as {key}"));
                }
            }
        }
    }
}

/// One verdict, one record of the same kind, and a vote if it counted as one.
fn recorded(
    evidence: &Evidence,
    key: &str,
    verdict: &Value,
    records: &[&AuditRow],
    findings: &mut Findings,
) {
    let [record] = records else {
        findings.add(format!("{} audit records for the click {key}", records.len()));
        return;
    };
    let refused = verdict[1]["Ok"].is_null();
    let fits = refused == (record.kind == "click.refused")
        && verdict[0].as_str() == Some(record.subject.as_str());
    if !fits {
        findings.add(format!("the click {key} got {verdict}, and the log says {}", record.kind));
    }
    let voted = record.body["vote"]["by"]["person"].as_str();
    if let Some(person) = voted {
        let kept = evidence.desk.votes.iter();
        let kept = kept.filter(|(request, by)| *request == record.subject && by == person).count();
        if kept != 1 {
            findings.add(format!("the click {key} counted as a vote, and {kept} are kept"));
        }
    }
}

/// Audit records by the delivery they name: votes by the delivery's key, withdrawals by the press.
fn records(audit: &[AuditRow]) -> BTreeMap<&str, Vec<&AuditRow>> {
    let mut records: BTreeMap<&str, Vec<&AuditRow>> = BTreeMap::new();
    for record in audit {
        let evidence = &record.body["evidence"];
        let name = evidence["delivery"].as_str().or_else(|| evidence["pressed_at"].as_str());
        if let Some(name) = name {
            records.entry(name).or_default().push(record);
        }
    }
    records
}

/// Every interaction that was answered with 200, as Slack's side wrote it down.
fn payloads(evidence: &Evidence) -> impl Iterator<Item = &Value> {
    let answered = evidence
        .slack
        .iter()
        .filter(|passed| passed.what == "POST /slack/interactions" && passed.status == 200);
    answered
        .map(|passed| &passed.sent)
        .chain(&evidence.repeated)
        .filter(|payload| payload["type"] != "view_closed" && !is_told(payload))
}

/// What replaces an answered dialog has nothing to send; two hands at one keyboard may send it.
fn is_told(payload: &Value) -> bool {
    payload["view"]["callback_id"] == "told"
}

fn is_withdrawal(payload: &Value) -> bool {
    payload["actions"][0]["action_id"] == "withdraw"
}

fn pressed_at(payload: &Value) -> Option<&str> {
    payload["actions"][0]["action_ts"].as_str()
}

/// The name of a delivery, put together here from Slack's payload alone.
fn key(payload: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if payload["type"] == "view_submission" {
        let view = &payload["view"];
        let (id, hash) = (text(&view["id"]), text(&view["hash"]));
        return format!("view:{id}:{hash}:{}", text(&payload["trigger_id"]));
    }
    let (user, place, action) = (&payload["user"], &payload["container"], &payload["actions"][0]);
    format!(
        "click:{}:{}:{}:{}:{}:{}",
        text(&user["team_id"]),
        text(&user["id"]),
        text(&place["channel_id"]),
        text(&place["message_ts"]),
        text(&action["action_id"]),
        text(&action["action_ts"]),
    )
}
