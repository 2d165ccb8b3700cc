//! What stands around the desks that are started by their binary: the workspace, the company, the
//! balancer; and the desks themselves, as an operator runs them.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use countersign::base::TurnableClock;
use countersign::demo::Company;
use countersign::sandbox::{
    Cast, Driver, MessageView, Pace, Sandbox, SandboxHandle, SandboxSettings,
};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::balancer::Balancer;
pub use crate::replica::Start;
use crate::replica::{BOT_TOKEN, Replica, SIGNING_SECRET, configuration_of, free_port};

const CONFIGURATION: &str = include_str!("../../src/demo/countersign.yaml");
const SCRIPT: &str = include_str!("../../src/demo/script.yaml");
/// For everything that has to be seen sooner or later, on a machine with other things to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Everything but the database.
pub struct Office {
    pub slack: Arc<SandboxHandle>,
    pub company: Company,
    pub desks: Vec<Replica>,
    ports: Vec<SocketAddr>,
    store: String,
    company_at_work: JoinHandle<()>,
    balancer: Balancer,
    folder: TempDir,
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
        let balancer = Balancer::before(ports.clone()).await.unwrap();
        slack.set_bot_url(&balancer.url);
        let store = store.to_owned();
        Self { slack, company, desks, ports, store, company_at_work, balancer, folder }
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

    /// One of the desks is lost, with all it is in the middle of, and another starts in its place.
    pub async fn loses_and_replaces(&mut self, nth: usize, start: &Start) {
        let gone = self.desks.remove(nth);
        let at = gone.at;
        gone.dies().await;
        self.payments_go_on(4).await;
        self.desks.insert(nth, Replica::opens(self.folder.path(), at, start).await);
    }

    /// All desks are lost, with all they are in the middle of.
    pub async fn loses_all(&mut self) {
        for desk in self.desks.drain(..) {
            desk.dies().await;
        }
    }

    /// Desks open in the places of those that were lost.
    pub async fn opens_again(&mut self) {
        let (folder, start) = (self.folder.path(), Start::default());
        let opening = self.ports.iter().map(|&at| Replica::opens(folder, at, &start));
        self.desks = futures::future::join_all(opening).await;
    }

    /// A desk that is started and does not open; what it says.
    pub async fn does_not_open(&self, start: &Start) -> String {
        Replica::ends(self.folder.path(), free_port(), start).await
    }

    /// Whoever writes or presses reaches this desk, and no other.
    pub fn everybody_goes_to(&self, nth: usize) {
        self.slack.set_bot_url(&format!("http://{}", self.desks[nth].at));
    }

    pub fn everybody_goes_anywhere(&self) {
        self.slack.set_bot_url(&self.balancer.url);
    }

    /// Closes the desks, and has the operator look at what they leave.
    pub async fn closes(mut self) {
        for desk in self.desks.drain(..) {
            desk.closes().await;
        }
        let (ended, said) = self.operator(&["verify", "--database", &self.store]).await;
        assert!(ended.success(), "{said}");
        self.company_at_work.abort();
    }

    /// One of the operator's commands: how it ended and what it said.
    pub async fn operator(&self, order: &[&str]) -> (ExitStatus, String) {
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("--config")
            .arg(configuration_of(self.folder.path(), self.ports[0]))
            .args(order)
            .env("DEMO_SIGNING_SECRET", SIGNING_SECRET)
            .env("DEMO_BOT_TOKEN", BOT_TOKEN)
            .output()
            .await
            .unwrap();
        (ran.status, String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap())
    }

    /// What the desks wrote to their logs.
    pub fn logs(&self) -> String {
        let log = |desk: &Replica| std::fs::read_to_string(desk.log(self.folder.path())).unwrap();
        self.desks.iter().map(log).collect()
    }
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
