//! I22: whoever has the exported log, and nothing else, can recount each approval: as many people as
//! it needed, each asked, each allowed to, on what they were shown, in time. The arithmetic is this
//! file's own, by the words of the log; nothing of the desk's is called.

use std::collections::{BTreeMap, BTreeSet};

use countersign::base::Span;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::office::{DELETION, INVOICE, Office, REFUND};

/// Who is in which group, as the company knows without asking the desk.
const GROUPS: [(&str, [&str; 2]); 3] = [
    ("finance", ["U0JONAS", "U0LENA"]),
    ("dba", ["U0NOOR", "U0SAM"]),
    ("managers", ["U0PRIYA", "U0VERA"]),
];

/// One line of the export, with its body read.
#[derive(Clone, Debug)]
struct Line {
    record: Value,
    body: Value,
}

impl Line {
    fn kind(&self) -> &str {
        self.record["kind"].as_str().unwrap()
    }

    fn subject(&self) -> &str {
        self.record["subject"].as_str().unwrap()
    }

    fn hash(&self) -> String {
        let of = |key: &str| &self.record[key];
        let list = json!([
            of("workspace"),
            of("seq"),
            of("at"),
            of("kind"),
            of("subject"),
            self.body.to_string(),
            of("prev_hash"),
        ]);
        hex::encode(Sha256::digest(format!("countersign.audit.v1\n{list}")))
    }
}

async fn exported(office: &Office) -> Vec<Line> {
    let mut export = Vec::new();
    let store = &office.world.app().unwrap().desk.store;
    countersign::audit::export(store, &mut export).await.unwrap();
    let lines = export.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let record: Value = serde_json::from_slice(line).unwrap();
            let body = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
            Line { record, body }
        })
        .collect()
}

/// Whether each line is as it was written, and follows the one before it.
fn chained(log: &[Line]) -> Result<(), String> {
    let mut before = json!("0".repeat(64));
    for line in log {
        if line.record["prev_hash"] != before || line.record["hash"] != line.hash() {
            return Err(format!("{} is not what was written", line.record["seq"]));
        }
        before = line.record["hash"].clone();
    }
    Ok(())
}

/// What somebody would do who owns the whole log: every hash anew.
fn chain_anew(log: &mut [Line]) {
    let mut before = json!("0".repeat(64));
    for line in log {
        line.record["prev_hash"] = before;
        before = json!(line.hash());
        line.record["hash"] = before.clone();
    }
}

/// A request as far as the log has told of it.
struct Told {
    opened: Value,
    /// Who approved, and at which stages they were asked.
    approved: BTreeMap<String, BTreeSet<u64>>,
    voted: BTreeSet<String>,
    stage: u64,
}

/// How each request ended that ended by people's word, or what is wrong with it.
fn recount(log: &[Line]) -> Result<Vec<&str>, String> {
    let mut open: BTreeMap<&str, Told> = BTreeMap::new();
    let mut ends = Vec::new();
    for line in log.iter().filter(|line| line.kind().starts_with("request.")) {
        let (id, body) = (line.subject(), &line.body);
        if line.kind() == "request.opened" {
            let (approved, voted) = (BTreeMap::new(), BTreeSet::new());
            open.insert(id, Told { opened: body.clone(), approved, voted, stage: 0 });
            continue;
        }
        let told = open.get_mut(id).ok_or_else(|| format!("{id} goes on without a beginning"))?;
        if body["digest"] != told.opened["digest"] {
            return Err(format!("{id} is about something else now"));
        }
        told.stage = body["stage"].as_u64().unwrap();
        if let Some(vote) = body.get("vote") {
            count(told, vote, &body["evidence"]).map_err(|why| format!("{id}: {why}"))?;
        }
        match line.kind() {
            "request.approved" => approved(told, body).map_err(|why| format!("{id}: {why}"))?,
            "request.rejected" if body["vote"]["choice"] != "reject" => {
                return Err(format!("{id} is rejected and nobody rejected it"));
            }
            _ => {}
        }
        ends.extend(body.get("decision").map(|_| line.kind()));
    }
    Ok(ends)
}

/// Counts one person's word, if it is theirs to give.
fn count(told: &mut Told, vote: &Value, evidence: &Value) -> Result<(), String> {
    let terms = &told.opened["terms"];
    let person = vote["by"]["person"].as_str().unwrap();
    if vote["by"]["standing"] != "member" {
        return Err(format!("{person} is no member"));
    }
    let requester = &told.opened["envelope"]["requester"];
    let own = requester["person"] == person || requester["owner"] == person;
    if own && terms["separation"] == "required" {
        return Err(format!("{person} decides on what they ask for"));
    }
    if !told.voted.insert(person.to_owned()) {
        return Err(format!("{person} counts twice"));
    }
    if evidence["delivery"].is_null() || evidence["click"]["signed_at"].is_null() {
        return Err(format!("{person} pressed nothing"));
    }
    let (asked_at, at) = (&told.opened["envelope"]["asked_at"], &vote["at"]);
    if at.as_i64() < asked_at.as_i64() || at.as_i64() >= decide_by(told) {
        return Err(format!("{person} did not answer in time"));
    }
    let user = vote["by"]["user"]["user"].as_str().unwrap();
    let mut stages = BTreeSet::new();
    for stage in vote["stages"].as_array().unwrap().iter().map(|stage| stage.as_u64().unwrap()) {
        let groups = terms["path"][stage as usize]["approvers"].as_array().unwrap();
        let asks = |(group, people): &(&str, [&str; 2])| {
            groups.iter().any(|asked| asked == group) && people.contains(&user)
        };
        if stage > told.stage || !GROUPS.iter().any(asks) {
            return Err(format!("{user} was not asked at stage {stage}"));
        }
        stages.insert(stage);
    }
    if vote["choice"] == "approve" {
        told.approved.insert(person.to_owned(), stages);
    }
    Ok(())
}

