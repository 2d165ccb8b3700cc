use super::super::{
    ButtonClick, ClickedIn, InputValue, Interaction, ViewSubmission, parse_interaction,
};
use super::*;

fn interaction(payload: &Value) -> Interaction {
    let body = form_of("payload", &payload.to_string());
    parse_interaction(&signed(FORM, body.as_bytes()), APP).unwrap()
}

fn reading(payload: &Value) -> String {
    match interaction(payload) {
        Interaction::ButtonClick(click) => {
            let workspace = click.installation.workspace().unwrap();
            let token = click.token.as_deref().map_or("-", |token| &token[token.len() - 9..]);
            let place = match &click.place {
                ClickedIn::Message { channel, ts, thread_ts, ephemeral } => {
                    let thread = thread_ts.as_deref().unwrap_or("-");
                    let seen = if *ephemeral { "ephemeral" } else { "message" };
                    format!("{seen} {channel} {ts} {thread}")
                }
                ClickedIn::View { id, .. } => format!("view {id}"),
            };
            let who = format!("{}/{}", click.user.team, click.user.user);
            format!("{} {token} by {who} for {workspace} in {place}", click.action_id)
        }
        Interaction::ViewSubmission(view) => {
            let workspace = view.installation.workspace().unwrap();
            let who = format!("{}/{}", view.user.team, view.user.user);
            format!("{} {} by {who} for {workspace}", view.callback_id, view.view_id)
        }
        Interaction::ViewClosed(view) => format!("closed {} by {}", view.view_id, view.user.user),
        Interaction::Ignored { kind } => format!("ignored {kind}"),
    }
}

const US: &str = "for T0WRKSPC01 in message";
const CARD: &str = "1789380000.000100 -";

#[test]
fn every_recorded_interaction_is_read_as_expected() {
    let anil = "T0WRKSPC01/U0APPROVE1";
    let erik = "T0PARTNER1/U0EXTERN01";
    let card = format!("{US} C0APPROVAL {CARD}");
    let table = [
        // An outsider's click names their own team, whatever stands in `team`.
        (
            "block_actions.approve.by-external-user.team-is-host",
            format!("approve approve:1 by {erik} {US} C0SHARED001 {CARD}"),
        ),
        (
            "block_actions.approve.by-external-user.team-is-partner",
            format!("approve approve:1 by {erik} for T0PARTNER1 in message C0SHARED001 {CARD}"),
        ),
        (
            "block_actions.approve.by-guest",
            format!("approve approve:1 by T0WRKSPC01/U0GUEST001 {card}"),
        ),
        (
            "block_actions.approve.by-requester",
            format!("approve approve:1 by T0WRKSPC01/U0REQUEST1 {card}"),
        ),
        (
            "block_actions.approve.enterprise-workspace-install",
            format!("approve approve:1 by {anil} {card}"),
        ),
        (
            "block_actions.approve.ephemeral",
            format!(
                "approve approve:1 by {anil} for T0WRKSPC01 in ephemeral C0APPROVAL 1789380060.000001 -"
            ),
        ),
        ("block_actions.approve", format!("approve approve:1 by {anil} {card}")),
        (
            "block_actions.approve.org-wide-install",
            format!("approve approve:1 by {anil} for E0ACMEORG1 in message C0APPROVAL {CARD}"),
        ),
        (
            "block_actions.approve.private-channel",
            format!(
                "approve approve:1 by T0WRKSPC01/U0MANAGER1 {US} C0MANAGERS 1789381800.000100 -"
            ),
        ),
        (
            "block_actions.approve.second-click-same-user",
            format!("approve approve:1 by {anil} {card}"),
        ),
        (
            "block_actions.approve.stale-version-button",
            format!("approve approve:0 by {anil} {card}"),
        ),
        (
            "block_actions.approve.thread-reply",
            format!(
                "approve approve:1 by {anil} {US} D0REQUEST1 1789380005.000300 1789380000.000200"
            ),
        ),
        ("block_actions.button-without-value", format!("approve - by {anil} {card}")),
        ("block_actions.feedback_buttons", "ignored block_actions (feedback_buttons)".to_owned()),
        (
            "block_actions.home",
            format!("home_open 8T9V0W1X2 by {anil} for T0WRKSPC01 in view V0HOMEVIEW"),
        ),
        (
            "block_actions.modal-input-with-dispatch",
            "ignored block_actions (static_select)".to_owned(),
        ),
        ("block_actions.overflow", "ignored block_actions (overflow)".to_owned()),
        ("block_actions.reject", format!("reject :reject:1 by {anil} {card}")),
        (
            "block_actions.reject.race-other-user",
            format!("reject :reject:1 by T0WRKSPC01/U0MANAGER1 {card}"),
        ),
        ("block_actions.static_select", "ignored block_actions (static_select)".to_owned()),
        ("block_actions.url-button", format!("open_run - by {anil} {card}")),
        ("block_actions.users_select", "ignored block_actions (users_select)".to_owned()),
        ("block_suggestion.message", "ignored block_suggestion".to_owned()),
        ("block_suggestion.modal", "ignored block_suggestion".to_owned()),
        ("message_action.ask-approval", "ignored message_action".to_owned()),
        ("shortcut.global", "ignored shortcut".to_owned()),
        ("view_closed.cancel", "closed V0MODALVW1 by U0APPROVE1".to_owned()),
        ("view_closed.cleared-with-x", "closed V0MODALVW1 by U0APPROVE1".to_owned()),
        (
            "view_submission.by-external-user",
            format!("reject_reason V0MODALVW1 by {erik} for T0WRKSPC01"),
        ),
        (
            "view_submission.optional-fields-empty",
            format!("reject_reason V0MODALVW1 by {anil} for T0WRKSPC01"),
        ),
        (
            "view_submission.org-wide-install",
            format!("reject_reason V0MODALVW1 by {anil} for E0ACMEORG1"),
        ),
        (
            "view_submission.reject-reason",
            format!("reject_reason V0MODALVW1 by {anil} for T0WRKSPC01"),
        ),
    ];
    assert_eq!(recorded("interactivity"), names(table.iter().map(|(name, _)| *name)));
    for (name, expected) in table {
        assert_eq!(reading(&read(&format!("interactivity/{name}.json"))), expected, "{name}");
    }
}

