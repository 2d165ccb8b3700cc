//! I24: after the stop switch commits, nothing starts.

use crate::office::{INVOICE, Office};

#[tokio::test]
async fn nothing_starts_while_the_switch_is_thrown() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    let desk = office.world.app().unwrap().desk.clone();
    desk.store.stop(&desk.workspace, "sam", "something is odd").await.unwrap();
    let status = office.person("sam").runs("/countersign", "status").await;
    assert!(status.contains("something is odd"), "{status}");
    assert!(status.contains("Waiting for a decision: 1."), "{status}");

    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 0);
    assert!(office.thread("mia", &asked).contains("the stop switch is on"));

    desk.store.start(&desk.workspace, "sam", "all is well").await.unwrap();
    office.a_moment().await;
    assert_eq!(office.invoices_paid().await, 0, "what was refused stays refused");
    let (_, again) = office.asks("mia", INVOICE).await;
    office.approves("jonas", &again).await;
    assert_eq!(office.invoices_paid().await, 1);
    let status = office.person("sam").runs("/countersign", "status").await;
    assert!(status.contains("Waiting for a decision: 0."), "{status}");
    office.closes().await;
}
