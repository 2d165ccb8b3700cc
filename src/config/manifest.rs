//! `manifest.yaml`, Slack's description of our app, filled in with an operator's own address.

use serde_json::Value;
use url::Url;

use crate::config::reading::is_this_machine;

const MANIFEST: &str = include_str!("../../manifest.yaml");
const PLACEHOLDER: &str = "https://countersign.example.com";

/// An address that Slack could not call.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ManifestError {
    #[error("`{0}` is not an address; write it like `https://approvals.example.com`")]
    NotAUrl(String),
    #[error("Slack calls https only; put `{0}` behind a certificate, or use localhost to try it")]
    NotHttps(String),
    /// It may hold a password, so it is not repeated.
    #[error("the address has a name, a `?` or a `#` in it; give only where the service is reached")]
    NotABase,
}

/// The manifest with every request URL under `url`, comments kept.
pub fn fill(url: &str) -> Result<String, ManifestError> {
    let refuse = |error: fn(String) -> ManifestError| error(url.to_owned());
    let base: Url = url.parse().map_err(|_| refuse(ManifestError::NotAUrl))?;
    if !base.has_host() {
        return Err(refuse(ManifestError::NotAUrl));
    }
    if base.scheme() != "https" && !(base.scheme() == "http" && is_this_machine(&base)) {
        return Err(refuse(ManifestError::NotHttps));
    }
    let has_user = !base.username().is_empty() || base.password().is_some();
    if has_user || base.query().is_some() || base.fragment().is_some() {
        return Err(ManifestError::NotABase);
    }
    // The parsed form has no character that could end a YAML text.
    Ok(MANIFEST.replace(PLACEHOLDER, base.as_str().trim_end_matches('/')))
}

/// The scopes that the bot's token needs, as the manifest lists them.
pub fn scopes() -> Vec<String> {
    let manifest: Value = serde_saphyr::from_str(MANIFEST).unwrap_or_default();
    let scopes = manifest.pointer("/oauth_config/scopes/bot").and_then(Value::as_array);
    let texts = scopes.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Value {
        serde_saphyr::from_str(text).expect("the manifest is YAML")
    }

    fn texts<'a>(manifest: &'a Value, pointer: &str) -> Vec<&'a str> {
        let list = manifest.pointer(pointer).and_then(Value::as_array).expect(pointer);
        list.iter().map(|text| text.as_str().expect(pointer)).collect()
    }

    #[test]
    fn every_request_url_is_filled_in_and_comments_stay() {
        let filled = fill("https://approvals.acme.example:8443/desk/").expect("a good address");
        assert!(filled.contains("# draws the Home tab"), "{filled}");
        assert!(!filled.contains(PLACEHOLDER), "{filled}");
        let manifest = manifest(&filled);
        for (pointer, path) in [
            ("/features/slash_commands/0/url", "commands"),
            ("/settings/event_subscriptions/request_url", "events"),
            ("/settings/interactivity/request_url", "interactions"),
        ] {
            let url = format!("https://approvals.acme.example:8443/desk/slack/{path}");
            assert_eq!(manifest.pointer(pointer), Some(&Value::from(url)), "{pointer}");
        }
    }

    #[test]
    fn an_address_slack_could_not_call_is_refused() {
        for url in ["approvals", "mailto:ops@acme.example"] {
            assert_eq!(fill(url), Err(ManifestError::NotAUrl(url.to_owned())));
        }
        for url in ["http://approvals.acme.example", "ftp://approvals.acme.example"] {
            assert_eq!(fill(url), Err(ManifestError::NotHttps(url.to_owned())));
        }
        for path in ["me:secret@acme.example", "acme.example/?a=b", "acme.example/#a"] {
            assert_eq!(fill(&format!("https://{path}")), Err(ManifestError::NotABase), "{path}");
        }
        for url in ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"] {
            assert!(fill(url).is_ok(), "{url}");
        }
    }

    /// Facts of Slack's manifest schema (version 2), copied by hand: it refuses unknown keys.
    #[test]
    fn slack_knows_every_key() {
        let known = [
            ("", "_metadata display_information features oauth_config settings"),
            ("/_metadata", "major_version minor_version"),
            ("/display_information", "name description long_description background_color"),
            ("/features", "bot_user app_home slash_commands shortcuts agent_view assistant_view"),
            ("/features/agent_view", "agent_description suggested_prompts actions"),
            ("/features/bot_user", "display_name always_online"),
            (
                "/features/app_home",
                "home_tab_enabled messages_tab_enabled messages_tab_read_only_enabled",
            ),
            ("/features/slash_commands/0", "command url description usage_hint should_escape"),
            ("/oauth_config", "redirect_urls scopes token_management_enabled pkce_enabled"),
            ("/oauth_config/scopes", "bot user bot_optional user_optional"),
            (
                "/settings",
                "event_subscriptions interactivity org_deploy_enabled socket_mode_enabled \
                 token_rotation_enabled allowed_ip_address_ranges is_hosted",
            ),
            (
                "/settings/event_subscriptions",
                "request_url bot_events user_events metadata_subscriptions",
            ),
            ("/settings/interactivity", "is_enabled request_url message_menu_options_url"),
        ];
        let manifest = manifest(MANIFEST);
        for (pointer, known) in known {
            let section = manifest.pointer(pointer).and_then(Value::as_object).expect(pointer);
            for key in section.keys() {
                assert!(known.split_whitespace().any(|known| known == key), "{pointer}/{key}");
            }
        }
    }

    #[test]
    fn slacks_limits_hold() {
        let manifest = manifest(MANIFEST);
        for (pointer, most) in [
            ("/display_information/name", 35),
            ("/display_information/description", 140),
            ("/features/agent_view/agent_description", 300),
            ("/features/bot_user/display_name", 80),
            ("/features/slash_commands/0/command", 32),
            ("/features/slash_commands/0/description", 2000),
            ("/features/slash_commands/0/usage_hint", 1000),
            ("/settings/event_subscriptions/request_url", 3000),
        ] {
            let text = manifest.pointer(pointer).and_then(Value::as_str).expect(pointer);
            assert!((1..=most).contains(&text.chars().count()), "{pointer}");
        }
        assert!(texts(&manifest, "/oauth_config/scopes/bot").len() <= 255);
        assert!(texts(&manifest, "/settings/event_subscriptions/bot_events").len() <= 100);
    }

    /// From Slack's reference of events: without its scope an event never comes.
    #[test]
    fn every_event_has_its_scope() {
        let manifest = manifest(MANIFEST);
        let scopes = texts(&manifest, "/oauth_config/scopes/bot");
        for event in texts(&manifest, "/settings/event_subscriptions/bot_events") {
            let needed = match event {
                "app_home_opened" | "app_uninstalled" | "tokens_revoked" => continue,
                "app_mention" => "app_mentions:read",
                "agent_session_stopped" => "chat:write",
                "message.channels" => "channels:history",
                "message.groups" => "groups:history",
                "message.im" => "im:history",
                other => panic!("say here which scope `{other}` needs"),
            };
            assert!(scopes.contains(&needed), "{event} needs {needed}");
        }
    }
}
