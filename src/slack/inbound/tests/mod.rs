//! Every recorded request, with what it must be read as.

mod commands;
mod events;
mod interactions;
mod strictness;

use std::path::PathBuf;

use axum::http::{HeaderMap, HeaderValue};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::base::Timestamp;
use crate::slack::signature::{VerifiedBody, Verifier};

const APP: Option<&str> = Some("A0APPROVE1");
const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const NOW: Timestamp = Timestamp::from_millis(1_789_380_002_000);

/// Signs a body as Slack would and takes it through the verifier: there is no other way in.
fn signed(content_type: &str, body: &[u8]) -> VerifiedBody {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{}:", NOW.as_seconds()).as_bytes());
    mac.update(body);
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(content_type).unwrap());
    headers.insert("x-slack-request-timestamp", HeaderValue::from(NOW.as_seconds()));
    headers.insert("x-slack-signature", HeaderValue::from_str(&signature).unwrap());
    Verifier::new(vec![SECRET.into()]).unwrap().verify(&headers, body, NOW).unwrap()
}

fn form_of(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

fn composed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack/composed")
}

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(composed().join(path)).unwrap()).unwrap()
}

/// The names of the recorded files in a folder, so that a new one without an expectation fails.
fn recorded(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(composed().join(folder)).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".json").to_owned())
        .collect();
    names.sort();
    names
}

fn names<'t>(table: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut names: Vec<String> = table.into_iter().map(str::to_owned).collect();
    names.sort();
    names
}
