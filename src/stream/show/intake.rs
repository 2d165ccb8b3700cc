//! What a run tells, taken into what its thread shall show.

use super::{Show, Shown};
use crate::stream::call::{Task, TaskKind, TaskStatus};
use crate::stream::{ErrorCode, RunEvent};

impl Show {
    /// Takes in what the run tells next.
    pub fn take(&mut self, event: &RunEvent) {
        match event {
            RunEvent::NodeStart { node } => self.begin(TaskKind::Node(node.clone())),
            RunEvent::NodeEnd { node } => {
                self.settle(&TaskKind::Node(node.clone()), TaskStatus::Complete);
            }
            RunEvent::LlmStart { .. } => self.answer_begins(),
            RunEvent::Token { content } => self.say(content),
            RunEvent::LlmEnd => (self.answering, self.speaking) = (false, false),
            RunEvent::ToolStart { tool, .. } => self.begin(TaskKind::Tool(tool.clone())),
            RunEvent::ToolEnd { tool, status, .. } => {
                let status = match status.as_str() {
                    "succeeded" => TaskStatus::Complete,
                    _ => TaskStatus::Error,
                };
                self.settle(&TaskKind::Tool(tool.clone()), status);
            }
            RunEvent::ApprovalRequested { tool, .. } => {
                self.waiting += 1;
                self.add(TaskKind::Approval(tool.clone()), TaskStatus::Pending);
            }
            RunEvent::ApprovalDecided { tool, outcome, .. } => {
                self.waiting = self.waiting.saturating_sub(1);
                if self.waiting == 0 && self.message.is_none() {
                    self.begin_leg();
                }
                let approved = outcome == "approved";
                let status = if approved { TaskStatus::Complete } else { TaskStatus::Error };
                self.settle(&TaskKind::Approval(tool.clone()), status);
            }
            RunEvent::Done => self.end(TaskStatus::Complete),
            RunEvent::Error { code, .. } => {
                self.end(TaskStatus::Error);
                // The person who stopped it closed the message; there is nothing to add to it.
                if *code == ErrorCode::Stopped {
                    self.sent = self.text.len();
                }
            }
            // What a graph tells the requester is a notice of its own.
            RunEvent::Message { .. } | RunEvent::Chunk { .. } | RunEvent::V2 { .. } => {}
        }
    }

    fn answer_begins(&mut self) {
        if self.answering && self.speaking {
            // What was said since counts for nothing. Where it was shown, it is in the way now.
            self.text.truncate(self.answer_from);
            if self.sent > self.answer_from {
                self.sent = self.answer_from;
                self.doubted |= self.message.is_some();
            }
        }
        (self.answering, self.speaking) = (true, false);
    }

    /// The first word of an answer ends the one before; a model that says nothing ends none.
    fn say(&mut self, words: &str) {
        if self.answering && !self.speaking {
            let seen = self.message.is_some() || self.closed.is_some() || self.taken_away;
            if !seen && !self.text.is_empty() {
                self.begin_leg();
            } else if !self.text.is_empty() && !self.text.ends_with("\n\n") {
                self.text.push_str("\n\n");
            }
            self.answer_from = self.text.len();
            self.speaking = true;
        }
        self.text.push_str(words);
    }

    fn begin(&mut self, what: TaskKind) {
        // A node that runs again goes on in its line; a tool that is called again gets a new one.
        let is_node = matches!(what, TaskKind::Node(_));
        let again = self
            .tasks
            .iter_mut()
            .rev()
            .find(|shown| shown.task.what == what && (is_node || shown.task.is_open()));
        match again {
            Some(shown) => {
                shown.news |= shown.task.status != TaskStatus::InProgress;
                shown.task.status = TaskStatus::InProgress;
            }
            None => self.add(what, TaskStatus::InProgress),
        }
    }

    fn add(&mut self, what: TaskKind, status: TaskStatus) {
        let last = self
            .tasks
            .last()
            .map_or(0, |shown| shown.task.id.trim_start_matches("task-").parse().unwrap_or(0_u32));
        let task = Task { id: format!("task-{}", last + 1), what, status };
        self.tasks.push(Shown { task, news: true });
    }

    fn settle(&mut self, what: &TaskKind, status: TaskStatus) {
        let same = |shown: &&mut Shown| shown.task.what == *what && shown.task.is_open();
        let open = self.tasks.iter_mut().rev().find(same);
        if let Some(shown) = open {
            shown.task.status = status;
            shown.news = true;
        }
    }

    fn end(&mut self, status: TaskStatus) {
        self.ended = true;
        self.answering = false;
        for shown in &mut self.tasks {
            if shown.task.is_open() {
                shown.task.status = status;
                shown.news = true;
            }
        }
    }
}
