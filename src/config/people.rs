//! `people:`, `groups:` and `channels:` who somebody is, who may decide, and where we meet them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Config;
use super::slack::is_slack_id;
use crate::base::PersonId;
use crate::config::reading::{Complained, Located, Named, OneOrMany, Reader};

/// One human with several Slack accounts. Separation of duties and quorums count humans, so
/// somebody with two accounts must be made known here.
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
#[derive(Clone, Debug)]
pub enum Members {
    /// Empty means nobody.
    Users(Vec<Located<Member>>),
    /// The id of a Slack user group, `S…`; asked afresh at every click.
    SlackUsergroup(String),
}

/// How one member of a group is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// `U…` or `W…`.
    User(String),
    Email(String),
}

/// A Slack channel under the name the rest of the file uses for it.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: Located<String>,
    /// `#approvals`, or its id `C…` or `G…`, which survives a renaming.
    pub slack: Located<String>,
}

impl Config {
    /// Which human owns which Slack account, for those with an entry under `people`.
    pub fn aliases(&self) -> BTreeMap<String, PersonId> {
        let mut aliases = BTreeMap::new();
        for (name, person) in &self.people {
            for account in &person.slack {
                aliases.insert(account.value.clone(), PersonId::existing(format!("per_{name}")));
            }
        }
        aliases
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonSection {
    slack: OneOrMany,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupSection {
    users: Option<Vec<Located<String>>>,
    slack_usergroup: Option<Located<String>>,
}

pub(super) fn read_people(
    people: Named<PersonSection>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, Person> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    reader.named(people, |reader, name, section| {
        for account in &section.slack.0 {
            if !is_slack_id(account, "UW") {
                let text = format!("`{}` is not the id of a Slack account", account.value);
                reader.complain(account.at, text, "copy the member id from their profile: `U…`");
            }
            if let Some(owner) = owners.insert(account.value.clone(), name.value.clone()) {
                let text = format!("`{}` already belongs to `{owner}`", account.value);
                reader.complain(account.at, text, "give each account to one person");
            }
        }
        Ok(Person { slack: section.slack.0 })
    })
}

pub(super) fn read_groups(
    groups: Named<GroupSection>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, Group> {
    reader.named(groups, |reader, name, section| {
        let members = match (section.users, section.slack_usergroup) {
            (Some(users), None) => {
                let members = users.into_iter().filter_map(|user| member(user, reader).ok());
                Members::Users(members.collect())
            }
            (None, Some(id)) if is_slack_id(&id, "S") => Members::SlackUsergroup(id.value),
            (None, Some(id)) => {
                let text = format!("`{}` is not the id of a Slack user group", id.value);
                let mend = "copy it from the group's page; it starts with `S`";
                return Err(reader.complain(id.at, text, mend));
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(reader.complain(
                    name.at,
                    format!("the group `{}` must say in one way who is in it", name.value),
                    "write either `users: [...]` or `slack_usergroup: S…`",
                ));
            }
        };
        Ok(Group { name, members })
    })
}

pub(super) fn member(
    written: Located<String>,
    reader: &mut Reader<'_>,
) -> Result<Located<Member>, Complained> {
    let Located { value: text, at } = written;
    if is_slack_id(&text, "UW") {
        return Ok(Located { value: Member::User(text), at });
    }
    if text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')) {
        return Ok(Located { value: Member::Email(text), at });
    }
    Err(reader.complain(
        at,
        format!("`{text}` is neither an e-mail address nor the id of a Slack account"),
        "write `name@example.com`, or a member id like `U0123ABCD`",
    ))
}

pub(super) fn read_channels(
    channels: Named<Located<String>>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, Channel> {
    reader.named(channels, |reader, name, slack| {
        let is_name = slack.strip_prefix('#').is_some_and(|name| !name.is_empty());
        if !is_name && !is_slack_id(&slack, "CG") {
            return Err(reader.complain(
                slack.at,
                format!("`{}` is not a channel", slack.value),
                "write its name in quotes, \"#approvals\", or its id, `C…`",
            ));
        }
        Ok(Channel { name, slack })
    })
}
