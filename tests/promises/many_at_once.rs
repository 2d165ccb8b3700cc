//! Much becomes due together: people are told in a few messages, nobody is left out, and every request
//! can still be decided.

use std::collections::BTreeSet;

use countersign::base::Span;
use countersign::sandbox::{Fault, MessageView};
use countersign::store::{CardKind, Owed, OwedPace};
use countersign::work::{Executions, Runs, one_turn};

use crate::office::Office;
use crate::reckoning::count;

const PEOPLE: [&str; 4] = ["mia", "sam", "noor", "lena"];
/// How many invoices are in a batch: fewer than the approvals that one run may ask for.
const BATCH: usize = 10;
const BATCHES: usize = 20;
const MANY: usize = BATCH * BATCHES;

impl Office {
    /// So many invoices are to be paid at the same moment, and there is time for their cards to be
    /// posted.
    async fn many_are_asked(&mut self) {
        let call = |nth: usize| {
            format!(
                r#"
      - tool: vendor.pay_invoice
        arguments: '{{"invoice": "V-{{{{ batch }}}}{nth:02}", "amount": 12.00, "currency": "EUR", "due": "today"}}'"#
            )
        };
        let calls: String = (0..BATCH).map(call).collect();
        let script =
            format!("rules:\n  - when: {{ says: 'pay batch (?<batch>\\d+)' }}\n    call:{calls}\n");
        self.follows_script(&script).await;
        for nth in 0..BATCHES {
            self.person(PEOPLE[nth % 4]).writes_to_bot(&format!("pay batch {}", 50 + nth));
        }
        self.passes(Span::ZERO).await;
        self.passes(Span::minutes(5)).await;
        assert_eq!(self.cards_in("#approvals").len(), MANY);
    }

    fn cards_in(&self, channel: &str) -> Vec<MessageView> {
        let seen = self.person("priya").sees(channel).into_iter();
        seen.filter(|message| message.buttons.iter().any(|label| label == "Approve")).collect()
    }

    /// What stands in a channel and tells of several requests.
    fn digests_in(&self, who: &str, channel: &str) -> Vec<String> {
        let seen = self.person(who).sees(channel).into_iter().map(|message| message.text);
        seen.filter(|text| text.contains(" requests ")).collect()
    }
}

#[tokio::test]
async fn two_hundred_escalations_are_one_message_and_two_hundred_cards() {
    let mut office = Office::opens().await;
    office.many_are_asked().await;

    // Ten minutes in, all are reminded of.
    office.passes(Span::minutes(6)).await;
    let reminders = office.digests_in("jonas", "#approvals");
    assert_eq!(reminders.len(), 1, "{reminders:#?}");
    assert!(reminders[0].starts_with("200 requests are still waiting here"), "{}", reminders[0]);
    let singly = office.person("jonas").sees("#approvals").len();
    assert_eq!(singly, MANY + 1, "and nothing else is said");

    // Half an hour in, all are passed on.
    office.passes(Span::minutes(18)).await;
    assert!(office.digests_in("priya", "#managers").is_empty());
    office.passes(Span::minutes(2)).await;
    let digests = office.digests_in("priya", "#managers");
    assert_eq!(digests.len(), 1, "{digests:#?}");
    assert!(digests[0].starts_with("200 requests were passed on to you here"), "{}", digests[0]);
    assert!(digests[0].contains("asked 30 min ago"), "{}", digests[0]);

    // Each can be decided, some as soon as their card is there.
    let first = office.cards_in("#managers");
    assert!(!first.is_empty() && first.len() < MANY, "cards come at Slack's pace: {}", first.len());
    office.approves("priya", &first[0]).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.passes(Span::minutes(4)).await;
    let all = office.cards_in("#managers");
    assert_eq!(all.len(), MANY - 1, "one was decided");
    office.approves("priya", &all[MANY - 2]).await;
    assert_eq!(office.invoices_paid().await, 2);
    let at_most = office.digests_in("priya", "#managers");
    assert_eq!(at_most.len(), 1, "{at_most:#?}");

    // The others expire, which those who asked hear in a message each.
    office.passes(Span::minutes(120)).await;
    let desk = office.database().await;
    let expired = "SELECT count(*) FROM requests WHERE outcome = 'expired'";
    assert_eq!(count(&desk, expired).await, MANY as i64 - 2);
    desk.close().await;
    for who in PEOPLE {
        let direct = office.digests_in(who, office.person(who).id());
        assert!(direct.len() <= 1, "{direct:#?}");
    }
    office.closes().await;
}

