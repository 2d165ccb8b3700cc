//! Which calls something owed will take, as far as can be told when it is claimed.
//!
//! What cannot be told takes its slots when the call is made, in a transaction of its own: a post
//! that is looked for first, a reminder under a card, a channel whose id is not known yet.

use std::sync::Arc;

use super::{Deliveries, written};
use crate::base::Slot;
use crate::desk::Desk;
use crate::slack::client::Method;
use crate::slack::pacing;
use crate::store::{CardKind, Owed, OwedCard, OwedNotice, OwedPace};

impl Deliveries {
    pub(super) fn pace(&self) -> OwedPace {
        let desk = self.desk.clone();
        let workspace = desk.workspace.clone();
        match desk.slots {
            Some(_) => {
                let (of_card, of_owed) = (desk.clone(), desk);
                OwedPace {
                    workspace,
                    card: Arc::new(move |place| of_card_in(&of_card, place)),
                    needs: Arc::new(move |owed| needs(&of_owed, owed)),
                }
            }
            None => OwedPace::any(workspace),
        }
    }
}

fn needs(desk: &Desk, owed: &Owed) -> Vec<Slot> {
    match owed {
        Owed::Card(card) => of_card(desk, card),
        Owed::Notice(notice) => of_notice(notice),
        Owed::PutOff => Vec::new(),
    }
}

fn of_card_in(desk: &Desk, place: Option<&str>) -> Vec<Slot> {
    match place {
        None => pacing::slots(Method::ChatUpdate, None),
        Some(place) => {
            let channel = desk.channels.known_id(written(desk, place));
            pacing::slots(Method::ChatPostMessage, channel.as_deref())
        }
    }
}

fn of_card(desk: &Desk, card: &OwedCard) -> Vec<Slot> {
    if card.shown_at.is_some() {
        return pacing::slots(Method::ChatUpdate, None);
    }
    if card.unsure_since.is_some() {
        return Vec::new();
    }
    let channel = match &card.kind {
        CardKind::Status { channel, .. } => Some(channel.clone()),
        // Nobody has to be asked any more, and whoever is behind it in the line moves up.
        CardKind::Stage { .. } if !card.pending && card.was_never_shown() => return Vec::new(),
        CardKind::Stage { place, .. } => desk.channels.known_id(written(desk, &place.0)),
    };
    pacing::slots(Method::ChatPostMessage, channel.as_deref())
}

fn of_notice(notice: &OwedNotice) -> Vec<Slot> {
    let thread = notice.thread.as_ref().and_then(|thread| thread.slack.as_ref());
    match thread.filter(|_| notice.unsure_since.is_none() && notice.kind != "reminder") {
        Some(slack) => pacing::slots(Method::ChatPostMessage, Some(&slack.channel)),
        None => Vec::new(),
    }
}
