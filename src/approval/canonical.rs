//! Strict JSON in, RFC 8785 out.
//!
//! What is bound to an approval must read the same to every reader. So whatever two readers could
//! read differently is refused here, before anybody is asked; and what passes has exactly one form.
//! Unicode and line endings are never normalised: that would give two payloads one approval.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The largest integer that every reader of JSON holds exactly: 2^53 − 1.
const LARGEST: u64 = (1 << 53) - 1;
const DEEPEST: usize = 32;
const RESERVED: &str = "$serde_json::private::";

/// Why a JSON text cannot be bound to an approval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("the key `{key}` stands twice in one object")]
    DuplicateKey { key: String },
    #[error("the number {number} is beyond ±(2^53−1); write it as a text or in minor units")]
    NumberTooLarge { number: String },
    #[error("it is nested deeper than {DEEPEST} levels")]
    TooDeep,
    /// The JSON library gives such keys a meaning of its own when a value is read a second time.
    #[error("the key `{key}` is reserved")]
    ReservedKey { key: String },
    #[error("it is not JSON: {0}")]
    NotJson(String),
    #[error("it is not in canonical form")]
    NotCanonical,
    #[error("it has form {form}, which this version does not know")]
    UnknownForm { form: u32 },
}

/// Parses JSON and refuses what two readers could read differently: duplicate keys, lone
/// surrogates, numbers beyond ±(2^53−1), nesting deeper than 32, anything after the value.
pub fn parse_strict(text: &str) -> Result<Value, CanonicalError> {
    let mut refused = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = Strict { depth: 0, refused: &mut refused }.deserialize(&mut reader);
    let value = match (parsed, refused) {
        (_, Some(refusal)) => return Err(refusal),
        (Err(error), None) => return Err(CanonicalError::NotJson(error.to_string())),
        (Ok(value), None) => value,
    };
    reader.end().map_err(|error| CanonicalError::NotJson(error.to_string()))?;
    Ok(value)
}

/// The one form of a value: RFC 8785.
pub(super) fn canonical(value: &impl serde::Serialize) -> Result<String, CanonicalError> {
    serde_json_canonicalizer::to_string(value)
        .map_err(|error| CanonicalError::NotJson(error.to_string()))
}

/// Reads one value; what it refuses is kept aside, because serde's errors are only texts.
struct Strict<'r> {
    depth: usize,
    refused: &'r mut Option<CanonicalError>,
}

impl Strict<'_> {
    fn refuse<E: Error>(&mut self, refusal: CanonicalError) -> E {
        let error = E::custom(&refusal);
        *self.refused = Some(refusal);
        error
    }

    fn deeper<E: Error>(&mut self) -> Result<Strict<'_>, E> {
        if self.depth == DEEPEST {
            return Err(self.refuse(CanonicalError::TooDeep));
        }
        Ok(Strict { depth: self.depth + 1, refused: self.refused })
    }

    fn number<E: Error>(
        &mut self,
        number: impl fmt::Display,
        value: Option<Number>,
    ) -> Result<Value, E> {
        match value {
            Some(value) => Ok(Value::Number(value)),
            None => Err(self.refuse(CanonicalError::NumberTooLarge { number: number.to_string() })),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_u64<E: Error>(mut self, number: u64) -> Result<Value, E> {
        self.number(number, (number <= LARGEST).then(|| number.into()))
    }

    fn visit_i64<E: Error>(mut self, number: i64) -> Result<Value, E> {
        self.number(number, (number.unsigned_abs() <= LARGEST).then(|| number.into()))
    }

    fn visit_f64<E: Error>(mut self, number: f64) -> Result<Value, E> {
        let exact = number.abs() <= LARGEST as f64;
        self.number(number, exact.then(|| Number::from_f64(number)).flatten())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.starts_with(RESERVED) {
                return Err(self.refuse(CanonicalError::ReservedKey { key }));
            }
            if object.contains_key(&key) {
                return Err(self.refuse(CanonicalError::DuplicateKey { key }));
            }
            let value = entries.next_value_seed(self.deeper()?)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
