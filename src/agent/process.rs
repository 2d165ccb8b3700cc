//! Programs that are started, and killed together with their children.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// A process group, killed at the latest when this is dropped.
#[derive(Debug)]
pub(super) struct Group(Option<Pid>);

impl Group {
    /// Of a child that was started with `process_group(0)`.
    pub(super) fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// The group's number may be given away once its last process is gone, so it is used once.
    pub(super) fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            // It fails when nothing is left of the group, which is what we want.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A word as it is if nobody can misread it, else as a JSON string: two different command lines
/// never look the same.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        serde_json::Value::from(word).to_string()
    }
}
