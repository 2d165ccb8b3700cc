//! What a card is made of.

use super::{CardButtons, CardKind, OwedCard};
use crate::approval::Unseen;
use crate::store::buttons::choice_of;
use crate::store::requests::stored;
use crate::store::{ButtonChoice, Conn, Store, StoreError, StoredRequest};

/// The request that a card shows, and the tokens behind its buttons.
#[derive(Clone, Debug)]
pub struct CardContent {
    pub stored: StoredRequest,
    pub buttons: CardButtons,
    /// For the line in the requester's thread: that its approvers do not see it.
    pub unseen: Option<Unseen>,
}

impl Store {
    /// Reads what a card must show by now.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::NotFound`] when it can never be shown.
    pub async fn card_content(&self, card: &OwedCard) -> Result<CardContent, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let stored = stored(&mut snapshot, &card.workspace, &card.request).await?;
        let unseen = match &card.kind {
            CardKind::Status { .. } if card.pending => {
                self.unseen_in(&mut snapshot, &card.workspace, &card.request).await?
            }
            CardKind::Status { .. } | CardKind::Stage { .. } => None,
        };
        Ok(CardContent {
            stored: stored.ok_or(StoreError::NotFound("request"))?,
            buttons: tokens(&mut snapshot, card.id.as_str()).await?,
            unseen,
        })
    }
}

async fn tokens(conn: &mut Conn, card: &str) -> Result<CardButtons, StoreError> {
    let tokens: Vec<(String, String)> =
        sqlx::query_as("SELECT choice, token FROM buttons WHERE card_id = $1")
            .bind(card)
            .fetch_all(conn)
            .await?;
    let mut buttons = CardButtons::default();
    for (choice, token) in tokens {
        let button = match choice_of(&choice)? {
            ButtonChoice::Approve => &mut buttons.approve,
            ButtonChoice::Reject => &mut buttons.reject,
            ButtonChoice::ShowAll => &mut buttons.show_all,
            ButtonChoice::Withdraw => &mut buttons.withdraw,
        };
        *button = Some(token);
    }
    Ok(buttons)
}
