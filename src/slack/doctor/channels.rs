//! Are the channels there, and can we write in them?

use std::collections::BTreeMap;

use super::Finding;
use crate::slack::client::{Channel, SlackApi, SlackError};

/// Looks at each channel; gives back the usable ones by their name in the configuration. In those of
/// `stages` approvers are asked.
pub(super) async fn check(
    slack: &dyn SlackApi,
    channels: &[(String, String)],
    stages: &[(String, Vec<String>)],
) -> (BTreeMap<String, Channel>, Vec<Finding>) {
    let named = channels.iter().any(|(_, written)| !Channel::is_id(written));
    let listed = if named { slack.channels().await } else { Ok(Vec::new()) };
    let mut usable = BTreeMap::new();
    let mut findings = Vec::new();
    for (name, written) in channels {
        let subject = format!("the channel `{name}` ({written})");
        match find(slack, written, &listed).await {
            Ok(channel) => {
                findings.push(state(&subject, &channel));
                if channel.is_ext_shared && !channel.is_archived {
                    findings.push(match stages.iter().any(|(place, _)| place == name) {
                        true => no_place_for_cards(&subject),
                        false => seen_by_others(&subject),
                    });
                }
                if channel.is_member && !channel.is_archived {
                    usable.insert(name.clone(), channel);
                }
            }
            Err(SlackError::PlaceWrong { .. }) => findings.push(Finding::fail(
                format!(
                    "{subject} does not exist, is archived, or is private without the bot in it"
                ),
                "check the spelling, unarchive it, or write /invite @countersign in it",
            )),
            Err(error) => findings.push(Finding::trouble(&subject, &error)),
        }
    }
    (usable, findings)
}

async fn find(
    slack: &dyn SlackApi,
    written: &str,
    listed: &Result<Vec<Channel>, SlackError>,
) -> Result<Channel, SlackError> {
    if Channel::is_id(written) {
        return slack.channel_info(written).await;
    }
    let name = Some(written.trim_start_matches('#'));
    let channels = listed.as_ref().map_err(Clone::clone)?;
    let found = channels.iter().find(|channel| channel.name.as_deref() == name).cloned();
    found.ok_or_else(|| SlackError::PlaceWrong { code: "channel_not_found".to_owned() })
}

fn state(subject: &str, channel: &Channel) -> Finding {
    if channel.is_archived {
        let mend = "unarchive it, or name another channel in the configuration";
        return Finding::fail(format!("{subject} is archived"), mend);
    }
    if !channel.is_member {
        let mend = "write /invite @countersign in it";
        return Finding::fail(format!("the bot is not in {subject}"), mend);
    }
    Finding::ok(format!("the bot can post in {subject}"))
}

fn no_place_for_cards(subject: &str) -> Finding {
    Finding::fail(
        format!(
            "{subject} is shared with another company, whose people would see every card, so none \
             is posted there and the next stage is asked"
        ),
        "name a channel of your own in the configuration, or end the sharing",
    )
}

fn seen_by_others(subject: &str) -> Finding {
    Finding::warn(
        format!("{subject} is shared with another company, whose people see what is asked there"),
        "let agents answer in channels of your own",
    )
}
