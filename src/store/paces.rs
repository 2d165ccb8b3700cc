//! How fast a workspace's Slack may be called, by every process on this database together.
//!
//! Only one process works on a SQLite file, so there its memory is enough. On Postgres it is a row,
//! read and written in a turn: between two turns nobody else can take a slot, and the clock that
//! counts is the database's. Nobody owns a slot that was taken; it is made up for by time, whatever
//! became of whoever took it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::open::Kind;
use super::rows::{from_json, json};
use super::{Store, StoreError, Tx};
use crate::base::{Haste, Paces, Slot, Span, Timestamp, WorkspaceId};

/// Where the paces of a database are kept.
#[derive(Clone)]
pub(super) enum PaceBook {
    Memory(Arc<Mutex<HashMap<WorkspaceId, Paces>>>),
    Table,
}

impl Store {
    /// Takes the slots of one call, all or none, or says when to come again, by our own clock.
    pub async fn take_slots(
        &self,
        workspace: &WorkspaceId,
        slots: Vec<Slot>,
        haste: Haste,
    ) -> Result<Result<(), Timestamp>, StoreError> {
        self.at_the_pace(workspace, move |paces, now| paces.take(&slots, haste, now)).await
    }

    /// Slack said to wait with this: everybody does.
    pub async fn hold_slots(
        &self,
        workspace: &WorkspaceId,
        what: &'static str,
        wait: Span,
    ) -> Result<(), StoreError> {
        let held = move |paces: &mut Paces, now| {
            paces.hold(what, wait, now);
            Ok(())
        };
        self.at_the_pace(workspace, held).await.map(|_| ())
    }

    async fn at_the_pace<F>(
        &self,
        workspace: &WorkspaceId,
        ask: F,
    ) -> Result<Result<(), Timestamp>, StoreError>
    where
        F: FnOnce(&mut Paces, Timestamp) -> Result<(), Timestamp> + Send + 'static,
    {
        let workspace = workspace.clone();
        match &self.paces {
            PaceBook::Memory(memory) => {
                let mut memory = open(memory);
                Ok(ask(memory.entry(workspace).or_default(), self.clock.now()))
            }
            PaceBook::Table => {
                self.write(move |tx| {
                    Box::pin(async move {
                        let mut paces = read(tx, &workspace).await?;
                        let answer = ask(&mut paces, tx.now);
                        write(tx, &workspace, &paces).await?;
                        Ok(answer.map_err(|until| tx.seen_here(until)))
                    })
                })
                .await
            }
        }
    }
}

impl PaceBook {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Memory(Arc::default()),
            Kind::Postgres => Self::Table,
        }
    }

    /// How often each of several calls could be made now, within a transaction. It takes nothing.
    pub(super) async fn rooms(
        &self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        calls: &[Vec<Slot>],
    ) -> Result<Vec<usize>, StoreError> {
        let each = |paces: &mut Paces, now| -> Vec<usize> {
            calls.iter().map(|slots| paces.room(slots, now)).collect()
        };
        if calls.iter().all(Vec::is_empty) {
            return Ok(each(&mut Paces::default(), tx.now));
        }
        match self {
            Self::Memory(memory) => {
                let now = tx.seen_here(tx.now);
                Ok(each(open(memory).entry(workspace.clone()).or_default(), now))
            }
            Self::Table => Ok(each(&mut read(tx, workspace).await?, tx.now)),
        }
    }

    /// Asks for several calls, fairly, within a transaction. Each is told whether it has its slots, or
    /// when to come again.
    pub(super) async fn take_each(
        &self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        calls: &[Vec<Slot>],
    ) -> Result<Vec<Result<(), Timestamp>>, StoreError> {
        match self {
            Self::Memory(memory) => {
                let now = tx.seen_here(tx.now);
                let mut memory = open(memory);
                let told = memory.entry(workspace.clone()).or_default().take_fairly(calls, now);
                drop(memory);
                let later = |told: Result<(), Timestamp>| told.map_err(|until| tx.due_at(until));
                Ok(told.into_iter().map(later).collect())
            }
            Self::Table => {
                let mut paces = read(tx, workspace).await?;
                let told = paces.take_fairly(calls, tx.now);
                write(tx, workspace, &paces).await?;
                Ok(told)
            }
        }
    }
}

fn open(
    memory: &Mutex<HashMap<WorkspaceId, Paces>>,
) -> MutexGuard<'_, HashMap<WorkspaceId, Paces>> {
    // Pacing is only arithmetic; a panic elsewhere leaves nothing half done in it.
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What cannot be read must not keep anybody from being asked: it is taken to be at rest.
async fn read(tx: &mut Tx, workspace: &WorkspaceId) -> Result<Paces, StoreError> {
    let body: Option<String> = sqlx::query_scalar("SELECT body FROM paces WHERE workspace = $1")
        .bind(workspace.as_str())
        .fetch_optional(&mut tx.conn)
        .await?;
    let read = body.map_or(Ok(Paces::default()), |body| from_json("paces", &body));
    Ok(read.unwrap_or_else(|error| {
        tracing::error!(%workspace, %error, "the pace begins anew");
        Paces::default()
    }))
}

async fn write(tx: &mut Tx, workspace: &WorkspaceId, paces: &Paces) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO paces (workspace, body) VALUES ($1, $2)
         ON CONFLICT (workspace) DO UPDATE SET body = excluded.body",
    )
    .bind(workspace.as_str())
    .bind(json(paces)?)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
