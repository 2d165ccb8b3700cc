//! Conditions: CEL expressions over a proposal.
//!
//! A condition is written by an operator and judged over arguments that a model wrote, so both
//! ends are bounded. When it is read ([`Condition::compile`]), unknown names, unknown functions,
//! kinds that can never fit and one list function inside another are refused: CEL has no budget of
//! its own, and three of them nested can run for minutes. When it is judged, arguments beyond
//! [`facts::LARGEST`] are not looked at. Whatever then still goes wrong is an answer with a reason,
//! and never a yes.

mod check;
mod expression;
mod facts;
mod kinds;
mod parse;
mod patterns;

use std::fmt;
use std::sync::Arc;

use cel::{Context, Env, ExecutionError, IdedExpr, Program};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Proposal;
use check::Checker;

pub use expression::{Expression, Wanted};

/// In bytes: nobody reads a longer rule.
const LONGEST_SOURCE: usize = 4096;

/// A compiled CEL condition.
#[derive(Clone)]
pub struct Condition {
    source: String,
    compiled: Arc<Compiled>,
}

struct Compiled {
    program: Program,
    env: Arc<Env>,
}

/// A condition that cannot be used, found when the policy is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// The parser's words; the column counts from one, in a condition of one line.
    #[error("it cannot be read at column {column}: {words}")]
    Syntax { column: u64, words: String },
    #[error("the parser {0}")]
    Parser(&'static str),
    #[error("it is longer than {LONGEST_SOURCE} bytes; split the rule")]
    TooLong,
    #[error("it is nested deeper than {} levels; split the rule", parse::DEEPEST)]
    TooDeep,
    #[error("it names `{0}`, which does not exist; use args, tool, agent, requester or target")]
    UnknownName(String),
    #[error("it names `{0}`, which does not exist; use input or state")]
    UnknownInGraph(String),
    #[error("it calls `{0}`, which does not exist")]
    UnknownFunction(String),
    #[error("it nests one list function inside another, which can take for ever")]
    NestedComprehension,
    #[error("it names `{name}`, which does not exist; known there: {}", .known.join(", "))]
    UnknownField { name: String, known: Vec<String> },
    /// For no value of the declared kinds could it be worked out.
    #[error("{0}")]
    NeverFits(String),
    #[error("it compares `{name}` with {value}, which it can never be; it is one of {allowed}")]
    NeverEqual { name: String, value: String, allowed: String },
    #[error("it is {0}, not a yes or no")]
    NotYesOrNo(String),
    #[error("the pattern of `matches` must be written out as a text")]
    PatternNotWrittenOut,
    #[error("`{0}` is not a usable regular expression")]
    BadPattern(String),
}

impl Condition {
    /// Reads CEL, and checks everything that does not need a tool's schema.
    pub fn compile(source: &str) -> Result<Self, ConditionError> {
        let compiled = compiled(source, |program| Checker::new(None).check(program))?;
        Ok(Self { source: source.to_owned(), compiled })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Checks the condition against the JSON Schema of a tool's arguments: every `args.x` must be
    /// declared, and every comparison must be possible for some value of the declared types. What
    /// the schema leaves open (`$ref`, `anyOf`, `additionalProperties`) is not objected to.
    pub fn type_check(&self, schema: &Value) -> Result<(), ConditionError> {
        Checker::new(Some(schema)).check(self.compiled.program.expression())
    }

    /// Does it hold? Everything that goes wrong is an error, with a reason a person can read.
    pub(super) fn holds(&self, proposal: &Proposal<'_>) -> Result<bool, String> {
        let mut context = Context::with_env(Arc::clone(&self.compiled.env));
        for (name, value) in facts::facts(proposal).map_err(|error| error.to_string())? {
            context.add_variable_from_value(name, value);
        }
        match self.compiled.program.execute(&context) {
            Ok(cel::Value::Bool(answer)) => Ok(answer),
            Ok(_) => Err("it does not answer yes or no".to_owned()),
            Err(error) => Err(explain(&self.source, &error)),
        }
    }
}

/// Parses it, and puts it to `check` and its patterns to the engine.
fn compiled(
    source: &str,
    check: impl FnOnce(&IdedExpr) -> Result<(), ConditionError>,
) -> Result<Arc<Compiled>, ConditionError> {
    if source.len() > LONGEST_SOURCE {
        return Err(ConditionError::TooLong);
    }
    let env = Arc::new(Env::stdlib().with_optional_support(false));
    let program = parse::parse(&env, source)?;
    check(program.expression())?;
    patterns::try_all(&env, program.expression())?;
    Ok(Arc::new(Compiled { program, env }))
}

/// Says what is missing or does not fit, and never quotes a value: it may be secret. A key is
/// named only when the operator wrote it, because `args[args.key]` looks up an argument.
fn explain(source: &str, error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) if source.contains(name.as_str()) => {
            format!("`{name}` is missing")
        }
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        ExecutionError::ValuesNotComparable(..) => {
            "values of different kinds are compared".to_owned()
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number becomes too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "a list is shorter than the index".to_owned(),
        ExecutionError::FunctionError { function, .. } => {
            format!("`{function}` cannot work with what it is given")
        }
        _ => "it cannot be worked out for these values".to_owned(),
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

/// As its source: that is what the policy's digest is taken over.
impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

#[cfg(test)]
mod tests;
