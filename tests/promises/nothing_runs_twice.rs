//! I5: an effect happens at most once, or the same key is used again, or a person must look.

use countersign::approval::Finding;
use countersign::base::Span;
use countersign::demo::Mishap;
use countersign::store::{Restoration, Voided};

use crate::office::{DELETION, INVOICE, Office, REFUND};
use crate::reckoning::count;

/// The power goes while the company works and has not answered: the worst moment there is.
async fn power_fails_during_the_call(office: &mut Office, who: &str, text: &str, by: &str) {
    let (_, card) = office.asks(who, text).await;
    office.world.company.suffer(Mishap::Silence);
    office.presses(by, &card, "Approve").await;
    tokio::select! {
        settled = office.world.settle() => panic!("the call came back: {settled:?}"),
        () = office.world.company.falls_silent() => {}
    }
    office.loses_power().await;
    office.passes(Span::minutes(2)).await;
}

#[tokio::test]
async fn a_keyed_call_is_repeated_with_its_key_and_pays_once() {
    let mut office = Office::opens().await;
    power_fails_during_the_call(&mut office, "mia", REFUND, "jonas").await;
    let journal = office.world.company.journal().await.unwrap();
    assert_eq!(journal.len(), 2, "it was called again");
    assert_eq!(journal[0].key, journal[1].key, "with the same key");
    assert_eq!(office.refunds().await, 1, "and paid once");
    office.closes().await;
}

#[tokio::test]
async fn a_call_that_nobody_can_ask_about_is_not_repeated_and_said_to_be_unknown() {
    let mut office = Office::opens().await;
    power_fails_during_the_call(&mut office, "mia", DELETION, "noor").await;
    assert_eq!(office.world.company.journal().await.unwrap().len(), 1);
    let card = office.person("noor").sees("#approvals").pop().unwrap();
    assert!(card.text.contains("OUTCOME UNKNOWN"), "{}", card.text);
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM executions WHERE state = 'unknown'").await, 1);
    desk.close().await;

    let store = &office.world.app().unwrap().desk.store;
    let workspace = store.workspace().await.unwrap().unwrap();
    let which = store.unsettled(&workspace, 10).await.unwrap().remove(0).execution.id;
    for settled in [true, false] {
        let said = store
            .settle_unknown(&workspace, which.as_str(), Finding::Happened, "olga", "I looked")
            .await
            .unwrap();
        assert_eq!(said.is_ok(), settled, "it is settled once: {said:?}");
    }
    office.passes(Span::minutes(2)).await;
    let card = office.person("noor").sees("#approvals").pop().unwrap();
    assert!(card.text.contains("olga found out"), "{}", card.text);
    assert_eq!(office.world.company.journal().await.unwrap().len(), 1, "nothing ran again");
    office.closes().await;
}

/// Somebody has looked, and says that the action of which nobody knew did not happen.
async fn finds_that_it_did_not_happen(office: &Office) {
    let store = &office.world.app().unwrap().desk.store;
    let workspace = store.workspace().await.unwrap().unwrap();
    let which = store.unsettled(&workspace, 10).await.unwrap().remove(0).execution.id;
    let (which, finding) = (which.as_str(), Finding::DidNotHappen);
    let settled = store.settle_unknown(&workspace, which, finding, "olga", "no trace").await;
    settled.unwrap().unwrap();
    office.a_moment().await;
}

/// A rule that lets it pass says nothing of what the first one did, and nor would a second card.
#[tokio::test]
async fn what_nobody_knows_is_not_done_again_because_a_model_asks_again() {
    let once = "retry: once\n    show: [amount, currency, charge]";
    for (text, approver) in [("refund ch_7 20.00 EUR, late parcel", None), (DELETION, Some("noor"))]
    {
        let office = Office::opens_with(&[(KEYED, once)]).await;
        office.world.company.suffer(Mishap::AnswerLost);
        let first = office.writes("mia", text).await;
        if let Some(approver) = approver {
            office.approves(approver, &office.card(approver, "#approvals")).await;
        }
        let told = office.thread("mia", &first);
        assert!(told.contains("OUTCOME UNKNOWN"), "{told}");
        let cards = office.person("noor").sees("#approvals").len();

        let again = office.writes("mia", text).await;
        let told = office.thread("mia", &again);
        assert!(told.contains("nobody knows yet whether the same was done before (exe_"), "{told}");
        assert_eq!(office.person("noor").sees("#approvals").len(), cards, "and nobody is asked");
        assert_eq!(office.world.company.journal().await.unwrap().len(), 1, "called once");
        let desk = office.database().await;
        let answered = "SELECT count(*) FROM audit WHERE kind = 'call.answered'
                          AND body LIKE '%\"status\":\"unsettled\"%'";
        assert_eq!(count(&desk, answered).await, 1, "the log has it");
        desk.close().await;

        finds_that_it_did_not_happen(&office).await;
        office.writes("mia", text).await;
        if let Some(approver) = approver {
            office.approves(approver, &office.card(approver, "#approvals")).await;
        }
        assert_eq!(office.world.company.journal().await.unwrap().len(), 2, "now it is free");
        office.closes().await;
    }
}

