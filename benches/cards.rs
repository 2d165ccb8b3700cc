//! What rendering a card costs: a typical one, and one whose arguments are too many for it.
//!
//! `cargo bench --bench cards`.

use countersign::approval::{
    Approvers, Envelope, Place, PolicyFacts, ReasonRule, Request, Requester, RetryClass, Risk,
    Sealed, Separation, SlackUser, Stage, Terms, ToolFacts,
};
use countersign::base::{ActionId, PersonId, RequestId, RunId, Span, Timestamp, WorkspaceId};
use countersign::slack::card::{Buttons, CardView, Completeness, StageNames, stage_card};
use divan::{Bencher, black_box};
use serde_json::{Value, json};

const ASKED_AT: Timestamp = Timestamp::from_millis(1_789_380_000_000);
const BUTTONS: Buttons<'static> = Buttons {
    approve: Some("a0000000000000000000000000000001"),
    reject: Some("b0000000000000000000000000000002"),
    show_all: Some("c0000000000000000000000000000003"),
    withdraw: None,
};

fn main() {
    divan::main();
}

#[divan::bench]
fn typical(bencher: Bencher<'_, '_>) {
    let arguments = json!({
        "charge": "ch_1042", "amount": "640.00", "currency": "EUR", "note": "charged twice",
    });
    render(bencher, arguments, Completeness::Whole);
}

/// The largest kind that a person can still approve: behind *Show all*.
#[divan::bench]
fn large(bencher: Bencher<'_, '_>) {
    let line = |nth: usize| json!({ "item": format!("article {nth}"), "count": nth, "note": "as agreed. ".repeat(8) });
    let lines: Vec<Value> = (1..=100).map(line).collect();
    let arguments = json!({
        "charge": "ch_1042", "amount": "640.00", "currency": "EUR", "lines": lines,
    });
    render(bencher, arguments, Completeness::BehindShowAll);
}

fn render(bencher: Bencher<'_, '_>, arguments: Value, complete: Completeness) {
    let sealed = Sealed::seal(envelope(arguments)).expect("it can be sealed");
    let request = request(&sealed);
    let show = ["amount", "currency", "charge"].map(str::to_owned);
    let stages = [StageNames {
        people: vec!["Jonas".to_owned(), "Lena".to_owned()],
        channel: "#approvals".to_owned(),
    }];
    let view = CardView {
        request: &request,
        sealed: &sealed,
        claim: Some("I propose to refund 640.00 for ch_1042."),
        show: &show,
        stages: &stages,
        because: None,
        execution: None,
        buttons: BUTTONS,
        undeliverable: None,
        now: ASKED_AT.plus(Span::minutes(1)),
    };
    assert_eq!(stage_card(&view, 0).complete, complete);
    bencher.bench_local(|| stage_card(black_box(&view), 0));
}

fn envelope(arguments: Value) -> Envelope {
    Envelope {
        form: 1,
        workspace: WorkspaceId::existing("T0WRKSPC01"),
        action: ActionId::existing("act_000001"),
        request: Some(RequestId::existing("req_000001")),
        run: Some(RunId::existing("run_000001")),
        node: Some("approval".to_owned()),
        agent: Some("ops".to_owned()),
        tool: ToolFacts {
            name: "payments.refund".to_owned(),
            version: "5f".repeat(32),
            schema_hash: "3a".repeat(32),
            retry: RetryClass::Keyed,
        },
        arguments,
        target: "POST https://payments.internal/refunds".to_owned(),
        credential: "payments-key".to_owned(),
        cwd: None,
        environment: Vec::new(),
        requester: Requester {
            person: PersonId::existing("per_mia"),
            user: SlackUser {
                team: "T0WRKSPC01".to_owned(),
                user: "U0MIA00001".to_owned(),
                enterprise: None,
            },
            name: "Mia Santos".to_owned(),
            owner: None,
        },
        policy: PolicyFacts { rule: "refunds".to_owned(), digest: "77".repeat(32) },
        risk: Risk::Normal,
        asked_at: ASKED_AT,
        decide_by: Some(ASKED_AT.plus(Span::minutes(30))),
        valid_for: Span::minutes(10),
    }
}

fn request(sealed: &Sealed) -> Request {
    let envelope = sealed.envelope();
    Request {
        id: RequestId::existing("req_000001"),
        workspace: envelope.workspace.clone(),
        digest: sealed.digest(),
        requester: envelope.requester.clone(),
        terms: Terms {
            rule: envelope.policy.rule.clone(),
            policy_digest: envelope.policy.digest.clone(),
            risk: envelope.risk,
            path: vec![Stage {
                approvers: Approvers(vec!["finance".to_owned()]),
                place: Place("approvals".to_owned()),
                quorum: 1,
                within: Span::minutes(30),
                remind: vec![Span::minutes(10)],
            }],
            reason: ReasonRule::Optional,
            separation: Separation::Required,
            valid_for: envelope.valid_for,
        },
        asked_at: ASKED_AT,
        version: 1,
        stage: 0,
        stage_since: ASKED_AT,
        votes: Vec::new(),
        decision: None,
    }
}
