//! What the desk does when something comes in: a message, a click, a dialog, a command, a tool call
//! that an agent proposes.
//!
//! Here the rooms meet: Slack's payloads and directory, the pure core, and the store. The desk
//! itself keeps nothing; whatever matters is a row by the time a function here returns.

mod calls;
mod clicks;
mod commands;
mod gate;
mod home;
mod listeners;
mod messages;
mod open;
mod slots;
mod staff;
mod stops;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use calls::{Call, CallRefused, Callers};
pub use gate::{Asker, Gate, GateError, Occasion};
pub use listeners::{Listeners, Seat};
pub use open::{StartError, definitions, group_sources};
pub use slots::Slots;
pub use view::{card_view, execution_view};

use crate::base::{Clock, Ids, WorkspaceId};
use crate::config::Config;
use crate::graph::Graph;
use crate::slack::client::{Channels, Identity, SlackApi, SlackError};
use crate::slack::directory::Directory;
use crate::slack::signature::Verifier;
use crate::store::{Definitions, Store, StoreError};
use crate::work::Wake;

/// The desk of one workspace.
pub struct Desk {
    pub config: Config,
    pub store: Store,
    pub slack: Arc<dyn SlackApi>,
    /// What keeps `slack` to its pace; absent where it may be called as fast as we like.
    pub slots: Option<Arc<Slots>>,
    pub directory: Directory,
    pub channels: Channels,
    pub verifier: Verifier,
    pub gate: Gate,
    pub callers: Callers,
    pub agents: BTreeMap<String, Worker>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub wake: Wake,
    /// Who follows runs over HTTP.
    pub listeners: Listeners,
    /// Who we are in Slack.
    pub identity: Identity,
    pub workspace: WorkspaceId,
    /// Names this process in leases; another one after each start.
    pub owner: String,
}

/// An agent, ready to run.
pub struct Worker {
    pub graph: Graph,
    /// Slack's ids or names of the channels it answers in.
    pub channels: Vec<String>,
}

impl Desk {
    /// The app that requests must be meant for, where we know it.
    pub fn app(&self) -> Option<&str> {
        self.config.slack.app_id.as_deref().or(self.identity.app_id.as_deref())
    }

    /// What its runs can go on with.
    pub fn definitions(&self) -> Definitions {
        definitions_of(&self.agents)
    }

    /// The agent that answers where no other does.
    fn default_agent(&self) -> Option<&str> {
        self.config.agents.iter().find(|(_, agent)| agent.is_default).map(|(name, _)| name.as_str())
    }
}

fn definitions_of(agents: &BTreeMap<String, Worker>) -> Definitions {
    let hash =
        |(name, worker): (&'_ String, &Worker)| (name.clone(), worker.graph.definition_hash());
    Definitions::of(agents.iter().map(hash))
}

/// Why the desk could not do what a request asked. Nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Slack(#[from] SlackError),
}
