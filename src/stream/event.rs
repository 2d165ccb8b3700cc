//! One thing that a run tells.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::stream::Mode;

/// How many characters of a tool's output a `tool_end` carries.
const OUTPUT: usize = 200;

/// One event of a run, in the form that the API sends and the log keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    NodeStart {
        node: String,
    },
    NodeEnd {
        node: String,
    },
    /// A model begins to answer. After a restart the same node may begin again: what it had said
    /// since its last `llm_start` then counts for nothing.
    LlmStart {
        model: String,
    },
    /// A piece of a model's answer, for display: what counts is the answer as a whole.
    Token {
        content: String,
    },
    LlmEnd,
    /// A graph tells its requester something.
    Message {
        content: String,
    },
    /// A tool is called. It may be called again after a crash, if that is safe.
    ToolStart {
        tool: String,
        input: Value,
    },
    /// `succeeded`, `failed`, `unknown`, or why it was not called at all.
    ToolEnd {
        tool: String,
        status: String,
        output: String,
    },
    /// A human has to decide before a tool is called.
    ApprovalRequested {
        request: String,
        tool: String,
        input: Value,
        /// The rule that asks for it.
        rule: String,
        /// RFC 3339.
        decide_by: String,
    },
    ApprovalDecided {
        request: String,
        tool: String,
        outcome: String,
        /// Who decided; absent when time did.
        by: Option<String>,
        reason: Option<String>,
    },
    /// The run is over, and everything it has to say was told.
    Done,
    /// The run is over before its time. Never carries internals.
    Error {
        code: ErrorCode,
        message: String,
    },
    /// A chunk of one of LangGraph's stream modes, for those who asked for it.
    Chunk {
        mode: Mode,
        /// Where it comes from: empty for the graph itself, one entry for each subgraph.
        ns: Vec<String>,
        data: Value,
    },
    /// An event of LangGraph's event log, for those who asked for it.
    V2 {
        event: Value,
    },
}

/// Why a run ended before its time. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Something went wrong that only the operator can see.
    RunFailed,
    /// The agent was changed or removed while the run was waiting.
    AgentChanged,
    /// The desk does not work for this person.
    RequesterRefused,
    /// The person it was for stopped it.
    Stopped,
    /// It has used all that one run may use.
    BudgetSpent,
    /// The model declined, was cut off, or gave no answer of the form it must have.
    NoAnswer,
    /// The model could not be reached for too long.
    ModelAway,
    /// The desk was put back to a backup in which the run was not over.
    Restored,
}

impl RunEvent {
    /// The end of a run before its time.
    pub fn error(code: ErrorCode) -> Self {
        let message = match code {
            ErrorCode::RunFailed => "The run failed. The operator can read why in the log.",
            ErrorCode::AgentChanged => "The agent was changed while the run was waiting.",
            ErrorCode::RequesterRefused => "The agent works only for people of this workspace.",
            ErrorCode::Stopped => "The run was stopped by the person it was for.",
            ErrorCode::BudgetSpent => "The run has used all that one run may use.",
            ErrorCode::NoAnswer => "The model gave no answer that can be used.",
            ErrorCode::ModelAway => "The model cannot be reached. Try again later.",
            ErrorCode::Restored => {
                "The desk was put back to a backup. What was done after it is not known here: look \
                 before you ask again."
            }
        };
        Self::Error { code, message: message.to_owned() }
    }

    /// The end of a tool's call.
    pub fn tool_end(tool: &str, status: &str, output: &str) -> Self {
        Self::ToolEnd {
            tool: tool.to_owned(),
            status: status.to_owned(),
            output: cut(output, OUTPUT).to_owned(),
        }
    }

    /// Nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done | Self::Error { .. })
    }
}

/// The first `most` characters of a text.
pub fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(event: &RunEvent) -> String {
        serde_json::to_string(event).unwrap()
    }

    #[test]
    fn frames_begin_with_their_type_as_the_reference_pattern_writes_them() {
        let token = RunEvent::Token { content: "Hello \"you\"\n".to_owned() };
        assert_eq!(wire(&token), r#"{"type":"token","content":"Hello \"you\"\n"}"#);
        assert_eq!(wire(&RunEvent::Done), r#"{"type":"done"}"#);
        let error = wire(&RunEvent::error(ErrorCode::RunFailed));
        assert!(error.starts_with(r#"{"type":"error","code":"run_failed","message":"#), "{error}");
    }

    #[test]
    fn outputs_are_cut_at_200_characters_not_bytes() {
        let RunEvent::ToolEnd { output, .. } =
            RunEvent::tool_end("t", "succeeded", &"é".repeat(201))
        else {
            panic!("a tool_end")
        };
        assert_eq!(output, "é".repeat(200));
        assert_eq!(cut("ab", 200), "ab");
    }
}
