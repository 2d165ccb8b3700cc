//! The pace is one for everybody on a database, whichever it is. On SQLite "everybody" are the tasks of
//! one process; on Postgres two processes, of which each is a store of its own.

use serde_json::{Value, json};

use super::*;
use crate::base::{Clock, Instants, RandomIds, Rate, TurnableClock};
use crate::store::{ClaimedOwed, NewNotice, Owed, OwedPace, Rehearsal, notices};

const START: Timestamp = Timestamp::from_millis(1_795_527_000_000);
const LEASE: Span = Span::seconds(30);

/// Two who share a database, and a clock that both go by.
struct Two {
    one: Store,
    other: Store,
    clock: Arc<TurnableClock>,
    _folder: tempfile::TempDir,
    _server: Option<Rehearsal>,
}

impl Two {
    async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("desk.db").display());
        let clock = Arc::new(TurnableClock::standing_at(START));
        let one = Store::open(&url, clock.clone(), Arc::new(RandomIds)).await.expect("a store");
        Self { other: one.clone(), one, clock, _folder: folder, _server: None }
    }

    async fn on_postgres() -> Self {
        let server = rehearsal().await;
        let clock = Arc::new(TurnableClock::standing_at(START));
        let url = server.url();
        let one = Store::open(&url, clock.clone(), Arc::new(RandomIds)).await.expect("a store");
        let other = Store::open(&url, clock.clone(), Arc::new(RandomIds)).await.expect("another");
        let folder = tempfile::tempdir().expect("a folder");
        Self { one, other, clock, _folder: folder, _server: Some(server) }
    }

    fn passes(&self, seconds: u32) {
        self.clock.turn_forward(Span::seconds(seconds));
    }

    async fn owes(&self, channel: &str, text: &str) {
        let notice = NewNotice {
            workspace: acme(),
            request: None,
            run: None,
            kind: "test".to_owned(),
            body: json!({ "channel": channel, "text": text }),
        };
        let owed = self
            .one
            .write(move |tx| Box::pin(async move { notices::owe(tx, &notice).await }))
            .await;
        owed.expect("it is owed");
    }

    async fn closes(self) {
        self.one.close().await;
        self.other.close().await;
    }
}

async fn rehearsal() -> Rehearsal {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES");
    let server = server.expect("COUNTERSIGN_TEST_POSTGRES names a server");
    Rehearsal::on(&server, &RandomIds).await.expect("a database")
}

fn acme() -> WorkspaceId {
    WorkspaceId::existing("T1")
}

fn slot(what: &str) -> Slot {
    Slot { what: what.to_owned(), rate: Rate { every: Span::seconds(1), burst: 3 } }
}

/// What a post to a channel takes; nothing where there is none.
fn channel(owed: &Owed) -> Vec<Slot> {
    let Owed::Notice(notice) = owed else { return Vec::new() };
    notice.body["channel"].as_str().map(slot).into_iter().collect()
}

async fn claims(store: &Store, limit: usize) -> ClaimedOwed {
    let pace =
        OwedPace { workspace: acme(), card: Arc::new(|_| Vec::new()), needs: Arc::new(channel) };
    store.claim_owed("desk", LEASE, limit, pace).await.expect("claimed")
}

/// What is held now, and what was put off.
fn texts(claimed: &ClaimedOwed) -> Vec<&str> {
    claimed
        .owed
        .iter()
        .map(|owed| match owed {
            Owed::Notice(notice) => notice.body.get("text").and_then(Value::as_str).unwrap_or("?"),
            Owed::Card(_) => "a card",
            Owed::PutOff => "later",
        })
        .collect()
}

async fn takes(store: &Store, what: &str) -> Result<(), i64> {
    let taken =
        store.take_slots(&acme(), vec![slot(what)], Haste::InTurn).await.expect("it can be asked");
    taken.map_err(|until| until.as_millis() - START.as_millis())
}

async fn everybody_takes_from_one_pace(two: Two) {
    let Two { one, other, .. } = &two;
    assert_eq!(takes(one, "C1").await, Ok(()));
    assert_eq!(takes(other, "C1").await, Ok(()));
    assert_eq!(takes(one, "C1").await, Ok(()));
    assert_eq!(takes(other, "C1").await, Err(1000), "three at once are enough");
    assert_eq!(takes(one, "C1").await, Err(2000), "the next moment is somebody else's");
    assert_eq!(takes(one, "C2").await, Ok(()), "another channel");
    let elsewhere =
        one.take_slots(&WorkspaceId::existing("T2"), vec![slot("C1")], Haste::InTurn).await;
    assert_eq!(elsewhere.expect("it can be asked"), Ok(()), "another workspace");

    one.hold_slots(&acme(), "C2", Span::seconds(30)).await.expect("held");
    two.passes(29);
    assert_eq!(takes(other, "C2").await, Err(30_000), "the other was not told to wait, and does");
    assert_eq!(takes(other, "C1").await, Ok(()), "with this alone");
    two.passes(1);
    assert_eq!(takes(other, "C2").await, Ok(()));
    two.closes().await;
}

