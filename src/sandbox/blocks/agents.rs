//! What agents send: markdown, tables, tasks, pieces of a stream, and metadata.

use serde_json::Value;

use super::Surface;
use super::check::Check;

const STATES: [&str; 4] = ["pending", "in_progress", "complete", "error"];
/// Characters of all markdown blocks of a message together.
const MARKDOWN: usize = 12_000;
/// Characters of all cells of a message together.
const IN_TABLE: usize = 10_000;

/// What is wrong with the chunks of a stream.
pub(in crate::sandbox) fn chunk_complaints(chunks: &Value) -> Vec<String> {
    let mut check = Check::default();
    for (nth, chunk) in check.items(chunks, "/chunks", 1, 1000).iter().enumerate() {
        check.chunk(chunk, &format!("/chunks/{nth}"));
    }
    check.found
}

/// What is wrong with the metadata of a message.
pub(in crate::sandbox) fn metadata_complaints(metadata: &Value) -> Vec<String> {
    let mut check = Check::default();
    check.keys(metadata, "/metadata", &["event_type", "event_payload"]);
    check.needed(&metadata["event_type"], "/metadata/event_type", 255);
    if !metadata["event_payload"].is_object() {
        check.wrong("/metadata/event_payload", "must be an object");
    }
    check.found
}

impl Check {
    pub(super) fn markdown(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "text"]);
        let text = &block["text"];
        self.needed(text, &format!("{at}/text"), MARKDOWN);
        self.markdown += text.as_str().map_or(0, |text| text.chars().count());
        if self.markdown > MARKDOWN {
            self.wrong(at, &format!("all markdown must be less than {} characters", MARKDOWN + 1));
        }
    }

    pub(super) fn table(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "rows", "column_settings"]);
        self.tables += 1;
        if self.tables > 1 {
            self.wrong(at, "only one table is allowed");
        }
        let mut characters = 0;
        let rows = format!("{at}/rows");
        for (nth, row) in self.items(&block["rows"], &rows, 1, 100).iter().enumerate() {
            let here = format!("{rows}/{nth}");
            for (nth, cell) in self.items(row, &here, 1, 20).iter().enumerate() {
                characters += self.cell(cell, &format!("{here}/{nth}"));
            }
        }
        if characters > IN_TABLE {
            self.wrong(at, &format!("must be less than {} characters", IN_TABLE + 1));
        }
    }

    fn cell(&mut self, cell: &Value, at: &str) -> usize {
        match cell["type"].as_str() {
            Some("raw_text") => {
                self.keys(cell, at, &["type", "text"]);
                self.limit(&cell["text"], &format!("{at}/text"), 0, IN_TABLE);
            }
            Some("raw_number") => {}
            Some("rich_text") => self.rich_text(cell, at),
            _ => self.wrong(at, "unsupported cell"),
        }
        cell["text"].as_str().map_or(0, |text| text.chars().count())
    }

    pub(super) fn plan(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "title", "tasks"]);
        self.needed(&block["title"], &format!("{at}/title"), 256);
        if block["tasks"].is_null() {
            return;
        }
        let tasks = format!("{at}/tasks");
        let mut ids = Vec::new();
        for (nth, task) in self.items(&block["tasks"], &tasks, 0, 50).iter().enumerate() {
            let here = format!("{tasks}/{nth}");
            self.task_card(task, &here);
            if ids.contains(&&task["task_id"]) {
                self.wrong(&here, "task_id must be unique");
            }
            ids.push(&task["task_id"]);
        }
    }

    pub(super) fn task_card(&mut self, task: &Value, at: &str) {
        let known =
            ["type", "block_id", "task_id", "title", "status", "details", "output", "sources"];
        self.keys(task, at, &known);
        self.needed(&task["task_id"], &format!("{at}/task_id"), 255);
        self.needed(&task["title"], &format!("{at}/title"), 256);
        self.state(&task["status"], at);
        for key in ["details", "output"] {
            if !task[key].is_null() {
                self.rich_text(&task[key], &format!("{at}/{key}"));
            }
        }
    }

    fn state(&mut self, status: &Value, at: &str) {
        let at = format!("{at}/status");
        self.needed(status, &at, 255);
        self.one_of(status, &at, &STATES);
    }

    fn chunk(&mut self, chunk: &Value, at: &str) {
        match chunk["type"].as_str() {
            Some("markdown_text") => {
                self.keys(chunk, at, &["type", "text"]);
                self.needed(&chunk["text"], &format!("{at}/text"), MARKDOWN);
            }
            Some("plan_update") => {
                self.keys(chunk, at, &["type", "title"]);
                self.needed(&chunk["title"], &format!("{at}/title"), 256);
            }
            Some("task_update") => {
                let known = ["type", "id", "title", "status", "details", "output", "sources"];
                self.keys(chunk, at, &known);
                self.needed(&chunk["id"], &format!("{at}/id"), 255);
                self.needed(&chunk["title"], &format!("{at}/title"), 256);
                self.limit(&chunk["details"], &format!("{at}/details"), 0, 256);
                self.limit(&chunk["output"], &format!("{at}/output"), 0, 256);
                self.state(&chunk["status"], at);
            }
            Some("blocks") => {
                self.keys(chunk, at, &["type", "blocks"]);
                self.blocks(&chunk["blocks"], Surface::Message, &format!("{at}/blocks"));
            }
            _ => self.wrong(at, "unsupported chunk"),
        }
    }
}
