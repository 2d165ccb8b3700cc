//! The v0 request signature: the only way in. A [`VerifiedBody`] exists only because a
//! [`Verifier`] checked the raw bytes, so code that takes one cannot be reached by a forger.

use axum::http::HeaderMap;
use secrecy::SecretString;

use crate::base::Timestamp;

/// Knows the signing secrets of one app; several while a secret is being rotated.
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
    Clock { seconds_off: i64 },
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
    pub fn new(secrets: Vec<SecretString>) -> Result<Self, VerifierError> {
        todo!("{}", secrets.len())
    }

    /// Checks one request over its raw bytes, against our clock.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<VerifiedBody, SignatureRefusal> {
        todo!("{headers:?} {body:?} {now} {}", self.secrets.len())
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

    /// Which of the configured secrets matched, from zero.
    pub fn secret(&self) -> usize {
        self.secret
    }
}
