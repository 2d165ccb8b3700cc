//! `slack:` how we reach Slack, and how we know that a request really came from it.

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::tools::timeout;
use crate::base::Span;
use crate::config::reading::{Complained, Length, Located, OneOrMany, Position, Reader, Written};

/// How the workspace is reached.
#[derive(Clone, Debug)]
pub struct Slack {
    pub mode: Mode,
    /// At least one. A request signed with any of them counts, so that a secret can be rotated
    /// without missing a click.
    pub signing_secrets: Vec<SecretString>,
    /// The `xoxb-…` token of the installation.
    pub bot_token: SecretString,
    /// `A…`: when set, requests meant for another app are refused.
    pub app_id: Option<String>,
    /// Where Slack's methods are; ends with a slash. Another one than Slack's is a stand-in.
    pub api_url: Url,
    /// How long one call may take before its outcome counts as unknown; 15 s at most.
    pub timeout: Span,
}

/// How events and clicks reach us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Slack calls us, signed.
    #[default]
    Http,
}

const DEFAULT_API_URL: &str = "https://slack.com/api/";
const DEFAULT_TIMEOUT: Span = Span::seconds(10);
/// A post is looked for, and then repeated, when nothing of it can be on its way any more.
const LONGEST_TIMEOUT: Span = Span::seconds(15);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    #[serde(default)]
    mode: Mode,
    /// One secret, or several while one is being replaced.
    #[serde(default)]
    signing_secret: OneOrMany,
    #[serde(default)]
    signing_secret_file: OneOrMany,
    bot_token: Option<Located<String>>,
    bot_token_file: Option<Located<String>>,
    app_id: Option<Located<String>>,
    api_url: Option<Located<String>>,
    timeout: Option<Located<Length>>,
}

impl Located<Section> {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<Slack, Complained> {
        let Self { value: section, at } = self;
        let signing_secrets =
            signing_secrets(at, section.signing_secret, section.signing_secret_file, reader);
        let bot_token =
            Written { field: "bot_token", value: section.bot_token, file: section.bot_token_file };
        let bot_token = reader.secret(at, bot_token);
        if let Some(app_id) = &section.app_id
            && !is_slack_id(app_id, "A")
        {
            let text = format!("`{}` is not the id of an app", app_id.value);
            reader.complain(app_id.at, text, "copy it from the app's page; it starts with `A`");
        }
        if let Some(long) = section.timeout.as_ref().filter(|timeout| timeout.0 > LONGEST_TIMEOUT) {
            let text = "Slack answers within seconds or not at all";
            reader.complain(long.at, text, "give it at most 15s");
        }
        let timeout = timeout(section.timeout, DEFAULT_TIMEOUT, reader);
        let api_url = section.api_url.unwrap_or_else(|| Located::unwritten(DEFAULT_API_URL));
        let api_url = reader.safe_url(&api_url).map(with_final_slash);
        Ok(Slack {
            mode: section.mode,
            signing_secrets: signing_secrets?,
            bot_token: bot_token?,
            app_id: section.app_id.map(|id| id.value),
            api_url: api_url?,
            timeout,
        })
    }
}

fn signing_secrets(
    at: Position,
    values: OneOrMany,
    files: OneOrMany,
    reader: &mut Reader<'_>,
) -> Result<Vec<SecretString>, Complained> {
    if values.0.is_empty() && files.0.is_empty() {
        let mend = "add `signing_secret: ${NAME}` or `signing_secret_file: path`";
        return Err(reader.complain(at, "`signing_secret` is missing here", mend));
    }
    let mut secrets = Vec::new();
    secrets.extend(values.0.iter().map(|value| reader.variable("signing_secret", value)));
    secrets.extend(files.0.iter().map(|file| reader.secret_file(file)));
    secrets.into_iter().collect()
}

/// Joining a method's name replaces what follows the last slash, so there has to be one.
fn with_final_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

/// Slack's ids are a letter for the kind, then capitals and digits.
pub(super) fn is_slack_id(text: &str, kinds: &str) -> bool {
    let mut rest = text.chars();
    rest.next().is_some_and(|kind| kinds.contains(kind))
        && text.len() > 2
        && rest.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}
