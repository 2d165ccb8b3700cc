//! From an HTTP answer to what it means. Pure, so that recorded answers prove it.

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::SlackError;
use crate::base::{Span, Timestamp};

/// What a rate limit means when Slack does not say for how long.
const WAIT: Span = Span::seconds(10);
/// A longer `Retry-After` is taken for this; the next try is told again.
const LONGEST_WAIT_SECONDS: u32 = 3600;

/// What Slack answered to a call that it did (`ok: true`).
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub body: Value,
    /// The scopes our token has (`x-oauth-scopes`), when Slack said so.
    pub scopes: Option<Vec<String>>,
    /// Slack's clock (the `Date` header), to the second.
    pub date: Option<Timestamp>,
}

/// Reads an answer. Slack says failure in the body of a 200; only rate limits and outages have a
/// status of their own, and the body of those may be anything.
pub(super) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, SlackError> {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(SlackError::RateLimited { retry_after: retry_after(headers) });
    }
    if status.is_server_error() {
        return Err(SlackError::Unknown { why: format!("Slack answered {status}") });
    }
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let error = body.as_ref().and_then(|body| body["error"].as_str());
    match (body.as_ref().and_then(|body| body["ok"].as_bool()), error) {
        (Some(true), _) if status.is_success() => Ok(Answer {
            scopes: text(headers, "x-oauth-scopes").map(scopes),
            date: text(headers, DATE.as_str()).and_then(http_date),
            body: body.unwrap_or_default(),
        }),
        (Some(false), Some(code)) => Err(SlackError::of(
            code,
            body.as_ref().and_then(|body| body["needed"].as_str()).map(str::to_owned),
            messages(body.as_ref()),
            retry_after(headers),
        )),
        // Redirects and refusals by something that is not the Web API did nothing.
        _ if !status.is_success() => Err(SlackError::NotDone { why: format!("answered {status}") }),
        // Cut short or no JSON at all: the call may well have been done.
        _ => Err(SlackError::Unknown { why: "the answer cannot be read".to_owned() }),
    }
}

