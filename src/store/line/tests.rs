//! What becomes of a write when the server, or the process that writes, fails in the middle of it.
//!
//! They need a server: `scripts/test` starts one and names it in `COUNTERSIGN_TEST_POSTGRES`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use sqlx::Executor;

use crate::base::{Clock, Instants, RandomIds, Span, SystemClock, Timestamp, WorkspaceId};
use crate::store::{Rehearsal, Store, StoreError, SwitchPosition};

const NEEDS: &str = "COUNTERSIGN_TEST_POSTGRES names a server";

async fn rehearsal() -> Rehearsal {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").expect(NEEDS);
    Rehearsal::on(&server, &RandomIds).await.expect("a database")
}

async fn store(on: &Rehearsal) -> Store {
    Store::open(&on.url(), Arc::new(SystemClock), Arc::new(RandomIds)).await.expect("a store")
}

fn acme() -> WorkspaceId {
    WorkspaceId::existing("T1")
}

/// Whether the stop switch of Acme was ever turned.
async fn turned(store: &Store) -> bool {
    let switch = store.switch(&acme()).await.expect("it can be read");
    switch.is_some_and(|switch| switch.position == SwitchPosition::Stopped)
}

/// Turns the switch and then says something to the server, in one transaction.
async fn turn_and_say(store: &Store, words: &'static str) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let turn = "INSERT INTO switches (workspace, stopped, by_whom, reason, changed_at)
                            VALUES ('T1', 1, 'a test', 'why not', 0)";
                tx.conn.execute(turn).await?;
                tx.conn.execute(words).await?;
                Ok(())
            })
        })
        .await
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_server_that_takes_too_long_has_written_nothing_and_may_be_asked_again() {
    let on = rehearsal().await;
    let store = store(&on).await;
    let slow = "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(60)";
    let busy = turn_and_say(&store, slow).await;
    assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
    assert!(!turned(&store).await);
    turn_and_say(&store, "SELECT 1").await.expect("the next one is not in its way");
    assert!(turned(&store).await);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_server_that_goes_away_before_the_commit_has_written_nothing_and_is_found_again() {
    let on = rehearsal().await;
    let store = store(&on).await;
    let gone = turn_and_say(&store, "SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert!(matches!(gone, Err(StoreError::Lost(_))), "{gone:?}");
    assert!(!turned(&store).await);
    turn_and_say(&store, "SELECT 1").await.expect("the next one finds the way");
    assert!(turned(&store).await);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_server_that_goes_away_while_it_commits_leaves_nobody_with_a_yes() {
    let on = rehearsal().await;
    let store = store(&on).await;
    let trap = "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER trap AFTER INSERT ON switches
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trap()";
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.conn.execute(sqlx::raw_sql(trap)).await?;
                Ok(())
            })
        })
        .await
        .expect("the trap is set");
    let gone = turn_and_say(&store, "SELECT 1").await;
    assert!(matches!(gone, Err(StoreError::Unknown)), "{gone:?}");
    store.healthy().await.expect("and it goes on");
    store.close().await;
}

/// A long way to the server makes a batch long: others have their turn in between, and it never
/// takes so long that we take the server for gone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn whoever_has_much_to_write_on_a_slow_way_lets_others_have_their_turn() {
    let on = rehearsal().await;
    let (busy, other) = (store(&on).await, store(&on).await);
    let slowly = |_| {
        busy.write(|tx| {
            Box::pin(async move {
                tx.conn.execute("SELECT pg_sleep(0.6)").await?;
                Ok(())
            })
        })
    };
    let writes = async { join_all((0..5).map(slowly)).await };
    let between = turn_and_say(&other, "SELECT 1");
    let (much, little) = (pin!(writes), pin!(between));
    match select(much, little).await {
        Either::Right((done, much)) => {
            done.expect("it has its turn");
            assert!(much.await.iter().all(Result::is_ok), "and nothing of the rest is lost");
        }
        Either::Left(_) => panic!("the other one had to wait for all of it"),
    }
    busy.close().await;
    other.close().await;
}

/// On Postgres a statement that fails takes its transaction with it, and the commit after it would
/// say nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_job_that_overlooks_an_error_is_not_told_that_it_was_written() {
    let on = rehearsal().await;
    let store = store(&on).await;
    let overlooked = store
        .write(|tx| {
            Box::pin(async move {
                let _ = tx.conn.execute("SELECT 1 / 0").await;
                Ok(())
            })
        })
        .await;
    assert!(matches!(overlooked, Err(StoreError::Database(_))), "{overlooked:?}");
    store.healthy().await.expect("and it goes on");
    store.close().await;
}

