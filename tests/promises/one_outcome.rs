//! I2 and I10: one request, one outcome, whoever presses what at the same time, and it stays.

use countersign::base::Span;
use futures::future::join_all;

use crate::office::{INVOICE, Office, REFUND};
use crate::reckoning::count;

/// Jonas and Lena press both buttons of the same card 64 times at once, on copies of what they saw.
#[tokio::test]
async fn sixty_four_presses_at_once_leave_one_outcome() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    let presses = (0..64).map(|nth| {
        let (who, card, office) = (["jonas", "lena"][nth % 2], &card, &office);
        let label = if nth % 4 < 2 { "Approve" } else { "Reject…" };
        async move { office.person(who).clicks(card, label).await }
    });
    let clicked = join_all(presses).await;
    assert!(clicked.iter().all(|clicked| clicked.status == 200));
    office.a_moment().await;

    let desk = office.database().await;
    let ends = count(
        &desk,
        "SELECT count(*) FROM audit WHERE kind LIKE 'request.%ed'
                             AND kind NOT IN ('request.opened', 'request.escalated')",
    )
    .await;
    assert_eq!(ends, 1, "one end");
    assert_eq!(count(&desk, "SELECT count(*) FROM votes").await, 1, "one vote");
    assert_eq!(office.invoices_paid().await, 1, "one payment");
    desk.close().await;
    office.closes().await;
}

#[tokio::test]
async fn who_comes_second_is_told_who_decided_and_nothing_changes() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.rejects("jonas", &card).await;
    let told = office.approves("lena", &card).await.join(" ");
    assert!(told.contains("Already rejected by") && told.contains("Jonas"), "{told}");
    assert_eq!(office.refunds().await, 0, "a no is final");
    office.closes().await;
}

#[tokio::test]
async fn an_expired_request_stays_expired_and_is_not_called_rejected() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(61)).await;
    assert!(office.thread("mia", &asked).contains("Expired"), "{}", office.thread("mia", &asked));
    assert!(!office.thread("mia", &asked).contains("Rejected"));
    let told = office.approves("jonas", &card).await.join(" ");
    assert!(told.contains("expired"), "{told}");
    assert_eq!(office.invoices_paid().await, 0);
    office.closes().await;
}

/// The deadline counts, not when its timer fires: the desk was down when it passed.
#[tokio::test]
async fn after_the_deadline_an_approval_comes_too_late_even_before_its_timer_fires() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.clock.turn_forward(Span::minutes(61));
    let told = office.presses("jonas", &card, "Approve").await.join(" ");
    assert!(told.contains("Too late"), "{told}");
    office.a_moment().await;
    assert_eq!(office.invoices_paid().await, 0);
    office.closes().await;
}

#[tokio::test]
async fn a_withdrawn_request_cannot_be_approved() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    let status = office.person("mia").sees_in_thread(&asked);
    let status = status.into_iter().find(|message| !message.buttons.is_empty()).unwrap();
    assert_eq!(office.presses("mia", &status, "Withdraw").await, Vec::<String>::new());
    office.a_moment().await;
    let told = office.approves("jonas", &card).await.join(" ");
    assert!(told.contains("Already withdrawn by"), "{told}");
    assert_eq!(office.invoices_paid().await, 0);
    office.closes().await;
}

#[tokio::test]
async fn only_the_requester_can_withdraw() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    let status = office.person("mia").sees_in_thread(&asked);
    let status = status.into_iter().find(|message| !message.buttons.is_empty()).unwrap();
    let told = office.presses("jonas", &status, "Withdraw").await.join(" ");
    assert!(told.contains("Only the person who asked"), "{told}");
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}
