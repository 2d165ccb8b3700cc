//! Everything that can be rendered, in every state: each sample keeps Slack's limits, and with
//! `COUNTERSIGN_SAMPLES=<directory>` all of them are written there, for a check against a schema.

use serde_json::{Value, json};

use crate::approval::Finding;
use crate::approval::{Choice, DecidedBy, ExecutionState, Outcome, ReasonRule, Refusal};
use crate::base::{RequestId, Span};
use crate::slack::card::samples::{Story, at, envelope, jonas, person, priya};
use crate::slack::card::{Rendered, limits, stage_card, status_line};
use crate::slack::home::{self, HomeItem, HomeView};
use crate::slack::{modal, texts};

fn stories() -> Vec<(&'static str, Story)> {
    let by = |person| DecidedBy::Person(Box::new(person));
    let mut two = Story::refund();
    two.request.terms.path[0].quorum = 2;
    two.request.terms.reason = ReasonRule::Required;
    two.because = Some("no such key: limit".to_owned());
    two.undeliverable = Some("is_archived".to_owned());
    let mut command = envelope(json!({ "argv": ["rm", "-rf", "/srv/cache"] }));
    command.cwd = Some("/srv".to_owned());
    command.environment = vec!["PATH".to_owned()];
    command.agent = None;
    command.node = None;
    let mut late = Story::refund();
    late.now = at(60);
    let mut named_badly = Story::refund();
    named_badly.request.requester.name = "<!here> ✅ approved".to_owned();
    named_badly.request.requester.user.user = "not an id".to_owned();
    let approved = || Story::refund().approved();
    let settled = |finding| {
        let unknown = approved().executed(ExecutionState::Unknown, Some("no answer"));
        unknown.settled(finding, "the ledger says <!channel> so")
    };
    vec![
        ("fresh", Story::refund()),
        ("claim", Story::refund().claiming("✅ *Approved by Priya* <!channel>")),
        ("escalated", Story::refund().escalated()),
        ("unusual", two),
        ("command", Story::about(command)),
        ("no-arguments", Story::of(json!({}))),
        ("late", late),
        ("badly-named", named_badly),
        ("approved", approved()),
        ("running", approved().executed(ExecutionState::Started, None)),
        ("succeeded", approved().executed(ExecutionState::Succeeded, Some("re_77"))),
        ("failed", approved().executed(ExecutionState::Failed, Some("409"))),
        ("unknown", approved().executed(ExecutionState::Unknown, Some("no answer"))),
        ("settled-happened", settled(Finding::Happened)),
        ("settled-not", settled(Finding::DidNotHappen)),
        ("settled-written-off", settled(Finding::WrittenOff)),
        ("refused", approved().executed(ExecutionState::Refused, Some("stopped"))),
        ("rejected", Story::refund().ended(Outcome::Rejected, by(priya()), Some("no"))),
        ("expired", Story::refund().ended(Outcome::Expired, DecidedBy::Time, None)),
        (
            "withdrawn",
            Story::refund().ended(Outcome::Cancelled, by(person("U0MIA00001", "Mia")), None),
        ),
        (
            "cancelled",
            Story::refund().ended(
                Outcome::Cancelled,
                DecidedBy::Operator("sam".to_owned()),
                Some("incident"),
            ),
        ),
        (
            "restored",
            Story::refund().ended(
                Outcome::Cancelled,
                DecidedBy::Restore { operator: "olga".to_owned(), to: at(5) },
                Some("the disk broke"),
            ),
        ),
        (
            "superseded",
            Story::refund().ended(
                Outcome::Superseded,
                DecidedBy::Request(RequestId::existing("req_2")),
                None,
            ),
        ),
        ("behind-show-all", Story::of(json!({ "body": "ab\n".repeat(5000) })).claiming("long")),
        ("too-big", Story::of(json!({ "body": "ab".repeat(150_000) }))),
    ]
}

/// Name, the schema's root, and what Slack would be sent.
fn samples() -> Vec<(String, &'static str, Value)> {
    let mut samples = Vec::new();
    for (name, story) in stories() {
        let view = story.view();
        let mut message = |kind: &str, rendered: Rendered| {
            let breaches = limits::message(&rendered.text, &rendered.blocks);
            assert_eq!(breaches, Vec::<String>::new(), "{name} {kind}");
            samples.push((format!("{name}.{kind}"), "MessageBlocks", Value::from(rendered.blocks)));
        };
        message("card", stage_card(&view, view.request.stage));
        message("status", status_line(&view, None));
        message("decided", texts::say(&texts::decided(&view)));
        message("reminder", texts::say(&texts::reminder(&view, 0, Span::minutes(20))));
        message("undeliverable", texts::say(&texts::undeliverable(&view, 0)));
        message("reply", texts::agent_reply("**done** <!channel>"));
        let item = HomeItem {
            request: &story.request,
            sealed: &story.sealed,
            unseen: None,
            permalink: Some("https://acme.slack.com/archives/C1/p1"),
        };
        let many = [item; 30];
        let home = HomeView {
            waiting_for_me: &many,
            damaged: &[],
            mine: &many[..1],
            recent: &[],
            now: story.now,
        };
        for (kind, root, view) in [
            ("approve", "ModalView", modal::approve(&view, "t")),
            ("reject", "ModalView", modal::reject(&view, "t")),
            ("show-all", "ModalView", modal::show_all(&view, Some("t"))),
            ("told", "ModalView", modal::told(&texts::counted(&view, Choice::Approve))),
            ("home", "HomeView", home::render(&home)),
        ] {
            assert_eq!(limits::view(&view), Vec::<String>::new(), "{name} {kind}");
            samples.push((format!("{name}.{kind}"), root, view));
        }
    }
    samples
}