fn retry_after(headers: &HeaderMap) -> Span {
    let seconds = text(headers, RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
    seconds.map_or(WAIT, |seconds: u32| Span::seconds(seconds.clamp(1, LONGEST_WAIT_SECONDS)))
}

fn messages(body: Option<&Value>) -> Vec<String> {
    let messages = body.and_then(|body| body["response_metadata"]["messages"].as_array());
    messages.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn scopes(text: &str) -> Vec<String> {
    text.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
}

fn http_date(text: &str) -> Option<Timestamp> {
    let instant = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers<'h>(pairs: impl IntoIterator<Item = (&'h str, &'h str)>) -> HeaderMap {
        let pair = |(name, value): (&str, &str)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        pairs.into_iter().map(pair).collect()
    }

    /// The class of each recorded error: what a caller does about it.
    const CLASSES: [(&str, &[&str]); 6] = [
        ("rate limited", &["ratelimited", "rate_limited"]),
        ("unknown", &["fatal_error"]),
        (
            "gone",
            &["invalid_auth", "token_revoked", "account_inactive", "not_authed", "token_expired"],
        ),
        (
            "setup",
            &["missing_scope", "messages_tab_disabled", "not_enabled", "plan_upgrade_required"],
        ),
        (
            "place",
            &[
                "channel_not_found",
                "not_in_channel",
                "is_archived",
                "restricted_action",
                "message_not_found",
                "cant_update_message",
                "cant_delete_message",
                "edit_window_closed",
                "streaming_state_conflict",
                "user_not_in_channel",
                "user_not_found",
                "users_not_found",
                "user_disabled",
                "user_not_visible",
                "fetch_members_failed",
                "thread_not_found",
                "no_such_subteam",
                "expired_trigger_id",
                "exchanged_trigger_id",
                "hash_conflict",
                "not_found",
            ],
        ),
        (
            "our bug",
            &[
                "no_text",
                "invalid_blocks",
                "msg_blocks_too_long",
                "markdown_text_conflict",
                "metadata_too_large",
                "msg_too_long",
                "invalid_cursor",
                "invalid_trigger_id",
                "invalid_arguments",
                "view_too_large",
            ],
        ),
    ];

    fn class(answer: &Result<Answer, SlackError>) -> &'static str {
        match answer {
            Ok(_) => "ok",
            Err(SlackError::RateLimited { .. }) => "rate limited",
            Err(SlackError::Unknown { .. }) => "unknown",
            Err(SlackError::InstallationGone { .. }) => "gone",
            Err(SlackError::SetupWrong { .. }) => "setup",
            Err(SlackError::PlaceWrong { .. }) => "place",
            Err(SlackError::OurBug { .. }) => "our bug",
            Err(SlackError::NotDone { .. }) => "not done",
            Err(SlackError::Paced { .. }) => "paced",
        }
    }

    fn recorded() -> Value {
        let text = include_str!("../../../tests/fixtures/slack/composed/web-api-answers.json");
        serde_json::from_str::<Value>(text).unwrap()["methods"].take()
    }

    fn read_recorded(case: &Value) -> Result<Answer, SlackError> {
        let status = StatusCode::from_u16(case["status"].as_u64().unwrap() as u16).unwrap();
        let fields = case["headers"].as_object().unwrap();
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        let body = match case["body"].as_str() {
            Some(text) => text.to_owned(),
            None => case["body"].to_string(),
        };
        read(status, &headers(pairs), body.as_bytes())
    }

    #[test]
    fn every_recorded_answer_of_our_methods_has_its_class() {
        let methods = "auth.test chat.postMessage chat.update chat.postEphemeral conversations.open \
                       conversations.info conversations.members conversations.history \
                       conversations.replies users.info users.lookupByEmail usergroups.list \
                       usergroups.users.list views.open views.publish";
        let recorded = recorded();
        for method in methods.split_whitespace() {
            for (name, case) in recorded[method].as_object().unwrap() {
                let expected = match case["body"]["error"].as_str() {
                    Some(code) => {
                        let row = CLASSES.iter().find(|(_, codes)| codes.contains(&code));
                        row.unwrap_or_else(|| panic!("{code} has no expected class")).0
                    }
                    None if case["status"] == 200 => "ok",
                    None => "unknown",
                };
                assert_eq!(class(&read_recorded(case)), expected, "{method} {name}");
            }
        }
    }

    #[test]
    fn errors_carry_what_mends_them() {
        let recorded = recorded();
        let error = |method: &str, case: &str| read_recorded(&recorded[method][case]).unwrap_err();
        assert_eq!(
            error("chat.postMessage", "missing_scope").to_string(),
            "the app is not set up for this: missing_scope (needed: chat:write)"
        );
        assert_eq!(
            error("conversations.history", "ratelimited-429"),
            SlackError::RateLimited { retry_after: Span::seconds(60) }
        );
        let SlackError::OurBug { messages, .. } = error("chat.postMessage", "invalid_blocks")
        else {
            panic!("an invalid block is our bug");
        };
        assert!(messages[0].contains("json-pointer:/blocks/0/text/text"), "{messages:?}");
    }

    #[test]
    fn what_is_no_answer_of_the_web_api_is_judged_by_what_may_have_happened() {
        let table = [
            (200, "", "unknown"),
            (200, "<html>", "unknown"),
            (200, "{\"ok\":true,\"ts\":", "unknown"),
            (200, "{\"ok\":false}", "unknown"),
            (200, "{\"ok\":false,\"error\":\"brand_new\"}", "our bug"),
            (200, "{\"ok\":false,\"error\":\"internal_error\"}", "unknown"),
            (200, "{\"ok\":false,\"error\":\"service_unavailable\"}", "not done"),
            (200, "{\"ok\":false,\"error\":\"restricted_action_thread_locked\"}", "place"),
            (302, "", "not done"),
            (302, "{\"ok\":true}", "not done"),
            (404, "<html>", "not done"),
            (429, "", "rate limited"),
            (500, "", "unknown"),
            (502, "{\"ok\":true}", "unknown"),
        ];
        for (status, body, expected) in table {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = read(status, &HeaderMap::new(), body.as_bytes());
            assert_eq!(class(&answer), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_silly_retry_after_is_tamed() {
        for (value, seconds) in [("30", 30), ("0", 1), ("999999", 3600), ("soon", 10), ("-1", 10)] {
            let error =
                read(StatusCode::TOO_MANY_REQUESTS, &headers([("retry-after", value)]), b"");
            let expected = SlackError::RateLimited { retry_after: Span::seconds(seconds) };
            assert_eq!(error, Err(expected), "{value}");
        }
    }

    #[test]
    fn scopes_and_slacks_clock_are_read_from_the_headers() {
        let headers = headers([
            ("x-oauth-scopes", "chat:write, users:read,"),
            ("date", "Mon, 14 Sep 2026 10:00:00 GMT"),
        ]);
        let answer = read(StatusCode::OK, &headers, b"{\"ok\":true}").unwrap();
        assert_eq!(answer.scopes.unwrap(), ["chat:write", "users:read"]);
        assert_eq!(answer.date, Some(Timestamp::from_millis(1_789_380_000_000)));
    }
}
