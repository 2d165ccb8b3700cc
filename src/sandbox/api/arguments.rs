//! The arguments of a call, whichever way they came.

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::Refused;

/// What a call asks for. The token is not among it, so that the journal never holds one.
pub(in crate::sandbox) struct Arguments {
    fields: Map<String, Value>,
    /// The token of a form body.
    pub(super) token: Option<String>,
    /// What Slack remarks about the way they were sent.
    pub(super) warning: Option<&'static str>,
}

impl Arguments {
    /// Reads the body, or the query where there is no body: never both, as Slack does.
    pub(super) fn read(
        takes_json: bool,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, &'static str> {
        if body.is_empty() {
            // A token in the address would end up in logs, so Slack does not read it there.
            return Ok(Self { token: None, ..Self::form(query.as_bytes()) });
        }
        let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
        let (kind, parameters) =
            kind.unwrap_or_default().split_once(';').unwrap_or((kind.unwrap_or_default(), ""));
        let charset = parameters.contains("charset");
        match kind.trim() {
            "application/json" => {
                let warning = (!charset).then_some("missing_charset");
                Ok(Self { warning, ..Self::object(takes_json, body)? })
            }
            "application/x-www-form-urlencoded" => {
                let warning = charset.then_some("superfluous_charset");
                Ok(Self { warning, ..Self::form(body) })
            }
            "" => Err("missing_post_type"),
            _ => Err("invalid_post_type"),
        }
    }

    fn form(form: &[u8]) -> Self {
        let fields = url::form_urlencoded::parse(form);
        let mut fields: Map<String, Value> =
            fields.map(|(name, value)| (name.into_owned(), json!(value))).collect();
        let token = fields.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        Self { fields, token, warning: None }
    }

    /// A method that takes no JSON sees none of it: its arguments are lost.
    fn object(takes_json: bool, body: &[u8]) -> Result<Self, &'static str> {
        let value = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
        let Value::Object(mut fields) = value else {
            return Err("json_not_object");
        };
        fields.remove("token");
        let fields = if takes_json { fields } else { Map::new() };
        Ok(Self { fields, token: None, warning: None })
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(super) fn needed(&self, name: &str) -> Result<String, Refused> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| Refused::missing(name))
    }

    /// A switch; Slack's own clients write it as `true` or as `1`.
    pub(super) fn is_on(&self, name: &str) -> bool {
        matches!(self.text(name).as_deref(), Some("true" | "1"))
    }

    /// An object or a list, itself or as JSON text.
    pub(super) fn json(&self, name: &str) -> Option<Value> {
        match self.fields.get(name)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            value @ (Value::Array(_) | Value::Object(_)) => Some(value.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.fields)
    }
}