#[test]
fn every_state_keeps_every_limit() {
    let samples = samples();
    let Ok(directory) = std::env::var("COUNTERSIGN_SAMPLES") else {
        return;
    };
    for (name, root, value) in samples {
        let sample = json!({ "name": name, "root": root, "value": value });
        std::fs::write(format!("{directory}/{name}.json"), sample.to_string())
            .expect("the directory exists");
    }
}

#[test]
fn every_refusal_has_its_own_words() {
    let decided = |story: Story| {
        let decision = story.request.decision.expect("it has ended");
        Refusal::AlreadyDecided { decision: Box::new(decision) }
    };
    let by = |person| DecidedBy::Person(Box::new(person));
    let refusals = [
        decided(Story::refund().ended(Outcome::Rejected, by(priya()), Some("wrong charge"))),
        decided(Story::refund().ended(Outcome::Approved, by(jonas()), None)),
        decided(Story::refund().ended(Outcome::Expired, DecidedBy::Time, None)),
        decided(Story::refund().ended(Outcome::Cancelled, by(person("U1", "Mia Santos")), None)),
        decided(Story::refund().ended(
            Outcome::Cancelled,
            DecidedBy::Operator("sam".to_owned()),
            Some("incident"),
        )),
        decided(Story::refund().ended(
            Outcome::Cancelled,
            DecidedBy::Restore { operator: "olga".to_owned(), to: at(5) },
            Some("the disk broke"),
        )),
        decided(Story::refund().ended(
            Outcome::Superseded,
            DecidedBy::Request(RequestId::existing("req_2")),
            None,
        )),
        Refusal::TooLate { decide_by: at(60) },
        Refusal::NotAnApprover,
        Refusal::OwnRequest,
        Refusal::AlreadyVoted { choice: Choice::Approve },
        Refusal::AlreadyVoted { choice: Choice::Reject },
        Refusal::ReasonMissing,
        Refusal::Guest,
        Refusal::Deactivated,
        Refusal::Bot,
        Refusal::Outsider,
        Refusal::UnknownPerson,
        Refusal::DirectoryUnreachable,
        Refusal::NotYourRequest,
        Refusal::StaleAuthority,
        Refusal::StaleTimer,
    ];
    let told: Vec<String> =
        refusals.iter().map(|refusal| texts::refusal(refusal, at(24))).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    Already rejected by Priya Rao 12 min ago. Reason: "wrong charge". Your click changed nothing.
    Already approved by Jonas Weber 12 min ago. Your click changed nothing.
    This expired 12 min ago: nobody decided in time. Nothing will run; it can be asked again.
    Already withdrawn by Mia Santos 12 min ago. Your click changed nothing.
    Already cancelled by the operator sam 12 min ago. Reason: "incident". Your click changed nothing.
    This was cancelled 12 min ago, when the desk was restored, and your click changed nothing. Whether it ran? Not known. The desk was put back to a backup of 2026-09-14 10:05 UTC, and what was decided and done after that is not known here. Look where it would have taken effect before you ask for it again.
    This was replaced by a newer request 12 min ago. Please decide on that one.
    Too late: the time to decide was over at 2026-09-14 11:00 UTC. Nothing will run; it can be asked again.
    You are not among the people who may decide this. The card says who may; nothing has changed.
    You asked for this yourself (or it was asked on your behalf), so somebody else has to decide. You can withdraw it in your thread.
    You have already approved this. It needs somebody else's approval too; your vote stands.
    You have already rejected this; your vote stands.
    This needs a reason, in a few words. Press the button again and write one.
    Guests may not decide here. A full member of this workspace has to.
    This account is deactivated in Slack, so it may not decide.
    Bots may not decide; a person has to.
    You belong to another company, and only members of this workspace may decide here.
    Slack does not know who you are, so your click did not count.
    I could not ask Slack just now who you are, so your click did not count. Nothing happened; please press again in a minute.
    Only the person who asked for this can withdraw it. An approver can reject it.
    The request changed while you clicked, so your click did not count. Look at the card again and decide once more.
    That moment has passed; nothing has changed.
    "#);
}
