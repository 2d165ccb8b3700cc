//! The graph runtime: LangGraph's model of supersteps, without Slack, approvals, SQL or HTTP.
//!
//! A graph is a set of **state keys** and a set of **nodes** joined by edges. It runs in
//! **supersteps**: all nodes that are due run side by side on the same state, then their writes
//! are folded in by the reducers of the keys, in the order of their names whichever finished
//! first, and the edges of what ran say what is due next. After each superstep a **checkpoint**
//! goes to the [`Saver`], one call for one transaction, so a run can be taken up by any process.
//!
//! A node asks people by [`Context::interrupt`]. The run is then suspended, and goes on when each
//! question is answered **by its id**; an answer to an unknown id, or to other words than those
//! asked, is refused, and so is one without an id unless one question alone is open. New input
//! while something is pending is refused as well. `docs/GRAPHS.md` lists all that differs from
//! LangGraph, and why.
//!
//! LangGraph decides what is due by versions of channels. A trigger lives for one superstep only,
//! so here a checkpoint simply lists what is due; joins, which live longer, list who has come.
//!
//! Start at [`GraphBuilder`], then [`Graph::run`]; [`Graph::state`], [`Graph::history`] and
//! [`Graph::update_state`] look at a thread and change it; [`stream`] shapes what a run tells.

mod builder;
mod checkpoint;
mod context;
mod drain;
mod edit;
mod engine;
mod error;
mod event;
#[expect(clippy::module_inception, reason = "the graph is the one thing this room is about")]
mod graph;
mod ids;
mod keys;
mod list;
mod look;
mod memory;
mod node;
mod policy;
mod read;
mod record;
mod reducer;
mod run;
mod saver;
mod shared;
mod snapshot;
mod state;
mod stored;
pub mod stream;
mod subgraph;
#[cfg(test)]
mod tests;
mod timer;
mod update;
mod values;

pub use builder::{BuildError, GraphBuilder};
pub use checkpoint::{Change, Checkpoint, CheckpointRef, Source};
pub use context::{Ask, Context, ModelCall, ModelStart, ToolRun, ToolStart};
pub use drain::Drain;
pub use edit::Edit;
pub use error::{NodeError, TaskError};
pub use event::{
    Call, Event, EventSink, NoEvents, Planned, PlannedTask, TaskInfo, TaskPath, TaskStart,
};
pub use graph::{Graph, Memory, Pauses};
pub use list::SharedList;
pub use memory::{Kept, MemorySaver};
pub use node::{Node, Route, typed};
pub use policy::{NodeOptions, RetryOn, RetryPolicy, TimeLimit, TimedOut};
pub use record::{By, Done, Interrupt, Question, TaskRecord};
pub use reducer::{MessageList, Reducer};
pub use run::{Command, Durability, Input, Resume, RunEnd, RunError, RunOptions};
pub use saver::{At, NoSaver, SaveError, Saver, Snapshot, Turn, TurnStatus};
pub use snapshot::{HistoryFilter, StateSnapshot, TaskSnapshot};
pub use state::{State, StateValue};
pub use stored::{Stored, StoredChange};
pub use timer::{ManualTimer, Timer, TokioTimer};
pub use update::{IntoTargets, SendTo, Target, Update, Write};

/// Where input comes in. Not a node: only edges may start here.
pub const START: &str = "__start__";

/// Where branches end. Not a node: an edge to it leads nowhere.
pub const END: &str = "__end__";

/// Every node, where nodes are named to pause at.
pub const ALL: &str = "*";