impl Office {
    /// So many people write in the same moment, each about an invoice of their own.
    fn many_write(&self, messages: usize) {
        for nth in 0..messages {
            let text = format!("pay invoice V-{}", 1000 + nth);
            self.person(PEOPLE[nth % 4]).writes_to_bot(&text);
        }
    }
}

/// Who wrote must be looked up, and Slack answers only so many questions a minute, and here none for a
/// while: nobody's message is given up because of that.
#[tokio::test]
async fn of_two_hundred_messages_in_one_moment_each_becomes_a_request() {
    let office = Office::opens().await;
    // As many as we ask before the first answer is there.
    let busy = std::iter::repeat_n(Fault::RateLimited(Span::minutes(10)), 50);
    office.world.slack.next_calls("users.info", busy);
    office.many_write(MANY);
    office.a_moment().await;
    let desk = office.database().await;
    let requests = "SELECT count(*) FROM requests WHERE outcome IS NULL";
    assert_eq!(count(&desk, requests).await, 0, "nobody knows yet who wrote");
    office.passes(Span::minutes(9)).await;
    assert_eq!(count(&desk, requests).await, 0, "and Slack is left in peace");
    office.passes(Span::minutes(3)).await;
    assert_eq!(count(&desk, requests).await, MANY as i64);
    assert_eq!(count(&desk, "SELECT count(*) FROM runs WHERE state = 'failed'").await, 0);
    desk.close().await;
    office.passes(Span::minutes(3)).await;
    assert_eq!(office.cards_in("#approvals").len(), MANY);
    office.closes().await;
}

/// Each press is looked up afresh, and a click cannot wait: more of them than our pace lets in after a
/// rest all count, while others write.
#[tokio::test]
async fn of_many_presses_in_one_moment_each_counts() {
    const PRESSES: usize = 70;
    let office = Office::opens().await;
    office.many_write(PRESSES);
    office.passes(Span::ZERO).await;
    office.passes(Span::minutes(2)).await;
    let cards = office.cards_in("#approvals");
    assert_eq!(cards.len(), PRESSES);
    office.many_write(PRESSES);
    for card in &cards {
        let told = office.presses("jonas", card, "Approve").await;
        assert_eq!(told, Vec::<String>::new());
    }
    office.passes(Span::ZERO).await;
    office.passes(Span::minutes(5)).await;
    assert_eq!(office.invoices_paid().await, PRESSES as i64);
    office.closes().await;
}

/// The desk is killed after the storm is committed and before anything of it is told.
#[tokio::test]
async fn a_digest_survives_a_power_cut() {
    let mut office = Office::opens().await;
    office.many_are_asked().await;
    office.passes(Span::minutes(25)).await;
    office.passes(Span::seconds(3)).await;
    assert!(office.digests_in("priya", "#managers").is_empty(), "it still gathers");
    office.loses_power().await;
    office.passes(Span::minutes(1)).await;
    let digests = office.digests_in("priya", "#managers");
    assert_eq!(digests.len(), 1, "{digests:#?}");
    assert!(digests[0].starts_with("200 requests were passed on"), "{}", digests[0]);
}

/// A few are told one by one, as ever.
#[tokio::test]
async fn a_handful_is_no_crowd() {
    let office = Office::opens().await;
    for nth in 0..5 {
        office.person("mia").writes_to_bot(&format!("pay invoice V-{}", 8000 + nth));
    }
    office.passes(Span::ZERO).await;
    office.passes(Span::minutes(11)).await;
    for card in office.cards_in("#approvals") {
        let said = office.person("jonas").sees_in_thread(&card.at);
        assert_eq!(said.len(), 1, "each is reminded of under its card");
    }
    office.passes(Span::minutes(30)).await;
    assert_eq!(office.cards_in("#managers").len(), 5);
    assert!(office.digests_in("priya", "#managers").is_empty(), "their cards say it");
    office.passes(Span::minutes(30)).await;
    for root in office.person("mia").sees(office.person("mia").id()) {
        assert!(!root.text.contains("requests"), "{}", root.text);
    }
    office.closes().await;
}

