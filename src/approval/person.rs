//! Who somebody is, as far as a decision may lean on it.

use serde::{Deserialize, Serialize};

use crate::base::PersonId;

/// One Slack account. Names and e-mail addresses are never identities: people change them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SlackUser {
    /// The person's own workspace, as the click or the directory names it.
    pub team: String,
    /// `U…` or `W…`.
    pub user: String,
    /// The organisation on Enterprise Grid.
    pub enterprise: Option<String>,
}

/// What keeps somebody from deciding, or nothing. Read from the directory at the click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A full member of the installed workspace.
    Member,
    Guest,
    Deactivated,
    Bot,
    /// From another company, through a shared channel.
    Outsider,
    /// Slack does not know them.
    Unknown,
    /// The directory could not be asked. Unknown means no.
    Unreachable,
}

/// What the directory said about somebody, at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonFacts {
    /// The human behind the account; aliases of one human share it.
    pub person: PersonId,
    pub user: SlackUser,
    /// As the directory shows it; for people to read, never to decide by.
    pub name: String,
    pub standing: Standing,
}

/// Who asked for an action, and the human behind an automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    pub person: PersonId,
    pub user: SlackUser,
    pub name: String,
    /// The human who answers for a requesting automation; separation binds them too.
    pub owner: Option<PersonId>,
}
