use super::super::{Inbound, Message, as_typed, parse_event};
use super::*;

/// One line for what a body was read as.
fn reading(body: &[u8]) -> String {
    match parse_event(&signed(JSON, body), APP).unwrap() {
        Inbound::UrlVerification { challenge } => format!("challenge {}", &challenge[..6]),
        Inbound::Message(message) => format!("message {}", line(&message)),
        Inbound::AppMention(message) => format!("mention {}", line(&message)),
        Inbound::HomeOpened(home) => format!("{} tab by {}", home.tab, home.user.user),
        Inbound::SessionStopped(stopped) => {
            format!("stop in {} {} by {}", stopped.channel, stopped.thread_ts, stopped.user.user)
        }
        Inbound::InstallationEnded { kind, team } => format!("{kind} in {}", team.unwrap()),
        Inbound::RateLimited { minute } => format!("rate limited in {minute}"),
        Inbound::Ignored { kind } => format!("ignored {kind}"),
    }
}

fn line(message: &Message) -> String {
    let Message { user, channel, kind, ts, .. } = message;
    let workspace = message.installation.workspace().unwrap();
    let root = if message.thread_ts.is_some() { message.root() } else { "-" };
    format!("{workspace} {}/{} {channel} {kind:?} {ts} {root}", user.team, user.user)
}

const EVENTS: [(&str, &str); 43] = [
    ("agent_session_stopped", "stop in D0REQUEST1 1789380220.000113 by U0REQUEST1"),
    ("agent_session_title_changed", "ignored agent_session_title_changed"),
    ("app_context_changed", "ignored app_context_changed"),
    ("app_context_changed.empty", "ignored app_context_changed"),
    ("app_home_opened.home.first", "home tab by U0APPROVE1"),
    ("app_home_opened.home.with-view", "home tab by U0APPROVE1"),
    ("app_home_opened.messages", "messages tab by U0REQUEST1"),
    ("app_home_opened.messages.with-context", "messages tab by U0REQUEST1"),
    (
        "app_mention",
        "mention T0WRKSPC01 T0WRKSPC01/U0REQUEST1 C0APPROVAL Unsaid 1789380200.000111 -",
    ),
    (
        "app_mention.in-thread",
        "mention T0WRKSPC01 T0WRKSPC01/U0REQUEST1 C0APPROVAL Unsaid 1789380210.000112 1789380200.000111",
    ),
    ("app_rate_limited", "rate limited in 1789380000"),
    ("app_uninstalled", "app_uninstalled in T0WRKSPC01"),
    ("assistant_thread_started.legacy", "ignored assistant_thread_started"),
    ("channel_archive", "ignored channel_archive"),
    ("channel_id_changed", "ignored channel_id_changed"),
    ("member_joined_channel.bot-itself", "ignored member_joined_channel"),
    ("member_left_channel.bot-itself", "ignored member_left_channel"),
    ("message.channels.bot_message-subtype", "ignored message (bot)"),
    ("message.channels.channel_join", "ignored message (channel_join)"),
    (
        "message.channels.external-user",
        "message T0WRKSPC01 T0PARTNER1/U0EXTERN01 C0SHARED001 Public 1789380265.000002 -",
    ),
    ("message.channels.message_changed.own-update", "ignored message (message_changed)"),
    ("message.channels.message_deleted", "ignored message (message_deleted)"),
    ("message.channels.other-bot", "ignored message (bot)"),
    ("message.channels.own-post-with-metadata", "ignored message (bot)"),
    (
        "message.channels.same-post-as-app_mention",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 C0APPROVAL Public 1789380200.000111 -",
    ),
    (
        "message.channels.thread_broadcast",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 C0APPROVAL Public 1789380262.000002 1789380200.000111",
    ),
    (
        "message.groups.root",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 C0MANAGERS Private 1789380264.000002 -",
    ),
    (
        "message.im.escaped-text",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 D0REQUEST1 Direct 1789380231.000116 -",
    ),
    (
        "message.im.long-text",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 D0REQUEST1 Direct 1789380232.000117 -",
    ),
    ("message.im.message_changed.user-edit", "ignored message (message_changed)"),
    (
        "message.im.org-wide-install",
        "message E0ACMEORG1 T0WRKSPC01/U0REQUEST1 D0REQUEST1 Direct 1789380343.000002 -",
    ),
    ("message.im.own-post", "ignored message (bot)"),
    ("message.im.own-post.streaming", "ignored message (bot)"),
    (
        "message.im.root",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 D0REQUEST1 Direct 1789380220.000113 -",
    ),
    (
        "message.im.root.with-app_context",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 D0REQUEST1 Direct 1789380221.000114 -",
    ),
    (
        "message.im.thread-reply",
        "message T0WRKSPC01 T0WRKSPC01/U0REQUEST1 D0REQUEST1 Direct 1789380230.000115 1789380220.000113",
    ),
    ("subteam_members_changed", "ignored subteam_members_changed"),
    ("team_access_granted.org-wide-install", "ignored team_access_granted"),
    ("team_access_revoked.org-wide-install", "ignored team_access_revoked"),
    ("tokens_revoked.bot", "tokens_revoked in T0WRKSPC01"),
    ("url_verification", "challenge 3eZbrw"),
    ("user_change.deactivated", "ignored user_change"),
    ("user_change.now-guest", "ignored user_change"),
];

