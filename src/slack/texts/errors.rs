//! When something of ours went wrong, and what the person can do.

use crate::base::RequestId;
use crate::slack::escape;

/// Nothing was changed and it is safe to try again. `what` completes "I could not …" and is ours,
/// never an error's text.
pub fn nothing_happened(what: &str) -> String {
    format!("I could not {what}. Nothing happened; please press again in a minute.")
}

/// Slack's three seconds for opening a dialog are over.
pub fn too_slow() -> String {
    "That took too long and Slack gave up waiting. Nothing happened; please press again.".to_owned()
}

/// A message came while the thread's earlier one is still being worked on, or waits for people.
pub fn queued_behind() -> &'static str {
    "Got it. I will come to this as soon as what you asked before in this thread is settled."
}

/// The desk was put back to an earlier day; whoever waited for an answer asks again.
pub fn restored(reason: &str) -> String {
    format!(
        "I was put back to a backup and have let go of what you asked here. Reason: {}. What was done \
         after the backup stays done, and I do not know of it: please look before you ask again.",
        escape::clipped(reason, 500)
    )
}

/// In the place of a request that the database holds and nobody can read any more.
pub fn damaged(request: &RequestId) -> String {
    format!(
        "{} is DAMAGED in the database, so it can be neither shown nor decided. Please tell the person who \
         runs Countersign: `countersign verify` says more.",
        escape::name(request.as_str())
    )
}

/// The agent's run ended without an answer.
pub fn run_failed(agent: &str) -> String {
    format!(
        "The agent {} stopped because of an error on my side. What was approved and done before stays \
         done and is in the record. You can write again; the operator's log says more.",
        escape::name(agent)
    )
}
