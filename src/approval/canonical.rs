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

/// Why a JSON text cannot be bound to an approval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("the key `{key}` stands twice in one object")]
    DuplicateKey { key: String },
    #[error("the number {number} is beyond ±(2^53−1); write it as a text or in minor units")]
    NumberTooLarge { number: String },
    #[error("it is nested deeper than {DEEPEST} levels")]
    TooDeep,
    #[error("it is not JSON: {0}")]
    NotJson(String),
    #[error("it is not in canonical form")]
    NotCanonical,
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
            None => {
                Err(self.refuse(CanonicalError::NumberTooLarge { number: number.to_string() }))
            }
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
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
        let key = |key: &str| CanonicalError::DuplicateKey { key: key.to_owned() };
        let number = |number: &str| CanonicalError::NumberTooLarge { number: number.to_owned() };
        let table = [
            (r#"{"a":1,"a":1}"#, key("a")),
            (r#"{"a":1,"\u0061":2}"#, key("a")),
            (r#"[{"x":{"b":1,"b":2}}]"#, key("b")),
            ("9007199254740992", number("9007199254740992")),
            ("-9007199254740992", number("-9007199254740992")),
            ("18446744073709551616", number("18446744073709552000")),
            ("1e300", number(&1e300_f64.to_string())),
            (deep.as_str(), CanonicalError::TooDeep),
        ];
        for (text, refusal) in table {
            assert_eq!(parse_strict(text), Err(refusal), "{text}");
        }
        for text in ["", "{", "[1,]", "NaN", "Infinity", "1e999", "01", "1 2", "{\"a\":1}x", "'a'"] {
            assert!(matches!(parse_strict(text), Err(CanonicalError::NotJson(_))), "{text}");
        }
        let lone_surrogate = r#"{"a":"\ud800"}"#;
        assert!(matches!(parse_strict(lone_surrogate), Err(CanonicalError::NotJson(_))));
    }

    #[test]
    fn the_canonical_form_is_that_of_rfc_8785() {
        let table = [
            // The RFC's own example, section 3.2.2 and 3.2.3.
            (
                r#"{"numbers":[4.50,2e-3,0.000000000000000000000000001],
                   "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
                "{\"literals\":[null,true,false],\"numbers\":[4.5,0.002,1e-27],\
                 \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
            ),
            // Keys sort by UTF-16 code units: the emoji's surrogates come before U+FB33.
            (r#"{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"1":4}"#, "{\"1\":4,\"€\":3,\"😀\":2,\"\u{fb33}\":1}"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("640.00", "640"),
            ("1E2", "100"),
            ("9007199254740991", "9007199254740991"),
            // Nothing is normalised: a letter with a combining mark stays two code points.
            ("\"e\u{301}\\r\\n\"", "\"e\u{301}\\r\\n\""),
        ];
        for (text, form) in table {
            let value = parse_strict(text).expect(text);
            assert_eq!(canonical(&value).as_deref(), Ok(form), "{text}");
        }
    }

    #[test]
    fn thirty_two_levels_are_not_too_deep() {
        let text = format!("{}1{}", "[".repeat(32), "]".repeat(32));
        assert!(parse_strict(&text).is_ok());
    }
}
