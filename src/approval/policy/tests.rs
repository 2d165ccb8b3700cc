use super::*;
use crate::approval::sample::{NOON, ask, mia, stage, terms};
use crate::approval::{Condition, ConditionError};

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
        Proposal { tool, agent: Some("ops"), arguments, requester: &requester, target: "x", now: NOON };
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
fn conditions_that_could_misbehave_are_refused_when_the_policy_is_read() {
    let nested = "args.a.all(x, args.b.all(y, x == y))";
    let table: [(&str, fn(&ConditionError) -> bool); 6] = [
        ("args.amount <=", |error| matches!(error, ConditionError::Syntax(_))),
        ("amount <= 50", |error| matches!(error, ConditionError::UnknownName(name) if name == "amount")),
        (nested, |error| matches!(error, ConditionError::NestedComprehension)),
        ("args.amount + 1", |error| matches!(error, ConditionError::NotYesOrNo)),
        ("'yes'", |error| matches!(error, ConditionError::NotYesOrNo)),
        ("args", |error| matches!(error, ConditionError::NotYesOrNo)),
    ];
    for (source, expected) in table {
        let error = Condition::compile(source).unwrap_err();
        assert!(expected(&error), "{source}: {error:?}");
    }
    for source in ["args.items.all(x, x < 5) && args.other.exists(y, y == 1)", "true", "has(args.a)"] {
        assert!(Condition::compile(source).is_ok(), "{source}");
    }
}

#[test]
fn a_condition_is_held_against_the_schema() {
    let schema = json!({ "type": "object", "properties": {
        "amount": { "type": "number" }, "customer": { "properties": { "id": { "type": "string" } } },
        "open": {},
    }});
    let table = [
        ("args.amount <= 50", None),
        ("args.customer.id == 'x' && args.open.anything > 1", None),
        ("args.amont <= 50", Some("it names `args.amont`, which the tool's schema does not know")),
        ("args.amount <= '50'", Some("it compares `args.amount`, which is a number, with a text")),
        ("5 < args.customer.id", Some("it compares `args.customer.id`, which is a string, with a number")),
    ];
    for (source, complaint) in table {
        let checked = Condition::compile(source).unwrap().type_check(&schema);
        assert_eq!(checked.err().map(|error| error.to_string()).as_deref(), complaint, "{source}");
    }
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
        now: NOON,
    };
    let granted = terms(vec![stage("finance", 1), stage("managers", 1)]);
    let asking = |path| Policy::new(vec![rule("r", "*", None, Then::Ask(ask(path)))], None);
    let table = [
        (asking(vec![stage("finance", 1), stage("managers", 1)]), true),
        (asking(vec![stage("finance", 1)]), true),
        (asking(vec![stage("finance", 2)]), false),
        (asking(vec![stage("board", 1)]), false),
        (Policy::new(vec![rule("r", "*", None, Then::Allow)], None), true),
        (Policy::new(Vec::new(), None), false),
    ];
    for (policy, permits) in table {
        assert_eq!(policy.still_permits(&proposal, Some(&granted)), permits, "{policy:?}");
        let allowed = matches!(policy.rule_on(&proposal), Ruling::Allow { .. });
        assert_eq!(policy.still_permits(&proposal, None), allowed, "{policy:?}");
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
