use serde_json::{Value, json};

use super::*;
use crate::approval::{Requester, SlackUser};
use crate::base::PersonId;

fn requester() -> Requester {
    Requester {
        person: PersonId::existing("per_mia"),
        user: SlackUser { team: "T1".into(), user: "U_MIA".into(), enterprise: None },
        name: "Mia".into(),
        owner: None,
    }
}

fn judged(source: &str, arguments: &Value) -> Result<bool, String> {
    Condition::compile(source).expect(source).holds(&Proposal {
        tool: "payments.refund",
        agent: None,
        arguments,
        requester: &requester(),
        target: "POST https://payments.internal/refunds",
    })
}

#[test]
fn conditions_answer_for_what_they_are_given() {
    let args = json!({
        "amount": 40, "exact": 40.5, "currency": "EUR", "tags": ["a", "b"],
        "charge": {"id": "ch_1"}, "lines": [{"sum": 10}, {"sum": 30}], "note": null,
    });
    for (source, answer) in [
        ("args.amount <= 50", true),
        ("args.amount <= 39.5", false),
        ("args.exact > 40", true),
        ("args.currency in ['EUR', 'USD']", true),
        ("args.charge.id.startsWith('ch_')", true),
        ("args['charge']['id'] == 'ch_1'", true),
        ("has(args.nothing)", false),
        ("has(args.nothing) && args.nothing > 1", false),
        ("args.lines.all(line, line.sum <= 30)", true),
        ("args.lines.exists_one(line, line.sum > 10)", true),
        ("args.tags.filter(tag, tag == 'a').size() == 1", true),
        ("args.lines.map(line, line.sum).exists(sum, sum == 30)", true),
        ("args.note == null", true),
        ("args.currency.matches('^[A-Z]{3}$')", true),
        ("tool == 'payments.refund' && agent == null", true),
        ("requester.user == 'U_MIA' && requester.owner == null", true),
        ("target.contains('payments.internal')", true),
        ("args.amount > 10 ? args.exact > 40.0 : false", true),
        ("-args.amount < 0 && args.amount % 2 == 0", true),
    ] {
        assert_eq!(judged(source, &args), Ok(answer), "{source}");
    }
}

/// Each of these is where a looser language would have answered yes or no.
#[test]
fn what_cannot_be_worked_out_is_an_error_with_a_reason() {
    let args = json!({
        "amount": "250", "n": 1, "big": 9_007_199_254_740_991_i64, "list": [1], "no": false,
    });
    for (source, reason) in [
        ("args.amount > 100", "no matching overload"),
        ("args.missing > 1", "`missing` is missing"),
        ("args.n / 0 == 1", "divides by zero"),
        ("args.big * args.big > 0", "too large"),
        ("args.list[3] == 1", "shorter than the index"),
        ("int(args.amount + 'x') > 1", "`int` cannot work"),
        ("args.n", "does not answer yes or no"),
    ] {
        let why = judged(source, &args).expect_err(source);
        assert!(why.contains(reason), "{source}: {why}");
    }
    assert!(judged("true", &json!("x".repeat(100_000))).is_err());
}

/// The reason ends up in logs and on cards, and an argument may be secret.
#[test]
fn a_reason_never_quotes_an_argument() {
    let args = json!({"key": "s3cr3t-canary", "n": 1});
    for source in [
        "args.key > 1",
        "args.key + 1 == 2",
        "int(args.key) > 1",
        "args.key[0] == 1",
        "args.key.missing == 1",
        "args.n.contains(args.key)",
        "args[args.key] == 1",
        "bool(args.key)",
        "args.key",
        "{args.key: 1, args.key: 2}.size() > 0",
    ] {
        let why = judged(source, &args).expect_err(source);
        assert!(!why.contains("canary"), "{source}: {why}");
    }
}

#[test]
fn conditions_that_can_never_be_used_are_refused_when_read() {
    use ConditionError as E;
    type IsIt = fn(&E) -> bool;
    let table: &[(&str, IsIt)] = &[
        ("", |e| matches!(e, E::Syntax { .. })),
        ("args.amount <", |e| matches!(e, E::Syntax { .. })),
        ("args.?amount == 1", |e| matches!(e, E::Syntax { .. })),
        ("amount <= 50", |e| *e == E::UnknownName("amount".into())),
        ("now > 1", |e| *e == E::UnknownName("now".into())),
        ("args.all(x, x == y)", |e| *e == E::UnknownName("y".into())),
        ("args.list.all(x, true) && x", |e| *e == E::UnknownName("x".into())),
        ("type(args) == string", |e| matches!(e, E::UnknownName(_) | E::UnknownFunction(_))),
        ("exec('rm')", |e| *e == E::UnknownFunction("exec".into())),
        ("optional.of(1).hasValue()", |e| *e == E::UnknownName("optional".into())),
        ("Thing{a: 1}.a", |e| *e == E::UnknownName("Thing".into())),
        ("requester.name == 'Mia'", |e| matches!(e, E::UnknownField { .. })),
        ("args.a.all(x, args.b.all(y, x == y))", |e| *e == E::NestedComprehension),
        ("args.a.exists(x, x.map(y, y).size() > 0)", |e| *e == E::NestedComprehension),
        ("args.amount + 1", |e| matches!(e, E::NotYesOrNo(_))),
        ("'yes'", |e| matches!(e, E::NotYesOrNo(_))),
        ("1 < 'a'", |e| matches!(e, E::NeverFits(_))),
        ("1 == 'a'", |e| matches!(e, E::NeverFits(_))),
        ("tool > 3", |e| matches!(e, E::NeverFits(_))),
        ("tool && true", |e| matches!(e, E::NeverFits(_))),
        ("tool.name == 'x'", |e| matches!(e, E::NeverFits(_))),
        ("args.s.matches('(')", |e| *e == E::BadPattern("(".into())),
        ("args.l.exists(x, x.matches('['))", |e| *e == E::BadPattern("[".into())),
        ("args.s.matches(args.t)", |e| *e == E::PatternNotWrittenOut),
    ];
    for (source, expected) in table {
        let error = Condition::compile(source).expect_err(source);
        assert!(expected(&error), "{source}: {error:?}");
    }
    assert_eq!(Condition::compile(&"!".repeat(5000)).unwrap_err(), E::TooLong);
}

