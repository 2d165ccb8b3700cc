//! One change to a sound file, one finding.

use super::{Severity, lint};
use crate::config::tests::{MINIMAL, accepted, changed};

use Severity::{Error, Warning};

const STAGE: &str = "{ approvers: finance, in: approvals, within: 30m }";
const URL: &str = "\"https://payments.example.com/refunds\"";
const PARAMETERS: &str = "{ type: object, properties: { amount: { type: number } } }";

/// Makes each change alone and compares all that is found: a table of exactly one finding a row.
#[track_caller]
fn finds(table: &[(&str, &str, Severity, &str)]) {
    for (from, to, severity, text) in table {
        let config = accepted(&changed(from, to));
        let found = lint(&config);
        let found =
            found.iter().filter(|finding| !is_about_the_minimal_file(finding.problem.text()));
        let found: Vec<_> =
            found.map(|finding| (finding.severity, finding.problem.text())).collect();
        assert_eq!(found, [(*severity, *text)], "{to}");
    }
}

/// The minimal file has one approver, which is worth a warning; see the test about it.
fn is_about_the_minimal_file(text: &str) -> bool {
    text.starts_with("only `jonas@example.com` can approve")
}

#[test]
fn names_that_stand_for_nothing() {
    finds(&[
        (
            "approvers: finance",
            "approvers: [finance, finanse]",
            Error,
            "there is no group called `finanse`",
        ),
        ("in: approvals", "in: managers", Error, "there is no channel called `managers`"),
        ("model: main", "model: mian", Error, "there is no model called `mian`"),
        ("demo.yaml }", "demo.yaml, fallback: spare }", Error, "there is no model called `spare`"),
        ("demo.yaml }", "demo.yaml, fallback: main }", Error, "`main` cannot stand in for itself"),
        ("tools: [refund]", "tools: [refund, pay]", Error, "there is no tool called `pay`"),
        ("tool: refund\n", "tool: [refund, refnud]\n", Error, "there is no tool called `refnud`"),
        ("tool: refund\n", "tool: [refund, db.*]\n", Error, "no tool matches `db.*`"),
        (
            "tool: refund\n",
            "tool: refund\n    agent: [ops, op]\n",
            Error,
            "there is no agent called `op`",
        ),
        (
            "tools: [refund]",
            "tools: [refund], channels: hall",
            Error,
            "there is no channel called `hall`",
        ),
    ]);
}

#[test]
fn paths_nobody_can_go() {
    let two = "groups:\n  pair: { users: [mia@example.com, jonas@example.com] }\n";
    finds(&[
        (
            "groups:\n",
            "groups:\n  empty: { users: [] }\n",
            Error,
            "the group `empty` is empty, and an empty group is nobody",
        ),
        (
            STAGE,
            "{ approvers: [], in: approvals, within: 30m }",
            Error,
            "nobody can approve at this stage",
        ),
        (
            "within: 30m",
            "within: 30m, quorum: 2",
            Error,
            "2 people must approve here, but only 1 can",
        ),
        (
            "within: 30m",
            "within: 30m, remind: [10m, 30m]",
            Error,
            "the reminder after 30 min comes when the stage has ended, after 30 min",
        ),
    ]);
    let path = "{ approvers: pair, in: approvals, within: 30m, quorum: 2 }\n        - \
                { approvers: finance, in: approvals, within: 30m }";
    let config = accepted(&changed(STAGE, path).replacen("groups:\n", two, 1));
    let found = lint(&config);
    let texts: Vec<_> = found.iter().map(|finding| finding.problem.text()).collect();
    let text =
        "this stage needs 1 to approve where an earlier one needs 2, so waiting makes it easier";
    assert_eq!(texts, [text]);
}

#[test]
fn two_accounts_of_one_person_are_one_voice() {
    let people = "people:\n  mia: { slack: [U0MIA1, U0MIA2] }\ngroups:\n  mias: { users: [U0MIA1, U0MIA2] }\n";
    let stage = "{ approvers: mias, in: approvals, within: 30m, quorum: 2 }";
    let found = lint(&accepted(&changed(STAGE, stage).replacen("groups:\n", people, 1)));
    assert_eq!(found[0].severity, Warning);
    assert_eq!(found[1].problem.text(), "2 people must approve here, but only 1 can");
}

