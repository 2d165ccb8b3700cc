//! Who somebody is, and which groups they are in, as Slack says now. Every failure is a no.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::client::{SlackApi, SlackError};
use crate::approval::{PersonFacts, SlackUser};
use crate::base::{Clock, PersonId};

/// Where our app is installed: whose people may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub team: String,
    pub enterprise: Option<String>,
}

/// Where the members of a group come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupSource {
    Users(Vec<MemberName>),
    /// A Slack user group, `S…`.
    UserGroup(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberName {
    /// `U…` or `W…`.
    User(String),
    Email(String),
}

/// Why a membership could not be told. Unknown means no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("no group is called `{0}`")]
    NoSuchGroup(String),
    #[error("the members of `{group}` could not be read: {error}")]
    Unreachable { group: String, error: SlackError },
}

pub struct Directory {
    slack: Arc<dyn SlackApi>,
    clock: Arc<dyn Clock>,
    home: Home,
    aliases: BTreeMap<String, PersonId>,
    groups: BTreeMap<String, GroupSource>,
}

impl Directory {
    /// `aliases` maps Slack user ids to the one human who owns them.
    pub fn new(
        slack: Arc<dyn SlackApi>,
        clock: Arc<dyn Clock>,
        home: Home,
        aliases: BTreeMap<String, PersonId>,
        groups: BTreeMap<String, GroupSource>,
    ) -> Self {
        Self {
            slack,
            clock,
            home,
            aliases,
            groups,
        }
    }

    /// Who this is right now. Never fails: what could not be learned is a standing that denies.
    pub async fn person(&self, user: &SlackUser) -> PersonFacts {
        todo!(
            "{user:?} {:?} {:?} {}",
            self.home,
            self.aliases,
            Arc::strong_count(&self.slack)
        )
    }

    /// Is this person in one of the groups? An empty list is nobody.
    pub async fn member_of(
        &self,
        person: &PersonFacts,
        groups: &[String],
    ) -> Result<bool, DirectoryError> {
        todo!(
            "{person:?} {groups:?} {:?} {}",
            self.groups,
            self.clock.now()
        )
    }

    /// The names of everybody in the groups, for texts.
    pub async fn approver_names(&self, groups: &[String]) -> Result<Vec<String>, DirectoryError> {
        todo!("{groups:?}")
    }
}
