use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

/// A server for as many connections as it has answers; gives back what it was sent. An empty
/// answer drops the connection after reading the request.
async fn server<const N: usize>(answers: [&'static str; N]) -> (Url, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap()).parse().unwrap();
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            requests.push(whole_request(&mut stream).await);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (url, served)
}

async fn whole_request(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    loop {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return request;
            }
        }
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.unwrap();
        request.push_str(str::from_utf8(&bytes[..read]).unwrap());
    }
}

fn slack(base_url: Url) -> HttpSlack {
    made(base_url, "xoxb-EXAMPLE-TOKEN").unwrap()
}

fn made(base_url: Url, token: &str) -> Result<HttpSlack, HttpSlackError> {
    let settings = HttpSlackSettings { base_url, token: token.into(), timeout: Span::seconds(5) };
    HttpSlack::new(settings)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"ok\":true}";

#[tokio::test]
async fn a_call_is_a_form_with_the_token_in_the_header() {
    let (url, served) = server([OK]).await;
    let arguments = json!({
        "channel": "C1", "text": "a & b", "thread_ts": null, "unfurl_links": false,
        "blocks": [{"type": "divider"}],
    });
    slack(url).call(Method::ChatPostMessage, arguments).await.unwrap();
    let request = served.await.unwrap().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/chat.postMessage HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer xoxb-EXAMPLE-TOKEN\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{head}");
    let mut fields: Vec<(String, String)> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    fields.sort();
    let expected = [
        ("blocks", "[{\"type\":\"divider\"}]"),
        ("channel", "C1"),
        ("text", "a & b"),
        ("unfurl_links", "false"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn what_may_have_happened_decides_the_error() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/api/", listener.local_addr().unwrap()).parse().unwrap()
    };
    let refused = slack(nobody).call(Method::ChatUpdate, json!({})).await.unwrap_err();
    assert_eq!(refused, SlackError::NotDone { why: "no connection to Slack".to_owned() });

    for dropped in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"ok\":true",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 6\r\n\r\n<html>",
    ] {
        let (url, _served) = server([dropped]).await;
        let error = slack(url).call(Method::ChatPostMessage, json!({})).await.unwrap_err();
        assert!(matches!(error, SlackError::Unknown { .. }), "{dropped:?}: {error}");
        assert!(!format!("{error} {error:?}").contains("xoxb-"));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_our_token() {
    let moved =
        "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n";
    let (url, _served) = server([moved]).await;
    let error = slack(url).call(Method::UsersInfo, json!({})).await.unwrap_err();
    assert_eq!(error, SlackError::NotDone { why: "answered 302 Found".to_owned() });
}

#[tokio::test]
async fn a_response_url_gets_json_and_never_the_token() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let (url, served) = server([ok]).await;
    let response_url = url.join("/actions/T0WRKSPC01/99/secret").unwrap();
    let slack = slack(url);
    slack.respond(&ResponseUrl::new(response_url), json!({"text": "No."})).await.unwrap();
    let request = served.await.unwrap().remove(0);
    assert!(request.starts_with("POST /actions/T0WRKSPC01/99/secret "), "{request}");
    assert!(request.ends_with("{\"text\":\"No.\"}"), "{request}");
    assert!(!request.contains("xoxb-"), "{request}");

    let elsewhere = slack
        .respond(&ResponseUrl::new("https://evil.example/actions"), json!({}))
        .await
        .unwrap_err();
    assert_eq!(elsewhere, respond::gone());
}

#[test]
fn a_token_is_never_sent_in_the_clear() {
    let table = [
        ("https://slack.com/api/", true),
        ("http://127.0.0.1:4010/api", true),
        ("http://[::1]:4010/api", true),
        ("http://localhost:4010/api", true),
        ("http://slack.com/api/", false),
        ("http://127.0.0.1.evil.example/api/", false),
        ("ftp://127.0.0.1/", false),
    ];
    for (base_url, taken) in table {
        let slack = made(base_url.parse().unwrap(), "xoxb-1");
        assert_eq!(slack.is_ok(), taken, "{base_url}");
    }
    for token in ["", "xoxb\n1"] {
        let base_url = "https://slack.com/api/".parse().unwrap();
        assert_eq!(made(base_url, token).err(), Some(HttpSlackError::Token));
    }
}