/// A process that is stopped in the middle of its turn must hold up nobody for long, and what it
/// still sends when it wakes must not count.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn who_falls_silent_in_the_middle_of_a_turn_loses_it() {
    let on = rehearsal().await;
    let (sleeper, other) = (store(&on).await, store(&on).await);
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let asleep = tokio::spawn({
        let sleeper = sleeper.clone();
        async move {
            sleeper
                .write(move |tx| {
                    Box::pin(async move {
                        let _ = begun.send(());
                        // As SIGSTOP would: the whole thread that writes stands still.
                        std::thread::sleep(Duration::from_secs(6));
                        let turn = "INSERT INTO switches VALUES ('T1', 1, 'the sleeper', '', 0)";
                        tx.conn.execute(turn).await?;
                        Ok(())
                    })
                })
                .await
        }
    });
    has_begun.await.expect("it begins");
    let waited = tokio::time::timeout(Duration::from_secs(5), other.healthy()).await;
    waited.expect("the turn passes on within five seconds").expect("and is taken");
    let late = asleep.await.expect("no panic");
    assert!(matches!(late, Err(StoreError::Lost(_))), "{late:?}");
    assert!(!turned(&other).await, "what the sleeper sent does not count");
    sleeper.healthy().await.expect("it comes back");
    sleeper.close().await;
    other.close().await;
}

/// One who fails undoes only what is theirs, although all share a commit.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn jobs_that_share_a_commit_do_not_share_their_errors() {
    let on = rehearsal().await;
    let store = store(&on).await;
    let jobs = (0..200_i64).map(|nth| {
        store.write(move |tx| {
            Box::pin(async move {
                sqlx::query("INSERT INTO switches VALUES ($1, 0, '', '', $2)")
                    .bind(format!("T{nth}"))
                    .bind(nth)
                    .execute(&mut tx.conn)
                    .await?;
                if nth % 3 == 0 {
                    tx.conn.execute("SELECT 1 / 0").await?;
                }
                Ok(nth)
            })
        })
    });
    let answers = futures::future::join_all(jobs).await;
    for (nth, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(kept) => assert!(kept % 3 != 0 && kept == nth as i64),
            Err(error) => assert!(nth % 3 == 0, "{nth}: {error}"),
        }
    }
    let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM switches")
        .fetch_one(&mut store.reader().await.expect("a reader"))
        .await
        .expect("a number");
    assert_eq!(kept, 133);
    store.close().await;
}

/// A machine whose clock is a day behind.
struct Behind;

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() - 86_400_000)
    }

    fn instants(&self) -> Instants {
        Instants::Databases
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn the_clock_of_a_machine_decides_nothing() {
    let on = rehearsal().await;
    let store = Store::open(&on.url(), Arc::new(Behind), Arc::new(RandomIds)).await;
    let store = store.expect("a store");
    let (now, received) = store
        .write(|tx| Box::pin(async move { Ok((tx.now, tx.happened_at(Behind.now()))) }))
        .await
        .expect("it is told");
    for told in [now, received] {
        let off = SystemClock.now().since(told).max(told.since(SystemClock.now()));
        assert!(off < Span::seconds(5), "{told} is off by {off}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_server_that_forgets_or_takes_no_writes_is_refused() {
    let on = rehearsal().await;
    for (setting, why) in [
        ("synchronous_commit=off", "synchronous_commit"),
        ("default_transaction_read_only=on", "standby"),
    ] {
        let url = format!("{}?options=-c%20{}", on.url(), setting.replace('=', "%3D"));
        let refused = Store::open(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await;
        let Err(refused) = refused.map(drop) else { panic!("{setting} was taken") };
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

/// Somebody reloads the server with other settings while the desk serves.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn nothing_is_written_on_a_server_that_begins_to_forget() {
    let on = rehearsal().await;
    let store = store(&on).await;
    let setting = |store: Store, words: &'static str| async move {
        let set = store.write(move |tx| {
            Box::pin(async move {
                tx.conn.execute(words).await?;
                Ok(())
            })
        });
        set.await
    };
    setting(store.clone(), "SET synchronous_commit = off").await.expect("the last that is taken");
    let refused = turn_and_say(&store, "SELECT 1").await;
    assert!(matches!(refused, Err(StoreError::Forgetful { .. })), "{refused:?}");
    assert!(!turned(&store).await);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn what_is_handed_in_while_others_are_written_does_not_happen_before_that() {
    let on = rehearsal().await;
    let store = store(&on).await;
    let other = store.clone();
    let first = store.write(move |tx| {
        Box::pin(async move {
            tx.conn.execute("SELECT pg_sleep(0.05)").await?;
            let handed_in = SystemClock.now();
            let mut second =
                Box::pin(
                    async move { other.write(|tx| Box::pin(async move { Ok(tx.now) })).await },
                );
            assert!(futures::poll!(&mut second).is_pending(), "it waits in the queue");
            Ok((handed_in, second))
        })
    });
    let (handed_in, second) = first.await.expect("the first is written");
    assert!(second.await.expect("the second is written") >= handed_in);
    store.close().await;
}
