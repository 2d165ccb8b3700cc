//! The stand-in keeps to what Slack's documentation promises and threatens, over the wire.

mod events;
mod slack;

use countersign::base::Span;
use countersign::sandbox::Pace;
use serde_json::json;

use self::slack::{Slack, code};

#[tokio::test]
async fn a_method_is_held_to_its_tier_and_others_are_not() {
    let slack = Slack::start(Pace::LikeSlack).await;
    for nth in 0..20 {
        let answer = slack.form("usergroups.list", &[]).await;
        assert_eq!(answer.status, 200, "call {nth}");
    }
    let refused = slack.form("usergroups.list", &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "3"));
    assert_eq!(code(&refused.body), "ratelimited");
    assert_eq!(slack.form("users.list", &[]).await.status, 200, "each method counts by itself");

    slack.clock.turn_forward(Span::seconds(3));
    assert_eq!(slack.form("usergroups.list", &[]).await.status, 200);
    assert_eq!(slack.form("usergroups.list", &[]).await.status, 429);
}

#[tokio::test]
async fn the_tiers_are_those_of_the_reference() {
    let slack = Slack::start(Pace::LikeSlack).await;
    for (method, most) in [("conversations.list", 20), ("chat.update", 50), ("views.open", 100)] {
        let mut taken = 0;
        while slack.form(method, &[]).await.status == 200 {
            taken += 1;
        }
        assert_eq!(taken, most, "{method}");
    }
}

#[tokio::test]
async fn a_channel_takes_a_short_burst_and_then_a_post_a_second() {
    let slack = Slack::start(Pace::LikeSlack).await;
    let post = async |channel| {
        slack.form("chat.postMessage", &[("channel", channel), ("text", "x")]).await.status
    };
    for _ in 0..5 {
        assert_eq!(post("C0SUPPORT1").await, 200);
    }
    assert_eq!(post("C0SUPPORT1").await, 429);
    assert_eq!(post("C0APPROVAL").await, 200, "each channel counts by itself");
    slack.clock.turn_forward(Span::seconds(1));
    assert_eq!(post("C0SUPPORT1").await, 200);
    assert_eq!(post("C0SUPPORT1").await, 429);
}

#[tokio::test]
async fn a_method_without_its_scope_says_which_one_it_needs() {
    let slack = Slack::start(Pace::Unlimited).await;
    let post = [("channel", "C0SUPPORT1"), ("text", "x")];
    slack.sandbox.grant(&["chat:write", "im:read"]);
    let answer = slack.form("users.info", &[("user", "U0MIA")]).await;
    assert_eq!(code(&answer.body), "missing_scope");
    assert_eq!(answer.body["needed"], "users:read");
    assert_eq!(answer.body["provided"], "chat:write,im:read");
    assert_eq!(answer.header("x-oauth-scopes"), "chat:write,im:read");
    assert_eq!(answer.header("x-accepted-oauth-scopes"), "users:read");
    assert_eq!(code(&slack.form("chat.postMessage", &post).await.body), "");
    let answer = slack.form("conversations.info", &[("channel", "C0SUPPORT1")]).await;
    assert_eq!(code(&answer.body), "", "any of several scopes suffices");
}

#[tokio::test]
async fn json_is_lost_on_methods_that_take_forms_only() {
    let slack = Slack::start(Pace::Unlimited).await;
    let utf8 = "application/json; charset=utf-8";
    let user = r#"{"user":"U0MIA"}"#;
    let post = r#"{"channel":"C0SUPPORT1","text":"x"}"#;
    let table = [
        ("users.info", utf8, user, "invalid_arguments"),
        ("users.info", "application/x-www-form-urlencoded", "user=U0MIA", ""),
        ("conversations.info", utf8, r#"{"channel":"C0SUPPORT1"}"#, "invalid_arguments"),
        ("conversations.history", utf8, r#"{"channel":"C0SUPPORT1"}"#, ""),
        ("chat.postMessage", utf8, post, ""),
        ("chat.postMessage", utf8, "{", "invalid_json"),
        ("chat.postMessage", utf8, "[]", "json_not_object"),
        ("chat.postMessage", "text/plain", post, "invalid_post_type"),
        ("chat.postMessage", "", post, "missing_post_type"),
        ("chat.postNothing", utf8, "{}", "unknown_method"),
    ];
    for (method, kind, body, wanted) in table {
        let answer = slack.raw(method, kind, body).await;
        assert_eq!(code(&answer.body), wanted, "{method} {kind} {body}");
    }
    let answer = slack.raw("chat.postMessage", "application/json", post).await;
    assert_eq!(answer.body["warning"], "missing_charset");
}

#[tokio::test]
async fn a_token_is_read_from_the_header_or_a_form_and_never_kept() {
    let slack = Slack::start(Pace::Unlimited).await;
    let by_form = slack.anonymous("auth.test", "token=xoxb-test").await;
    assert_eq!(code(&by_form.body), "");
    let by_query = slack.anonymous("auth.test?token=xoxb-test", "").await;
    assert_eq!(code(&by_query.body), "not_authed");
    let wrong = slack.anonymous("auth.test", "token=xoxb-other").await;
    assert_eq!(code(&wrong.body), "invalid_auth");
    let kept = slack.sandbox.journal().iter().any(|passed| passed.sent.to_string().contains("xox"));
    assert!(!kept, "the journal holds a token");
}

#[tokio::test]
async fn a_trigger_opens_one_dialog_within_three_seconds() {
    let slack = Slack::start(Pace::Unlimited).await;
    let view = json!({
        "type": "modal", "title": { "type": "plain_text", "text": "Why?" },
        "blocks": [{ "type": "divider" }],
    })
    .to_string();
    let open = async |trigger: &str| {
        let answer = slack.form("views.open", &[("trigger_id", trigger), ("view", &view)]).await;
        code(&answer.body).to_owned()
    };
    let trigger = slack.trigger().await;
    slack.clock.turn_forward(Span::seconds(3));
    assert_eq!(open(&trigger).await, "", "three seconds are not too late");
    assert_eq!(open(&trigger).await, "exchanged_trigger_id");

    let trigger = slack.trigger().await;
    slack.clock.turn_forward(Span::millis(3_001));
    assert_eq!(open(&trigger).await, "expired_trigger_id");
    assert_eq!(open("1.2.3").await, "invalid_trigger_id");
}

#[tokio::test]
async fn a_change_of_text_is_marked_and_one_with_blocks_is_not() {
    let slack = Slack::start(Pace::Unlimited).await;
    let place = ("channel", "C0SUPPORT1");
    let posted = slack.form("chat.postMessage", &[place, ("text", "one")]).await.body;
    assert_eq!(posted["message"].get("edited"), None);
    let ts = ("ts", posted["ts"].as_str().unwrap());
    let blocks = ("blocks", r#"[{"type":"divider"}]"#);

    let with_blocks = slack.form("chat.update", &[place, ts, ("text", "two"), blocks]).await.body;
    assert_eq!(with_blocks["message"].get("edited"), None);
    let same = slack.form("chat.update", &[place, ts, ("metadata", "{}")]).await.body;
    assert_eq!(same["message"].get("edited"), None, "nothing to be read has changed");
    slack.clock.turn_forward(Span::minutes(1));
    slack.form("chat.update", &[place, ts, ("text", "three")]).await;
    let history = slack.form("conversations.history", &[place]).await.body;
    let edited = json!({ "user": "U0BOT", "ts": "1789380060.000000" });
    assert_eq!(history["messages"][0]["edited"], edited);
    assert_eq!(history["messages"][0].get("blocks"), None, "a text alone takes the blocks away");
}
