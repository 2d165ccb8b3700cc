//! Files in a form nobody can read, or with a secret in them, and what people are told.

use insta::assert_snapshot;

use super::told;

#[test]
fn what_is_not_yaml_or_has_the_wrong_shape() {
    let told = told(&[
        ("tools: [refund]", "tools: [refund"),
        ("    description: Refund", "\t  description: Refund"),
        ("    description: Refund a charge", "    description: [Refund]"),
        ("groups:\n", "groups: finance\nchannels:\n"),
        ("groups:\n", "listen: [1]\ngroups:\n"),
        ("agents:\n", "---\nagents:\n"),
        ("agents:\n", "slack: {}\nagents:\n"),
        ("  refund:\n", "  refund:\n    description: Twice\n"),
        ("tools: [refund]", "tools: [refund], default: yes"),
        ("tools: [refund]", "tools: { refund: 1 }"),
        ("instructions: Help., ", ""),
        ("provider: script", "provider: openay"),
        ("method: POST", "method: TRACE"),
    ]);
    assert_snapshot!(told, @r#"
    countersign.yaml:22:51: mismatched bracket '[' closed by '}'; check the indentation, quotes and brackets around here
       |
    22 |   ops: { model: main, instructions: Help., tools: [refund }
       |                                                   ^^^^^^^

    countersign.yaml:12:4: tabs disallowed within this context (block indentation); check the indentation, quotes and brackets around here
       |
    12 | 	  description: Refund a charge
       |    ^^^^^^^^^^^

    countersign.yaml:12:18: a single text belongs here; write the value itself, without brackets or lines below it
       |
    12 |     description: [Refund]
       |                  ^^^^^^^

    countersign.yaml:4:9: a section with keys belongs here; write `key: value` lines below it, indented
      |
    4 | groups: finance
      |         ^^^^^^^

    countersign.yaml:4:9: a single text belongs here; write the value itself, without brackets or lines below it
      |
    4 | listen: [1]
      |         ^^

    countersign.yaml:22:1: a second document starts here; remove the `---`
       |
    22 | agents:
       | ^^^^^^

    countersign.yaml:21:1: `slack` stands here for the second time; keep one of them
       |
    21 | slack: {}
       | ^^^^^

    countersign.yaml:13:5: `description` stands here for the second time; keep one of them
       |
    13 |     description: Refund a charge
       |     ^^^^^^^^^^^

    countersign.yaml:22:70: this is neither true nor false; write `true` or `false`
       |
    22 |   ops: { model: main, instructions: Help., tools: [refund], default: yes }
       |                                                                      ^^^

    countersign.yaml:22:51: a text or a list of texts belongs here; see `countersign.example.yaml` for the form
       |
    22 |   ops: { model: main, instructions: Help., tools: { refund: 1 } }
       |                                                   ^

    countersign.yaml:22:3: `instructions` is missing in the agent `ops`; add `instructions: …`, or let it follow a graph: `graph: …`
       |
    22 |   ops: { model: main, tools: [refund] }
       |   ^^^

    countersign.yaml:9:21: `openay` is not known here; did you mean `openai`?
      |
    9 |   main: { provider: openay, script: demo.yaml }
      |                     ^^^^^^

    countersign.yaml:14:21: `TRACE` is not known here; write one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`
       |
    14 |     http: { method: TRACE, url: "https://payments.example.com/refunds" }
       |                     ^^^^^
    "#);
}

#[test]
fn unknown_keys() {
    let told = told(&[
        ("approvers: finance", "aprovers: finance"),
        ("policies:", "policy:"),
        ("agents:\n", "wheather: sunny\nagents:\n"),
        ("      path:\n", "      validfor: 10m\n      path:\n"),
    ]);
    assert_snapshot!(told, @r#"
    countersign.yaml:20:13: unknown key `aprovers`; did you mean `approvers`?
       |
    20 |         - { aprovers: finance, in: approvals, within: 30m }
       |             ^^^^^^^^

    countersign.yaml:15:1: unknown key `policy`; did you mean `policies`?
       |
    15 | policy:
       | ^^^^^^

    countersign.yaml:21:1: unknown key `wheather`; the keys here are `slack`, `listen`, `public_url`, `store`, `people`, `groups`, `channels`, `models`, `mcp`, `tools`, `policies`, `default`, `agents`, `graphs`, `api`, `streams`, `limits`, `retention`
       |
    21 | wheather: sunny
       | ^^^^^^^^

    countersign.yaml:19:7: unknown key `validfor`; did you mean `valid_for`?
       |
    19 |       validfor: 10m
       |       ^^^^^^^^
    "#);
}

#[test]
fn secrets() {
    let told = told(&[
        ("${BOT}", "xoxb-1234-abcd"),
        ("${BOT}", "${UNSET}"),
        ("${BOT}", "${EMPTY}"),
        ("  bot_token: ${BOT}\n", ""),
        ("  bot_token: ${BOT}", "  bot_token: ${BOT}\n  bot_token_file: token"),
        ("  bot_token: ${BOT}", "  bot_token_file: nowhere/token"),
        ("  bot_token: ${BOT}", "  bot_tokn: xoxb-1234-abcd"),
        ("${SIGNING}", "[\"${SIGNING}\", abcd1234]"),
        ("${SIGNING}", "[${A}, ${B}]"),
        ("  signing_secret: ${SIGNING}\n", ""),
        ("provider: script, script: demo.yaml", "provider: openai, model: gpt-5"),
        ("provider: script, script: demo.yaml", "provider: openai, model: gpt-5, api_key: sk-1234"),
        (
            "provider: script, script: demo.yaml",
            "provider: openai, model: gpt-5, api_key: \"${K}\", base_url: \"http://llm.example.com/v1\"",
        ),
        ("refunds\" }", "refunds\", headers: { X-Api-Key: abcd1234 } }"),
        ("refunds\" }", "refunds\", credential: { name: bot, secret: abcd1234 } }"),
        (
            "http: { method: POST, url: \"https://payments.example.com/refunds\" }",
            "command: { argv: [ledger], env: { DB_PASSWORD: abcd1234 } }",
        ),
        ("bot_token: ${BOT}", "bot_token: ${BOT}\n  api_url: http://proxy.example.com/api/"),
    ]);
    assert_snapshot!(told, @r#"
    countersign.yaml:3:14: the value of `bot_token` stands in the file itself; put a new one into a variable and write `bot_token: ${NAME}`
      |
    3 |   bot_token: ••••••••
      |              ^^^^^^^^

    countersign.yaml:3:14: the variable `UNSET` is not set; set `UNSET` before starting
      |
    3 |   bot_token: ${UNSET}
      |              ^^^^^^^

    countersign.yaml:3:14: the variable `EMPTY` is empty; set `EMPTY` before starting
      |
    3 |   bot_token: ${EMPTY}
      |              ^^^^^^^

    countersign.yaml:2:3: `bot_token` is missing here; add `bot_token: ${NAME}` or `bot_token_file: path`
      |
    2 |   signing_secret: ${SIGNING}
      |   ^^^^^^^^^^^^^^

    countersign.yaml:4:19: `bot_token` and `bot_token_file` both stand here; keep one of them
      |
    4 |   bot_token_file: token
      |                   ^^^^^

    countersign.yaml:3:19: the file `nowhere/token` cannot be read (No such file or directory (os error 2)); check its path and its permissions
      |
    3 |   bot_token_file: nowhere/token
      |                   ^^^^^^^^^^^^^

    countersign.yaml:3:3: unknown key `bot_tokn`; did you mean `bot_token`?
      |
    3 |   bot_tokn: ••••••••
      |   ^^^^^^^^

    countersign.yaml:2:34: the value of `signing_secret` stands in the file itself; put a new one into a variable and write `signing_secret: ${NAME}`
      |
    2 |   signing_secret: ["${SIGNING}", ••••••••
      |                                  ^^^^^^^^

    countersign.yaml:2:21: `${…}` stands unquoted between brackets; write "${…}" there, with quotes
      |
    2 |   signing_secret: [${A}, ${B}]
      |                     ^^

    countersign.yaml:2:3: `signing_secret` is missing here; add `signing_secret: ${NAME}` or `signing_secret_file: path`
      |
    2 |   bot_token: ${BOT}
      |   ^^^^^^^^^

    countersign.yaml:9:3: `api_key` is missing here; add `api_key: ${NAME}` or `api_key_file: path`
      |
    9 |   main: { provider: openai, model: gpt-5 }
      |   ^^^^

    countersign.yaml:9:52: the value of `api_key` stands in the file itself; put a new one into a variable and write `api_key: ${NAME}`
      |
    9 |   main: { provider: openai, model: gpt-5, api_key: ••••••••
      |                                                    ^^^^^^^^

    countersign.yaml:9:70: `http://llm.example.com/v1` would send a secret unencrypted; use https, or an address on this machine
      |
    9 |   main: { provider: openai, model: gpt-5, api_key: "${K}", base_url: "http://llm.example.com/v1" }
      |                                                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^

    countersign.yaml:14:83: the header `X-Api-Key` would carry a secret; use `credential:`, which keeps it out of the file
       |
    14 |     http: { method: POST, url: "https://payments.example.com/refunds", headers: { X-Api-Key: ••••••••
       |                                                                                   ^^^^^^^^^

    countersign.yaml:14:105: the value of `secret` stands in the file itself; put a new one into a variable and write `secret: ${NAME}`
       |
    14 |     http: { method: POST, url: "https://payments.example.com/refunds", credential: { name: bot, secret: ••••••••
       |                                                                                                         ^^^^^^^^

    countersign.yaml:14:52: the value of `DB_PASSWORD` stands in the file itself; put a new one into a variable and write `DB_PASSWORD: ${NAME}`
       |
    14 |     command: { argv: [ledger], env: { DB_PASSWORD: ••••••••
       |                                                    ^^^^^^^^

    countersign.yaml:4:12: `http://proxy.example.com/api/` would send a secret unencrypted; use https, or an address on this machine
      |
    4 |   api_url: http://proxy.example.com/api/
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}
