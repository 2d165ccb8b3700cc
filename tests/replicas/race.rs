//! I2, I3 and I5 on several replicas: 64 clients approve, reject, cancel and fire timers on the same
//! requests, at two desks, at the last instant before they expire.

mod books;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use countersign::approval::{
    Choice, DecidedBy, Decision, Membership, Outcome, PersonFacts, Refusal, SlackUser, Standing,
};
use countersign::base::{Clock, PersonId, RequestId, Span, Timestamp, WorkspaceId};
use countersign::store::{Click, Counted, Store};
use futures::future::join_all;
use serde_json::json;
use sqlx::AnyPool;

use self::books::{Away, Books, DEEDS, Deed, reckon};
use crate::pair::{Pair, work};

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
    stage_since: i64,
}

impl Prize {
    fn ends_at(&self) -> Timestamp {
        Timestamp::from_millis(self.stage_since).plus(Span::minutes(30))
    }
}

/// What a client was told of a request, after it had done something to it.
struct Told {
    request: String,
    outcome: Outcome,
    /// By what it did itself.
    won: bool,
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

/// Both desks at once do what there is to do. What broke off goes on when its lease is over.
async fn both_work(pair: &Pair, away: &Away) {
    let [one, other] = pair.desks();
    loop {
        let (a, b) = tokio::join!(work(&one), work(&other));
        let broke_off =
            |done: &Result<usize, _>| done.as_ref().is_err_and(|error| away.is_the_reason(error));
        if [&a, &b].into_iter().any(broke_off) {
            pair.clock.turn_forward(Span::seconds(31));
        } else if a.unwrap() + b.unwrap() == 0 {
            return;
        }
    }
}

async fn race(pair: &Pair, round: usize, books: &mut Books) {
    for nth in 0..ROUND {
        let charge = round * ROUND + nth;
        let text = format!("refund ch_{charge} 640.00 EUR, customer was charged twice");
        pair.world.slack.person("mia").writes_to_bot(&text);
    }
    let (desk, away) = (pair.database().await, books.away.clone());
    let begun_at = pair.clock.now();
    let mut prizes = Vec::new();
    while prizes.len() < ROUND {
        while pair.world.slack.deliver_due().await > 0 {}
        both_work(pair, &away).await;
        prizes = pending(&desk).await;
        if prizes.len() < ROUND {
            // Slack delivers again what was not taken.
            let late = away.times() > 0 && pair.clock.now() < begun_at.plus(Span::minutes(15));
            assert!(late, "{} of {ROUND} messages became requests", prizes.len());
            pair.clock.turn_forward(Span::seconds(61));
        }
    }

    // The clock says that each of them is over; what was pressed just before that still counts.
    pair.clock.turn_to(prizes.iter().map(Prize::ends_at).max().unwrap());
    let (prizes, stores) = (Arc::new(prizes), pair.stores());
    let clients = (0..CLIENTS).map(|nth| {
        let client = Client { nth, store: stores[desk_of(nth)].clone(), away: away.clone() };
        tokio::spawn(client.plays(prizes.clone()))
    });
    let played = join_all(clients).await;
    let ended: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, outcome FROM requests WHERE outcome IS NOT NULL AND stage_since >= $1",
    )
    .bind(prizes.iter().map(|prize| prize.stage_since).min())
    .fetch_all(&desk)
    .await
    .unwrap();
    let ended: BTreeMap<String, String> = ended.into_iter().collect();
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
    both_work(pair, &away).await;
    pair.clock.turn_forward(Span::seconds(1));
}

/// Neighbours begin with different deeds, and each deed begins at both desks.
fn desk_of(client: usize) -> usize {
    (client + client / 4) % 2
}

async fn pending(desk: &AnyPool) -> Vec<Prize> {
    sqlx::query_as(
        "SELECT requests.id, requests.workspace, yes.token AS approve, no.token AS reject,
                stage_since
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
    away: Away,
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
                    self.away.answered(|| self.store.fire_due_timers(1)).await;
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
            // The last instant at which it is in time.
            received_at: Timestamp::from_millis(prize.ends_at().as_millis() - 1),
            evidence: json!({}),
        };
        let verdict = self.away.answered(|| self.store.decide(click.clone())).await;
        match verdict.result {
            Ok(Counted::Decided(decision)) => Ok(decision),
            Ok(Counted::Vote) => panic!("one vote is enough"),
            Err(refusal) => Err(refusal),
        }
    }

    async fn cancels(&self, prize: &Prize) -> Result<Decision, Refusal> {
        let (workspace, request) =
            (WorkspaceId::existing(&prize.workspace), RequestId::existing(&prize.id));
        let me = format!("client {}", self.nth);
        let cancel = || self.store.cancel(&workspace, &request, &me, "first");
        match self.away.answered(cancel).await {
            // It had got through, and only the answer was lost.
            Err(Refusal::AlreadyDecided { decision })
                if decision.by == DecidedBy::Operator(me.clone()) =>
            {
                Ok(*decision)
            }
            answer => answer,
        }
    }
}