#[test]
fn every_recorded_event_is_read_as_expected() {
    assert_eq!(recorded("events"), names(EVENTS.map(|(name, _)| name)));
    for (name, expected) in EVENTS {
        let body = std::fs::read(composed().join(format!("events/{name}.json"))).unwrap();
        assert_eq!(reading(&body), expected, "{name}");
    }
}

fn message(name: &str) -> Message {
    let body = std::fs::read(composed().join(format!("events/{name}.json"))).unwrap();
    match parse_event(&signed(JSON, &body), APP).unwrap() {
        Inbound::Message(message) | Inbound::AppMention(message) => message,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn the_message_and_the_mention_of_one_post_share_a_key() {
    let mention = message("app_mention");
    let post = message("message.channels.same-post-as-app_mention");
    assert_ne!(mention.event_key(), post.event_key());
    assert_eq!(mention.message_key(), post.message_key());
    assert_eq!(post.message_key(), "message:C0APPROVAL:1789380200.000111");
}

#[test]
fn nothing_of_the_text_is_lost() {
    assert_eq!(message("message.im.long-text").text.chars().count(), long_text_on_the_wire());
    let escaped = message("message.im.escaped-text").text;
    assert_eq!(as_typed(&escaped, "U0BOTUSER1"), "if a < b && c > d then <!channel>");
}

fn long_text_on_the_wire() -> usize {
    read("events/message.im.long-text.json")["event"]["text"].as_str().unwrap().chars().count()
}

#[test]
fn a_person_from_another_company_never_gets_our_organisation() {
    let outsider = message("message.channels.external-user").user;
    assert_eq!((outsider.team.as_str(), outsider.enterprise), ("T0PARTNER1", None));
    let colleague = message("message.im.org-wide-install").user;
    assert_eq!(colleague.enterprise.as_deref(), Some("E0ACMEORG1"));
}

/// A change to a recorded message that makes it something else than a person's own words.
#[test]
fn what_only_looks_like_a_persons_message_is_ignored() {
    let table = [
        ("user", "USLACKBOT", "ignored message (nobody)"),
        ("user", "U0BOTUSER1", "ignored message (ourselves)"),
        ("subtype", "something_new", "ignored message (something_new)"),
        ("bot_id", "B0ANYBODY1", "ignored message (bot)"),
    ];
    for (field, value, expected) in table {
        let mut event = read("events/message.im.root.json");
        event["event"][field] = value.into();
        assert_eq!(reading(event.to_string().as_bytes()), expected);
    }
    let mut somebodys = read("events/tokens_revoked.bot.json");
    somebodys["event"]["tokens"] = serde_json::json!({"oauth": ["U0REQUEST1"], "bot": []});
    assert_eq!(reading(somebodys.to_string().as_bytes()), "ignored tokens_revoked");
    let mut edited = read("events/message.im.root.json");
    edited["event"]["edited"] =
        serde_json::json!({"user": "U0REQUEST1", "ts": "1789380221.000000"});
    assert_eq!(reading(edited.to_string().as_bytes()), "ignored message (edit)");
}