#[test]
fn a_single_approver_is_warned_about_unless_they_may_approve_their_own() {
    let found = lint(&accepted(MINIMAL));
    let text = "only `jonas@example.com` can approve, so their own requests will always expire";
    let found: Vec<_> = found.iter().map(|found| (found.severity, found.problem.text())).collect();
    assert_eq!(found, [(Warning, text)]);
    let waived = changed("      path:\n", "      separation: waived\n      path:\n");
    assert_eq!(lint(&accepted(&waived)), []);
    let group = changed("{ users: [jonas@example.com] }", "{ slack_usergroup: S0FINANCE }");
    assert_eq!(lint(&accepted(&group)), [], "nobody can tell from the file who is in it");
}

#[test]
fn rules_nothing_reaches() {
    let before = |rules: &str| changed("  - name: refunds", &format!("{rules}  - name: refunds"));
    let taken = "the rule `refunds` can never match, because `first` above it takes everything";
    let table = [
        ("  - { name: first, allow: true }\n", Some(taken)),
        ("  - { name: first, tool: ref*, allow: true }\n", Some(taken)),
        ("  - { name: first, tool: refund, deny: no }\n", Some(taken)),
        ("  - { name: first, tool: refund, agent: ops, allow: true }\n", None),
        ("  - { name: first, when: args.amount < 5, allow: true }\n", None),
    ];
    for (rules, text) in table {
        let found = lint(&accepted(&before(rules)));
        let found = found.iter().filter(|found| found.severity == Error);
        assert_eq!(found.map(|found| found.problem.text()).next(), text, "{rules}");
    }
}

#[test]
fn tools_that_cannot_be_called_or_give_a_secret_away() {
    let with_credential = |url: &str| {
        let credential = "credential: { name: bot, secret: \"${TOKEN}\" }";
        format!("\"{url}\", {credential}")
    };
    let plain = with_credential("http://payments.example.com/refunds");
    finds(&[
        (
            PARAMETERS,
            "{ type: objekt }",
            Error,
            "`parameters` is not a usable JSON Schema (at `/type`: \"objekt\" is not valid under any of the schemas listed in the 'anyOf' keyword)",
        ),
        (
            PARAMETERS,
            "{ type: array }",
            Error,
            "`parameters` does not describe an object, and arguments are always one",
        ),
        (
            "    parameters",
            "    show: [amuont]\n    parameters",
            Error,
            "`show` names `amuont`, which is no argument of the tool",
        ),
        (
            URL,
            "\"https://payments.example.com/{{ args.charge }}\"",
            Error,
            "the template names `charge`, which is no argument of the tool",
        ),
        (
            URL,
            "\"https://payments.example.com/{{ amount }}\"",
            Error,
            "the template names `amount`, but knows only `args` and `key`",
        ),
        (
            URL,
            "\"https://payments.example.com/{{ args.amount\"",
            Error,
            "the template cannot be read (unexpected end of input, expected end of variable block)",
        ),
        (
            URL,
            "\"https://{{ args.amount }}.example.com/\"",
            Error,
            "the arguments choose which host is called",
        ),
        (URL, "\"payments.example.com\"", Error, "the URL does not start with https:// or http://"),
        (URL, "\"ftp://payments.example.com\"", Error, "the URL cannot be called"),
        (
            URL,
            "\"https://bot:pw@payments.example.com\"",
            Error,
            "a name or a password stands in the URL",
        ),
        (URL, plain.as_str(), Error, "the credential `bot` would travel unencrypted"),
        (
            "POST, url",
            "POST, body: { a: [\"{{ args.x }}\"] }, url",
            Error,
            "the template names `x`, which is no argument of the tool",
        ),
    ]);
    let local = changed(URL, &with_credential("http://127.0.0.1:9000/refunds"));
    assert!(lint(&accepted(&local)).iter().all(|found| found.severity == Warning));
    let http = format!("http: {{ method: POST, url: {URL} }}");
    finds(&[
        (
            &http,
            "command: { argv: [\"/usr/bin/{{ args.amount }}\"] }",
            Error,
            "the arguments choose which program runs",
        ),
        (
            &http,
            "command: { argv: [/bin/ledger, \"{{ args.id }}\"] }",
            Error,
            "the template names `id`, which is no argument of the tool",
        ),
    ]);
}