/// What a hand in the database took away is put back by the look after a start.
#[tokio::test]
async fn what_was_taken_away_is_put_back_while_the_desk_serves() {
    let office = Office::opens().await;
    office.asks("mia", crate::office::INVOICE).await;
    let desk = office.database().await;
    for taken in ["DELETE FROM timers", "DELETE FROM buttons", "DELETE FROM cards"] {
        sqlx::query(taken).execute(&desk).await.unwrap();
    }
    desk.close().await;
    let store = &office.world.app().unwrap().desk.store;
    let adopted = store.adopt_orphans(std::time::Duration::ZERO).await.unwrap();
    assert_eq!((adopted.timers, adopted.cards, adopted.questions, adopted.runs), (1, 1, 0, 0));
    let again = store.adopt_orphans(std::time::Duration::ZERO).await.unwrap();
    assert_eq!(again, countersign::store::Adopted::default());
    office.a_moment().await;
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    assert_eq!(office.world.verify().await.unwrap(), []);
}

/// A question that lost its request, and a run that lost sight of its answer, would wait for ever.
#[tokio::test]
async fn a_conversation_that_waits_for_nothing_goes_on() {
    let office = Office::opens().await;
    office.writes("mia", crate::office::INVOICE).await;
    office.writes("sam", "pay invoice V-8100").await;
    let desk = office.database().await;
    for taken in [
        "UPDATE requests SET run_id = NULL, interrupt_id = NULL WHERE envelope LIKE '%V-7719%'",
        "UPDATE interrupts SET answered_at = created_at,
           answer = '{\"status\":\"rejected\",\"content\":\"No.\"}'
         WHERE run_id = (SELECT run_id FROM requests WHERE envelope LIKE '%V-8100%')",
    ] {
        let taken = sqlx::query(taken).execute(&desk).await.unwrap();
        assert_eq!(taken.rows_affected(), 1);
    }
    let waiting = "SELECT COUNT(*) FROM runs WHERE state <> 'done'";
    assert_eq!(count(&desk, waiting).await, 2);
    let store = &office.world.app().unwrap().desk.store;
    let adopted = store.adopt_orphans(std::time::Duration::ZERO).await.unwrap();
    assert_eq!((adopted.timers, adopted.cards, adopted.questions, adopted.runs), (0, 0, 1, 1));
    let again = store.adopt_orphans(std::time::Duration::ZERO).await.unwrap();
    assert_eq!(again, countersign::store::Adopted::default());
    office.a_moment().await;
    assert_eq!(count(&desk, waiting).await, 0, "both are told, and go on");
    let recorded = "SELECT COUNT(*) FROM audit WHERE kind = 'defect.mended'";
    assert_eq!(count(&desk, recorded).await, 2);
    desk.close().await;
    assert_eq!(office.invoices_paid().await, 0);
    office.closes().await;
}

/// Whoever claims one at a time, because all else is under way, serves each place and answers as well.
#[tokio::test]
async fn however_little_room_there_is_each_place_and_each_kind_has_its_turn() {
    let office = Office::opens().await;
    for nth in 0..5 {
        for (floor, who) in ["mia", "sam", "noor"].iter().enumerate() {
            office.person(who).writes_to_bot(&format!("pay invoice V-70{floor}{nth}"));
        }
    }
    office.person("lena").writes_to_bot("look up order 1042");
    office.world.slack.deliver_due().await;
    let desk = office.world.app().unwrap().desk.clone();
    let (runs, executions) = (Runs::new(desk.clone()), Executions::new(desk.clone()));
    while one_turn(&runs, 32).await.unwrap() + one_turn(&executions, 32).await.unwrap() > 0 {}

    let mut served = BTreeSet::new();
    for _ in 0..12 {
        let pace = OwedPace::any(desk.workspace.clone());
        let claimed = desk.store.claim_owed("busy", Span::seconds(30), 1, pace).await.unwrap();
        served.extend(claimed.owed.iter().map(|owed| match owed {
            Owed::Card(card) => match &card.kind {
                CardKind::Stage { place, .. } => place.0.clone(),
                CardKind::Status { channel, .. } => channel.clone(),
            },
            Owed::Notice(_) => "an answer".to_owned(),
            Owed::PutOff => panic!("nothing was too early"),
        }));
        office.clock.turn_forward(Span::millis(1));
    }
    assert_eq!(served.len(), 5, "three threads, the approvers and an answer: {served:?}");
    office.passes(Span::minutes(2)).await;
    office.closes().await;
}
