//! The small expression language of the cases: an object with one key that starts with `$` is an
//! operator, everything else stands for itself.

use serde_json::{Map, Number, Value, json};

/// What an expression can see.
#[derive(Clone)]
pub struct Scope {
    /// The node's input, or the state a route reads.
    pub input: Value,
    pub vars: Map<String, Value>,
    pub step: i64,
}

pub fn eval(expression: &Value, scope: &Scope) -> Value {
    match expression {
        Value::Array(items) => items.iter().map(|item| eval(item, scope)).collect(),
        Value::Object(fields) => match operator(fields) {
            Some((name, argument)) => apply(name, argument, scope),
            None => fields.iter().map(|(key, value)| (key.clone(), eval(value, scope))).collect(),
        },
        plain => plain.clone(),
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

fn apply(name: &str, argument: &Value, scope: &Scope) -> Value {
    match name {
        "lit" => return argument.clone(),
        "if" => {
            let chosen = if truthy(&eval(&argument[0], scope)) { 1 } else { 2 };
            return eval(&argument[chosen], scope);
        }
        "map" => return map(argument, scope),
        _ => {}
    }
    let value = eval(argument, scope);
    let list = || value.as_array().map(Vec::as_slice).unwrap_or_default();
    let number = |index: usize| value[index].as_f64().unwrap_or_default();
    match name {
        "get" => path(&scope.input, value.as_str().unwrap_or_default()),
        "var" => path(&Value::Object(scope.vars.clone()), value.as_str().unwrap_or_default()),
        "step" => scope.step.into(),
        "send" => json!({"$send": value}),
        "and" => list().iter().all(truthy).into(),
        "or" => list().iter().any(truthy).into(),
        "not" => (!truthy(&value)).into(),
        "eq" => (value[0] == value[1]).into(),
        "ne" => (value[0] != value[1]).into(),
        "lt" => (number(0) < number(1)).into(),
        "le" => (number(0) <= number(1)).into(),
        "gt" => (number(0) > number(1)).into(),
        "ge" => (number(0) >= number(1)).into(),
        "in" => value[1].as_array().is_some_and(|items| items.contains(&value[0])).into(),
        "add" => list().iter().filter_map(Value::as_i64).sum::<i64>().into(),
        "mul" => list().iter().filter_map(Value::as_i64).product::<i64>().into(),
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
        other => panic!("the operator ${other} is not among those of the cases run here"),
    }
}

fn map(argument: &Value, scope: &Scope) -> Value {
    let items = eval(&argument["over"], scope);
    let named = |key: &str| argument[key].as_str().map(str::to_owned);
    let each = |(place, item): (usize, &Value)| {
        let mut inner = scope.clone();
        inner.vars.extend(named("as").map(|name| (name, item.clone())));
        inner.vars.extend(named("index").map(|name| (name, json!(place))));
        eval(&argument["do"], &inner)
    };
    items.as_array().map(|items| items.iter().enumerate().map(each).collect()).unwrap_or_default()
}

fn path(from: &Value, path: &str) -> Value {
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

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // Compact, with sorted keys.
        other => serde_json_canonicalizer::to_string(other).expect("a case holds plain JSON"),
    }
}

fn length(value: &Value) -> Number {
    match value {
        Value::String(text) => text.chars().count().into(),
        Value::Array(items) => items.len().into(),
        Value::Object(fields) => fields.len().into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0.into(),
    }
}
