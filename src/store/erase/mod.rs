//! A person is forgotten: their names, accounts and words go, and a pseudonym stands for them.
//!
//! The pseudonym is the same in everything that one erasure touches, so votes still count as many
//! people as they were. Each request and each conversation is one transaction, with a record that
//! says who stands for the erasure and has the hashes of what is left.

mod traces;
mod write;

use std::collections::BTreeSet;

pub use traces::{Open, Traces};

use super::{Store, StoreError};
use crate::base::{PersonId, WorkspaceId};

/// How many records or deliveries are dealt with in one transaction.
const AT_ONCE: usize = 100;

/// Who stands for an erasure, and why. Two people, so that none can hide what they did.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub by: String,
    pub with: String,
    pub reason: String,
}

impl Store {
    /// Forgets whoever left these traces, and gives back what stands for them from now on. When
    /// something new has come up meanwhile it stays, and can be erased afterwards.
    pub async fn erase(
        &self,
        workspace: &WorkspaceId,
        traces: Traces,
        erasure: Erasure,
        pseudonym: PersonId,
    ) -> Result<(), StoreError> {
        let eraser =
            write::Eraser { workspace: workspace.clone(), who: traces.who, erasure, pseudonym };
        for request in traces.requests {
            let eraser = eraser.clone();
            self.write(move |tx| Box::pin(async move { eraser.request(tx, &request).await }))
                .await?;
        }
        for thread in traces.threads {
            let eraser = eraser.clone();
            self.write(move |tx| Box::pin(async move { eraser.thread(tx, &thread).await })).await?;
        }
        for some in batches(traces.records) {
            let eraser = eraser.clone();
            self.write(move |tx| Box::pin(async move { eraser.records(tx, some).await })).await?;
        }
        for some in batches(traces.deliveries) {
            let eraser = eraser.clone();
            self.write(move |tx| Box::pin(async move { eraser.deliveries(tx, some).await }))
                .await?;
        }
        Ok(())
    }
}

fn batches<T: Clone>(all: BTreeSet<T>) -> Vec<Vec<T>> {
    all.into_iter().collect::<Vec<_>>().chunks(AT_ONCE).map(<[T]>::to_vec).collect()
}
