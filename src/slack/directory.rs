//! Who somebody is, and which groups they are in, as Slack says now. Every failure is a no.
//!
//! Standing is asked afresh at each click; of whoever only asks for something it may be a minute old,
//! and the question waits for its turn, so that clicks need not. Groups are kept for at most a
//! minute, and what is older is never used, not even when Slack cannot be asked: an old yes is no
//! yes. Names decide nothing: they may be ten minutes old, and wait for their turn as well.

mod named;
mod requester;
pub(super) mod standing;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use requester::NoRequester;

use super::client::{Account, Identity, SlackApi, SlackError};
use crate::approval::{PersonFacts, SlackUser, Standing};
use crate::base::{Clock, PersonId, Span, Timestamp};

/// How long the members of a Slack user group, and an account, stay known.
const KEPT: Span = Span::seconds(60);
/// How long names stay known. They are for reading only.
const NAMES_KEPT: Span = Span::minutes(10);

/// Where our app is installed: whose people may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The team, or the organisation (`E…`) for an org-wide installation.
    pub team: String,
    pub enterprise: Option<String>,
}

impl From<&Identity> for Home {
    fn from(us: &Identity) -> Self {
        Self { team: us.team.clone(), enterprise: us.enterprise.clone() }
    }
}

/// Where the members of a group come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupSource {
    /// Empty means nobody.
    Users(Vec<MemberName>),
    /// A Slack user group, `S…`.
    UserGroup(String),
}

/// How one member of a group is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

/// The ways to ask Slack.
#[derive(Clone)]
pub struct Ways {
    /// For whoever is waited for.
    pub ahead: Arc<dyn SlackApi>,
    /// For all that has time.
    pub in_turn: Arc<dyn SlackApi>,
}

/// Answers who somebody is and whether they belong to a group.
pub struct Directory {
    ways: Ways,
    clock: Arc<dyn Clock>,
    home: Home,
    aliases: BTreeMap<String, PersonId>,
    groups: BTreeMap<String, GroupSource>,
    seen: Mutex<Seen>,
}

/// What Slack said lately, and when.
#[derive(Default)]
struct Seen {
    user_groups: HashMap<String, (Timestamp, BTreeSet<String>)>,
    accounts: HashMap<String, (Timestamp, Account)>,
    addresses: HashMap<String, (Timestamp, Option<String>)>,
    /// Nothing where nobody has this id or address any more.
    names: HashMap<MemberName, (Timestamp, Option<String>)>,
}

impl Directory {
    /// `aliases` says which human owns a Slack user id, for those with several accounts.
    pub fn new(
        ways: Ways,
        clock: Arc<dyn Clock>,
        home: Home,
        aliases: BTreeMap<String, PersonId>,
        groups: BTreeMap<String, GroupSource>,
    ) -> Self {
        Self { ways, clock, home, aliases, groups, seen: Mutex::default() }
    }

    /// Who this is right now. Never fails: what could not be learned is a standing that denies.
    pub async fn person(&self, user: &SlackUser) -> PersonFacts {
        let asked = self.account(&self.ways.ahead, &user.user).await;
        self.facts(user, asked)
    }

    fn facts(&self, user: &SlackUser, asked: Result<Account, SlackError>) -> PersonFacts {
        let standing = standing::standing(&asked, user, &self.home);
        let account = asked.ok();
        PersonFacts {
            person: self.person_of(&user.user),
            name: account
                .as_ref()
                .map_or_else(|| user.user.clone(), |account| account.name.clone()),
            user: SlackUser {
                user: user.user.clone(),
                team: account.as_ref().and_then(|a| a.team.clone()).unwrap_or(user.team.clone()),
                enterprise: account.and_then(|a| a.enterprise),
            },
            standing,
        }
    }

