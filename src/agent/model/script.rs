//! A scripted stand-in for a model: a file of rules that answers the same every time.
//!
//! It is for the demo, for tests and for rehearsing a configuration, and says so itself. The first
//! rule that fits answers:
//!
//! ```yaml
//! rules:
//!   - when: { says: 'refund order (?<order>\d+)' }     # a regex; upper and lower case are alike
//!     say: I look up order {{ order }} first.
//!     call:
//!       - tool: orders.lookup
//!         arguments: '{"order": "{{ order }}"}'        # the exact text of the call
//!   - when: { tool: orders.lookup, status: succeeded, says: 'because (?<why>.+)' }
//!     call:
//!       - tool: payments.refund
//!         arguments: '{"charge": "{{ result.data.charge }}", "reason": "{{ why }}"}'
//! ```
//!
//! A rule with `tool` answers to the results of the last calls, any other to a human message. In
//! both, `says` is matched against the last human message and its named groups can be used in the
//! templates. `result` has `tool`, `status`, `content`, and, if the content is JSON, `data`.
//!
//! With `pace: 60ms` on top it takes that long for each word, as a model does.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Message, Model, ModelError, Prompt, Reply, Stop, TokenSink, ToolCall};
use crate::agent::template::{Place, Template};
use crate::agent::{CallStatus, Money, Usage};
use crate::base::{Clock, NotASpan, Span};

/// After this many answers to one human message it stops, whatever its rules say.
const MAX_ANSWERS: usize = 12;

const SCRIPT: &str = "script";

/// A model that follows a script.
pub struct ScriptedModel {
    rules: Vec<Rule>,
    otherwise: Option<String>,
    /// How long each word takes.
    pace: Span,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedModel").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// A script that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("the script cannot be read: {0}")]
    Yaml(String),
    #[error("rule {rule} of the script: {why}")]
    Rule { rule: usize, why: String },
}

