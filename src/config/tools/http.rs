//! Tools that are HTTP requests.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::target::timeout;
use crate::agent::{Body, Credential, Method};
use crate::base::Span;
use crate::config::reading::{
    Complained, Length, Located, Named, OneOrMany, Position, Reader, Written, is_secret_key,
};

/// An HTTP request. Its texts are minijinja templates over `args` and `key`.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    pub method: Method,
    pub url: Located<String>,
    pub headers: BTreeMap<String, Located<String>>,
    pub body: Located<Body>,
    pub credential: Option<Credential>,
    /// How long the whole call may take before its outcome counts as unknown.
    pub timeout: Span,
    /// `host` or `host:port` that may be at a private address. Every other is refused there.
    pub allow_private: Vec<Located<String>>,
}

const DEFAULT_HTTP_TIMEOUT: Span = Span::seconds(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct HttpSection {
    method: MethodName,
    url: Located<String>,
    #[serde(default)]
    headers: Named<Located<String>>,
    body: Option<Located<Value>>,
    credential: Option<Located<CredentialSection>>,
    timeout: Option<Located<Length>>,
    #[serde(default)]
    allow_private: OneOrMany,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum MethodName {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct CredentialSection {
    name: String,
    secret: Option<Located<String>>,
    secret_file: Option<Located<String>>,
    header: Option<String>,
}

impl HttpSection {
    pub(in crate::config) fn read(
        self,
        at: Position,
        reader: &mut Reader<'_>,
    ) -> Result<HttpTarget, Complained> {
        for name in self.headers.keys().filter(|name| is_secret_key(name)) {
            let text = format!("the header `{}` would carry a secret", name.value);
            reader.complain(name.at, text, "use `credential:`, which keeps it out of the file");
        }
        let credential = self.credential.map(|credential| credential.read(reader)).transpose()?;
        let method = self.method.read();
        let body = body(self.body, method, at, reader)?;
        Ok(HttpTarget {
            method,
            url: self.url,
            headers: self.headers.into_iter().map(|(name, value)| (name.value, value)).collect(),
            body,
            credential,
            timeout: timeout(self.timeout, DEFAULT_HTTP_TIMEOUT, reader),
            allow_private: self.allow_private.0,
        })
    }
}

impl Located<CredentialSection> {
    pub(in crate::config) fn read(self, reader: &mut Reader<'_>) -> Result<Credential, Complained> {
        let Self { value: section, at } = self;
        let secret = Written { field: "secret", value: section.secret, file: section.secret_file };
        let secret = reader.secret(at, secret)?;
        Ok(Credential { name: section.name, secret, header: section.header })
    }
}

impl MethodName {
    fn read(self) -> Method {
        match self {
            Self::Get => Method::Get,
            Self::Post => Method::Post,
            Self::Put => Method::Put,
            Self::Patch => Method::Patch,
            Self::Delete => Method::Delete,
        }
    }
}

/// `body: args`, `body: none`, or JSON whose texts are templates.
fn body(
    written: Option<Located<Value>>,
    method: Method,
    at: Position,
    reader: &mut Reader<'_>,
) -> Result<Located<Body>, Complained> {
    let Some(Located { value, at }) = written else {
        return Ok(Located { value: default_body(method), at });
    };
    let value = match value {
        Value::String(text) if text == "args" => Body::Args,
        Value::String(text) if text == "none" => Body::None,
        template @ (Value::Object(_) | Value::Array(_)) => Body::Template(template),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
            let mend = "write `args`, `none`, or a section whose texts are templates";
            return Err(reader.complain(at, "this is no body of a request", mend));
        }
    };
    Ok(Located { value, at })
}

fn default_body(method: Method) -> Body {
    match method {
        Method::Get | Method::Delete => Body::None,
        Method::Post | Method::Put | Method::Patch => Body::Args,
    }
}
