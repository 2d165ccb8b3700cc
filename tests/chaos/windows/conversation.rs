//! One conversation that comes to every point. Its desk dies at one of them and is opened again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use countersign::base::failpoint::Point;
use countersign::sandbox::{Driver, MessageRef, MessageView};
use countersign::slack::texts;
use tokio::sync::watch;
use tokio::time::timeout;

use super::case::{Case, Story};
use super::left::Left;
use super::warden::{Door, Warden, is_open};
use crate::campaign::gather;
use crate::chance::Chance;
use crate::check;
use crate::database::Database;
use crate::desk::Desk;
use crate::gate::{Gate, Hold};
use crate::moments::lead_through;
use crate::outside::Outside;
use crate::settle;
use crate::tempo::Tempo;

/// A refund that may be repeated under its key, and a deletion that may not be.
const ASKED: &str = "Order 1042 was charged twice: refund it, and delete the old sessions";
const ACTIONS: [&str; 2] = ["ch_1042", "prod-orders"];
/// Two of them must approve.
const MANAGERS: [&str; 2] = ["priya", "vera"];
/// The first stage lasts a second, so that each request escalates; the second as long as need be.
const STAGES: [(&str, &str); 5] = [
    ("finance, in: approvals, within: 500s, remind: [200s]", "finance, in: approvals, within: 1s"),
    ("dba, in: databases, within: 400s, remind: [100s]", "finance, in: approvals, within: 1s"),
    ("managers, in: managers, within: 400s", "managers, in: managers, within: 400s, quorum: 2"),
    ("managers, in: managers, within: 300s", "managers, in: managers, within: 300s, quorum: 2"),
    // The refund is approved in a dialog, the deletion by the press itself.
    ("reason: required\n      valid_for: 5m", "valid_for: 5m"),
];
/// How the refund is repeated, and how it is asked about instead.
const KEYED: &str = "retry: keyed\n    keyed_for: 24h\n    show: [amount, currency, charge]";
const PROBED: &str = "retry: probe\n    probe:\n      \
    http: { method: GET, url: \"http://GATE/receipts/{{ key }}\", allow_private: [\"GATE\"] }\n    \
    show: [amount, currency, charge]";
/// Nothing here takes more than a few seconds; whoever waits for longer waits for nothing.
const BOUND: Duration = Duration::from_secs(60);
/// When everybody has done their part, the desk has little left to do and to die of.
const GRACE: Duration = Duration::from_secs(15);

/// Plays it with the death, or without one, and says what the desk wrote into its log.
pub async fn play(case: Option<Case>, folder: &Path) -> anyhow::Result<String> {
    let database = Database::where_tests_run(folder).await?;
    let (outside, house) =
        Outside::found_on(database, folder, &Chance::new(1), &Tempo::UNHURRIED).await?;
    let hold = case.and_then(hold);
    let (gate, address) = Gate::open(&outside.company_books, hold).await?;
    let file = house.folder.join("countersign.yaml");
    lead_through(&address, &outside.company_host, &file)?;
    edit(&file, &STAGES)?;
    if case.is_some_and(|case| case.story == Story::Probed) {
        edit(&file, &[(KEYED, &PROBED.replace("GATE", &address))])?;
    }
    let (door, seen) = watch::channel(Door::Closed);
    let warden = Warden { house, outside: outside.clone(), gate, door };
    let courier = tokio::spawn(deliver(outside.clone()));
    let keeping = async {
        match &case {
            Some(case) => warden.lets_it_die(case).await,
            None => warden.lets_it_tell().await,
        }
    };
    let people = everybody(&outside, &seen);
    let played = timeout(BOUND, async { tokio::try_join!(keeping, people) }).await;
    let ((desk, left), asked) = played.context("it never came to that")??;
    let owed = settle::wait(&warden.house.database, BOUND).await?;
    anyhow::ensure!(owed.is_empty(), "still owed: {owed:?}");
    courier.abort();
    check(&warden, desk, &left, &asked).await?;
    Ok(std::fs::read_to_string(warden.house.log())?)
}

