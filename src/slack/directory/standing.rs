//! What keeps an account from deciding, if anything.

use super::Home;
use crate::approval::{SlackUser, Standing};
use crate::slack::client::{Account, SlackError};

/// Judges what Slack said about an account, against what the click claimed. Both must speak for
/// the person; either alone can deny.
pub(in crate::slack) fn standing(
    asked: &Result<Account, SlackError>,
    claimed: &SlackUser,
    home: &Home,
) -> Standing {
    let account = match asked {
        Ok(account) => account,
        // `user_not_found`, `user_not_visible`.
        Err(SlackError::PlaceWrong { .. }) => return Standing::Unknown,
        Err(_) => return Standing::Unreachable,
    };
    if account.bot {
        Standing::Bot
    } else if account.deleted {
        Standing::Deactivated
    } else if account.stranger || !at_home(account, claimed, home) {
        Standing::Outsider
    } else if account.guest {
        Standing::Guest
    } else if account.invited {
        // They have never signed in, so nobody knows who would be clicking.
        Standing::Unknown
    } else {
        Standing::Member
    }
}

/// `is_stranger` is false for outsiders who share a channel with us, so teams are compared: the
/// organisation where there is one, else both the account's team and the one the click named.
fn at_home(account: &Account, claimed: &SlackUser, home: &Home) -> bool {
    let same_organisation = home.enterprise.is_some() && account.enterprise == home.enterprise;
    let same_team = account.team.as_ref() == Some(&home.team) && claimed.team == home.team;
    same_organisation || same_team
}
