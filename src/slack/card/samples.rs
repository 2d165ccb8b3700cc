//! The story the tests tell: Mia asks for a refund, Jonas of finance and the manager Priya decide.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Buttons, CardView, ExecutionView, StageNames};
use crate::approval::{
    Approvers, Choice, DecidedBy, Decision, Envelope, ExecutionState, Finding, Late, Outcome,
    PersonFacts, Place, PolicyFacts, ReasonRule, Request, Requester, RetryClass, Risk, Sealed,
    Separation, Settled, SlackUser, Stage, Standing, Terms, ToolFacts, Vote,
};
use crate::base::{ActionId, PersonId, RequestId, RunId, Span, Timestamp, WorkspaceId};

/// 2026-09-14 10:00 UTC.
pub const ASKED_AT: Timestamp = Timestamp::from_millis(1_789_380_000_000);

/// Everything a view borrows.
#[derive(Clone, Debug)]
pub struct Story {
    pub request: Request,
    pub sealed: Sealed,
    pub claim: Option<String>,
    pub show: Vec<String>,
    pub stages: Vec<StageNames>,
    pub because: Option<String>,
    pub execution: Option<(ExecutionState, Option<String>)>,
    pub late: Option<Late>,
    pub settled: Option<Settled>,
    pub undeliverable: Option<String>,
    pub now: Timestamp,
}

pub const TOKENS: Buttons<'static> = Buttons {
    approve: Some("a0000000000000000000000000000001"),
    reject: Some("b0000000000000000000000000000002"),
    show_all: Some("c0000000000000000000000000000003"),
    withdraw: Some("d0000000000000000000000000000004"),
};

pub fn at(minutes: u32) -> Timestamp {
    ASKED_AT.plus(Span::minutes(minutes))
}

pub fn person(user: &str, name: &str) -> PersonFacts {
    PersonFacts {
        person: PersonId::existing(format!("per_{user}")),
        user: SlackUser { team: "T0WRKSPC01".to_owned(), user: user.to_owned(), enterprise: None },
        name: name.to_owned(),
        standing: Standing::Member,
    }
}

pub fn jonas() -> PersonFacts {
    person("U0JONAS001", "Jonas Weber")
}

pub fn priya() -> PersonFacts {
    person("U0PRIYA001", "Priya Rao")
}

pub fn refund_arguments() -> Value {
    json!({ "charge": "ch_1042", "amount": "640.00", "currency": "EUR", "note": "double charge" })
}

fn requester() -> Requester {
    let mia = person("U0MIA00001", "Mia Santos");
    Requester { person: mia.person, user: mia.user, name: mia.name, owner: None }
}

pub fn envelope(arguments: Value) -> Envelope {
    Envelope {
        form: 1,
        workspace: WorkspaceId::existing("T0WRKSPC01"),
        action: ActionId::existing("act_000001"),
        request: Some(RequestId::existing("req_000001")),
        run: Some(RunId::existing("run_000001")),
        node: Some("tools".to_owned()),
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
        requester: requester(),
        policy: PolicyFacts { rule: "refunds".to_owned(), digest: "77".repeat(32) },
        risk: Risk::Normal,
        asked_at: ASKED_AT,
        decide_by: Some(at(60)),
        valid_for: Span::minutes(10),
    }
}

impl Story {
    /// Mia's refund, just asked.
    pub fn refund() -> Self {
        Self::of(refund_arguments())
    }

    pub fn of(arguments: Value) -> Self {
        Self::about(envelope(arguments))
    }

