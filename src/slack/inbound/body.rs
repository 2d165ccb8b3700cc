//! From verified bytes to JSON or form fields, strictly: what two parsers could read in two ways
//! is refused.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::InboundError;
use crate::slack::signature::VerifiedBody;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads a JSON body. A byte order mark and nesting deeper than 128 are refused by the parser.
pub(super) fn json<T: DeserializeOwned>(body: &VerifiedBody) -> Result<T, InboundError> {
    allow(body, JSON)?;
    from_json(body.bytes())
}

/// Reads a form body; no field may come twice.
pub(super) fn form(body: &VerifiedBody) -> Result<BTreeMap<String, String>, InboundError> {
    allow(body, FORM)?;
    let text = std::str::from_utf8(body.bytes()).map_err(|_| InboundError::Form("not UTF-8"))?;
    let mut fields = BTreeMap::new();
    for pair in text.split('&') {
        let (name, value) =
            pair.split_once('=').ok_or(InboundError::Form("a field without `=`"))?;
        if fields.insert(decode(name)?, decode(value)?).is_some() {
            return Err(InboundError::Form("a field comes twice"));
        }
    }
    Ok(fields)
}

/// Reads the JSON in the one `payload` field of a form body.
pub(super) fn payload<T: DeserializeOwned>(body: &VerifiedBody) -> Result<T, InboundError> {
    let fields = form(body)?;
    let payload = fields.get("payload").ok_or(InboundError::Form("no `payload` field"))?;
    from_json(payload.as_bytes())
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, InboundError> {
    // The parser's message may quote the text, and the text may hold what somebody typed.
    serde_json::from_slice(bytes)
        .map_err(|error| InboundError::Json { line: error.line(), column: error.column() })
}

fn allow(body: &VerifiedBody, wanted: &str) -> Result<(), InboundError> {
    let content_type = body.content_type().unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let utf8 = |part: &str| part.eq_ignore_ascii_case("charset=utf-8");
    if kind.eq_ignore_ascii_case(wanted) && parts.all(utf8) {
        Ok(())
    } else {
        Err(InboundError::ContentType(content_type.to_owned()))
    }
}

fn decode(text: &str) -> Result<String, InboundError> {
    let hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let broken = (0..bytes.len())
        .any(|at| bytes[at] == b'%' && !(hex(bytes.get(at + 1)) && hex(bytes.get(at + 2))));
    if broken {
        return Err(InboundError::Form("a broken percent escape"));
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| InboundError::Form("not UTF-8"))
}
