//! I2, I3 and I5 on several replicas: 64 clients approve, reject, cancel and fire timers on the same
//! requests, at two desks, at the last instant before they expire.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::approval::{Choice, Membership, Outcome, PersonFacts, SlackUser, Standing};
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

/// How often each deed was the one that counted.
type Wins = BTreeMap<&'static str, usize>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one, scripts/race runs a long one"]
async fn whoever_comes_first_one_outcome_and_one_execution() {
    let races = std::env::var("COUNTERSIGN_RACES").ok().and_then(|races| races.parse().ok());
    let races: usize = races.unwrap_or(2 * ROUND);
    let pair = Pair::opens_with(&[ONE_STAGE]).await;
    let mut wins = Wins::new();
    for round in 0..races.div_ceil(ROUND) {
        race(&pair, round, &mut wins).await;
    }
    reckon(&pair, races.div_ceil(ROUND) * ROUND, &wins).await;
    println!("{} requests, {CLIENTS} clients each: {wins:?}", races.div_ceil(ROUND) * ROUND);
    pair.closes().await;
}

async fn race(pair: &Pair, round: usize, wins: &mut Wins) {
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
    desk.close().await;

    // All of them were asked at one instant, so all are due at one.
    let end = Timestamp::from_millis(asked).plus(Span::minutes(30));
    pair.clock.turn_to(end);
    let received_at = Timestamp::from_millis(end.as_millis() - 1);
    let (prizes, stores) = (Arc::new(prizes), pair.stores());
    let clients = (0..CLIENTS).map(|nth| {
        let client = Client { nth, store: stores[nth % 2].clone(), received_at };
        tokio::spawn(client.plays(prizes.clone()))
    });
    for won in join_all(clients).await {
        for what in won.unwrap() {
            *wins.entry(what).or_default() += 1;
        }
    }
    pair.both_work().await;
    pair.clock.turn_forward(Span::seconds(1));
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
    /// Does one thing to each request, starting at another one than its neighbours. Says which of
    /// them counted.
    async fn plays(self, prizes: Arc<Vec<Prize>>) -> Vec<&'static str> {
        let mut won = Vec::new();
        for step in 0..prizes.len() {
            let prize = &prizes[(step + self.nth / 4) % prizes.len()];
            let counted = match (self.nth + step) % 4 {
                0 => self.votes(prize, Choice::Approve).await.then_some("approved"),
                1 => self.votes(prize, Choice::Reject).await.then_some("rejected"),
                2 => self.cancels(prize).await.then_some("cancelled"),
                _ => {
                    self.store.fire_due_timers(1).await.unwrap();
                    None
                }
            };
            won.extend(counted);
        }
        won
    }

    async fn votes(&self, prize: &Prize, choice: Choice) -> bool {
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
        let verdict = self.store.decide(click).await.unwrap();
        matches!(verdict.result, Ok(Counted::Decided(_)))
    }

    async fn cancels(&self, prize: &Prize) -> bool {
        let (workspace, request) =
            (WorkspaceId::existing(&prize.workspace), RequestId::existing(&prize.id));
        let answer = self.store.cancel(&workspace, &request, "the race", "first").await.unwrap();
        matches!(answer, Ok(decision) if decision.outcome == Outcome::Cancelled)
    }
}

/// What the players were told, what the database says and what the company saw are the same.
async fn reckon(pair: &Pair, races: usize, wins: &Wins) {
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
    for outcome in ["approved", "cancelled", "expired", "rejected"] {
        assert!(ended.contains_key(outcome), "nothing was ever {outcome}: {ended:?}");
        if outcome != "expired" {
            assert_eq!(ended[outcome], wins[outcome] as i64, "{outcome}, as told and as kept");
        }
    }
    assert_eq!(ended.values().sum::<i64>(), races as i64, "{ended:?}");
    let ends = "SELECT COUNT(*) FROM audit WHERE kind IN ('request.approved', 'request.rejected',
                  'request.expired', 'request.cancelled')";
    assert_eq!(count(ends).await, races as i64, "one end each in the log");
    let ran = "SELECT COUNT(*) FROM executions JOIN requests ON requests.id = request_id
               WHERE outcome = 'approved' AND attempts = 1 AND executions.state = 'succeeded'";
    assert_eq!(count(ran).await, ended["approved"], "one execution for each approval");
    assert_eq!(count("SELECT COUNT(*) FROM executions").await, ended["approved"], "and no other");
    let journal = pair.world.company.journal().await.unwrap();
    let mut keys: Vec<_> = journal.iter().map(|entry| entry.key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), journal.len(), "the company was called twice for one");
    assert_eq!(keys.len() as i64, ended["approved"], "the company was called for each");
    desk.close().await;
}
