//! The agent's loop, `agent → approval → tools → agent`, as a graph.
//!
//! `agent` asks the model. `approval` interrupts the run once for each tool call and learns what
//! became of it. `tools` turns those answers into messages for the model. No node calls a tool or
//! decides anything: a resume carries no authority, it only tells the model what happened.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    APPROVAL_NODE, CallAnswer, Message, Model, Prompt, ProposedCall, TokenSink, ToolCall,
    ToolDescription,
};
use crate::graph::{
    BuildError, Checkpoint, Context, END, Graph, GraphBuilder, Node, NodeError, Reducer, START,
    State, StateValue, Update,
};

/// How many tool calls may follow one human message. A model that goes in circles stops here.
const MAX_CALLS: usize = 24;

/// How much of one call's content the conversation keeps, in bytes.
const MAX_CONTENT: usize = 16 * 1024;

const AGENT: &str = "agent";
const TOOLS: &str = "tools";
/// The conversation. An input of the graph is `{"messages": [Message, …]}`.
const MESSAGES: &str = "messages";
/// What became of the calls of the last message, in their order.
const ANSWERS: &str = "answers";

/// One configured agent.
#[derive(Clone, Debug)]
pub struct AgentSpec {
    pub name: String,
    pub instructions: String,
    /// The tools it may call; it is told of no other.
    pub tools: Vec<ToolDescription>,
}

/// The input that starts a run: one human message.
pub fn agent_input(text: impl Into<String>, name: Option<String>) -> Result<Value, NodeError> {
    let message = Message::Human { text: text.into(), name };
    Ok(json!({ MESSAGES: [serde_json::to_value(message)?] }))
}

/// What the agent said last, if it said anything, from the checkpoint at a run's end.
pub fn last_words(checkpoint: &Checkpoint) -> Option<String> {
    let StateValue::List(messages) = checkpoint.values.get(MESSAGES)? else {
        return None;
    };
    match Message::deserialize(messages.last()?) {
        Ok(Message::Assistant { text, .. }) if !text.trim().is_empty() => Some(text),
        Ok(_) | Err(_) => None,
    }
}

/// Makes the graph of one agent.
pub fn agent_graph(spec: AgentSpec, model: Arc<dyn Model>) -> Result<Graph, BuildError> {
    GraphBuilder::new(spec.name.clone())
        .version("1")
        .key(MESSAGES, Reducer::Append)
        .key(ANSWERS, Reducer::LastValue)
        .node(AGENT, AskModel { spec, model })
        .node(APPROVAL_NODE, |ctx: Context, state: State| async move { approval(&ctx, &state) })
        .node(TOOLS, |_: Context, state: State| async move { tools(&state) })
        .edge(START, AGENT)
        .conditional_edge(AGENT, has_calls)
        .edge(APPROVAL_NODE, TOOLS)
        .edge(TOOLS, AGENT)
        .build()
}

/// The node that asks the model.
struct AskModel {
    spec: AgentSpec,
    model: Arc<dyn Model>,
}

impl Node for AskModel {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(async move {
            let messages: Vec<Message> = state.get(MESSAGES)?;
            if calls_since_human(&messages) >= MAX_CALLS {
                let text = format!("I stop here: I have asked for {MAX_CALLS} tool calls already.");
                return say(Message::Assistant { text, calls: Vec::new() });
            }
            let AgentSpec { name: _, instructions, tools } = self.spec.clone();
            let prompt = Prompt { instructions, messages, tools };
            ctx.emit(&ModelMark::Start { model: self.model.name().to_owned() }.to_value());
            let reply = self.model.answer(&prompt, &Tokens(ctx)).await?;
            ctx.emit(&ModelMark::End.to_value());
            say(Message::Assistant { text: reply.text, calls: reply.calls })
        })
    }
}

/// What is told of a model around its tokens, as a custom event of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "countersign.llm", rename_all = "snake_case")]
pub enum ModelMark {
    Start {
        model: String,
    },
    /// Another model begins; what the first one has said counts for nothing.
    Again,
    End,
}

impl ModelMark {
    /// Reads a custom event, if it is one of these.
    pub fn read(event: &Value) -> Option<Self> {
        Self::deserialize(event).ok()
    }

    fn to_value(&self) -> Value {
        json!(self)
    }
}

struct Tokens<'a>(&'a Context);

impl TokenSink for Tokens<'_> {
    fn token(&self, text: &str) {
        self.0.token(text);
    }
}

fn say(message: Message) -> Result<Update, NodeError> {
    Ok(Update::none().set(MESSAGES, serde_json::to_value([message])?))
}

fn calls_since_human(messages: &[Message]) -> usize {
    let since =
        messages.iter().rev().take_while(|message| !matches!(message, Message::Human { .. }));
    since
        .map(|message| match message {
            Message::Assistant { calls, .. } => calls.len(),
            Message::Human { .. } | Message::Tool { .. } => 0,
        })
        .sum()
}

fn has_calls(state: &State) -> Result<&'static str, NodeError> {
    let (_, calls) = last_reply(state)?;
    Ok(if calls.is_empty() { END } else { APPROVAL_NODE })
}

fn approval(ctx: &Context, state: &State) -> Result<Update, NodeError> {
    let (text, calls) = last_reply(state)?;
    let claim = (!text.trim().is_empty()).then_some(text);
    let proposals = calls
        .into_iter()
        .map(|call| serde_json::to_value(ProposedCall { call, claim: claim.clone() }))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Update::none().set(ANSWERS, Value::Array(ctx.interrupt_many(proposals)?)))
}

fn tools(state: &State) -> Result<Update, NodeError> {
    let (_, calls) = last_reply(state)?;
    let answers: Vec<CallAnswer> = state.get(ANSWERS)?;
    if answers.len() != calls.len() {
        return Err(NodeError::message("the answers do not fit the calls"));
    }
    let results: Vec<_> = calls.into_iter().zip(answers).map(result_of).collect();
    // The answers are in the messages now; keeping both would keep every result twice.
    Ok(Update::none().set(MESSAGES, serde_json::to_value(results)?).set(ANSWERS, json!([])))
}

fn result_of((call, answer): (ToolCall, CallAnswer)) -> Message {
    let CallAnswer { status, content } = answer;
    let content = super::text::capped(&content, MAX_CONTENT);
    Message::Tool { call_id: call.id, tool: call.tool, status, content }
}

/// The text and the calls of the model's last message.
fn last_reply(state: &State) -> Result<(String, Vec<ToolCall>), NodeError> {
    let last = state.list(MESSAGES).and_then(|messages| messages.last());
    let last = last.map(Message::deserialize).transpose()?;
    match last {
        Some(Message::Assistant { text, calls }) => Ok((text, calls)),
        Some(Message::Human { .. } | Message::Tool { .. }) | None => {
            Err(NodeError::message("the last message is not the model's"))
        }
    }
}

#[cfg(test)]
mod tests;