/// Every stage has its time, one after the other.
fn decide_by(told: &Told) -> Option<i64> {
    let path = told.opened["terms"]["path"].as_array().unwrap();
    let within: i64 = path.iter().map(|stage| stage["within"].as_i64().unwrap()).sum();
    Some(told.opened["envelope"]["asked_at"].as_i64()? + within)
}

/// Somebody's word was the last one needed, and enough others had given theirs at that stage.
fn approved(told: &Told, body: &Value) -> Result<(), String> {
    let path = told.opened["terms"]["path"].as_array().unwrap();
    let enough = path.iter().zip(0..=told.stage).any(|(stage, nth)| {
        let people = told.approved.values().filter(|stages| stages.contains(&nth)).count() as u64;
        people >= stage["quorum"].as_u64().unwrap().max(1)
    });
    if !enough {
        return Err(format!("{} people are too few", told.approved.len()));
    }
    if body["decision"]["by"]["person"]["person"] != body["vote"]["by"]["person"] {
        return Err("it was somebody else's word".to_owned());
    }
    Ok(())
}

/// Two must approve an invoice, one a refund or a deletion; all but the last of these end.
async fn a_day_of_approvals() -> Office {
    let quorum = "- { approvers: finance, in: approvals, within: 30m, remind: [10m, 25m] }";
    let two = quorum.replace("within: 30m", "quorum: 2, within: 30m");
    let office = Office::opens_with(&[(quorum, &two)]).await;
    let (_, card) = office.asks("mia", INVOICE).await;
    for who in ["mia", "gus", "jonas", "jonas", "lena"] {
        office.approves(who, &card).await;
    }
    assert_eq!(office.invoices_paid().await, 1);
    let (_, card) = office.asks("mia", DELETION).await;
    office.approves("noor", &card).await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.rejects("lena", &card).await;
    office.asks("sam", REFUND).await;
    office.passes(Span::minutes(31)).await;
    let card = office.card("priya", "#managers");
    office.approves("priya", &card).await;
    assert_eq!(office.refunds().await, 1);
    let (_, card) = office.asks("mia", INVOICE).await;
    office.approves("jonas", &card).await;
    office
}

#[tokio::test]
async fn each_approval_of_a_day_was_given_by_as_many_as_it_needed() {
    let office = a_day_of_approvals().await;
    let log = exported(&office).await;
    chained(&log).unwrap();
    let ends = ["approved", "approved", "rejected", "approved"].map(|end| format!("request.{end}"));
    assert_eq!(recount(&log).unwrap(), ends);
    office.passes(Span::minutes(61)).await;
    office.closes().await;
}

/// The first line of a kind.
fn line<'a>(log: &'a mut [Line], kind: &str) -> &'a mut Line {
    log.iter_mut().find(|line| line.kind() == kind).unwrap()
}

/// What somebody changes, and what whoever recounts says to that.
type Change = (&'static str, fn(&mut Vec<Line>));

const CHANGES: [Change; 10] = [
    ("are too few", |log| log.retain(|line| line.kind() != "request.voted")),
    ("are too few", |log| {
        line(log, "request.opened").body["terms"]["path"][0]["quorum"] = json!(3);
    }),
    ("are too few", |log| line(log, "request.voted").body["vote"]["choice"] = json!("reject")),
    ("counts twice", |log| {
        let first = line(log, "request.voted").body["vote"].clone();
        line(log, "request.approved").body["vote"] = first;
    }),
    ("decides on what they ask for", |log| {
        let asks = line(log, "request.opened").body["envelope"]["requester"]["person"].clone();
        line(log, "request.approved").body["vote"]["by"]["person"] = asks;
    }),
    ("is no member", |log| {
        line(log, "request.approved").body["vote"]["by"]["standing"] = json!("guest");
    }),
    ("was not asked at stage 0", |log| {
        line(log, "request.approved").body["vote"]["by"]["user"]["user"] = json!("U0PRIYA");
    }),
    ("did not answer in time", |log| {
        line(log, "request.approved").body["vote"]["at"] = json!(4_102_444_800_000_i64);
    }),
    ("is about something else", |log| {
        line(log, "request.approved").body["digest"] = json!("0".repeat(64));
    }),
    ("nobody rejected it", |log| {
        line(log, "request.rejected").body["vote"]["choice"] = json!("approve");
    }),
];

#[tokio::test]
async fn a_line_that_was_changed_does_not_add_up() {
    let office = a_day_of_approvals().await;
    let log = exported(&office).await;
    for (says, change) in CHANGES {
        let mut changed = log.clone();
        change(&mut changed);
        chained(&changed).expect_err(says);
        chain_anew(&mut changed);
        chained(&changed).unwrap();
        let why = recount(&changed).expect_err(says);
        assert!(why.contains(says), "{says}: {why}");
    }
    office.passes(Span::minutes(61)).await;
    office.closes().await;
}
