//! The agent of LangChain, built as a graph of ours: nodes `model` and `tools`, one send for each
//! tool call, and between them the middleware that asks a person.

use countersign::graph::{
    BuildError, Context, Graph, GraphBuilder, Node, NodeError, Reducer, START, SendTo, State,
    Target, Update,
};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::expression::path;
use crate::format::{AgentForm, Reply};
use crate::graphs::NAME;
use crate::models;
use crate::program::Reach;
use crate::review::{Asking, Reviewed, Reviewer};
use crate::tools::Tools;
use crate::world::World;

const MODEL: &str = "model";
const TOOLS: &str = "tools";
const REVIEW: &str = "HumanInTheLoopMiddleware.after_model";

/// The state key in which the reviewer's replacements are kept: call id → call.
pub const EDITED: &str = "hitl_edited_tool_calls";

/// Builds the agent.
///
/// # Errors
/// That of the builder.
pub fn agent(form: &AgentForm, world: &World) -> Result<Graph, BuildError> {
    let reach = Reach { world: world.clone(), graphs: std::sync::Arc::default() };
    let model = Model {
        replies: form.replies.clone(),
        system: form.system_prompt.clone(),
        world: world.clone(),
    };
    let tools = Tools { tools: form.tools.clone(), handle_errors: None, reach };
    let reviewer = form.interrupt_on.as_ref().map(|on| Reviewer::new(form, on));
    let mut builder = GraphBuilder::new(NAME).lenient().key("messages", Reducer::Messages);
    let mut last = MODEL;
    builder = builder.node(MODEL, model);
    builder = builder.node(TOOLS, AgentTools { tools: tools.clone(), reviewer: reviewer.clone() });
    if let Some(reviewer) = reviewer {
        builder = builder
            .key(EDITED, Reducer::LastValue)
            .node(REVIEW, Review(reviewer))
            .edge(MODEL, REVIEW);
        last = REVIEW;
    }
    builder
        .input_keys(["messages"])
        .output_keys(["messages"])
        .edge(START, MODEL)
        .conditional_edge(TOOLS, |_: &State| MODEL)
        .conditional_edge(last, after_model)
        .build()
}

struct Model {
    replies: Vec<Reply>,
    system: Option<String>,
    world: World,
}

impl Node for Model {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(async move {
            let mut messages = path(&state.to_value(), "messages");
            if let (Some(system), Value::Array(messages)) = (&self.system, &mut messages) {
                messages.insert(0, json!({"type": "system", "content": system}));
            }
            let reply = models::say(ctx, &self.world, &self.replies, messages, &[]).await?;
            Ok(Update::none().set("messages", json!([reply])))
        })
    }
}

/// To the tools with every call that has no answer yet; back to the model if all have one.
fn after_model(state: &State) -> Vec<Target> {
    let state = state.to_value();
    let messages = state["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(place) = messages.iter().rposition(|message| message["type"] == "ai") else {
        return Vec::new();
    };
    let calls = messages[place]["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    if calls.is_empty() {
        return Vec::new();
    }
    let answered = |call: &&Value| {
        let mut after = messages[place..].iter();
        !after.any(|message| message["type"] == "tool" && message["tool_call_id"] == call["id"])
    };
    let sends: Vec<Target> = calls
        .iter()
        .filter(answered)
        .map(|call| {
            let mut call = call.clone();
            call["type"] = "tool_call".into();
            SendTo::new(TOOLS, json!([call])).into()
        })
        .collect();
    if sends.is_empty() { vec![MODEL.into()] } else { sends }
}

struct AgentTools {
    tools: Tools,
    reviewer: Option<Reviewer>,
}

impl Node for AgentTools {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(async move {
            let call = path(&state.to_value(), "0");
            let Some(reviewer) = &self.reviewer else { return self.run_call(ctx, &call).await };
            match reviewer.before_tool(ctx, &call)? {
                Reviewed::Answered(message) => Ok(messages(message)),
                Reviewed::AsItIs => self.run_call(ctx, &call).await,
                Reviewed::Edited(edited) => {
                    let known = self.tools.tools.iter().map(|tool| &*tool.name);
                    let run = reviewer.replaced(&call, &edited, known)?;
                    let answer = self.tools.answer(ctx, &run).await?;
                    Ok(messages(reviewer.noted(answer, &edited)))
                }
            }
        })
    }
}

impl AgentTools {
    async fn run_call(&self, ctx: &Context, call: &Value) -> Result<Update, NodeError> {
        crate::returned::update(&self.tools.answers(ctx, std::slice::from_ref(call)).await?)
    }
}

fn messages(message: Value) -> Update {
    Update::none().set("messages", json!([message]))
}

struct Review(Reviewer);

impl Node for Review {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(async move {
            match self.0.after_model(ctx, &state.to_value())? {
                Asking::Nothing => Ok(Update::none()),
                Asking::Forget => Ok(Update::none().set(EDITED, json!({}))),
                Asking::Decided { messages, edited } => {
                    Ok(Update::none().set("messages", messages).set(EDITED, edited))
                }
            }
        })
    }
}
