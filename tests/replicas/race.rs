//! I2, I3 and I5 on several replicas: 64 clients approve, reject, cancel and fire timers on the same
//! requests, at two desks, at the last instant before they expire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use countersign::approval::{
    Choice, Decision, Membership, Outcome, PersonFacts, Refusal, SlackUser, Standing,
};
use countersign::base::{PersonId, RequestId, Span, Timestamp, WorkspaceId};
use countersign::store::{Click, Counted, Store};
use futures::future::join_all;
use serde_json::json;
use sqlx::AnyPool;

use crate::pair::Pair;

const CLIENTS: usize = 64;
/// How many requests are raced for in one round.
const ROUND: usize = 25;
/// One stage, so that its end is the end.
const ONE_STAGE: (&str, &str) = (
    "- { approvers: finance, in: approvals, within: 30m, remind: [10m, 20m] }
        - { approvers: managers, in: managers, within: 30m }",
    "- { approvers: finance, in: approvals, within: 30m }",
);

/// A request that is raced for, with the buttons of its card.
#[derive(Clone, sqlx::FromRow)]
struct Prize {
    id: String,
    workspace: String,
    approve: String,
    reject: String,
}

/// What somebody did about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Approve,
    Reject,
    Cancel,
    FireTimers,
}

const DEEDS: [Deed; 4] = [Deed::Approve, Deed::Reject, Deed::Cancel, Deed::FireTimers];

/// What a client was told of a request, after it had done something to it.
struct Told {
    request: String,
    outcome: Outcome,
    /// By what it did itself.
    won: bool,
}

/// What the clients did and were told, by deed and by desk.
#[derive(Default)]
struct Books {
    tried: BTreeMap<(Deed, usize), usize>,
    won: BTreeMap<(Deed, usize), usize>,
    /// How often somebody who came too late was told which outcome it was.
    told_the_truth: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one, scripts/race runs a long one"]
async fn whoever_comes_first_one_outcome_and_one_execution() {
    let races = std::env::var("COUNTERSIGN_RACES").ok().and_then(|races| races.parse().ok());
    let rounds = races.unwrap_or(2 * ROUND).div_ceil(ROUND);
    let pair = Pair::opens_with(&[ONE_STAGE]).await;
    let mut books = Books::default();
    let begun = begun();
    for round in 0..rounds {
        race(&pair, round, &mut books).await;
        if (round + 1) % 20 == 0 {
            println!("{} races after {} s", (round + 1) * ROUND, begun.elapsed().as_secs());
        }
    }
    let races = rounds * ROUND;
    println!("{races} races of {CLIENTS} clients at two desks, {} s", begun.elapsed().as_secs());
    reckon(&pair, races, &books).await;
    pair.closes().await;
    println!("  and the log is whole and agrees with all of it");
}

#[expect(clippy::disallowed_methods, reason = "how long it took is told, and decides nothing")]
fn begun() -> Instant {
    Instant::now()
}

async fn race(pair: &Pair, round: usize, books: &mut Books) {
    for nth in 0..ROUND {
        let charge = round * ROUND + nth;
        let text = format!("refund ch_{charge} 640.00 EUR, customer was charged twice");
        pair.world.slack.person("mia").writes_to_bot(&text);
    }
    while pair.world.slack.deliver_due().await > 0 {}
    pair.both_work().await;
    let desk = pair.database().await;
    let prizes = pending(&desk).await;
    assert_eq!(prizes.len(), ROUND, "every message became a request");
    let asked: i64 =
        sqlx::query_scalar("SELECT MAX(stage_since) FROM requests").fetch_one(&desk).await.unwrap();

    // All of them were asked at one instant, so all are due at one.
    let end = Timestamp::from_millis(asked).plus(Span::minutes(30));
    pair.clock.turn_to(end);
    let received_at = Timestamp::from_millis(end.as_millis() - 1);
    let (prizes, stores) = (Arc::new(prizes), pair.stores());
    let clients = (0..CLIENTS).map(|nth| {
        let client = Client { nth, store: stores[desk_of(nth)].clone(), received_at };
        tokio::spawn(client.plays(prizes.clone()))
    });
    let played = join_all(clients).await;
    let ended: BTreeMap<String, String> = sqlx::query_as::<_, (String, String)>(
        "SELECT id, outcome FROM requests WHERE stage_since = $1",
    )
    .bind(asked)
    .fetch_all(&desk)
    .await
    .unwrap()
    .into_iter()
    .collect();
    desk.close().await;
    assert_eq!(ended.len(), ROUND, "each of them has ended");
    for (nth, played) in played.into_iter().enumerate() {
        for (deed, told) in played.unwrap() {
            *books.tried.entry((deed, desk_of(nth))).or_default() += 1;
            let Some(Told { request, outcome, won }) = told else { continue };
            let outcome = format!("{outcome:?}").to_lowercase();
            assert_eq!(outcome, ended[&request], "{deed:?}: what {nth} was told of {request}");
            match won {
                true => *books.won.entry((deed, desk_of(nth))).or_default() += 1,
                false => books.told_the_truth += 1,
            }
        }
    }
    pair.both_work().await;
    pair.clock.turn_forward(Span::seconds(1));
}

/// Neighbours begin with different deeds, and each deed begins at both desks.
fn desk_of(client: usize) -> usize {
    (client + client / 4) % 2
}

async fn pending(desk: &AnyPool) -> Vec<Prize> {
    sqlx::query_as(
        "SELECT requests.id, requests.workspace, yes.token AS approve, no.token AS reject
         FROM requests JOIN buttons AS yes ON yes.request_id = requests.id
                       JOIN buttons AS no ON no.request_id = requests.id
         WHERE outcome IS NULL AND yes.choice = 'approve' AND no.choice = 'reject'
         ORDER BY requests.id",
    )
    .fetch_all(desk)
    .await
    .unwrap()
}

struct Client {
    nth: usize,
    store: Store,
    received_at: Timestamp,
}

impl Client {
    /// Does one thing to each request, starting at another one than its neighbours.
    async fn plays(self, prizes: Arc<Vec<Prize>>) -> Vec<(Deed, Option<Told>)> {
        let mut played = Vec::new();
        for step in 0..prizes.len() {
            let prize = &prizes[(step + self.nth / 4) % prizes.len()];
            let deed = DEEDS[(self.nth + step) % 4];
            let ended = match deed {
                Deed::Approve => Some(self.votes(prize, Choice::Approve).await),
                Deed::Reject => Some(self.votes(prize, Choice::Reject).await),
                Deed::Cancel => Some(self.cancels(prize).await),
                Deed::FireTimers => {
                    self.store.fire_due_timers(1).await.unwrap();
                    None
                }
            };
            let told = ended.map(|ended| {
                let (won, decision) = match ended {
                    Ok(decision) => (true, decision),
                    Err(Refusal::AlreadyDecided { decision }) => (false, *decision),
                    Err(refusal) => panic!("{deed:?} of {}: {refusal}", prize.id),
                };
                Told { request: prize.id.clone(), outcome: decision.outcome, won }
            });
            played.push((deed, told));
        }
        played
    }

