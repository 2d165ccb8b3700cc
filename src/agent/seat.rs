//! Where an agent's loop stands in a graph: what its nodes and state keys are called there.

use super::{APPROVAL_NODE, CallSite};
use crate::graph::END;

/// The conversation of a run: its input is `{"messages": [Message, …]}`.
pub(super) const MESSAGES: &str = "messages";
/// What the run has used of its budget: a [`Spent`](super::Spent). All agents of a graph share it.
pub(super) const SPENT: &str = "spent";

/// The names of one loop's nodes and keys.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// The node that asks the model.
    pub(super) agent: String,
    pub(super) approval: String,
    pub(super) tools: String,
    /// The node that follows once the agent has answered.
    pub(super) then: String,
    /// The key of the conversation that the model is shown.
    pub(super) messages: String,
    /// The key of what became of the calls of its last message, in their order.
    pub(super) answers: String,
    /// The agent that proposes the calls, where that is not the run's own.
    pub(super) proposer: Option<String>,
}

impl Seat {
    /// Of an agent that is a graph by itself, and talks in the run's conversation.
    pub(super) fn alone() -> Self {
        Self {
            agent: "agent".to_owned(),
            approval: APPROVAL_NODE.to_owned(),
            tools: "tools".to_owned(),
            then: END.to_owned(),
            messages: MESSAGES.to_owned(),
            answers: "answers".to_owned(),
            proposer: None,
        }
    }

    /// Of the agent node `node` of a configured graph, with a conversation of its own.
    pub(super) fn within(node: &str, agent: &str, then: String) -> Self {
        Self {
            agent: format!("{node}/agent"),
            approval: format!("{node}/approval"),
            tools: format!("{node}/tools"),
            then,
            messages: format!("messages.{node}"),
            answers: format!("answers.{node}"),
            proposer: Some(agent.to_owned()),
        }
    }

    /// Whether what the model says is for the requester. In a configured graph it is for the graph,
    /// which tells the requester what its author wants told.
    pub(super) fn is_heard(&self) -> bool {
        self.proposer.is_none()
    }

    /// Where the calls of the loop come from.
    pub(super) fn site(&self) -> CallSite {
        let node = self.proposer.as_ref().map(|_| self.approval.clone());
        CallSite { agent: self.proposer.clone(), node, gate: None }
    }
}
