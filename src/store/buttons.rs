//! Buttons: opaque tokens, and what each stands for.

use super::requests::stored;
use super::{Conn, Store, StoreError, StoredRequest};
use crate::base::{CardId, RequestId, WorkspaceId};

/// What a button stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ButtonChoice {
    Approve,
    Reject,
    ShowAll,
    Withdraw,
}

/// A Slack message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownAt {
    /// Slack's id of the channel.
    pub channel: String,
    pub message_ts: String,
}

/// What an opaque button token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub token: String,
    pub request: RequestId,
    pub card: CardId,
    pub choice: ButtonChoice,
    /// Where its card was posted; absent until Slack's answer to the post is stored.
    pub shown_at: Option<ShownAt>,
}

impl Store {
    /// What a token stands for, and its request; nothing for a token that is not of this workspace.
    pub async fn pressed(
        &self,
        workspace: &WorkspaceId,
        token: &str,
    ) -> Result<Option<(Button, StoredRequest)>, StoreError> {
        let found = pressed(&mut self.snapshot_ahead().await?, workspace, token).await?;
        if found.is_some() || !self.may_be_behind() {
            return Ok(found);
        }
        let (workspace, token) = (workspace.clone(), token.to_owned());
        self.write(move |tx| {
            Box::pin(async move { pressed(&mut tx.conn, &workspace, &token).await })
        })
        .await
    }

    /// The approve button that belongs to the same card: for the dialog that shows everything.
    pub async fn approve_token(&self, card: &CardId) -> Result<Option<String>, StoreError> {
        let token = sqlx::query_scalar(
            "SELECT token FROM buttons WHERE card_id = $1 AND choice = 'approve'",
        )
        .bind(card.as_str())
        .fetch_optional(&mut self.reader().await?)
        .await?;
        Ok(token)
    }
}

async fn pressed(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    token: &str,
) -> Result<Option<(Button, StoredRequest)>, StoreError> {
    let Some(button) = button(conn, workspace, token).await? else { return Ok(None) };
    let stored = stored(conn, workspace, &button.request).await?;
    Ok(stored.map(|stored| (button, stored)))
}

pub(super) async fn button(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    token: &str,
) -> Result<Option<Button>, StoreError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        request_id: String,
        card_id: String,
        choice: String,
        channel: Option<String>,
        message_ts: Option<String>,
    }
    let row: Option<Row> = sqlx::query_as(
        "SELECT buttons.request_id, card_id, choice, channel, message_ts
         FROM buttons JOIN cards ON cards.id = card_id
         WHERE token = $2 AND buttons.workspace = $1",
    )
    .bind(workspace.as_str())
    .bind(token)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Button {
        token: token.to_owned(),
        request: RequestId::existing(row.request_id),
        card: CardId::existing(row.card_id),
        choice: choice_of(&row.choice)?,
        shown_at: shown_at(row.channel, row.message_ts),
    }))
}

pub(super) fn shown_at(channel: Option<String>, message_ts: Option<String>) -> Option<ShownAt> {
    channel.zip(message_ts).map(|(channel, message_ts)| ShownAt { channel, message_ts })
}

impl ButtonChoice {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::ShowAll => "show_all",
            Self::Withdraw => "withdraw",
        }
    }
}

pub(super) fn choice_of(text: &str) -> Result<ButtonChoice, StoreError> {
    use ButtonChoice::{Approve, Reject, ShowAll, Withdraw};
    [Approve, Reject, ShowAll, Withdraw]
        .into_iter()
        .find(|choice| choice.text() == text)
        .ok_or_else(|| StoreError::damaged("button", format!("`{text}` is no choice")))
}
