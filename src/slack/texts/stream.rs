//! The lines of the list of what is being done, and what is said when somebody stops it.

use crate::stream::{Task, TaskKind, cut};

/// What a line holds at most.
const LINE: usize = 200;

/// A line of the list.
pub fn task(task: &Task) -> String {
    match &task.what {
        TaskKind::Node(node) if node == "agent" => "Thinking".to_owned(),
        TaskKind::Node(node) => cut(node, LINE).to_owned(),
        TaskKind::Tool(tool) => format!("Running {}", cut(tool, LINE)),
        TaskKind::Approval(tool) => format!("Approval of {}", cut(tool, LINE)),
    }
}

/// To the thread, when its requester has stopped the run.
pub fn stopped() -> &'static str {
    "Stopped. Nothing more is done, and nobody is asked for approval any more."
}

/// The same when an action had begun, which cannot be called back.
pub fn stopped_while_running() -> &'static str {
    "Stopped. An action that had begun already cannot be called back; how it ends is told here."
}

/// To somebody who pressed stop in a thread that is not theirs.
pub fn not_yours_to_stop() -> &'static str {
    "Only the person who asked can stop this. It goes on."
}
