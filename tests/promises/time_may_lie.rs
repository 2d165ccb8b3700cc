//! I20: a clock that is set back revives nothing.

use countersign::base::Span;

use crate::office::{INVOICE, Office};

#[tokio::test]
async fn a_clock_that_is_set_back_revives_no_request() {
    let mut office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(300)).await;
    assert!(office.thread("mia", &asked).contains("expired"));
    office.clock.turn_back(Span::minutes(299));
    for _ in 0..2 {
        let told = office.presses("jonas", &card, "Approve").await.join("\n");
        assert!(told.contains("expired"), "{told}");
        office.passes(Span::seconds(10)).await;
        assert_eq!(office.invoices_paid().await, 0);
        office.loses_power().await;
    }
    office.closes().await;
}
