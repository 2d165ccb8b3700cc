//! Messages that grow while they are written, and what Slack says of a conversation as a whole.

use serde_json::{Value, json};

use super::{Method, Place, Posted, SlackApi, SlackError};
use crate::stream::{Session, TaskStatus};

/// What a call adds to a growing message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Markdown, already made harmless; at most 12,000 characters.
    Text(String),
    /// A line of the task list. A later one with the same id replaces it. The title has at most 256
    /// characters.
    Task { id: String, title: String, status: TaskStatus },
}

/// A growing message to begin: always a reply to somebody's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamStart {
    pub place: Place,
    /// For whom it is; needed in channels.
    pub user: String,
    /// Their own team.
    pub team: String,
    pub chunks: Vec<Chunk>,
}

impl Chunk {
    fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "type": "markdown_text", "text": text }),
            Self::Task { id, title, status } => {
                json!({ "type": "task_update", "id": id, "title": title, "status": status })
            }
        }
    }
}

fn chunks(chunks: &[Chunk]) -> Option<Vec<Value>> {
    (!chunks.is_empty()).then(|| chunks.iter().map(Chunk::to_value).collect())
}

impl dyn SlackApi + '_ {
    /// Begins a growing message. The conversation's session then says that work is being done.
    pub async fn start_stream(&self, start: &StreamStart) -> Result<Posted, SlackError> {
        let arguments = json!({
            "channel": start.place.channel,
            "thread_ts": start.place.thread_ts,
            "recipient_user_id": start.user,
            "recipient_team_id": start.team,
            "task_display_mode": "timeline",
            "chunks": chunks(&start.chunks),
        });
        let answer = self.call(Method::ChatStartStream, arguments).await?;
        match (answer.body["channel"].as_str(), answer.body["ts"].as_str()) {
            (Some(channel), Some(ts)) => {
                Ok(Posted { channel: channel.to_owned(), ts: ts.to_owned() })
            }
            _ => Err(SlackError::Unknown { why: "the answer names no message".to_owned() }),
        }
    }

    /// Adds to a growing message.
    pub async fn append_stream(
        &self,
        channel: &str,
        ts: &str,
        added: &[Chunk],
    ) -> Result<(), SlackError> {
        let arguments = json!({ "channel": channel, "ts": ts, "chunks": chunks(added) });
        self.call(Method::ChatAppendStream, arguments).await.map(drop)
    }

    /// Adds the last of it. From then on it is a message like any other.
    pub async fn stop_stream(
        &self,
        channel: &str,
        ts: &str,
        added: &[Chunk],
        session: Session,
    ) -> Result<(), SlackError> {
        let arguments = json!({
            "channel": channel, "ts": ts, "chunks": chunks(added), "session_status": session,
        });
        self.call(Method::ChatStopStream, arguments).await.map(drop)
    }

    /// Says how a conversation stands: worked on, waiting for a human, or neither.
    pub async fn set_session(&self, place: &Place, session: Session) -> Result<(), SlackError> {
        let arguments = json!({
            "channel_id": place.channel, "thread_ts": place.thread_ts, "status": session,
        });
        self.call(Method::AgentsSessionsSetStatus, arguments).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slack::client::fake::FakeSlack;

    #[tokio::test]
    async fn a_stream_is_a_reply_for_somebody_and_its_chunks_are_slacks() {
        let slack = FakeSlack::answering(|_, _| Ok(json!({"channel": "C1", "ts": "1.3"})));
        let start = StreamStart {
            place: Place { channel: "C1".to_owned(), thread_ts: Some("1.2".to_owned()) },
            user: "U1".to_owned(),
            team: "T1".to_owned(),
            chunks: vec![Chunk::Task {
                id: "task-1".to_owned(),
                title: "Thinking".to_owned(),
                status: TaskStatus::InProgress,
            }],
        };
        let posted = slack.as_dyn().start_stream(&start).await.unwrap();
        slack.as_dyn().append_stream("C1", "1.3", &[Chunk::Text("Hi".to_owned())]).await.unwrap();
        slack.as_dyn().stop_stream("C1", &posted.ts, &[], Session::Suspended).await.unwrap();
        let calls: Vec<Value> = slack.calls().into_iter().map(|(_, arguments)| arguments).collect();
        assert_eq!(
            calls,
            [
                json!({
                    "channel": "C1", "thread_ts": "1.2", "recipient_user_id": "U1",
                    "recipient_team_id": "T1", "task_display_mode": "timeline",
                    "chunks": [{
                        "type": "task_update", "id": "task-1", "title": "Thinking",
                        "status": "in_progress",
                    }],
                }),
                json!({
                    "channel": "C1", "ts": "1.3",
                    "chunks": [{ "type": "markdown_text", "text": "Hi" }],
                }),
                json!({
                    "channel": "C1", "ts": "1.3", "chunks": null, "session_status": "suspended",
                }),
            ]
        );
    }
}