fn click(name: &str) -> ButtonClick {
    match interaction(&read(&format!("interactivity/{name}.json"))) {
        Interaction::ButtonClick(click) => *click,
        other => panic!("{name}: {other:?}"),
    }
}

fn submission(payload: &Value) -> ViewSubmission {
    match interaction(payload) {
        Interaction::ViewSubmission(view) => *view,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_click_keeps_its_key_and_the_next_click_has_another() {
    let first = click("block_actions.approve");
    assert_eq!(first.key(), click("block_actions.approve").key());
    assert_eq!(
        first.key(),
        "click:T0WRKSPC01:U0APPROVE1:C0APPROVAL:1789380000.000100:approve:1789380042.007700"
    );
    for other in ["second-click-same-user", "by-requester", "private-channel"] {
        assert_ne!(first.key(), click(&format!("block_actions.approve.{other}")).key());
    }
}

#[test]
fn a_second_try_of_a_modal_is_not_a_redelivery() {
    let payload = read("interactivity/view_submission.reject-reason.json");
    let mut again = payload.clone();
    again["trigger_id"] = "8842000000021.100200300400.second".into();
    assert_eq!(submission(&payload).key(), submission(&payload).key());
    assert_ne!(submission(&payload).key(), submission(&again).key());
}

#[test]
fn modal_inputs_are_read_by_what_was_typed_or_chosen() {
    let view = submission(&read("interactivity/view_submission.reject-reason.json"));
    let chosen = |choices: &[&str]| InputValue::Chosen(names(choices.iter().copied()));
    assert_eq!(
        view.text("reason", "text"),
        Some("Wrong window: change freeze until Tuesday & no <rollback> plan")
    );
    assert_eq!(
        view.values["notify"]["who"],
        InputValue::Chosen(vec!["U0REQUEST1".into(), "U0MANAGER1".into()])
    );
    assert_eq!(view.values["until"]["date"], chosen(&["2026-09-15"]));
    assert_eq!(view.values["until_t"]["time"], chosen(&["09:30"]));
    assert_eq!(view.values["sev"]["level"], chosen(&["high"]));
    assert_eq!(view.values["where"]["conv"], chosen(&["C0APPROVAL"]));
    assert_eq!(view.text("notify", "who"), None);

    let empty = submission(&read("interactivity/view_submission.optional-fields-empty.json"));
    for (block, action) in [("notify", "who"), ("until", "date"), ("sev", "level")] {
        assert_eq!(empty.values[block][action], InputValue::Empty, "{block}");
    }
}

#[test]
fn a_blank_reason_is_no_reason() {
    let mut payload = read("interactivity/view_submission.reject-reason.json");
    payload["view"]["state"]["values"]["reason"]["text"]["value"] = " \n ".into();
    assert_eq!(submission(&payload).text("reason", "text"), None);
}

#[test]
fn a_click_that_does_not_name_the_clickers_team_is_refused() {
    let mut payload = read("interactivity/block_actions.approve.json");
    payload["user"].as_object_mut().unwrap().remove("team_id");
    let body = form_of("payload", &payload.to_string());
    let refusal = parse_interaction(&signed(FORM, body.as_bytes()), APP).unwrap_err();
    assert_eq!(refusal, super::super::InboundError::Field("user.team_id"));
}

#[test]
fn two_actions_in_one_click_are_refused() {
    let mut payload = read("interactivity/block_actions.approve.json");
    let twin = payload["actions"][0].clone();
    payload["actions"].as_array_mut().unwrap().push(twin);
    let body = form_of("payload", &payload.to_string());
    let refusal = parse_interaction(&signed(FORM, body.as_bytes()), APP).unwrap_err();
    assert_eq!(refusal, super::super::InboundError::Field("actions"));
}

#[test]
fn a_click_can_be_logged_without_its_response_url() {
    let logged = format!("{:?}", click("block_actions.approve"));
    assert!(!logged.contains("hooks.slack.com"), "{logged}");
}
