//! Models and tools as those who watch see them.

use serde_json::Value;

use super::Context;
use crate::graph::{Call, Event, ids};

/// A model that is about to be asked.
#[derive(Clone, Debug, Default)]
pub struct ModelStart {
    pub name: String,
    /// `nostream` keeps the pieces of the answer out of the messages stream.
    pub tags: Vec<String>,
    /// The list of messages.
    pub input: Value,
}

/// A tool that is about to be called.
#[derive(Clone, Debug, Default)]
pub struct ToolStart {
    pub name: String,
    /// The id of the tool call that it answers.
    pub call_id: Option<String>,
    pub input: Value,
}

/// A model at work.
pub struct ModelCall {
    context: Context,
    call: Call,
    input: Value,
}

/// A tool at work.
pub struct ToolRun {
    context: Context,
    call: Call,
    input: Value,
}

impl Context {
    /// Tells that a model is asked.
    #[must_use]
    pub fn model(&self, start: ModelStart) -> ModelCall {
        let ModelStart { name, tags, input } = start;
        let call = self.new_call(name, tags, None);
        self.tell(|task| Event::ModelStarted { task, call: &call, input: &input });
        ModelCall { context: self.clone(), call, input }
    }

    /// Tells that a tool is called.
    #[must_use]
    pub fn tool(&self, start: ToolStart) -> ToolRun {
        let ToolStart { name, call_id, input } = start;
        let call = self.new_call(name, Vec::new(), call_id);
        self.tell(|task| Event::ToolStarted { task, call: &call, input: &input });
        ToolRun { context: self.clone(), call, input }
    }

    pub(in crate::graph) fn new_call(
        &self,
        name: String,
        tags: Vec<String>,
        tool_call: Option<String>,
    ) -> Call {
        let mut log = self.log();
        let place = log.calls;
        log.calls += 1;
        let id = ids::call(self.task_id(), self.attempt(), place);
        Call { id, name, tags, tool_call }
    }
}

impl ModelCall {
    /// Tells a piece of the answer: a message chunk.
    pub fn chunk(&self, chunk: &Value) {
        let call = &self.call;
        self.context.tell(|task| Event::ModelChunk { task, call, chunk });
    }

    /// Tells the whole answer: a message.
    pub fn finish(self, output: &Value) {
        let (call, input) = (&self.call, &self.input);
        self.context.tell(|task| Event::ModelFinished { task, call, input, output });
    }
}

impl ToolRun {
    /// Tells the answer: a tool message.
    pub fn finish(self, output: &Value) {
        let (call, input) = (&self.call, &self.input);
        self.context.tell(|task| Event::ToolFinished { task, call, input, output });
    }

    /// Tells that it failed, or that it asks.
    pub fn fail(self, error: &str) {
        let (call, input) = (&self.call, &self.input);
        self.context.tell(|task| Event::ToolFailed { task, call, input, error });
    }
}