/// Both were asked for before anybody could know.
#[tokio::test]
async fn what_was_approved_before_an_equal_action_became_unknown_does_not_start() {
    let office = Office::opens().await;
    let (_, first) = office.asks("mia", DELETION).await;
    let (asked, second) = office.asks("mia", DELETION).await;
    assert_ne!(first.at, second.at);
    office.world.company.suffer(Mishap::AnswerLost);
    office.approves("noor", &first).await;
    office.approves("noor", &second).await;
    assert_eq!(office.world.company.journal().await.unwrap().len(), 1, "called once");
    let told = office.thread("mia", &asked);
    assert!(told.contains("nobody knows yet whether an equal action happened"), "{told}");
    office.closes().await;
}

/// The database was put back to an earlier day: what it shows as open may have been done since.
#[tokio::test]
async fn what_was_open_in_a_backup_does_not_run_after_it_was_put_back() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    let store = &office.world.app().unwrap().desk.store;
    let workspace = store.workspace().await.unwrap().unwrap();
    let restoration = Restoration {
        by: "olga".to_owned(),
        reason: "the disk of Monday broke".to_owned(),
        told: "I was put back.".to_owned(),
    };
    let restored = store.void_what_was_open(&workspace, restoration).await.unwrap();
    assert_eq!(restored.voided, Voided { requests: 1, runs: 1, ..Voided::default() });
    office.passes(Span::minutes(2)).await;
    office.presses("jonas", &card, "Approve").await;
    office.a_moment().await;
    assert_eq!(office.invoices_paid().await, 0);
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("I was put back.") && thread.contains("disk of Monday"), "{thread}");
    office.closes().await;
}

const KEYED: &str = "retry: keyed\n    keyed_for: 24h\n    show: [amount, currency, charge]";

fn probed(company: &str) -> String {
    format!(
        "retry: probe\n    probe:\n      http: {{ method: GET, url: \"{company}/receipts/{{{{ key }}}}\", \
         allow_private: [COMPANY] }}\n    show: [amount, currency, charge]"
    )
}

/// An office whose refunds can be asked about.
async fn opens_where_refunds_can_be_asked_about() -> Office {
    let mut office = Office::opens().await;
    let company = office.world.company_url().to_owned();
    let host = company.trim_start_matches("http://").to_owned();
    let probe = probed(&company).replace("COMPANY", &format!("\"{host}\""));
    office.world.crash_desk().await;
    office.world.edit_configuration(KEYED, &probe).unwrap();
    office.world.open_desk().await.unwrap();
    office
}

#[tokio::test]
async fn a_probed_call_is_asked_about_and_neither_repeated_nor_forgotten() {
    let mut office = opens_where_refunds_can_be_asked_about().await;
    power_fails_during_the_call(&mut office, "mia", REFUND, "jonas").await;
    assert_eq!(office.world.company.journal().await.unwrap().len(), 1, "called once");
    assert_eq!(office.refunds().await, 1);
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM executions WHERE state = 'succeeded'").await, 1);
    desk.close().await;
    office.closes().await;
}

#[tokio::test]
async fn a_call_that_changes_nothing_is_simply_repeated() {
    let mut office = Office::opens().await;
    office.world.company.suffer(Mishap::Silence);
    let asked = office.person("mia").writes_to_bot("look up order 1042");
    tokio::select! {
        settled = office.world.settle() => panic!("the call came back: {settled:?}"),
        () = office.world.company.falls_silent() => {}
    }
    office.loses_power().await;
    office.passes(Span::minutes(2)).await;
    assert!(office.thread("mia", &asked).contains("Acme Bakery"));
    office.closes().await;
}

/// A lost answer is not a failure: the retry class says what may follow.
#[tokio::test]
async fn an_answer_that_is_lost_never_leads_to_a_second_deletion() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", DELETION).await;
    office.world.company.suffer(Mishap::AnswerLost);
    office.approves("noor", &card).await;
    let told = office.thread("mia", &asked);
    assert!(told.contains("OUTCOME UNKNOWN") && told.contains("HTTP 502"), "{told}");
    office.passes(Span::minutes(5)).await;
    assert_eq!(office.world.company.journal().await.unwrap().len(), 1);
    office.closes().await;
}

/// Nor is it an end: half a minute later the target knows the key.
#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_under_the_same_key() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    office.world.company.suffer(Mishap::AnswerLost);
    office.approves("jonas", &card).await;
    let card = office.person("jonas").looks_at(&card.at).unwrap().text;
    assert!(card.contains("not known yet") && card.contains("HTTP 502"), "{card}");
    assert_eq!(office.world.company.journal().await.unwrap().len(), 1, "and nobody hurries");

    office.passes(Span::seconds(31)).await;
    let journal = office.world.company.journal().await.unwrap();
    assert_eq!(journal.len(), 2, "it was called again");
    assert_eq!(journal[0].key, journal[1].key, "with the same key");
    assert_eq!(office.refunds().await, 1, "and paid once");
    let told = office.thread("mia", &asked);
    assert!(told.contains("It ran and succeeded") && !told.contains("UNKNOWN"), "{told}");
    office.closes().await;
}

