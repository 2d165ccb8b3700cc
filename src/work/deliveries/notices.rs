//! Notices: one-off messages, each sent once.

use serde_json::Value;

use super::{Claim, Deliveries, Sent, Try, place};
use crate::approval::Notice;
use crate::desk::execution_view;
use crate::slack::card::Rendered;
use crate::slack::client::{About, Place, Post};
use crate::slack::texts;
use crate::store::{ActionNotice, CardButtons, OwedNotice, ShownAt, StoreError, StoredRequest};

impl Deliveries {
    pub(super) async fn notice(&self, owed: OwedNotice, claim: Claim) -> Result<(), StoreError> {
        let store = &self.desk.store;
        let Some((at, rendered)) = self.what_and_where(&owed).await? else {
            return store
                .notice_dead(
                    &owed.id,
                    owed.epoch,
                    "there is nowhere to say it, nobody left to hear it, or its card says so",
                )
                .await;
        };
        if let Some(at) = self.shown_already(&owed).await? {
            return store.notice_sent(&owed.id, owed.epoch, at).await;
        }
        self.send(&owed, claim, at, rendered).await
    }

    /// Posts it, and writes down what became of it.
    pub(super) async fn send(
        &self,
        owed: &OwedNotice,
        claim: Claim,
        at: Place,
        rendered: Rendered,
    ) -> Result<(), StoreError> {
        let store = &self.desk.store;
        let post = Post {
            place: at,
            text: rendered.text,
            blocks: rendered.blocks,
            about: About::Notice(owed.id.clone()),
        };
        let (epoch, attempts) = (owed.epoch, owed.attempts);
        let this = Try { claim, epoch, unsure_since: owed.unsure_since, attempts };
        match self.post(&post, this).await? {
            Sent::At(posted) | Sent::Before(posted) => {
                let at = ShownAt { channel: posted.channel, message_ts: posted.ts };
                store.notice_sent(&owed.id, owed.epoch, at).await
            }
            Sent::Later(retry_at, error) => {
                store.notice_retry(&owed.id, owed.epoch, retry_at, &error.to_string()).await
            }
            Sent::Unsure(retry_at, error) => {
                store.notice_unsure(&owed.id, owed.epoch, retry_at, &error.to_string()).await
            }
            Sent::Never(error) => {
                tracing::error!(notice = %owed.id, kind = owed.kind, %error, "cannot be told");
                store.notice_dead(&owed.id, owed.epoch, &error.to_string()).await
            }
        }
    }

    async fn what_and_where(
        &self,
        owed: &OwedNotice,
    ) -> Result<Option<(Place, Rendered)>, StoreError> {
        let thread = owed.thread.as_ref().and_then(|thread| thread.slack.as_ref());
        let thread = thread.map(|slack| place(&slack.channel, Some(&slack.thread_ts)));
        let Some(request) = &owed.request else {
            return Ok(thread.zip(self.without_a_request(owed).await?));
        };
        let Some(stored) = self.desk.store.request(&owed.workspace, request).await? else {
            return Ok(None);
        };
        let Ok(notice) = serde_json::from_value::<Notice>(owed.body.clone()) else {
            return Ok(None);
        };
        let Some(text) = self.words(&stored, &notice).await else { return Ok(None) };
        let at = match notice {
            // A decision is not asked for when it has been made.
            Notice::Reminder { .. } if !stored.request.is_pending() => None,
            // A reminder stands under the card it reminds of; without one there is nobody to ask.
            Notice::Reminder { stage, .. } => {
                let card = self.desk.store.stage_card(request, stage).await?;
                card.map(|card| place(&card.channel, Some(&card.message_ts)))
            }
            Notice::Escalated { .. } | Notice::Decided | Notice::Undeliverable { .. } => thread,
        };
        Ok(at.map(|at| (at, texts::say(&text))))
    }

    /// What a run says, or what it is told of an action that has no card.
    async fn without_a_request(&self, owed: &OwedNotice) -> Result<Option<Rendered>, StoreError> {
        if let Some(text) = owed.body.get("text").and_then(Value::as_str) {
            return Ok(Some(texts::agent_reply(text)));
        }
        let Ok(notice) = serde_json::from_value::<ActionNotice>(owed.body.clone()) else {
            return Ok(None);
        };
        let (ActionNotice::Became { execution: about }
        | ActionNotice::NotAgain { unsettled: about }) = &notice;
        let Some(action) = self.desk.store.execution(&owed.workspace, about).await? else {
            return Ok(None);
        };
        let text = match notice {
            ActionNotice::Became { .. } => {
                texts::became(&action.tool, &execution_view(&action.execution))
            }
            ActionNotice::NotAgain { unsettled } => texts::not_again(&action.tool, &unsettled),
        };
        Ok(Some(texts::say(&text)))
    }

    /// Nothing where a card says it, or when what it would tell is no longer kept.
    async fn words(&self, stored: &StoredRequest, notice: &Notice) -> Option<String> {
        let none = CardButtons::default();
        self.desk
            .with_view(stored, &none, |view| match notice {
                Notice::Reminder { stage, left, .. } => Some(texts::reminder(view, *stage, *left)),
                Notice::Escalated { .. } => None,
                Notice::Decided => Some(texts::decided(view)),
                Notice::Undeliverable { stage } => Some(texts::undeliverable(view, *stage)),
            })
            .await
            .flatten()
    }
}
