//! I8 and I23: what was shown is what runs, and no claim touches it.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::approval::{Envelope, Requester, RetryClass, Risk, Sealed};
use crate::base::{PersonId, Span};
use crate::slack::card::action::{arguments_shown, is_whole};
use crate::slack::card::samples::{
    Story, arguments, at, envelope, nasty, person, refund_arguments,
};
use crate::slack::card::{Completeness, Rendered, as_text, limits, stage_card};
use crate::slack::modal;

/// One fact of an envelope made different.
type Change = fn(&mut Envelope);

fn card(story: &Story) -> Rendered {
    stage_card(&story.view(), 0)
}

fn has_button(blocks: &[Value], action: &str) -> bool {
    blocks
        .iter()
        .flat_map(|block| block["elements"].as_array().into_iter().flatten())
        .any(|element| element["type"] == "button" && element["action_id"] == action)
}

/// The digest of the envelope with the arguments a reader sees in place of the stored ones.
fn digest_of_shown(story: &Story, blocks: &[Value]) -> Option<crate::approval::Digest> {
    let shown = arguments_shown(blocks)?;
    let envelope = Envelope { arguments: shown, ..story.sealed.envelope().clone() };
    Sealed::seal(envelope).ok().map(|sealed| sealed.digest())
}

#[test]
fn every_fact_of_the_envelope_changes_the_card() {
    let plain = as_text(&card(&Story::refund()));
    let without_digest = |text: &str| {
        text.lines()
            .filter(|line| !line.starts_with("SHA-256") && !line.starts_with("Fingerprint"))
            .collect::<String>()
    };
    let changes: [(&str, Change); 15] = [
        ("action", |e| e.action = crate::base::ActionId::existing("act_2")),
        ("agent", |e| e.agent = Some("ops2".to_owned())),
        ("node", |e| e.node = None),
        ("tool", |e| e.tool.name = "payments.refunds".to_owned()),
        ("tool version", |e| e.tool.version = "60".repeat(32)),
        ("schema", |e| e.tool.schema_hash = "60".repeat(32)),
        ("retry class", |e| e.tool.retry = RetryClass::Once),
        ("arguments", |e| e.arguments["amount"] = json!(640)),
        ("target", |e| e.target.push('x')),
        ("credential", |e| e.credential.push('x')),
        ("cwd", |e| e.cwd = Some("/srv".to_owned())),
        ("environment", |e| e.environment = vec!["PATH".to_owned()]),
        ("requester", |e| {
            let other = person("U0OTHER001", "Mia Santos");
            e.requester = Requester {
                person: other.person,
                user: other.user,
                name: other.name,
                owner: Some(PersonId::existing("per_x")),
            };
        }),
        ("policy", |e| e.policy.digest = "78".repeat(32)),
        ("risk", |e| e.risk = Risk::Critical),
    ];
    for (fact, change) in changes {
        let mut changed = envelope(refund_arguments());
        change(&mut changed);
        let text = as_text(&card(&Story::about(changed)));
        assert_ne!(without_digest(&text), without_digest(&plain), "{fact}");
    }
    let mut longer = envelope(refund_arguments());
    longer.valid_for = Span::minutes(11);
    assert_ne!(as_text(&card(&Story::about(longer))), plain, "validity");
}

#[test]
fn a_decided_or_late_request_has_no_buttons() {
    let mut late = Story::refund();
    late.now = at(60);
    for story in [Story::refund().approved(), late] {
        let blocks = card(&story).blocks;
        for action in [modal::APPROVE, modal::REJECT] {
            assert!(!has_button(&blocks, action), "{action}");
        }
        let dialog = modal::show_all(&story.view(), Some("token"));
        assert_eq!(dialog.get("submit"), None);
    }
}

#[test]
fn what_does_not_fit_can_be_approved_only_where_it_does() {
    for (size, complete) in [
        (100, Completeness::Whole),
        (30_000, Completeness::BehindShowAll),
        (400_000, Completeness::TooBig),
    ] {
        // No two neighbours are equal, so that nothing collapses.
        let story = Story::of(json!({ "body": "ab".repeat(size / 2) }));
        let card = card(&story);
        assert_eq!(card.complete, complete, "{size}");
        assert_eq!(
            has_button(&card.blocks, modal::APPROVE),
            complete == Completeness::Whole,
            "{size}"
        );
        assert!(has_button(&card.blocks, modal::REJECT), "a request can always be rejected");
        assert_eq!(
            has_button(&card.blocks, modal::SHOW_ALL),
            complete == Completeness::BehindShowAll
        );
        let dialog = modal::show_all(&story.view(), Some("token"));
        let approves = dialog.get("submit").is_some();
        assert_eq!(approves, complete != Completeness::TooBig, "{size}");
        let whole = is_whole(dialog["blocks"].as_array().expect("blocks"), story.sealed.envelope());
        assert_eq!(whole, approves, "approving needs all of it on the same screen");
    }
}

