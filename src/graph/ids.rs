//! Ids of checkpoints, tasks and interrupts: hashes of what they name, so that every process that
//! takes up a thread makes the same ones. No clock and no randomness goes into them.
//!
//! What makes them unique is the run's id, which the caller gives: it is in the id of each
//! checkpoint of the run, that is in the ids of the tasks planned from it, and that in the ids of
//! their interrupts.

use sha2::{Digest, Sha256};

/// The namespace of a graph that no other graph runs.
pub(super) const ROOT: &str = "";

/// The id of the checkpoint that `run` makes at `step` upon `parent`.
pub(super) fn checkpoint(parent: Option<&str>, run: &str, step: i64) -> String {
    hash(&["checkpoint", parent.unwrap_or_default(), run, &step.to_string()])
}

/// The id of a task planned from `checkpoint`. `sent` is its place among the tasks that were sent
/// for this superstep; none if an edge led to its node.
pub(super) fn task(checkpoint: &str, step: i64, node: &str, sent: Option<usize>) -> String {
    let sent = sent.map(|place| place.to_string()).unwrap_or_default();
    hash(&["task", checkpoint, ROOT, &step.to_string(), node, &sent])
}

/// The id of a task's question at `position`, counted from zero.
pub(super) fn interrupt(task: &str, position: usize) -> String {
    hash(&["interrupt", ROOT, task, &position.to_string()])
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
            checkpoint(None, "run", 0),
            checkpoint(Some("parent"), "run", 0),
            checkpoint(None, "other", 0),
            checkpoint(None, "run", 1),
            task("checkpoint", 1, "node", None),
            task("checkpoint", 1, "node", Some(0)),
            task("checkpoint", 1, "node", Some(1)),
            task("checkpoint", 1, "other", None),
            task("checkpoint", 2, "node", None),
            task("other", 1, "node", None),
            interrupt("task", 0),
            interrupt("task", 1),
            interrupt("other", 0),
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
        assert_eq!(checkpoint(None, "run_1", 0), "306e07f4bbceba79e621707b973b74d5");
        assert_eq!(interrupt(&task("c", 1, "ask", None), 0), "bc3abd36b10fc337f9289eed26974eaf");
    }
}
