use serde_json::json;

use super::*;

/// Values at and just beyond every limit of Slack's reference, each with Slack's verdict.
const CASES: &str = include_str!("../../../tests/fixtures/slack/block-kit-cases.json");

fn found(root: &str, value: &Value) -> Vec<String> {
    match root {
        "MessageBlocks" => complaints(value, Surface::Message),
        "ModalView" | "HomeView" => view_complaints(value),
        "StreamChunks" => chunk_complaints(value),
        "Metadata" => metadata_complaints(value),
        other => panic!("an unknown root: {other}"),
    }
}

#[test]
fn every_case_of_the_reference_gets_slacks_verdict() {
    let cases: Value = serde_json::from_str(CASES).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 103);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = found(case["root"].as_str().unwrap(), &case["value"]);
            let right = found.is_empty() == case["valid"].as_bool().unwrap();
            (!right).then(|| format!("{} ({}): {found:?}", case["name"], case["rule"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_complaint_points_at_its_place() {
    let text = json!({ "type": "mrkdwn", "text": "x".repeat(3001) });
    let found = complaints(&json!([{ "type": "section", "text": text }]), Surface::Message);
    assert_eq!(
        found,
        ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
    );
}

#[test]
fn what_the_cases_leave_out() {
    let dividers = |count| Value::Array(vec![json!({ "type": "divider" }); count]);
    let table = json!({ "type": "table", "rows": [[{ "type": "raw_text", "text": "x" }]] });
    let cases = [
        ("no list", json!({}), Surface::Message, false),
        ("an empty list", json!([]), Surface::Message, true),
        ("a hundred blocks in a dialog", dividers(100), Surface::Modal, true),
        ("one more", dividers(101), Surface::Modal, false),
        ("one table", json!([table]), Surface::Message, true),
        ("two tables", json!([table, table]), Surface::Message, false),
        ("a table in a dialog", json!([table]), Surface::Modal, false),
        ("a block without a type", json!([{}]), Surface::Message, false),
    ];
    for (name, blocks, surface, taken) in cases {
        assert_eq!(complaints(&blocks, surface).is_empty(), taken, "{name}");
    }
}

#[test]
fn ids_that_were_left_out_are_filled_in_and_others_are_kept() {
    let button = json!({ "type": "button", "text": { "type": "plain_text", "text": "Go" } });
    let mut blocks = json!([
        { "type": "actions", "elements": [button] },
        { "type": "divider", "block_id": "mine" },
    ]);
    fill_ids(&mut blocks);
    assert_eq!(blocks[0]["block_id"], "b0");
    assert_eq!(blocks[0]["elements"][0]["action_id"], "a0");
    assert_eq!(blocks[1]["block_id"], "mine");
}
