//! An HTTP request as a tool.

use std::pin::{Pin, pin};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Sleep;
use url::{Position, Url};

use super::target::{Ending, Values};
use crate::agent::egress::{self, PrivateHosts};
use crate::agent::template::{JsonTemplate, Place, Template};
use crate::agent::text::{Whole, capped, from_bytes, without_secrets};
use crate::agent::{Body, Credential, Egress, HttpSpec};
use crate::base::Span;

/// How much of an answer is read, and how much of an error is told, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
const MAX_REASON: usize = 2 * 1024;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Headers that belong to us or to the protocol.
const RESERVED: [&str; 7] = [
    IDEMPOTENCY_KEY,
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "upgrade",
];

/// An HTTP target whose templates are parsed.
pub(super) struct Endpoint {
    method: Method,
    /// Scheme, host and port, as written.
    origin: String,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    body: BodyTemplate,
    credential: Option<Credential>,
    /// The credential's header with its secret.
    credential_header: Option<(HeaderName, HeaderValue)>,
    timeout: Span,
    private: PrivateHosts,
    egress: Egress,
}

enum BodyTemplate {
    None,
    Args,
    Json(JsonTemplate),
}

/// A request with everything filled in but key and credential.
struct Filled {
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
}

impl Endpoint {
    pub(super) fn new(spec: &HttpSpec, egress: &Egress) -> Result<Self, String> {
        let (origin, default_port) = origin(&spec.url)?;
        let headers = spec.headers.iter().map(|(name, value)| read_header(name, value));
        let credential_header = spec.credential.as_ref().map(credential_header).transpose()?;
        let body = match &spec.body {
            Body::None => BodyTemplate::None,
            Body::Args => BodyTemplate::Args,
            Body::Template(template) => BodyTemplate::Json(JsonTemplate::parse(template)?),
        };
        Ok(Self {
            method: spec.method.into(),
            origin: origin.to_owned(),
            url: Template::parse(&spec.url, Place::Url)?,
            headers: headers.collect::<Result<_, _>>()?,
            body,
            credential: spec.credential.clone(),
            credential_header,
            timeout: spec.timeout,
            private: PrivateHosts::read(&spec.allow_private, default_port)?,
            egress: egress.clone(),
        })
    }

    pub(super) fn place(&self, values: &Values) -> Result<String, String> {
        self.fill(values).map(|filled| format!("{} {}", self.method, filled.url))
    }

    pub(super) fn credential_name(&self) -> Option<&str> {
        self.credential.as_ref().map(|credential| credential.name.as_str())
    }

    /// Sends the request once. Connecting is told from losing the answer: before there is a
    /// connection nothing was sent, after that anything may have happened.
    pub(super) async fn exchange(&self, values: &Values, key: &str) -> Ending {
        let request = match self.request(values, key) {
            Ok(request) => request,
            Err(why) => return Ending::Refusal { why },
        };
        let mut deadline = pin!(tokio::time::sleep(self.timeout.to_std()));
        let answer = tokio::select! {
            // What is there by now has come in time.
            biased;
            answer = request.send() => answer,
            () = &mut deadline => {
                return Ending::Lost { why: format!("no answer within {}", self.timeout) };
            }
        };
        match answer {
            Ok(response) => {
                let status = response.status();
                let (body, whole) = read_body(response, deadline).await;
                let body = without_secrets(from_bytes(&body, whole), self.secret());
                ending_of(status, &body)
            }
            Err(error) if error.is_connect() => Ending::Refusal { why: egress::told(&error) },
            Err(error) => Ending::Lost { why: egress::told(&error) },
        }
    }

    fn request(&self, values: &Values, key: &str) -> Result<reqwest::RequestBuilder, String> {
        let Filled { url, headers, body } = self.fill(values)?;
        let request = self.egress.request(self.method.clone(), url, &self.private);
        let mut request = request.map_err(|refusal| refusal.to_string())?.headers(headers);
        if let Some((name, value)) = &self.credential_header {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        Ok(request.header(IDEMPOTENCY_KEY, key))
    }

    fn fill(&self, values: &Values) -> Result<Filled, String> {
        let text = self.url.fill(&values.0).map_err(|why| format!("url: {why}"))?;
        let url = Url::parse(&text).map_err(|error| format!("url: {error}"))?;
        let path = text.strip_prefix(&self.origin).unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        // `..` in a path would be resolved on the way, also when it is percent-encoded.
        if url[Position::BeforePath..] != path {
            return Err("url: a value would change the URL's path".to_owned());
        }
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            let refuse = |why: String| format!("header `{name}`: {why}");
            let value = template.fill(&values.0).map_err(refuse)?;
            let value = HeaderValue::from_str(&value)
                .map_err(|_| refuse("a value holds what no header may".to_owned()))?;
            headers.insert(name, value);
        }
        let body = match &self.body {
            BodyTemplate::None => None,
            BodyTemplate::Args => Some(values.0["args"].clone()),
            BodyTemplate::Json(template) => {
                Some(template.fill(&values.0).map_err(|why| format!("body: {why}"))?)
            }
        };
        let body = body.map(|body| canonical(&body)).transpose()?;
        Ok(Filled { url, headers, body })
    }

