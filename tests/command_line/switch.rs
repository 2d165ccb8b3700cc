//! `stop` and `start`: what was approved does not start while the switch is on.

use crate::bench::Desk;
use crate::readable::readable;

#[tokio::test]
async fn what_is_approved_while_stopped_does_not_start() {
    let desk = Desk::open().await;
    let stopped = desk.runs(&["stop", "--reason", "looking at the ledger"]).await;
    insta::assert_snapshot!("stop", stopped.shown());
    let asked = desk.writes("mia", "pay invoice V-7719").await;
    desk.decides("jonas", "Approve", "").await;
    let reply = desk.replies("mia", &asked);
    insta::assert_snapshot!("stop_reply", readable(&reply));
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 0);
    let listed = desk.runs(&["requests", "list", "--all"]).await;
    assert!(listed.out.contains("approved, not started"), "{}", listed.out);

    let started = desk.runs(&["start", "--reason", "the ledger is fine", "--by", "sam"]).await;
    insta::assert_snapshot!("start", started.shown());
    desk.settles().await;
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 0, "a refusal stays one");
    desk.writes("mia", "pay invoice V-7719").await;
    desk.decides("jonas", "Approve", "").await;
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 1);
    assert_eq!(desk.runs(&["verify"]).await.code, 0);
}
