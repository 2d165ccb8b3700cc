//! Real wire formats: a stand-in for model providers and an MCP server that others wrote, from
//! their registries. `scripts/test` installs them and runs these tests.

use std::process::Stdio;

use countersign::base::Span;
use countersign::sandbox::MessageView;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedSender;

use crate::office::Office;
use crate::provider::{Provider, SCRIPT, Says};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
const EVERYTHING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/clients/node_modules/@modelcontextprotocol/server-everything/dist/index.js"
);

/// A Node program, killed at the end of its test.
struct Program {
    _child: Child,
    says: String,
}

impl Program {
    /// Starts it, and waits for the first line in which it says `word`.
    async fn starts(arguments: &[&str], port: Option<u16>, word: &str) -> Self {
        assert!(
            std::path::Path::new(EVERYTHING).exists(),
            "run `scripts/test`, or first `npm install --prefix tests/clients`"
        );
        let mut command = Command::new("node");
        command.args(arguments).current_dir(CLIENTS).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(port) = port {
            command.env("PORT", port.to_string());
        }
        let mut child = command.spawn().expect("Node is installed: https://nodejs.org");
        let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (heard, mut lines) = tokio::sync::mpsc::unbounded_channel();
        listen(output, heard.clone());
        listen(errors, heard);
        while let Some(line) = lines.recv().await {
            if line.contains(word) {
                return Self { _child: child, says: line };
            }
        }
        panic!("{arguments:?} ended without saying `{word}`")
    }
}

/// Reads to the end: a program whose words nobody takes would stop.
fn listen(output: impl AsyncRead + Send + Unpin + 'static, heard: UnboundedSender<String>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            // Once the word was said nobody listens any more.
            let _ = heard.send(line);
        }
    });
}

fn card(office: &Office, tool: &str) -> MessageView {
    let mut cards = office.person("priya").sees("#approvals");
    cards.retain(|card| card.text.contains(tool) && !card.buttons.is_empty());
    assert_eq!(cards.len(), 1, "one card for {tool}");
    cards.remove(0)
}

/// A 429 that asks for forty seconds, a stream cut in the middle of its calls, three calls at once
/// in one stream, and their results in the order of the calls (or the stand-in finds no answer).
async fn all_three(provider: &str) {
    let models = Program::starts(&["models.mjs"], None, "http").await;
    let model = format!(
        "{{ provider: {provider}, model: test, base_url: \"{}/v1\", api_key: \"${{DEMO_BOT_TOKEN}}\" }}",
        models.says
    );
    let office = Office::opens_with(&[(SCRIPT, model.as_str())]).await;
    let asked = office.writes("mia", "all three").await;
    assert_eq!(office.world.live_cards(), Vec::<String>::new(), "forty seconds are not over");
    office.passes(Span::minutes(2)).await;
    office.rejects("jonas", &card(&office, "pay_invoice")).await;
    office.approves("jonas", &card(&office, "refund")).await;
    assert_eq!((office.refunds().await, office.invoices_paid().await), (1, 0));
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("All three are seen to."), "{thread}");
    office.closes().await;

    for (text, said) in [
        ("too long", "is too long and was cut off"),
        ("forbidden", "its model declines to answer this"),
    ] {
        let office = Office::opens_with(&[(SCRIPT, model.as_str())]).await;
        let asked = office.writes("mia", text).await;
        let thread = office.thread("mia", &asked);
        assert!(thread.contains(said), "{thread}");
        office.closes().await;
    }
}

#[tokio::test]
#[ignore = "needs Node packages: scripts/test installs them and runs it"]
async fn openai_as_an_independent_stand_in_speaks_it() {
    all_three("openai").await;
}

#[tokio::test]
#[ignore = "needs Node packages: scripts/test installs them and runs it"]
async fn anthropic_as_an_independent_stand_in_speaks_it() {
    all_three("anthropic").await;
}

/// What `countersign mcp pin` prints for some tools of a server.
async fn pinned(section: &str, tools: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.yaml");
    let slack = "slack: { signing_secret: \"${SECRET}\", bot_token: \"${SECRET}\" }";
    std::fs::write(&file, format!("{slack}\n{section}")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["mcp", "pin", "everything"])
        .args(tools)
        .env("COUNTERSIGN_CONFIG", &file)
        .env("SECRET", "xoxb-test")
        .output()
        .await
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

const POLICIES: &str = "policies:
  - { name: sums are free, tool: everything.get-sum, allow: true }
  - { name: the environment, tool: everything.get-env, allow: true }
  - name: echoes
    tool: everything.echo
    ask: { path: [{ approvers: finance, in: approvals, within: 30m }] }
";
const CALLS: &[(&str, &str)] = &[
    ("everything__echo", "{\"message\": \"hello\"}"),
    ("everything__get-sum", "{\"a\": 2, \"b\": 3}"),
    ("everything__get-env", "{}"),
];

/// A real server's tools are pinned by the command line, ruled on, approved and called.
async fn pinned_ruled_on_and_called(section: &str, environment: &str) {
    let tools = pinned(section, &["echo", "get-sum", "get-env"]).await;
    let tools = format!("{section}\n\ntools:\n{tools}");
    let provider =
        Provider::opens([Says::Reply("Three calls.", CALLS), Says::Reply("Seen.", &[])]).await;
    let model = provider.model("");
    let names = "[everything.echo, everything.get-sum, everything.get-env, orders.lookup, payments";
    let office = Office::opens_with(&[
        (SCRIPT, model.as_str()),
        ("tools:\n", tools.as_str()),
        ("policies:\n", POLICIES),
        ("[orders.lookup, payments", names),
    ])
    .await;
    let (asked, card) = office.asks("mia", "go").await;
    office.approves("jonas", &card).await;
    assert!(office.thread("mia", &asked).contains("Seen."));
    let journal = provider.journal();
    let results: Vec<_> = journal[1]["messages"].as_array().unwrap()[3..].iter().collect();
    let said = |at: usize| results[at]["content"].as_str().unwrap();
    assert!(said(0).contains("Echo: hello"), "{}", said(0));
    assert!(said(1).contains("The sum of 2 and 3 is 5."), "{}", said(1));
    assert!(said(2).contains(environment), "{}", said(2));
    office.closes().await;
}

#[tokio::test]
#[ignore = "needs Node packages: scripts/test installs them and runs it"]
async fn a_real_mcp_server_over_standard_streams() {
    let node = Command::new("sh").args(["-c", "command -v node"]).output().await.unwrap();
    let node = String::from_utf8(node.stdout).unwrap();
    let node = node.trim();
    assert!(!node.is_empty(), "Node is installed: https://nodejs.org");
    let section = format!(
        "mcp:\n  everything:\n    command: {{ argv: [\"{node}\", \"{EVERYTHING}\", stdio], env: {{ GREETING: hi }} }}"
    );
    // `get-env` tells everything that the server can see.
    pinned_ruled_on_and_called(&section, "{\n  \"GREETING\": \"hi\"\n}").await;
}

#[tokio::test]
#[ignore = "needs Node packages: scripts/test installs them and runs it"]
async fn a_real_mcp_server_over_http() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _server =
        Program::starts(&[EVERYTHING, "streamableHttp"], Some(port), &port.to_string()).await;
    let section = format!(
        "mcp:\n  everything:\n    http: {{ url: \"http://127.0.0.1:{port}/mcp\", allow_private: \"127.0.0.1:{port}\" }}"
    );
    pinned_ruled_on_and_called(&section, "\"PORT\"").await;
}