    fn secret(&self) -> impl Iterator<Item = &SecretString> {
        self.credential.iter().map(|credential| &credential.secret)
    }
}

/// What a status code says about one attempt.
///
/// A 4xx is a refusal, except for those that do not say whether the work goes on: 408 and 425
/// (an intermediary gave up) and 409 (with a key: an earlier attempt may be under way). A redirect
/// is not followed, and after a POST it may well mean success.
fn ending_of(status: StatusCode, body: &str) -> Ending {
    let why = || match body.trim() {
        "" => format!("HTTP {status}"),
        body => format!("HTTP {status}: {}", capped(body, MAX_REASON)),
    };
    match status.as_u16() {
        200..=299 if body.is_empty() => Ending::Success { content: format!("HTTP {status}") },
        200..=299 => Ending::Success { content: body.to_owned() },
        404 | 410 => Ending::Absent { why: why() },
        408 | 409 | 425 => Ending::Lost { why: why() },
        400..=499 => Ending::Refusal { why: why() },
        _ => Ending::Lost { why: why() },
    }
}

/// Reads up to the cap, or until the deadline. The status line has been read: what is missing of
/// the body no longer changes what happened.
async fn read_body(mut response: Response, mut deadline: Pin<&mut Sleep>) -> (Vec<u8>, Whole) {
    let mut body = Vec::new();
    loop {
        let chunk = tokio::select! {
            chunk = response.chunk() => chunk,
            () = &mut deadline => return (body, Whole::BrokenOff),
        };
        match chunk {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body, Whole::Yes),
            Err(_) => return (body, Whole::BrokenOff),
        }
        if body.len() > MAX_ANSWER {
            body.truncate(MAX_ANSWER);
            return (body, Whole::CutOff);
        }
    }
}

/// Scheme, host and port of a URL template, which hold no placeholder, and the default port.
fn origin(template: &str) -> Result<(&str, u16), String> {
    let start = template.find("://").ok_or("`url` is not absolute")? + 3;
    let end = template[start..].find(['/', '?', '#']).map_or(template.len(), |at| start + at);
    let origin = &template[..end];
    if origin.contains(['{', '}']) {
        return Err("scheme, host and port of `url` must be fixed".to_owned());
    }
    if template.contains('#') {
        return Err("`url` has a fragment, which no server is sent".to_owned());
    }
    let url = Url::parse(origin).map_err(|error| format!("`url`: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`url` holds a user; use `credential`".to_owned());
    }
    match url.scheme() {
        "http" => Ok((origin, 80)),
        "https" => Ok((origin, 443)),
        scheme => Err(format!("`url` must be http or https, not {scheme}")),
    }
}

fn read_header(name: &str, value: &str) -> Result<(HeaderName, Template), String> {
    let header = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no header name"))?;
    if RESERVED.contains(&header.as_str()) {
        return Err(format!("the header `{name}` is not yours to set"));
    }
    Ok((header, Template::parse(value, Place::Text)?))
}

fn credential_header(credential: &Credential) -> Result<(HeaderName, HeaderValue), String> {
    let secret = credential.secret.expose_secret();
    let (name, value) = match &credential.header {
        Some(name) => {
            let name = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no header"))?;
            (name, HeaderValue::from_str(secret))
        }
        None => (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {secret}"))),
    };
    let mut value =
        value.map_err(|_| format!("the secret of `{}` fits no header", credential.name))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The same bytes for the same value, whatever order its keys came in.
fn canonical(body: &Value) -> Result<String, String> {
    serde_json_canonicalizer::to_string(body).map_err(|error| format!("body: {error}"))
}

impl From<crate::agent::Method> for Method {
    fn from(method: crate::agent::Method) -> Self {
        use crate::agent::Method as Configured;
        match method {
            Configured::Get => Self::GET,
            Configured::Post => Self::POST,
            Configured::Put => Self::PUT,
            Configured::Patch => Self::PATCH,
            Configured::Delete => Self::DELETE,
        }
    }
}
