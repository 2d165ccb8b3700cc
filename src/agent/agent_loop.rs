//! The agent's loop, `agent → approval → tools → agent`, as a graph.
//!
//! `agent` asks the model. `approval` interrupts the run once for each tool call and learns what
//! became of it. `tools` turns those answers into messages for the model. No node calls a tool or
//! decides anything: a resume carries no authority, it only tells the model what happened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::AnswerSchema;
use super::seat::{MESSAGES, SPENT, Seat};
use super::{
    Budget, CallAnswer, CallStatus, Message, Model, Prompt, ProposedCall, Reply, Spent, Stopped,
    TokenSink, ToolCall, ToolDescription, shown,
};
use crate::graph::{
    BuildError, Checkpoint, Context, Graph, GraphBuilder, ModelCall, ModelStart, Node, NodeError,
    Reducer, START, State, StateValue, Update,
};

/// How much of one call's content the conversation keeps, in bytes.
const MAX_CONTENT: usize = 16 * 1024;

/// The tag of a model whose words nobody hears while it speaks: LangGraph's own.
pub const QUIET: &str = "nostream";

/// One configured agent.
#[derive(Clone, Debug)]
pub struct AgentSpec {
    pub name: String,
    pub instructions: String,
    /// The tools it may call; it is told of no other.
    pub tools: Vec<ToolDescription>,
    /// A JSON Schema of its final answer, if that must have a form.
    pub answer: Option<Value>,
    pub budget: Budget,
}

/// Why an agent cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("{0}")]
    Answer(String),
    #[error(transparent)]
    Graph(#[from] BuildError),
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
pub fn agent_graph(spec: AgentSpec, model: Arc<dyn Model>) -> Result<Graph, AgentError> {
    let seat = Seat::alone();
    let builder = GraphBuilder::new(spec.name.clone())
        .version("3")
        .key(SPENT, Reducer::LastValue)
        .edge(START, seat.agent.clone());
    Ok(seated(builder, seat, spec, model)?.build()?)
}

/// Puts an agent's loop into a graph. What leads to it is up to the caller, and so is the key of
/// what the run has [`SPENT`].
pub(super) fn seated(
    builder: GraphBuilder,
    seat: Seat,
    spec: AgentSpec,
    model: Arc<dyn Model>,
) -> Result<GraphBuilder, AgentError> {
    let AgentSpec { name: _, mut instructions, tools, answer, budget } = spec;
    let answer = answer.as_ref().map(AnswerSchema::compile).transpose();
    let answer = answer.map_err(AgentError::Answer)?;
    if let Some(answer) = &answer {
        instructions = format!("{instructions}\n\n{}", answer.demand());
    }
    let Seat { agent, approval: approval_node, tools: tools_node, .. } = seat.clone();
    let seat = Arc::new(seat);
    let (asks, routes, proposes) = (seat.clone(), seat.clone(), seat.clone());
    Ok(builder
        .key(seat.messages.clone(), Reducer::Append)
        .key(seat.answers.clone(), Reducer::LastValue)
        .node(agent.clone(), AskModel { seat: asks, instructions, tools, answer, budget, model })
        .node(approval_node.clone(), move |ctx: Context, state: State| {
            std::future::ready(approval(&proposes, &ctx, &state))
        })
        .node(tools_node.clone(), move |_: Context, state: State| {
            std::future::ready(tools_answered(&seat, &state))
        })
        .conditional_edge(agent.clone(), move |state: &State| after_answer(&routes, state))
        .edge(approval_node, tools_node.clone())
        .edge(tools_node, agent))
}

/// The node that asks the model.
struct AskModel {
    seat: Arc<Seat>,
    instructions: String,
    tools: Vec<ToolDescription>,
    answer: Option<AnswerSchema>,
    budget: Budget,
    model: Arc<dyn Model>,
}

impl Node for AskModel {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(async move {
            let messages: Vec<Message> = state.get(&self.seat.messages)?;
            let spent = Spent::of_run(ctx.run(), state.get(SPENT)?);
            spent.within(&self.budget)?;
            if since_human(&messages).any(Message::is_over_budget) {
                return Err(Stopped::Approvals.into());
            }
            let was_mended = since_human(&messages).any(|message| message.is_from_desk());
            let (instructions, tools) = (self.instructions.clone(), self.tools.clone());
            let prompt = Prompt { instructions, messages, tools };
            let watched = Watched::begins(ctx, &self.seat, self.model.name(), &prompt);
            let reply = self.model.answer(&prompt, &watched).await?;
            watched.ends(&reply);
            let spent = spent.with(&reply);
            let said = self.said(reply.text, reply.calls, was_mended)?;
            Ok(Update::none()
                .set(self.seat.messages.clone(), serde_json::to_value(said)?)
                .set(SPENT, serde_json::to_value(spent)?))
        })
    }
}

