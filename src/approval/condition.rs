//! A rule's `when`: CEL over the proposed action, refused at load where it could misbehave.
//!
//! CEL has no cost limit of its own, so one list function inside another is refused when the policy
//! is read, and arguments beyond a size are not evaluated at all. Whatever goes wrong is an error
//! that the policy turns into asking a human.

use std::fmt;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, operators};
use cel::{Context, IdedExpr, Program};
use serde_json::Value;

use super::Proposal;
use super::condition_types;

/// The names a condition may use.
const NAMES: [&str; 5] = ["args", "tool", "agent", "requester", "target"];
/// Arguments with more values than this are asked about, not evaluated.
const MOST_VALUES: usize = 2_000;

/// A compiled CEL condition.
#[derive(Clone)]
pub struct Condition {
    source: String,
    program: Arc<Program>,
}

/// A condition that cannot be used, found when the policy is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("{0}")]
    Syntax(String),
    #[error("it names `{0}`, which does not exist; use args, tool, agent, requester or target")]
    UnknownName(String),
    #[error("it nests one list function inside another, which can take for ever")]
    NestedComprehension,
    #[error("it does not answer yes or no")]
    NotYesOrNo,
    #[error("it names `args.{0}`, which the tool's schema does not know")]
    UnknownArgument(String),
    #[error("it compares `args.{argument}`, which is a {declared}, with a {compared}")]
    TypeMismatch { argument: String, declared: String, compared: &'static str },
}

/// Why a condition gave no answer for one proposal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Undecided {
    #[error("the arguments hold more than {MOST_VALUES} values")]
    TooLarge,
    #[error("{0}")]
    Failed(String),
    #[error("it did not answer yes or no")]
    NotYesOrNo,
}

impl Condition {
    pub fn compile(source: &str) -> Result<Self, ConditionError> {
        let program =
            Program::compile(source).map_err(|error| ConditionError::Syntax(error.to_string()))?;
        let root = program.expression();
        refuse_nesting(root, Inside::Nothing)?;
        if !may_be_yes_or_no(&root.expr) {
            return Err(ConditionError::NotYesOrNo);
        }
        let references = program.references();
        let unknown = references.variables().into_iter().find(|name| !NAMES.contains(name));
        if let Some(name) = unknown {
            return Err(ConditionError::UnknownName(name.to_owned()));
        }
        Ok(Self { source: source.to_owned(), program: Arc::new(program) })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Holds the condition against the JSON Schema of a tool's arguments: names that the schema
    /// does not know, and comparisons that can never work.
    pub fn type_check(&self, schema: &Value) -> Result<(), ConditionError> {
        condition_types::check(self.program.expression(), schema)
    }

    pub(super) fn holds(&self, proposal: &Proposal<'_>) -> Result<bool, Undecided> {
        if count_values(proposal.arguments) > MOST_VALUES {
            return Err(Undecided::TooLarge);
        }
        let requester = serde_json::json!({
            "person": proposal.requester.person,
            "user": proposal.requester.user.user,
            "team": proposal.requester.user.team,
        });
        let mut names = Context::default();
        let failed = |error: &dyn fmt::Display| Undecided::Failed(error.to_string());
        names.add_variable("args", proposal.arguments).map_err(|error| failed(&error))?;
        names.add_variable("requester", &requester).map_err(|error| failed(&error))?;
        names.add_variable_from_value("tool", proposal.tool);
        names.add_variable_from_value("agent", proposal.agent.unwrap_or_default());
        names.add_variable_from_value("target", proposal.target);
        match self.program.execute(&names) {
            Ok(cel::Value::Bool(answer)) => Ok(answer),
            Ok(_) => Err(Undecided::NotYesOrNo),
            Err(error) => Err(failed(&error)),
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Comprehension,
}

fn refuse_nesting(expression: &IdedExpr, inside: Inside) -> Result<(), ConditionError> {
    if let Expr::Comprehension(list) = &expression.expr {
        if inside == Inside::Comprehension {
            return Err(ConditionError::NestedComprehension);
        }
        refuse_nesting(&list.iter_range, inside)?;
        for part in [&list.accu_init, &list.loop_cond, &list.loop_step, &list.result] {
            refuse_nesting(part, Inside::Comprehension)?;
        }
        return Ok(());
    }
    children(&expression.expr).into_iter().try_for_each(|child| refuse_nesting(child, inside))
}

/// The direct parts of an expression, but for a comprehension's.
pub(super) fn children(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(shape) => {
            shape.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect()
        }
        Expr::Comprehension(list) => {
            vec![&list.iter_range, &list.accu_init, &list.loop_cond, &list.loop_step, &list.result]
        }
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// Is a yes or no possible at all? Only what can be told without types is refused.
fn may_be_yes_or_no(expression: &Expr) -> bool {
    use cel::common::ast::LiteralValue;
    const ARITHMETIC: [&str; 5] = [
        operators::ADD,
        operators::SUBSTRACT,
        operators::MULTIPLY,
        operators::DIVIDE,
        operators::MODULO,
    ];
    match expression {
        Expr::Literal(LiteralValue::Boolean(_)) => true,
        Expr::Literal(_) | Expr::List(_) | Expr::Map(_) | Expr::Struct(_) => false,
        Expr::Ident(name) => !NAMES.contains(&name.as_str()),
        Expr::Call(call) => {
            call.func_name != "size" && !ARITHMETIC.contains(&call.func_name.as_str())
        }
        Expr::Unspecified | Expr::Comprehension(_) | Expr::Select(_) => true,
    }
}

fn count_values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count_values).sum::<usize>(),
        Value::Object(entries) => 1 + entries.values().map(count_values).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}
