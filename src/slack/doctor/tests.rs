use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::base::{Span, TurnableClock};
use crate::slack::client::Method;
use crate::slack::client::fake::FakeSlack;
use crate::slack::directory::MemberName;

const NOW: Timestamp = Timestamp::from_millis(1_789_380_000_000);

/// The recorded workspace, with changes: people, channels, members and what `auth.test` says.
fn workspace(change: impl FnOnce(&mut Value)) -> Arc<FakeSlack> {
    let text = include_str!("../../../tests/fixtures/slack/composed/directory.json");
    let mut world: Value = serde_json::from_str(text).unwrap();
    world["auth"] = json!({
        "team": "Acme Engineering", "team_id": "T0WRKSPC01", "user_id": "U0BOTUSER1",
        "bot_id": "B0BOTPROF1", "scopes": ["chat:write", "users:read"], "date": NOW,
    });
    change(&mut world);
    let gone = |code: &str| Err(SlackError::PlaceWrong { code: code.to_owned() });
    FakeSlack::answering(move |method, arguments| {
        let of = |table: &str, key: &str| world[table].get(arguments[key].as_str().unwrap());
        match method {
            Method::AuthTest => Ok(world["auth"].clone()),
            Method::ConversationsList => {
                let channels = world["conversations"].as_object().unwrap().values();
                let listed = channels.filter(|channel| channel["is_archived"] != true);
                Ok(json!({"channels": listed.collect::<Vec<_>>()}))
            }
            Method::ConversationsInfo => match of("conversations", "channel") {
                Some(channel) => Ok(json!({"channel": channel})),
                None => gone("channel_not_found"),
            },
            Method::ConversationsMembers => Ok(json!({"members": of("members", "channel")})),
            Method::UsersInfo => match of("users", "user") {
                Some(user) => Ok(json!({"user": user})),
                None => gone("user_not_found"),
            },
            Method::UsersLookupByEmail => gone("users_not_found"),
            Method::UsergroupsUsersList => Ok(json!({"users": world["usergroups"][0]["users"]})),
            other => panic!("the doctor only asks: {other:?}"),
        }
    })
}

fn users(ids: &[&str]) -> GroupSource {
    GroupSource::Users(ids.iter().map(|id| MemberName::User((*id).to_owned())).collect())
}

