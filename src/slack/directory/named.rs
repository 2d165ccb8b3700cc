//! Finding the account of somebody whom the configuration names.

use super::{Directory, KEPT, MemberName, fresh};
use crate::approval::SlackUser;
use crate::slack::client::SlackError;

impl Directory {
    /// The Slack account of somebody named by id or address; nothing when there is nobody of that
    /// name. What they may do is not said: ask [`Directory::person`] for their standing.
    pub async fn account_named(&self, name: &MemberName) -> Result<Option<SlackUser>, SlackError> {
        let user = match name {
            MemberName::User(user) => Some(user.clone()),
            MemberName::Email(address) => self.user_at(address).await?,
        };
        let (team, enterprise) = (self.home.team.clone(), self.home.enterprise.clone());
        Ok(user.map(|user| SlackUser { team, user, enterprise }))
    }

    async fn user_at(&self, address: &str) -> Result<Option<String>, SlackError> {
        let asked_at = self.clock.now();
        if let Some(user) = fresh(&self.seen().addresses, address, asked_at, KEPT) {
            return Ok(user);
        }
        let user = match self.ways.in_turn.lookup_by_email(address).await {
            Ok(account) => Some(account.id),
            Err(SlackError::PlaceWrong { .. }) => None,
            Err(error) => return Err(error),
        };
        self.seen().addresses.insert(address.to_owned(), (asked_at, user.clone()));
        Ok(user)
    }
}
