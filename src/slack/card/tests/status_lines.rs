//! The requester's live line as people read it.

use crate::approval::{DecidedBy, ExecutionState, Outcome, Unseen};
use crate::base::RequestId;
use crate::slack::card::samples::{Story, at, person, priya};
use crate::slack::card::{as_text, status_line};
use crate::slack::texts;

fn line(story: &Story) -> String {
    as_text(&status_line(&story.view(), None))
}

#[test]
fn the_status_line_while_it_waits() {
    insta::assert_snapshot!(line(&Story::refund()), @r#"
    payments.refund waits for finance in #approvals since 2026-09-14 10:00 UTC.
    Next: on 2026-09-14 10:30 UTC it goes to managers in #managers too.
    It ends on 2026-09-14 11:00 UTC: then it expires and nothing runs.

    [Withdraw → Nobody can approve it any more, and it will not run. You can ask again.]
    "#);
}

/// And what lists say of it. The line is silent while it only waits for its turn, and of what was given
/// up it tells otherwise.
#[test]
fn the_status_line_while_its_approvers_do_not_see_it() {
    let why = Some("the app is not set up for this: missing_scope".to_owned());
    let unseen = Unseen { since: at(0), why, given_up: false };
    let untried = Unseen { why: None, ..unseen.clone() };
    let given_up = Unseen { given_up: true, ..unseen.clone() };
    let story = Story::refund();
    let of = |unseen| as_text(&status_line(&story.view(), Some(unseen)));
    let attention = |unseen| {
        let text = of(unseen);
        text.lines().find(|line| line.starts_with("Attention")).map(str::to_owned)
    };
    insta::assert_snapshot!(attention(&unseen).unwrap_or_default(), @r#"Attention: They do not see it yet: "the app is not set up for this: missing_scope". I keep trying."#);
    assert_eq!([of(&untried), of(&given_up)], [line(&story), line(&story)]);
    insta::assert_snapshot!(texts::unseen(&unseen, at(2)), @r#"Its approvers, asked 2 min ago, do not see it yet: "the app is not set up for this: missing_scope"."#);
    insta::assert_snapshot!(texts::unseen(&untried, at(2)), @"Its approvers, asked 2 min ago, do not see it yet: it waits for its turn.");
    insta::assert_snapshot!(texts::unseen(&given_up, at(2)), @r#"Its approvers, asked 2 min ago, cannot be shown it: "the app is not set up for this: missing_scope"."#);
}

#[test]
fn the_status_line_after_an_escalation() {
    insta::assert_snapshot!(line(&Story::refund().escalated()), @r#"
    payments.refund waits for managers in #managers since 2026-09-14 10:30 UTC.
    Before: Not decided in time by finance in #approvals, asked on 2026-09-14 10:00 UTC.
    It ends on 2026-09-14 11:00 UTC: then it expires and nothing runs.

    [Withdraw → Nobody can approve it any more, and it will not run. You can ask again.]
    "#);
}

#[test]
fn the_status_line_in_every_end() {
    let restored = || DecidedBy::Restore { operator: "olga".to_owned(), to: at(5) };
    let mia = || DecidedBy::Person(Box::new(person("U0MIA00001", "Mia Santos")));
    let approved = Story::refund().approved();
    let ends = [
        approved.clone(),
        approved.clone().executed(ExecutionState::Started, None),
        approved.clone().executed(ExecutionState::Succeeded, Some("refund re_77")),
        approved.clone().executed(ExecutionState::Failed, Some("409: already refunded")),
        approved.clone().executed(ExecutionState::Unknown, Some("no answer in 30 s")),
        approved.clone().executed(ExecutionState::Started, Some("no answer in 30 s")),
        approved
            .clone()
            .executed(ExecutionState::Unknown, Some("its worker stopped"))
            .said_late(ExecutionState::Succeeded, "refund re_77"),
        approved.executed(ExecutionState::Refused, Some("the stop switch is on")),
        Story::refund().ended(Outcome::Rejected, DecidedBy::Person(Box::new(priya())), Some("no")),
        Story::refund().ended(Outcome::Expired, DecidedBy::Time, None),
        Story::refund().ended(Outcome::Cancelled, mia(), None),
        Story::refund().ended(
            Outcome::Cancelled,
            DecidedBy::Operator("sam".to_owned()),
            Some("incident"),
        ),
        Story::refund().ended(Outcome::Cancelled, restored(), Some("the disk broke")),
        Story::refund().ended(
            Outcome::Superseded,
            DecidedBy::Request(RequestId::existing("req_000002")),
            None,
        ),
    ];
    let lines: Vec<String> = ends.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n\n\n"), @r#"
    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: It will run in a moment.


    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: It is running now.


    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: It ran and succeeded. Result: "refund re_77" (2026-09-14 10:13 UTC)


    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: It failed and certainly changed nothing. Why: "409: already refunded" (2026-09-14 10:13 UTC)


    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: OUTCOME UNKNOWN: it may or may not have happened. It will not be tried again by itself; somebody must look and settle it. What is known: "no answer in 30 s"


    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: It was called, and it is not known yet whether it happened. In half a minute it is called again under the same key or asked about, as its tool allows. What is known: "no answer in 30 s"


    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: OUTCOME UNKNOWN: it may or may not have happened. It will not be tried again by itself; somebody must look and settle it. What is known: "its worker stopped". A worker that had lost it said later that it succeeded: "refund re_77"


    payments.refund was approved.

    Approved by @U0JONAS001 (Jonas Weber) on 2026-09-14 10:12 UTC
    Reason: "checked with the bank"
    What ran: It was not started, so nothing ran. Why: "the stop switch is on" (2026-09-14 10:13 UTC)


    payments.refund was rejected.

    Rejected by @U0PRIYA001 (Priya Rao) on 2026-09-14 10:12 UTC
    Reason: "no"
    What ran: Nothing.


    payments.refund expired.

    Expired on 2026-09-14 10:12 UTC, because nobody decided in time. That is not a no; it can be asked again.
    What ran: Nothing.


    payments.refund was cancelled.

    Withdrawn by @U0MIA00001 (Mia Santos) on 2026-09-14 10:12 UTC
    What ran: Nothing.


    payments.refund was cancelled.

    Cancelled by sam on 2026-09-14 10:12 UTC
    Reason: "incident"
    What ran: Nothing.


    payments.refund was cancelled.

    Cancelled by a restore, by olga on 2026-09-14 10:12 UTC
    Reason: "the disk broke"
    What ran: Not known. The desk was put back to a backup of 2026-09-14 10:05 UTC, and what was decided and done after that is not known here. Look where it would have taken effect before you ask for it again.


    payments.refund was replaced by a newer request.

    Replaced by req_000002 on 2026-09-14 10:12 UTC
    What ran: Nothing.
    "#);
}

#[test]
fn the_status_line_when_a_stage_could_not_be_shown_it() {
    let mut story = Story::refund().escalated();
    story.request.stage_since = at(2);
    story.undeliverable = Some("is_archived".to_owned());
    insta::assert_snapshot!(line(&story), @r#"
    payments.refund waits for managers in #managers since 2026-09-14 10:02 UTC.
    Before: Slack could not show it to finance in #approvals, due there on 2026-09-14 10:00 UTC.
    It ends on 2026-09-14 11:00 UTC: then it expires and nothing runs.
    Attention: Slack could not show this request to everybody who may decide: "is_archived"

    [Withdraw → Nobody can approve it any more, and it will not run. You can ask again.]
    "#);
}
