//! `preview`: what would become of a call.

use std::path::Path;

use serde_json::Value;

use crate::bench::{EXAMPLE_ENV, example};
use crate::program::{Ran, run};
use crate::readable::readable;

async fn preview(folder: &Path, args: &[&str]) -> Ran {
    let config = example();
    let args: Vec<&str> = ["-c", &config, "preview"].iter().chain(args).copied().collect();
    run(folder, &args, &EXAMPLE_ENV).await
}

/// A snapshot's name, and the arguments.
const CALLS: [(&str, &[&str]); 13] = [
    ("allow", &["payments.refund", r#"{"charge":"ch_1","amount":20,"currency":"EUR"}"#]),
    ("deny", &["payments.refund", r#"{"charge":"ch_1","amount":20000,"currency":"EUR"}"#]),
    (
        "ask",
        &[
            "payments.refund",
            r#"{"charge":"ch_1","amount":640.00,"currency":"EUR"}"#,
            "--requester",
            "U0MIA",
        ],
    ),
    ("ask_critical", &["db.delete_customer", r#"{"customer":"4711"}"#, "--agent", "ops"]),
    (
        "duplicate_key",
        &["payments.refund", r#"{"charge":"ch_1","amount":640,"amount":1,"currency":"EUR"}"#],
    ),
    ("wrong_type", &["payments.refund", r#"{"charge":"ch_1","amount":"640","currency":"EUR"}"#]),
    ("one_key_too_many", &["orders.lookup", r#"{"order":"A-1","note":"x"}"#]),
    ("no_json", &["orders.lookup", "A-1042"]),
    ("unknown_tool", &["orders.look", "{}"]),
    ("unknown_agent", &["orders.lookup", "{}", "--agent", "opps"]),
    ("no_arguments", &["orders.lookup"]),
    ("no_such_file", &["--file", "calls.jsonl"]),
    ("file_and_tool", &["orders.lookup", "{}", "--file", "calls.jsonl"]),
];

#[tokio::test]
async fn one_call_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    for (name, args) in CALLS {
        let ran = preview(folder.path(), args).await;
        insta::assert_snapshot!(format!("preview_{name}"), readable(&ran.shown()));
        assert!(!ran.all().contains("canary"), "{name} shows a secret: {}", ran.all());
    }
}

async fn of_file(text: &str, args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("calls.jsonl"), text).expect("writable");
    preview(folder.path(), &[&["--file", "calls.jsonl"], args].concat()).await
}

const AS_EXPECTED: &str = r#"
{"tool":"orders.lookup","arguments":{"order":"A-1"},"expect":"allow"}

{"tool":"payments.refund","arguments":{"charge":"ch_1","amount":20000,"currency":"EUR"},"expect":"deny"}
{"tool":"payments.refund","arguments":{"charge":"ch_1","amount":1,"amount":2,"currency":"EUR"},"expect":"invalid"}
{"tool":"db.delete_customer","arguments":{"customer":"4711"},"requester":"U0MIA","claim":"they asked for it","expect":"ask"}
"#;

#[tokio::test]
async fn a_file_of_calls_is_a_test_of_the_policies() {
    let ran = of_file(AS_EXPECTED, &[]).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.all());
    let words = ["orders.lookup: allow", "payments.refund: deny", "payments.refund: invalid"];
    for word in words.into_iter().chain(["db.delete_customer: ask", "they asked for it"]) {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    let surprising = AS_EXPECTED.replace(r#""expect":"deny""#, r#""expect":"ask""#);
    let ran = of_file(&surprising, &[]).await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.err, "calls.jsonl:4: expected ask, and it is deny\n");
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_named() {
    let good = r#"{"tool":"orders.lookup","arguments":{"order":"A-1"}}"#;
    let table = [
        ("comma", r#"{"tool":"orders.lookup","arguments":{,}}"#),
        ("expectation", r#"{"tool":"orders.lookup","arguments":{},"expect":"maybe"}"#),
        ("key", r#"{"tool":"orders.lookup","argument":{}}"#),
        ("missing", r#"{"tool":"orders.lookup"}"#),
        ("tool", r#"{"tool":"orders.look","arguments":{}}"#),
        ("agent", r#"{"tool":"orders.lookup","arguments":{},"agent":"opps"}"#),
    ];
    for (name, line) in table {
        let ran = of_file(&format!("{good}\n{line}\n"), &[]).await;
        assert!(ran.err.starts_with("countersign: calls.jsonl:2:"), "{name}: {}", ran.err);
        insta::assert_snapshot!(format!("preview_file_{name}"), readable(&ran.shown()));
    }
}

#[tokio::test]
async fn blocks_are_json_with_every_argument() {
    let ran = of_file(AS_EXPECTED, &["--format", "blocks"]).await;
    let lines: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rulings: Vec<&str> = lines.iter().filter_map(|line| line["ruling"].as_str()).collect();
    assert_eq!(rulings, ["allow", "deny", "invalid", "ask"]);
    for line in &lines[..3] {
        assert_eq!((&line["card"], &line["view"]), (&Value::Null, &Value::Null));
    }
    let asked = &lines[3];
    for blocks in [&asked["card"]["blocks"], &asked["view"]["blocks"]] {
        assert!(blocks.is_array());
        let text = blocks.to_string();
        for shown in ["4711", "db-admin", "/usr/local/bin/delete-customer", "U0MIA"] {
            assert!(text.contains(shown), "{shown} is not in {text}");
        }
    }
    assert!(asked["card"]["text"].as_str().unwrap().contains("db.delete_customer"));
}
