//! A replica that stood still while another took over can write nothing and begin nothing.

use std::sync::{Arc, Mutex};

use countersign::base::{RandomIds, Span, TurnableClock};
use countersign::desk::Desk;
use countersign::sandbox::{Fault, Passed};
use countersign::slack::client::{Answer, Method, ResponseUrl, SlackApi, SlackError};
use countersign::store::{
    Ended, Owed, OwedPace, ShownAt, StartCheck, StartRefused, StoreError, Turnstile,
};
use countersign::stream::RunEvent;
use countersign::work::{Deliveries, Executions, Runs, Work, one_turn};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::pair::Pair;

const LEASE: Span = Span::seconds(30);
const LOOKUP: &str = "look up order 1042";
/// Nobody has to approve it.
const SMALL_REFUND: &str = "refund ch_7 20.00 EUR, charged twice";

fn fenced<T>(answer: Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Fenced))
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_run_that_another_took_over_takes_nothing_from_its_old_owner() {
    let pair = Pair::opens_with(&[]).await;
    pair.world.slack.person("mia").writes_to_bot(LOOKUP);
    pair.world.slack.deliver_due().await;
    let [paused, other] = pair.stores();
    let known = pair.desks()[0].definitions();
    let run = paused.claim_runs("paused", LEASE, 1, &known).await.unwrap().remove(0);
    assert_eq!(other.claim_runs("other", LEASE, 1, &known).await.unwrap().len(), 0, "it is held");

    pair.clock.turn_forward(Span::seconds(31));
    assert_eq!(one_turn(&Runs::new(pair.desks()[1].clone()), 1).await.unwrap(), 1, "taken over");
    let text = "a node that only the paused one knows".to_owned();
    let said = vec![RunEvent::NodeStart { node: text.clone() }];
    assert!(fenced(paused.tell(&run.id, run.epoch, said).await));
    assert!(fenced(paused.renew_run(&run.id, run.epoch, LEASE).await));
    pair.both_work().await;
    let told = other.events_after(&run.id, 0).await.unwrap();
    assert!(!format!("{told:?}").contains(&text));
    pair.closes().await;
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_call_that_another_took_over_cannot_begin_and_has_one_end() {
    let pair = Pair::opens_with(&[]).await;
    pair.world.slack.person("mia").writes_to_bot(LOOKUP);
    pair.world.slack.deliver_due().await;
    let [paused, other] = pair.stores();
    let desks = pair.desks();
    assert_eq!(one_turn(&Runs::new(desks[0].clone()), 1).await.unwrap(), 1);
    let window = |_: &_| Span::ZERO;
    let claimed = paused.claim_executions("paused", LEASE, 1, window).await.unwrap().remove(0);

    pair.clock.turn_forward(Span::seconds(31));
    let taken = other.claim_executions("other", LEASE, 1, window).await.unwrap().remove(0);
    assert_eq!(taken.id, claimed.id);
    let fine = |_: &_, _: Option<&_>| StartCheck { policy_still_holds: true, tool_unchanged: true };
    let begun = paused.start_execution(&claimed, LEASE, fine).await;
    assert!(matches!(begun, Err(StartRefused::Refused(_))), "{:?}", begun.map(drop));
    other.start_execution(&taken, LEASE, fine).await.unwrap();
    let late = Ended::Succeeded { content: "from the paused one".to_owned() };
    assert!(fenced(paused.finish_execution(&claimed, LEASE, late).await));
    // Postgres takes no NUL, and a tool may send one.
    let ended = Ended::Succeeded { content: "done\0".to_owned() };
    other.finish_execution(&taken, LEASE, ended).await.unwrap();
    assert_eq!(pair.world.company.journal().await.unwrap().len(), 0, "nobody called by itself");
    pair.both_work().await;
    pair.closes().await;
}

/// Stands still right behind the commit of a start, until another desk has taken over.
struct StandsStill {
    clock: Arc<TurnableClock>,
    other: Arc<Desk>,
}

impl Turnstile for StandsStill {
    fn before(&self) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn after(&self) -> BoxFuture<'static, Result<(), StoreError>> {
        let (clock, other) = (self.clock.clone(), self.other.clone());
        Box::pin(async move {
            if !other.store.executions_under_way(&other.workspace).await?.is_empty() {
                clock.turn_forward(Span::seconds(31));
                one_turn(&Executions::new(other), 1).await?;
            }
            Ok(())
        })
    }
}

/// Its start is committed, and nothing tells it that it stood still since.
#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn whoever_stood_still_between_the_start_and_the_call_does_not_call() {
    let pair = Pair::opens_with(&[]).await;
    pair.world.slack.person("mia").writes_to_bot(SMALL_REFUND);
    pair.world.slack.deliver_due().await;
    let [first, other] = pair.desks();
    assert_eq!(one_turn(&Runs::new(first), 1).await.unwrap(), 1);
    let still = Arc::new(StandsStill { clock: pair.clock.clone(), other });
    let paused = Executions::new(pair.third_behind(still).await);
    assert_eq!(one_turn(&paused, 1).await.unwrap(), 1);
    let journal = pair.world.company.journal().await.unwrap();
    assert_eq!(journal.len(), 1, "only the other one called: {journal:#?}");
    pair.both_work().await;
    pair.closes().await;
}

