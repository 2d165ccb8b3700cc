//! Configured graphs: agents, tools, approvals and checks put together in `countersign.yaml`, made
//! into a [`Graph`](crate::graph::Graph).
//!
//! One node runs at a time and says itself where to go next. A graph in a graph is unfolded into
//! it, so what runs is one flat graph: the node `check` of a graph that stands as `sub` is
//! `sub/check`, and the loop of the agent node `ask` is `ask/agent → ask/approval → ask/tools`.
//!
//! No node does anything outside. A tool node asks one question, its call, and the desk answers it
//! as it answers an agent's; an approval node asks that very question in its call's place and
//! demands that people decide it. So a graph can be stricter than the policy and never looser.

mod compile;
mod nodes;
mod spec;
#[cfg(test)]
mod tests;
mod unfold;
mod view;

pub use compile::{Crew, CrewMember, FlowError, compile_flow, told_since};
pub use spec::{FlowCase, FlowSpec, FlowStep};