/// What happens at the gate in this case.
fn hold(case: Case) -> Option<Hold> {
    match (case.story, case.point) {
        (_, Point::Closing) => Some(Hold::Arrived(3)),
        (Story::Probed, Point::EndWritten | Point::EndCommitted) => Some(Hold::RefundUnanswered),
        _ => None,
    }
}

async fn deliver(outside: Arc<Outside>) {
    loop {
        outside.slack.deliver_due().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What people do, whatever becomes of the desk meanwhile.
async fn everybody(outside: &Outside, door: &watch::Receiver<Door>) -> anyhow::Result<MessageRef> {
    is_open(door, Door::Open).await?;
    let asked = outside.slack.person("mia").writes_to_bot(ASKED);
    for name in MANAGERS {
        for action in ACTIONS {
            approves(&outside.slack.person(name), action, door).await?;
        }
    }
    let died = timeout(GRACE, is_open(door, Door::OpenAgain)).await;
    died.context("its failpoint did not fire")??;
    Ok(asked)
}

/// Approves; whoever gets no answer does it again when the desk is back, and whoever was too slow at
/// once: a minute passes at Slack when the desk comes back.
async fn approves(me: &Driver, action: &str, door: &watch::Receiver<Door>) -> anyhow::Result<()> {
    loop {
        let card = me.sees_until(|me| card_about(me, action)).await;
        if !offers_approval(&card) {
            return Ok(());
        }
        let pressed = me.clicks(&card, "Approve").await;
        if pressed.told.iter().any(|note| note.contains(&texts::too_slow())) {
            continue;
        }
        let status = match pressed.dialog {
            Some(dialog) => {
                let sent = me.sends(&dialog, &[("reason", "I called the customer")]).await;
                if sent.status != 200 {
                    me.cancels(&dialog).await;
                }
                sent.status
            }
            None => pressed.status,
        };
        if status == 200 {
            return Ok(());
        }
        is_open(door, Door::OpenAgain).await?;
    }
}

fn card_about(me: &Driver, action: &str) -> Option<MessageView> {
    me.sees("#managers").into_iter().find(|card| card.text.contains(action))
}

fn offers_approval(card: &MessageView) -> bool {
    card.buttons.iter().any(|label| label == "Approve")
}

async fn check(warden: &Warden, desk: Desk, left: &Left, asked: &MessageRef) -> anyhow::Result<()> {
    desk.stop().await?;
    let evidence = gather(&warden.outside, &warden.house).await?;
    let mut findings = check::everything(&evidence).await?;
    left.is_heeded(&warden.gate, &evidence, &mut findings);
    let told = warden.outside.slack.person("mia").sees_in_thread(asked);
    let last_words = told.iter().filter(|line| line.text.contains("on its way")).count();
    let escalated = evidence.desk.audit.iter().filter(|row| row.kind == "request.escalated");
    let approved = evidence.desk.requests.values();
    let approved = approved.filter(|row| row.outcome.as_deref() == Some("approved"));
    for (what, count, expected) in [
        ("times the requester was told the end", last_words, 1),
        ("refunds paid", evidence.company.ledger.len(), 1),
        ("runs", evidence.desk.runs.len(), 1),
        ("requests approved", approved.count(), ACTIONS.len()),
        ("escalations", escalated.count(), ACTIONS.len()),
        ("votes", evidence.desk.votes.len(), ACTIONS.len() * MANAGERS.len()),
        ("executions", evidence.desk.executions.len(), ACTIONS.len() + 1),
    ] {
        if count != expected {
            findings.add(format!("{what}: {count}, and not {expected}"));
        }
    }
    let told: Vec<&str> = told.iter().map(|line| line.text.as_str()).collect();
    anyhow::ensure!(findings.all().is_empty(), "{:#?}\nthe thread: {told:#?}", findings.all());
    Ok(())
}

fn edit(file: &Path, edits: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut text = std::fs::read_to_string(file)?;
    for (words, instead) in edits {
        anyhow::ensure!(text.contains(*words), "the configuration has no `{words}`");
        text = text.replace(words, instead);
    }
    Ok(std::fs::write(file, text)?)
}
