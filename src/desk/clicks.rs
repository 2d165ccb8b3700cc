//! Somebody presses a button or sends a dialog.
//!
//! A click proves who pressed and nothing else. Which request and which choice it means is looked
//! up by the button's opaque token; whether the person may decide is asked of the directory now;
//! whether it counts is decided by the pure core, inside the one transaction that records it.

use serde_json::{Value, json};

use super::{Desk, DeskError};
use crate::approval::{
    self, Choice, Membership, PersonFacts, ReasonRule, Refusal, SlackUser, Standing,
};
use crate::base::Timestamp;
use crate::base::failpoint::{self, Point};
use crate::slack::card::{self, CardView, Completeness};
use crate::slack::client::{Ephemeral, Place};
use crate::slack::inbound::{ButtonClick, ClickedIn, ViewSubmission};
use crate::slack::{modal, texts};
use crate::store::{Button, ButtonChoice, CardButtons, Click, ShownAt, StoredRequest, Verdict};
use crate::work::Loop;

/// What a verified press or submission comes to, before anybody knows whether it counts.
struct Vote<'a> {
    key: String,
    token: &'a str,
    shown_at: Option<ShownAt>,
    choice: Choice,
    user: &'a SlackUser,
    reason: Option<String>,
    received_at: Timestamp,
    evidence: Value,
}

