//! Strict JSON in, RFC 8785 out.

use serde_json::Value;

/// Why a JSON text cannot be bound to an approval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("the key `{key}` stands twice in one object")]
    DuplicateKey { key: String },
    #[error("the number {number} is beyond ±(2^53−1); write it as a text or in minor units")]
    NumberTooLarge { number: String },
    #[error("it is nested deeper than 32 levels")]
    TooDeep,
    #[error("it is not JSON: {0}")]
    NotJson(String),
    #[error("it is not in canonical form")]
    NotCanonical,
}

/// Parses JSON and refuses what two readers could read differently: duplicate keys, lone
/// surrogates, numbers beyond ±(2^53−1), nesting deeper than 32.
pub fn parse_strict(text: &str) -> Result<Value, CanonicalError> {
    todo!("{text}")
}
