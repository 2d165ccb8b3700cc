//! When something of ours went wrong, and what the person can do.

/// Nothing was changed and it is safe to try again. `what` completes "I could not …".
pub fn nothing_happened(what: &str) -> String {
    todo!("{what}")
}

/// Slack's three seconds for opening a dialog are over.
pub fn too_slow() -> String {
    todo!()
}

/// A message came while the thread's earlier one is still being worked on.
pub fn queued_behind(ahead: u64) -> String {
    todo!("{ahead}")
}

/// The agent's run ended without an answer.
pub fn run_failed(agent: &str) -> String {
    todo!("{agent}")
}
