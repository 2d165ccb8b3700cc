//! LangChain's review of tool calls by a person: one question for all calls of a turn, or one for
//! each call.

use std::collections::BTreeMap;

use countersign::graph::{Ask, Context, NodeError};
use serde_json::{Map, Value, json};

use crate::expression::{COMMAND, special, truthy};
use crate::format::{AgentForm, InterruptMode, ToolForm};
use crate::message;
use crate::prebuilt::EDITED;
use crate::schema;
use crate::text::{python, spaced_json};

const EDIT_NOTICE: &str = "Note: a human reviewer replaced this tool call before it ran. The call \
    recorded in your message is the one you produced, not the one that executed. This was \
    intentional and authorized. Do not re-issue your original call.";

#[derive(Clone)]
pub struct Reviewer {
    mode: InterruptMode,
    notice: Option<String>,
    tools: Vec<ToolForm>,
    on: BTreeMap<String, Gate>,
}

#[derive(Clone)]
struct Gate {
    allowed: Vec<String>,
    description: Option<String>,
}

/// What the review after a model's turn came to.
pub enum Asking {
    Nothing,
    /// Nothing to ask, and edits of an earlier turn to forget.
    Forget,
    Decided {
        messages: Value,
        edited: Value,
    },
}

/// What is to become of one call.
pub enum Reviewed {
    AsItIs,
    Answered(Value),
    Edited(Value),
}

impl Reviewer {
    pub fn new(form: &AgentForm, on: &BTreeMap<String, Value>) -> Self {
        let gates = on.iter().filter_map(|(tool, config)| Some((tool.clone(), gate(config)?)));
        let notice = form.edit_notice.clone().unwrap_or_else(|| Some(EDIT_NOTICE.to_owned()));
        Self { mode: form.interrupt_mode, notice, tools: form.tools.clone(), on: gates.collect() }
    }

    /// Asks once for all calls under review.
    pub fn after_model(&self, ctx: &Context, state: &Value) -> Result<Asking, NodeError> {
        let messages = state["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let last = messages.iter().rev().find(|message| message["type"] == "ai");
        let calls = last.and_then(|last| last["tool_calls"].as_array());
        let (InterruptMode::Batched, Some(last), Some(calls)) = (self.mode, last, calls) else {
            return Ok(Asking::Nothing);
        };
        let name = |call: &Value| call["name"].as_str().unwrap_or_default().to_owned();
        let gated: Vec<_> =
            calls.iter().filter_map(|call| Some((call, self.on.get(&name(call))?))).collect();
        if gated.is_empty() {
            let edited = state.get(EDITED).is_some_and(truthy);
            return Ok(if edited { Asking::Forget } else { Asking::Nothing });
        }
        let requests: Vec<_> = gated.iter().map(|(call, gate)| gate.request(call)).collect();
        let configs = gated.iter().map(
            |(call, gate)| json!({"action_name": call["name"], "allowed_decisions": gate.allowed}),
        );
        let configs: Vec<_> = configs.collect();
        let answer =
            ctx.interrupt(json!({"action_requests": requests, "review_configs": configs}))?;
        let Some(decisions) = answer["decisions"].as_array() else {
            return Err(NodeError::of_kind("TypeError", "the answer has no decisions"));
        };
        if decisions.len() != gated.len() {
            let (said, asked) = (decisions.len(), gated.len());
            return Err(NodeError::of_kind(
                "ValueError",
                format!(
                    "Number of human decisions ({said}) does not match number of hanging tool \
                     calls ({asked})."
                ),
            ));
        }
        let mut list = vec![last.clone()];
        let mut edited = Map::new();
        for ((call, gate), decision) in gated.into_iter().zip(decisions) {
            gate.check(call, decision)?;
            self.hold(call, decision)?;
            match decision["type"].as_str() {
                Some("edit") => {
                    let id = call["id"].as_str().unwrap_or_default();
                    edited.insert(id.to_owned(), decision["edited_action"].clone());
                }
                Some("reject" | "respond") => list.push(answered(call, decision)),
                _ => {}
            }
        }
        Ok(Asking::Decided { messages: list.into(), edited: edited.into() })
    }

    /// Refuses an edit into a call of another tool that has a review of its own: it would run
    /// without that. LangChain lets it.
    fn hold(&self, call: &Value, decision: &Value) -> Result<(), NodeError> {
        let edited = decision["edited_action"]["name"].as_str().unwrap_or_default();
        if call["name"] == edited || !self.on.contains_key(edited) {
            return Ok(());
        }
        let why = format!("{edited} has a review of its own");
        Err(NodeError::of_kind("ValueError", why))
    }

    /// Asks for one call in its own task, or looks up what was decided.
    pub fn before_tool(&self, ctx: &Context, call: &Value) -> Result<Reviewed, NodeError> {
        if self.mode == InterruptMode::Batched {
            let state = ctx.state().to_value();
            let id = call["id"].as_str().unwrap_or_default();
            let edited = state.get(EDITED).and_then(|edited| edited.get(id));
            return Ok(edited.map_or(Reviewed::AsItIs, |edited| Reviewed::Edited(edited.clone())));
        }
        let name = call["name"].as_str().unwrap_or_default();
        let Some(gate) = self.on.get(name) else { return Ok(Reviewed::AsItIs) };
        let tool = self.tools.iter().find(|tool| tool.name == name);
        let question = json!({
            "type": "tool_approval",
            "tool_call_id": call["id"],
            "name": name,
            "args": call["args"],
            "description": gate.describe(call),
        });
        let schema = schema::decision(&gate.allowed, name, tool);
        let decision = ctx.ask(Ask::new(question).schema(schema))?;
        Ok(match decision["type"].as_str() {
            Some("approve") => Reviewed::AsItIs,
            Some("edit") => Reviewed::Edited(decision["edited_action"].clone()),
            _ => Reviewed::Answered(answered(call, &decision)),
        })
    }

    /// The call as the reviewer wants it.
    pub fn replaced<'a>(
        &self,
        call: &Value,
        edited: &Value,
        known: impl Iterator<Item = &'a str>,
    ) -> Result<Value, NodeError> {
        let mut known: Vec<_> = known.collect();
        known.sort_unstable();
        let name = edited["name"].as_str().unwrap_or_default();
        if call["name"] != name && !known.contains(&name) {
            return Err(NodeError::of_kind(
                "ValueError",
                format!(
                    "Reviewer edited tool call {} to '{name}', which is not an available tool. \
                     Available tools: {}.",
                    python(&call["id"]),
                    known.join(", ")
                ),
            ));
        }
        let mut call = call.clone();
        call["name"] = edited["name"].clone();
        call["args"] = edited["args"].clone();
        Ok(call)
    }

