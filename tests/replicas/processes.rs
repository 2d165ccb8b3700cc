//! Two real desks behind a balancer, as an operator runs them: people write and press at whichever
//! takes the connection, one of the desks is stopped in the middle, and then everything is checked.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use countersign::base::TurnableClock;
use countersign::demo::Company;
use countersign::sandbox::{
    Cast, Driver, MessageView, Pace, Sandbox, SandboxHandle, SandboxSettings,
};
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::balancer::Balancer;
use crate::pair::rehearsal;

const CONFIGURATION: &str = include_str!("../../src/demo/countersign.yaml");
const SCRIPT: &str = include_str!("../../src/demo/script.yaml");
const SIGNING_SECRET: &str = "the-replicas-sign-with-this";
const BOT_TOKEN: &str = "xoxb-replicas";
const INVOICES: usize = 4;
const CLIENTS: usize = 64;
/// For everything that has to be seen sooner or later, on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// One desk, started by its binary.
struct Replica {
    process: Child,
}

impl Replica {
    async fn opens(folder: &Path, at: SocketAddr) -> Self {
        let file = folder.join(format!("desk-{}.yaml", at.port()));
        let text = std::fs::read_to_string(folder.join("countersign.yaml")).unwrap();
        std::fs::write(&file, text.replace("LISTEN", &at.to_string())).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("--config")
            .arg(&file)
            .arg("serve")
            .env("DEMO_SIGNING_SECRET", SIGNING_SECRET)
            .env("DEMO_BOT_TOKEN", BOT_TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join(format!("desk-{}.log", at.port()))).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        sooner_or_later("a desk opens", async || {
            assert!(process.try_wait().unwrap().is_none(), "a desk ended by itself");
            TcpStream::connect(at).await.is_ok()
        })
        .await;
        Self { process }
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().and_then(|id| Pid::from_raw(id as i32)).unwrap();
        kill_process(id, signal).unwrap();
    }

    async fn closes(mut self) {
        self.signal(Signal::TERM);
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        assert!(ended.success(), "a desk closed with {ended}");
    }
}

async fn sooner_or_later(what: &str, mut seen: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !seen().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "{what}: not within a minute");
}

/// Waits for a card in a channel that somebody can still decide, showing this text.
async fn card(slack: &SandboxHandle, channel: &str, text: &str) -> MessageView {
    let mut found = None;
    sooner_or_later(text, async || {
        slack.deliver_due().await;
        let seen = slack.person("jonas").sees(channel).into_iter();
        let asks = |card: &MessageView| card.buttons.iter().any(|label| label == "Approve");
        found = seen.filter(asks).find(|card| card.text.contains(text));
        found.is_some()
    })
    .await;
    found.unwrap()
}

/// Whoever gets no answer presses again, as Slack tells them to.
async fn presses(person: &Driver, card: &MessageView, label: &str) {
    sooner_or_later("a press is answered", async || person.clicks(card, label).await.status == 200)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn two_processes_one_outcome_and_one_payment_and_one_may_stand_still() {
    let folder = tempfile::tempdir().unwrap();
    let server = rehearsal().await;
    let company = Company::open(&folder.path().join("company.db")).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let router = company.router();
    let at_work = tokio::spawn(async move { axum::serve(listener, router).await });
    let slack = Sandbox::start(SandboxSettings {
        port: 0,
        signing_secret: SIGNING_SECRET.to_owned(),
        bot_token: BOT_TOKEN.to_owned(),
        clock: Arc::new(TurnableClock::running()),
        cast: Cast::acme(),
        pace: Pace::Unlimited,
    });
    let slack = slack.await.unwrap();
    let text = CONFIGURATION
        .replace("SANDBOX_URL", &slack.url())
        .replace("COMPANY_URL", &format!("http://{host}"))
        .replace("COMPANY_HOST", &format!("\"{host}\""))
        .replace("sqlite://STORE", &server.url())
        .replace("SCRIPT", "script.yaml");
    std::fs::write(folder.path().join("countersign.yaml"), text).unwrap();
    std::fs::write(folder.path().join("script.yaml"), SCRIPT).unwrap();
    let ports = [free_port(), free_port()];
    let (one, other) = tokio::join!(
        Replica::opens(folder.path(), ports[0]),
        Replica::opens(folder.path(), ports[1])
    );
    let balancer = Balancer::before(ports.to_vec()).await;
    slack.set_bot_url(&balancer.url);

    for nth in 0..INVOICES {
        let invoice = format!("V-77{nth:02}");
        slack.person("mia").writes_to_bot(&format!("pay invoice {invoice}"));
        let card = card(&slack, "#approvals", &invoice).await;
        if nth == INVOICES / 2 {
            // It holds whatever it holds; the other takes over when its leases have ended.
            other.signal(Signal::STOP);
            slack.set_bot_url(&format!("http://{}", ports[0]));
        }
        let presses = (0..CLIENTS).map(|nth| {
            let person = slack.person(["jonas", "lena"][nth % 2]);
            let card = card.clone();
            async move { presses(&person, &card, ["Approve", "Reject…"][nth / 2 % 2]).await }
        });
        join_all(presses).await;
        sooner_or_later("it was paid", async || {
            slack.deliver_due().await;
            company.payments("payment").await.unwrap() == nth as i64 + 1
        })
        .await;
    }
    other.signal(Signal::CONT);
    sooner_or_later("nobody is asked any more", async || {
        slack.deliver_due().await;
        let cards = slack.person("jonas").sees("#approvals");
        !cards.iter().any(|card| card.buttons.iter().any(|label| label == "Approve"))
    })
    .await;
    assert_eq!(company.journal().await.unwrap().len(), INVOICES, "one call for each");
    one.closes().await;
    other.closes().await;
    let verified = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["verify", "--database", &server.url()])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{said}{}", String::from_utf8_lossy(&verified.stderr));
    at_work.abort();
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