#[derive(Debug)]
struct Rule {
    says: Option<Regex>,
    tool: Option<String>,
    status: Option<CallStatus>,
    say: Template,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    tool: String,
    arguments: Template,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptFile {
    rules: Vec<RuleSection>,
    /// What else it can say when no rule fits: what to try.
    otherwise: Option<String>,
    /// How long each word takes, `60ms`.
    pace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSection {
    when: WhenSection,
    #[serde(default)]
    say: String,
    #[serde(default)]
    call: Vec<CallSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenSection {
    says: Option<String>,
    tool: Option<String>,
    status: Option<CallStatus>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallSection {
    tool: String,
    #[serde(default)]
    arguments: String,
}

impl ScriptedModel {
    /// Reads a script from YAML.
    pub fn read(yaml: &str, clock: Arc<dyn Clock>) -> Result<Self, ScriptError> {
        let file: ScriptFile =
            serde_saphyr::from_str(yaml).map_err(|error| ScriptError::Yaml(error.to_string()))?;
        let read = |(at, section)| {
            Rule::read(section).map_err(|why| ScriptError::Rule { rule: at + 1, why })
        };
        let rules = file.rules.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let pace = file.pace.as_deref().map_or(Ok(Span::ZERO), str::parse);
        let pace = pace.map_err(|error: NotASpan| ScriptError::Yaml(error.to_string()))?;
        Ok(Self { rules, otherwise: file.otherwise, pace, clock })
    }

    fn reply(&self, messages: &[Message]) -> Result<Reply, ModelError> {
        let turn = Turn::of(messages);
        if turn.answers >= MAX_ANSWERS {
            let text = format!("I am a scripted stand-in, and I stop after {MAX_ANSWERS} answers.");
            return Ok(said(text, Vec::new()));
        }
        for rule in &self.rules {
            if let Some(values) = rule.fits(&turn) {
                let malformed = |why: String| ModelError::Malformed { why };
                let text = rule.say.fill(&values).map_err(malformed)?;
                let calls = rule.calls.iter().enumerate().map(|(at, call)| {
                    let id = format!("call_{}", turn.calls_so_far + at + 1);
                    let arguments = call.arguments.fill(&values)?;
                    Ok(ToolCall { id, tool: call.tool.clone(), arguments })
                });
                return Ok(said(text, calls.collect::<Result<_, _>>().map_err(malformed)?));
            }
        }
        Ok(said(self.default_answer(&turn), Vec::new()))
    }

    fn default_answer(&self, turn: &Turn<'_>) -> String {
        let mut text = "I am a scripted stand-in for a language model.".to_owned();
        if let Some(result) = turn.results.first() {
            return format!("{text} `{}` came back: {}", result.tool, result.content);
        }
        text.push_str(" None of my rules fits what you wrote.");
        if let Some(otherwise) = &self.otherwise {
            text.push(' ');
            text.push_str(otherwise);
        }
        text
    }
}

impl Model for ScriptedModel {
    fn name(&self) -> &str {
        SCRIPT
    }

    fn answer<'a>(
        &'a self,
        prompt: &'a Prompt,
        tokens: &'a dyn TokenSink,
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        Box::pin(async move {
            let reply = self.reply(&prompt.messages)?;
            for word in reply.text.split_inclusive(' ') {
                if self.pace > Span::ZERO {
                    self.clock.pause(self.pace).await;
                }
                tokens.token(word);
            }
            Ok(reply)
        })
    }
}

fn said(text: String, calls: Vec<ToolCall>) -> Reply {
    let stop = if calls.is_empty() { Stop::Done } else { Stop::ToolCalls };
    let (model, usage, cost) = (SCRIPT.to_owned(), Usage::default(), Money::default());
    Reply { model, text, calls, usage, cost, stop }
}

/// Where the conversation stands.
struct Turn<'a> {
    /// The last human message, or what the desk said about the last answer.
    said: &'a str,
    /// Results that came after the last answer.
    results: Vec<CallResult<'a>>,
    /// Answers since the last human message.
    answers: usize,
    /// In the whole conversation, so that every call has an id of its own.
    calls_so_far: usize,
}

struct CallResult<'a> {
    tool: &'a str,
    status: CallStatus,
    content: &'a str,
}

impl<'a> Turn<'a> {
    fn of(messages: &'a [Message]) -> Self {
        let mut turn = Self { said: "", results: Vec::new(), answers: 0, calls_so_far: 0 };
        for message in messages {
            match message {
                Message::Human { text, name: _ } => {
                    turn.said = text;
                    turn.answers = 0;
                    turn.results.clear();
                }
                Message::Desk { text } => {
                    turn.said = text;
                    turn.results.clear();
                }
                Message::Assistant { text: _, calls } => {
                    turn.answers += 1;
                    turn.calls_so_far += calls.len();
                    turn.results.clear();
                }
                Message::Tool { call_id: _, tool, status, content } => {
                    turn.results.push(CallResult { tool, status: *status, content });
                }
            }
        }
        turn
    }
}

impl Rule {
    fn read(section: RuleSection) -> Result<Self, String> {
        let WhenSection { says, tool, status } = section.when;
        if says.is_none() && tool.is_none() {
            return Err("`when` needs `says` or `tool`".to_owned());
        }
        if status.is_some() && tool.is_none() {
            return Err("`status` needs a `tool`".to_owned());
        }
        let compile = |says: String| RegexBuilder::new(&says).case_insensitive(true).build();
        let read_call = |call: CallSection| {
            let arguments = Template::parse(&call.arguments, Place::Json)?;
            Ok(Call { tool: call.tool, arguments })
        };
        Ok(Self {
            says: says.map(compile).transpose().map_err(|error| error.to_string())?,
            tool,
            status,
            say: Template::parse(&section.say, Place::Text)?,
            calls: section.call.into_iter().map(read_call).collect::<Result<_, String>>()?,
        })
    }

    /// The values for the templates, if the rule fits.
    fn fits(&self, turn: &Turn<'_>) -> Option<Value> {
        let mut values = Map::new();
        if let Some(says) = &self.says {
            let captures = says.captures(turn.said)?;
            for name in says.capture_names().flatten() {
                // A group that took no part is empty, so that `or` can stand in for it.
                let text = captures.name(name).map_or("", |group| group.as_str());
                values.insert(name.to_owned(), text.into());
            }
        }
        match &self.tool {
            None if !turn.results.is_empty() => return None,
            None => {}
            Some(tool) => {
                let fits = |result: &&CallResult<'_>| {
                    result.tool == tool && self.status.is_none_or(|status| status == result.status)
                };
                values.insert("result".to_owned(), turn.results.iter().find(fits)?.to_value());
            }
        }
        Some(Value::Object(values))
    }
}

impl CallResult<'_> {
    fn to_value(&self) -> Value {
        let Self { tool, status, content } = self;
        let mut value = json!({ "tool": tool, "status": status, "content": content });
        if let Ok(data) = serde_json::from_str::<Value>(content) {
            value["data"] = data;
        }
        value
    }
}

#[cfg(test)]
mod tests;
