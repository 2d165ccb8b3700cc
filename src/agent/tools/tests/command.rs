use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{command, tool, warranted};
use crate::agent::tools::{CallOutcome, ConfiguredTool, Tool};
use crate::agent::{ArgumentError, CommandSpec, EnvironmentValue, RetrySpec, TargetSpec};
use crate::base::Span;

fn once(spec: CommandSpec) -> ConfiguredTool {
    tool(TargetSpec::Command(spec), RetrySpec::Once)
}

async fn run(tool: &ConfiguredTool, arguments: serde_json::Value) -> CallOutcome {
    tool.call(&warranted(tool, &arguments)).await
}

fn done(content: &str) -> CallOutcome {
    CallOutcome::Done { content: content.to_owned() }
}

#[tokio::test]
async fn whatever_a_value_holds_it_stays_one_element() {
    let count = ["/bin/sh", "-c", r#"printf '%s|%s' "$#" "$1""#, "sh", "{{ args.v }}"];
    let tool = once(command(&count));
    for value in [
        "two words",
        "$(touch /tmp/owned)",
        "`id`",
        "; id",
        "a\nb",
        "*",
        "'",
        "\"",
        "\\",
        "$HOME",
        "{{ args.v }}",
        "",
        "&& id",
        "| id",
        "> /tmp/owned",
        "-5",
    ] {
        assert_eq!(run(&tool, json!({ "v": value })).await, done(&format!("1|{value}")));
    }
}

#[test]
fn a_value_does_not_become_an_option_and_two_command_lines_never_look_the_same() {
    let tool = once(command(&["/bin/rm", "--", "--name={{ args.n }}", "{{ args.v }}"]));
    for value in ["-rf", "--force", "a\0b"] {
        let resolved = tool.resolve(&json!({ "n": 1, "v": value }).to_string());
        assert!(matches!(resolved, Err(ArgumentError::Target(_))), "{resolved:?}");
    }
    let place = |n: &str, v: &str| {
        tool.resolve(&json!({ "n": n, "v": v }).to_string()).expect("it fits").target
    };
    assert_eq!(place("a", "b"), "/bin/rm -- --name=a b");
    assert_eq!(place("a b", "c"), r#"/bin/rm -- "--name=a b" c"#);
    assert_eq!(place("a", ""), r#"/bin/rm -- --name=a """#);
    assert_eq!(place("a", "\"b\""), r#"/bin/rm -- --name=a "\"b\"""#);
}

#[tokio::test]
async fn the_program_gets_its_own_environment_and_no_input() {
    let mut spec = command(&["/usr/bin/env"]);
    spec.environment.insert("STAGE".to_owned(), EnvironmentValue::Plain("test".to_owned()));
    let tool = once(spec);
    let expected = format!("COUNTERSIGN_KEY={}\nPATH=/usr/bin:/bin\nSTAGE=test\n", super::KEY);
    assert_eq!(run(&tool, json!({})).await, done(&expected));
    let resolved = tool.resolve("{}").expect("it fits");
    assert_eq!(resolved.environment, ["PATH", "STAGE", "COUNTERSIGN_KEY"]);
    assert_eq!(run(&once(command(&["/bin/cat"])), json!({})).await, done(""));
}

#[tokio::test]
async fn only_a_declared_exit_code_says_that_nothing_happened() {
    let outcome = async |script: &str, retry: RetrySpec| {
        let tool = tool(TargetSpec::Command(command(&["/bin/sh", "-c", script])), retry);
        match run(&tool, json!({})).await {
            CallOutcome::Done { .. } => "done",
            CallOutcome::NotDone { .. } => "not done",
            CallOutcome::Unknown { .. } => "unknown",
        }
    };
    for (script, of_once, of_pure) in [
        ("exit 0", "done", "done"),
        ("exit 1", "unknown", "not done"),
        ("exit 10", "not done", "not done"),
        ("kill -9 $$", "unknown", "not done"),
    ] {
        assert_eq!(outcome(script, RetrySpec::Once).await, of_once, "{script}");
        assert_eq!(outcome(script, RetrySpec::Pure).await, of_pure, "{script}");
    }
    let missing = run(&once(command(&["/no/such/program"])), json!({})).await;
    assert!(matches!(missing, CallOutcome::NotDone { .. }), "{missing:?}");
}

#[tokio::test]
async fn long_output_is_cut_off_and_secrets_taken_out() {
    let mut spec = command(&["/bin/sh", "-c", "echo $PASSWORD; head -c 100000 /dev/zero; exit 3"]);
    let secret = EnvironmentValue::Secret("hunter2".to_owned().into());
    spec.environment.insert("PASSWORD".to_owned(), secret);
    spec.fails_cleanly = vec![];
    spec.argv[2] = spec.argv[2].replace("exit 3", "exit 0");
    let CallOutcome::Done { content } = run(&once(spec.clone()), json!({})).await else {
        panic!("it exits with 0")
    };
    assert!(content.starts_with("[secret]\n"), "{content:?}");
    assert!(content.ends_with("[cut off after 1000 bytes]"), "{content:?}");
    spec.argv[2] = "echo $PASSWORD >&2; exit 3".to_owned();
    let outcome = run(&once(spec), json!({})).await;
    let why = "exit status: 3: [secret]".to_owned();
    assert_eq!(outcome, CallOutcome::Unknown { why });
}

/// Starts a child of its own, writes the child's process id to `$1`, and waits.
const PARENT: &str = r#"sleep 600 & echo $! > "$1.new"; mv "$1.new" "$1"; wait"#;

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_its_children() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pid");
    let mut spec = command(&["/bin/sh", "-c", PARENT, "sh", "{{ args.file }}"]);
    spec.timeout = Span::millis(700);
    let outcome = run(&once(spec), json!({ "file": file })).await;
    let CallOutcome::Unknown { why } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("was killed"), "{why}");
    assert!(ends(&file).await, "the child lives on");
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_program_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pid");
    let argument = json!({ "file": file });
    let call = tokio::spawn(async move {
        run(&once(command(&["/bin/sh", "-c", PARENT, "sh", "{{ args.file }}"])), argument).await
    });
    assert!(until(|| file.exists()).await, "it never started");
    call.abort();
    assert!(ends(&file).await, "the child lives on");
}

#[tokio::test]
async fn a_child_that_keeps_the_pipe_open_does_not_hold_up_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    // The child has left the group once the file is there.
    let script = r#"setsid sh -c 'echo > "$1"; exec sleep 5' sh "$1" &
        until [ -e "$1" ]; do :; done; echo done"#;
    let tool = once(command(&["/bin/sh", "-c", script, "sh", "{{ args.file }}"]));
    let outcome = run(&tool, json!({ "file": folder.path().join("up") })).await;
    assert_eq!(outcome, done("done\n\n[it broke off here]"));
}

/// Whether the process whose id is in `file` is gone (or a zombie nobody has collected yet).
async fn ends(file: &Path) -> bool {
    let pid = std::fs::read_to_string(file).expect("an id was written");
    let status = format!("/proc/{}/status", pid.trim());
    until(|| match std::fs::read_to_string(&status) {
        Ok(status) => status.contains("State:\tZ"),
        Err(_) => true,
    })
    .await
}

async fn until(condition: impl Fn() -> bool) -> bool {
    for _ in 0..200 {
        if condition() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    false
}
