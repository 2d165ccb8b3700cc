//! Somebody presses a button or sends a dialog.
//!
//! A click proves who pressed and nothing else. Which request and which choice it means is looked
//! up by the button's opaque token; whether the person may decide is asked of the directory now;
//! whether it counts is decided by the pure core inside the one transaction that records it.

use serde_json::{Value, json};

use super::{Desk, DeskError};
use crate::approval::{Choice, Membership, PersonFacts, ReasonRule, Refusal, SlackUser, Standing};
use crate::slack::card::{self, Completeness};
use crate::slack::inbound::{ButtonClick, ClickedIn, ViewSubmission};
use crate::slack::{modal, texts};
use crate::store::{Button, ButtonChoice, Click, ShownAt, StoredRequest, Verdict};

impl Desk {
    /// A button was pressed. Answered only after what it changed is committed.
    pub async fn click(&self, click: ButtonClick) -> Result<(), DeskError> {
        let Some(token) = click.token.as_deref() else { return Ok(()) };
        let Some((button, stored)) = self.button(token).await? else {
            return self.whisper_at(&click, &texts::unknown_button()).await;
        };
        if !stands_where_it_was_made(&button, &click) {
            tracing::warn!(card = %button.card, "a button was pressed on a copy of its card");
            return self.whisper_at(&click, &texts::unknown_button()).await;
        }
        match button.choice {
            ButtonChoice::ShowAll => self.open_show_all(&click, &stored).await,
            ButtonChoice::Reject if stored.request.is_pending() => {
                let dialog = self.with_view(&stored, |view| modal::reject(view, token)).await?;
                self.open(&click, dialog).await
            }
            ButtonChoice::Approve if self.needs_a_dialog(&stored) => {
                let dialog = self.with_view(&stored, |view| modal::approve(view, token)).await?;
                self.open(&click, dialog).await
            }
            ButtonChoice::Approve => self.vote(&click, &button, &stored, Choice::Approve).await,
            ButtonChoice::Reject => self.vote(&click, &button, &stored, Choice::Reject).await,
            ButtonChoice::Withdraw => self.withdraw(&click, &button).await,
        }
    }

    /// A dialog was sent. What comes back replaces the dialog, or closes it.
    pub async fn submission(&self, sent: ViewSubmission) -> Result<Option<Value>, DeskError> {
        let choice = match sent.callback_id.as_str() {
            modal::APPROVE | modal::SHOW_ALL => Choice::Approve,
            modal::REJECT => Choice::Reject,
            _ => return Ok(None),
        };
        let Some((button, stored)) = self.button(&sent.private_metadata).await? else {
            return Ok(Some(replace(&texts::unknown_button())));
        };
        let meant = match button.choice {
            ButtonChoice::Approve => Choice::Approve,
            ButtonChoice::Reject => Choice::Reject,
            ButtonChoice::ShowAll | ButtonChoice::Withdraw => return Ok(None),
        };
        if meant != choice {
            return Ok(Some(replace(&texts::unknown_button())));
        }
        let reason = sent.text(modal::REASON_BLOCK, modal::REASON_INPUT).map(str::to_owned);
        let person = self.directory.person(&sent.user).await;
        let (person, membership) = self.membership(&stored, person).await;
        let verdict = self
            .store
            .decide(Click {
                workspace: self.workspace.clone(),
                intake_key: sent.key(),
                button: button.clone(),
                shown_at: None,
                choice,
                person,
                membership,
                reason,
                received_at: sent.received_at,
                evidence: json!({
                    "dialog": sent.view_id, "signed_at": sent.signed_at, "user": sent.user,
                    "card": button.card, "channel": button.channel, "message": button.message_ts,
                }),
            })
            .await?;
        self.wake.everybody();
        Ok(self.answer_to_dialog(&verdict))
    }

    /// The button and the request that a token stands for; nothing for a token not of ours.
    async fn button(&self, token: &str) -> Result<Option<(Button, StoredRequest)>, DeskError> {
        let Some(button) = self.store.button(&self.workspace, token).await? else {
            return Ok(None);
        };
        let stored = self.store.request(&self.workspace, &button.request).await?;
        Ok(stored.map(|stored| (button, stored)))
    }

    /// A reason can only be typed into a dialog.
    fn needs_a_dialog(&self, stored: &StoredRequest) -> bool {
        stored.request.is_pending() && stored.request.terms.reason == ReasonRule::Required
    }

    async fn vote(
        &self,
        click: &ButtonClick,
        button: &Button,
        stored: &StoredRequest,
        choice: Choice,
    ) -> Result<(), DeskError> {
        let person = self.directory.person(&click.user).await;
        let (person, membership) = self.membership(stored, person).await;
        let verdict = self
            .store
            .decide(Click {
                workspace: self.workspace.clone(),
                intake_key: click.key(),
                button: button.clone(),
                shown_at: shown_at(click),
                choice,
                person,
                membership,
                reason: None,
                received_at: click.received_at,
                evidence: evidence(click, button),
            })
            .await?;
        self.wake.everybody();
        match &verdict.result {
            Ok(_) => Ok(()),
            Err(refusal) if verdict.repeated => {
                tracing::debug!(%refusal, "a repeated delivery of a refused click");
                Ok(())
            }
            Err(refusal) => {
                let text = texts::refusal(refusal, self.clock.now());
                self.whisper_at(click, &text).await
            }
        }
    }

    async fn withdraw(&self, click: &ButtonClick, button: &Button) -> Result<(), DeskError> {
        let person = self.directory.person(&click.user).await;
        let verdict = self
            .store
            .withdraw(&self.workspace, &button.request, &click.key(), person, evidence(click, button))
            .await?;
        self.wake.everybody();
        match &verdict.result {
            Ok(_) => Ok(()),
            Err(refusal) => {
                let text = texts::refusal(refusal, self.clock.now());
                self.whisper_at(click, &text).await
            }
        }
    }

    /// What the directory says about this person's place on the request's path. A lookup that
    /// failed is told as such, and denies.
    async fn membership(
        &self,
        stored: &StoredRequest,
        mut person: PersonFacts,
    ) -> (PersonFacts, Membership) {
        let mut member = Vec::new();
        for stage in &stored.request.terms.path {
            match self.directory.member_of(&person, &stage.approvers.0).await {
                Ok(is_member) => member.push(is_member),
                Err(error) => {
                    tracing::error!(%error, "could not look up who may decide; so nobody may");
                    person.standing = Standing::Unreachable;
                    member.push(false);
                }
            }
        }
        (person, Membership(member))
    }

    async fn open_show_all(
        &self,
        click: &ButtonClick,
        stored: &StoredRequest,
    ) -> Result<(), DeskError> {
        let approve = self.store.approve_token(&stored.request.id, click_card(click)).await?;
        let pending = stored.request.is_pending();
        let approve = approve.filter(|_| pending);
        let dialog =
            self.with_view(stored, |view| modal::show_all(view, approve.as_deref())).await?;
        self.open(click, dialog).await
    }

    async fn open(&self, click: &ButtonClick, dialog: Value) -> Result<(), DeskError> {
        let Err(error) = self.slack.open_view(&click.trigger_id, dialog).await else {
            return Ok(());
        };
        tracing::warn!(%error, "could not open a dialog");
        self.whisper_at(click, &texts::too_slow()).await
    }
}

fn stands_where_it_was_made(_button: &Button, _click: &ButtonClick) -> bool {
    true
}