#[tokio::test]
async fn what_never_gets_an_answer_is_unknown_in_the_end_and_says_why() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    (0..5).for_each(|_| office.world.company.suffer(Mishap::AnswerLost));
    office.approves("jonas", &card).await;
    for _ in 0..6 {
        office.passes(Span::seconds(31)).await;
    }
    assert_eq!(office.world.company.journal().await.unwrap().len(), 5);
    assert_eq!(office.refunds().await, 1);
    let told = office.thread("mia", &asked);
    assert!(told.contains("OUTCOME UNKNOWN") && told.contains("HTTP 502"), "{told}");
    office.closes().await;
}

/// That the second call is refused says nothing of the first.
#[tokio::test]
async fn a_repetition_that_is_refused_does_not_say_that_nothing_happened() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    office.world.company.suffer(Mishap::AnswerLost);
    office.world.company.suffer(Mishap::Refused);
    office.approves("jonas", &card).await;
    office.passes(Span::seconds(31)).await;
    let told = office.thread("mia", &asked);
    assert!(!told.contains("certainly changed nothing"), "{told}");
    office.passes(Span::seconds(31)).await;
    assert_eq!(office.refunds().await, 1);
    let told = office.thread("mia", &asked);
    assert!(told.contains("It ran and succeeded"), "{told}");
    office.closes().await;
}

/// The target is asked what became of the call, and called again only if nothing did.
#[tokio::test]
async fn a_lost_answer_is_asked_about_and_a_lost_request_sent_again() {
    for mishap in [Mishap::AnswerLost, Mishap::RequestLost] {
        let office = opens_where_refunds_can_be_asked_about().await;
        let (asked, card) = office.asks("mia", REFUND).await;
        office.world.company.suffer(mishap);
        office.approves("jonas", &card).await;
        office.passes(Span::seconds(31)).await;
        let calls = office.world.company.journal().await.unwrap().len();
        assert_eq!(calls, 1, "{mishap:?}: it arrived once");
        assert_eq!(office.refunds().await, 1, "{mishap:?}");
        let told = office.thread("mia", &asked);
        assert!(told.contains("It ran and succeeded"), "{mishap:?}: {told}");
        office.closes().await;
    }
}

/// Nor does it where the target has said before that nothing had happened: it may have been late.
#[tokio::test]
async fn a_refusal_after_a_probe_does_not_say_that_nothing_happened() {
    let office = opens_where_refunds_can_be_asked_about().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    office.world.company.suffer(Mishap::RequestLost);
    office.approves("jonas", &card).await;
    // The books know of nothing, and then they take nothing.
    office.world.company.suffer(Mishap::Unknown);
    office.world.company.suffer(Mishap::Refused);
    office.passes(Span::seconds(31)).await;
    let told = office.thread("mia", &asked);
    assert!(!told.contains("certainly changed nothing"), "{told}");
    office.passes(Span::seconds(31)).await;
    let told = office.thread("mia", &asked);
    assert!(told.contains("It ran and succeeded"), "{told}");
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}

/// Whoever is asked may be away as well: they are asked again.
#[tokio::test]
async fn a_probe_without_an_answer_is_asked_once_more_and_not_for_ever() {
    for (unanswered, end) in [(1, "It ran and succeeded"), (4, "OUTCOME UNKNOWN")] {
        let office = opens_where_refunds_can_be_asked_about().await;
        let (asked, card) = office.asks("mia", REFUND).await;
        office.world.company.suffer(Mishap::AnswerLost);
        (0..unanswered).for_each(|_| office.world.company.suffer(Mishap::RequestLost));
        office.approves("jonas", &card).await;
        for _ in 0..unanswered {
            office.passes(Span::seconds(31)).await;
            let told = office.thread("mia", &asked);
            assert!(!told.contains("It ran and succeeded"), "nobody has said so: {told}");
        }
        office.passes(Span::seconds(31)).await;
        let told = office.thread("mia", &asked);
        assert!(told.contains(end), "after {unanswered}: {told}");
        assert_eq!(office.world.company.journal().await.unwrap().len(), 1, "called once");
        office.passes(Span::minutes(5)).await;
        assert!(office.thread("mia", &asked).contains(end), "and so it stays");
        office.closes().await;
    }
}

#[tokio::test]
async fn a_refusal_by_the_target_is_told_as_a_failure_that_changed_nothing() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.world.company.suffer(Mishap::Refused);
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 0);
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("certainly changed nothing"), "{thread}");
    assert!(thread.contains("the books are closed today"), "{thread}");
    office.closes().await;
}
