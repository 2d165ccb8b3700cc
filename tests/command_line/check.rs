//! `check` and `manifest`: what a file says, and what is wrong with it.

use std::path::Path;

use crate::bench::{ENV, EXAMPLE_ENV, demo_configuration, example};
use crate::program::{Ran, run};
use crate::readable::readable;

const TITLE: &str = "# The configuration of";

/// The demo's configuration with one text replaced, or as it is, checked.
async fn checked(old: &str, new: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let text = demo_configuration("http://127.0.0.1:9");
    let (old, new) = if old.is_empty() { (TITLE, TITLE) } else { (old, new) };
    assert!(text.contains(old), "the configuration has no `{old}`");
    let text = text.replacen(old, new, 1);
    std::fs::write(folder.path().join("countersign.yaml"), text).expect("writable");
    std::fs::write(folder.path().join("script.yaml"), include_str!("../../src/demo/script.yaml"))
        .expect("writable");
    run(folder.path(), &["check"], &ENV).await
}

#[tokio::test]
async fn good_files_are_good() {
    let ran = run(Path::new("."), &["-c", &example(), "check"], &EXAMPLE_ENV).await;
    insta::assert_snapshot!("check_example", readable(&ran.shown()));
    insta::assert_snapshot!("check_demo", checked("", "").await.shown());
}

/// Name of the snapshot, a text of the demo's configuration, and what stands there instead.
const BROKEN: [(&str, &str, &str); 9] = [
    ("unknown_key", "  show: [amount, currency, charge]", "  shows: [amount]"),
    ("not_yaml", "groups:", "groups: ["),
    ("unknown_group", "approvers: dba", "approvers: dbas"),
    ("unknown_tool", "tool: orders.lookup", "tool: order.lookup"),
    ("bad_condition", "when: args.amount <= 50", "when: args.amount <= "),
    ("quorum_too_high", "within: 20m, remind: [10m] }", "within: 20m, quorum: 3 }"),
    ("written_secret", "${DEMO_BOT_TOKEN}", "xoxb-written-here"),
    ("bad_length", "within: 30m, remind: [10m, 20m]", "within: half an hour"),
    ("late_reminder", "remind: [10m, 20m]", "remind: [10m, 40m]"),
];

#[tokio::test]
async fn broken_files_are_explained() {
    for (name, old, new) in BROKEN {
        let ran = checked(old, new).await;
        assert_eq!(ran.code, 1, "{name}: {}", ran.all());
        assert_eq!(ran.out, "", "{name}");
        for secret in ["xoxb-canary-token", "xoxb-written-here", ENV[0].1] {
            assert!(!ran.all().contains(secret), "{name} shows a secret: {}", ran.all());
        }
        insta::assert_snapshot!(format!("check_{name}"), readable(&ran.shown()));
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["check"], &ENV).await;
    insta::assert_snapshot!("check_missing_file", readable(&ran.shown()));
    let env = &EXAMPLE_ENV[..4];
    let ran = run(folder.path(), &["--config", &example(), "check"], env).await;
    insta::assert_snapshot!("check_missing_variables", readable(&ran.shown()));
    assert!(!ran.all().contains("canary"), "{}", ran.all());
    let by_variable = [("COUNTERSIGN_CONFIG", "elsewhere.yaml")];
    let ran = run(folder.path(), &["check"], &by_variable).await;
    assert!(ran.err.starts_with("elsewhere.yaml: "), "{}", ran.err);
}

#[tokio::test]
async fn the_manifest_is_filled_in() {
    let url = "https://approvals.acme.example/desk/";
    let ran = run(Path::new("."), &["manifest", "--url", url], &[]).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!("manifest", ran.out);
    for url in ["approvals.acme.example", "http://approvals.acme.example", "https://a@b.example"] {
        let ran = run(Path::new("."), &["manifest", "--url", url], &[]).await;
        insta::assert_snapshot!(format!("manifest_refuses_{}", slug(url)), ran.shown());
    }
}

fn slug(text: &str) -> String {
    text.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}
