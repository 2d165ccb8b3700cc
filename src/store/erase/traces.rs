//! Where somebody has left a trace. The log names them wherever they had a part.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::audit::{self, People, Record, Who};
use crate::base::WorkspaceId;
use crate::store::{Conn, Store, StoreError};

/// What somebody left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    pub who: Who,
    /// Requests that they made, or decided on.
    pub requests: BTreeSet<String>,
    /// Conversations in which they asked for something, or their word on a request was told.
    pub threads: BTreeSet<String>,
    /// Other records of the log that name them, by number.
    pub records: BTreeSet<u64>,
    /// Deliveries that came of what they wrote and pressed.
    pub deliveries: BTreeSet<String>,
    /// What must come to its end first.
    pub open: Vec<Open>,
}

/// Something of theirs that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// A request waits for a decision.
    Request(String),
    /// An action has not ended, or nobody has said yet what became of it.
    Execution(String),
    /// An agent is at work.
    Run(String),
    /// A card or a message is still owed.
    Delivery(String),
}

impl Traces {
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.threads.is_empty() && self.records.is_empty()
    }
}

impl Store {
    /// Everything that somebody has left in the database, by their Slack account or their own id.
    pub async fn traces_of(
        &self,
        workspace: &WorkspaceId,
        person: &str,
    ) -> Result<Traces, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let mut people = People::default();
        let mut after = 0;
        while let Some(page) = some(&mut snapshot, workspace, after).await? {
            for record in page {
                after = record.seq;
                people.take_in(&serde_json::from_str(&record.body).unwrap_or_default());
            }
        }
        let mut traces = Traces { who: people.who(person), ..Traces::default() };
        after = 0;
        while let Some(page) = some(&mut snapshot, workspace, after).await? {
            for record in page {
                after = record.seq;
                if traces.who.is_in(&record.body) {
                    traces.follow(&mut snapshot, record).await?;
                }
            }
        }
        traces.look_for_what_is_open(&mut snapshot).await?;
        Ok(traces)
    }
}

async fn some(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    after: u64,
) -> Result<Option<Vec<Record>>, StoreError> {
    let page = audit::page(conn, workspace.as_str(), after).await?;
    Ok(Some(page).filter(|page| !page.is_empty()))
}

impl Traces {
    async fn follow(&mut self, conn: &mut Conn, record: Record) -> Result<(), StoreError> {
        let Record { kind, subject, seq, .. } = record;
        let body: Value = serde_json::from_str(&record.body).unwrap_or_default();
        let keys = [&body["evidence"]["delivery"], &body["delivery"], &body["event"]];
        let keys = keys.into_iter().chain([&body["message"], &body["call"]]);
        self.deliveries.extend(keys.filter_map(Value::as_str).map(str::to_owned));
        let thread = match kind.split('.').next() {
            Some("request") => {
                self.requests.insert(subject.clone());
                thread_of(
                    conn,
                    "SELECT thread_id FROM runs JOIN requests ON run_id = runs.id
                              WHERE requests.id = $1",
                    &subject,
                )
                .await?
            }
            Some("execution") => {
                thread_of(
                    conn,
                    "SELECT thread_id FROM runs JOIN executions ON run_id = runs.id
                              WHERE executions.id = $1",
                    &subject,
                )
                .await?
            }
            Some("run" | "call") => {
                thread_of(conn, "SELECT thread_id FROM runs WHERE id = $1", &subject).await?
            }
            _ => None,
        };
        // What belongs to a request or a conversation goes with it.
        if thread.is_none() && !self.requests.contains(&subject) {
            self.records.insert(seq);
        }
        self.threads.extend(thread);
        Ok(())
    }

    async fn look_for_what_is_open(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let mut open = Vec::new();
        for request in &self.requests {
            for (what, question) in [
                (
                    Open::Request as fn(String) -> Open,
                    "SELECT id FROM requests WHERE id = $1 AND outcome IS NULL",
                ),
                (
                    Open::Execution,
                    "SELECT id FROM executions WHERE request_id = $1
                       AND (ended_at IS NULL OR (state = 'unknown' AND settled IS NULL))",
                ),
                (
                    Open::Delivery,
                    "SELECT request_id FROM cards WHERE request_id = $1 AND state = 'open'
                       AND shown_version < want_version
                     UNION
                     SELECT request_id FROM notices WHERE request_id = $1 AND state = 'owed'",
                ),
            ] {
                open.extend(all(conn, question, request).await?.into_iter().map(what));
            }
        }
        for thread in &self.threads {
            for (what, question) in [
                (
                    Open::Run as fn(String) -> Open,
                    "SELECT id FROM runs WHERE thread_id = $1 AND state NOT IN ('done', 'failed')",
                ),
                (
                    Open::Execution,
                    "SELECT executions.id FROM executions JOIN runs ON runs.id = run_id
                     WHERE thread_id = $1 AND request_id IS NULL
                       AND (ended_at IS NULL OR (executions.state = 'unknown' AND settled IS NULL))",
                ),
                (
                    Open::Delivery,
                    "SELECT DISTINCT run_id FROM notices JOIN runs ON runs.id = run_id
                     WHERE thread_id = $1 AND notices.state = 'owed'",
                ),
            ] {
                open.extend(all(conn, question, thread).await?.into_iter().map(what));
            }
        }
        self.open = open;
        Ok(())
    }
}

async fn thread_of(
    conn: &mut Conn,
    question: &'static str,
    subject: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(question).bind(subject).fetch_optional(conn).await?)
}

async fn all(conn: &mut Conn, question: &'static str, id: &str) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(question).bind(id).fetch_all(conn).await?)
}
