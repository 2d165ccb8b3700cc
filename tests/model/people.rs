//! Who works here, and the one action that they are asked about.

use countersign::approval::{
    Approvers, Choice, Effect, Envelope, Membership, PersonFacts, Place, PolicyFacts, ReasonRule,
    Request, Requester, RetryClass, Risk, Sealed, Separation, SlackUser, Stage, Standing, Terms,
    ToolFacts, open,
};
use countersign::base::{ActionId, PersonId, RequestId, Span, Timestamp, WorkspaceId};
use serde_json::json;

const NOON: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// The clock of the model counts whole minutes from noon.
pub type Minute = u8;

pub fn at(minute: Minute) -> Timestamp {
    NOON.plus(Span::minutes(u32::from(minute)))
}

/// Somebody presses a button on the card of the one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    pub who: &'static str,
    pub choice: Choice,
}

pub const fn approve(who: &'static str) -> Press {
    Press { who, choice: Choice::Approve }
}

pub const fn reject(who: &'static str) -> Press {
    Press { who, choice: Choice::Reject }
}

/// Two of three of finance, or two managers once it was escalated. Mia asked, and is in finance.
const FINANCE: [&str; 4] = ["ann", "bob", "cyd", "mia"];
const MANAGERS: [&str; 2] = ["cyd", "max"];

pub fn membership(who: &str) -> Membership {
    Membership(vec![FINANCE.contains(&who), MANAGERS.contains(&who)])
}

/// The same rule once more, told by names: what the checks compare the machine with.
pub fn enough_approve(request: &Request) -> bool {
    let approvals = |group: &[&str], stage: usize| {
        let voted = |who: &&&str| {
            request.votes.iter().any(|vote| {
                vote.by.person == PersonId::existing(**who)
                    && vote.choice == Choice::Approve
                    && vote.stages.contains(&stage)
            })
        };
        group.iter().filter(|who| **who != "mia").filter(voted).count()
    };
    approvals(&FINANCE, 0) >= 2 || request.stage >= 1 && approvals(&MANAGERS, 1) >= 2
}

fn user(name: &str) -> SlackUser {
    SlackUser { team: "T0MODEL".to_owned(), user: format!("U{name}"), enterprise: None }
}

pub fn person(name: &str) -> PersonFacts {
    PersonFacts {
        person: PersonId::existing(name),
        user: user(name),
        name: name.to_owned(),
        standing: Standing::Member,
    }
}

fn stage(group: &str, within: u32, remind: Vec<Span>) -> Stage {
    Stage {
        approvers: Approvers(vec![group.to_owned()]),
        place: Place(group.to_owned()),
        quorum: 2,
        within: Span::minutes(within),
        remind,
    }
}

/// Two minutes for finance with a reminder after one, one more minute for the managers, and an
/// approval is good for two.
fn terms() -> Terms {
    Terms {
        rule: "payments".to_owned(),
        policy_digest: "ab".repeat(32),
        risk: Risk::Normal,
        path: vec![stage("finance", 2, vec![Span::minutes(1)]), stage("managers", 1, Vec::new())],
        reason: ReasonRule::Optional,
        separation: Separation::Required,
        valid_for: Span::minutes(2),
    }
}

/// The action as it was proposed at noon, and the request for it as the machine opens it.
pub fn asked(retry: RetryClass) -> (Sealed, Request, Vec<Effect>) {
    let terms = terms();
    let mia = Requester {
        person: PersonId::existing("mia"),
        user: user("mia"),
        name: "mia".to_owned(),
        owner: None,
    };
    let sealed = Sealed::seal(Envelope {
        form: Envelope::FORM,
        workspace: WorkspaceId::existing("T0MODEL"),
        action: ActionId::existing("act_1"),
        request: Some(RequestId::existing("req_1")),
        run: None,
        node: None,
        agent: None,
        tool: ToolFacts {
            name: "payments.pay".to_owned(),
            version: "cd".repeat(32),
            schema_hash: "ef".repeat(32),
            retry,
        },
        arguments: json!({ "amount": 640 }),
        target: "POST https://payments.internal/pay".to_owned(),
        credential: "none".to_owned(),
        cwd: None,
        environment: Vec::new(),
        requester: mia,
        policy: PolicyFacts { rule: terms.rule.clone(), digest: terms.policy_digest.clone() },
        risk: terms.risk,
        asked_at: NOON,
        decide_by: Some(at(3)),
        valid_for: terms.valid_for,
    })
    .unwrap();
    let (request, effects) = open(&sealed, terms).unwrap();
    (sealed, request, effects)
}
