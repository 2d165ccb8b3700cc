//! Files that can be read and make no sense, and what people are told.

use insta::assert_snapshot;

use super::{MINIMAL, accepted, changed, env, told};
use crate::config::read;

#[test]
fn how_long_what_has_ended_is_kept() {
    let told = told(&[
        ("groups:\n", "retention: { requests: 2d }\ngroups:\n"),
        ("groups:\n", "retention: { runs: 167h }\ngroups:\n"),
        ("groups:\n", "retention: { requests: 30d, runs: 31d }\ngroups:\n"),
        ("groups:\n", "retention: { requests: 30 }\ngroups:\n"),
        ("groups:\n", "retention: { conversations: 30d }\ngroups:\n"),
        ("groups:\n", "retention: { requests: 30d, runs: 7d }\ngroups:\n"),
    ]);
    assert_snapshot!(told, @"
    countersign.yaml:4:24: 2 d is too short to know again what comes twice; write at least `7d`
      |
    4 | retention: { requests: 2d }
      |                        ^^

    countersign.yaml:4:20: 6 d 23 h is too short to know again what comes twice; write at least `7d`
      |
    4 | retention: { runs: 167h }
      |                    ^^^^

    countersign.yaml:4:35: a conversation would still say what a reduced request was about; write at most what `requests` has, 30 d
      |
    4 | retention: { requests: 30d, runs: 31d }
      |                                   ^^^

    countersign.yaml:4:24: `30` is not a length of time; write it like `30m`, `1h 30m` or `45s`
      |
    4 | retention: { requests: 30 }
      |                        ^^

    countersign.yaml:4:14: unknown key `conversations`; the keys here are `requests`, `runs`
      |
    4 | retention: { conversations: 30d }
      |              ^^^^^^^^^^^^^

    accepted: retention: { requests: 30d, runs: 7d }
    groups:
    ");
}

#[test]
fn names_and_ids() {
    let told = told(&[
        ("  finance:", "  the finance team:"),
        ("jonas@example.com", "jonas"),
        ("{ users: [jonas@example.com] }", "{ slack_usergroup: managers }"),
        ("{ users: [jonas@example.com] }", "{ users: [], slack_usergroup: S0MANAGERS }"),
        ("\"#approvals\"", "approvals"),
        ("\"#approvals\"", "#approvals"),
        (
            "groups:\n",
            "people:\n  jonas: { slack: [U0A, jonas] }\n  other: { slack: U0A }\ngroups:\n",
        ),
        ("bot_token: ${BOT}", "bot_token: ${BOT}\n  app_id: T0123"),
        ("bot_token: ${BOT}", "bot_token: ${BOT}\n  timeout: 16s"),
        ("groups:\n", "listen: localhost\ngroups:\n"),
        ("groups:\n", "limits: { recursion: 0 }\ngroups:\n"),
        ("groups:\n", "store: mysql://db/countersign\ngroups:\n"),
    ]);
    assert_snapshot!(told, @r##"
    countersign.yaml:5:3: `the finance team` cannot be a name; use up to 64 letters, digits, `.`, `_` and `-`
      |
    5 |   the finance team: { users: [jonas@example.com] }
      |   ^^^

    countersign.yaml:5:22: `jonas` is neither an e-mail address nor the id of a Slack account; write `name@example.com`, or a member id like `U0123ABCD`
      |
    5 |   finance: { users: [jonas] }
      |                      ^^^^^

    countersign.yaml:5:31: `managers` is not the id of a Slack user group; copy it from the group's page; it starts with `S`
      |
    5 |   finance: { slack_usergroup: managers }
      |                               ^^^^^^^^

    countersign.yaml:5:3: the group `finance` must say in one way who is in it; write either `users: [...]` or `slack_usergroup: S…`
      |
    5 |   finance: { users: [], slack_usergroup: S0MANAGERS }
      |   ^^^^^^^

    countersign.yaml:7:14: `approvals` is not a channel; write its name in quotes, "#approvals", or its id, `C…`
      |
    7 |   approvals: approvals
      |              ^^^^^^^^^

    countersign.yaml:7:12: nothing stands here; write a value; one that starts with `#` needs quotes
      |
    7 |   approvals: #approvals
      |            ^

    countersign.yaml:5:25: `jonas` is not the id of a Slack account; copy the member id from their profile: `U…`
      |
    5 |   jonas: { slack: [U0A, jonas] }
      |                         ^^^^^

    countersign.yaml:6:19: `U0A` already belongs to `jonas`; give each account to one person
      |
    6 |   other: { slack: U0A }
      |                   ^^^

    countersign.yaml:4:11: `T0123` is not the id of an app; copy it from the app's page; it starts with `A`
      |
    4 |   app_id: T0123
      |           ^^^^^

    countersign.yaml:4:12: Slack answers within seconds or not at all; give it at most 15s
      |
    4 |   timeout: 16s
      |            ^^^

    countersign.yaml:4:9: `localhost` cannot be read here; write an address and a port, `127.0.0.1:3000`
      |
    4 | listen: localhost
      |         ^^^^^^^^^

    countersign.yaml:4:11: a number above zero belongs here; write at least 1
      |
    4 | limits: { recursion: 0 }
      |           ^^^^^^^^^

    countersign.yaml:4:8: the store must be a SQLite file or a Postgres server; write `sqlite://countersign.db`, an absolute path, `sqlite:///var/lib/…`, or `postgres://user@host/database`
      |
    4 | store: mysql://db/countersign
      |        ^^^^^^^^^^^^^^^^^^^^^^
    "##);
}

#[test]
fn servers_and_their_tools() {
    let server = "mcp:\n  files: { command: { argv: [/usr/bin/files] } }\ntools:\n";
    let with_mcp = |mcp: &str| format!("refunds\" }}\n    mcp: {mcp}");
    let pin = format!("{{ server: files, tool: read, pin: \"sha256:{}\" }}", "0".repeat(64));
    let told = told(&[
        ("tools:\n", "mcp:\n  files: {}\ntools:\n"),
        ("tools:\n", "mcp:\n  files: { command: { argv: [] } }\ntools:\n"),
        ("tools:\n", "mcp:\n  files: { command: { argv: [npx, files] } }\ntools:\n"),
        (
            "tools:\n",
            "mcp:\n  files: { http: { url: \"http://x.example/\", credential: { name: x, secret: \"${X}\" } } }\ntools:\n",
        ),
        ("refunds\" }", &with_mcp(&pin)),
        (
            "http: { method: POST, url: \"https://payments.example.com/refunds\" }",
            "mcp: { server: files, tool: read, pin: abc }",
        ),
        (
            "http: { method: POST, url: \"https://payments.example.com/refunds\" }",
            &format!("mcp: {pin}\n    retry: keyed\n    keyed_for: 1h"),
        ),
    ]);
    assert!(accepted(&changed("tools:\n", server)).mcp.contains_key("files"));
    assert_snapshot!(told, @r#"
    countersign.yaml:11:3: the MCP server `files` must be reached in exactly one way; write either `command:` or `http:`
       |
    11 |   files: {}
       |   ^^^^^

    countersign.yaml:11:21: `argv` names no program; write `argv: [/usr/bin/program, argument]`
       |
    11 |   files: { command: { argv: [] } }
       |                     ^

    countersign.yaml:11:30: `npx` is not an absolute path to a program; write where it is, like `/usr/bin/npx`
       |
    11 |   files: { command: { argv: [npx, files] } }
       |                              ^^^

    countersign.yaml:11:25: `http://x.example/` would send a secret unencrypted; use https, or an address on this machine
       |
    11 |   files: { http: { url: "http://x.example/", credential: { name: x, secret: "${X}" } } }
       |                         ^^^^^^^^^^^^^^^^^^^

    countersign.yaml:11:3: it must do exactly one thing when it is called; write one of `http:`, `command:` and `mcp:`
       |
    11 |   refund:
       |   ^^^^^^

    countersign.yaml:14:44: `abc` cannot be read here; run `countersign mcp pin` and paste what it prints
       |
    14 |     mcp: { server: files, tool: read, pin: abc }
       |                                            ^^^

    countersign.yaml:11:3: the tool `refund` is an MCP server's, and none of those is keyed; write `retry: once`, or `pure` if it changes nothing
       |
    11 |   refund:
       |   ^^^^^^
    "#);
}

#[test]
fn models_and_tools() {
    let told = told(&[
        ("script: demo.yaml", "model: gpt-5"),
        ("demo.yaml }", "demo.yaml, max_tokens: 5 }"),
        ("script, script: demo.yaml", "ollama, model: m, timeout: 0s"),
        ("script, script: demo.yaml", "ollama, model: m, price: { input: -1, output: 2 }"),
        ("tools: [refund]", "tools: [refund], limits: { cost: 0 }"),
        ("provider: script, script: demo.yaml", "provider: script"),
        ("provider: script, script: demo.yaml", "provider: ollama"),
        ("provider: script", "provider: ollama, model: llama"),
        ("    http: { method: POST, url: \"https://payments.example.com/refunds\" }\n", ""),
        ("refunds\" }", "refunds\" }\n    command: { argv: [ledger] }"),
        (
            "http: { method: POST, url: \"https://payments.example.com/refunds\" }",
            "command: { argv: [] }",
        ),
        ("refunds\" }", "refunds\", timeout: 0s }"),
        ("refunds\" }", "refunds\", body: everything }"),
        ("refunds\" }", "refunds\" }\n    retry: keyed"),
        ("refunds\" }", "refunds\" }\n    keyed_for: 24h"),
        ("refunds\" }", "refunds\" }\n    retry: probe"),
        ("refunds\" }", "refunds\" }\n    retry: probe\n    probe: {}"),
        ("refunds\" }", "refunds\" }\n    probe: { command: { argv: [ledger] } }"),
    ]);
    assert_snapshot!(told, @r#"
    countersign.yaml:9:3: the model `main` is a script and asks no API; keep only `provider: script` and `script: path`
      |
    9 |   main: { provider: script, model: gpt-5 }
      |   ^^^^

    countersign.yaml:9:3: the model `main` is a script and asks no API; keep only `provider: script` and `script: path`
      |
    9 |   main: { provider: script, script: demo.yaml, max_tokens: ••••••••
      |   ^^^^

    countersign.yaml:9:48: no call ends within no time; give it at least a second
      |
    9 |   main: { provider: ollama, model: m, timeout: 0s }
      |                                                ^^

    countersign.yaml:9:46: a price is no amount of money; write `{ input: 1.25, output: 10 }`, per million tokens
      |
    9 |   main: { provider: ollama, model: m, price: { input: -1, output: 2 } }
      |                                              ^

    countersign.yaml:22:77: the cost is no amount of money; write it in the currency of your prices, like `0.50`
       |
    22 |   ops: { model: main, instructions: Help., tools: [refund], limits: { cost: 0 } }
       |                                                                             ^

    countersign.yaml:9:3: the model `main` has no script to follow; add `script: path`
      |
    9 |   main: { provider: script }
      |   ^^^^

    countersign.yaml:9:3: `main` does not say which model it is; add `model: …`, the provider's own name for it
      |
    9 |   main: { provider: ollama }
      |   ^^^^

    countersign.yaml:9:51: the model `main` has a script and an API; remove `script`, or write `provider: script`
      |
    9 |   main: { provider: ollama, model: llama, script: demo.yaml }
      |                                                   ^^^^^^^^^

    countersign.yaml:11:3: it must do exactly one thing when it is called; write one of `http:`, `command:` and `mcp:`
       |
    11 |   refund:
       |   ^^^^^^

    countersign.yaml:11:3: it must do exactly one thing when it is called; write either `http:` or `command:`
       |
    11 |   refund:
       |   ^^^^^^

    countersign.yaml:14:14: `argv` names no program; write `argv: [program, argument]`
       |
    14 |     command: { argv: [] }
       |              ^

    countersign.yaml:14:81: no call ends within no time; give it at least a second
       |
    14 |     http: { method: POST, url: "https://payments.example.com/refunds", timeout: 0s }
       |                                                                                 ^^

    countersign.yaml:14:78: this is no body of a request; write `args`, `none`, or a section whose texts are templates
       |
    14 |     http: { method: POST, url: "https://payments.example.com/refunds", body: everything }
       |                                                                              ^^^^^^^^^^

    countersign.yaml:11:3: the keyed tool `refund` does not say how long its target knows a key; add `keyed_for: 24h`, as the target's documentation says
       |
    11 |   refund:
       |   ^^^^^^

    countersign.yaml:15:16: `keyed_for` means something only to a keyed tool; write `retry: keyed`, or remove it
       |
    15 |     keyed_for: 24h
       |                ^^^

    countersign.yaml:11:3: the tool `refund` does not say how to ask whether it happened; add `probe:` with an `http` or a `command` that changes nothing
       |
    11 |   refund:
       |   ^^^^^^

    countersign.yaml:16:12: it must do exactly one thing when it is called; write either `http:` or `command:`
       |
    16 |     probe: {}
       |            ^

    countersign.yaml:15:12: `probe` means something only to a tool that is probed; write `retry: probe`, or remove it
       |
    15 |     probe: { command: { argv: [ledger] } }
       |            ^
    "#);
}

#[test]
fn rules() {
    let told = told(&[
        (", within: 30m", ""),
        ("within: 30m", "within: 30"),
        ("within: 30m", "within: 0s"),
        ("within: 30m", "within: soon"),
        ("within: 30m", "within: 30m, quorum: 0"),
        ("within: 30m", "within: 30m, quorum: many"),
        (
            "      path:\n        - { approvers: finance, in: approvals, within: 30m }",
            "      path: []",
        ),
        ("      path:\n", "      valid_for: 0s\n      path:\n"),
        ("    ask:\n", "    allow: true\n    ask:\n"),
        ("  - name: refunds", "  - name: everything\n  - name: refunds"),
        ("  - name: refunds", "  - { name: everything, allow: false }\n  - name: refunds"),
        ("  - name: refunds", "  - { name: everything, deny: \"\" }\n  - name: refunds"),
        ("  - name: refunds", "  - { name: refunds, allow: true }\n  - name: refunds"),
        ("  - name: refunds", "  - { name: \" \", allow: true }\n  - name: refunds"),
        ("    tool: refund\n", "    tool: \"*.refund\"\n"),
        ("    tool: refund\n", "    tool: refund\n    when: args.amount <=\n"),
        ("    tool: refund\n", "    tool: refund\n    when: args.amount 50 && true\n"),
        ("    tool: refund\n", "    tool: refund\n    when: amount <= 50\n"),
        ("    tool: refund\n", "    tool: refund\n    when: args.amount + 1\n"),
        ("agents:\n", "default: ask\nagents:\n"),
        ("agents:\n", "default: { reason: required }\nagents:\n"),
        ("agents:\n", "default: 3\nagents:\n"),
    ]);
    assert_snapshot!(told, @r#"
    countersign.yaml:20:11: the stage has no time limit, so a request could wait for ever; add `within: 30m`
       |
    20 |         - { approvers: finance, in: approvals }
       |           ^

    countersign.yaml:20:56: `30` is not a length of time; write it like `30m`, `1h 30m` or `45s`
       |
    20 |         - { approvers: finance, in: approvals, within: 30 }
       |                                                        ^^

    countersign.yaml:20:11: the stage has no time limit, so a request could wait for ever; add `within: 30m`
       |
    20 |         - { approvers: finance, in: approvals, within: 0s }
       |           ^

    countersign.yaml:20:56: `soon` is not a length of time; write it like `30m`, `1h 30m` or `45s`
       |
    20 |         - { approvers: finance, in: approvals, within: soon }
       |                                                        ^^^^

    countersign.yaml:20:69: a quorum of 0 would approve without anybody; write at least 1
       |
    20 |         - { approvers: finance, in: approvals, within: 30m, quorum: 0 }
       |                                                                     ^

    countersign.yaml:20:69: a number belongs here; write digits without a unit
       |
    20 |         - { approvers: finance, in: approvals, within: 30m, quorum: many }
       |                                                                     ^^^^

    countersign.yaml:19:7: the path has no stage, so nobody is asked; add a stage, `- { approvers: …, in: …, within: 30m }`
       |
    19 |       path: []
       |       ^^^^

    countersign.yaml:19:7: an approval that is valid for no time can never be used; write `valid_for: 10m`
       |
    19 |       valid_for: 0s
       |       ^^^^^^^^^

    countersign.yaml:16:11: the rule must say exactly one thing; write one of `allow: true`, `deny: reason` and `ask: …`
       |
    16 |   - name: refunds
       |           ^^^^^^^

    countersign.yaml:16:11: the rule must say exactly one thing; write one of `allow: true`, `deny: reason` and `ask: …`
       |
    16 |   - name: everything
       |           ^^^^^^^^^^

    countersign.yaml:16:32: `allow: false` says nothing; write `deny: reason`, so that people learn why
       |
    16 |   - { name: everything, allow: false }
       |                                ^^^^^

    countersign.yaml:16:31: `deny` has no reason; say why in a sentence: the agent passes it on
       |
    16 |   - { name: everything, deny: "" }
       |                               ^^

    countersign.yaml:17:11: another rule is called `refunds` too; give each its own name: cards and logs use it
       |
    17 |   - name: refunds
       |           ^^^^^^^

    countersign.yaml:16:13: the rule has an empty name; say in a few words what it covers
       |
    16 |   - { name: " ", allow: true }
       |             ^^^

    countersign.yaml:17:11: `*.refund` has a `*` that is not at its end; list the tools, or keep only the `*` at the end
       |
    17 |     tool: "*.refund"
       |           ^^^^^^^^^^

    countersign.yaml:18:25: the condition cannot be read: it ends too early; write CEL that answers yes or no, like `args.amount <= 50`
       |
    18 |     when: args.amount <=
       |                         ^

    countersign.yaml:18:23: the condition cannot be read: mismatched input '50'; write CEL that answers yes or no, like `args.amount <= 50`
       |
    18 |     when: args.amount 50 && true
       |                       ^^

    countersign.yaml:18:11: the condition cannot be used: it names `amount`, which does not exist; use args, tool, agent, requester or target
       |
    18 |     when: amount <= 50
       |           ^^^^^^

    countersign.yaml:18:11: the condition cannot be used: it is a number, not a yes or no; write CEL that answers yes or no, like `args.amount <= 50`
       |
    18 |     when: args.amount + 1
       |           ^^^^^^^^^^^

    countersign.yaml:21:10: this is no default; write `deny`, or a section with a `path`
       |
    21 | default: ask
       |          ^^^

    countersign.yaml:21:12: `path` is missing here; add `path: …`
       |
    21 | default: { reason: required }
       |            ^^^^^^

    countersign.yaml:21:1: `deny`, or a section with a `path`, belongs here; see `countersign.example.yaml` for the form
       |
    21 | default: 3
       | ^^^^^^^
    "#);
}

#[test]
fn everything_wrong_is_told_at_once_from_top_to_bottom() {
    let text = MINIMAL
        .replacen("${BOT}", "${UNSET}", 1)
        .replacen("jonas@example.com", "jonas", 1)
        .replacen(", within: 30m", "", 1);
    let errors = read(&text, "countersign.yaml", &env).expect_err("three things are wrong");
    let lines = errors.problems().iter().map(|problem| problem.at().map(|at| at.line));
    assert_eq!(lines.collect::<Vec<_>>(), [Some(3), Some(5), Some(20)]);
}

#[test]
fn a_file_that_is_empty_or_not_there_is_refused() {
    let empty = read("", "countersign.yaml", &env).expect_err("nothing in it");
    assert!(empty.to_string().contains("the file is empty"), "{empty}");
    let missing = crate::config::load("/nowhere/countersign.yaml".as_ref(), &env);
    let missing = missing.expect_err("it is not there").to_string();
    assert!(missing.starts_with("/nowhere/countersign.yaml: the file cannot be read"), "{missing}");
}
