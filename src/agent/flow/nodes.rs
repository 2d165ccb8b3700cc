//! The nodes of a configured graph.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::compile::TOLD;
use super::unfold::Scope;
use super::view::View;
use crate::agent::template::{JsonTemplate, Template};
use crate::agent::text::capped;
use crate::agent::{CallAnswer, CallSite, CallStatus, GatePlace, Message, ProposedCall, ToolCall};
use crate::approval::Expression;
use crate::graph::{Context, Node, NodeError, Reducer, State, Update};

/// How much of a call's content the state keeps, in bytes.
const MAX_CONTENT: usize = 16 * 1024;

/// A node without waiting: it works out what to write and where to go.
pub(super) trait Quick: Send + Sync {
    fn step(&self, ctx: &Context, state: &State) -> Result<Update, NodeError>;
}

/// Makes a node of it.
pub(super) struct Now<Q>(pub(super) Q);

impl<Q: Quick> Node for Now<Q> {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(std::future::ready(self.0.step(ctx, &state)))
    }
}

/// The state key that takes what comes of a node.
pub(super) struct IntoKey {
    pub(super) key: String,
    pub(super) reducer: Reducer,
}

impl IntoKey {
    fn write(into: Option<&Self>, update: Update, value: Value) -> Update {
        match into {
            Some(Self { key, reducer: Reducer::Append }) => update.set(key.clone(), json!([value])),
            Some(Self { key, .. }) => update.set(key.clone(), value),
            None => update,
        }
    }
}

/// The first node of every run: what an earlier message left in the keys does not count.
pub(super) struct Begin {
    /// By their names in the flat graph.
    pub(super) keys: BTreeMap<String, Reducer>,
    pub(super) start: String,
}

impl Quick for Begin {
    fn step(&self, _: &Context, _: &State) -> Result<Update, NodeError> {
        let empty = |update: Update, (key, reducer): (&String, &Reducer)| {
            update.overwrite(key.clone(), empty(*reducer))
        };
        Ok(self.keys.iter().fold(Update::none(), empty).goto(self.start.clone()))
    }
}

fn empty(reducer: Reducer) -> Value {
    match reducer {
        Reducer::Append => json!([]),
        Reducer::Sum => json!(0),
        Reducer::Merge => json!({}),
        _ => Value::Null,
    }
}

/// Puts a question to an agent, whose loop follows.
pub(super) struct AskAgent {
    pub(super) scope: Scope,
    pub(super) prompt: Template,
    /// The agent's own conversation.
    pub(super) messages: String,
}

impl Quick for AskAgent {
    fn step(&self, _: &Context, state: &State) -> Result<Update, NodeError> {
        let values = View::of(state, &self.scope)?.values();
        let text = self.prompt.fill(&values).map_err(NodeError::message)?;
        let message = Message::Human { text, name: None };
        Ok(Update::none().set(self.messages.clone(), serde_json::to_value([message])?))
    }
}

/// Takes what an agent answered.
pub(super) struct TakeAnswer {
    pub(super) messages: String,
    pub(super) form: AnswerForm,
    pub(super) into: Option<IntoKey>,
    pub(super) then: String,
}

/// How the text of an agent's answer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerForm {
    Text,
    /// The agent gives its answers the form of a JSON Schema.
    Json,
}

impl Quick for TakeAnswer {
    fn step(&self, _: &Context, state: &State) -> Result<Update, NodeError> {
        let last = state.list(&self.messages).and_then(|messages| messages.last());
        let text = match last.map(Message::deserialize).transpose()? {
            Some(Message::Assistant { text, .. }) => text,
            Some(_) | None => return Err(NodeError::message("the agent did not answer")),
        };
        let answer = match self.form {
            AnswerForm::Text => Value::String(text),
            AnswerForm::Json => serde_json::from_str(&text)?,
        };
        let update = Update::none().goto(self.then.clone());
        Ok(IntoKey::write(self.into.as_ref(), update, answer))
    }
}

/// One call, whoever it is that asks about it.
pub(super) struct Call {
    pub(super) scope: Scope,
    /// The call's node in the flat graph.
    pub(super) node: String,
    pub(super) tool: String,
    pub(super) arguments: JsonTemplate,
}

impl Call {
    /// Asks about the call, and returns what became of it.
    fn asked(
        &self,
        ctx: &Context,
        state: &State,
        gate: Option<GatePlace>,
    ) -> Result<CallAnswer, NodeError> {
        let values = View::of(state, &self.scope)?.values();
        let arguments = self.arguments.fill(&values).map_err(NodeError::message)?;
        let proposed = ProposedCall {
            call: ToolCall {
                id: self.node.clone(),
                tool: self.tool.clone(),
                arguments: arguments.to_string(),
            },
            claim: None,
            site: CallSite { agent: None, node: Some(ctx.node().to_owned()), gate },
        };
        let answer = ctx.interrupt(serde_json::to_value(proposed)?)?;
        Ok(serde_json::from_value(answer)?)
    }
}

