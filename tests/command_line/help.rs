//! The texts that people find their way with.

use std::path::Path;

use crate::program::run;

const COMMANDS: [&[&str]; 19] = [
    &["demo"],
    &["serve"],
    &["check"],
    &["preview"],
    &["manifest"],
    &["doctor"],
    &["mcp"],
    &["mcp", "list"],
    &["mcp", "pin"],
    &["requests"],
    &["requests", "list"],
    &["requests", "show"],
    &["requests", "cancel"],
    &["requests", "settle"],
    &["stop"],
    &["start"],
    &["erase"],
    &["verify"],
    &["export"],
];

async fn shown(args: &[&str]) -> String {
    run(Path::new("."), args, &[]).await.shown()
}

#[tokio::test]
async fn the_whole_program() {
    insta::assert_snapshot!("help", shown(&["--help"]).await);
    insta::assert_snapshot!("help_short", shown(&["-h"]).await);
}

#[tokio::test]
async fn every_command_has_its_own() {
    for command in COMMANDS {
        let text = shown(&[command, &["--help"]].concat()).await;
        insta::assert_snapshot!(format!("help_{}", command.join("_")), text);
    }
}

#[tokio::test]
async fn no_argument_lines_up_past_the_edge() {
    for command in COMMANDS {
        let text = run(Path::new("."), &[command, &["--help"]].concat(), &[]).await.out;
        let long = text.lines().find(|line| line.chars().count() > 100);
        assert_eq!(long, None, "{command:?}");
    }
}

#[tokio::test]
async fn without_arguments_the_help_is_shown() {
    let ran = run(Path::new("."), &[], &[]).await;
    assert_eq!(ran.code, 2);
    assert_eq!(ran.err, run(Path::new("."), &["-h"], &[]).await.out);
}

#[tokio::test]
async fn what_is_no_command_is_refused() {
    insta::assert_snapshot!("unknown_command", shown(&["chek"]).await);
    insta::assert_snapshot!("unknown_option", shown(&["check", "--strict"]).await);
    insta::assert_snapshot!("empty_reason", shown(&["stop", "--reason", " "]).await);
    insta::assert_snapshot!("no_reason", shown(&["requests", "cancel", "req_1"]).await);
    insta::assert_snapshot!("bad_anchor", shown(&["verify", "--anchor", "T1:x:y"]).await);
}

#[tokio::test]
async fn the_version_is_told() {
    let ran = run(Path::new("."), &["--version"], &[]).await;
    assert_eq!(ran.out, format!("countersign {}\n", env!("CARGO_PKG_VERSION")));
}
