//! Is there somebody in each group who may decide, and will they see the card?

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::approval::{SlackUser, Standing};
use crate::slack::client::{Account, Channel, SlackApi, SlackError};
use crate::slack::directory::standing::standing;
use crate::slack::directory::{GroupSource, Home, MemberName};

/// Those who could decide today: Slack ids with names.
type Approvers = BTreeMap<String, String>;

/// Looks at each group; gives back its able members by the group's name.
pub(super) async fn check(
    slack: &dyn SlackApi,
    home: &Home,
    groups: &[(String, GroupSource)],
) -> (BTreeMap<String, Approvers>, Vec<Finding>) {
    let mut able = BTreeMap::new();
    let mut findings = Vec::new();
    for (name, source) in groups {
        let members = match members(slack, source).await {
            Ok(members) => members,
            Err(error) => {
                findings.push(Finding::trouble(&format!("the group `{name}`"), &error));
                continue;
            }
        };
        let (approvers, found) = look_at(slack, home, name, &members).await;
        findings.extend(found);
        able.insert(name.clone(), approvers);
    }
    (able, findings)
}

async fn members(
    slack: &dyn SlackApi,
    source: &GroupSource,
) -> Result<Vec<MemberName>, SlackError> {
    match source {
        GroupSource::Users(members) => Ok(members.clone()),
        GroupSource::UserGroup(id) => {
            Ok(slack.usergroup_users(id).await?.into_iter().map(MemberName::User).collect())
        }
    }
}

async fn look_at(
    slack: &dyn SlackApi,
    home: &Home,
    group: &str,
    members: &[MemberName],
) -> (Approvers, Vec<Finding>) {
    let mut able = Approvers::new();
    let mut findings = Vec::new();
    for (nth, member) in members.iter().enumerate() {
        let (written, asked) = match member {
            MemberName::User(id) => (id, slack.user_info(id).await),
            MemberName::Email(address) => (address, slack.lookup_by_email(address).await),
        };
        if let Err(SlackError::Paced { .. } | SlackError::RateLimited { .. }) = &asked {
            let what = format!("only {nth} of the {} in `{group}` were looked at", members.len());
            findings
                .push(Finding::warn(what, "Slack limits such questions; ask again in a minute"));
            break;
        }
        if let Err(error @ (SlackError::SetupWrong { .. } | SlackError::InstallationGone { .. })) =
            &asked
        {
            findings.push(Finding::trouble(&format!("the group `{group}`"), error));
            return (able, findings);
        }
        match unable(&asked, home) {
            None => {
                let named = asked.map(|account| (account.id, account.name));
                able.extend(named);
            }
            Some(why) => findings.push(Finding::warn(
                format!("`{written}` in the group `{group}` cannot decide: {why}"),
                "take them out of the group, or mend their account",
            )),
        }
    }
    findings.push(match able.len() {
        0 => Finding::fail(
            format!("nobody in the group `{group}` can decide"),
            "name at least one active, full member of the workspace",
        ),
        count => Finding::ok(format!("{count} in the group `{group}` can decide")),
    });
    (able, findings)
}

/// Why this account could not decide, as the directory would judge it at a click.
fn unable(asked: &Result<Account, SlackError>, home: &Home) -> Option<String> {
    let claimed = SlackUser {
        team: home.team.clone(),
        user: String::new(),
        enterprise: home.enterprise.clone(),
    };
    let why = match standing(asked, &claimed, home) {
        Standing::Member => return None,
        Standing::Guest => "they are a guest",
        Standing::Deactivated => "they have left: the account is deactivated",
        Standing::Bot => "it is a bot",
        Standing::Outsider => "they belong to another company",
        Standing::Unknown => {
            "Slack does not know them, they have left, or they have never signed in"
        }
        Standing::Unreachable => {
            let error = asked.as_ref().err().map(ToString::to_string);
            return Some(error.unwrap_or_default());
        }
    };
    Some(why.to_owned())
}

/// Approvers who are not in the channel where they are asked: Slack will not tell them of a card.
pub(super) async fn who_misses_the_card(
    slack: &dyn SlackApi,
    place: &Channel,
    asked: &[String],
    groups: &BTreeMap<String, Approvers>,
) -> Vec<Finding> {
    let channel = place.name.as_deref().unwrap_or(&place.id);
    let present: BTreeSet<String> = match slack.channel_members(&place.id).await {
        Ok(members) => members.into_iter().collect(),
        Err(error) => {
            return vec![Finding::trouble(&format!("the members of #{channel}"), &error)];
        }
    };
    let approvers: Approvers =
        asked.iter().filter_map(|group| groups.get(group)).flatten().map(pair).collect();
    let absent: Vec<&str> = approvers
        .iter()
        .filter(|(id, _)| !present.contains(*id))
        .map(|(_, name)| name.as_str())
        .collect();
    let mend = "invite them to the channel";
    if approvers.is_empty() || absent.is_empty() {
        Vec::new()
    } else if absent.len() == approvers.len() {
        let what =
            format!("none of those who are asked in #{channel} is in it: {}", absent.join(", "));
        vec![Finding::fail(what, mend)]
    } else {
        let what = format!("asked in #{channel}, but not in it: {}", absent.join(", "));
        vec![Finding::warn(what, mend)]
    }
}

fn pair((id, name): (&String, &String)) -> (String, String) {
    (id.clone(), name.clone())
}
