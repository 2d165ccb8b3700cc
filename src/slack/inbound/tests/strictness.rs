use axum::http::HeaderName;

use super::super::{InboundError, parse_command, parse_event, parse_interaction};
use super::*;

const MENTION: &str = "events/app_mention.json";
const CLICK: &str = "interactivity/block_actions.approve.json";

#[test]
fn whole_recorded_requests_pass_from_headers_to_value() {
    let recorded = read("signed-requests.json");
    let secret = recorded["signing_secret"].as_str().unwrap();
    let verifier = Verifier::new(vec![secret.into()]).unwrap();
    let requests = recorded["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 18);
    for request in requests {
        let mut headers = HeaderMap::new();
        for (name, value) in request["headers"].as_object().unwrap() {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
        }
        let body = request["body"].as_str().unwrap().as_bytes();
        let body = verifier.verify(&headers, body, NOW).unwrap();
        let read = match request["kind"].as_str().unwrap() {
            "events" => parse_event(&body, APP).map(|_| ()),
            "interactivity" | "options" => parse_interaction(&body, APP).map(|_| ()),
            "commands" => parse_command(&body, APP).map(|_| ()),
            other => panic!("{other}"),
        };
        assert_eq!(read, Ok(()), "{}", request["name"]);
    }
}

#[test]
fn a_redelivery_has_another_signature_and_the_same_key() {
    use super::super::Inbound::Message;
    let recorded = read("signed-requests.json");
    let requests = recorded["requests"].as_array().unwrap();
    let keys: Vec<String> = requests
        .iter()
        .filter(|request| request["name"].as_str().unwrap().starts_with("events.message.im.root"))
        .map(|request| {
            match parse_event(&signed(JSON, request["body"].as_str().unwrap().as_bytes()), APP) {
                Ok(Message(message)) => message.event_key(),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert_eq!(keys, ["event:Ev0COMP00004"; 3]);
}

#[test]
fn what_is_for_another_app_is_refused() {
    let refusal = |app: &str| Err(InboundError::OtherApp(app.to_owned()));
    for (app, expected) in
        [(Some("A0OTHERAP1"), refusal("A0APPROVE1")), (None, Ok(())), (APP, Ok(()))]
    {
        let event = signed(JSON, read(MENTION).to_string().as_bytes());
        assert_eq!(parse_event(&event, app).map(|_| ()), expected);
        let click = signed(FORM, form_of("payload", &read(CLICK).to_string()).as_bytes());
        assert_eq!(parse_interaction(&click, app).map(|_| ()), expected);
    }
    let mut nameless = read(MENTION);
    nameless.as_object_mut().unwrap().remove("api_app_id");
    let body = signed(JSON, nameless.to_string().as_bytes());
    assert_eq!(parse_event(&body, APP).map(|_| ()), refusal(""));
}

#[test]
fn only_the_content_types_slack_uses_are_read() {
    let event = read(MENTION).to_string();
    let table = [
        ("application/json", true),
        ("Application/JSON; charset=UTF-8", true),
        ("application/json; charset=utf-16", false),
        ("application/x-www-form-urlencoded", false),
        ("multipart/form-data; boundary=x", false),
        ("text/plain", false),
        ("application/json, text/plain", false),
        ("", false),
    ];
    for (content_type, taken) in table {
        let read = parse_event(&signed(content_type, event.as_bytes()), APP);
        assert_eq!(read.is_ok(), taken, "{content_type}");
    }
    let click = form_of("payload", &read(CLICK).to_string());
    assert!(parse_interaction(&signed(JSON, click.as_bytes()), APP).is_err());
}

#[test]
fn forms_that_two_parsers_could_read_differently_are_refused() {
    let payload = form_of("payload", &read(CLICK).to_string());
    let table = [
        (payload.clone(), None),
        // Unknown fields beside the payload are Slack's to add.
        (format!("{payload}&new=1"), None),
        (format!("{payload}&{payload}"), Some("a field comes twice")),
        (format!("{payload}&pay%6Coad=%7B%7D"), Some("a field comes twice")),
        (format!("payload=%7B%7D&{payload}"), Some("a field comes twice")),
        (payload.replace("payload=", "Payload="), Some("no `payload` field")),
        (format!("{payload}&"), Some("a field without `=`")),
        (format!("{payload}&x=%4"), Some("a broken percent escape")),
        (format!("{payload}&x=%zz"), Some("a broken percent escape")),
        (format!("{payload}&x=%FF"), Some("not UTF-8")),
        (String::new(), Some("a field without `=`")),
    ];
    for (body, expected) in table {
        let read = parse_interaction(&signed(FORM, body.as_bytes()), APP).map(|_| ());
        let expected = expected.map_or(Ok(()), |why| Err(InboundError::Form(why)));
        assert_eq!(read, expected, "…{}", &body[body.len().saturating_sub(30)..]);
    }
    let raw = [b"payload=".as_slice(), &[0xFF]].concat();
    assert_eq!(
        parse_interaction(&signed(FORM, &raw), APP).map(|_| ()),
        Err(InboundError::Form("not UTF-8"))
    );
}

#[test]
fn json_that_is_no_event_is_refused_without_quoting_it() {
    let deep = format!(
        "{{\"type\":\"event_callback\",\"event\":{}1{}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    let bom = format!("\u{FEFF}{}", read(MENTION));
    for body in ["", "null", "[]", "{}", "{\"type\":7}", "{\"type\":\"x\"} x", &deep, &bom] {
        let refusal = parse_event(&signed(JSON, body.as_bytes()), APP).unwrap_err();
        assert!(matches!(refusal, InboundError::Json { .. }), "{body}: {refusal:?}");
    }
}

#[test]
fn a_missing_field_is_named() {
    let table = [("ts", "event.ts"), ("channel", "event.channel"), ("type", "event.type")];
    for (field, named) in table {
        let mut event = read(MENTION);
        event["event"].as_object_mut().unwrap().remove(field);
        let refusal = parse_event(&signed(JSON, event.to_string().as_bytes()), APP);
        assert_eq!(refusal, Err(InboundError::Field(named)));
    }
}
