//! Dialogs, the Home tab and the one-off texts as people read them.

use serde_json::json;

use super::without_digest;
use crate::approval::{ExecutionState, ReasonRule};
use crate::base::{RequestId, Span};
use crate::slack::card::samples::{Story, at};
use crate::slack::card::view_as_text;
use crate::slack::home::{HomeItem, HomeView, render};
use crate::slack::{modal, texts};

#[test]
fn the_approve_dialog_repeats_the_pinned_facts() {
    let mut story = Story::refund();
    story.request.terms.reason = ReasonRule::Required;
    let dialog = modal::approve(&story.view(), "token");
    assert_eq!(
        (&dialog["private_metadata"], &dialog["callback_id"]),
        (&json!("token"), &json!(modal::APPROVE))
    );
    insta::assert_snapshot!(view_as_text(&dialog), @r#"
    == Approve this? ==

    You are about to approve payments.refund. If this completes the approval, it runs at once:

        amount = "640.00"
        currency = "EUR"
        charge = "ch_1042"

        target = "POST https://payments.internal/refunds"  ← host payments.internal
        credential = "payments-key"

    Why do you approve it?: [____]

    [Go back] [Approve]
    "#);
}

#[test]
fn the_reject_dialog_asks_why() {
    let dialog = modal::reject(&Story::refund().view(), "token");
    assert_eq!(
        (&dialog["private_metadata"], &dialog["callback_id"]),
        (&json!("token"), &json!(modal::REJECT))
    );
    insta::assert_snapshot!(view_as_text(&dialog), @r#"
    == Reject this? ==

    You are about to reject payments.refund. It will not run, and the agent is told why:

        amount = "640.00"
        currency = "EUR"
        charge = "ch_1042"

        target = "POST https://payments.internal/refunds"  ← host payments.internal
        credential = "payments-key"

    Why do you reject it? The requester and the agent read this.: [____]

    [Cancel] [Reject]
    "#);
}

#[test]
fn show_all_holds_everything_and_approves() {
    let story = Story::of(json!({ "amount": "1", "steps": ["drop table a", "drop table b"] }));
    let dialog = modal::show_all(&story.view(), Some("token"));
    assert_eq!(dialog["private_metadata"], "token");
    insta::assert_snapshot!(without_digest(&story, &view_as_text(&dialog)), @r#"
    == The whole action ==

    # Please decide: payments.refund

        amount = "1"

        target = "POST https://payments.internal/refunds"  ← host payments.internal
        credential = "payments-key"

    Asked by @U0MIA00001 (Mia Santos) on 2026-09-14 10:00 UTC
    Agent: ops, step tools
    Rule: refunds
    Risk: normal
    Not given: currency, charge

    Who may decide: finance in #approvals. One approval is enough. The requester may not decide.
    If nobody decides by 2026-09-14 10:30 UTC, managers in #managers will be asked too. The time is over on 2026-09-14 11:00 UTC: then it expires and nothing runs.
    Once approved it must start within 10 min, or it will not run.

    All other arguments

        steps[0] = "drop table a"
        steps[1] = "drop table b"

    Fingerprint <fingerprint>
    SHA-256 <digest>
    req_000001 · act_000001 · tool version 5f5f5f5f5f5f · schema 3a3a3a3a3a3a · policy 777777777777 · safe to repeat with its key

    Why do you approve it? (optional): [____]

    [Go back] [Approve]
    "#);
}

#[test]
fn the_home_tab() {
    let (waiting, done) = (Story::refund(), Story::refund().approved());
    let item = |story| -> HomeItem<'_> {
        let story: &Story = story;
        HomeItem { request: &story.request, sealed: &story.sealed, unseen: None, permalink: None }
    };
    let home = HomeView {
        waiting_for_me: &[item(&waiting)],
        damaged: &[&RequestId::existing("req_000002")],
        mine: &[],
        recent: &[item(&done)],
        now: at(24),
    };
    insta::assert_snapshot!(view_as_text(&render(&home)), @r#"
    # Waiting for you

    req_000002 is DAMAGED in the database, so it can be neither shown nor decided. Please tell the person who runs Countersign: `countersign verify` says more.

    payments.refund, asked by Mia Santos 24 min ago. 36 min left to decide

    # What you asked for

    You have nothing in flight. Write to me to ask an agent for something.

    # Decided lately

    payments.refund, asked by Mia Santos 24 min ago. Approved by Jonas Weber, 12 min ago
    "#);
}

#[test]
fn one_off_texts() {
    let story = Story::refund();
    let mut cut_off = Story::refund();
    cut_off.undeliverable = Some("not_in_channel".to_owned());
    let done = Story::refund().approved().executed(ExecutionState::Succeeded, Some("refund re_77"));
    let listed =
        texts::ListedRequest { request: &story.request, tool: "payments.refund", unseen: None };
    let stopped = texts::StatusFacts {
        pending: 2,
        running: 1,
        unknown: 1,
        stopped: Some(("sam", "incident 7")),
    };
    let said = [
        texts::reminder(&story.view(), 0, Span::minutes(20)),
        texts::reminder(&story.view(), 1, Span::seconds(30)),
        texts::decided(&done.view()),
        texts::undeliverable(&cut_off.view(), 0),
        texts::list(&[listed], &[&listed.request.id], at(24)),
        texts::list(&[], &[], at(24)),
        texts::status(&stopped),
        texts::unknown_command("lsit"),
        texts::nothing_happened("reach the store"),
        texts::queued_behind().to_owned(),
        texts::run_failed("ops"),
        texts::model_away("ops"),
    ];
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    Still waiting for a decision: payments.refund. Time left here: 20 min. After that managers will be asked too.

    Still waiting for a decision: payments.refund. Time left here: less than a minute. After that it expires and nothing runs.

    Jonas Weber approved payments.refund. Reason: "checked with the bank". It ran and succeeded. Result: "refund re_77"

    I could not show payments.refund to finance in #approvals ("not_in_channel"). I ask managers now instead.

    payments.refund, asked by Mia Santos 24 min ago, 36 min left (req_000001)
    req_000001 is DAMAGED in the database, so it can be neither shown nor decided. Please tell the person who runs Countersign: `countersign verify` says more.

    Nothing is waiting for a decision.

    The stop switch is ON, thrown by sam: "incident 7". Nothing starts until it is taken back.
    Waiting for a decision: 2. Running now: 1.
    With an unknown outcome: 1. Somebody has to look at them; they are not tried again.

    I do not know "lsit".
    I am Countersign, the approval desk. Write to me here or mention me in a channel, and an agent gets to work; what needs a human's yes is shown to the people who may give it, and runs only then.
    /countersign list: what is waiting
    /countersign status: how the desk is doing
    /countersign help: this text

    I could not reach the store. Nothing happened; please press again in a minute.

    Got it. I will come to this as soon as what you asked before in this thread is settled.

    The agent ops stopped because of an error on my side. What was approved and done before stays done and is in the record. You can write again; the operator's log says more.

    The agent ops stopped: its model cannot be reached. What was approved and done before stays done and is in the record. Please try again later.
    "#);
}
