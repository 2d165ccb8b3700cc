//! I12: a desk that stood still while it changed a card has lost it, and puts an older state on it. When
//! it notices, the card is shown again, also when it cannot write down what it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::base::{RandomIds, Span};
use countersign::desk::Desk;
use countersign::slack::client::{Answer, Method, ResponseUrl, SlackApi, SlackError};
use countersign::store::{StoreError, Turnstile};
use countersign::work::{Deliveries, one_turn};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::Notify;

use crate::office::{INVOICE, Office};

/// The way to Slack of somebody who stands still whenever they are about to change a card.
struct SlowWay {
    slack: Arc<dyn SlackApi>,
    channel: String,
    stands: Notify,
    goes_on: Notify,
}

impl SlackApi for SlowWay {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        async move {
            if method == Method::ChatUpdate && arguments["channel"] == self.channel.as_str() {
                self.stands.notify_one();
                self.goes_on.notified().await;
            }
            self.slack.call(method, arguments).await
        }
        .boxed()
    }

    fn respond<'a>(
        &'a self,
        url: &'a ResponseUrl,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        self.slack.respond(url, body)
    }
}

/// The way to a disk that will be full for so many transactions.
#[derive(Default)]
struct FullDisk(AtomicUsize);

impl Turnstile for FullDisk {
    fn before(&self) -> BoxFuture<'static, Result<(), StoreError>> {
        let left = |left: usize| left.checked_sub(1);
        let full = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok();
        std::future::ready(if full { Err(StoreError::Full) } else { Ok(()) }).boxed()
    }

    fn after(&self) -> BoxFuture<'static, Result<(), StoreError>> {
        std::future::ready(Ok(())).boxed()
    }
}

/// One of two finance people has approved, and whoever is about to show it stands still past their
/// lease. The other one approves, the invoice is paid and the card says so; then the late change
/// arrives, and this many transactions of who made it meet a full disk.
async fn a_late_change_is_put_right(refused: usize) {
    let quorum = "approvers: finance, in: approvals, within: 30m, remind: [10m, 25m]";
    let two = quorum.replace("within", "quorum: 2, within");
    let managers = "approvers: managers, in: managers, within: 30m, remind: [20m]";
    let two_managers = managers.replace("within", "quorum: 2, within");
    let office = Office::opens_with(&[(quorum, &two), (managers, &two_managers)]).await;
    let (_, card) = office.asks("mia", INVOICE).await;

    let first = &office.world.app().unwrap().desk;
    let way = Arc::new(SlowWay {
        slack: first.slack.clone(),
        channel: card.at.channel.clone(),
        stands: Notify::new(),
        goes_on: Notify::new(),
    });
    let disk = Arc::new(FullDisk::default());
    let (store, config) = (first.store.behind(disk.clone()), office.world.config().unwrap());
    let (clock, ids) = (office.clock.clone(), Arc::new(RandomIds));
    let second = Desk::open_on(store, config, way.clone(), clock, ids).await.unwrap();

    office.presses("jonas", &card, "Approve").await;
    let late = tokio::spawn(async move { one_turn(&Deliveries::new(Arc::new(second)), 9).await });
    way.stands.notified().await;
    office.passes(Span::seconds(31)).await;
    office.approves("lena", &card).await;
    let shown = || office.person("jonas").looks_at(&card.at).unwrap().text;
    assert!(shown().contains("Approved and done"), "{}", shown());

    disk.0.store(refused, Ordering::SeqCst);
    way.goes_on.notify_one();
    let _ = late.await.unwrap();
    assert!(!shown().contains("Approved and done"), "the late change shows what was: {}", shown());
    office.passes(Span::minutes(1)).await;
    assert!(shown().contains("Approved and done"), "{}", shown());
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_card_that_was_changed_after_its_lease_is_shown_again() {
    a_late_change_is_put_right(0).await;
}

#[tokio::test]
async fn so_is_one_whose_late_change_could_not_be_written_down() {
    a_late_change_is_put_right(1).await;
}