impl Desk {
    /// A button was pressed. Answered only after what it changed is committed.
    pub async fn click(&self, click: ButtonClick) -> Result<(), DeskError> {
        let Some(token) = click.token.as_deref() else {
            return Ok(());
        };
        let Some((button, stored)) = self.store.pressed(&self.workspace, token).await? else {
            return self.tell(&click, &texts::unknown_button()).await;
        };
        if is_a_copy(&button, &click) {
            tracing::warn!(card = %button.card, "a button was pressed on a copy of its card");
            return self.tell(&click, &texts::unknown_button()).await;
        }
        let pending = stored.request.is_pending();
        match button.choice {
            ButtonChoice::ShowAll if stored.kept.whole().is_none() => {
                self.tell(&click, &texts::no_longer_kept(&stored.request)).await
            }
            ButtonChoice::ShowAll => {
                let approve = self.store.approve_token(&button.card).await?.filter(|_| pending);
                let approve = approve.as_deref();
                let none = CardButtons::default();
                let dialog =
                    self.with_view(&stored, &none, |view| modal::show_all(view, approve)).await;
                self.open_dialog(&click, dialog).await
            }
            ButtonChoice::Reject if pending && self.may_decide(&stored, &click.user).await => {
                let none = CardButtons::default();
                let dialog =
                    self.with_view(&stored, &none, |view| modal::reject(view, token)).await;
                self.open_dialog(&click, dialog).await
            }
            ButtonChoice::Approve
                if pending
                    && stored.request.terms.reason == ReasonRule::Required
                    && self.may_decide(&stored, &click.user).await =>
            {
                let none = CardButtons::default();
                let dialog =
                    self.with_view(&stored, &none, |view| modal::approve(view, token)).await;
                self.open_dialog(&click, dialog).await
            }
            ButtonChoice::Approve if pending && !self.shows_everything(&stored).await => {
                self.tell(&click, &texts::incomplete()).await
            }
            ButtonChoice::Approve => self.press(&click, &button, &stored, Choice::Approve).await,
            // Whoever comes late or may not decide needs no dialog to be told the truth.
            ButtonChoice::Reject => self.press(&click, &button, &stored, Choice::Reject).await,
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
        let meant = self.store.pressed(&self.workspace, &sent.private_metadata).await?.filter(
            |(button, _)| match button.choice {
                ButtonChoice::Approve => choice == Choice::Approve,
                ButtonChoice::Reject => choice == Choice::Reject,
                ButtonChoice::ShowAll | ButtonChoice::Withdraw => false,
            },
        );
        let Some((button, stored)) = meant else {
            return Ok(Some(replace(&texts::unknown_button())));
        };
        if choice == Choice::Approve && self.is_too_big(&stored).await {
            return Ok(Some(replace(&texts::incomplete())));
        }
        let reason = sent.text(modal::REASON_BLOCK, modal::REASON_INPUT).map(str::to_owned);
        let evidence = json!({
            "dialog": sent.view_id, "signed_at": sent.signed_at, "card": button.card,
            "message": button.shown_at.as_ref().map(|at| [&at.channel, &at.message_ts]),
        });
        let vote = Vote {
            key: sent.key(),
            token: &sent.private_metadata,
            shown_at: None,
            choice,
            user: &sent.user,
            reason,
            received_at: sent.received_at,
            evidence,
        };
        let verdict = self.vote(&stored, vote).await?;
        let now = self.store.now();
        Ok(match verdict.result {
            Ok(_) => None,
            Err(Refusal::ReasonMissing) => Some(json!({
                "response_action": "errors",
                "errors": { modal::REASON_BLOCK: texts::refusal(&Refusal::ReasonMissing, now) },
            })),
            Err(refusal) => Some(replace(&texts::refusal(&refusal, now))),
        })
    }

    /// Could the approver see every byte of the action on the card itself? Where they could not,
    /// there was no approve button, and only the dialog that shows everything can approve.
    async fn shows_everything(&self, stored: &StoredRequest) -> bool {
        let none = CardButtons::default();
        let complete = |view: &CardView<'_>| card::stage_card(view, stored.request.stage).complete;
        self.with_view(stored, &none, complete).await == Some(Completeness::Whole)
    }

    /// Is there more to it than even the dialog can show?
    async fn is_too_big(&self, stored: &StoredRequest) -> bool {
        let none = CardButtons::default();
        self.with_view(stored, &none, modal::reach).await == Some(Completeness::TooBig)
    }

    /// Would their word count, as far as anybody can say before they give it?
    async fn may_decide(&self, stored: &StoredRequest, user: &SlackUser) -> bool {
        let (person, membership) = self.place_on_path(stored, user).await;
        approval::authorize(&stored.request, person, &membership).is_ok()
    }

    async fn press(
        &self,
        click: &ButtonClick,
        button: &Button,
        stored: &StoredRequest,
        choice: Choice,
    ) -> Result<(), DeskError> {
        let vote = Vote {
            key: click.key(),
            token: &button.token,
            shown_at: pressed_at(click),
            choice,
            user: &click.user,
            reason: None,
            received_at: click.received_at,
            evidence: evidence(click, button),
        };
        let verdict = self.vote(stored, vote).await?;
        self.tell_if_refused(click, &verdict).await
    }

    async fn vote(&self, stored: &StoredRequest, vote: Vote<'_>) -> Result<Verdict, DeskError> {
        let (person, membership) = self.place_on_path(stored, vote.user).await;
        let verdict = self
            .store
            .decide(Click {
                workspace: self.workspace.clone(),
                intake_key: vote.key,
                token: vote.token.to_owned(),
                shown_at: vote.shown_at,
                choice: vote.choice,
                person,
                membership,
                reason: vote.reason,
                received_at: vote.received_at,
                evidence: vote.evidence,
            })
            .await?;
        failpoint::reach(Point::ClickCommitted);
        self.wake.these(&[Loop::Executions, Loop::Runs, Loop::Deliveries, Loop::Streams]);
        Ok(verdict)
    }

    async fn withdraw(&self, click: &ButtonClick, button: &Button) -> Result<(), DeskError> {
        let person = self.directory.person(&click.user).await;
        let evidence = evidence(click, button);
        let verdict = self
            .store
            .withdraw(&self.workspace, &button.request, &click.key(), person, evidence)
            .await?;
        self.wake.these(&[Loop::Runs, Loop::Deliveries, Loop::Streams]);
        self.tell_if_refused(click, &verdict).await
    }

    /// Who this is, and which stages' groups they belong to, as the directory says now. A lookup
    /// that failed is told as such, and denies.
    async fn place_on_path(
        &self,
        stored: &StoredRequest,
        user: &SlackUser,
    ) -> (PersonFacts, Membership) {
        let mut person = self.directory.person(user).await;
        let mut member = Vec::new();
        for stage in &stored.request.terms.path {
            let belongs = self.directory.member_of(&person, &stage.approvers.0).await;
            member.push(matches!(belongs, Ok(true)));
            if let Err(error) = belongs {
                tracing::error!(%error, "could not look up who may decide; so nobody may");
                person.standing = Standing::Unreachable;
            }
        }
        (person, Membership(member))
    }

    async fn open_dialog(
        &self,
        click: &ButtonClick,
        dialog: Option<Value>,
    ) -> Result<(), DeskError> {
        let Some(dialog) = dialog else { return Ok(()) };
        let Err(error) = self.slack.open_view(&click.trigger_id, dialog).await else {
            return Ok(());
        };
        tracing::warn!(%error, "could not open a dialog");
        self.tell(click, &texts::too_slow()).await
    }

    async fn tell_if_refused(
        &self,
        click: &ButtonClick,
        verdict: &Verdict,
    ) -> Result<(), DeskError> {
        match &verdict.result {
            Err(refusal) if !verdict.repeated => {
                self.tell(click, &texts::refusal(refusal, self.store.now())).await
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Tells the person who clicked, and nobody else. What they did is committed already, so a note
    /// that Slack does not take is only logged.
    async fn tell(&self, click: &ButtonClick, text: &str) -> Result<(), DeskError> {
        let rendered = texts::say(text);
        if let Some(url) = &click.response_url {
            let body = json!({
                "response_type": "ephemeral", "replace_original": false,
                "text": rendered.text, "blocks": rendered.blocks,
            });
            match self.slack.respond(url, body).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!(%error, "the response URL is gone"),
            }
        }
        let ClickedIn::Message { channel, thread_ts, .. } = &click.place else {
            return Ok(());
        };
        let place = Place { channel: channel.clone(), thread_ts: thread_ts.clone() };
        let user = click.user.user.clone();
        let note = Ephemeral { place, user, text: rendered.text, blocks: rendered.blocks };
        if let Err(error) = self.slack.post_ephemeral(&note).await {
            tracing::warn!(%error, "could not tell somebody why their click changed nothing");
        }
        Ok(())
    }
}

/// A token works on the card it was made for. Before the answer to our post is stored we do not
/// know where that is, and the click itself tells.
fn is_a_copy(button: &Button, click: &ButtonClick) -> bool {
    match (&button.shown_at, pressed_at(click)) {
        (Some(made_for), Some(pressed_at)) => *made_for != pressed_at,
        (None, _) | (_, None) => false,
    }
}

fn pressed_at(click: &ButtonClick) -> Option<ShownAt> {
    match &click.place {
        ClickedIn::Message { channel, ts, .. } => {
            Some(ShownAt { channel: channel.clone(), message_ts: ts.clone() })
        }
        ClickedIn::View { .. } => None,
    }
}

fn evidence(click: &ButtonClick, button: &Button) -> Value {
    json!({
        "pressed_at": click.action_ts, "signed_at": click.signed_at, "card": button.card,
        "message": pressed_at(click).map(|at| [at.channel, at.message_ts]),
    })
}

fn replace(text: &str) -> Value {
    json!({ "response_action": "update", "view": modal::told(text) })
}
