//! The expressions of the cases: an object with exactly one key that starts with `$` is an
//! operator, everything else stands for itself.
//!
//! An expression is read once, when its case is, and an unknown operator is refused then. Three
//! operators make things that are no JSON: a send, a command and an overwrite. They stay in the
//! value as the one-key objects they are written as, and whoever takes the value reads them there.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value, json};

use crate::message;
use crate::text::{number, text};

pub const SEND: &str = "$send";
pub const COMMAND: &str = "$command";
pub const OVERWRITE: &str = "$overwrite";

const OPERATORS: [&str; 29] = [
    "get",
    "var",
    "lit",
    "if",
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "in",
    "add",
    "mul",
    "concat",
    "str",
    "len",
    "last",
    "range",
    "merge",
    "map",
    "send",
    "command",
    "overwrite",
    "attempt",
    "step",
    "tools_condition",
];

/// A value whose operators are all known.
#[derive(Clone, Debug, Default)]
pub struct Expression(Value);

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        check(&value).map_err(serde::de::Error::custom)?;
        Ok(Self(value))
    }
}

fn check(value: &Value) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(fields) => match operator(fields) {
            Some(("lit", _)) => Ok(()),
            Some((name, argument)) if OPERATORS.contains(&name) => check(argument),
            Some((name, _)) => Err(format!("the operator ${name} is unknown")),
            None => fields.values().try_for_each(check),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// What an expression can see.
#[derive(Clone, Default)]
pub struct Scope {
    /// The node's input, or the state a route reads.
    pub input: Value,
    pub vars: Map<String, Value>,
    pub step: Option<i64>,
    pub attempt: Option<u32>,
}

impl Expression {
    pub fn eval(&self, scope: &Scope) -> Result<Value, String> {
        eval(&self.0, scope)
    }
}

fn eval(expression: &Value, scope: &Scope) -> Result<Value, String> {
    match expression {
        Value::Array(items) => items.iter().map(|item| eval(item, scope)).collect(),
        Value::Object(fields) => match operator(fields) {
            Some((name, argument)) => apply(name, argument, scope),
            None => {
                let fields: Result<Map<_, _>, _> = fields
                    .iter()
                    .map(|(key, value)| Ok::<_, String>((key.clone(), eval(value, scope)?)))
                    .collect();
                Ok(message::read(fields?))
            }
        },
        plain => Ok(plain.clone()),
    }
}

pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn operator(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (key, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    Some((key.strip_prefix('$')?, argument))
}

/// The argument of a send, a command or an overwrite that an expression gave.
pub fn special<'a>(value: &'a Value, which: &str) -> Option<&'a Value> {
    value.as_object().filter(|fields| fields.len() == 1)?.get(which)
}

fn apply(name: &str, argument: &Value, scope: &Scope) -> Result<Value, String> {
    match name {
        "lit" => return Ok(argument.clone()),
        "if" => {
            let chosen = if truthy(&eval(&argument[0], scope)?) { 1 } else { 2 };
            return eval(&argument[chosen], scope);
        }
        "map" => return map(argument, scope),
        _ => {}
    }
    let value = eval(argument, scope)?;
    let list = || value.as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(match name {
        "get" => path(&scope.input, value.as_str().unwrap_or_default()),
        "var" => path(&Value::Object(scope.vars.clone()), value.as_str().unwrap_or_default()),
        "step" => scope.step.into(),
        "attempt" => scope.attempt.into(),
        "send" | "command" | "overwrite" => json!({ format!("${name}"): value }),
        "and" => list().iter().all(truthy).into(),
        "or" => list().iter().any(truthy).into(),
        "not" => (!truthy(&value)).into(),
        "eq" => same(&value[0], &value[1]).into(),
        "ne" => (!same(&value[0], &value[1])).into(),
        "lt" => order(&value)?.is_lt().into(),
        "le" => order(&value)?.is_le().into(),
        "gt" => order(&value)?.is_gt().into(),
        "ge" => order(&value)?.is_ge().into(),
        "in" => match &value[1] {
            Value::String(whole) => value[0].as_str().is_some_and(|part| whole.contains(part)),
            Value::Object(fields) => value[0].as_str().is_some_and(|key| fields.contains_key(key)),
            items => items.as_array().into_iter().flatten().any(|item| same(item, &value[0])),
        }
        .into(),
        "add" => {
            list().iter().try_fold(json!(0), |sum, item| calculate(&sum, item, |a, b| a + b))?
        }
        "mul" => calculate(&value[0], &value[1], |a, b| a * b)?,
        "concat" if list().iter().all(Value::is_array) => {
            list().iter().filter_map(Value::as_array).flatten().cloned().collect()
        }
        "concat" => list().iter().map(text).collect::<String>().into(),
        "str" => text(&value).into(),
        "len" => length(&value).into(),
        "last" => list().last().cloned().unwrap_or_default(),
        "range" => (0..value.as_u64().unwrap_or_default()).map(|n| json!(n)).collect(),
        "merge" => list()
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|fields| fields.clone())
            .collect::<Map<_, _>>()
            .into(),
        "tools_condition" => {
            let messages = path(&scope.input, value.as_str().unwrap_or_default());
            let last = messages.as_array().and_then(|messages| messages.last());
            let calls = last.and_then(|last| last.get("tool_calls"));
            if calls.is_some_and(truthy) { "tools".into() } else { "__end__".into() }
        }
        other => return Err(format!("the operator ${other} is unknown")),
    })
}

fn map(argument: &Value, scope: &Scope) -> Result<Value, String> {
    let items = eval(&argument["over"], scope)?;
    let named = |key: &str| argument[key].as_str().map(str::to_owned);
    let each = |(place, item): (usize, &Value)| {
        let mut inner = scope.clone();
        inner.vars.extend(named("as").map(|name| (name, item.clone())));
        inner.vars.extend(named("index").map(|name| (name, json!(place))));
        eval(&argument["do"], &inner)
    };
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().enumerate().map(each).collect()
}

/// Numbers are the same when their values are, whether they are written with a fraction or not.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|it| same(value, it)))
        }
        (one, other) => one == other,
    }
}

fn order(pair: &Value) -> Result<Ordering, String> {
    let found = match (&pair[0], &pair[1]) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().zip(other.as_f64()).and_then(|(one, other)| one.partial_cmp(&other))
        }
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        _ => None,
    };
    found.ok_or_else(|| format!("{} and {} have no order", pair[0], pair[1]))
}

/// Null counts as nothing.
fn calculate(one: &Value, other: &Value, with: fn(f64, f64) -> f64) -> Result<Value, String> {
    let read = |value: &Value| match value {
        Value::Null => Ok(0.0),
        value => value.as_f64().ok_or_else(|| format!("{value} is no number")),
    };
    let whole = |value: &Value| value.is_null() || value.is_i64() || value.is_u64();
    number(with(read(one)?, read(other)?), whole(one) && whole(other))
}

pub fn path(from: &Value, path: &str) -> Value {
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    let found = steps.try_fold(from, |value, step| match (value, step.parse::<i64>()) {
        (Value::Array(items), Ok(index)) => {
            let behind = usize::try_from(index.unsigned_abs()).ok()?;
            items.get(if index < 0 { items.len().checked_sub(behind)? } else { behind })
        }
        (value, _) => value.get(step),
    });
    found.cloned().unwrap_or_default()
}

fn length(value: &Value) -> Number {
    match value {
        Value::String(text) => text.chars().count().into(),
        Value::Array(items) => items.len().into(),
        Value::Object(fields) => fields.len().into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0.into(),
    }
}