impl AskModel {
    /// The messages that an answer makes: itself, and if it has not the form that a final answer
    /// must have, what is wrong with it. That is said once.
    fn said(
        &self,
        text: String,
        calls: Vec<ToolCall>,
        was_mended: bool,
    ) -> Result<Vec<Message>, Stopped> {
        let Some(schema) = self.answer.as_ref().filter(|_| calls.is_empty()) else {
            return Ok(vec![Message::Assistant { text, calls }]);
        };
        match schema.read(&text) {
            Ok(text) => Ok(vec![Message::Assistant { text, calls }]),
            Err(why) if was_mended => Err(Stopped::Shape { why }),
            Err(why) => {
                let mend = format!("That answer cannot be used: {why}\n{}", schema.demand());
                Ok(vec![Message::Assistant { text, calls }, Message::Desk { text: mend }])
            }
        }
    }
}

/// Tells what a model does to those who watch.
struct Watched<'a> {
    ctx: &'a Context,
    start: ModelStart,
    /// Absent only for a moment.
    call: Mutex<Option<ModelCall>>,
}

impl<'a> Watched<'a> {
    fn begins(ctx: &'a Context, seat: &Seat, model: &str, prompt: &Prompt) -> Self {
        // What nobody is to hear is not streamed, only told when it is done.
        let tags = if seat.is_heard() { Vec::new() } else { vec![QUIET.to_owned()] };
        let input: Vec<Value> = prompt.messages.iter().map(shown::message).collect();
        let start = ModelStart { name: model.to_owned(), tags, input: Value::Array(input) };
        let call = Mutex::new(Some(ctx.model(start.clone())));
        Self { ctx, start, call }
    }

    fn ends(self, reply: &Reply) {
        if let Some(call) = self.call().take() {
            let mut message = shown::assistant(&reply.text, &reply.calls);
            message["id"] = json!(self.id());
            call.finish(&message);
        }
    }

    /// Of the message: the same for all its pieces.
    fn id(&self) -> String {
        format!("run-{}", self.ctx.task_id())
    }

    fn call(&self) -> MutexGuard<'_, Option<ModelCall>> {
        // Each use is one step; a panic elsewhere leaves nothing half done in it.
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenSink for Watched<'_> {
    fn token(&self, text: &str) {
        if let Some(call) = self.call().as_ref() {
            call.chunk(&json!({ "type": "ai_chunk", "content": text, "id": self.id() }));
        }
    }

    /// Another model begins; what the first one has said counts for nothing.
    fn starts_over(&self) {
        *self.call() = Some(self.ctx.model(self.start.clone()));
    }
}

impl Message {
    fn is_from_desk(&self) -> bool {
        matches!(self, Self::Desk { .. })
    }

    fn is_over_budget(&self) -> bool {
        matches!(self, Self::Tool { status: CallStatus::OverBudget, .. })
    }
}

/// What happened since somebody last wrote.
fn since_human(messages: &[Message]) -> impl Iterator<Item = &Message> {
    messages.iter().rev().take_while(|message| !matches!(message, Message::Human { .. }))
}

fn after_answer(seat: &Seat, state: &State) -> Result<String, NodeError> {
    match last_message(seat, state)? {
        Message::Desk { .. } => Ok(seat.agent.clone()),
        Message::Assistant { calls, .. } if calls.is_empty() => Ok(seat.then.clone()),
        Message::Assistant { .. } => Ok(seat.approval.clone()),
        Message::Human { .. } | Message::Tool { .. } => Err(not_the_models()),
    }
}

fn approval(seat: &Seat, ctx: &Context, state: &State) -> Result<Update, NodeError> {
    let (text, calls) = last_reply(seat, state)?;
    let claim = (!text.trim().is_empty()).then_some(text);
    let proposals = calls
        .into_iter()
        .map(|call| {
            let site = seat.site();
            serde_json::to_value(ProposedCall { call, claim: claim.clone(), site })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Update::none().set(seat.answers.clone(), Value::Array(ctx.interrupt_many(proposals)?)))
}

fn tools_answered(seat: &Seat, state: &State) -> Result<Update, NodeError> {
    let (_, calls) = last_reply(seat, state)?;
    let answers: Vec<CallAnswer> = state.get(&seat.answers)?;
    if answers.len() != calls.len() {
        return Err(NodeError::message("the answers do not fit the calls"));
    }
    let results: Vec<_> = calls.into_iter().zip(answers).map(result_of).collect();
    // The answers are in the messages now; keeping both would keep every result twice.
    Ok(Update::none()
        .set(seat.messages.clone(), serde_json::to_value(results)?)
        .set(seat.answers.clone(), json!([])))
}

fn result_of((call, answer): (ToolCall, CallAnswer)) -> Message {
    let CallAnswer { status, content } = answer;
    let content = super::text::capped(&content, MAX_CONTENT);
    Message::Tool { call_id: call.id, tool: call.tool, status, content }
}

/// The text and the calls of the model's last message.
fn last_reply(seat: &Seat, state: &State) -> Result<(String, Vec<ToolCall>), NodeError> {
    match last_message(seat, state)? {
        Message::Assistant { text, calls } => Ok((text, calls)),
        Message::Human { .. } | Message::Desk { .. } | Message::Tool { .. } => {
            Err(not_the_models())
        }
    }
}

fn last_message(seat: &Seat, state: &State) -> Result<Message, NodeError> {
    let last = state.list(&seat.messages).and_then(|messages| messages.last());
    Ok(Message::deserialize(last.ok_or_else(not_the_models)?)?)
}

fn not_the_models() -> NodeError {
    NodeError::message("the last message is not the model's")
}

#[cfg(test)]
mod tests;