/// A claim says that what it holds is about to be posted; whoever then stands still asks again.
#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn what_stood_still_between_its_claim_and_its_post_is_posted_once() {
    let pair = Pair::opens_with(&[]).await;
    pair.asks("mia", "pay invoice V-7719").await;
    let [paused, other] = pair.desks().map(Deliveries::new);
    let held = paused.claim(9).await.unwrap();
    assert!(!held.is_empty());

    pair.clock.turn_forward(Span::seconds(31));
    assert_eq!(one_turn(&other, 9).await.unwrap(), held.len(), "all are taken over");
    let is_a_post = |passed: &Passed| passed.what == "chat.postMessage";
    let posted = || pair.world.slack.journal().into_iter().filter(is_a_post).count();
    let by_the_other = posted();
    assert!(by_the_other > 0);
    for held in held {
        paused.work(held).await.unwrap();
    }
    assert_eq!(posted(), by_the_other, "nothing is posted twice");
    pair.world.settle().await.unwrap();
    pair.closes().await;
}

/// A second try looks first, and whoever stands still behind that asks again too.
#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn what_stood_still_between_its_look_and_its_post_is_posted_once() {
    let pair = Pair::opens_with(&[]).await;
    pair.world.slack.next_calls("chat.postMessage", [Fault::ServerError, Fault::ServerError]);
    pair.asks("mia", "pay invoice V-7719").await;
    let [one, other] = pair.desks();
    let tried = one_turn(&Deliveries::new(one.clone()), 9).await.unwrap();
    assert_eq!(tried, 2, "the card and the line, and nobody knows what became of them");
    pair.clock.turn_forward(Span::seconds(20));

    let slack = Arc::new(LooksAndStandsStill {
        slack: one.slack.clone(),
        clock: pair.clock.clone(),
        other: Deliveries::new(other),
        took_over: Mutex::default(),
    });
    let (store, config) = (one.store.clone(), pair.world.config().unwrap());
    let ids = Arc::new(RandomIds);
    let paused =
        Desk::open_on(store, config, slack.clone(), pair.clock.clone(), ids).await.unwrap();
    one_turn(&Deliveries::new(Arc::new(paused)), 9).await.unwrap();
    assert!(*slack.took_over.lock().unwrap() >= Some(1), "the card at least");
    let is_a_post = |passed: &Passed| passed.what == "chat.postMessage";
    let posts = pair.world.slack.journal().into_iter().filter(is_a_post).count();
    assert_eq!(posts, 2, "the card and the line, each once");
    pair.world.settle().await.unwrap();
    pair.closes().await;
}

/// A way to Slack on which its owner stands still, once, behind a look at a channel, until another has
/// taken over.
struct LooksAndStandsStill {
    slack: Arc<dyn SlackApi>,
    clock: Arc<TurnableClock>,
    other: Deliveries,
    took_over: Mutex<Option<usize>>,
}

impl SlackApi for LooksAndStandsStill {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        async move {
            let seen = self.slack.call(method, arguments).await;
            if method == Method::ConversationsHistory && self.took_over.lock().unwrap().is_none() {
                self.clock.turn_forward(Span::seconds(31));
                let count = one_turn(&self.other, 9).await.unwrap();
                *self.took_over.lock().unwrap() = Some(count);
            }
            seen
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

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_card_that_another_took_over_is_not_posted_by_its_old_owner() {
    let pair = Pair::opens_with(&[]).await;
    pair.asks("mia", "pay invoice V-7719").await;
    let [paused, other] = pair.stores();
    let pace = || OwedPace::any(pair.desks()[0].workspace.clone());
    let owed = paused.claim_owed("paused", LEASE, 9, pace()).await.unwrap().owed;
    assert!(!owed.is_empty());
    let held = other.claim_owed("other", LEASE, 9, pace()).await.unwrap().owed;
    assert_eq!(held.len(), 0, "all are held");

    pair.clock.turn_forward(Span::seconds(31));
    one_turn(&Deliveries::new(pair.desks()[1].clone()), 9).await.unwrap();
    let somewhere = || ShownAt { channel: "C1".to_owned(), message_ts: "1.0".to_owned() };
    for owed in owed {
        match owed {
            Owed::Card(card) => {
                assert!(fenced(paused.card_begins(&card.id, card.epoch, LEASE).await))
            }
            Owed::Notice(notice) => {
                assert!(fenced(paused.notice_begins(&notice.id, notice.epoch, LEASE).await));
                let sent = paused.notice_sent(&notice.id, notice.epoch, somewhere()).await;
                assert!(fenced(sent));
            }
            Owed::PutOff => panic!("nothing was too early"),
        }
    }
    pair.world.settle().await.unwrap();
    pair.closes().await;
}
