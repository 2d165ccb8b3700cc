//! `verify` with anchors, and `export` as somebody else would check it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::bench::Desk;
use crate::readable::readable;

/// The last line of `verify`: the anchor of the only workspace.
pub fn anchor(printed: &str) -> String {
    printed.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_anchor_stays_good_while_the_log_grows() {
    let desk = Desk::open().await;
    desk.writes("mia", "pay invoice V-7719").await;
    let early = desk.runs(&["verify"]).await;
    insta::assert_snapshot!("verify", readable(&early.shown()));
    let early = anchor(&early.out);
    desk.decides("jonas", "Approve", "").await;

    let late = desk.runs(&["verify", "--anchor", &early]).await;
    assert_eq!(late.code, 0, "{}", late.all());
    let late = anchor(&late.out);
    assert_ne!(early, late);
    let both = desk.runs(&["verify", "--anchor", &early, "--anchor", &late]).await;
    assert_eq!(both.code, 0, "{}", both.all());
    let number = |anchor: &str| anchor.split(':').nth(1).unwrap().parse::<u64>().unwrap();
    let (early_hash, far) = (early.rsplit(':').next().unwrap(), number(&late) + 1);
    for wrong in [format!("T0DEMO:{far}:{early_hash}"), early.replace("T0DEMO", "T0OTHER")] {
        let ran = desk.runs(&["verify", "--anchor", &wrong]).await;
        assert_eq!(ran.code, 1, "{wrong}");
        assert!(ran.err.contains("I6 at T0"), "{}", ran.err);
    }
}

/// Recomputes the chain from the lines alone, by the recipe in `export --help`.
#[tokio::test]
async fn an_export_is_a_chain_that_anybody_can_check() {
    let desk = Desk::with_a_past().await;
    let export = desk.runs(&["export"]).await;
    assert_eq!(export.code, 0);
    let lines: Vec<Value> =
        export.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(export.err, format!("{} records\n", lines.len()));
    let mut before = "0".repeat(64);
    let mut kinds = BTreeMap::<&str, usize>::new();
    for (nth, line) in lines.iter().enumerate() {
        assert_eq!(line["seq"], nth + 1, "the chain has no gap");
        assert_eq!(line["prev_hash"], before.as_str(), "record {}", nth + 1);
        let hashed = json!([
            line["workspace"],
            line["seq"],
            line["at"],
            line["kind"],
            line["subject"],
            line["body"],
            line["prev_hash"],
        ]);
        let bytes = format!("countersign.audit.v1\n{hashed}");
        assert_eq!(line["hash"], hex::encode(Sha256::digest(bytes)), "record {}", nth + 1);
        let body: Value = serde_json::from_str(line["body"].as_str().unwrap()).unwrap();
        assert!(body.is_object(), "{line}");
        before = line["hash"].as_str().unwrap().to_owned();
        *kinds.entry(line["kind"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(
        anchor(&desk.runs(&["verify"]).await.out),
        format!("T0DEMO:{}:{before}", lines.len())
    );
    insta::assert_snapshot!("export_kinds", format!("{kinds:#?}"));
    let all = export.all();
    assert!(!all.contains("xoxb-"), "the log holds a token");
}

#[tokio::test]
async fn nobody_reading_on_is_no_news() {
    let desk = Desk::open().await;
    for args in [&["export"][..], &["requests", "list"], &["verify"]] {
        let ended = desk.runs_for_nobody(args).await;
        assert_eq!(ended, "", "{args:?}");
    }
}
