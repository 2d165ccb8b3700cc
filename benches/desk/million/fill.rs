//! Fills a store with requests, by the store's own functions: each message is taken, its run claimed,
//! and the turn that suspends it saved with twenty questions, each of which the gate has ruled on. So
//! every row and every link of the audit chain is as the desk writes it. Only that their cards were
//! posted is written by hand: Slack would take a month for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::agent::{Egress, ProposedCall};
use countersign::approval::{Requester, SlackUser};
use countersign::base::{Clock, PersonId, RandomIds, Span, SystemClock, Timestamp, WorkspaceId};
use countersign::desk::{Asker, Gate, Occasion};
use countersign::store::{ClaimedRun, Definitions, Ending, NewMessage, Question, SaveTurn, Store};
use futures::future::join_all;
use serde_json::json;

use super::house::House;
use crate::slack::TEAM;

/// How many questions a run asks: as many as a busy agent proposes in a turn.
const QUESTIONS: usize = 20;
/// A definition that no desk has.
const GRAPH: &str = "filled in";
/// As many runs as share a commit.
const AT_ONCE: usize = 32;

/// When the first stage of what is filled in ends.
pub enum Due {
    InAMonth,
    /// Somewhere in a span.
    Within {
        from: Timestamp,
        span: Span,
    },
}

pub struct Filler {
    store: Store,
    gate: Gate,
    url: String,
}

/// Numbers every message of this program.
static MESSAGES: AtomicUsize = AtomicUsize::new(0);

impl Filler {
    pub async fn open(house: &House) -> Self {
        let config = house.config();
        let url = config.store.as_str().to_owned();
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let store = Store::open(&url, clock, ids).await.expect("the store opens");
        let egress = Egress::open().expect("a way out");
        let gate = Gate::new(&config, &egress).expect("a gate");
        Self { store, gate, url }
    }

    pub async fn fill(&self, count: usize, due: &Due) {
        let known = Definitions::of([("ops".to_owned(), GRAPH.to_owned())]);
        let mut left = count;
        while left > 0 {
            let runs = left.div_ceil(QUESTIONS).min(AT_ONCE);
            join_all((0..runs).map(|_| self.take())).await;
            let claimed = self.store.claim_runs("the filler", Span::minutes(60), AT_ONCE, &known);
            let saved = claimed.await.expect("they are claimed").into_iter().map(|run| {
                let questions = left.min(QUESTIONS);
                left -= questions;
                self.save(run, questions, count, due)
            });
            join_all(saved).await;
        }
        self.show().await;
    }

    async fn take(&self) {
        let nth = MESSAGES.fetch_add(1, Ordering::Relaxed);
        let (pid, at) = (std::process::id(), SystemClock.now().as_seconds());
        let ts = format!("{at}.{nth:06}");
        let user =
            SlackUser { enterprise: None, team: TEAM.to_owned(), user: "U0MIA00001".to_owned() };
        let message = NewMessage {
            workspace: WorkspaceId::existing(TEAM),
            event_key: format!("event:{pid}-{nth}"),
            message_key: format!("message:{pid}-{nth}"),
            body_hash: String::new(),
            agent: "ops".to_owned(),
            graph_hash: GRAPH.to_owned(),
            channel: "D0MIA00001".to_owned(),
            thread_ts: ts.clone(),
            user,
            text: "Please refund these, the customers were charged twice.".to_owned(),
            ts,
            told_to_wait: String::new(),
        };
        self.store.take_message(message).await.expect("it is taken");
    }

    async fn save(&self, run: ClaimedRun, questions: usize, of: usize, due: &Due) {
        let asker = Asker {
            workspace: run.workspace.clone(),
            run: run.id.clone(),
            agent: "ops".to_owned(),
            requester: Requester {
                person: PersonId::existing("U0MIA00001"),
                user: run.input.user.clone(),
                name: "Mia Brandt".to_owned(),
                owner: None,
            },
        };
        let questions = (0..questions).map(|nth| self.question(&asker, nth, of, due)).collect();
        let turn = SaveTurn {
            namespace: String::new(),
            checkpoints: Vec::new(),
            writes: Vec::new(),
            consumed: Vec::new(),
            questions,
            notices: Vec::new(),
            events: Vec::new(),
            ending: Some(Ending::Waiting),
        };
        self.store.save_turns(&run.id, run.epoch, vec![turn]).await.expect("it is saved");
    }

    fn question(&self, asker: &Asker, nth: usize, of: usize, due: &Due) -> Question {
        let serial = MESSAGES.fetch_add(1, Ordering::Relaxed);
        let (amount, now) = match due {
            Due::InAMonth => (640.0, SystemClock.now()),
            Due::Within { from, span } => {
                let into = span.as_millis() * (serial % of) as i64 / of as i64;
                (6400.0, Timestamp::from_millis(from.as_millis() + into - 3_600_000))
            }
        };
        let value = json!({
            "call": { "id": format!("call_{nth}"), "tool": "payments.refund", "arguments": json!({
                "charge": format!("CHG_{serial:09}"), "amount": amount, "currency": "EUR",
            }).to_string() },
            "claim": "The customer was charged twice, so I propose to refund the second charge.",
        });
        let proposed: ProposedCall = serde_json::from_value(value.clone()).expect("a call");
        let at = Occasion { now, ids: &RandomIds };
        let outcome = self.gate.judge(asker, proposed, at).expect("the policy asks people");
        Question { interrupt_id: format!("int_{nth}"), value, outcome }
    }

    /// Whatever is owed to Slack was posted.
    async fn show(&self) {
        let pool = sqlx::AnyPool::connect(&self.url).await.expect("the database opens");
        for statement in [
            "UPDATE cards SET shown_version = want_version, complete = 1, message_ts = '1789380000.' || id,
                    channel = CASE kind WHEN 'status' THEN place ELSE 'C0APPROVAL' END
             WHERE state = 'open' AND shown_version < want_version AND message_ts IS NULL",
            "UPDATE shows SET seen = told WHERE seen < told AND state <> 'over'",
        ] {
            sqlx::query(statement).execute(&pool).await.expect("it is written");
        }
        pool.close().await;
    }

    pub async fn close(self) {
        self.store.close().await;
    }
}
