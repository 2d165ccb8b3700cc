//! Ids of checkpoints, tasks and interrupts: hashes of what they name, so that every process that
//! takes up a thread makes the same ones. No clock and no randomness goes into them.
//!
//! What makes them unique is the run's id, which the caller gives: it is in the id of each
//! checkpoint of the run, that is in the ids of the tasks planned from it, and that in the ids of
//! their interrupts.

use sha2::{Digest, Sha256};

/// The id of the checkpoint that `run` makes at `step` upon `parent`. `branch` is the thread's
/// latest checkpoint if that is not the parent: it keeps the branches of one checkpoint apart.
pub(super) fn checkpoint(
    parent: Option<&str>,
    namespace: &str,
    run: &str,
    step: i64,
    branch: Option<&str>,
) -> String {
    let (parent, step) = (parent.unwrap_or_default(), step.to_string());
    match (namespace, branch) {
        ("", None) => hash(&["checkpoint", parent, run, &step]),
        (namespace, branch) => {
            hash(&["checkpoint", parent, run, &step, namespace, branch.unwrap_or_default()])
        }
    }
}

/// The id of a task planned from `checkpoint`. `sent` is its place among the tasks that were sent
/// for this superstep; none if an edge led to its node.
pub(super) fn task(
    checkpoint: &str,
    namespace: &str,
    step: i64,
    node: &str,
    sent: Option<usize>,
) -> String {
    let sent = sent.map(|place| place.to_string()).unwrap_or_default();
    hash(&["task", checkpoint, namespace, &step.to_string(), node, &sent])
}

/// The id of a task's question at `position`, counted from zero.
pub(super) fn interrupt(namespace: &str, task: &str, position: usize) -> String {
    hash(&["interrupt", namespace, task, &position.to_string()])
}

/// The id of the message at `place` of what a task wrote to `key`, if it has none of its own.
pub(super) fn message(task: &str, key: &str, place: usize) -> String {
    hash(&["message", task, key, &place.to_string()])
}

/// The id of a call within a task: of a model, a tool or a route.
pub(super) fn call(task: &str, attempt: u32, place: usize) -> String {
    hash(&["call", task, &attempt.to_string(), &place.to_string()])
}

/// A number between 0 and 1 that parts tasks which failed together.
pub(super) fn share(task: &str, attempt: u32) -> f64 {
    let hash = hash(&["share", task, &attempt.to_string()]);
    u32::from_str_radix(&hash[..8], 16)
        .map_or(0.0, |number| f64::from(number) / f64::from(u32::MAX))
}

/// The first 16 bytes of SHA-256 over the parts, each after its length, as lower-case hex.
fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(&hasher.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_depends_on_each_of_its_parts() {
        let ids = [
            checkpoint(None, "", "run", 0, None),
            checkpoint(Some("parent"), "", "run", 0, None),
            checkpoint(None, "", "other", 0, None),
            checkpoint(None, "", "run", 1, None),
            checkpoint(None, "within", "run", 1, None),
            checkpoint(None, "", "run", 1, Some("branch")),
            task("checkpoint", "", 1, "node", None),
            task("checkpoint", "", 1, "node", Some(0)),
            task("checkpoint", "", 1, "node", Some(1)),
            task("checkpoint", "", 1, "other", None),
            task("checkpoint", "", 2, "node", None),
            task("checkpoint", "within", 1, "node", None),
            task("other", "", 1, "node", None),
            interrupt("", "task", 0),
            interrupt("", "task", 1),
            interrupt("within", "task", 0),
            interrupt("", "other", 0),
            message("task", "key", 0),
            message("task", "key", 1),
            message("task", "other", 0),
            call("task", 1, 0),
            call("task", 1, 1),
            call("task", 2, 0),
        ];
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for id in &ids {
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
        }
    }

    #[test]
    fn ids_of_stored_threads_never_change() {
        // Stored checkpoints and questions are found again by these: a change orphans them.
        assert_eq!(checkpoint(None, "", "run_1", 0, None), "306e07f4bbceba79e621707b973b74d5");
        assert_eq!(
            interrupt("", &task("c", "", 1, "ask", None), 0),
            "bc3abd36b10fc337f9289eed26974eaf"
        );
    }
}
