//! What an operator has read and agreed to, as a hash.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A tool as its server describes it: all that a model is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The server's own name for it.
    pub tool: String,
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
}

impl Described {
    /// The error is for the operator: the schema has a number that no JSON number can hold.
    pub fn pin(&self) -> Result<Pin, String> {
        let Self { tool, description, parameters } = self;
        let whole = json!({ "name": tool, "description": description, "inputSchema": parameters });
        let canonical =
            serde_json_canonicalizer::to_string(&whole).map_err(|error| error.to_string())?;
        Ok(Pin(Sha256::digest(canonical).into()))
    }
}

/// SHA-256 over the canonical JSON of `name`, `description` and `inputSchema`. Written
/// `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

const SCHEME: &str = "sha256:";

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pin is `sha256:` and 64 hex digits")]
pub struct NotAPin;

impl FromStr for Pin {
    type Err = NotAPin;

    fn from_str(text: &str) -> Result<Self, NotAPin> {
        let digits = text.strip_prefix(SCHEME).ok_or(NotAPin)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAPin)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Pin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Described {
        Described {
            tool: "echo".to_owned(),
            description: "Says it again".to_owned(),
            parameters: json!({ "type": "object", "properties": { "n": { "maximum": 1.0 } } }),
        }
    }

    #[test]
    fn every_word_that_a_model_is_told_is_in_the_pin() {
        let pin = described().pin().expect("a pin");
        for changed in [
            Described { tool: "Echo".to_owned(), ..described() },
            Described { description: "Says it again.".to_owned(), ..described() },
            Described { parameters: json!({ "type": "object" }), ..described() },
        ] {
            assert_ne!(changed.pin().expect("a pin"), pin, "{changed:?}");
        }
        let other_order: Value = serde_json::from_str(
            r#"{ "properties": { "n": { "maximum": 1 } }, "type": "object" }"#,
        )
        .expect("JSON");
        let same = Described { parameters: other_order, ..described() };
        assert_eq!(same.pin().expect("a pin"), pin, "order and writing of numbers mean nothing");
    }

    #[test]
    fn a_pin_is_read_as_it_is_written() {
        let pin = described().pin().expect("a pin");
        assert_eq!(pin.to_string().parse(), Ok(pin));
        for text in ["", "sha256:", "sha256:00", "md5:00"] {
            assert_eq!(text.parse::<Pin>(), Err(NotAPin), "{text}");
        }
    }
}
