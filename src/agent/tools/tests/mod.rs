//! Configured tools against targets that are really there: an HTTP server that keeps a journal,
//! and programs that are really started.

mod command;
mod http;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::target::Target;
use super::{ConfiguredTool, Tool};
use crate::agent::{
    Body, CommandSpec, Egress, EnvironmentValue, HttpSpec, McpServers, Method, RetrySpec,
    TargetSpec, ToolSpec,
};
use crate::approval::{
    Envelope, PolicyFacts, Requester, Risk, Sealed, SlackUser, StartFacts, Warrant, warrant,
};
use crate::base::{ActionId, ExecutionId, PersonId, Span, Timestamp, WorkspaceId};

const KEY: &str = "exe_000001";

fn tool(target: TargetSpec, retry: RetrySpec) -> ConfiguredTool {
    let spec = ToolSpec {
        name: "test.tool".to_owned(),
        description: "for tests".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": { "currency": { "type": "string", "default": "EUR" } },
        }),
        target,
        retry,
        show: vec!["currency".to_owned()],
    };
    let egress = Egress::open().expect("a client");
    ConfiguredTool::new(spec, &egress, &McpServers::default()).expect("a good tool")
}

fn http(method: Method, url: &str) -> HttpSpec {
    HttpSpec {
        method,
        url: url.to_owned(),
        headers: BTreeMap::new(),
        body: Body::Args,
        credential: None,
        timeout: Span::millis(400),
        allow_private: Vec::new(),
    }
}

fn command(argv: &[&str]) -> CommandSpec {
    CommandSpec {
        argv: argv.iter().map(ToString::to_string).collect(),
        cwd: None,
        environment: BTreeMap::from([(
            "PATH".to_owned(),
            EnvironmentValue::Plain("/usr/bin:/bin".to_owned()),
        )]),
        credential: None,
        timeout: Span::seconds(20),
        max_output: 1000,
        fails_cleanly: vec![10],
    }
}

/// The right to call `tool` with these arguments, as if a rule had allowed it.
fn warranted(tool: &dyn Tool, arguments: &Value) -> Warrant {
    let resolved = tool.resolve(&arguments.to_string()).expect("the arguments fit");
    warrant_for(Envelope {
        form: 1,
        workspace: WorkspaceId::existing("T1"),
        action: ActionId::existing("act_1"),
        request: None,
        run: None,
        node: None,
        agent: None,
        tool: tool.facts().clone(),
        arguments: resolved.arguments,
        target: resolved.target,
        credential: resolved.credential,
        cwd: resolved.cwd,
        environment: resolved.environment,
        requester: requester(),
        policy: PolicyFacts { rule: "test".to_owned(), digest: "00".to_owned() },
        risk: Risk::Low,
        asked_at: Timestamp::from_millis(0),
        decide_by: None,
        valid_for: Span::minutes(10),
    })
}

fn warrant_for(envelope: Envelope) -> Warrant {
    let sealed = Sealed::seal(envelope).expect("it is canonical");
    let facts = StartFacts {
        execution: ExecutionId::existing("exe_1"),
        stored_digest: sealed.digest(),
        sealed,
        decision: None,
        policy_still_holds: true,
        tool_unchanged: true,
        equal_unsettled: false,
        stopped: false,
        epoch: 1,
        claimed_epoch: 1,
        start_by: Timestamp::from_millis(1000),
        begun: None,
        window: Span::ZERO,
        key: KEY.to_owned(),
    };
    warrant(facts, Timestamp::from_millis(1)).expect("nothing speaks against it")
}

fn requester() -> Requester {
    Requester {
        person: PersonId::existing("per_1"),
        user: SlackUser { team: "T1".to_owned(), user: "U1".to_owned(), enterprise: None },
        name: "mia".to_owned(),
        owner: None,
    }
}

#[test]
fn what_changes_a_tool_changes_its_version_and_a_new_secret_does_not() {
    let version = |change: &dyn Fn(&mut CommandSpec)| {
        let mut spec = command(&["/bin/true"]);
        let secret = EnvironmentValue::Secret("hunter2".to_owned().into());
        spec.environment.insert("PASSWORD".to_owned(), secret);
        change(&mut spec);
        tool(TargetSpec::Command(spec), RetrySpec::Once).facts().version.clone()
    };
    let set = |name: &str, value: EnvironmentValue| {
        let name = name.to_owned();
        move |spec: &mut CommandSpec| _ = spec.environment.insert(name.clone(), value.clone())
    };
    let secret = |text: &str| EnvironmentValue::Secret(text.to_owned().into());
    let unchanged = version(&|_| {});
    assert_eq!(version(&set("PASSWORD", secret("rotated"))), unchanged);
    for (what, changed) in [
        ("argv", version(&|spec| spec.argv.push("--force".to_owned()))),
        ("cwd", version(&|spec| spec.cwd = Some("/tmp".into()))),
        ("a plain variable", version(&set("PATH", EnvironmentValue::Plain("/tmp".to_owned())))),
        ("a new secret", version(&set("OTHER", secret("x")))),
        ("no secret", version(&set("PASSWORD", EnvironmentValue::Plain("hunter2".to_owned())))),
        ("clean exits", version(&|spec| spec.fails_cleanly.clear())),
    ] {
        assert_ne!(changed, unchanged, "{what}");
    }
}

#[test]
fn a_tool_that_cannot_be_trusted_is_refused_when_it_is_configured() {
    let post = |url: &str| TargetSpec::Http(http(Method::Post, url));
    let header = |name: &str| {
        let mut spec = http(Method::Post, "https://api.example.com/");
        spec.headers.insert(name.to_owned(), "x".to_owned());
        TargetSpec::Http(spec)
    };
    for (target, why) in [
        (post("https://{{ args.host }}/x"), "must be fixed"),
        (post("https://api.example.com:{{ args.port }}/"), "must be fixed"),
        (post("{{ args.url }}"), "not absolute"),
        (post("file:///etc/passwd"), "file"),
        (post("https://user:password@api.example.com/"), "credential"),
        (post("https://api.example.com/{{ args.x"), "not a template"),
        (post("https://api.example.com/#{{ args.x }}"), "fragment"),
        (header("Idempotency-Key"), "not yours"),
        (header("Host"), "not yours"),
        (header("bad name"), "no header name"),
        (TargetSpec::Command(command(&[])), "names no program"),
        (TargetSpec::Command(command(&["delete"])), "absolute"),
        (TargetSpec::Command(command(&["{{ args.program }}"])), "absolute"),
    ] {
        let egress = Egress::open().expect("a client");
        let error = Target::new(&target, &egress, &McpServers::default()).err();
        let error = error.unwrap_or_else(|| panic!("{target:?} was accepted"));
        assert!(error.contains(why), "{error} does not say {why}");
    }
}