#[test]
fn conditions_are_checked_against_the_schema_of_a_tool() {
    let schema = json!({
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "count": {"type": "integer"},
            "currency": {"type": "string", "enum": ["EUR", "USD"]},
            "note": {"type": ["string", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "charge": {"type": "object", "properties": {"id": {"type": "string"}}},
            "free": {"type": "object", "additionalProperties": true, "properties": {}},
            "other": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "dry_run": {"type": "boolean"},
        },
    });
    let good = [
        "args.amount <= 50",
        "args.amount <= 49.5",
        "args.count * 2 < 10",
        "args.amount * 2 < 10",
        "args.currency == 'EUR'",
        "args.currency in ['EUR']",
        "'EUR' == args.currency",
        "args.note == null || args.note.size() > 3",
        "args.tags.all(t, t.startsWith('x'))",
        "'a' in args.tags",
        "args.charge.id == 'x'",
        "args['charge'].id == 'x'",
        "args.free.anything == 1",
        "args.other == 1 || args.other == 'x'",
        "args.dry_run",
        "has(args.note)",
        "args.tags[0] == 'a'",
        "args.dry_run ? true : args.count == 1",
    ];
    for source in good {
        let condition = Condition::compile(source).expect(source);
        assert_eq!(condition.type_check(&schema), Ok(()), "{source}");
    }
    let bad = [
        ("args.amout <= 50", "`args.amout`"),
        ("has(args.amout)", "`args.amout`"),
        ("args['amout'] <= 50", "`args.amout`"),
        ("args.charge.name == 'x'", "`args.charge.name`"),
        ("args.amount <= '50'", "a number and a text can never be put in order"),
        ("args.currency <= 50", "a text and a number"),
        ("args.currency == 'EURO'", "it is one of \"EUR\", \"USD\""),
        ("args.currency in ['EUR', 'GBP']", "GBP"),
        ("args.amount in ['1']", "can never be equal"),
        ("args.tags == 'a'", "a list and a text"),
        ("1 in args.tags", "a number and a text"),
        ("args.tags.all(t, t > 1)", "a text and a number"),
        ("args.count + 'x' == 'x'", "can never be added"),
        ("args.count + 0.5 > 1.0", "can never be added"),
        ("args.dry_run.startsWith('t')", "a text is needed"),
        ("args.currency.code == 'EUR'", "has no `code`"),
        ("args.tags.size", "has no `size`"),
        ("args.note", "not a yes or no"),
        ("!args.count", "a yes or no is needed"),
    ];
    for (source, reason) in bad {
        let error =
            Condition::compile(source).expect(source).type_check(&schema).expect_err(source);
        assert!(error.to_string().contains(reason), "{source}: {error}");
    }
}

#[test]
fn a_condition_works_within_its_caps() {
    let list: Vec<u32> = (0..1000).collect();
    let args = json!({"a": list, "b": list});
    assert_eq!(judged("args.a.all(x, x in args.b)", &args), Ok(true));
}

/// The parser and the engine recurse: what is too deep must be refused, not end the process.
#[test]
fn depth_is_refused_before_it_can_exhaust_the_stack() {
    let whole = |part: &str| part.repeat(4000 / part.len());
    for source in [
        format!("{}true{}", "(".repeat(2000), ")".repeat(2000)),
        format!("{}1{} == 1", "[".repeat(2000), "]".repeat(2000)),
        format!("{}1 == 1", whole("1+")),
        format!("{}1", whole("1<")),
        format!("args{} == 1", whole(".a")),
        format!("args{} == 1", whole("[1]")),
        format!("{}'a'{} == 'a'", "string(".repeat(25), ")".repeat(25)),
    ] {
        assert_eq!(Condition::compile(&source).unwrap_err(), ConditionError::TooDeep, "{source}");
    }
    let many = format!("{}true", "args.a == 'x' && ".repeat(200));
    assert_eq!(judged(&many, &json!({"a": "x"})), Ok(true));
    let deep = format!("args.a{} > 0", " + 1".repeat(20));
    assert_eq!(judged(&deep, &json!({"a": 1})), Ok(true));
}
