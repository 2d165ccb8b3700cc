//! Cards: which version of a request is shown where, until shown and wanted match.

use serde_json::Value;

use super::{ShownAt, Store, StoreError, StoredRequest};
use crate::approval::Place;
use crate::base::{CardId, Span, Timestamp, WorkspaceId};

/// Where a card belongs, and for whom it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardKind {
    /// For the approvers of a stage, in their channel.
    Stage { stage: usize, place: Place },
    /// The live line for the requester, in their thread.
    Status { channel: String, thread_ts: String },
}

/// The tokens behind a card's buttons. Which of them are drawn is the renderer's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardButtons {
    pub approve: Option<String>,
    pub reject: Option<String>,
    pub show_all: Option<String>,
    pub withdraw: Option<String>,
}

/// A card that does not show yet what it should, held until the lease ends.
#[derive(Clone, Debug)]
pub struct OwedCard {
    pub id: CardId,
    pub workspace: WorkspaceId,
    pub kind: CardKind,
    pub buttons: CardButtons,
    /// The message to update; absent until it was posted.
    pub shown_at: Option<ShownAt>,
    /// When the last post was begun, if nobody knows how it ended: look for it in the channel
    /// before posting again.
    pub unsure_since: Option<Timestamp>,
    /// Of what is shown now, in hex.
    pub shown_hash: Option<String>,
    /// The version of the request that `stored` is.
    pub version: u64,
    pub stored: StoredRequest,
    pub epoch: u64,
    /// How often it was tried in vain.
    pub attempts: u64,
}

/// What people see now.
#[derive(Clone, Debug)]
pub struct Shown {
    /// As it was in [`OwedCard::version`].
    pub version: u64,
    pub at: ShownAt,
    /// Exactly what was sent.
    pub blocks: Value,
    pub hash: String,
    /// Every byte of the action can be seen, on the card or behind *Show all*.
    pub complete: bool,
}

impl Store {
    /// Takes at most `limit` cards that must be posted or updated.
    pub async fn claim_cards(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
    ) -> Result<Vec<OwedCard>, StoreError> {
        todo!("{owner} {lease} {limit}")
    }

    /// A post is about to be sent. Until [`Store::card_shown`] nobody knows whether it was.
    pub async fn card_begins(&self, card: &CardId, epoch: u64) -> Result<(), StoreError> {
        todo!("{card} {epoch}")
    }

    /// Slack shows it.
    pub async fn card_shown(
        &self,
        card: &CardId,
        epoch: u64,
        shown: Shown,
    ) -> Result<(), StoreError> {
        todo!("{card} {epoch} {shown:?}")
    }

    /// Nobody knows whether the post got through; it is looked up from `retry_at`.
    pub async fn card_unsure(
        &self,
        card: &CardId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        todo!("{card} {epoch} {retry_at} {error}")
    }

    /// It certainly did not get through; it is tried again from `retry_at`.
    pub async fn card_retry(
        &self,
        card: &CardId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        todo!("{card} {epoch} {retry_at} {error}")
    }

    /// Slack no longer has the message, or an unsure post was not found: it is posted anew.
    pub async fn card_lost(&self, card: &CardId, epoch: u64) -> Result<(), StoreError> {
        todo!("{card} {epoch}")
    }

    /// It can never be shown there. When nobody has seen a stage's card, the next stage is asked.
    pub async fn card_dead(
        &self,
        card: &CardId,
        epoch: u64,
        error: &str,
    ) -> Result<(), StoreError> {
        todo!("{card} {epoch} {error}")
    }
}
