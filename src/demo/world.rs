//! A whole small world in one process: Slack's stand-in, the company, and the desk between them.
//!
//! Everything talks over real loopback HTTP with real signatures. The stories of `demo --auto` and
//! the tests live in it: they turn its clock, crash its desk, and ask it what really happened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Company;
use crate::app::{App, Roles};
use crate::audit;
use crate::base::{Clock, Ids, RandomIds, Span, Timestamp, TurnableClock};
use crate::config::{self, Config};
use crate::http;
use crate::sandbox::{Cast, Pace, Sandbox, SandboxHandle, SandboxSettings};
use crate::store::Store;

/// The demo's own secrets: they open nothing but a stand-in on this machine.
const SIGNING_SECRET: &str = "the-demo-signs-with-this";
const BOT_TOKEN: &str = "xoxb-demo";

/// The key of the demo's caller of the API; it acts for Mia.
pub const API_KEY: &str = "demo-key-of-the-caller-called-support";
/// The key of another caller, for configurations that have one.
pub const SECOND_API_KEY: &str = "demo-key-of-the-caller-called-books-x";

const CONFIGURATION: &str = include_str!("countersign.yaml");
const CALLERS: &str = include_str!("callers.yaml");
const SCRIPT: &str = include_str!("script.yaml");

/// What the world is made of.
pub struct Setting<'a> {
    /// Where its files live: the desk's database, the company's books.
    pub folder: &'a Path,
    pub clock: Arc<TurnableClock>,
    pub pace: Pace,
    /// Port of the sandbox's page; zero takes any.
    pub port: u16,
    /// Changes to the demo's configuration: each text and what stands in its place.
    pub edits: &'a [(&'a str, &'a str)],
}

/// The world. Its desk can be closed, crashed and opened again on the same database.
pub struct World {
    pub clock: Arc<TurnableClock>,
    pub slack: SandboxHandle,
    pub company: Company,
    folder: PathBuf,
    configuration: String,
    company_url: String,
    company_server: JoinHandle<()>,
    desk: Option<OpenDesk>,
}

struct OpenDesk {
    app: Arc<App>,
    url: String,
    server: JoinHandle<()>,
}

impl World {
    /// Founds the company, opens the workspace and the desk.
    pub async fn found(setting: Setting<'_>) -> anyhow::Result<Self> {
        let Setting { folder, clock, pace, port, edits } = setting;
        let company = Company::open(&folder.join("company.db")).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let company_host = listener.local_addr()?.to_string();
        let router = company.router();
        let company_server = tokio::spawn(async move {
            // It ends with the world; there is nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        let slack = Sandbox::start(SandboxSettings {
            port,
            signing_secret: SIGNING_SECRET.to_owned(),
            bot_token: BOT_TOKEN.to_owned(),
            clock: clock.clone(),
            cast: Cast::acme(),
            pace,
        })
        .await?;
        std::fs::write(folder.join("script.yaml"), SCRIPT)?;
        let configuration = format!("{CONFIGURATION}{CALLERS}")
            .replace("SANDBOX_URL", &slack.url())
            .replace("COMPANY_URL", &format!("http://{company_host}"))
            .replace("COMPANY_HOST", &format!("\"{company_host}\""))
            .replace("LISTEN", "127.0.0.1:0")
            .replace("STORE", "countersign.db")
            .replace("SCRIPT", "script.yaml");
        let mut world = Self {
            clock,
            slack,
            company,
            folder: folder.to_owned(),
            configuration,
            company_url: format!("http://{company_host}"),
            company_server,
            desk: None,
        };
        for (text, instead) in edits {
            world.edit_configuration(text, instead)?;
        }
        world.open_desk().await?;
        Ok(world)
    }

    /// The configuration that the desk runs with.
    pub fn config(&self) -> anyhow::Result<Config> {
        let env = |name: &str| match name {
            "DEMO_SIGNING_SECRET" => Some(SIGNING_SECRET.to_owned()),
            "DEMO_BOT_TOKEN" => Some(BOT_TOKEN.to_owned()),
            "DEMO_API_KEY" => Some(API_KEY.to_owned()),
            "DEMO_SECOND_API_KEY" => Some(SECOND_API_KEY.to_owned()),
            _ => None,
        };
        let file = self.folder.join("countersign.yaml");
        std::fs::write(&file, &self.configuration)?;
        let mut config = config::load(&file, &env)?;
        if config.store.as_str().starts_with("sqlite://") {
            config.store = format!("sqlite://{}", self.database().display()).into();
        }
        Ok(config)
    }

    /// Where the company's services are.
    pub fn company_url(&self) -> &str {
        &self.company_url
    }

