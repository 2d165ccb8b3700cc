//! Cards: the current state, rendered and shown, until shown and wanted match.

use super::unseen::at_last;
use super::{Claim, Deliveries, Sent, Try, is_temporary, place, wait};
use crate::approval::Request;
use crate::base::failpoint::{self, Point};
use crate::slack::card::{self, Completeness, Rendered};
use crate::slack::client::{About, Post, SlackError, Update};
use crate::store::{CardContent, CardKind, OwedCard, Shown, ShownAt, StoreError};
use crate::work::Loop;

/// Slack's words for a message that is there and that nobody may change any more.
const CANNOT_CHANGE: [&str; 2] = ["cant_update_message", "edit_window_closed"];

impl Deliveries {
    pub(super) async fn card(&self, owed: OwedCard, claim: Claim) -> Result<(), StoreError> {
        let content = match self.desk.store.card_content(&owed).await {
            Ok(content) => content,
            Err(error @ (StoreError::Damaged { .. } | StoreError::NotFound(_))) => {
                tracing::error!(card = %owed.id, %error, "a card cannot be read and is given up");
                let why = error.to_string();
                return self.desk.store.card_dead(&owed.id, owed.epoch, &why).await;
            }
            Err(error) => return Err(error),
        };
        if nobody_needs_it(&owed, &content) {
            let why = "its request ended before anybody could be shown it";
            self.forget(&owed.id);
            return self.desk.store.card_dead(&owed.id, owed.epoch, why).await;
        }
        let Some(rendered) = self.render(&owed, &content).await else {
            let why = "what it shows is no longer kept";
            return self.desk.store.card_dead(&owed.id, owed.epoch, why).await;
        };
        match owed.shown_at.clone() {
            Some(at) => match self.update(&owed, at, rendered).await {
                Err(StoreError::Fenced) => {
                    tracing::warn!(card = %owed.id, "a card was changed after its lease was over");
                    self.desk.store.card_overwritten(&owed.id).await?;
                    self.desk.wake.these(&[Loop::Deliveries]);
                    Ok(())
                }
                // It could not be written down, so nobody knows whose the card was: as above.
                Err(error) => {
                    self.desk.store.card_overwritten(&owed.id).await?;
                    Err(error)
                }
                Ok(()) => Ok(()),
            },
            None => self.show(&owed, &content.stored.request, rendered, claim).await,
        }
    }

    async fn render(&self, owed: &OwedCard, content: &CardContent) -> Option<Rendered> {
        self.desk
            .with_view(&content.stored, &content.buttons, |view| match &owed.kind {
                CardKind::Stage { stage, .. } => card::stage_card(view, *stage),
                CardKind::Status { .. } => card::status_line(view, content.unseen.as_ref()),
            })
            .await
    }

    async fn show(
        &self,
        owed: &OwedCard,
        request: &Request,
        rendered: Rendered,
        claim: Claim,
    ) -> Result<(), StoreError> {
        let (store, clock) = (&self.desk.store, &self.desk.clock);
        let at = match &owed.kind {
            CardKind::Status { channel, thread_ts } => place(channel, Some(thread_ts)),
            CardKind::Stage { place: named, .. } => match self.channel(&named.0).await {
                Ok(channel) => place(&channel, None),
                Err(error) if is_temporary(&error) => {
                    let retry_at = wait(&error, clock.now(), owed.attempts);
                    let why = error.to_string();
                    // An earlier post may have got through; that is not forgotten over this.
                    match owed.unsure_since {
                        Some(_) => store.card_unsure(&owed.id, owed.epoch, retry_at, &why).await?,
                        None => store.card_retry(&owed.id, owed.epoch, retry_at, &why).await?,
                    }
                    return self.not_shown(owed).await;
                }
                Err(error) => return self.give_up(owed, &error).await,
            },
        };
        let post = Post {
            place: at,
            text: rendered.text.clone(),
            blocks: rendered.blocks.clone(),
            about: About::Card(owed.id.clone()),
        };
        let (epoch, attempts) = (owed.epoch, owed.attempts);
        let this = Try { claim, epoch, unsure_since: owed.unsure_since, attempts };
        match self.post(&post, this).await? {
            Sent::At(posted) => {
                let at = ShownAt { channel: posted.channel, message_ts: posted.ts };
                self.shown(owed, at, rendered).await?;
                self.shown_at_last(owed, request);
                Ok(())
            }
            Sent::Before(posted) => {
                let at = ShownAt { channel: posted.channel, message_ts: posted.ts };
                store.card_found(&owed.id, owed.epoch, at, at_last(owed)).await?;
                self.shown_at_last(owed, request);
                self.desk.wake.these(&[Loop::Deliveries]);
                Ok(())
            }
            Sent::Later(retry_at, error) => {
                store.card_retry(&owed.id, owed.epoch, retry_at, &error.to_string()).await?;
                self.not_shown(owed).await
            }
            Sent::Unsure(retry_at, error) => {
                store.card_unsure(&owed.id, owed.epoch, retry_at, &error.to_string()).await?;
                self.not_shown(owed).await
            }
            Sent::Never(error) => self.give_up(owed, &error).await,
        }
    }

