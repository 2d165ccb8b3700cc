//! The graph runtime: LangGraph's model of supersteps, without Slack, approvals, SQL or HTTP.
//!
//! A graph is a set of **state keys** and a set of **nodes** joined by edges. It runs in
//! **supersteps**: all nodes that are due run side by side on the same state, then their writes
//! are folded in by the reducers of the keys, in the order of their names whichever finished
//! first, and the edges of what ran say what is due next. After each superstep a **checkpoint**
//! goes to the [`Saver`], one call for one transaction, so a run can be taken up by any process.
//!
//! A node asks people by [`Context::interrupt`]. The run is then suspended, and goes on when each
//! question is answered **by its id**; an answer without an id, to an unknown id or to other words
//! than those asked is refused. New input while something is pending is refused as well.
//!
//! LangGraph decides what is due by versions of channels. A trigger lives for one superstep only,
//! so here a checkpoint simply lists what is due; joins, which live longer, list who has come.
//!
//! Start at [`GraphBuilder`], then [`Graph::run`].

mod builder;
mod checkpoint;
mod context;
mod engine;
mod event;
#[expect(clippy::module_inception, reason = "the graph is the one thing this room is about")]
mod graph;
mod ids;
mod list;
mod memory;
mod node;
mod read;
mod reducer;
mod run;
mod saver;
mod state;
#[cfg(test)]
mod tests;
mod update;

pub use builder::{BuildError, GraphBuilder};
pub use checkpoint::{Change, Checkpoint, Interrupt, Question, Source, TaskOutcome, TaskWrites};
pub use context::Context;
pub use event::{Event, EventSink, NoEvents};
pub use graph::Graph;
pub use list::SharedList;
pub use memory::{Kept, MemorySaver};
pub use node::{Node, NodeError, Route, typed};
pub use reducer::Reducer;
pub use run::{Input, Limits, RunEnd, RunError};
pub use saver::{NoSaver, SaveError, Saver, Snapshot, Turn, TurnStatus};
pub use state::{State, StateValue};
pub use update::{IntoTargets, SendTo, Target, Update};

/// Where input comes in. Not a node: only edges may start here.
pub const START: &str = "__start__";

/// Where branches end. Not a node: an edge to it leads nowhere.
pub const END: &str = "__end__";