    /// Is this person in one of the groups? An empty list is nobody, and so is whoever is no
    /// full member. One certain yes is enough; without one, a group that could not be read is an
    /// error and no answer.
    pub async fn member_of(
        &self,
        person: &PersonFacts,
        groups: &[String],
    ) -> Result<bool, DirectoryError> {
        if person.standing != Standing::Member {
            return Ok(false);
        }
        let mut trouble = None;
        for name in groups {
            match self.is_in(&person.user.user, name).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => trouble = Some(error),
            }
        }
        trouble.map_or(Ok(false), Err)
    }

    /// The names of everybody in the groups who is still in Slack, in the order of the
    /// configuration, for texts. May be ten minutes old.
    pub async fn approver_names(&self, groups: &[String]) -> Result<Vec<String>, DirectoryError> {
        let mut names = Vec::new();
        for group in groups {
            for name in self.names_in(group).await? {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    async fn is_in(&self, user: &str, group: &str) -> Result<bool, DirectoryError> {
        let unreachable = |error| DirectoryError::Unreachable { group: group.to_owned(), error };
        match self.source(group)? {
            GroupSource::UserGroup(id) => {
                let users = self.user_group(&self.ways.ahead, id, KEPT).await;
                Ok(users.map_err(unreachable)?.contains(user))
            }
            GroupSource::Users(members) => {
                let named = |member: &MemberName| *member == MemberName::User(user.to_owned());
                if members.iter().any(named) {
                    return Ok(true);
                }
                let addresses: Vec<&str> = members
                    .iter()
                    .filter_map(|member| match member {
                        MemberName::Email(address) => Some(address.as_str()),
                        MemberName::User(_) => None,
                    })
                    .collect();
                if addresses.is_empty() {
                    return Ok(false);
                }
                // One question about this person, instead of one about each member.
                let email = self.email(user).await.map_err(unreachable)?;
                Ok(email.is_some_and(|email| {
                    addresses.iter().any(|address| address.eq_ignore_ascii_case(&email))
                }))
            }
        }
    }

    /// What was learnt before Slack had no time for more is known the next time.
    async fn names_in(&self, group: &str) -> Result<Vec<String>, DirectoryError> {
        let unreachable = |error| DirectoryError::Unreachable { group: group.to_owned(), error };
        let members: Vec<MemberName> = match self.source(group)? {
            GroupSource::Users(members) => members.clone(),
            GroupSource::UserGroup(id) => {
                let users = self.user_group(&self.ways.in_turn, id, NAMES_KEPT).await;
                users.map_err(unreachable)?.into_iter().map(MemberName::User).collect()
            }
        };
        let mut names = Vec::new();
        for member in members {
            names.extend(self.name_of(member).await.map_err(unreachable)?);
        }
        Ok(names)
    }

    async fn name_of(&self, member: MemberName) -> Result<Option<String>, SlackError> {
        let now = self.clock.now();
        if let Some(name) = fresh(&self.seen().names, &member, now, NAMES_KEPT) {
            return Ok(name);
        }
        let account = match &member {
            MemberName::User(user) => self.ways.in_turn.user_info(user).await,
            MemberName::Email(address) => self.ways.in_turn.lookup_by_email(address).await,
        };
        let name = match account {
            Ok(account) => (!account.deleted).then_some(account.name),
            Err(SlackError::PlaceWrong { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut seen = self.seen();
        seen.names.retain(|_, (at, _)| now.since(*at) < NAMES_KEPT);
        seen.names.insert(member, (now, name.clone()));
        Ok(name)
    }

    async fn user_group(
        &self,
        way: &Arc<dyn SlackApi>,
        id: &str,
        kept: Span,
    ) -> Result<BTreeSet<String>, SlackError> {
        let asked_at = self.clock.now();
        if let Some(users) = fresh(&self.seen().user_groups, id, asked_at, kept) {
            return Ok(users);
        }
        let users: BTreeSet<String> = way.usergroup_users(id).await?.into_iter().collect();
        self.seen().user_groups.insert(id.to_owned(), (asked_at, users.clone()));
        Ok(users)
    }

    async fn email(&self, user: &str) -> Result<Option<String>, SlackError> {
        let known = fresh(&self.seen().accounts, user, self.clock.now(), KEPT);
        match known {
            Some(account) => Ok(account.email),
            None => Ok(self.account(&self.ways.ahead, user).await?.email),
        }
    }

    /// Asks Slack, and remembers the answer for what is asked about the same person soon.
    async fn account(&self, way: &Arc<dyn SlackApi>, user: &str) -> Result<Account, SlackError> {
        let asked_at = self.clock.now();
        let account = way.user_info(user).await?;
        let mut seen = self.seen();
        seen.accounts.retain(|_, (at, _)| asked_at.since(*at) < KEPT);
        seen.accounts.insert(user.to_owned(), (asked_at, account.clone()));
        Ok(account)
    }

    /// The human behind an account. Our own Slack names each account by one id, whatever team a
    /// click names, so one account is never two people.
    fn person_of(&self, user: &str) -> PersonId {
        let home = self.home.enterprise.as_ref().unwrap_or(&self.home.team);
        let alone = || PersonId::existing(format!("per_{home}_{user}"));
        self.aliases.get(user).cloned().unwrap_or_else(alone)
    }

    fn source(&self, group: &str) -> Result<&GroupSource, DirectoryError> {
        self.groups.get(group).ok_or_else(|| DirectoryError::NoSuchGroup(group.to_owned()))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each entry is written as a whole; a panic elsewhere leaves nothing half done in it.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known and not too old. A clock that was set back makes everything too old.
fn fresh<K: Borrow<Q> + Eq + Hash, Q: Eq + Hash + ?Sized, T: Clone>(
    known: &HashMap<K, (Timestamp, T)>,
    key: &Q,
    now: Timestamp,
    kept: Span,
) -> Option<T> {
    let (at, value) = known.get(key)?;
    (*at <= now && now.since(*at) < kept).then(|| value.clone())
}

#[cfg(test)]
mod tests;
