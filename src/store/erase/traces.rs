//! Where somebody has left a trace. The log names them wherever they had a part.

use std::collections::BTreeSet;

use super::{Open, begun, open};
use crate::audit::{self, People, Record, Who};
use crate::base::{PersonId, WorkspaceId};
use crate::store::{Conn, Store, StoreError};

/// What somebody left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    pub who: Who,
    /// How the log calls them.
    pub names: BTreeSet<String>,
    /// Requests that they made, or decided on.
    pub requests: BTreeSet<String>,
    /// Conversations in which they asked for something, or their word on a request was told.
    pub threads: BTreeSet<String>,
    /// Other records of the log that name them, by number.
    pub records: BTreeSet<u64>,
    /// What stands for them already, where an erasure of them was cut off.
    pub begun: Option<PersonId>,
    /// What must come to its end first.
    pub open: Vec<Open>,
}

impl Traces {
    pub fn is_empty(&self) -> bool {
        let nothing =
            self.requests.is_empty() && self.threads.is_empty() && self.records.is_empty();
        nothing && self.begun.is_none()
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
        let mut traces = Traces::default();
        match begun::of(&mut snapshot, workspace, &[person.to_owned()].into()).await? {
            Some(begun) => {
                traces.who = begun.who;
                traces.threads = begun.threads;
                traces.begun = Some(begun.pseudonym);
            }
            None => traces.who = who(&mut snapshot, workspace, person).await?,
        }
        let mut after = 0;
        while let Some(page) = some(&mut snapshot, workspace, after).await? {
            for record in page {
                after = record.seq;
                if traces.who.is_in(&record.body) {
                    traces.follow(&mut snapshot, record).await?;
                }
            }
        }
        for request in &traces.requests {
            traces.open.extend(open::of_request(&mut snapshot, request).await?);
        }
        for thread in &traces.threads {
            traces.open.extend(open::of_thread(&mut snapshot, thread).await?);
        }
        Ok(traces)
    }
}

/// Every id that the log has of the human who has this one.
async fn who(conn: &mut Conn, workspace: &WorkspaceId, id: &str) -> Result<Who, StoreError> {
    let mut people = People::default();
    let mut after = 0;
    while let Some(page) = some(conn, workspace, after).await? {
        for record in page {
            after = record.seq;
            people.take_in(&serde_json::from_str(&record.body).unwrap_or_default());
        }
    }
    Ok(people.who(id))
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
        self.names
            .extend(self.who.names_in(&serde_json::from_str(&record.body).unwrap_or_default()));
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
}

async fn thread_of(
    conn: &mut Conn,
    question: &'static str,
    subject: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(question).bind(subject).fetch_optional(conn).await?)
}