    async fn update(
        &self,
        owed: &OwedCard,
        at: ShownAt,
        rendered: Rendered,
    ) -> Result<(), StoreError> {
        let (store, clock) = (&self.desk.store, &self.desk.clock);
        if owed.shown_hash.as_deref() == Some(&rendered.hash) {
            return self.shown(owed, at, rendered).await;
        }
        let update = Update {
            channel: at.channel.clone(),
            ts: at.message_ts.clone(),
            text: rendered.text.clone(),
            blocks: rendered.blocks.clone(),
        };
        match self.desk.slack.update_message(&update).await {
            Ok(()) => {
                failpoint::reach(Point::UpdateAnswered);
                self.shown(owed, at, rendered).await
            }
            // Somebody deleted it, or retention did: the request lives on, so it is shown again.
            Err(SlackError::PlaceWrong { code }) if code == "message_not_found" => {
                tracing::warn!(card = %owed.id, "Slack lost a card; posting it again");
                store.card_lost(&owed.id, owed.epoch).await?;
                self.desk.wake.these(&[Loop::Deliveries]);
                Ok(())
            }
            // It is there and stays as it is: another message says what is true by now.
            Err(SlackError::PlaceWrong { code }) if CANNOT_CHANGE.contains(&code.as_str()) => {
                tracing::warn!(card = %owed.id, code, "Slack lets no card be changed; posting another");
                store.card_left_behind(&owed.id, owed.epoch).await?;
                self.desk.wake.these(&[Loop::Deliveries]);
                Ok(())
            }
            // An update may be repeated whatever became of it.
            Err(error) if is_temporary(&error) => {
                let retry_at = wait(&error, clock.now(), owed.attempts);
                store.card_retry(&owed.id, owed.epoch, retry_at, &error.to_string()).await
            }
            Err(error) => self.give_up(owed, &error).await,
        }
    }

    /// People see it. What changed meanwhile is shown next.
    async fn shown(
        &self,
        owed: &OwedCard,
        at: ShownAt,
        rendered: Rendered,
    ) -> Result<(), StoreError> {
        let shown = shown(owed, at, rendered);
        let wanted = self.desk.store.card_shown(&owed.id, owed.epoch, shown).await?;
        if wanted > owed.version || at_last(owed).is_some() {
            self.desk.wake.these(&[Loop::Deliveries]);
        }
        Ok(())
    }

    async fn give_up(&self, owed: &OwedCard, error: &SlackError) -> Result<(), StoreError> {
        tracing::error!(card = %owed.id, request = %owed.request, %error,
            "a card cannot be shown; `countersign doctor` says how to mend it");
        self.desk.store.card_dead(&owed.id, owed.epoch, &error.to_string()).await?;
        self.forget(&owed.id);
        self.desk.wake.these(&[Loop::Runs, Loop::Deliveries]);
        Ok(())
    }
}

/// Approvers who were never asked are not told of a decision that was made without them.
fn nobody_needs_it(owed: &OwedCard, content: &CardContent) -> bool {
    let for_approvers = matches!(owed.kind, CardKind::Stage { .. });
    for_approvers && owed.was_never_shown() && !content.stored.request.is_pending()
}

fn shown(owed: &OwedCard, at: ShownAt, rendered: Rendered) -> Shown {
    Shown {
        version: owed.version,
        at,
        complete: rendered.complete != Completeness::TooBig,
        hash: rendered.hash,
        at_last: at_last(owed),
    }
}
