//! The arguments of a tool: read strictly, completed with the schema's defaults, validated.

use std::collections::BTreeSet;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use super::text::capped;
use super::tools::ArgumentError;
use crate::approval::parse_strict;

/// The longest argument text that is read, in bytes.
const MAX_ARGUMENTS: usize = 64 * 1024;
/// How many complaints the model is told, and how long they may be together.
const MAX_COMPLAINTS: usize = 5;
const MAX_COMPLAINT_BYTES: usize = 800;

/// Compiles a schema. References to other documents are refused, and patterns are matched in linear
/// time.
pub(super) fn validator(source: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(source)
        .map_err(|error| error.to_string())
}

/// What a model is told about a value that does not fit: bounded, and without the value itself.
pub(super) fn complaints(validator: &Validator, value: &Value) -> Option<String> {
    let complaints: Vec<_> = validator
        .iter_errors(value)
        .take(MAX_COMPLAINTS)
        .map(|error| format!("at `{}`: {}", error.instance_path(), error.masked()))
        .collect();
    (!complaints.is_empty()).then(|| capped(&complaints.join("; "), MAX_COMPLAINT_BYTES))
}

/// A compiled JSON Schema of a tool's arguments.
#[derive(Debug)]
pub(super) struct ArgumentSchema {
    source: Value,
    validator: Validator,
}

impl ArgumentSchema {
    /// Compiles it. The error is for the operator.
    pub(super) fn compile(source: &Value) -> Result<Self, String> {
        if source.get("type") != Some(&Value::from("object")) {
            return Err("`parameters` must be a JSON Schema with `type: object`".to_owned());
        }
        let validator = validator(source)
            .map_err(|error| format!("`parameters` is not a usable JSON Schema: {error}"))?;
        Ok(Self { source: source.clone(), validator })
    }

    /// Reads a model's exact text. Nothing is coerced: what does not fit goes back to the model.
    ///
    /// Defaults are taken from `properties` and `items`, at any depth and through local
    /// references. Those under `anyOf` and its kin are not: which branch applies is only known
    /// after validation.
    pub(super) fn read(&self, text: &str) -> Result<Value, ArgumentError> {
        if text.len() > MAX_ARGUMENTS {
            return Err(ArgumentError::TooLong { bytes: text.len(), limit: MAX_ARGUMENTS });
        }
        // Providers send an empty text for a call without arguments.
        let text = if text.trim().is_empty() { "{}" } else { text };
        let mut arguments = parse_strict(text)?;
        self.fill_in(&self.source, &mut arguments, &mut BTreeSet::new());
        match complaints(&self.validator, &arguments) {
            None => Ok(arguments),
            Some(complaints) => Err(ArgumentError::Schema(complaints)),
        }
    }

