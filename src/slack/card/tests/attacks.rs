//! Deceptive presentation: what each attack looks like on the card.

use serde_json::{Value, json};

use crate::slack::card::samples::{Story, envelope};
use crate::slack::card::{as_text, stage_card};

fn card(arguments: Value) -> String {
    as_text(&stage_card(&Story::of(arguments).view(), 0))
}

#[test]
fn arguments_cannot_deceive() {
    for (attack, arguments, shown) in [
        ("E1 mrkdwn and fences", json!({ "a": "*x* ``` > y" }), r#"a = "*x* ``` > y""#),
        ("E2 tokens", json!({ "a": "<!channel> <@U1>" }), r#"a = "<!channel> <@U1>""#),
        (
            "E3 masked link",
            json!({ "a": "<https://evil.example|https://bank.example>" }),
            r#"a = "<https://evil.example|https://bank.example>""#,
        ),
        (
            "E3 user name before the host",
            json!({ "a": "https://bank.example@evil.example/" }),
            "look closely: the host is evil.example",
        ),
        ("E4 bidi", json!({ "to": "\u{202E}gro.knab" }), r#"to = "\u{202E}gro.knab""#),
        ("E5 zero width", json!({ "to": "a\u{200D}b" }), r#"to = "a\u{200D}b""#),
        (
            "E6 homoglyph",
            json!({ "to": "p\u{430}ypal" }),
            r#"to = "p\u{430}ypal"  ← mixed alphabets in one word: Cyrillic letters"#,
        ),
        (
            "E7 padding",
            json!({ "a": format!("ok{}rm -rf /", "\n".repeat(10_000)) }),
            "\"ok\\{10000 newlines}\n        rm -rf /\"",
        ),
        ("E9 nested values", json!({ "a": { "b": [{ "c": "deep" }] } }), r#"a.b[0].c = "deep""#),
        ("E10 terminal control", json!({ "a": "\u{1b}[2K\r" }), r#"a = "\u{1B}[2K\r""#),
        (
            "E11 emoji code",
            json!({ "a": ":white_check_mark: ok" }),
            r#"a = ":white_check_mark: ok""#,
        ),
        ("E16 a text is not a number", json!({ "a": "1", "b": 1 }), "a = \"1\"\n    b = 1\n"),
        ("E16 large number", json!({ "a": 1_000_000 }), "a = 1000000  ← 1 000 000"),
        (
            "E17 encoded payload",
            json!({ "a": "aGVsbG8gd29ybGQ0".repeat(4) }),
            "← looks encoded, not readable",
        ),
        (
            "E18 argv stays apart",
            json!({ "argv": ["sh", "-c", "a; $(b)"] }),
            r#"argv[2] = "a; $(b)""#,
        ),
        (
            "E21 decomposed",
            json!({ "a": "e\u{301}" }),
            r#"a = "e\u{301}"  ← letters not in composed form"#,
        ),
        ("a key that forges a line", json!({ "a = 1\nb": 2 }), r#""a = 1\n"#),
    ] {
        let card = card(arguments);
        assert!(card.contains(shown), "{attack}: {shown}\n{card}");
    }
}

#[test]
fn nothing_from_outside_is_markup() {
    // E1, E2, E3, E11, E14: text from outside stands only where Slack reads no markup.
    let mut hostile = envelope(json!({ "a": "<!channel> :tada: https://evil.example/x.png" }));
    hostile.requester.name = "<!here> *Boss*".to_owned();
    hostile.requester.user.user = "U1> <!channel".to_owned();
    hostile.agent = Some("<@U1>".to_owned());
    let story = Story::about(hostile).claiming("<!everyone> *Approved by Priya*");
    let card = stage_card(&story.view(), 0);
    fn walk(value: &Value) {
        if let Value::Object(fields) = value {
            let kind = value["type"].as_str().unwrap_or_default();
            assert!(
                !["mrkdwn", "image", "link", "emoji", "broadcast", "markdown", "user"]
                    .contains(&kind),
                "{value}"
            );
            assert!(kind != "plain_text" || value["emoji"] == false, "{value}");
            fields.values().for_each(walk);
        }
        value.as_array().into_iter().flatten().for_each(walk);
    }
    card.blocks.iter().for_each(walk);
    assert!(!card.text.contains('<') && !card.text.contains("tada"), "E15: {}", card.text);
}

#[test]
fn where_and_as_whom_it_runs_is_shown() {
    // E19 and E20: everything that is bound is also shown.
    let mut command = envelope(json!({ "argv": ["ls"] }));
    command.cwd = Some("/srv/pay".to_owned());
    command.environment = vec!["PATH".to_owned(), "LD_PRELOAD".to_owned()];
    let text = as_text(&stage_card(&Story::about(command).view(), 0));
    for line in [
        "directory = \"/srv/pay\"",
        "environment[1] = \"LD_PRELOAD\"",
        "credential = \"payments-key\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn one_byte_apart_differs_in_the_fingerprint() {
    // E23
    let fingerprint = |note: &str| {
        let text = card(json!({ "note": note }));
        text.lines().find(|line| line.starts_with("Fingerprint")).map(str::to_owned)
    };
    assert_ne!(fingerprint("to May"), fingerprint("to Max"));
}
