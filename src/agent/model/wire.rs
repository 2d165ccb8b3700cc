//! Between our words and those of `genai`, the library that speaks the providers' protocols.
//!
//! What an approval binds begins with the exact argument text that the model wrote. `genai` parses
//! the arguments of its final tool calls (the last of two equal keys wins), but the stream's last
//! chunk of each call carries the accumulated text as it came, for OpenAI's and Anthropic's
//! protocols; that text is what is taken. Ollama and Gemini send arguments as JSON objects, not as
//! text; there the text is what `genai` parsed, written anew.

use std::collections::{BTreeMap, BTreeSet};

use genai::chat::{
    ChatMessage, ChatRequest, ChatStreamEvent, ContentPart, MessageContent, StopReason, StreamEnd,
    Tool, ToolCall as WireCall, ToolResponse,
};
use serde_json::{Value, json};

use super::{Message, ModelError, Prompt, Stop, TokenSink, ToolCall};
use crate::agent::{CallStatus, Usage};

/// The longest answer that is read, in bytes: text, reasoning and arguments together.
const MAX_ANSWER: usize = 256 * 1024;
/// How many tools one answer may call.
const MAX_CALLS: usize = 16;
/// Providers refuse longer names.
const MAX_NAME: usize = 64;

/// The names of tools as providers take them: letters, digits, `_` and `-`, no dots.
pub(super) struct Names<'p>(BTreeMap<String, &'p str>);

impl<'p> Names<'p> {
    /// Refuses tools that no provider could tell apart.
    pub(super) fn of(prompt: &'p Prompt) -> Result<Self, ModelError> {
        let mut names = BTreeMap::new();
        for tool in &prompt.tools {
            if let Some(other) = names.insert(to_wire(&tool.name), tool.name.as_str()) {
                let why = format!("it could not tell `{other}` from `{}`", tool.name);
                return Err(ModelError::Refused { why });
            }
        }
        Ok(Self(names))
    }

    fn ours(&self, name: &str) -> String {
        self.0.get(name).map_or(name, |own| own).to_owned()
    }
}

fn to_wire(name: &str) -> String {
    let taken = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }
    };
    name.replace('.', "__").chars().map(taken).take(MAX_NAME).collect()
}

/// The request for a prompt.
pub(super) fn request(prompt: &Prompt) -> ChatRequest {
    let tools = prompt.tools.iter().map(|tool| {
        Tool::new(to_wire(&tool.name))
            .with_description(&tool.description)
            .with_schema(tool.parameters.clone())
    });
    ChatRequest::from_system(&prompt.instructions)
        .append_messages(messages(&prompt.messages))
        .with_tools(tools)
}

/// Every call is answered before anything else is said, as providers demand: results that belong
/// together share a message, and a call without a result (its run was cancelled) gets one.
fn messages(messages: &[Message]) -> Vec<ChatMessage> {
    let mut written = Vec::new();
    let mut open: Vec<&ToolCall> = Vec::new();
    let mut results = Vec::new();
    for message in messages {
        if !matches!(message, Message::Tool { .. }) {
            close(&mut written, &mut open, &mut results);
        }
        match message {
            Message::Human { text, name: None } => written.push(ChatMessage::user(text)),
            Message::Human { text, name: Some(name) } => {
                written.push(ChatMessage::user(format!("{name}: {text}")));
            }
            Message::Desk { text } => written.push(ChatMessage::user(text)),
            Message::Assistant { text, calls } => {
                let text = (!text.is_empty()).then(|| ContentPart::Text(text.clone()));
                let parts = text.into_iter().chain(calls.iter().map(call_part));
                let content = MessageContent::from_parts(parts.collect::<Vec<_>>());
                if !content.is_empty() {
                    written.push(ChatMessage::assistant(content));
                }
                open.extend(calls);
            }
            Message::Tool { call_id, tool, status, content } => {
                open.retain(|call| call.id != *call_id);
                let response = ToolResponse::new(call_id, status.told(content));
                results.push(response.with_fn_name(to_wire(tool)));
            }
        }
    }
    close(&mut written, &mut open, &mut results);
    written
}

fn close(
    written: &mut Vec<ChatMessage>,
    open: &mut Vec<&ToolCall>,
    results: &mut Vec<ToolResponse>,
) {
    let why = CallStatus::Cancelled.told("the conversation went on without it");
    results.extend(
        open.drain(..)
            .map(|call| ToolResponse::new(&call.id, &why).with_fn_name(to_wire(&call.tool))),
    );
    if !results.is_empty() {
        written.push(ChatMessage::from(std::mem::take(results)));
    }
}

