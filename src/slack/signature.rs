//! The v0 request signature: the only way in. A [`VerifiedBody`] exists only because a
//! [`Verifier`] checked the raw bytes, so code that takes one cannot be reached by a forger.
//!
//! Slack signs `v0:<timestamp header as sent>:<raw body>` with HMAC-SHA256, keyed with the text of
//! the app's signing secret. A valid request stays valid for five minutes either way, so replays
//! are the business of the dedup keys in [`super::inbound`].

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::base::Timestamp;

const TIMESTAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";
const WINDOW_SECONDS: u64 = 300;

/// Knows the signing secrets of one app; several while a secret is being rotated.
#[derive(Debug)]
pub struct Verifier {
    secrets: Vec<SecretString>,
}

/// Why a verifier cannot be made. Without a secret everybody could be anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    #[error("no signing secret is configured")]
    NoSecret,
    #[error("signing secret number {0} is empty")]
    EmptySecret(usize),
}

/// Why a request is not from Slack, or not from now. For logs; the sender only hears 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    #[error("the timestamp header is missing, doubled or not plain digits")]
    Timestamp,
    #[error("the signature header is missing, doubled or not `v0=` and 64 lower-case hex digits")]
    Signature,
    #[error("the timestamp is {seconds_off} s from our clock; check both clocks")]
    Clock { seconds_off: u64 },
    #[error("the signature matches none of our secrets")]
    Mismatch,
    #[error("the content type header is doubled or not text")]
    ContentType,
}

/// A request body that Slack signed. Only [`Verifier::verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedBody {
    bytes: Vec<u8>,
    content_type: Option<String>,
    received_at: Timestamp,
    signed_at: Timestamp,
    secret: usize,
}

impl Verifier {
    /// Takes the secrets that are accepted now, the newest first.
    pub fn new(secrets: Vec<SecretString>) -> Result<Self, VerifierError> {
        if secrets.is_empty() {
            return Err(VerifierError::NoSecret);
        }
        match secrets.iter().position(|secret| secret.expose_secret().trim().is_empty()) {
            Some(nth) => Err(VerifierError::EmptySecret(nth + 1)),
            None => Ok(Self { secrets }),
        }
    }

    /// Checks one request over its raw bytes, against our clock. The clock goes first because it
    /// is cheap; the signature is compared in constant time.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<VerifiedBody, SignatureRefusal> {
        let timestamp = only(headers, TIMESTAMP).ok_or(SignatureRefusal::Timestamp)?;
        let seconds = plain_seconds(timestamp).ok_or(SignatureRefusal::Timestamp)?;
        let signature =
            only(headers, SIGNATURE).and_then(v0_digest).ok_or(SignatureRefusal::Signature)?;
        let content_type = match headers.get_all(CONTENT_TYPE).iter().next() {
            None => None,
            Some(_) => Some(
                only(headers, CONTENT_TYPE.as_str())
                    .ok_or(SignatureRefusal::ContentType)?
                    .to_owned(),
            ),
        };

        let seconds_off = now.as_seconds().abs_diff(seconds);
        if seconds_off > WINDOW_SECONDS {
            return Err(SignatureRefusal::Clock { seconds_off });
        }
        let secret = self
            .secrets
            .iter()
            .position(|secret| matches(secret, timestamp, body, &signature))
            .ok_or(SignatureRefusal::Mismatch)?;

        Ok(VerifiedBody {
            bytes: body.to_vec(),
            content_type,
            received_at: now,
            signed_at: Timestamp::from_millis(seconds.saturating_mul(1000)),
            secret,
        })
    }
}

impl VerifiedBody {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// When the request reached us, by our clock.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// When Slack signed it, by Slack's clock.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Which of the configured secrets matched, from zero: anything but zero means that Slack
    /// still signs with an old one.
    pub fn secret(&self) -> usize {
        self.secret
    }
}

/// The header's value if it is there exactly once and is ASCII text.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Digits and nothing else: `parse` alone would take a sign.
fn plain_seconds(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn v0_digest(text: &str) -> Option<[u8; 32]> {
    let hex_digits = text.strip_prefix("v0=")?;
    let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let mut digest = [0; 32];
    if !hex_digits.bytes().all(lower) {
        return None;
    }
    hex::decode_to_slice(hex_digits, &mut digest).ok()?;
    Some(digest)
}

/// The header that Slack signs a body with: `v0=` and the HMAC in hex.
pub fn sign(secret: &SecretString, timestamp: &str, body: &[u8]) -> String {
    format!("v0={}", hex::encode(mac(secret, timestamp, body).finalize().into_bytes()))
}

fn matches(secret: &SecretString, timestamp: &str, body: &[u8], signature: &[u8; 32]) -> bool {
    mac(secret, timestamp, body).verify_slice(signature).is_ok()
}

fn mac(secret: &SecretString, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests;
