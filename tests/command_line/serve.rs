//! `serve`: a process that starts, answers, refuses company, and ends when told to.

use std::time::Duration;

use countersign::sandbox::Fault;
use countersign::slack::doctor::installation_ended;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr};

use crate::bench::{ENV, Slack};
use crate::program::{Ran, countersign, run};
use crate::readable::readable;

/// Far longer than anything here takes: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desk in a process of its own.
pub struct Serving {
    pub address: String,
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    said: Vec<String>,
}

impl Serving {
    /// Starts it, and waits until it says where it listens.
    pub async fn start(slack: &Slack, args: &[&str]) -> Self {
        let args = [&["serve"], args].concat();
        let mut command = countersign(slack.folder(), &args, &ENV);
        let mut child =
            command.stderr(std::process::Stdio::piped()).spawn().expect("the binary starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut serving = Self { address: String::new(), child, lines, said: Vec::new() };
        let opened = serving.hears("the desk is open").await;
        let address = regex::Regex::new(r"127\.0\.0\.1:\d+").expect("a good pattern");
        serving.address = address.find(&opened).expect("an address").as_str().to_owned();
        serving
    }

    /// Waits for a line with these words.
    async fn hears(&mut self, words: &str) -> String {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let Some(line) = line.expect("it says something").expect("UTF-8") else {
                panic!("it ended without `{words}`: {:#?}", self.said);
            };
            self.said.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Sends SIGTERM.
    fn is_told_to_end(&self) {
        let pid = i32::try_from(self.child.id().expect("a process")).expect("a process");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is ours");
    }

    /// Tells it to end and waits for that.
    pub async fn ends(self) -> Ran {
        self.is_told_to_end();
        self.has_ended().await
    }

    async fn has_ended(mut self) -> Ran {
        self.hears("the desk is closed").await;
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("it ends")
            .expect("it ends");
        let err = self.said.join("\n");
        Ran { code: status.code().expect("no signal ends it"), out: String::new(), err }
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        answer
    }
}

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop() {
    let slack = Slack::start().await;
    let serving = Serving::start(&slack, &[]).await;
    let alive = serving.get("/healthz").await;
    assert!(alive.starts_with("HTTP/1.1 200") && alive.ends_with("\r\n\r\nok\n"), "{alive}");
    let ready = serving.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.ends_with(r#"{"ready":true}"#), "{ready}");

    let second = slack.runs(&["serve"]).await;
    insta::assert_snapshot!("serve_second", readable(&second.shown()));
    let ended = serving.ends().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let again = Serving::start(&slack, &[]).await;
    assert_eq!(again.ends().await.code, 0, "the database is free again");
    assert_eq!(slack.runs(&["verify"]).await.code, 0);
}

/// A scanner, or a client whose machine died.
#[tokio::test]
async fn whoever_never_finishes_their_request_keeps_it_from_nothing() {
    let slack = Slack::start().await;
    let mut serving = Serving::start(&slack, &[]).await;
    let mut half = TcpStream::connect(&serving.address).await.expect("it listens");
    half.write_all(b"POST /slack/eve").await.expect("it reads");
    // Whoever is answered after them is served by a desk that has their half by then.
    assert!(serving.get("/healthz").await.starts_with("HTTP/1.1 200"));
    serving.is_told_to_end();
    serving.hears("they are cut off").await;
    let ended = serving.has_ended().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(slack.runs(&["verify"]).await.code, 0);
    drop(half);
}

/// A machine starts, and its network a little later.
#[tokio::test]
async fn a_slack_that_does_not_answer_yet_is_waited_for() {
    let slack = Slack::start().await;
    slack.sandbox.next_calls("auth.test", [Fault::ServerError]);
    let ended = Serving::start(&slack, &[]).await.ends().await;
    assert_eq!(ended.code, 0);
    let waited = ended.err.lines().filter(|line| line.contains("asks again in 1 s")).count();
    assert_eq!(waited, 1, "{}", ended.err);
}

#[tokio::test]
async fn machines_can_read_its_log() {
    let slack = Slack::start().await;
    let serving = Serving::start(&slack, &["--log-format", "json"]).await;
    let ended = serving.ends().await;
    assert_eq!(ended.code, 0);
    let lines: Vec<Value> =
        ended.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(messages.len(), lines.len(), "{}", ended.err);
    insta::assert_snapshot!("serve_messages", messages.join("\n"));
    assert!(lines.iter().all(|line| line["level"] == "INFO"), "{}", ended.err);
    assert!(!ended.err.contains(ENV[0].1) && !ended.err.contains(ENV[1].1), "{}", ended.err);
}

#[tokio::test]
async fn an_app_that_is_removed_is_said_in_the_log_with_its_mend() {
    let slack = Slack::start().await;
    let mut serving = Serving::start(&slack, &[]).await;
    slack.sandbox.set_bot_url(&format!("http://{}", serving.address));
    slack.sandbox.uninstalls_the_app();
    slack.sandbox.deliver_due().await;
    for kind in ["tokens_revoked", "app_uninstalled"] {
        let said = serving.hears(kind).await;
        assert!(said.contains("WARN") && said.contains(&installation_ended()), "{said}");
    }
    assert_eq!(serving.ends().await.code, 0);
}

#[tokio::test]
async fn what_cannot_work_does_not_start() {
    let slack = Slack::start().await;
    let missing = run(slack.folder(), &["serve"], &ENV[..1]).await;
    insta::assert_snapshot!("serve_no_token", readable(&missing.shown()));
    let wrong = run(slack.folder(), &["serve"], &[ENV[0], ("DEMO_BOT_TOKEN", "xoxb-wrong")]).await;
    insta::assert_snapshot!("serve_wrong_token", readable(&wrong.shown()));
    slack.configure(&[("approvers: dba", "approvers: dbas")]);
    let lint = slack.runs(&["serve"]).await;
    insta::assert_snapshot!("serve_lint", readable(&lint.shown()));
    slack.configure(&[("listen: 127.0.0.1:0", "listen: 127.0.0.1")]);
    let nowhere = slack.runs(&["serve"]).await;
    insta::assert_snapshot!("serve_nowhere", readable(&nowhere.shown()));

    slack.configure(&[]);
    for (roles, why) in [("web", "one process does everything"), ("chef", "there is no role")] {
        let some = slack.runs(&["serve", "--roles", roles]).await;
        assert_ne!(some.code, 0);
        assert!(some.err.contains(why), "{}", some.err);
    }

    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = format!("listen: {}", taken.local_addr().unwrap());
    slack.configure(&[("listen: 127.0.0.1:0", &listen)]);
    let busy = slack.runs(&["serve"]).await;
    assert_eq!(busy.code, 1);
    assert!(busy.err.contains("change `listen` or stop what uses it"), "{}", busy.err);
}
