//! Expressions of a configured graph: CEL over what was asked for and what is known so far.
//!
//! Bounded and checked as a [`Condition`](super::Condition) is. They choose a way through a graph
//! and fill its state; whether an action may run is never up to them.

use std::fmt;
use std::sync::Arc;

use cel::Context;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::check::Checker;
use super::facts;
use super::kinds::{Kinds, Type};
use super::{Compiled, ConditionError, compiled, explain};

/// A compiled CEL expression. Its names are `input`, the text of the message that began the run,
/// and `state`, the object of the graph's state keys.
#[derive(Clone)]
pub struct Expression {
    source: String,
    compiled: Arc<Compiled>,
}

/// What the value of an expression must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Anything,
    YesOrNo,
    Number,
    List,
    Object,
}

impl Expression {
    /// Reads CEL, and checks everything that can be checked without knowing the state keys.
    pub fn compile(source: &str) -> Result<Self, ConditionError> {
        let compiled = compiled(source, |program| over(None).kinds(program).map(drop));
        Ok(Self { source: source.to_owned(), compiled: compiled.map_err(here)? })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Checks it against the JSON Schema of the state: every `state.x` must be declared there, and
    /// the expression must be able to have a value of the wanted kind.
    pub fn type_check(&self, state: &Value, wanted: Wanted) -> Result<(), ConditionError> {
        let kinds = over(Some(state)).kinds(self.compiled.program.expression()).map_err(here)?;
        if !(kinds & wanted.kinds()).is_none() {
            return Ok(());
        }
        Err(match wanted {
            Wanted::YesOrNo => ConditionError::NotYesOrNo(kinds.to_string()),
            Wanted::Anything | Wanted::Number | Wanted::List | Wanted::Object => {
                ConditionError::NeverFits(format!(
                    "it is {kinds}, but {} is needed",
                    wanted.kinds()
                ))
            }
        })
    }

    /// Works it out. `state` must be an object; a key without a value is absent from it. The error
    /// quotes no value.
    pub fn value(&self, input: &str, state: &Map<String, Value>) -> Result<Value, String> {
        // What the expression does not name it cannot read, and a long log beside it must not
        // make it too large to judge.
        let named = |key: &str| self.source.contains(key);
        let state: Map<_, _> = state
            .iter()
            .filter(|(key, _)| named(key))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let mut context = Context::with_env(Arc::clone(&self.compiled.env));
        let left = &mut { facts::LARGEST };
        for (name, value) in [("input", Value::from(input)), ("state", Value::Object(state))] {
            let value = facts::value(&value, left).map_err(|error| error.to_string())?;
            context.add_variable_from_value(name, value);
        }
        let value = self.compiled.program.execute(&context);
        let value = value.map_err(|error| explain(&self.source, &error))?;
        value.json().map_err(|_| "its value cannot be written as JSON".to_owned())
    }
}

impl Wanted {
    fn kinds(self) -> Kinds {
        match self {
            Self::Anything => Kinds::ANY,
            Self::YesOrNo => Kinds::BOOL,
            Self::Number => Kinds::NUMBER,
            Self::List => Kinds::LIST,
            Self::Object => Kinds::MAP,
        }
    }
}

/// A checker that knows the two names, and the state's schema where there is one.
fn over(state: Option<&Value>) -> Checker<'_> {
    let state = state.map_or(Type::of(Kinds::MAP), Type::of_schema);
    Checker::over(vec![("input".to_owned(), Type::of(Kinds::TEXT)), ("state".to_owned(), state)])
}

/// The names of a policy's condition are no use in a graph.
fn here(error: ConditionError) -> ConditionError {
    match error {
        ConditionError::UnknownName(name) => ConditionError::UnknownInGraph(name),
        other => other,
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// As its source: that is what a graph's hash is taken over.
impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "draft": { "type": "string" },
                "rounds": { "type": "number" },
                "result": {},
            },
        })
    }

    fn checked(source: &str, wanted: Wanted) -> Result<(), String> {
        let expression = Expression::compile(source).map_err(|error| error.to_string())?;
        expression.type_check(&schema(), wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_never_work_is_refused_and_nothing_else() {
        use Wanted::{Anything, List, Number, YesOrNo};
        for (source, wanted, said) in [
            ("state.draft.startsWith(\"OK\")", YesOrNo, None),
            ("state.result.status == \"succeeded\"", YesOrNo, None),
            ("state.rounds + 1", Number, None),
            ("[input]", List, None),
            ("has(state.result)", YesOrNo, None),
            (
                "state.drafts == \"\"",
                YesOrNo,
                Some(
                    "it names `state.drafts`, which does not exist; known there: draft, rounds, result",
                ),
            ),
            ("args.x", Anything, Some("it names `args`, which does not exist; use input or state")),
            ("state.draft", YesOrNo, Some("it is a text, not a yes or no")),
            ("state.draft", Number, Some("it is a text, but a number is needed")),
            (
                "state.rounds > \"3\"",
                YesOrNo,
                Some("a number and a text can never be put in order"),
            ),
        ] {
            assert_eq!(
                checked(source, wanted),
                said.map_or(Ok(()), |s| Err(s.to_owned())),
                "{source}"
            );
        }
    }

    #[test]
    fn it_is_worked_out_over_the_state_and_never_quotes_it() {
        let state = json!({ "draft": "secret", "rounds": 2, "log": vec!["x"; 2000] });
        let Value::Object(state) = state else { panic!("an object") };
        let value = |source: &str| Expression::compile(source).expect(source).value("hi", &state);
        assert_eq!(value("state.rounds + 1"), Ok(json!(3)));
        assert_eq!(
            value("{\"said\": input, \"n\": [1.5]}"),
            Ok(json!({ "said": "hi", "n": [1.5] }))
        );
        assert_eq!(value("has(state.missing)"), Ok(json!(false)));
        assert_eq!(value("state.missing"), Err("`missing` is missing".to_owned()));
        let compared = value("state.draft > 1").expect_err("a text and a number");
        assert!(!compared.contains("secret"), "{compared}");
    }
}