async fn what_is_owed_is_claimed_at_the_pace(two: Two) {
    let Two { one, other, .. } = &two;
    for text in ["a", "b", "c", "d", "e"] {
        two.owes("C1", text).await;
    }
    two.owes("C2", "elsewhere").await;
    let before = one.cost();
    let first = claims(one, 9).await;
    assert_eq!(one.cost().transactions, before.transactions + 1, "all in one transaction");
    assert_eq!(texts(&first), ["a", "b", "c", "later", "later", "elsewhere"]);
    assert_eq!(first.slots.len(), 4, "of those that are held");
    assert_eq!(texts(&claims(other, 9).await), [""; 0], "nothing is due before its moment");

    // Somebody comes by at the moment that another has waited for.
    two.passes(1);
    two.owes("C1", "f").await;
    assert_eq!(texts(&claims(other, 9).await), ["d", "later"]);
    two.passes(1);
    assert_eq!(texts(&claims(one, 9).await), ["e"]);
    two.passes(1);
    assert_eq!(texts(&claims(other, 9).await), ["f"]);

    // Nobody has done anything with what they held: they died. The channel did not notice, and what
    // they held is somebody else's when its lease is over.
    two.owes("C1", "g").await;
    two.passes(20);
    assert_eq!(texts(&claims(other, 9).await), ["g"]);
    two.passes(10);
    let all = ["a", "b", "c", "elsewhere", "later", "later", "later"];
    assert_eq!(texts(&claims(other, 9).await), all);
    two.closes().await;
}

async fn a_crowd_in_one_channel_keeps_nobody_else_waiting(two: Two) {
    for nth in 0..40 {
        two.owes("C1", &format!("{nth}")).await;
    }
    two.owes("C2", "elsewhere").await;
    // Whoever has room for eight looks again at once as long as it gets eight, and only so long.
    let mut held = Vec::new();
    for store in [&two.one, &two.other].into_iter().cycle() {
        let claimed = claims(store, 8).await;
        held.extend(texts(&claimed).into_iter().filter(|text| *text != "later").map(str::to_owned));
        if claimed.owed.len() < 8 {
            break;
        }
    }
    assert_eq!(held, ["0", "1", "2", "elsewhere"]);
    two.closes().await;
}

#[tokio::test]
async fn everybody_takes_from_one_pace_on_sqlite() {
    everybody_takes_from_one_pace(Two::on_sqlite().await).await;
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn everybody_takes_from_one_pace_on_postgres() {
    everybody_takes_from_one_pace(Two::on_postgres().await).await;
}

#[tokio::test]
async fn what_is_owed_is_claimed_at_the_pace_on_sqlite() {
    what_is_owed_is_claimed_at_the_pace(Two::on_sqlite().await).await;
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn what_is_owed_is_claimed_at_the_pace_on_postgres() {
    what_is_owed_is_claimed_at_the_pace(Two::on_postgres().await).await;
}

#[tokio::test]
async fn a_crowd_in_one_channel_keeps_nobody_else_waiting_on_sqlite() {
    a_crowd_in_one_channel_keeps_nobody_else_waiting(Two::on_sqlite().await).await;
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_crowd_in_one_channel_keeps_nobody_else_waiting_on_postgres() {
    a_crowd_in_one_channel_keeps_nobody_else_waiting(Two::on_postgres().await).await;
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_pace_that_cannot_be_read_begins_anew() {
    let two = Two::on_postgres().await;
    for _ in 0..3 {
        assert_eq!(takes(&two.one, "C1").await, Ok(()));
    }
    let spoilt = two.one.write(|tx| {
        Box::pin(async move {
            sqlx::query("UPDATE paces SET body = '[1, 2'").execute(&mut tx.conn).await?;
            Ok(())
        })
    });
    spoilt.await.expect("spoilt");
    assert_eq!(takes(&two.other, "C1").await, Ok(()));
    two.closes().await;
}

/// The server's clock runs ahead, and is put right. What was written down meanwhile stands; what was
/// not is forgotten, by whoever saw it as well.
#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_servers_clock_that_was_ahead_decides_only_what_was_written_down() {
    let two = Two::on_postgres().await;
    let now = || async {
        let now = two.one.write(|tx| Box::pin(async move { Ok(tx.now) })).await;
        now.expect("an instant")
    };
    two.clock.turn_forward(Span::minutes(60));
    assert_eq!(now().await, START.plus(Span::minutes(60)));
    two.clock.turn_back(Span::minutes(60));
    assert_eq!(now().await, START, "nobody has written it down");

    two.clock.turn_forward(Span::minutes(60));
    two.one.opened(&acme(), "0.1.0", "a policy").await.expect("it is written down");
    two.clock.turn_back(Span::minutes(60));
    assert_eq!(now().await, START.plus(Span::minutes(60)), "and does not go back");
    two.closes().await;
}

/// A clock that is wrong, in a process that knows that the database's counts.
struct Wrong(TurnableClock);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn instants(&self) -> Instants {
        Instants::Databases
    }
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn clocks_that_differ_see_one_pace() {
    let server = rehearsal().await;
    let [early, late] = [TurnableClock::running(), TurnableClock::running()];
    early.turn_back(Span::minutes(60));
    late.turn_forward(Span::minutes(60));
    let [early, late] = [Arc::new(Wrong(early)), Arc::new(Wrong(late))];
    let one = Store::open(&server.url(), early.clone(), Arc::new(RandomIds)).await.expect("open");
    let other = Store::open(&server.url(), late.clone(), Arc::new(RandomIds)).await.expect("open");
    // So slow that no machine is too busy to see it.
    let slow = Rate { every: Span::minutes(10), burst: 2 };
    let slots = || vec![Slot { what: "C1".to_owned(), rate: slow }];
    for (store, clock) in [(&one, &early), (&other, &late)] {
        let taken =
            store.take_slots(&acme(), slots(), Haste::InTurn).await.expect("it can be asked");
        assert_eq!(taken, Ok(()), "at {}", clock.now());
    }
    for (store, clock) in [(&one, &early), (&other, &late)] {
        let told =
            store.take_slots(&acme(), slots(), Haste::InTurn).await.expect("it can be asked");
        let wait = told.expect_err("there is none left").since(clock.now());
        assert!(Span::minutes(5) < wait && wait <= Span::minutes(10), "{wait}");
    }
    one.close().await;
    other.close().await;
}