/// Makes a call, or learns what became of it if an approval asked about it.
pub(super) struct MakeCall {
    pub(super) call: Call,
    /// The key under which an approval leaves the call's answer; none when nobody approves it.
    pub(super) approved: Option<String>,
    pub(super) into: Option<IntoKey>,
    pub(super) then: String,
    pub(super) otherwise: String,
}

impl Quick for MakeCall {
    fn step(&self, ctx: &Context, state: &State) -> Result<Update, NodeError> {
        let mut update = Update::none();
        let answer = match &self.approved {
            None => self.call.asked(ctx, state, None)?,
            Some(key) => {
                // An approval is used up by its call.
                update = update.set(key.clone(), Value::Null);
                let left: Option<CallAnswer> = state.get(key)?;
                left.ok_or_else(|| NodeError::message("the call was reached around its approval"))?
            }
        };
        let to = match answer.status {
            CallStatus::Succeeded => &self.then,
            _ => &self.otherwise,
        };
        Ok(IntoKey::write(self.into.as_ref(), update.goto(to.clone()), result(answer)))
    }
}

/// Has people decide a call.
pub(super) struct Approve {
    pub(super) call: Call,
    pub(super) gate: GatePlace,
    /// The key under which the call finds its answer.
    pub(super) approved: String,
    pub(super) into: Option<IntoKey>,
    pub(super) otherwise: String,
}

impl Quick for Approve {
    fn step(&self, ctx: &Context, state: &State) -> Result<Update, NodeError> {
        let answer = self.call.asked(ctx, state, Some(self.gate.clone()))?;
        let update = if answer.status.was_let_pass() {
            let update = Update::none().goto(self.call.node.clone());
            update.set(self.approved.clone(), serde_json::to_value(&answer)?)
        } else {
            Update::none().goto(self.otherwise.clone())
        };
        Ok(IntoKey::write(self.into.as_ref(), update, result(answer)))
    }
}

/// What became of a call, as the state keeps it.
fn result(answer: CallAnswer) -> Value {
    let CallAnswer { status, content } = answer;
    let content = capped(&content, MAX_CONTENT);
    let mut result = json!({ "status": status, "content": content });
    if let Ok(data) = serde_json::from_str::<Value>(&content) {
        result["data"] = data;
    }
    result
}

/// Writes state keys, all from the state as it was before.
pub(super) struct SetKeys {
    pub(super) scope: Scope,
    /// By their names in the flat graph.
    pub(super) values: BTreeMap<String, Expression>,
    pub(super) then: String,
}

impl Quick for SetKeys {
    fn step(&self, _: &Context, state: &State) -> Result<Update, NodeError> {
        let view = View::of(state, &self.scope)?;
        let mut update = Update::none().goto(self.then.clone());
        for (key, expression) in &self.values {
            update = update.set(key.clone(), worked_out(expression, &view)?);
        }
        Ok(update)
    }
}

/// Takes the first way whose condition holds.
pub(super) struct Choose {
    pub(super) scope: Scope,
    pub(super) cases: Vec<(Expression, String)>,
    pub(super) otherwise: String,
}

impl Quick for Choose {
    fn step(&self, _: &Context, state: &State) -> Result<Update, NodeError> {
        let view = View::of(state, &self.scope)?;
        for (when, then) in &self.cases {
            match worked_out(when, &view)? {
                Value::Bool(true) => return Ok(Update::none().goto(then.clone())),
                Value::Bool(false) => {}
                _ => {
                    let text = format!("`{}` does not answer yes or no", when.source());
                    return Err(NodeError::message(text));
                }
            }
        }
        Ok(Update::none().goto(self.otherwise.clone()))
    }
}

/// A condition that cannot be worked out is neither a yes nor a no: the run does not go on.
fn worked_out(expression: &Expression, view: &View) -> Result<Value, NodeError> {
    expression.value(&view.input, &view.state).map_err(|why| {
        NodeError::message(format!("`{}` cannot be worked out: {why}", expression.source()))
    })
}

/// Tells the requester something. What is told is a write like any other, so whoever keeps the
/// checkpoint owes it in the same transaction, and never twice.
pub(super) struct Tell {
    pub(super) scope: Scope,
    pub(super) text: Template,
    pub(super) then: String,
}

impl Quick for Tell {
    fn step(&self, _: &Context, state: &State) -> Result<Update, NodeError> {
        let values = View::of(state, &self.scope)?.values();
        let text = self.text.fill(&values).map_err(NodeError::message)?;
        Ok(Update::none().set(TOLD, json!([text])).goto(self.then.clone()))
    }
}
