//! `apps.manifest.update`: where the app listens and what it may do.
//!
//! In Slack it takes a token of its own kind; here the bot's token will do. A request URL must lie
//! on this machine, so that nobody can make the stand-in send anything elsewhere.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Answer, Refused};
use crate::sandbox::cast::APP;
use crate::sandbox::server::Inner;

const EVENTS: &str = "/slack/events";

pub(super) async fn update(inner: &Inner, arguments: &Arguments) -> Answer {
    if arguments.needed("app_id")? != APP {
        return Err("app_not_found".into());
    }
    let manifest = arguments.json("manifest").ok_or_else(|| Refused::from("invalid_manifest"))?;
    let scopes = scopes(&manifest["oauth_config"]["scopes"]["bot"]);
    if let Some(url) = manifest["settings"]["event_subscriptions"]["request_url"].as_str() {
        listen(inner, url).await?;
    }
    let changed = scopes.is_some();
    if let Some(scopes) = scopes {
        inner.shared.lock().scopes = scopes;
    }
    Ok(json!({ "app_id": APP, "permissions_updated": changed }))
}

fn scopes(list: &Value) -> Option<Vec<String>> {
    let names = list.as_array()?.iter().filter_map(Value::as_str);
    Some(names.map(str::to_owned).collect())
}

/// Takes a request URL once its owner has echoed a challenge.
async fn listen(inner: &Inner, url: &str) -> Result<(), Refused> {
    let refused = || Refused::from("invalid_manifest");
    let base = url.strip_suffix(EVENTS).ok_or_else(refused)?;
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    if !matches!(host.as_deref(), Some("127.0.0.1" | "localhost")) {
        return Err(refused());
    }
    let challenge = format!("challenge-{}", inner.shared.lock().next());
    let body = json!({ "token": "unused", "challenge": challenge, "type": "url_verification" });
    let answer = inner.post.json_to(base, EVENTS, &body).await;
    let echoed = answer.body == json!(challenge) || answer.body["challenge"] == challenge;
    if answer.status != 200 || !echoed {
        return Err(refused());
    }
    inner.post.set_bot_url(base);
    Ok(())
}
