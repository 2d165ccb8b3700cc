//! Sample values for the tests of the core.

use serde_json::{Value, json};

use super::{
    Approvers, Ask, DecidedBy, Decision, Envelope, Outcome, PersonFacts, Place, PolicyFacts,
    ReasonRule, Requester, RetryClass, Risk, Sealed, Separation, SlackUser, Stage, Standing, Terms,
    ToolFacts,
};
use crate::base::{ActionId, PersonId, RequestId, Span, Timestamp, WorkspaceId};

pub(super) const NOON: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub(super) fn user(name: &str) -> SlackUser {
    SlackUser { team: "T0DEMO".to_owned(), user: format!("U{name}"), enterprise: None }
}

pub(super) fn person(name: &str) -> PersonFacts {
    PersonFacts {
        person: PersonId::existing(name),
        user: user(name),
        name: name.to_owned(),
        standing: Standing::Member,
    }
}

pub(super) fn mia() -> Requester {
    Requester {
        person: PersonId::existing("mia"),
        user: user("mia"),
        name: "Mia".to_owned(),
        owner: None,
    }
}

pub(super) fn stage(group: &str, quorum: u32) -> Stage {
    Stage {
        approvers: Approvers(vec![group.to_owned()]),
        place: Place("approvals".to_owned()),
        quorum,
        within: Span::minutes(30),
        remind: vec![Span::minutes(10), Span::minutes(20)],
    }
}

pub(super) fn ask(path: Vec<Stage>) -> Ask {
    Ask {
        path,
        reason: ReasonRule::Optional,
        separation: Separation::Required,
        valid_for: Span::minutes(10),
        risk: Risk::Normal,
    }
}

pub(super) fn terms(path: Vec<Stage>) -> Terms {
    Terms {
        rule: "refunds".to_owned(),
        policy_digest: "ab".repeat(32),
        risk: Risk::Normal,
        path,
        reason: ReasonRule::Optional,
        separation: Separation::Required,
        valid_for: Span::minutes(10),
    }
}

pub(super) fn envelope(arguments: Value) -> Envelope {
    Envelope {
        form: 1,
        workspace: WorkspaceId::existing("T0DEMO"),
        action: ActionId::existing("act_1"),
        request: Some(RequestId::existing("req_1")),
        run: None,
        node: None,
        agent: Some("ops".to_owned()),
        tool: ToolFacts {
            name: "payments.refund".to_owned(),
            version: "cd".repeat(32),
            schema_hash: "ef".repeat(32),
            retry: RetryClass::Keyed,
        },
        arguments,
        target: "POST https://payments.internal/refunds".to_owned(),
        credential: "none".to_owned(),
        cwd: None,
        environment: Vec::new(),
        requester: mia(),
        policy: PolicyFacts { rule: "refunds".to_owned(), digest: "ab".repeat(32) },
        risk: Risk::Normal,
        asked_at: NOON,
        decide_by: Some(NOON.plus(Span::minutes(60))),
        valid_for: Span::minutes(10),
    }
}

pub(super) fn sealed() -> Sealed {
    Sealed::seal(envelope(json!({ "amount": 640, "currency": "EUR" }))).unwrap()
}

/// The refund of [`sealed`], sealed with these terms.
pub(super) fn sealed_under(terms: &Terms) -> Sealed {
    let within = terms.path.iter().fold(Span::ZERO, |sum, stage| sum.plus(stage.within));
    Sealed::seal(Envelope {
        policy: PolicyFacts { rule: terms.rule.clone(), digest: terms.policy_digest.clone() },
        risk: terms.risk,
        decide_by: Some(NOON.plus(within)),
        valid_for: terms.valid_for,
        ..envelope(json!({ "amount": 640, "currency": "EUR" }))
    })
    .unwrap()
}

pub(super) fn approved(at: Timestamp, start_by: Timestamp) -> Decision {
    Decision {
        outcome: Outcome::Approved,
        by: DecidedBy::Person(Box::new(person("jonas"))),
        at,
        reason: None,
        start_by: Some(start_by),
    }
}
