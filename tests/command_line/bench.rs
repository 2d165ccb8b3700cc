//! What the commands are tried on: a configuration against the stand-in, and a desk with a past.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use countersign::base::{Clock, Span, SystemClock, Timestamp, TurnableClock};
use countersign::demo::{Setting, World};
use countersign::sandbox::{Cast, MessageRef, Pace, Sandbox, SandboxHandle, SandboxSettings};
use tempfile::TempDir;

use crate::program::{Ran, countersign, run};

pub const SIGNING_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const BOT_TOKEN: &str = "xoxb-canary-token";

/// The variables that the demo's configuration asks for.
pub const ENV: [(&str, &str); 2] =
    [("DEMO_SIGNING_SECRET", SIGNING_SECRET), ("DEMO_BOT_TOKEN", BOT_TOKEN)];

/// Variables for `countersign.example.yaml`.
pub const EXAMPLE_ENV: [(&str, &str); 6] = [
    ("SLACK_SIGNING_SECRET", SIGNING_SECRET),
    ("SLACK_BOT_TOKEN", BOT_TOKEN),
    ("OPENAI_API_KEY", "canary-openai"),
    ("ORDERS_TOKEN", "canary-orders"),
    ("PAYMENTS_TOKEN", "canary-payments"),
    ("DATABASE_PASSWORD", "canary-password"),
];

pub fn example() -> String {
    format!("{}/countersign.example.yaml", env!("CARGO_MANIFEST_DIR"))
}

/// The stand-in for Slack on the machine's own clock, and a folder with the demo's configuration.
pub struct Slack {
    pub sandbox: SandboxHandle,
    folder: TempDir,
}

impl Slack {
    pub async fn start() -> Self {
        let sandbox = Sandbox::start(SandboxSettings {
            port: 0,
            signing_secret: SIGNING_SECRET.to_owned(),
            bot_token: BOT_TOKEN.to_owned(),
            clock: Arc::new(TurnableClock::running()),
            cast: Cast::acme(),
            pace: Pace::Unlimited,
        })
        .await
        .expect("the stand-in starts");
        let slack = Self { sandbox, folder: tempfile::tempdir().expect("a folder") };
        let script = include_str!("../../src/demo/script.yaml");
        std::fs::write(slack.folder().join("script.yaml"), script).expect("writable");
        slack.configure(&[]);
        slack
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes `countersign.yaml`, with some texts replaced.
    pub fn configure(&self, edits: &[(&str, &str)]) {
        let mut text = demo_configuration(&self.sandbox.url());
        for (old, new) in edits {
            assert!(text.contains(old), "the configuration has no `{old}`");
            text = text.replace(old, new);
        }
        std::fs::write(self.folder().join("countersign.yaml"), text).expect("writable");
    }

    pub async fn runs(&self, args: &[&str]) -> Ran {
        run(self.folder(), args, &ENV).await
    }
}

/// The demo's configuration as the demo writes it.
pub fn demo_configuration(slack: &str) -> String {
    include_str!("../../src/demo/countersign.yaml")
        .replace("SANDBOX_URL", slack)
        .replace("COMPANY_URL", "http://127.0.0.1:9")
        .replace("COMPANY_HOST", "\"127.0.0.1:9\"")
        .replace("LISTEN", "127.0.0.1:0")
        .replace("STORE", "countersign.db")
        .replace("SCRIPT", "script.yaml")
}

/// A desk that people work with, in this process; the commands run beside it.
pub struct Desk {
    pub world: World,
    folder: TempDir,
}

impl Desk {
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With changes to the demo's configuration.
    pub async fn open_with(edits: &[(&str, &str)]) -> Self {
        Self::open_at(SystemClock.now(), edits).await
    }

    pub async fn open_at(start: Timestamp, edits: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let setting = Setting {
            folder: folder.path(),
            clock: Arc::new(TurnableClock::standing_at(start)),
            pace: Pace::LikeSlack,
            port: 0,
            edits,
        };
        let world = World::found(setting).await.expect("the world is founded");
        Self { world, folder }
    }

    /// One refund approved and paid, one deletion approved and made, one refund rejected, one
    /// small refund allowed by a rule, and one invoice that waits.
    pub async fn with_a_past() -> Self {
        let desk = Self::open().await;
        desk.lives().await;
        desk
    }