    async fn votes(&self, prize: &Prize, choice: Choice) -> Result<Decision, Refusal> {
        let nth = self.nth;
        let token = match choice {
            Choice::Approve => &prize.approve,
            Choice::Reject => &prize.reject,
        };
        let user = format!("U{nth}");
        let click = Click {
            workspace: WorkspaceId::existing(&prize.workspace),
            intake_key: format!("click:{nth}:{choice:?}:{}", prize.id),
            token: token.clone(),
            shown_at: None,
            choice,
            person: PersonFacts {
                person: PersonId::existing(format!("per_{nth}")),
                user: SlackUser { team: "T0ACME".to_owned(), user: user.clone(), enterprise: None },
                name: user,
                standing: Standing::Member,
            },
            membership: Membership(vec![true]),
            reason: Some("I was first".to_owned()),
            received_at: self.received_at,
            evidence: json!({}),
        };
        match self.store.decide(click).await.unwrap().result {
            Ok(Counted::Decided(decision)) => Ok(decision),
            Ok(Counted::Vote) => panic!("one vote is enough"),
            Err(refusal) => Err(refusal),
        }
    }

    async fn cancels(&self, prize: &Prize) -> Result<Decision, Refusal> {
        let (workspace, request) =
            (WorkspaceId::existing(&prize.workspace), RequestId::existing(&prize.id));
        self.store.cancel(&workspace, &request, "the race", "first").await.unwrap()
    }
}

/// What the players were told, what the database says and what the company saw are the same.
async fn reckon(pair: &Pair, races: usize, books: &Books) {
    let desk = pair.database().await;
    let count = |query: &'static str| {
        let desk = desk.clone();
        async move { sqlx::query_scalar::<_, i64>(query).fetch_one(&desk).await.unwrap() }
    };
    let ended: Vec<(String, i64)> =
        sqlx::query_as("SELECT outcome, COUNT(*) FROM requests GROUP BY outcome ORDER BY outcome")
            .fetch_all(&desk)
            .await
            .unwrap();
    let ended: BTreeMap<String, i64> = ended.into_iter().collect();
    let at = |books: &BTreeMap<(Deed, usize), usize>, deed, desk| {
        books.get(&(deed, desk)).copied().unwrap_or_default()
    };
    for (deed, outcome) in DEEDS.into_iter().zip(["approved", "rejected", "cancelled", "expired"]) {
        let first = ended.get(outcome).copied().unwrap_or_default();
        let tried = [0, 1].map(|desk| at(&books.tried, deed, desk));
        print!(
            "  {outcome}: {first}, of {} tries at one desk and {} at the other",
            tried[0], tried[1]
        );
        assert!(first > 0, "nothing was ever {outcome}: {ended:?}");
        if deed == Deed::FireTimers {
            println!();
            continue;
        }
        let won = [0, 1].map(|desk| at(&books.won, deed, desk));
        println!("; first at one {} times, at the other {}", won[0], won[1]);
        assert_eq!(first, (won[0] + won[1]) as i64, "{outcome}, as told and as kept");
    }
    assert_eq!(ended.values().sum::<i64>(), races as i64, "{ended:?}");
    println!("  {} who came too late were told which outcome it was", books.told_the_truth);
    let ends = "SELECT COUNT(*) FROM audit WHERE kind IN ('request.approved', 'request.rejected',
                  'request.expired', 'request.cancelled')";
    assert_eq!(count(ends).await, races as i64, "one end each in the log");
    let ran = "SELECT COUNT(*) FROM executions JOIN requests ON requests.id = request_id
               WHERE outcome = 'approved' AND attempts = 1 AND executions.state = 'succeeded'";
    let executions = count("SELECT COUNT(*) FROM executions").await;
    assert_eq!(count(ran).await, ended["approved"], "one execution for each approval");
    assert_eq!(executions, ended["approved"], "and no other");
    let journal = pair.world.company.journal().await.unwrap();
    let mut keys: Vec<_> = journal.iter().map(|entry| entry.key.clone()).collect();
    keys.sort();
    keys.dedup();
    println!(
        "  {executions} executions, {} calls at the company, {} of them different",
        journal.len(),
        keys.len()
    );
    assert_eq!(keys.len(), journal.len(), "the company was called twice for one");
    assert_eq!(keys.len() as i64, ended["approved"], "the company was called for each");
    desk.close().await;
}