    /// `followed` holds the references on the way to this value, so that a schema that refers to
    /// itself ends.
    fn fill_in<'s>(
        &'s self,
        schema: &'s Value,
        value: &mut Value,
        followed: &mut BTreeSet<&'s str>,
    ) {
        if let Some((reference, target)) = self.referred(schema)
            && followed.insert(reference)
        {
            self.fill_in(target, value, followed);
            followed.remove(reference);
        }
        match value {
            Value::Object(fields) => {
                let properties = schema.get("properties").and_then(Value::as_object);
                for (name, property) in properties.into_iter().flatten() {
                    self.fill_in_field(name, property, fields);
                }
            }
            Value::Array(items) => {
                if let Some(schema) = schema.get("items") {
                    for item in items {
                        self.fill_in(schema, item, &mut BTreeSet::new());
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn fill_in_field(&self, name: &str, schema: &Value, fields: &mut Map<String, Value>) {
        if let Some(value) = fields.get_mut(name) {
            return self.fill_in(schema, value, &mut BTreeSet::new());
        }
        let referred = || self.referred(schema)?.1.get("default");
        if let Some(default) = schema.get("default").or_else(referred) {
            fields.insert(name.to_owned(), default.clone());
        }
    }

    /// The schema that a local reference leads to.
    fn referred<'s>(&'s self, schema: &'s Value) -> Option<(&'s str, &'s Value)> {
        let reference = schema.get("$ref")?.as_str()?;
        Some((reference, self.source.pointer(reference.strip_prefix('#')?)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::approval::CanonicalError;

    fn refund() -> ArgumentSchema {
        ArgumentSchema::compile(&json!({
            "type": "object",
            "required": ["charge", "amount"],
            "additionalProperties": false,
            "properties": {
                "charge": { "type": "string", "pattern": "^ch_[0-9]+$" },
                "amount": { "type": "number", "exclusiveMinimum": 0 },
                "currency": { "type": "string", "enum": ["EUR", "USD"], "default": "EUR" },
                "notify": { "$ref": "#/$defs/notify" },
                "lines": { "type": "array", "items": {
                    "type": "object",
                    "properties": { "count": { "type": "integer", "default": 1 } },
                } },
            },
            "$defs": { "notify": {
                "type": "object",
                "properties": { "email": { "type": "boolean", "default": true } },
            } },
        }))
        .expect("the schema is good")
    }

    #[test]
    fn defaults_are_filled_in_before_anybody_is_asked() {
        let text = r#"{"charge":"ch_1","amount":40,"notify":{},"lines":[{},{"count":2}]}"#;
        let read = refund().read(text).expect("it fits");
        assert_eq!(
            read,
            json!({
                "charge": "ch_1", "amount": 40, "currency": "EUR",
                "notify": { "email": true }, "lines": [{ "count": 1 }, { "count": 2 }],
            })
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let schema = refund();
        for (text, why) in [
            ("", "charge"),
            ("[]", "object"),
            ("not json", "not JSON"),
            (r#"{"charge":"ch_1"}"#, "amount"),
            (r#"{"charge":"ch_1","amount":"40"}"#, "number"),
            (r#"{"charge":"ch_1","amount":-0.01}"#, "/amount"),
            (r#"{"charge":"ch_1","amount":1,"amount":9000}"#, "twice"),
            (r#"{"charge":"ch_1","amount":1,"admin":true}"#, "admin"),
            (r#"{"charge":"ch_1","amount":9007199254740993}"#, "beyond"),
            (r#"{"charge":"ch_1","amount":1} {}"#, "not JSON"),
            (r#"{"charge":"ch_1","amount":1,"currency":"GBP"}"#, "/currency"),
            (r#"{"charge":"\ud800","amount":1}"#, "not JSON"),
        ] {
            let error = schema.read(text).expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let too_long = format!(r#"{{"charge":"{}"}}"#, "x".repeat(MAX_ARGUMENTS));
        assert!(matches!(schema.read(&too_long), Err(ArgumentError::TooLong { .. })));
        let twice = schema.read(r#"{"charge":"ch_1","charge":"ch_2","amount":1}"#);
        let key = "charge".to_owned();
        assert_eq!(twice, Err(CanonicalError::DuplicateKey { key }.into()));
    }

    #[test]
    fn a_refusal_does_not_repeat_the_values() {
        let error = refund().read(r#"{"charge":"hunter2","amount":1}"#).expect_err("no charge");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_pattern_cannot_take_for_ever() {
        let schema = json!({ "type": "object", "properties": { "x": {
            "type": "string", "pattern": "^(a+)+$",
        } } });
        let schema = ArgumentSchema::compile(&schema).expect("a linear pattern");
        assert!(schema.read(&format!(r#"{{"x":"{}!"}}"#, "a".repeat(40_000))).is_err());
    }

    #[test]
    fn a_schema_that_cannot_be_trusted_is_refused() {
        for schema in [
            json!({}),
            json!({ "type": "array" }),
            json!({ "type": "object", "properties": { "x": { "$ref": "https://evil.example/s" } } }),
            json!({ "type": "object", "properties": { "x": { "type": "no such type" } } }),
            json!({ "type": "object", "properties": { "x": { "pattern": "(?=a)b" } } }),
        ] {
            assert!(ArgumentSchema::compile(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let tree = json!({
            "type": "object",
            "properties": { "child": { "$ref": "#" }, "n": { "default": 1 } },
        });
        let read = ArgumentSchema::compile(&tree).expect("it is good").read(r#"{"child":{}}"#);
        assert_eq!(read, Ok(json!({ "child": { "n": 1 }, "n": 1 })));
    }
}