    async fn lives(&self) {
        let desk = self;
        desk.writes("mia", "refund ch_7 20.00 EUR, late parcel").await;
        desk.writes("mia", "refund ch_1042 640.00 EUR, charged twice").await;
        desk.decides("jonas", "Approve", "checked with the bank").await;
        desk.writes("mia", "delete sessions older than 2025-01-01").await;
        desk.decides("noor", "Approve", "sampled the rows").await;
        desk.writes("mia", "refund ch_9 75.00 EUR, wrong size").await;
        desk.decides("lena", "Reject…", "it is on its way back").await;
        desk.writes("mia", "pay invoice V-7719").await;
    }

    /// The same, so long ago that only a rest of it is kept, and one invoice that waits today.
    pub async fn with_an_old_past() -> Self {
        let retention = "default: deny\nretention: { requests: 7d }";
        let desk = Self::open_with(&[("default: deny", retention)]).await;
        desk.lives().await;
        for days in [7, 1] {
            let span = Span::minutes(days * 24 * 60);
            desk.world.pass(span).await.expect("the world goes on");
        }
        desk.writes("mia", "pay invoice V-7720").await;
        desk
    }

    pub fn database(&self) -> PathBuf {
        self.world.database()
    }

    pub async fn settles(&self) {
        self.world.pass(Span::seconds(10)).await.expect("the world goes on");
    }

    pub async fn writes(&self, who: &str, text: &str) -> MessageRef {
        let message = self.world.slack.person(who).writes_to_bot(text);
        self.settles().await;
        message
    }

    /// Decides on the newest card in #approvals, and says what the person was told.
    pub async fn decides(&self, who: &str, button: &str, reason: &str) -> Vec<String> {
        let told = self.presses(who, button, reason).await;
        self.settles().await;
        told
    }

    /// The same, and nothing follows yet.
    pub async fn presses(&self, who: &str, button: &str, reason: &str) -> Vec<String> {
        let person = self.world.slack.person(who);
        let card = person.newest_card("#approvals").expect("a card with buttons");
        let clicked = person.clicks(&card, button).await;
        let mut told = clicked.told;
        if let Some(dialog) = clicked.dialog {
            let sent = person.sends(&dialog, &[("reason", reason)]).await;
            told.extend(sent.errors);
            told.extend(sent.now.map(|now| now.text));
        }
        told
    }

    /// Everything said in a thread, sorted: the desk and the agent answer at the same time.
    pub fn replies(&self, who: &str, root: &MessageRef) -> String {
        let replies = self.world.slack.person(who).sees_in_thread(root);
        let mut texts: Vec<String> = replies.into_iter().map(|reply| reply.text).collect();
        texts.sort();
        texts.join("\n---\n")
    }

    /// A command on this desk's database.
    pub async fn runs(&self, args: &[&str]) -> Ran {
        let database = format!("sqlite://{}", self.database().display());
        let args: Vec<&str> = args.iter().copied().chain(["--database", &database]).collect();
        run(self.folder.path(), &args, &[]).await
    }

    /// The same with a reader that went away before the first line; what is said on stderr.
    pub async fn runs_for_nobody(&self, args: &[&str]) -> String {
        let database = format!("sqlite://{}", self.database().display());
        let args: Vec<&str> = args.iter().copied().chain(["--database", &database]).collect();
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = countersign(self.folder.path(), &args, &[]);
        let ended = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("it starts");
        let ended = ended.wait_with_output().await.expect("it ends");
        assert_eq!(ended.status.code(), Some(1), "{args:?}");
        String::from_utf8(ended.stderr).expect("UTF-8")
    }

    /// The ids in `requests list`, by its arguments.
    pub async fn ids(&self, args: &[&str]) -> Vec<String> {
        let listed = self.runs(&[&["requests", "list"], args].concat()).await;
        let lines = listed.out.lines().filter(|line| line.starts_with("req_"));
        lines.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    /// Where the commands run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Closes the desk, so that its database is one file at rest.
    pub async fn close(mut self) -> TempDir {
        self.world.crash_desk().await;
        self.folder
    }
}
