//! What one process does of all that a desk does.

use std::str::FromStr;

use crate::work::Loop;

/// One of the things that a process may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes what Slack and callers send.
    Web,
    /// Keeps one loop going.
    Work(Loop),
}

impl Role {
    pub fn all() -> Vec<Self> {
        std::iter::once(Self::Web).chain(Loop::ALL.map(Self::Work)).collect()
    }

    fn word(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Work(which) => which.word(),
        }
    }
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no role `{0}`; they are web, runs, executions, timers, deliveries, \
         streams and retention"
)]
pub struct NoRole(String);

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(word: &str) -> Result<Self, NoRole> {
        let named = |role: &Self| role.word() == word;
        Self::all().into_iter().find(named).ok_or_else(|| NoRole(word.to_owned()))
    }
}

/// Everything that one process does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

impl Default for Roles {
    /// One process that does everything.
    fn default() -> Self {
        Self(Role::all())
    }
}

impl Roles {
    /// Those that are named; all of them when none is.
    pub fn of(named: Vec<Role>) -> Self {
        if named.is_empty() { Self::default() } else { Self(named) }
    }

    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether one process with these leaves nothing to others.
    pub fn are_all(&self) -> bool {
        Role::all().into_iter().all(|role| self.has(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_does_what_is_named_or_everything() {
        let named = |words: &str| -> Roles {
            Roles::of(words.split_terminator(',').map(|word| word.parse().unwrap()).collect())
        };
        assert!(named("").are_all());
        assert!(named("web,runs,executions,timers,deliveries,streams,retention").are_all());
        let hands = named("runs,executions");
        assert!(hands.has(Role::Work(Loop::Executions)) && !hands.has(Role::Web));
        assert!(!hands.are_all());
        assert!("webs".parse::<Role>().is_err());
    }
}
