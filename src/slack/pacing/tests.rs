use serde_json::json;

use super::*;
use crate::base::TurnableClock;
use crate::slack::client::fake::FakeSlack;
use crate::slack::client::{SlackApi, SlackError};

const START: Timestamp = Timestamp::from_millis(1_789_380_000_000);

fn own_pace() -> Arc<OwnPace> {
    Arc::new(OwnPace::new(Arc::new(TurnableClock::standing_at(START))))
}

#[test]
fn a_method_never_runs_far_over_its_tier() {
    for (method, a_minute) in
        [(Method::UsergroupsUsersList, 20), (Method::ChatUpdate, 50), (Method::UsersInfo, 100)]
    {
        let mut paces = Paces::default();
        let admitted = |paces: &mut Paces, from: i64| {
            let at = |tenth: i64| Timestamp::from_millis(START.as_millis() + tenth * 100);
            (from..from + 600)
                .filter(|tenth| paces.take(&slots(method, None), Haste::InTurn, at(*tenth)).is_ok())
                .count()
        };
        let first = admitted(&mut paces, 0);
        let second = admitted(&mut paces, 600);
        assert!(first <= a_minute * 3 / 2, "{method:?}: {first} in the first minute");
        assert_eq!(second, a_minute, "{method:?} in the second minute");
    }
}

#[test]
fn only_posts_count_by_their_channel() {
    let taken = |method, channel| -> Vec<String> {
        slots(method, channel).into_iter().map(|slot| slot.what).collect()
    };
    assert_eq!(taken(Method::ChatPostMessage, Some("C1")), ["C1", "chat.postMessage"]);
    assert_eq!(taken(Method::ChatPostMessage, None), ["chat.postMessage"]);
    assert_eq!(taken(Method::ChatUpdate, Some("C1")), ["chat.update"]);
}

#[tokio::test]
async fn after_a_429_the_method_waits_without_asking_again() {
    let wait = Span::seconds(30);
    let busy = FakeSlack::answering(move |method, _| match method {
        Method::ChatUpdate => Err(SlackError::RateLimited { retry_after: wait }),
        _ => Ok(json!({})),
    });
    let slack = PacedSlack::new(busy.clone(), own_pace());
    let call = |method| slack.call(method, json!({}));
    let error = call(Method::ChatUpdate).await.unwrap_err();
    assert_eq!(error, SlackError::RateLimited { retry_after: wait });
    let error = call(Method::ChatUpdate).await.unwrap_err();
    assert_eq!(error, SlackError::Paced { until: START.plus(wait) });
    call(Method::UsersInfo).await.unwrap();
    assert_eq!(busy.calls().len(), 2, "the paced call never reached Slack");
}

/// Nobody can be asked for a slot: the database is gone.
struct Nobody;

impl Pacer for Nobody {
    fn take(&self, _: Vec<Slot>, _: Haste) -> BoxFuture<'_, Result<(), NotNow>> {
        std::future::ready(Err(NotNow::Unknown("gone".to_owned()))).boxed()
    }

    fn hold(&self, _: &'static str, _: Span) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }
}

#[tokio::test]
async fn what_a_person_waits_for_does_not_wait_for_its_slot() {
    let quick = FakeSlack::answering(|_, _| Ok(json!({})));
    let slack = PacedSlack::new(quick.clone(), Arc::new(Nobody));
    slack.call(Method::UsersInfo, json!({})).await.unwrap();
    let error = slack.call(Method::ChatPostMessage, json!({"channel": "C1"})).await.unwrap_err();
    assert_eq!(error, SlackError::NotDone { why: "gone".to_owned() });
    assert_eq!(quick.calls().len(), 1);
}

#[tokio::test]
async fn what_has_time_leaves_room_for_what_a_person_waits_for() {
    let quick = FakeSlack::answering(|_, _| Ok(json!({})));
    let pace = own_pace();
    let in_turn = PacedSlack::in_turn(quick.clone(), pace.clone());
    let clicks = PacedSlack::new(quick.clone(), pace);
    let mut asked = 0;
    while in_turn.call(Method::UsersInfo, json!({})).await.is_ok() {
        asked += 1;
    }
    assert_eq!(asked, 50);
    for _ in 0..50 {
        clicks.call(Method::UsersInfo, json!({})).await.unwrap();
    }
    assert_eq!(quick.calls().len(), 100);
}
