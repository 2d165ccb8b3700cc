//! What a desk left in its database when it died, and what must not happen again after that.

use serde_json::Value;
use sqlx::FromRow;

use crate::check::Findings;
use crate::database::Database;
use crate::evidence::{Evidence, ExecutionRow};
use crate::gate::Gate;

/// How often the model is asked when nobody dies.
const ANSWERS: usize = 3;

#[derive(Default)]
pub struct Left {
    /// How many answers of the model were recorded.
    answers: usize,
    executions: Vec<Begun>,
}

#[derive(FromRow)]
struct Begun {
    id: String,
    state: String,
    ended_at: Option<i64>,
}

impl Left {
    /// A schema that was not committed is not there, not even a part of it.
    pub async fn nothing(database: &Database) -> anyhow::Result<Self> {
        let tables = database.tables().await?;
        anyhow::ensure!(tables.is_empty(), "there is half a schema: {tables:?}");
        Ok(Self::default())
    }

    pub async fn read(database: &Database) -> anyhow::Result<Self> {
        let desk = database.look().await?;
        let messages: Vec<String> =
            sqlx::query_scalar("SELECT value FROM state_values WHERE key = 'messages'")
                .fetch_all(&desk)
                .await?;
        let executions =
            sqlx::query_as("SELECT id, state, ended_at FROM executions").fetch_all(&desk).await?;
        desk.close().await;
        Ok(Self { answers: messages.iter().map(|list| answers(list)).sum(), executions })
    }

    /// What was recorded is not asked again, and the first thing that was not is asked once more at
    /// most.
    pub fn is_heeded(&self, gate: &Gate, evidence: &Evidence, findings: &mut Findings) {
        let mut once: Vec<usize> = (0..ANSWERS).collect();
        let as_if_nobody_died = gate.answers() == once;
        once.insert(self.answers.min(ANSWERS), self.answers);
        if !as_if_nobody_died && gate.answers() != once {
            let (recorded, asked) = (self.answers, gate.answers());
            findings.add(format!("{recorded} answers were recorded, and it asked for {asked:?}"));
        }
        for execution in &evidence.desk.executions {
            self.is_settled(execution, gate, evidence, findings);
        }
    }

    fn is_settled(
        &self,
        execution: &ExecutionRow,
        gate: &Gate,
        evidence: &Evidence,
        findings: &mut Findings,
    ) {
        let ExecutionRow { id, retry_class, state, .. } = execution;
        let before = self.executions.iter().find(|before| before.id == *id);
        let had_ended = before.is_some_and(|before| before.ended_at.is_some());
        let had_begun = before.is_some_and(|before| before.state == "started");
        let calls = match retry_class.as_str() {
            "pure" => asked(gate, "GET /orders/"),
            _ => evidence.company.calls.iter().filter(|call| call.key == execution.key).count(),
        };
        let expected = match (retry_class.as_str(), had_begun && !had_ended) {
            ("once", true) => "unknown",
            _ => "succeeded",
        };
        // Whoever can ask does, and calls again only if nothing happened.
        let most = match retry_class.as_str() {
            "pure" | "keyed" if !had_ended => 2,
            _ => 1,
        };
        let probes = asked(gate, &format!("GET /receipts/{}", execution.key));
        let mut said = evidence.desk.audit.iter().filter(|row| row.subject == *id);
        let unanswered = said.any(|row| row.kind == "execution.unanswered");
        let broke_off = had_begun && !had_ended || unanswered;
        let due = usize::from(retry_class == "probe" && broke_off);
        if probes != due {
            findings.add(format!("{id} was asked about {probes} times, and not {due}"));
        }
        let least = usize::from(expected == "succeeded");
        if state != expected || !(least..=most).contains(&calls) {
            findings.add(format!(
                "{id} ({retry_class}) is {state} after {calls} calls; when the desk died it had \
                 begun: {had_begun}, ended: {had_ended}"
            ));
        }
    }
}

/// How many exchanges begin like this.
fn asked(gate: &Gate, what: &str) -> usize {
    gate.exchanges().iter().filter(|asked| asked.starts_with(what)).count()
}

/// How many messages of a list are the model's.
fn answers(list: &str) -> usize {
    let list: Value = serde_json::from_str(list).unwrap_or_default();
    let messages = list.as_array().into_iter().flatten();
    messages.filter(|message| message["from"] == "assistant").count()
}