#[test]
fn conditions_that_can_never_be_judged() {
    let when = |source: &str| format!("tool: refund\n    when: {source}\n");
    let prefix = "the condition cannot be judged for `refund`, because it";
    let unknown =
        format!("{prefix} names `args.amuont`, which does not exist; known there: amount");
    let mismatch = "the condition cannot be judged for `refund`, because a number and a text can never be \
                    put in order";
    finds(&[
        ("tool: refund\n", &when("args.amuont <= 50"), Error, &unknown),
        ("tool: refund\n", &when("args.amount <= \"50\""), Error, mismatch),
    ]);
    let sound = changed("tool: refund\n", &when("args.amount <= 50"));
    assert!(lint(&accepted(&sound)).iter().all(|found| found.severity == Warning));
}

#[test]
fn who_answers_where() {
    let other = |rest: &str| {
        let agents = format!("agents:\n  aide: {{ model: main, instructions: Help., {rest} }}\n");
        changed("agents:\n", &agents)
    };
    let table = [
        ("default: true", None),
        (
            "tools: []",
            Some((Warning, "no agent is the default, so nobody answers direct messages")),
        ),
        (
            "channels: [approvals, approvals], default: true",
            Some((Error, "`aide` answers in `approvals` already")),
        ),
    ];
    for (rest, finding) in table {
        let found = lint(&accepted(&other(rest)));
        let mut found = found.iter().map(|found| (found.severity, found.problem.text()));
        let found = found.find(|(_, text)| !is_about_the_minimal_file(text));
        assert_eq!(found, finding, "{rest}");
    }
    let both =
        other("default: true").replacen("tools: [refund]", "tools: [refund], default: true", 1);
    let found = lint(&accepted(&both));
    let texts: Vec<_> = found.iter().map(|found| found.problem.text()).collect();
    assert!(texts.contains(&"`aide` and `ops` are both the default agent"), "{texts:?}");
}

#[test]
fn a_limit_on_cost_needs_every_price() {
    let limited = changed("tools: [refund]", "tools: [refund], limits: { cost: 1.5 }");
    let models = |spare: &str| {
        let main =
            "{ provider: ollama, model: m, price: { input: 1, output: 2 }, fallback: spare }";
        let models = format!("{main}\n  spare: {{ provider: ollama, model: s{spare} }}");
        limited.replace("{ provider: script, script: demo.yaml }", &models)
    };
    let errors = |text: &str| -> Vec<_> {
        let found = lint(&accepted(text)).into_iter();
        let errors = found.filter(|finding| finding.severity == Error);
        errors.map(|finding| finding.problem.text().to_owned()).collect()
    };
    assert_eq!(errors(&limited), Vec::<String>::new(), "a script costs nothing");
    assert_eq!(errors(&models(", price: { input: 1, output: 2 }")), Vec::<String>::new());
    let missing = "`ops` has a limit on its cost, but its model `spare` has no price";
    assert_eq!(errors(&models("")), [missing]);
}

#[test]
fn the_form_of_an_answer_must_be_one() {
    let text = changed("tools: [refund]", "tools: [refund], answer: { type: nonsense }");
    let found = lint(&accepted(&text));
    assert!(
        found
            .iter()
            .any(|finding| finding.problem.text().contains("`answer` is not a usable JSON")),
        "{found:?}"
    );
}

#[test]
fn a_pin_belongs_to_a_server_and_to_its_words() {
    let pin = "0".repeat(64);
    let mcp = format!("mcp: {{ server: flies, tool: read, pin: \"sha256:{pin}\" }}");
    let text = changed(&format!("http: {{ method: POST, url: {URL} }}"), &mcp);
    let servers = "mcp:\n  files: { command: { argv: [/usr/bin/files] } }\ntools:\n";
    let found = lint(&accepted(&text.replacen("tools:\n", servers, 1)));
    let told: Vec<_> = found
        .iter()
        .filter(|finding| finding.severity == Error)
        .map(|finding| (finding.problem.text(), finding.problem.mend()))
        .collect();
    let pinned = "the pin is not that of this `tool`, `description` and `parameters`";
    let mend = "run `countersign mcp pin`, read what the server says, and paste it";
    let named = ("there is no MCP server called `flies`", "did you mean `files`?");
    assert_eq!(told, [named, (pinned, mend)]);
}
