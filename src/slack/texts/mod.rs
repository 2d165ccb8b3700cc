//! Every sentence people read in Slack, one named function each.
//!
//! Sentences are plain text, in which nothing is markup; [`say`] makes a message of one. Only the
//! `*_fallback` functions, which Slack parses, give escaped mrkdwn. What comes from outside goes
//! through [`escape`] on its way into a sentence, and none of it comes from a model.

mod card;
mod commands;
mod dialogs;
mod digest;
mod errors;
mod home;
mod message;
mod notices;
mod outcome;
mod refusals;
mod status;
mod stopped;
mod stream;
mod unseen;
mod when;

pub use card::{
    Escalation, behind_show_all, card_fallback, claim_label, condition_failed, escalated_from,
    headline, must_start_within, not_shown, not_the_requester, reason_needed, retry_class,
    separation_waived, then_escalates, then_expires, too_big, tool_name, who_may_decide,
};
pub use commands::{ListedRequest, StatusFacts, help, list, status, unknown_command};
pub use dialogs::{
    about_to_approve, about_to_reject, confirm, confirm_title, confirm_withdraw,
    reason_for_approval, reason_for_rejection,
};
pub use digest::{DigestFacts, digest};
pub use errors::{damaged, nothing_happened, queued_behind, restored, run_failed, too_slow};
pub use home::{HomeSection, home_empty, home_line, home_more, home_section};
pub use message::{agent_reply, agent_words, parts, say};
pub use notices::{became, counted, decided, not_again, reminder, undeliverable, withdrawn};
pub use outcome::{
    about_to_run, late_end, nobody_decided, not_known_since, nothing_ran, outcome_label, ran,
};
pub use refusals::{incomplete, no_longer_kept, refusal, unknown_button};
pub use status::{goes_to, status_fallback, status_word, waits_for};
pub use stopped::{model_away, requester_unknown, run_stopped};
pub use stream::{not_yours_to_stop, stopped, stopped_while_running, task};
pub use unseen::{not_shown_yet, unseen};
pub use when::{ago, by};
