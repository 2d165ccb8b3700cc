//! A person is forgotten: their names, accounts and words go, and a pseudonym stands for them.
//!
//! Each of their ids has a pseudonym of its own, the same one in everything that one erasure touches,
//! so votes still count as many people as they were. Each request and some runs of a conversation are
//! one transaction, with a record that says who stands for it and has the hashes of what is left.
//! An erasure that was cut off is found again, and goes on under the same pseudonym.

mod begun;
mod open;
mod traces;
mod write;

use std::collections::VecDeque;

pub use open::Open;
pub use traces::Traces;

use super::{Store, StoreError};
use crate::base::{PersonId, WorkspaceId};

/// How many records are dealt with in one transaction.
const AT_ONCE: usize = 100;

/// Who stands for an erasure, and why. Two people, so that none can hide what they did.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub by: String,
    pub with: String,
    pub reason: String,
}

/// An erasure under way. What it has done is done; the rest is found again if it is given up.
pub struct Erasing {
    store: Store,
    eraser: write::Eraser,
    steps: VecDeque<Step>,
    open: Vec<Open>,
}

/// One transaction of an erasure.
enum Step {
    Request(String),
    /// Some runs of a conversation, after one of them.
    Thread(String, Option<Place>),
    Records(Vec<u64>),
}

/// A run's place in its conversation: when it began, and its id.
type Place = (i64, String);

/// What became of an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// What stands for them from now on.
    pub pseudonym: PersonId,
    /// What came up meanwhile and was left as it is. When it has ended, the erasure can go on.
    pub open: Vec<Open>,
}

impl Store {
    /// Begins to forget whoever left these traces, or goes on with an erasure of them that was cut off:
    /// then under its pseudonym, and not under this one.
    pub async fn begin_erasure(
        &self,
        workspace: &WorkspaceId,
        traces: Traces,
        erasure: Erasure,
        pseudonym: PersonId,
    ) -> Result<Erasing, StoreError> {
        let place = workspace.clone();
        let Traces { who, requests, threads, records, .. } = traces;
        let begun = begun::Begun { pseudonym, who, threads };
        let begun = self
            .write(move |tx| Box::pin(async move { begun::begin(tx, &place, begun).await }))
            .await?;
        let begun::Begun { pseudonym, who, threads } = begun;
        let records = records.into_iter().collect::<Vec<_>>();
        let steps = requests.into_iter().map(Step::Request);
        let steps = steps.chain(threads.into_iter().map(|thread| Step::Thread(thread, None)));
        let steps = steps.chain(records.chunks(AT_ONCE).map(|some| Step::Records(some.to_vec())));
        Ok(Erasing {
            store: self.clone(),
            eraser: write::Eraser { workspace: workspace.clone(), who, erasure, pseudonym },
            steps: steps.collect(),
            open: Vec::new(),
        })
    }
}

impl Erasing {
    /// What stands for them.
    pub fn pseudonym(&self) -> &PersonId {
        &self.eraser.pseudonym
    }

    /// Takes the next step. Says whether there was one.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        let Some(step) = self.steps.pop_front() else { return Ok(false) };
        let eraser = self.eraser.clone();
        let (open, next) = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    match step {
                        Step::Request(id) => Ok((eraser.request(tx, &id).await?, None)),
                        Step::Thread(id, after) => {
                            let (open, last) = eraser.thread(tx, &id, after).await?;
                            Ok((open, last.map(|last| Step::Thread(id, Some(last)))))
                        }
                        Step::Records(numbers) => Ok((eraser.records(tx, numbers).await?, None)),
                    }
                })
            })
            .await?;
        self.open.extend(open);
        if let Some(next) = next {
            self.steps.push_front(next);
        }
        Ok(true)
    }

    /// Takes all steps that are left. It is over when nothing was open; otherwise it can go on later.
    pub async fn finish(mut self) -> Result<Erased, StoreError> {
        while self.step().await? {}
        let write::Eraser { workspace, pseudonym, .. } = self.eraser;
        if self.open.is_empty() {
            let over = pseudonym.clone();
            self.store
                .write(move |tx| Box::pin(async move { begun::end(tx, &workspace, &over).await }))
                .await?;
        }
        Ok(Erased { pseudonym, open: self.open })
    }
}