    /// Changes the configuration that the desk is opened with next: a text, and what stands in its
    /// place.
    pub fn edit_configuration(&mut self, text: &str, instead: &str) -> anyhow::Result<()> {
        anyhow::ensure!(self.configuration.contains(text), "the configuration has no `{text}`");
        self.configuration = self.configuration.replace(text, instead);
        Ok(())
    }

    /// The desk's database file, unless the configuration names a server.
    pub fn database(&self) -> PathBuf {
        self.folder.join("countersign.db")
    }

    /// The desk. It is there unless it was crashed and not opened again.
    pub fn app(&self) -> anyhow::Result<&Arc<App>> {
        Ok(&self.desk.as_ref().context("the desk is closed")?.app)
    }

    /// Where the desk listens.
    pub fn desk_url(&self) -> anyhow::Result<&str> {
        Ok(&self.desk.as_ref().context("the desk is closed")?.url)
    }

    /// Opens the desk on the database as it is.
    pub async fn open_desk(&mut self) -> anyhow::Result<()> {
        let ids: Arc<dyn Ids> = Arc::new(RandomIds);
        let app = Arc::new(App::open(self.config()?, self.clock.clone(), ids).await?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        self.slack.set_bot_url(&url);
        let router = app.router();
        let patience = app.desk.config.streams.patience.to_std();
        let server = tokio::spawn(async move {
            // It ends when the desk is crashed or the world ends.
            let _ = http::serve(listener, router, patience, std::future::pending()).await;
        });
        self.desk = Some(OpenDesk { app, url, server });
        Ok(())
    }

    /// Takes the desk's memory away, between two commits, as a power cut would.
    pub async fn crash_desk(&mut self) {
        if let Some(OpenDesk { app, server, .. }) = self.desk.take() {
            server.abort();
            let _ = server.await;
            app.desk.listeners.send_home();
            app.desk.store.close().await;
        }
    }

    /// Lets everything happen that is due at this moment.
    pub async fn settle(&self) -> anyhow::Result<()> {
        loop {
            let delivered = self.slack.deliver_due().await;
            if let Some(desk) = &self.desk {
                desk.app.settle().await?;
            }
            if delivered == 0 {
                return Ok(());
            }
        }
    }

    /// Lets time pass, stopping at each instant at which something is due.
    pub async fn pass(&self, span: Span) -> anyhow::Result<()> {
        let until = self.clock.now().plus(span);
        while let Some(due) = self.next_due().await?.filter(|&due| due <= until) {
            self.clock.turn_to(due);
            self.settle().await?;
            // Whatever is still due now cannot be done now; a second may help it.
            if self.next_due().await? == Some(due) {
                self.clock.turn_forward(Span::seconds(1));
            }
        }
        self.clock.turn_to(until);
        self.settle().await
    }

    /// When something of the desk becomes due by itself.
    pub async fn next_due(&self) -> anyhow::Result<Option<Timestamp>> {
        let desk = &self.app()?.desk;
        Ok(desk.store.next_due(&desk.workspace).await?)
    }

    /// Messages that still offer a decision, although nothing is waiting for one.
    pub fn live_cards(&self) -> Vec<String> {
        let manager = self.slack.person("priya");
        let channels = ["#approvals", "#managers"];
        let seen = channels.iter().flat_map(|channel| manager.sees(channel));
        let asks = |label: &String| label == "Approve" || label == "Reject…";
        seen.filter(|message| message.buttons.iter().any(asks))
            .map(|message| message.text)
            .collect()
    }

    /// Runs on the machine's own time until `end`, as `serve` would, and closes.
    pub async fn run_until<T>(mut self, end: impl Future<Output = T>) -> anyhow::Result<()> {
        self.crash_desk().await;
        let app = App::open(self.config()?, self.clock.clone(), Arc::new(RandomIds)).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        self.slack.set_bot_url(&format!("http://{}", listener.local_addr()?));
        let desk = app.desk.clone();
        self.slack.set_next_due(Arc::new(move || {
            let desk = desk.clone();
            Box::pin(async move { desk.store.next_due(&desk.workspace).await.ok().flatten() })
        }));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(app.serve(listener, Roles::default(), stop.clone()));
        end.await;
        stop.cancel();
        serving.await??;
        Ok(())
    }

    /// Checks the audit chain and every invariant over the database, from outside the desk.
    pub async fn verify(&self) -> anyhow::Result<Vec<audit::Violation>> {
        let store = Store::open_to_read(self.config()?.store.as_str()).await?;
        let violations = audit::verify(&store, &[]).await?.violations;
        store.close().await;
        Ok(violations)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.company_server.abort();
        if let Some(desk) = &self.desk {
            desk.server.abort();
        }
    }
}