fn call_part(call: &ToolCall) -> ContentPart {
    // Providers want an object. What was none has been refused; the model still sees what it wrote.
    let arguments = match serde_json::from_str(&call.arguments) {
        Ok(arguments @ Value::Object(_)) => arguments,
        Ok(_) | Err(_) if call.arguments.trim().is_empty() => json!({}),
        Ok(_) | Err(_) => json!({ "unreadable": call.arguments }),
    };
    ContentPart::ToolCall(WireCall {
        call_id: call.id.clone(),
        fn_name: to_wire(&call.tool),
        fn_arguments: arguments,
        thought_signatures: None,
    })
}

/// A whole answer, before it is known whose it is and what it cost.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
    pub(super) usage: Usage,
    pub(super) stop: Stop,
}

/// An answer on its way in.
#[derive(Default)]
pub(super) struct Answer {
    /// The accumulated argument text of each call, by the call's id.
    arguments: BTreeMap<String, String>,
    text: String,
    reasoning_bytes: usize,
}

impl Answer {
    /// Takes one event of the stream; the last one completes the reply. Text goes to `tokens` as it
    /// comes.
    pub(super) fn take(
        &mut self,
        event: ChatStreamEvent,
        names: &Names<'_>,
        tokens: &dyn TokenSink,
    ) -> Result<Option<Answered>, ModelError> {
        match event {
            ChatStreamEvent::Start | ChatStreamEvent::Heartbeat => {}
            ChatStreamEvent::Chunk(chunk) => {
                tokens.token(&chunk.content);
                self.text.push_str(&chunk.content);
            }
            ChatStreamEvent::ReasoningChunk(chunk)
            | ChatStreamEvent::ThoughtSignatureChunk(chunk) => {
                self.reasoning_bytes += chunk.content.len();
            }
            ChatStreamEvent::ToolCallChunk(chunk) => {
                let call = chunk.tool_call;
                self.arguments.insert(call.call_id, text_of(call.fn_arguments));
            }
            ChatStreamEvent::End(end) => return self.complete(end, names).map(Some),
        }
        let arguments: usize = self.arguments.values().map(String::len).sum();
        if self.text.len() + self.reasoning_bytes + arguments > MAX_ANSWER {
            let why = format!("it is longer than {} KiB", MAX_ANSWER / 1024);
            return Err(ModelError::TooLong { why });
        }
        Ok(None)
    }

    fn complete(&mut self, end: StreamEnd, names: &Names<'_>) -> Result<Answered, ModelError> {
        match &end.captured_stop_reason {
            Some(StopReason::MaxTokens(_)) => {
                let why = "it was cut off by its token limit".to_owned();
                return Err(ModelError::TooLong { why });
            }
            Some(StopReason::ContentFilter(reason)) => {
                let why = format!("the provider says `{reason}`");
                return Err(ModelError::Declined { why });
            }
            Some(
                StopReason::Completed(_)
                | StopReason::ToolCall(_)
                | StopReason::StopSequence(_)
                | StopReason::Other(_),
            )
            | None => {}
        }
        let usage = end.captured_usage.as_ref().map_or_else(Usage::default, |usage| Usage {
            input_tokens: count(usage.prompt_tokens),
            output_tokens: count(usage.completion_tokens),
        });
        let calls = self.calls(end.captured_into_tool_calls().unwrap_or_default(), names)?;
        let stop = if calls.is_empty() { Stop::Done } else { Stop::ToolCalls };
        Ok(Answered { text: std::mem::take(&mut self.text), calls, usage, stop })
    }

    fn calls(
        &mut self,
        calls: Vec<WireCall>,
        names: &Names<'_>,
    ) -> Result<Vec<ToolCall>, ModelError> {
        if calls.len() > MAX_CALLS {
            let why = format!("it calls {} tools at once", calls.len());
            return Err(ModelError::TooLong { why });
        }
        let ids: BTreeSet<_> = calls.iter().map(|call| &call.call_id).collect();
        if ids.len() < calls.len() || calls.iter().any(|call| call.fn_name.is_empty()) {
            let why = "its tool calls cannot be told apart".to_owned();
            return Err(ModelError::Malformed { why });
        }
        let exact = |WireCall { call_id: id, fn_name, fn_arguments, .. }| {
            let written = self.arguments.remove(&id);
            let arguments = written.unwrap_or_else(|| text_of(fn_arguments));
            ToolCall { id, tool: names.ours(&fn_name), arguments }
        };
        Ok(calls.into_iter().map(exact).collect())
    }
}

/// A text is the arguments as they came; anything else was parsed by `genai`.
fn text_of(arguments: Value) -> String {
    match arguments {
        Value::String(text) => text,
        parsed @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => parsed.to_string(),
    }
}

fn count(tokens: Option<i32>) -> u64 {
    tokens.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default()
}
