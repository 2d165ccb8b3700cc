//! Accounts and user groups.

use serde_json::{Value, json};

use super::{Method, SlackApi, SlackError};

/// An account, as Slack describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    /// Their own workspace; deactivated people may have none.
    pub team: Option<String>,
    pub enterprise: Option<String>,
    /// For people to read, never to decide by.
    pub name: String,
    /// Only with the scope `users:read.email`, and only once Slack has confirmed it.
    pub email: Option<String>,
    pub deleted: bool,
    /// A bot, an app's user or Slackbot.
    pub bot: bool,
    pub guest: bool,
    /// Invited, but has never signed in.
    pub invited: bool,
    /// From another company, and in no channel that we see.
    pub stranger: bool,
}

impl Account {
    /// Reads a user object. One that does not say whether it is a bot or a guest is no answer,
    /// because what is unknown must not pass for a no.
    fn read(user: &Value) -> Result<Self, SlackError> {
        let lacks = |field: &str| SlackError::Unknown { why: format!("the user lacks `{field}`") };
        let flag = |field: &str| user[field].as_bool();
        let text =
            |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);

        let id = text(&user["id"]).ok_or_else(|| lacks("id"))?;
        let deleted = flag("deleted").ok_or_else(|| lacks("deleted"))?;
        // Most other fields of deactivated people vanish.
        let said = |field: &str| match flag(field) {
            Some(value) => Ok(value),
            None if deleted => Ok(false),
            None => Err(lacks(field)),
        };
        let is_bot = said("is_bot")?;
        let guest = said("is_restricted")?;
        let name = text(&user["profile"]["display_name"])
            .or_else(|| text(&user["profile"]["real_name"]))
            .or_else(|| text(&user["real_name"]))
            .or_else(|| text(&user["name"]));
        Ok(Self {
            team: text(&user["team_id"]),
            enterprise: text(&user["enterprise_user"]["enterprise_id"]),
            name: name.unwrap_or_else(|| id.clone()),
            email: text(&user["profile"]["email"])
                .filter(|_| flag("is_email_confirmed") != Some(false)),
            deleted,
            bot: is_bot || flag("is_app_user") == Some(true) || id == "USLACKBOT",
            guest: guest || flag("is_ultra_restricted") == Some(true),
            invited: flag("is_invited_user") == Some(true),
            stranger: flag("is_stranger") == Some(true),
            id,
        })
    }
}

impl dyn SlackApi + '_ {
    pub async fn user_info(&self, user: &str) -> Result<Account, SlackError> {
        let answer = self.call(Method::UsersInfo, json!({"user": user})).await?;
        let account = Account::read(&answer.body["user"])?;
        if account.id == user {
            Ok(account)
        } else {
            Err(SlackError::Unknown { why: "Slack described somebody else".to_owned() })
        }
    }

    /// The account with this address. Slack finds no deactivated people in this way.
    pub async fn lookup_by_email(&self, email: &str) -> Result<Account, SlackError> {
        let answer = self.call(Method::UsersLookupByEmail, json!({"email": email})).await?;
        Account::read(&answer.body["user"])
    }

    /// The user ids in a Slack user group, `S…`.
    pub async fn usergroup_users(&self, group: &str) -> Result<Vec<String>, SlackError> {
        let arguments = json!({"usergroup": group});
        let answer = self.call(Method::UsergroupsUsersList, arguments).await?;
        let users = answer.body["users"]
            .as_array()
            .ok_or_else(|| SlackError::Unknown { why: "the answer has no `users`".to_owned() })?;
        Ok(users.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}
