//! Holds a condition against a tool's schema, so that a rule that can only fail is found when the
//! policy is read and not when the first person waits for it.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};
use serde_json::Value;

use super::ConditionError;
use super::condition::children;

const COMPARISONS: [&str; 6] = [
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
];

pub(super) fn check(expression: &IdedExpr, schema: &Value) -> Result<(), ConditionError> {
    if let Some(path) = argument(&expression.expr) {
        declared(&path, schema)?;
    }
    if let Expr::Call(call) = &expression.expr
        && COMPARISONS.contains(&call.func_name.as_str())
        && let [left, right] = call.args.as_slice()
    {
        compare(left, right, schema)?;
        compare(right, left, schema)?;
    }
    children(&expression.expr).into_iter().try_for_each(|child| check(child, schema))
}

fn compare(one: &IdedExpr, other: &IdedExpr, schema: &Value) -> Result<(), ConditionError> {
    let (Some(path), Expr::Literal(literal)) = (argument(&one.expr), &other.expr) else {
        return Ok(());
    };
    let Some(declared) = declared(&path, schema)?.and_then(|schema| schema["type"].as_str()) else {
        return Ok(());
    };
    let (compared, fits) = match literal {
        LiteralValue::Boolean(_) => ("yes or no", declared == "boolean"),
        LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => {
            ("number", matches!(declared, "number" | "integer"))
        }
        LiteralValue::String(_) => ("text", declared == "string"),
        LiteralValue::Bytes(_) => ("sequence of bytes", false),
        // Comparing with null asks whether it is there at all.
        LiteralValue::Null => ("null", true),
    };
    if fits {
        return Ok(());
    }
    let argument = path.join(".");
    Err(ConditionError::TypeMismatch { argument, declared: declared.to_owned(), compared })
}

/// The path of `args.a.b`; nothing for any other expression.
fn argument(expression: &Expr) -> Option<Vec<&str>> {
    let Expr::Select(select) = expression else { return None };
    let mut path = match &select.operand.expr {
        Expr::Ident(name) if name == "args" => Vec::new(),
        inner => argument(inner)?,
    };
    path.push(select.field.as_str());
    Some(path)
}

/// What the schema says of an argument; nothing where it leaves the shape open.
fn declared<'s>(path: &[&str], schema: &'s Value) -> Result<Option<&'s Value>, ConditionError> {
    let mut here = schema;
    for name in path {
        let Some(properties) = here.get("properties").and_then(Value::as_object) else {
            return Ok(None);
        };
        match properties.get(*name) {
            Some(inner) => here = inner,
            None => return Err(ConditionError::UnknownArgument(path.join("."))),
        }
    }
    Ok(Some(here))
}
