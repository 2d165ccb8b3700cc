//! I1: nothing starts without an approval of exactly these bytes, by the right people, in time.

use countersign::base::Span;

use crate::office::{DELETION, INVOICE, Office, REFUND};

#[tokio::test]
async fn an_approved_refund_is_paid_as_the_card_showed_it() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    assert!(card.text.contains("amount = 640"), "{}", card.text);
    assert!(office.thread("mia", &asked).contains("waits for"), "the requester knows who has it");
    assert_eq!(office.refunds().await, 0, "nothing runs before the approval");

    assert_eq!(office.approves("jonas", &card).await, Vec::<String>::new());

    assert_eq!(office.refunds().await, 1);
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("Approved by") && thread.contains("succeeded"), "{thread}");
    office.closes().await;
}

#[tokio::test]
async fn a_rejected_refund_is_not_paid_and_its_requester_reads_why() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    office.rejects("jonas", &card).await;
    assert_eq!(office.refunds().await, 0);
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("Rejected by") && thread.contains("looked at it"), "{thread}");
    office.closes().await;
}

/// Each row changes one thing between the approval and the start.
#[tokio::test]
async fn whatever_changes_after_the_approval_stops_the_start() {
    let table = [
        ("the arguments", "UPDATE executions SET envelope = replace(envelope, '640', '641')"),
        ("the digest", "UPDATE executions SET digest = '00' || substr(digest, 3)"),
        ("what was approved", "UPDATE requests SET envelope = replace(envelope, '640', '641')"),
        ("the time to start", "UPDATE executions SET start_by = 0"),
        (
            "the decision",
            "UPDATE requests SET decision = replace(decision, 'approved', 'rejected')",
        ),
    ];
    for (what, change) in table {
        let office = Office::opens().await;
        let (_, card) = office.asks("mia", REFUND).await;
        office.presses("jonas", &card, "Approve").await;
        let desk = office.database().await;
        let changed = sqlx::query(change).execute(&desk).await.unwrap();
        assert_eq!(changed.rows_affected(), 1, "{what}: the approved refund waits for its start");
        desk.close().await;

        // Whether the desk refuses it or stumbles over damaged rows, nothing may run.
        let _ = office.world.pass(Span::seconds(30)).await;

        assert_eq!(office.refunds().await, 0, "{what} changed after the approval");
    }
}

#[tokio::test]
async fn an_approval_that_is_too_old_starts_nothing() {
    let mut office = Office::opens().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    office.presses("jonas", &card, "Approve").await;
    office.world.crash_desk().await;
    office.clock.turn_forward(Span::minutes(11));
    office.world.open_desk().await.unwrap();
    office.a_moment().await;
    assert_eq!(office.refunds().await, 0);
    assert!(office.thread("mia", &asked).contains("not started"), "the requester is told");
    office.closes().await;
}

/// F7 and F5: the approval was good under yesterday's configuration.
#[tokio::test]
async fn a_stricter_policy_or_another_tool_stops_what_was_approved_before() {
    let table = [
        ("a stricter rule", "approvers: finance, in: approvals", "approvers: dba, in: approvals"),
        ("a rule that forbids", "when: args.amount <= 50\n    allow: true", "deny: not today"),
        ("another tool", "Refund a charge to the customer", "Refund a charge, differently"),
    ];
    for (what, text, instead) in table {
        let mut office = Office::opens().await;
        let (asked, card) = office.asks("mia", REFUND).await;
        office.presses("jonas", &card, "Approve").await;
        office.world.crash_desk().await;
        office.world.edit_configuration(text, instead).unwrap();
        office.world.open_desk().await.unwrap();
        office.a_moment().await;
        assert_eq!(office.refunds().await, 0, "{what}");
        assert!(office.thread("mia", &asked).contains("not started"), "{what}");
        office.closes().await;
    }
}

#[tokio::test]
async fn a_request_is_bound_to_its_own_arguments() {
    let office = Office::opens().await;
    let (_, first) = office.asks("mia", "refund ch_1 100.00 EUR").await;
    let (_, second) = office.asks("mia", "refund ch_2 200.00 EUR").await;
    office.rejects("jonas", &first).await;
    office.approves("jonas", &second).await;
    assert_eq!(office.refunds().await, 1);
    let journal = office.world.company.journal().await.unwrap();
    assert!(journal[0].body.contains("ch_2"), "{journal:?}");
    office.closes().await;
}

#[tokio::test]
async fn three_actions_three_tools_each_its_own_approval() {
    let office = Office::opens().await;
    let (_, deletion) = office.asks("mia", DELETION).await;
    let (_, invoice) = office.asks("lena", INVOICE).await;
    let before = office.world.company.sessions().await.unwrap();
    office.approves("noor", &deletion).await;
    office.approves("jonas", &invoice).await;
    assert_eq!(before - office.world.company.sessions().await.unwrap(), 18_412);
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}
