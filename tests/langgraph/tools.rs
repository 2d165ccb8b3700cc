//! LangGraph's tool node: the calls of the last message run side by side in one task, and their
//! answers come in the order of the calls.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use countersign::graph::{Context, Node, NodeError, State, ToolStart, Update};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::arguments;
use crate::expression::{COMMAND, Scope, path, special};
use crate::format::{HandleErrors, ToolForm};
use crate::message;
use crate::program::{Reach, Running};
use crate::returned::update;
use crate::text::{python, spaced_json};

/// The tools of a node, and what it does when one fails.
#[derive(Clone)]
pub struct Tools {
    pub tools: Vec<ToolForm>,
    pub handle_errors: Option<HandleErrors>,
    pub reach: Reach,
}

pub struct ToolNode(pub Tools);

impl Node for ToolNode {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(async move {
            let input = state.to_value();
            let last = path(&input, "messages.-1");
            let calls = last["tool_calls"].as_array().cloned().unwrap_or_default();
            update(&self.0.answers(ctx, &calls).await?)
        })
    }
}

impl Tools {
    /// What a tools node returns: the answers as messages, or, if a tool gave a command, a list.
    pub async fn answers(&self, ctx: &Context, calls: &[Value]) -> Result<Value, NodeError> {
        let answers = side_by_side(calls.iter().map(|call| self.answer(ctx, call))).await?;
        Ok(gathered(answers))
    }

    /// Runs one call and gives the message that answers it, or the command that holds it.
    pub fn answer<'a>(
        &'a self,
        ctx: &'a Context,
        call: &'a Value,
    ) -> BoxFuture<'a, Result<Value, NodeError>> {
        Box::pin(async move {
            let name = call["name"].as_str().unwrap_or_default();
            let Some(tool) = self.tools.iter().find(|tool| tool.name == name) else {
                let known: Vec<_> = self.tools.iter().map(|tool| &*tool.name).collect();
                let known = known.join(", ");
                let text = format!("Error: {name} is not a valid tool, try one of [{known}].");
                return Ok(message::tool(name, &call["id"], &text, "error"));
            };
            match self.run(ctx, tool, call).await {
                Ok(value) => Ok(value),
                Err(Failure::Stopped(error)) if error.is_interrupt() => Err(error),
                Err(failure) => self.handle(tool, call, failure),
            }
        })
    }

    async fn run(&self, ctx: &Context, tool: &ToolForm, call: &Value) -> Result<Value, Failure> {
        let mut args = arguments::checked(tool, &call["args"]).map_err(Failure::Arguments)?;
        let started = ctx.tool(ToolStart {
            name: tool.name.clone(),
            call_id: call["id"].as_str().map(str::to_owned),
            input: args.clone().into(),
        });
        // All calls are told of before the first one goes on.
        tokio::task::yield_now().await;
        if tool.wants_call_id {
            args.insert("tool_call_id".into(), call["id"].clone());
        }
        let scope = Scope {
            input: args.clone().into(),
            vars: args,
            step: Some(ctx.superstep()),
            attempt: Some(ctx.attempt()),
        };
        let mut running = Running::new(ctx, &self.reach, scope);
        let result = match running.all(&tool.ops).await {
            Ok(Some(returned)) => Ok(returned),
            Ok(None) => match &tool.result {
                Some(result) => {
                    let result = result.eval(running.scope());
                    result.map_err(|why| NodeError::of_kind("TypeError", why))
                }
                None => Ok("ok".into()),
            },
            Err(error) => Err(error),
        };
        match result {
            Ok(value) => {
                let value = answer(tool, call, value);
                started.finish(&value);
                Ok(value)
            }
            Err(error) => {
                started.fail(&error.text());
                Err(Failure::Stopped(error))
            }
        }
    }

    fn handle(&self, tool: &ToolForm, call: &Value, failure: Failure) -> Result<Value, NodeError> {
        let said = |text: &str| Ok(message::tool(&tool.name, &call["id"], text, "error"));
        match (&self.handle_errors, failure) {
            (Some(HandleErrors::Text(text)), _) => said(text),
            (Some(HandleErrors::Always(true)), failure) => said(&format!(
                "Error: {}\n Please fix your mistakes.",
                failure.notation(tool, call)
            )),
            (None, Failure::Arguments(why)) => said(&arguments::refusal(tool, &call["args"], &why)),
            (Some(HandleErrors::Always(false)), Failure::Arguments(why)) => {
                let text = arguments::refusal(tool, &call["args"], &why);
                Err(NodeError::of_kind("ToolInvocationError", text))
            }
            (None | Some(HandleErrors::Always(false)), Failure::Stopped(error)) => Err(error),
        }
    }
}

enum Failure {
    /// What is wrong with the arguments, one line each.
    Arguments(String),
    Stopped(NodeError),
}

impl Failure {
    /// The error in Python's notation.
    fn notation(&self, tool: &ToolForm, call: &Value) -> String {
        let (class, text) = match self {
            Self::Arguments(why) => {
                ("ToolInvocationError".to_owned(), arguments::refusal(tool, &call["args"], why))
            }
            Self::Stopped(error) => (error.kind().to_owned(), error.text()),
        };
        format!("{class}({})", python(&json!(text)))
    }
}

/// A command with the message in it under the tool's name; everything else as a message.
fn answer(tool: &ToolForm, call: &Value, value: Value) -> Value {
    if let Some(command) = special(&value, COMMAND) {
        let mut command = command.clone();
        if let Some(messages) = command["update"]["messages"].as_array_mut() {
            for message in messages.iter_mut().filter(|m| m["tool_call_id"] == call["id"]) {
                message["name"] = tool.name.clone().into();
            }
        }
        return json!({ COMMAND: command });
    }
    let text = match &value {
        Value::String(text) => text.clone(),
        other => spaced_json(other),
    };
    message::tool(&tool.name, &call["id"], &text, "success")
}

fn gathered(answers: Vec<Value>) -> Value {
    if answers.iter().all(|answer| special(answer, COMMAND).is_none()) {
        return json!({"messages": answers});
    }
    let one = |answer: Value| match special(&answer, COMMAND) {
        Some(_) => answer,
        None => json!({"messages": [answer]}),
    };
    answers.into_iter().map(one).collect()
}

/// Runs all, each as far as it comes before it waits, and gives up with the first that fails.
async fn side_by_side<'a>(
    futures: impl Iterator<Item = BoxFuture<'a, Result<Value, NodeError>>>,
) -> Result<Vec<Value>, NodeError> {
    let mut futures: Vec<_> = futures.collect();
    let mut done: Vec<Option<Value>> = futures.iter().map(|_| None).collect();
    poll_fn(move |cx| {
        let mut failed = None;
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none() {
                match Pin::new(future).poll(cx) {
                    Poll::Ready(Ok(value)) => *done = Some(value),
                    Poll::Ready(Err(error)) => failed = failed.or(Some(error)),
                    Poll::Pending => {}
                }
            }
        }
        match failed {
            Some(error) => Poll::Ready(Err(error)),
            None if done.iter().all(Option::is_some) => {
                Poll::Ready(Ok(done.iter_mut().filter_map(Option::take).collect()))
            }
            None => Poll::Pending,
        }
    })
    .await
}
