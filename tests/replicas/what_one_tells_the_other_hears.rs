//! Who is connected to one replica hears at once what happens on another.

use std::time::Duration;

use countersign::base::{RunId, Span};
use countersign::work::{Loop, Runs, one_turn};

use crate::pair::Pair;

/// Less than the interval at which anybody would look by themselves.
const AT_ONCE: Duration = Duration::from_millis(400);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_run_at_one_desk_is_followed_at_the_other() {
    let pair = Pair::opens_with(&[]).await;
    let [one, other] = pair.desks();
    pair.world.slack.person("mia").writes_to_bot("look up order 1042");
    pair.world.slack.deliver_due().await;
    let desk = pair.database().await;
    let run: String = sqlx::query_scalar("SELECT id FROM runs").fetch_one(&desk).await.unwrap();
    desk.close().await;
    let run = RunId::existing(run);
    let mut listener = other.store.listen(&run);
    // The ears of both have to be open first.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let hearing = tokio::spawn(async move {
        // Nothing by way of news means: the log has it.
        tokio::time::timeout(AT_ONCE, listener.next()).await.map(|news| news.is_none())
    });
    one_turn(&Runs::new(one), 1).await.unwrap();
    assert_eq!(hearing.await.unwrap(), Ok(true), "the other desk was told");
    assert!(!other.store.events_after(&run, 0).await.unwrap().is_empty(), "and finds it");
    pair.both_work().await;
    pair.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn without_any_hint_a_follower_looks_within_a_second() {
    let pair = Pair::opens_with(&[]).await;
    let [_, other] = pair.desks();
    let mut listener = other.store.listen(&RunId::existing("run_of_somebody"));
    let looking = tokio::time::timeout(Duration::from_secs(2), listener.next()).await;
    assert!(matches!(looking, Ok(None)), "it waits for news that may never come");
    pair.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn bells_ring_at_the_other_desk_and_do_not_echo() {
    let pair = Pair::opens_with(&[]).await;
    let [one, other] = pair.desks();
    let mut heard = other.store.hints().unwrap();
    let mut echo = one.store.hints().unwrap();
    let ears = [one.wake.clone(), other.wake.clone()];
    let ears = ears.map(|wake| tokio::spawn(async move { wake.hear_others().await }));
    tokio::time::sleep(Duration::from_millis(300)).await;
    while heard.try_recv().is_ok() || echo.try_recv().is_ok() {}
    one.wake.these(&[Loop::Executions]);
    let hint = tokio::time::timeout(AT_ONCE, heard.recv()).await.unwrap().unwrap();
    assert_eq!(hint, countersign::store::Hint::At("executions".to_owned()));
    assert!(tokio::time::timeout(AT_ONCE, echo.recv()).await.is_err(), "it came back");
    ears.iter().for_each(|ear| ear.abort());
    pair.clock.turn_forward(Span::seconds(1));
    pair.closes().await;
}
