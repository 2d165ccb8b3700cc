use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::{http, tool, warranted};
use crate::agent::tools::{CallOutcome, ConfiguredTool, ProbeOutcome, Tool};
use crate::agent::{ArgumentError, Body, Credential, HttpSpec, Method, RetrySpec, TargetSpec};
use crate::base::Span;

/// What the target was asked: method and path, headers, body.
type Journal = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

/// A target that writes down what it was asked before it answers, if it answers.
struct Bank {
    address: String,
    journal: Journal,
}

impl Bank {
    async fn open() -> Self {
        let journal = Journal::default();
        let router = Router::new()
            .route("/status/{code}", routing::any(status))
            .route("/hang", routing::any(std::future::pending::<()>))
            .route("/big", routing::any(|| async { "x".repeat(200_000) }))
            .route("/echo", routing::any(echo))
            .route(
                "/away",
                routing::any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/status/200")]) }),
            )
            .fallback(|| async { "done" })
            .layer(axum::middleware::from_fn_with_state(journal.clone(), write_down));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, journal }
    }

    fn spec(&self, method: Method, path: &str) -> HttpSpec {
        let mut spec = http(method, &format!("http://{}{path}", self.address));
        spec.allow_private = vec![self.address.clone()];
        spec
    }

    fn tool(&self, path: &str, retry: RetrySpec) -> ConfiguredTool {
        tool(TargetSpec::Http(self.spec(Method::Post, path)), retry)
    }

    fn journal(&self) -> Vec<(String, HeaderMap, String)> {
        self.journal.lock().expect("nobody panicked").clone()
    }
}

async fn write_down(
    State(journal): State<Journal>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a small body");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let line = format!("{} {}", parts.method, parts.uri);
    journal.lock().expect("nobody panicked").push((line, parts.headers.clone(), text));
    next.run(Request::from_parts(parts, bytes.into())).await
}

async fn status(Path(code): Path<u16>) -> impl IntoResponse {
    (StatusCode::from_u16(code).expect("a status"), format!("said {code}"))
}

async fn echo(headers: HeaderMap) -> String {
    format!("{headers:?}")
}

fn keyed() -> RetrySpec {
    RetrySpec::Keyed { window: Span::minutes(60) }
}

