//! The patterns of `matches`, tried when the condition is read.

use std::sync::Arc;

use cel::common::ast::{Expr, LiteralValue};
use cel::{Context, Env, IdedExpr, Value};

use super::ConditionError;
use super::parse::{parse, parts};

/// The engine reads a pattern only when it comes to it, which may be months later; so every one is
/// put to it here.
pub(super) fn try_all(env: &Arc<Env>, expression: &IdedExpr) -> Result<(), ConditionError> {
    if let Expr::Call(call) = &expression.expr
        && call.func_name == "matches"
        && let Some(Expr::Literal(LiteralValue::String(pattern))) =
            call.args.last().map(|pattern| &pattern.expr)
    {
        let pattern = pattern.inner();
        let probe = parse(env, "tool.matches(target)")?;
        let mut context = Context::with_env(Arc::clone(env));
        context.add_variable_from_value("tool", Value::from(""));
        context.add_variable_from_value("target", Value::from(pattern));
        if probe.execute(&context).is_err() {
            return Err(ConditionError::BadPattern(pattern.to_owned()));
        }
    }
    parts(&expression.expr).into_iter().try_for_each(|part| try_all(env, part))
}