#[test]
fn a_setting_that_does_not_fit_withholds_approval_too() {
    let mut long = envelope(refund_arguments());
    long.target = format!("/bin/sh -c {}", "ab ".repeat(10_000));
    assert_eq!(card(&Story::about(long)).complete, Completeness::BehindShowAll);
    let mut long = envelope(refund_arguments());
    long.policy.rule = "ab ".repeat(2000);
    assert_eq!(card(&Story::about(long)).complete, Completeness::TooBig);
}

#[test]
fn a_pinned_argument_stands_once_and_a_missing_one_is_named() {
    let mut story =
        Story::of(json!({ "customer": { "id": "c1", "name": "May" }, "items": [1, 2] }));
    story.show = ["items[1]", "customer", "customer.id", "amount"].map(str::to_owned).to_vec();
    let card = card(&story);
    let text = as_text(&card);
    assert!(
        text.contains("    items[1] = 2\n    customer.id = \"c1\"\n    customer.name = \"May\"\n"),
        "{text}"
    );
    assert!(text.contains("Not given: amount"), "{text}");
    assert_eq!(
        text.matches("customer.id").count(),
        2,
        "once as a fact, once in the confirmation: {text}"
    );
    assert_eq!(arguments_shown(&card.blocks).as_ref(), Some(&story.sealed.envelope().arguments));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Equal cards mean equal arguments: they can be read back, down to the digest.
    #[test]
    fn a_whole_card_gives_the_digest_back(arguments in arguments(), show in prop::collection::vec("[a-z]{1,2}", 0..3)) {
        let mut story = Story::of(arguments);
        story.show = show;
        let card = card(&story);
        if card.complete == Completeness::Whole {
            prop_assert_eq!(digest_of_shown(&story, &card.blocks), Some(story.sealed.digest()));
        }
        let dialog = modal::show_all(&story.view(), Some("token"));
        let blocks = dialog["blocks"].as_array().expect("blocks");
        if dialog.get("submit").is_some() {
            prop_assert_eq!(digest_of_shown(&story, blocks), Some(story.sealed.digest()));
        }
    }

    #[test]
    fn different_arguments_look_different(a in arguments(), b in arguments()) {
        let shown = |arguments: &Value| {
            let blocks = card(&Story::of(arguments.clone())).blocks;
            arguments_shown(&blocks)
        };
        if let (Some(shown_a), Some(shown_b)) = (shown(&a), shown(&b)) {
            prop_assert_eq!(shown_a == shown_b, a == b);
        }
    }

    /// I23: the agent's words change nothing but their own block at the end.
    #[test]
    fn a_claim_touches_nothing_else(claim in nasty(), size in 1..6_000_usize) {
        let silent = Story::of(json!({ "note": "ab".repeat(size) }));
        let without = card(&silent);
        let with = card(&silent.clone().claiming(&claim));
        prop_assert_eq!(&with.blocks[..without.blocks.len()], &without.blocks[..]);
        prop_assert_eq!(with.blocks.len(), without.blocks.len() + 2);
        prop_assert_eq!((with.text, with.complete), (without.text, without.complete));
        prop_assert!(!has_button(&with.blocks[without.blocks.len()..], modal::APPROVE));
    }
}

proptest! {
    // Each case renders twenty messages and dialogs.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// No name, reason or result from outside can push anything over a limit.
    #[test]
    fn nothing_from_outside_breaks_a_limit(
        name in nasty(), reason in nasty(), times in 1..100_usize, arguments in arguments(),
    ) {
        let mut envelope = envelope(arguments);
        envelope.requester.name = name.repeat(times);
        envelope.agent = Some(name.repeat(times));
        let mut decided = Story::about(envelope).approved();
        if let Some(decision) = &mut decided.request.decision {
            decision.reason = Some(reason.repeat(times));
        }
        let mut pending = decided.clone().claiming(&reason.repeat(times));
        pending.request.decision = None;
        for story in [pending, decided] {
            let view = story.view();
            for message in [stage_card(&view, 0), super::super::status_line(&view, None)] {
                prop_assert_eq!(limits::message(&message.text, &message.blocks), Vec::<String>::new());
            }
            for dialog in [modal::approve(&view, "t"), modal::reject(&view, "t"), modal::show_all(&view, Some("t"))] {
                prop_assert_eq!(limits::view(&dialog), Vec::<String>::new());
            }
        }
    }
}