    /// The answer of an edited call, with the notice that it was edited.
    pub fn noted(&self, mut answer: Value, edited: &Value) -> Value {
        let Some(notice) = self.notice.as_ref().filter(|notice| !notice.is_empty()) else {
            return answer;
        };
        if special(&answer, COMMAND).is_some() {
            return answer;
        }
        let text = answer["content"].as_str().unwrap_or_default().to_owned();
        let name = edited["name"].as_str().unwrap_or_default();
        let args = spaced_json(&edited["args"]);
        let mut content = format!("{notice} Executed instead: {name} with arguments {args}.");
        if !text.is_empty() {
            content = format!("{content}\n\nTool response:\n{text}");
        }
        answer["content"] = content.into();
        answer
    }
}

impl Gate {
    fn request(&self, call: &Value) -> Value {
        json!({"name": call["name"], "args": call["args"], "description": self.describe(call)})
    }

    fn describe(&self, call: &Value) -> String {
        self.description.clone().unwrap_or_else(|| {
            let name = call["name"].as_str().unwrap_or_default();
            let args = python(&call["args"]);
            format!("Tool execution requires approval\n\nTool: {name}\nArgs: {args}")
        })
    }

    fn check(&self, call: &Value, decision: &Value) -> Result<(), NodeError> {
        let said = decision["type"].as_str().unwrap_or_default();
        if self.allowed.iter().any(|allowed| allowed == said) {
            return Ok(());
        }
        let name = call["name"].as_str().unwrap_or_default();
        Err(NodeError::of_kind(
            "ValueError",
            format!("Decision type '{said}' is not allowed for tool '{name}'."),
        ))
    }
}

fn gate(config: &Value) -> Option<Gate> {
    let all = ["approve", "edit", "reject", "respond"].map(str::to_owned).to_vec();
    match config {
        Value::Bool(true) => Some(Gate { allowed: all, description: None }),
        Value::Object(fields) => Some(Gate {
            allowed: serde_json::from_value(fields["allowed_decisions"].clone())
                .expect("a list of decisions"),
            description: fields.get("description").and_then(Value::as_str).map(str::to_owned),
        }),
        _ => None,
    }
}

/// What the model is told in the stead of a tool's result.
fn answered(call: &Value, decision: &Value) -> Value {
    let name = call["name"].as_str().unwrap_or_default();
    let id = call["id"].as_str().unwrap_or_default();
    let reason = decision["message"].as_str().unwrap_or_default();
    if decision["type"] == "respond" {
        return message::tool(name, &call["id"], reason, "success");
    }
    let text = if reason.is_empty() {
        format!(
            "User rejected the tool call for `{name}` with id {id}. The tool was not executed. Do \
             not retry this tool call unless the user explicitly requests it."
        )
    } else {
        format!("User rejected the tool call for `{name}` with reason: {reason}")
    };
    message::tool(name, &call["id"], &text, "error")
}
