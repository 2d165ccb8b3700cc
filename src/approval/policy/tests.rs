use serde_json::json;

use super::*;
use crate::approval::sample::{ask, mia, stage, terms};

fn rule(name: &str, tool: &str, when: Option<&str>, then: Then) -> Rule {
    Rule {
        name: name.to_owned(),
        tools: vec![tool.to_owned()],
        agents: Vec::new(),
        when: when.map(|source| Condition::compile(source).unwrap()),
        then,
    }
}

fn finance() -> Ask {
    ask(vec![stage("finance", 1)])
}

fn refunds() -> Policy {
    Policy::new(
        vec![
            rule("small", "payments.refund", Some("args.amount <= 50"), Then::Allow),
            rule(
                "never USD",
                "payments.*",
                Some("args.currency == 'USD'"),
                Then::Deny { reason: "we refund in EUR".to_owned() },
            ),
            rule("refunds", "payments.refund", None, Then::Ask(finance())),
            rule("looking", "orders.lookup", None, Then::Allow),
        ],
        None,
    )
}

fn says(policy: &Policy, tool: &str, arguments: &Value) -> String {
    let requester = mia();
    let proposal =
        Proposal { tool, agent: Some("ops"), arguments, requester: &requester, target: "x" };
    match policy.rule_on(&proposal) {
        Ruling::Allow { rule } => format!("allow by {rule}"),
        Ruling::Deny { rule, .. } => format!("deny by {rule}"),
        Ruling::Ask { rule, because: None, .. } => format!("ask by {rule}"),
        Ruling::Ask { rule, because: Some(_), .. } => format!("ask by {rule}, in doubt"),
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let policy = refunds();
    let table = [
        ("payments.refund", json!({"amount": 50, "currency": "USD"}), "allow by small"),
        ("payments.refund", json!({"amount": 49.99, "currency": "EUR"}), "allow by small"),
        ("payments.refund", json!({"amount": 50.01, "currency": "EUR"}), "ask by refunds"),
        ("payments.refund", json!({"amount": 640, "currency": "USD"}), "deny by never USD"),
        ("orders.lookup", json!({}), "allow by looking"),
        ("db.execute", json!({}), "deny by default"),
    ];
    for (tool, arguments, expected) in table {
        assert_eq!(says(&policy, tool, &arguments), expected, "{tool} {arguments}");
    }
}

#[test]
fn a_condition_that_fails_never_allows() {
    let with_default = |rules| Policy::new(rules, Some(finance()));
    let allow = || rule("a", "t", Some("args.amount <= 50"), Then::Allow);
    let deny = || {
        let then = Then::Deny { reason: "no".to_owned() };
        rule("d", "t", Some("args.amount > 50"), then)
    };
    let asks = || rule("q", "t", Some("args.amount > 50"), Then::Ask(finance()));
    let anything = || rule("z", "t", None, Then::Allow);
    let doubtful = [json!({}), json!({"amount": "40"}), json!({"amount": null}), json!([1])];
    for arguments in &doubtful {
        let table = [
            (Policy::new(vec![allow(), anything()], None), "deny by a"),
            (with_default(vec![allow(), anything()]), "ask by a, in doubt"),
            (Policy::new(vec![deny(), anything()], None), "deny by d"),
            (with_default(vec![deny(), anything()]), "ask by d, in doubt"),
            (Policy::new(vec![asks(), anything()], None), "ask by q, in doubt"),
        ];
        for (policy, expected) in table {
            assert_eq!(says(&policy, "t", arguments), expected, "{arguments}");
        }
    }
}

#[test]
fn arguments_too_large_to_judge_are_asked_about() {
    let policy = Policy::new(
        vec![rule("a", "t", Some("size(args.list) > 0"), Then::Allow)],
        Some(finance()),
    );
    let list: Vec<u32> = (0..3000).collect();
    assert_eq!(says(&policy, "t", &json!({ "list": list })), "ask by a, in doubt");
}

#[test]
fn an_approval_survives_only_a_policy_that_still_permits_it() {
    let requester = mia();
    let arguments = json!({ "amount": 640, "currency": "EUR" });
    let proposal = Proposal {
        tool: "payments.refund",
        agent: None,
        arguments: &arguments,
        requester: &requester,
        target: "x",
    };
    let granted = Terms {
        reason: ReasonRule::Required,
        ..terms(vec![stage("finance", 2), stage("managers", 1)])
    };
    let both = || vec![stage("finance", 2), stage("managers", 1)];
    let of = |groups: &[&str], quorum| Stage {
        approvers: Approvers(groups.iter().map(|&group| group.to_owned()).collect()),
        ..stage("", quorum)
    };
    let asking = |ask| Policy::new(vec![rule("r", "*", None, Then::Ask(ask))], None);
    let table = [
        ("the same", asking(ask(both())), true),
        ("allowed by now", Policy::new(vec![rule("r", "*", None, Then::Allow)], None), true),
        ("denied by now", Policy::new(Vec::new(), None), false),
        ("a lower quorum", asking(ask(vec![stage("finance", 1), stage("managers", 1)])), true),
        ("a higher quorum", asking(ask(vec![stage("finance", 3), stage("managers", 1)])), false),
        ("other people", asking(ask(vec![stage("board", 1)])), false),
        // A manager may have approved, and managers no longer may.
        ("a stage less", asking(ask(vec![stage("finance", 1)])), false),
        ("a stage more", asking(ask([both(), vec![stage("board", 2)]].concat())), true),
        ("more people", asking(ask(vec![of(&["managers", "finance"], 1)])), true),
        ("no one", asking(ask(Vec::new())), false),
        ("a longer time", asking(Ask { valid_for: Span::minutes(11), ..ask(both()) }), true),
        ("a shorter time", asking(Ask { valid_for: Span::minutes(9), ..ask(both()) }), false),
        ("a lower risk", asking(Ask { risk: Risk::Low, ..ask(both()) }), true),
        ("a higher risk", asking(Ask { risk: Risk::High, ..ask(both()) }), false),
        ("a reason", asking(Ask { reason: ReasonRule::Required, ..ask(both()) }), true),
    ];
    for (change, policy, permits) in table {
        assert_eq!(policy.still_permits(&proposal, Some(&granted)), permits, "{change}");
        let allowed = matches!(policy.rule_on(&proposal), Ruling::Allow { .. });
        assert_eq!(policy.still_permits(&proposal, None), allowed, "unasked, {change}");
    }
    let loose =
        Terms { reason: ReasonRule::Optional, separation: Separation::Waived, ..granted.clone() };
    for stricter in [
        Ask { reason: ReasonRule::Required, separation: Separation::Waived, ..ask(both()) },
        ask(both()),
    ] {
        assert!(!asking(stricter).still_permits(&proposal, Some(&loose)));
    }
}

#[test]
fn any_change_of_a_rule_changes_the_digest() {
    let one = |then| Policy::new(vec![rule("r", "t", Some("true"), then)], None);
    let digests = [
        one(Then::Allow),
        one(Then::Deny { reason: "no".to_owned() }),
        one(Then::Ask(finance())),
        one(Then::Ask(ask(vec![stage("finance", 2)]))),
        Policy::new(vec![rule("r", "t", Some("false"), Then::Allow)], None),
        Policy::new(vec![rule("s", "t", Some("true"), Then::Allow)], None),
        Policy::new(vec![rule("r", "u", Some("true"), Then::Allow)], None),
        Policy::new(vec![rule("r", "t", Some("true"), Then::Allow)], Some(finance())),
    ]
    .map(|policy| policy.digest().to_owned());
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}
