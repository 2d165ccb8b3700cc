//! `/countersign`.

use serde_json::{Value, json};

use super::{Desk, DeskError};
use crate::slack::inbound::Command;
use crate::slack::texts::{self, ListedRequest, StatusFacts};
use crate::store::SwitchPosition;

/// How many requests one answer lists.
const LISTED: usize = 20;

impl Desk {
    /// Answers a slash command, to the person who typed it alone.
    pub async fn command(&self, command: Command) -> Result<Value, DeskError> {
        let word = command.text.split_whitespace().next().unwrap_or("help").to_lowercase();
        let text = match word.as_str() {
            "help" => texts::help(),
            "status" => self.status().await?,
            "list" => self.list().await?,
            other => texts::unknown_command(other),
        };
        let rendered = texts::say(&text);
        Ok(json!({
            "response_type": "ephemeral", "text": rendered.text, "blocks": rendered.blocks,
        }))
    }

    async fn status(&self) -> Result<String, DeskError> {
        let under_way = self.store.executions_under_way(&self.workspace).await?;
        let switch = self.store.switch(&self.workspace).await?;
        let stopped = switch.filter(|switch| switch.position == SwitchPosition::Stopped);
        Ok(texts::status(&StatusFacts {
            pending: self.store.count_pending(&self.workspace).await?,
            running: under_way.len() as u64,
            unknown: self.store.unknown_executions(&self.workspace).await?,
            stopped: stopped.as_ref().map(|switch| (switch.by.as_str(), switch.reason.as_str())),
        }))
    }

    async fn list(&self) -> Result<String, DeskError> {
        let page = self.store.pending_requests(&self.workspace, None, LISTED).await?;
        let unseen = self.unseen(&page.requests).await?;
        let listed: Vec<_> = page
            .requests
            .iter()
            .zip(&unseen)
            .map(|(stored, unseen)| ListedRequest {
                request: &stored.request,
                tool: stored.kept.tool(),
                unseen: unseen.as_ref(),
            })
            .collect();
        let damaged: Vec<_> = page.damaged.iter().map(|damaged| &damaged.id).collect();
        Ok(texts::list(&listed, &damaged, self.store.now()))
    }
}
