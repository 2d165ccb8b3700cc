//! The stop switch: while it is on, nothing starts.

use super::{Store, StoreError};
use crate::base::{Timestamp, WorkspaceId};

/// How the switch of a workspace stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    pub position: SwitchPosition,
    pub by: String,
    pub reason: String,
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchPosition {
    Stopped,
    Going,
}

impl Store {
    /// After this no execution starts.
    pub async fn stop(
        &self,
        workspace: &WorkspaceId,
        by: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        todo!("{workspace} {by} {reason}")
    }

    /// Lets executions start again.
    pub async fn start(
        &self,
        workspace: &WorkspaceId,
        by: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        todo!("{workspace} {by} {reason}")
    }

    /// Absent when it was never touched: then everything goes.
    pub async fn switch(&self, workspace: &WorkspaceId) -> Result<Option<Switch>, StoreError> {
        todo!("{workspace}")
    }
}
