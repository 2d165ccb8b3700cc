//! How values are written as text: by the cases' own `$str`, and as Python writes them where a
//! recording holds a text that Python made.

use std::collections::BTreeMap;

use serde_json::{Number, Value, json};

/// A string as it is, everything else as compact JSON with sorted keys.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => sorted(other).to_string(),
    }
}

/// The value with the keys of all objects in order.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> =
                fields.iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.into_iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        plain => plain.clone(),
    }
}

/// JSON in the order of its keys, with a space after `,` and `:`, as Python's `json.dumps` writes it.
pub fn spaced_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(spaced_json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", json!(key), spaced_json(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// A value in Python's notation.
pub fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => python_text(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", python_text(key), python(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

fn python_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            letter if letter == quote => written.extend(['\\', letter]),
            letter => written.push(letter),
        }
    }
    written.push(quote);
    written
}

/// A number, written without a fraction if `whole`.
pub fn number(value: f64, whole: bool) -> Result<Value, String> {
    if whole {
        #[expect(clippy::cast_possible_truncation, reason = "the cases count in small numbers")]
        return Ok(json!(value as i64));
    }
    Number::from_f64(value).map(Value::Number).ok_or_else(|| format!("{value} is no number"))
}