struct Meant {
    channels: Vec<(&'static str, &'static str)>,
    groups: Vec<(&'static str, GroupSource)>,
    stages: Vec<(&'static str, &'static str)>,
    scopes: Vec<&'static str>,
}

fn meant() -> Meant {
    Meant {
        channels: vec![("approvals", "#approvals"), ("managers", "C0MANAGERS")],
        groups: vec![("approvers", GroupSource::UserGroup("S0APPROVRS".to_owned()))],
        stages: vec![("approvals", "approvers")],
        scopes: vec!["chat:write", "users:read"],
    }
}

/// The findings that are not fine, as lines.
async fn complaints(slack: &FakeSlack, meant: Meant) -> Vec<String> {
    let owned = |texts: Vec<(&str, &str)>| -> Vec<(String, String)> {
        texts.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    let facts = DoctorFacts {
        clock: &TurnableClock::standing_at(NOW),
        channels: owned(meant.channels),
        groups: meant.groups.into_iter().map(|(name, source)| (name.to_owned(), source)).collect(),
        stages: owned(meant.stages)
            .into_iter()
            .map(|(place, group)| (place, vec![group]))
            .collect(),
        scopes: meant.scopes.into_iter().map(str::to_owned).collect(),
    };
    let findings = diagnose(slack.as_dyn(), &facts).await;
    for finding in &findings {
        assert_eq!(finding.level == Level::Ok, finding.mend.is_empty(), "{finding:?}");
    }
    findings
        .into_iter()
        .filter(|finding| finding.level != Level::Ok)
        .map(|finding| format!("{:?}: {}", finding.level, finding.what))
        .collect()
}

#[tokio::test]
async fn a_healthy_installation_has_no_complaints() {
    assert_eq!(complaints(&workspace(|_| {}), meant()).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_dead_token_is_the_only_finding() {
    let slack = FakeSlack::answering(|_, _| {
        Err(SlackError::InstallationGone { code: "token_revoked".to_owned() })
    });
    assert_eq!(
        complaints(&slack, meant()).await,
        ["Fail: the bot token: the installation is gone: token_revoked"]
    );
}

#[tokio::test]
async fn missing_scopes_are_named() {
    let slack = workspace(|_| {});
    let meant = Meant { scopes: vec!["chat:write", "usergroups:read"], ..meant() };
    assert_eq!(
        complaints(&slack, meant).await,
        ["Fail: the token lacks the scope `usergroups:read`"]
    );
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_before_requests_are_refused() {
    for (seconds, expected) in
        [(29, None), (30, Some("Warn")), (239, Some("Warn")), (240, Some("Fail"))]
    {
        let slack = workspace(|world| {
            world["auth"]["date"] = json!(NOW.plus(Span::seconds(seconds)));
        });
        let expected: Vec<String> = expected
            .map(|level| format!("{level}: this machine's clock is {seconds} s from Slack's"))
            .into_iter()
            .collect();
        assert_eq!(complaints(&slack, meant()).await, expected);
    }
}

#[tokio::test]
async fn channels_that_cannot_work_are_told_apart() {
    let slack = workspace(|world| {
        world["conversations"]["C0MANAGERS"]["is_member"] = json!(false);
        world["conversations"]["C0SHARED001"]["is_member"] = json!(true);
        world["conversations"]["C0GONEBY01"] = json!({"id": "C0GONEBY01", "is_archived": true});
    });
    let channels = vec![
        ("typo", "#aprovals"),
        ("managers", "C0MANAGERS"),
        ("shared", "C0SHARED001"),
        ("old", "C0GONEBY01"),
        ("nowhere", "C0NOWHERE1"),
    ];
    let meant = Meant { channels, stages: Vec::new(), ..meant() };
    assert_eq!(
        complaints(&slack, meant).await,
        [
            "Fail: the channel `typo` (#aprovals) does not exist, is archived, or is private without the bot in it",
            "Fail: the bot is not in the channel `managers` (C0MANAGERS)",
            "Warn: the channel `shared` (C0SHARED001) is shared with another company, whose people see what is asked there",
            "Fail: the channel `old` (C0GONEBY01) is archived",
            "Fail: the channel `nowhere` (C0NOWHERE1) does not exist, is archived, or is private without the bot in it",
        ]
    );
}

#[tokio::test]
async fn a_channel_that_other_companies_see_is_no_place_for_cards() {
    let slack = workspace(|world| world["conversations"]["C0SHARED001"]["is_member"] = json!(true));
    let meant = Meant {
        channels: vec![("approvals", "C0SHARED001")],
        stages: vec![("approvals", "approvers")],
        ..meant()
    };
    let complaints = complaints(&slack, meant).await;
    assert!(complaints[0].starts_with("Fail: the channel `approvals`"), "{complaints:?}");
    assert!(complaints[0].contains("none is posted there"), "{complaints:?}");
}

#[tokio::test]
async fn groups_without_an_able_member_fail_and_others_say_who_is_not() {
    let groups = vec![
        ("mixed", users(&["U0APPROVE1", "U0GONE0001", "U0GUEST001"])),
        ("gone", users(&["U0GONE0001", "U0EXTERN01", "U0OTHERBT1"])),
        ("empty", users(&[])),
        ("typo", GroupSource::Users(vec![MemberName::Email("anli@acme.example".to_owned())])),
    ];
    let meant = Meant { groups, stages: Vec::new(), ..meant() };
    assert_eq!(
        complaints(&workspace(|_| {}), meant).await,
        [
            "Warn: `U0GONE0001` in the group `mixed` cannot decide: they have left: the account is deactivated",
            "Warn: `U0GUEST001` in the group `mixed` cannot decide: they are a guest",
            "Warn: `U0GONE0001` in the group `gone` cannot decide: they have left: the account is deactivated",
            "Warn: `U0EXTERN01` in the group `gone` cannot decide: they belong to another company",
            "Warn: `U0OTHERBT1` in the group `gone` cannot decide: it is a bot",
            "Fail: nobody in the group `gone` can decide",
            "Fail: nobody in the group `empty` can decide",
            "Warn: `anli@acme.example` in the group `typo` cannot decide: Slack does not know them, they have left, or they have never signed in",
            "Fail: nobody in the group `typo` can decide",
        ]
    );
}

#[tokio::test]
async fn approvers_who_will_not_see_the_card_are_named() {
    let some = Meant { stages: vec![("managers", "approvers")], ..meant() };
    assert_eq!(
        complaints(&workspace(|_| {}), some).await,
        ["Warn: asked in #escalations, but not in it: anil"]
    );
    let slack = workspace(|world| world["members"]["C0MANAGERS"] = json!(["U0BOTUSER1"]));
    let none = Meant { stages: vec![("managers", "approvers")], ..meant() };
    assert_eq!(
        complaints(&slack, none).await,
        ["Fail: none of those who are asked in #escalations is in it: anil, mona"]
    );
}
