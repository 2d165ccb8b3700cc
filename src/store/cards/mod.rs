//! Cards: which version of a request is shown where, until shown and wanted match.

mod claim;
mod content;
mod owe;
mod settle;

pub use claim::OwedCard;
pub(super) use claim::{Room, claim, places_to_post};
pub use content::CardContent;
pub(super) use owe::{Viewer, owe, owe_status, refresh};
pub use settle::Shown;

use crate::approval::Place;

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
