//! Response URLs: which ones we post to, and what their answers mean.

use std::fmt;

use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use super::SlackError;

/// Where one click or command may be answered. Whoever holds it can post as our app, so it is a
/// secret and never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseUrl(String);

impl ResponseUrl {
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseUrl(…)")
    }
}

/// The URL, when it belongs to the Slack we talk to. A response URL that pointed anywhere else
/// would make us tell a stranger what happened to a request.
///
/// Slack's own stand on `hooks.` beside the API's host; the sandbox hands out URLs of its own.
pub(super) fn allowed(response_url: &ResponseUrl, api: &Url) -> Option<Url> {
    let url: Url = response_url.0.parse().ok()?;
    let hooks = api.host_str().map(|host| format!("hooks.{host}"));
    let slacks =
        url.scheme() == "https" && url.host_str() == hooks.as_deref() && url.port().is_none();
    let bare = url.username().is_empty() && url.password().is_none();
    (bare && (slacks || url.origin() == api.origin())).then_some(url)
}

/// Reads the answer of a response URL: the text `ok`, or JSON with `ok: true`. Anything else that
/// is no outage means that the URL is used up, too old or not for this message.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<(), SlackError> {
    let json_ok = || {
        let body: Option<Value> = serde_json::from_slice(body).ok();
        body.is_some_and(|body| body["ok"] == true)
    };
    if status.is_success() && (body.trim_ascii() == b"ok" || json_ok()) {
        Ok(())
    } else if status.is_server_error() {
        Err(SlackError::Unknown { why: format!("the response URL answered {status}") })
    } else {
        Err(gone())
    }
}

/// The response URL is of no use (any more).
pub(super) fn gone() -> SlackError {
    SlackError::PlaceWrong { code: "response_url_gone".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_slack_we_talk_to_is_answered() {
        let slack = "https://slack.com/api/";
        let sandbox = "http://127.0.0.1:4010/api/";
        let table = [
            (slack, "https://hooks.slack.com/actions/T0WRKSPC01/99/secret", true),
            (slack, "https://slack.com/anything", true),
            (slack, "http://hooks.slack.com/actions/T0/99/secret", false),
            (slack, "https://hooks.slack.com.evil.example/actions/T0/99", false),
            (slack, "https://hooks.slack.com:8443/actions/T0/99", false),
            (slack, "https://hooks.slack.com@evil.example/actions", false),
            (slack, "https://user@hooks.slack.com/actions", false),
            (slack, "https://evil.example/hooks.slack.com", false),
            (slack, "http://127.0.0.1:4010/actions", false),
            (slack, "file:///etc/passwd", false),
            (slack, "", false),
            ("https://slack-gov.com/api/", "https://hooks.slack-gov.com/actions/T0/99", true),
            ("https://slack-gov.com/api/", "https://hooks.slack.com/actions/T0/99", false),
            (sandbox, "http://127.0.0.1:4010/actions/T0/99", true),
            (sandbox, "http://127.0.0.1:4011/actions/T0/99", false),
            (sandbox, "https://hooks.slack.com/actions/T0/99", false),
        ];
        for (api, response_url, taken) in table {
            let allowed = allowed(&ResponseUrl::new(response_url), &api.parse().unwrap());
            assert_eq!(allowed.is_some(), taken, "{response_url} beside {api}");
        }
    }

    #[test]
    fn a_response_url_is_done_with_unless_it_says_ok() {
        let done =
            |status: u16, body: &str| read(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(done(200, "ok"), Ok(()));
        assert_eq!(done(200, "{\"ok\":true}"), Ok(()));
        for (status, body) in [
            (404, "{\"ok\":false,\"error\":\"Expired url\"}"),
            (200, "{\"ok\":false,\"error\":\"Expired url\"}"),
            (404, "used_url"),
            (200, ""),
            (302, "ok"),
        ] {
            assert_eq!(done(status, body), Err(gone()), "{status} {body}");
        }
        assert!(matches!(done(503, ""), Err(SlackError::Unknown { .. })));
    }
}