    pub fn about(envelope: Envelope) -> Self {
        let sealed = Sealed::seal(envelope).expect("the sample can be sealed");
        let stage = |group: &str, place: &str| Stage {
            approvers: Approvers(vec![group.to_owned()]),
            place: Place(place.to_owned()),
            quorum: 1,
            within: Span::minutes(30),
            remind: vec![Span::minutes(10)],
        };
        let names = |channel: &str| StageNames { people: Vec::new(), channel: channel.to_owned() };
        let envelope = sealed.envelope();
        let request = Request {
            id: RequestId::existing("req_000001"),
            workspace: envelope.workspace.clone(),
            digest: sealed.digest(),
            requester: envelope.requester.clone(),
            terms: Terms {
                rule: envelope.policy.rule.clone(),
                policy_digest: envelope.policy.digest.clone(),
                risk: envelope.risk,
                path: vec![stage("finance", "approvals"), stage("managers", "managers")],
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
        };
        Self {
            request,
            sealed,
            claim: None,
            show: ["amount", "currency", "charge"].map(str::to_owned).to_vec(),
            stages: vec![names("#approvals"), names("#managers")],
            because: None,
            execution: None,
            late: None,
            settled: None,
            undeliverable: None,
            now: at(1),
        }
    }

    pub fn claiming(mut self, claim: &str) -> Self {
        self.claim = Some(claim.to_owned());
        self
    }

    pub fn escalated(mut self) -> Self {
        self.request.stage = 1;
        self.request.stage_since = at(30);
        self.now = at(31);
        self
    }

    pub fn ended(mut self, outcome: Outcome, by: DecidedBy, reason: Option<&str>) -> Self {
        if let (DecidedBy::Person(by), Outcome::Approved | Outcome::Rejected) = (&by, outcome) {
            let choice =
                if outcome == Outcome::Approved { Choice::Approve } else { Choice::Reject };
            self.request.votes.push(Vote {
                by: (**by).clone(),
                choice,
                reason: reason.map(str::to_owned),
                at: at(12),
                stages: vec![self.request.stage],
            });
        }
        let start_by = (outcome == Outcome::Approved).then_some(at(22));
        let reason = reason.map(str::to_owned);
        self.request.decision = Some(Decision { outcome, by, at: at(12), reason, start_by });
        self.now = at(13);
        self
    }

    pub fn approved(self) -> Self {
        self.ended(
            Outcome::Approved,
            DecidedBy::Person(Box::new(jonas())),
            Some("checked with the bank"),
        )
    }

    pub fn executed(mut self, state: ExecutionState, note: Option<&str>) -> Self {
        self.execution = Some((state, note.map(str::to_owned)));
        self
    }

    pub fn said_late(mut self, state: ExecutionState, note: &str) -> Self {
        self.late = Some(Late { state, note: note.to_owned() });
        self
    }

    pub fn settled(mut self, finding: Finding, reason: &str) -> Self {
        let (by, reason) = ("olga".to_owned(), reason.to_owned());
        self.settled = Some(Settled { finding, by, reason, at: at(40) });
        self
    }

    pub fn view(&self) -> CardView<'_> {
        CardView {
            request: &self.request,
            sealed: &self.sealed,
            claim: self.claim.as_deref(),
            show: &self.show,
            stages: &self.stages,
            because: self.because.as_deref(),
            execution: self.execution.as_ref().map(|(state, note)| ExecutionView {
                state: *state,
                note: note.as_deref(),
                late: self.late.as_ref(),
                ended_at: matches!(
                    state,
                    ExecutionState::Succeeded | ExecutionState::Failed | ExecutionState::Refused
                )
                .then_some(at(13)),
                settled: self.settled.as_ref(),
            }),
            buttons: TOKENS,
            undeliverable: self.undeliverable.as_deref(),
            now: self.now,
        }
    }
}

/// Text of the kinds that attacks are made of, much denser than random characters.
pub fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[ \\\\\"nu{}0-9A-F+sa\n\t]{1,6}",
        prop::sample::select(vec![
            "\\",
            "\\\\",
            "\"",
            "\n",
            "  ",
            "\u{200B}",
            "\u{202E}",
            "e\u{301}",
            "é",
            "а",
            "a",
            "א",
            "\\{2 spaces}",
            "}",
            "{",
            "\u{1100}\u{1161}",
            "가",
            "\u{E0041}",
            "U+200B",
            " = ",
            "  ← ",
            "…",
            "http://a@b/",
        ])
        .prop_map(str::to_owned),
        (any::<char>(), 1..50_usize).prop_map(|(c, n)| c.to_string().repeat(n)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Arguments as an agent could send them: nested, with nasty keys and texts.
pub fn arguments() -> impl Strategy<Value = Value> {
    let key = prop_oneof!["[a-z]{1,3}", nasty()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        (0..1000_i64).prop_map(|n| json!(n.to_string())),
        nasty().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), part, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