#[tokio::test]
async fn the_target_gets_the_stored_arguments_the_key_and_the_credential() {
    let bank = Bank::open().await;
    let mut spec = bank.spec(Method::Post, "/refunds/{{ args.charge }}?for={{ args.who }}");
    spec.headers.insert("X-Reason".to_owned(), "refund of {{ args.charge }}".to_owned());
    spec.credential = Some(Credential {
        name: "payments-bot".to_owned(),
        secret: "hunter2".to_owned().into(),
        header: None,
    });
    let tool = tool(TargetSpec::Http(spec), keyed());
    let resolved = tool.resolve(r#"{ "who": "Mia & co", "charge":"ch/1", "amount": 40.0 }"#);
    let resolved = resolved.expect("it fits");
    let place = format!("POST http://{}/refunds/ch%2F1?for=Mia%20%26%20co", bank.address);
    assert_eq!(resolved.target, place);
    assert_eq!(resolved.credential, "payments-bot");
    let outcome = tool.call(&warranted(&tool, &resolved.arguments)).await;
    assert_eq!(outcome, CallOutcome::Done { content: "done".to_owned() });
    let [(line, headers, body)] = &bank.journal()[..] else { panic!("one request") };
    assert_eq!(line, "POST /refunds/ch%2F1?for=Mia%20%26%20co");
    assert_eq!(headers["idempotency-key"], super::KEY);
    assert_eq!(headers["authorization"], "Bearer hunter2");
    assert_eq!(headers["x-reason"], "refund of ch/1");
    assert_eq!(body, r#"{"amount":40,"charge":"ch/1","currency":"EUR","who":"Mia & co"}"#);
}

#[tokio::test]
async fn a_body_template_sends_what_it_names_and_nothing_more() {
    let bank = Bank::open().await;
    let mut spec = bank.spec(Method::Patch, "/x");
    let body = json!({ "value": "{{ args.amount }}", "note": "by {{ args.who }}" });
    spec.body = Body::Template(body);
    let tool = tool(TargetSpec::Http(spec), keyed());
    let arguments = json!({ "amount": 7, "who": "\"mia\"", "hidden": true });
    tool.call(&warranted(&tool, &arguments)).await;
    let [(_, _, body)] = &bank.journal()[..] else { panic!("one request") };
    assert_eq!(body, r#"{"note":"by \"mia\"","value":7}"#);
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_a_repeat_carries_the_same_key() {
    let bank = Bank::open().await;
    let tool = bank.tool("/hang", keyed());
    let warrant = warranted(&tool, &json!({ "amount": 40 }));
    for _ in 0..2 {
        let outcome = tool.call(&warrant).await;
        assert!(matches!(outcome, CallOutcome::Unknown { .. }), "it had arrived: {outcome:?}");
    }
    let keys: Vec<_> =
        bank.journal().iter().map(|(_, h, _)| h["idempotency-key"].clone()).collect();
    assert_eq!(keys, [super::KEY, super::KEY]);
    let bodies: Vec<_> = bank.journal().into_iter().map(|(_, _, body)| body).collect();
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn every_status_has_its_outcome() {
    let bank = Bank::open().await;
    for (code, of_once, of_pure) in [
        (200, "done", "done"),
        (201, "done", "done"),
        (204, "done", "done"),
        (302, "unknown", "not done"),
        (400, "not done", "not done"),
        (401, "not done", "not done"),
        (404, "not done", "not done"),
        (408, "unknown", "not done"),
        (409, "unknown", "not done"),
        (422, "not done", "not done"),
        (425, "unknown", "not done"),
        (429, "not done", "not done"),
        (500, "unknown", "not done"),
        (503, "unknown", "not done"),
        (504, "unknown", "not done"),
    ] {
        for (retry, expected) in [(RetrySpec::Once, of_once), (RetrySpec::Pure, of_pure)] {
            let tool = bank.tool(&format!("/status/{code}"), retry);
            let outcome = match tool.call(&warranted(&tool, &json!({}))).await {
                CallOutcome::Done { .. } => "done",
                CallOutcome::NotDone { .. } => "not done",
                CallOutcome::Unknown { .. } => "unknown",
            };
            assert_eq!(outcome, expected, "{code}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bank = Bank::open().await;
    let tool = bank.tool("/away", RetrySpec::Once);
    let outcome = tool.call(&warranted(&tool, &json!({}))).await;
    assert!(matches!(outcome, CallOutcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(bank.journal().len(), 1);
}

#[tokio::test]
async fn a_connection_that_was_never_made_is_told_from_one_that_broke() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = closed.local_addr().expect("an address").to_string();
    drop(closed);
    let call = async |address: &str| {
        let mut spec = http(Method::Post, &format!("http://{address}/"));
        spec.allow_private = vec![address.to_owned()];
        let tool = tool(TargetSpec::Http(spec), RetrySpec::Once);
        tool.call(&warranted(&tool, &json!({}))).await
    };
    let refused = call(&address).await;
    assert!(matches!(refused, CallOutcome::NotDone { .. }), "{refused:?}");

    let broken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = broken.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        let (mut connection, _) = broken.accept().await.expect("a call");
        let _ = connection.read(&mut [0; 64]).await;
    });
    let broke = call(&address).await;
    assert!(matches!(broke, CallOutcome::Unknown { .. }), "{broke:?}");
}

#[tokio::test]
async fn a_private_address_is_not_reached_without_leave() {
    let bank = Bank::open().await;
    let mut spec = bank.spec(Method::Post, "/x");
    spec.allow_private = vec!["127.0.0.1:1".to_owned()];
    let tool = tool(TargetSpec::Http(spec), RetrySpec::Once);
    let outcome = tool.call(&warranted(&tool, &json!({}))).await;
    let CallOutcome::NotDone { why } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("allow_private"), "{why}");
    assert!(bank.journal().is_empty());
}

#[tokio::test]
async fn a_giant_answer_is_cut_off_and_an_echoed_secret_taken_out() {
    let bank = Bank::open().await;
    let big = bank.tool("/big", RetrySpec::Once);
    let outcome = big.call(&warranted(&big, &json!({}))).await;
    let CallOutcome::Done { content } = outcome else { panic!("{outcome:?}") };
    assert!(content.ends_with("[cut off after 65536 bytes]"), "{}", content.len());

    let mut spec = bank.spec(Method::Post, "/echo");
    let (name, header) = ("bot".to_owned(), Some("X-Api-Key".to_owned()));
    spec.credential = Some(Credential { name, secret: "hunter2".to_owned().into(), header });
    let echo = tool(TargetSpec::Http(spec), RetrySpec::Once);
    let outcome = echo.call(&warranted(&echo, &json!({}))).await;
    let CallOutcome::Done { content } = outcome else { panic!("{outcome:?}") };
    assert!(content.contains("x-api-key") && !content.contains("hunter2"), "{content}");
}

#[tokio::test]
async fn no_argument_changes_the_path() {
    let bank = Bank::open().await;
    let tool = bank.tool("/orders/{{ args.order }}/refund", RetrySpec::Once);
    for order in [json!("."), json!(".."), json!(""), json!(null), json!(["a"]), json!({"a": 1})] {
        let resolved = tool.resolve(&json!({ "order": order }).to_string());
        assert!(matches!(resolved, Err(ArgumentError::Target(_))), "{order}: {resolved:?}");
    }
    let header = HttpSpec {
        headers: [("X-Who".to_owned(), "{{ args.who }}".to_owned())].into(),
        ..bank.spec(Method::Post, "/x")
    };
    let header = super::tool(TargetSpec::Http(header), RetrySpec::Once);
    let split = header.resolve(r#"{"who": "mia\r\nX-Admin: yes"}"#);
    assert!(matches!(split, Err(ArgumentError::Target(_))), "{split:?}");
}

#[tokio::test]
async fn an_approval_for_another_tool_or_place_calls_nothing() {
    let bank = Bank::open().await;
    let tool = bank.tool("/x", RetrySpec::Once);
    let approved = warranted(&tool, &json!({})).sealed().envelope().clone();
    let mut other_version = approved.clone();
    other_version.tool.version = "0".repeat(64);
    let mut other_place = approved;
    other_place.target = "POST https://elsewhere.example/".to_owned();
    for envelope in [other_version, other_place] {
        let outcome = tool.call(&super::warrant_for(envelope)).await;
        assert!(matches!(outcome, CallOutcome::NotDone { .. }), "{outcome:?}");
    }
    assert!(bank.journal().is_empty());
}

#[tokio::test]
async fn a_probe_says_whether_it_happened() {
    let bank = Bank::open().await;
    let probe = |path: &str| {
        let probe = TargetSpec::Http(HttpSpec { body: Body::None, ..bank.spec(Method::Get, path) });
        bank.tool("/x", RetrySpec::Probe(Box::new(probe)))
    };
    let ask = async |tool: ConfiguredTool| tool.probe(&warranted(&tool, &json!({}))).await;
    let applied = ask(probe("/payments/{{ key }}")).await;
    assert_eq!(applied, ProbeOutcome::Applied { content: "done".to_owned() });
    assert_eq!(bank.journal()[0].0, format!("GET /payments/{}", super::KEY));
    assert_eq!(ask(probe("/status/404")).await, ProbeOutcome::NotApplied);
    for path in ["/status/401", "/status/500", "/hang"] {
        let outcome = ask(probe(path)).await;
        assert!(matches!(outcome, ProbeOutcome::Unknown { .. }), "{path}: {outcome:?}");
    }
    let outcome = ask(bank.tool("/x", RetrySpec::Once)).await;
    assert!(matches!(outcome, ProbeOutcome::Unknown { .. }), "{outcome:?}");
}

#[test]
fn a_value_is_data() {
    let value: Value = json!("{{ args }}");
    let tool = tool(TargetSpec::Http(http(Method::Get, "https://x.example/{{ args.v }}")), keyed());
    let resolved = tool.resolve(&json!({ "v": value }).to_string()).expect("a text is a text");
    assert_eq!(resolved.target, "GET https://x.example/%7B%7B%20args%20%7D%7D");
}
