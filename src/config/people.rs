//! `people:`, `groups:` and `channels:` who somebody is, who may decide, and where we meet them.

use super::Located;

/// One human with several Slack accounts. Separation of duties and quorums count humans, so
/// somebody with two accounts must be told to us here.
#[derive(Clone, Debug)]
pub struct Person {
    /// `U…` or `W…`, each in the list of one person only.
    pub slack: Vec<Located<String>>,
}

/// Some people who may be asked to decide.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: Located<String>,
    pub members: Members,
}

/// How the members of a group are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// E-mail addresses or Slack user ids. Empty means nobody.
    Users(Vec<Located<String>>),
    /// The id of a Slack user group, `S…`; asked afresh at every click.
    SlackUsergroup(Located<String>),
}

/// A Slack channel under the name the rest of the file uses for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub name: Located<String>,
    /// `#approvals`, or its id `C…` or `G…`, which survives a renaming.
    pub slack: Located<String>,
}
