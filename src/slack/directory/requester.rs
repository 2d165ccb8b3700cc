//! Who asks for something. It decides nothing and a hundred can ask at once, so this question waits for
//! its turn and leaves room for clicks.

use super::{Directory, KEPT, fresh};
use crate::approval::{Requester, SlackUser, Standing};
use crate::slack::client::SlackError;

/// Why nobody can be named who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRequester {
    /// They are none of the people we work for.
    Refused,
    /// Slack could not be asked.
    Unreachable(SlackError),
}

impl Directory {
    /// Who asks for something, as they were within the last minute. It decides nothing, so it may
    /// be as old, and it may have to wait: a hundred can ask at once.
    pub async fn requester(&self, user: &SlackUser) -> Result<Requester, NoRequester> {
        let known = fresh(&self.seen().accounts, &user.user, self.clock.now(), KEPT);
        let asked = match known {
            Some(account) => Ok(account),
            None => self.account(&self.ways.in_turn, &user.user).await,
        };
        let person = self.facts(user, asked.clone());
        match (person.standing, asked) {
            (Standing::Unreachable, Err(error)) => Err(NoRequester::Unreachable(error)),
            (Standing::Member | Standing::Guest, _) => Ok(Requester {
                person: person.person,
                user: person.user,
                name: person.name,
                owner: None,
            }),
            _ => Err(NoRequester::Refused),
        }
    }
}
