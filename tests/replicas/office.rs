//! What stands around the desks that are started by their binary: the workspace, the company, the
//! balancer; and the desks themselves, as an operator runs them.

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use countersign::base::TurnableClock;
use countersign::demo::Company;
use countersign::sandbox::{
    Cast, Driver, MessageView, Pace, Sandbox, SandboxHandle, SandboxSettings,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::balancer::Balancer;

const CONFIGURATION: &str = include_str!("../../src/demo/countersign.yaml");
const SCRIPT: &str = include_str!("../../src/demo/script.yaml");
const SIGNING_SECRET: &str = "the-replicas-sign-with-this";
const BOT_TOKEN: &str = "xoxb-replicas";
/// For everything that has to be seen sooner or later, on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything but the database.
pub struct Office {
    pub slack: Arc<SandboxHandle>,
    pub company: Company,
    pub desks: Vec<Replica>,
    store: String,
    company_at_work: JoinHandle<()>,
    _balancer: Balancer,
    folder: TempDir,
}

/// How a desk is started: as whom, and into which surroundings.
#[derive(Clone)]
pub struct Start {
    pub binary: PathBuf,
    pub environment: Vec<(&'static str, OsString)>,
}

impl Default for Start {
    fn default() -> Self {
        Self { binary: env!("CARGO_BIN_EXE_countersign").into(), environment: Vec::new() }
    }
}

impl Office {
    /// Opens so many desks on one database, and a balancer before them.
    pub async fn opens(store: &str, desks: usize) -> Self {
        Self::opens_with(store, &[], vec![Start::default(); desks]).await
    }

    /// The same with another configuration, and each desk in its own way.
    pub async fn opens_with(store: &str, edits: &[(&str, &str)], desks: Vec<Start>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let company = Company::open(&folder.path().join("company.db")).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let router = company.router();
        let company_at_work =
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let slack = Sandbox::start(SandboxSettings {
            port: 0,
            signing_secret: SIGNING_SECRET.to_owned(),
            bot_token: BOT_TOKEN.to_owned(),
            clock: Arc::new(TurnableClock::running()),
            cast: Cast::acme(),
            pace: Pace::Unlimited,
        });
        let slack = Arc::new(slack.await.unwrap());
        let mut text = CONFIGURATION.to_owned();
        for (words, instead) in edits {
            assert!(text.contains(words), "the configuration has no `{words}`");
            text = text.replace(words, instead);
        }
        let text = text
            .replace("SANDBOX_URL", &slack.url())
            .replace("COMPANY_URL", &format!("http://{host}"))
            .replace("COMPANY_HOST", &format!("\"{host}\""))
            .replace("sqlite://STORE", store)
            .replace("SCRIPT", "script.yaml");
        std::fs::write(folder.path().join("countersign.yaml"), text).unwrap();
        std::fs::write(folder.path().join("script.yaml"), SCRIPT).unwrap();
        let ports: Vec<SocketAddr> = desks.iter().map(|_| free_port()).collect();
        let opening = desks.iter().zip(&ports);
        let opening = opening.map(|(start, &at)| Replica::opens(folder.path(), at, start));
        let desks = futures::future::join_all(opening).await;
        let balancer = Balancer::before(ports).await;
        slack.set_bot_url(&balancer.url);
        let (store, _balancer) = (store.to_owned(), balancer);
        Self { slack, company, desks, store, company_at_work, _balancer, folder }
    }

    /// Waits until so many more invoices are paid.
    pub async fn payments_go_on(&self, more: i64) {
        let paid = async || self.company.payments("payment").await.unwrap();
        let before = paid().await;
        sooner_or_later("invoices are paid", async || paid().await >= before + more).await;
    }

    /// Closes one of the desks and starts another in its place.
    pub async fn replaces(&mut self, nth: usize, start: &Start) {
        let gone = self.desks.remove(nth);
        let at = gone.at;
        gone.closes().await;
        self.desks.insert(nth, Replica::opens(self.folder.path(), at, start).await);
    }

    /// Closes the desks, and has the operator look at what they leave.
    pub async fn closes(self) {
        for desk in self.desks {
            desk.closes().await;
        }
        let verified = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["verify", "--database", &self.store])
            .output()
            .await
            .unwrap();
        let said = [verified.stdout, verified.stderr].concat();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&said));
        self.company_at_work.abort();
    }

    /// What the desks wrote to their logs.
    pub fn logs(&self) -> String {
        let log = |desk: &Replica| std::fs::read_to_string(desk.log(self.folder.path())).unwrap();
        self.desks.iter().map(log).collect()
    }
}

/// One desk, started by its binary.
pub struct Replica {
    pub at: SocketAddr,
    process: Child,
}

impl Replica {
    async fn opens(folder: &Path, at: SocketAddr, start: &Start) -> Self {
        let file = folder.join(format!("desk-{}.yaml", at.port()));
        let text = std::fs::read_to_string(folder.join("countersign.yaml")).unwrap();
        std::fs::write(&file, text.replace("LISTEN", &at.to_string())).unwrap();
        let mut process = Command::new(&start.binary)
            .arg("--config")
            .arg(&file)
            .arg("serve")
            .env("DEMO_SIGNING_SECRET", SIGNING_SECRET)
            .env("DEMO_BOT_TOKEN", BOT_TOKEN)
            .envs(start.environment.clone())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_at(folder, at))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        sooner_or_later("a desk opens", async || {
            assert!(process.try_wait().unwrap().is_none(), "a desk ended by itself");
            TcpStream::connect(at).await.is_ok()
        })
        .await;
        Self { at, process }
    }

    fn log(&self, folder: &Path) -> PathBuf {
        log_of(folder, self.at)
    }

    pub fn signal(&self, signal: Signal) {
        let id = self.process.id().and_then(|id| Pid::from_raw(id as i32)).unwrap();
        kill_process(id, signal).unwrap();
    }

    async fn closes(mut self) {
        self.signal(Signal::TERM);
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        assert!(ended.success(), "a desk closed with {ended}");
    }
}

fn log_of(folder: &Path, at: SocketAddr) -> PathBuf {
    folder.join(format!("desk-{}.log", at.port()))
}

/// Whoever comes in another's place goes on with its log.
fn log_at(folder: &Path, at: SocketAddr) -> File {
    File::options().create(true).append(true).open(log_of(folder, at)).unwrap()
}

pub async fn sooner_or_later(what: &str, mut seen: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !seen().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "{what}: not within a minute");
}

/// Waits for a card in a channel that somebody can still decide, showing this text.
pub async fn card(slack: &SandboxHandle, channel: &str, text: &str) -> MessageView {
    let mut found = None;
    sooner_or_later(text, async || {
        slack.deliver_due().await;
        let seen = slack.person("jonas").sees(channel).into_iter();
        found = seen.filter(asks).find(|card| card.text.contains(text));
        found.is_some()
    })
    .await;
    found.unwrap()
}

/// Whether a message still asks for a decision.
pub fn asks(card: &MessageView) -> bool {
    card.buttons.iter().any(|label| label == "Approve")
}

/// Whoever gets no answer presses again, as Slack tells them to.
pub async fn presses(person: &Driver, card: &MessageView, label: &str) {
    sooner_or_later("a press is answered", async || person.clicks(card, label).await.status == 200)
        .await;
}

pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
