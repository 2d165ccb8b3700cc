//! Attack A: what is not signed by Slack, now, over exactly these bytes, changes nothing.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use countersign::base::{Span, Timestamp};
use serde_json::Value;
use tower::ServiceExt;

use crate::office::{INVOICE, Office};
use crate::reckoning::count;

const ROUTES: [&str; 3] = ["/slack/events", "/slack/interactions", "/slack/commands"];

#[tokio::test]
async fn a_stolen_click_without_its_signature_is_turned_away() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.presses("sam", &card, "Approve").await;
    let forged = office.last_click().replace("U0SAM", "U0JONAS");
    let (timestamp, signature) = office.world.slack.sign("something else");
    let (_, old_signature) = office.world.slack.sign(&forged);
    let wrong: [Option<(&str, &str)>; 5] = [
        None,
        Some((&timestamp, &signature)),
        Some((&timestamp, "v0=")),
        Some(("", &old_signature)),
        Some((&timestamp, &old_signature.replace("v0=", "v1="))),
    ];
    for headers in wrong {
        for route in ROUTES {
            let status = office.world.slack.send_raw(route, &forged, headers).await;
            assert_eq!(status, 401, "{route} {headers:?}");
        }
    }
    office.a_moment().await;
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM votes").await, 0);
    desk.close().await;
    office.rejects("jonas", &card).await;
    office.closes().await;
}

/// A8: signed rightly, and sent again six minutes later.
#[tokio::test]
async fn a_recorded_request_is_stale_after_five_minutes() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.presses("sam", &card, "Approve").await;
    let body = office.last_click().replace("U0SAM", "U0JONAS");
    let (timestamp, signature) = office.world.slack.sign(&body);
    office.passes(Span::minutes(6)).await;
    let headers = Some((timestamp.as_str(), signature.as_str()));
    assert_eq!(office.world.slack.send_raw("/slack/interactions", &body, headers).await, 401);
    assert_eq!(office.invoices_paid().await, 0);
    office.rejects("jonas", &card).await;
    office.closes().await;
}

/// The recorded requests of the platform, through the real router.
#[tokio::test]
async fn recorded_requests_get_the_verdict_they_deserve() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let recorded: Value = read("signed-requests.json");
    std::fs::write(secret.path(), recorded["signing_secret"].as_str().unwrap()).unwrap();
    let file = format!("signing_secret_file: {}", secret.path().display());
    let clock = Timestamp::from_millis(recorded["clock"].as_i64().unwrap() * 1000);
    let edits = [
        ("signing_secret: ${DEMO_SIGNING_SECRET}", file.as_str()),
        ("slack:\n", "slack:\n  app_id: A0APPROVE1\n"),
    ];
    let office = Office::opens_at(clock, &edits).await;
    for request in recorded["requests"].as_array().unwrap() {
        let name = request["name"].as_str().unwrap();
        let Some(route) = route_of(request["kind"].as_str().unwrap()) else { continue };
        assert_eq!(sent(&office, route, request, "").await, StatusCode::OK, "{name}");
        let status = sent(&office, route, request, " ").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{name}, one byte longer");
    }
    for request in read("unsigned-requests.json")["requests"].as_array().unwrap() {
        let name = request["name"].as_str().unwrap();
        let plain = name == "commands.ssl_check";
        let expected = if plain { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(sent(&office, "/slack/commands", request, "").await, expected, "{name}");
    }
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM votes").await, 0);
}

fn route_of(kind: &str) -> Option<&'static str> {
    match kind {
        "events" => Some("/slack/events"),
        "interactivity" => Some("/slack/interactions"),
        "commands" => Some("/slack/commands"),
        _ => None,
    }
}

async fn sent(office: &Office, route: &str, recorded: &Value, more: &str) -> StatusCode {
    let mut request = Request::post(route);
    for (name, value) in recorded["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let body = format!("{}{more}", recorded["body"].as_str().unwrap());
    let request = request.body(Body::from(body)).unwrap();
    office.world.app().unwrap().router().oneshot(request).await.unwrap().status()
}

fn read(name: &str) -> Value {
    let file = format!("{}/tests/fixtures/slack/composed/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}
