//! The real port: form bodies over HTTPS, paced, with one clear outcome a call.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Host, Url};

use super::{Answer, Method, ResponseUrl, SlackApi, SlackError, answer, respond};
use crate::base::{Clock, Span};
use crate::slack::pacing::Pacing;

const CONNECT: Span = Span::seconds(5);
/// Larger answers are not read to their end. A page of a thousand channels stays well below.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Where Slack is, and the token of one installation.
pub struct HttpSlackSettings {
    /// `https://slack.com/api/`; another host for government customers and for the sandbox.
    pub base_url: Url,
    /// The bot token, `xoxb-…`.
    pub token: SecretString,
    /// How long one call may take before its outcome counts as unknown. What a click waits for
    /// has less, whatever stands here.
    pub timeout: Span,
}

/// Why a client cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpSlackError {
    #[error(
        "`{0}` would carry the token in the clear; only https, or http to this machine, will do"
    )]
    InsecureUrl(Url),
    #[error("the bot token is empty or holds characters that no token has")]
    Token,
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
}

/// One installation's way to Slack.
pub struct HttpSlack {
    client: reqwest::Client,
    base_url: Url,
    authorization: HeaderValue,
    timeout: Span,
    clock: Arc<dyn Clock>,
    pacing: Mutex<Pacing>,
}

impl HttpSlack {
    #[expect(clippy::disallowed_methods, reason = "this is the Slack port itself")]
    pub fn new(settings: HttpSlackSettings, clock: Arc<dyn Clock>) -> Result<Self, HttpSlackError> {
        let HttpSlackSettings { mut base_url, token, timeout } = settings;
        let local = is_loopback(&base_url);
        if !(base_url.scheme() == "https" || base_url.scheme() == "http" && local) {
            return Err(HttpSlackError::InsecureUrl(base_url));
        }
        if !base_url.path().ends_with('/') {
            base_url.set_path(&format!("{}/", base_url.path()));
        }
        if token.expose_secret().is_empty() {
            return Err(HttpSlackError::Token);
        }
        let authorization = format!("Bearer {}", token.expose_secret());
        let mut authorization =
            HeaderValue::from_str(&authorization).map_err(|_| HttpSlackError::Token)?;
        authorization.set_sensitive(true);

        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT.to_std())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if local {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| HttpSlackError::Client(error.without_url().to_string()))?;
        Ok(Self { client, base_url, authorization, timeout, clock, pacing: Mutex::default() })
    }

    async fn paced_call(&self, method: Method, arguments: Value) -> Result<Answer, SlackError> {
        let channel = arguments["channel"].as_str();
        self.pacing()
            .admit(method, channel, self.clock.now())
            .map_err(|until| SlackError::Paced { until })?;

        let url = self.base_url.join(method.name()).map_err(|_| SlackError::OurBug {
            code: "base_url".to_owned(),
            messages: vec!["no method can be appended to the base URL".to_owned()],
        })?;
        let request = self
            .client
            .post(url)
            .header(AUTHORIZATION, self.authorization.clone())
            .timeout(method.patience(self.timeout).to_std())
            .form(&form(arguments));
        let (status, headers, body) = send(request).await?;
        let answer = answer::read(status, &headers, &body);
        if let Err(SlackError::RateLimited { retry_after }) = &answer {
            self.pacing().hold(method, *retry_after, self.clock.now());
        }
        answer
    }

    async fn respond_to(&self, response_url: &ResponseUrl, body: Value) -> Result<(), SlackError> {
        let url = respond::allowed(response_url, &self.base_url).ok_or_else(respond::gone)?;
        // The URL itself is the credential: no token goes with it.
        let request = self.client.post(url).timeout(self.timeout.to_std()).json(&body);
        let (status, _, body) = send(request).await?;
        respond::read(status, &body)
    }

    fn pacing(&self) -> std::sync::MutexGuard<'_, Pacing> {
        // Pacing is only arithmetic; a panic elsewhere leaves nothing half done in it.
        self.pacing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlackApi for HttpSlack {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        Box::pin(self.paced_call(method, arguments))
    }

    fn room(&self, method: Method, channel: Option<&str>) -> usize {
        self.pacing().room(method, channel, self.clock.now())
    }

    fn respond<'a>(
        &'a self,
        response_url: &'a ResponseUrl,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        Box::pin(self.respond_to(response_url, body))
    }
}

/// Sends once and reads the whole answer. What went wrong is told without the library's own words,
/// because those quote URLs.
async fn send(
    request: reqwest::RequestBuilder,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), SlackError> {
    let mut response = request.send().await.map_err(outcome)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(outcome)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            return Err(SlackError::Unknown { why: "the answer is too large".to_owned() });
        }
    }
    Ok((response.status(), response.headers().clone(), body))
}

/// Without a connection nothing was sent; after that, anything may have happened.
fn outcome(error: reqwest::Error) -> SlackError {
    if error.is_connect() {
        SlackError::NotDone { why: "no connection to Slack".to_owned() }
    } else if error.is_builder() {
        SlackError::NotDone { why: "the request cannot be built".to_owned() }
    } else if error.is_timeout() {
        SlackError::Unknown { why: "no answer in time".to_owned() }
    } else {
        SlackError::Unknown { why: "the connection was lost".to_owned() }
    }
}

/// Arguments as form fields: nulls are left out, objects and arrays become JSON text.
fn form(arguments: Value) -> Vec<(String, String)> {
    let Value::Object(arguments) = arguments else {
        return Vec::new();
    };
    let field = |(name, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(text) => Some((name, text)),
        other => Some((name, other.to_string())),
    };
    arguments.into_iter().filter_map(field).collect()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
