//! What can happen to a request, what follows, and why something did not count.

use serde::{Deserialize, Serialize};

use super::{Authority, Choice, Decision, PersonFacts, Place};
use crate::base::{RequestId, Span, Timestamp};

/// Why a timer was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum TimerKind {
    /// The `nth` reminder of a stage, from zero.
    Remind { stage: usize, nth: usize },
    /// The stage's time is over: escalate, or expire after the last one.
    StageEnds { stage: usize },
}

/// Something that happens to a request.
#[derive(Clone, Debug)]
pub enum Event {
    /// Somebody with the authority to decide pressed a button. `received_at` is when the signed
    /// click reached us: it counts only when that was before the deadline.
    Vote {
        authority: Authority,
        choice: Choice,
        reason: Option<String>,
        received_at: Timestamp,
    },
    TimerDue(TimerKind),
    /// The requester withdrew it.
    Withdraw {
        by: PersonFacts,
    },
    /// The operator ended it on the command line.
    Cancel {
        operator: String,
        reason: String,
    },
    /// The operator put the desk back to a backup whose log ends at `to`, in which it was pending.
    Restore {
        operator: String,
        to: Timestamp,
        reason: String,
    },
    /// A changed action took its place.
    Supersede {
        by: RequestId,
    },
    /// The card of this stage can never be shown in its place: ask the next stage early, so that
    /// no request is without an owner. Its deadline stays where it was.
    Undeliverable {
        stage: usize,
    },
}

/// A one-off message that somebody is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub enum Notice {
    /// Under the stage's card, naming nobody.
    Reminder { stage: usize, nth: usize, left: Span },
    /// To a stage that was just asked because nobody decided before. Its card says so as well, so this
    /// is told only when many come at once.
    Escalated { stage: usize },
    /// To the requester's thread: how it ended. Updates of a card notify nobody, so this posts.
    Decided,
    /// To the requester's thread: the request could not be shown to this stage's approvers.
    Undeliverable { stage: usize },
}

/// What must become true together with the new state, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    SetTimer {
        kind: TimerKind,
        due: Timestamp,
    },
    /// Every timer of the request that has not fired is void.
    ClearTimers,
    /// A card is owed in the place of this stage.
    ShowCard {
        stage: usize,
        place: Place,
    },
    /// A live line is owed in the requester's thread: who has it, since when, what comes next.
    ShowStatus,
    /// Every card of the request must show the new state.
    RefreshCards,
    Notify(Notice),
    /// Approved: the action may run once, if it starts before `start_by`.
    OrderExecution {
        start_by: Timestamp,
    },
    /// Ended without approval: the waiting run gets the refusal as the tool's result.
    AnswerRun(Decision),
}

/// Why an event changed nothing. Each has its own words for the person concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "refusal")]
pub enum Refusal {
    #[error("the request has already ended as {:?}", .decision.outcome)]
    AlreadyDecided { decision: Box<Decision> },
    #[error("the click came after the deadline {decide_by}")]
    TooLate { decide_by: Timestamp },
    #[error("not in an approver group of a reached stage")]
    NotAnApprover,
    #[error("the requester may not decide on their own request")]
    OwnRequest,
    #[error("already voted")]
    AlreadyVoted { choice: Choice },
    #[error("a reason is required")]
    ReasonMissing,
    #[error("a guest may not decide")]
    Guest,
    #[error("the account is deactivated")]
    Deactivated,
    #[error("a bot may not decide")]
    Bot,
    #[error("somebody from another company may not decide")]
    Outsider,
    #[error("Slack does not know this person")]
    UnknownPerson,
    #[error("the directory could not be asked")]
    DirectoryUnreachable,
    #[error("only the requester may withdraw a request")]
    NotYourRequest,
    #[error("the authority was granted for another request or an older state of it")]
    StaleAuthority,
    #[error("the timer is not due, or belongs to a stage that has passed")]
    StaleTimer,
}
