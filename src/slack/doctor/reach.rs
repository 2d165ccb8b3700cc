//! Can Slack reach this desk, and does the desk know the same secret?

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Finding;
use crate::base::Timestamp;
use crate::slack::signature::sign;

/// Slack's signing secrets are 32 hexadecimal digits.
const SECRET_LENGTH: usize = 32;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
const CHALLENGE: &str = "countersign-doctor";

/// Does each signing secret look like one?
pub fn secrets(secrets: &[SecretString]) -> Vec<Finding> {
    let odd = secrets.iter().filter(|secret| {
        let text = secret.expose_secret();
        text.len() != SECRET_LENGTH || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    match odd.count() {
        0 => vec![Finding::ok("the signing secret looks like one")],
        _ => vec![Finding::warn(
            "a signing secret is not 32 hexadecimal digits, as Slack's are",
            "copy it again from Basic Information on the app's page; it is not the client secret",
        )],
    }
}

/// There is no address to try.
pub fn unreachable_to_test() -> Finding {
    Finding::warn(
        "nobody could try whether Slack reaches this desk: there is no `public_url`",
        "set `public_url` to the address that Slack calls, and start `serve`",
    )
}

/// Calls the desk at its public address as Slack does when an address is entered: signed.
pub async fn reach(public: &Url, secret: &SecretString, now: Timestamp) -> Finding {
    let Ok(events) = public.join("/slack/events") else {
        return Finding::fail("`public_url` has no room for a path", "write it as https://host");
    };
    let mend =
        "start `serve`; check DNS, certificate, proxy, and that `listen` is what it forwards to";
    let body = format!("{{\"type\":\"url_verification\",\"challenge\":\"{CHALLENGE}\"}}");
    match ask(events.clone(), secret, now, body).await {
        Ok((200, said)) if said == CHALLENGE => {
            Finding::ok(format!("{events} answers, and knows the signing secret"))
        }
        Ok((401, _)) => Finding::fail(
            format!("{events} answers, but does not know this signing secret"),
            "restart `serve` with this configuration; check that no proxy changes the body",
        ),
        Ok((status, _)) => Finding::fail(format!("{events} answers with status {status}"), mend),
        Err(why) => Finding::fail(format!("{events} does not answer: {why}"), mend),
    }
}

async fn ask(
    events: Url,
    secret: &SecretString,
    now: Timestamp,
    body: String,
) -> Result<(u16, String), String> {
    let seconds = now.as_seconds().to_string();
    let told = |error: reqwest::Error| error.without_url().to_string();
    let answer = client()
        .map_err(told)?
        .post(events)
        .header("content-type", "application/json")
        .header("x-slack-request-timestamp", &seconds)
        .header("x-slack-signature", sign(secret, &seconds, body.as_bytes()))
        .body(body)
        .send()
        .await
        .map_err(told)?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.map_err(told)?))
}

#[expect(clippy::disallowed_methods, reason = "it calls our own address, as Slack would")]
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()
}
