//! What survives every kill: Slack's stand-in, the company with its books, and the clock they share.

use std::net::TcpListener as Reservation;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use countersign::base::TurnableClock;
use countersign::demo::Company;
use countersign::sandbox::{Cast, Pace, Sandbox, SandboxHandle, SandboxSettings};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::chance::Chance;
use crate::database::Database;
use crate::desk::House;
use crate::tempo::Tempo;

pub const SIGNING_SECRET: &str = "the-campaign-signs-with-this";
pub const BOT_TOKEN: &str = "xoxb-campaign";

const CONFIGURATION: &str = include_str!("../../src/demo/countersign.yaml");
const SCRIPT: &str = include_str!("../../src/demo/script.yaml");

/// Everything around the desk.
pub struct Outside {
    pub clock: Arc<TurnableClock>,
    pub slack: SandboxHandle,
    pub company_books: PathBuf,
    pub company_host: String,
    /// Rings whenever the company is called, and whenever somebody is about to click.
    pub called: Arc<Notify>,
    pub clicked: Notify,
    /// Interactions that were delivered once more, byte for byte, and answered with 200.
    pub repeated: Mutex<Vec<Value>>,
    /// How many events were delivered once more and answered with 200.
    pub events_again: Mutex<usize>,
    /// Clicks that wait for the desk's answer, and calls that it waits for.
    under_way: Arc<AtomicUsize>,
    company_server: JoinHandle<()>,
}

/// A company that takes its time, as services do: long enough to be cut off in the middle.
struct Slow {
    chance: Mutex<Chance>,
    called: Arc<Notify>,
    under_way: Arc<AtomicUsize>,
}

/// Somebody waits for somebody, until this is dropped.
pub struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn begins(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Outside {
    /// Founds the company, opens the workspace, and writes the desk's configuration.
    pub async fn found(
        folder: &Path,
        chance: &Chance,
        tempo: &Tempo,
    ) -> anyhow::Result<(Arc<Self>, House)> {
        Self::found_on(Database::in_folder(folder), folder, chance, tempo).await
    }

    /// The same for a desk that keeps what it knows there.
    pub async fn found_on(
        database: Database,
        folder: &Path,
        chance: &Chance,
        tempo: &Tempo,
    ) -> anyhow::Result<(Arc<Self>, House)> {
        let clock = Arc::new(TurnableClock::running());
        let called = Arc::new(Notify::new());
        let company_books = folder.join("company.db");
        let company = Company::open(&company_books).await?;
        let under_way = Arc::new(AtomicUsize::new(0));
        let slow = Slow {
            chance: Mutex::new(chance.apart("the company")),
            called: called.clone(),
            under_way: under_way.clone(),
        };
        let router = company.router().layer(from_fn_with_state(Arc::new(slow), take_time));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let company_host = listener.local_addr()?.to_string();
        let company_server = tokio::spawn(async move {
            // It ends with the campaign; there is nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        let slack = Sandbox::start(SandboxSettings {
            port: 0,
            signing_secret: SIGNING_SECRET.to_owned(),
            bot_token: BOT_TOKEN.to_owned(),
            clock: clock.clone(),
            cast: Cast::acme(),
            pace: Pace::Unlimited,
        })
        .await?;
        let port = port_of_its_own();
        slack.set_bot_url(&format!("http://127.0.0.1:{port}"));
        let house = House { folder: folder.to_owned(), port, database, machine: None };
        furnish(&house, &slack.url(), &company_host, tempo)?;
        let outside = Self {
            clock,
            slack,
            company_books,
            company_host,
            called,
            clicked: Notify::new(),
            repeated: Mutex::default(),
            events_again: Mutex::default(),
            under_way,
            company_server,
        };
        Ok((Arc::new(outside), house))
    }
}

impl Outside {
    /// A house for another desk on the same database.
    pub fn another_house(&self, house: &House, tempo: &Tempo) -> anyhow::Result<House> {
        let folder = house.folder.join("another");
        std::fs::create_dir_all(&folder)?;
        let database = house.database.clone();
        let another = House { folder, port: port_of_its_own(), database, machine: None };
        furnish(&another, &self.slack.url(), &self.company_host, tempo)?;
        Ok(another)
    }

    pub fn begins(&self) -> UnderWay {
        UnderWay::begins(&self.under_way)
    }

    pub fn is_something_under_way(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.company_server.abort();
    }
}

/// Writes what a desk reads when it starts.
fn furnish(house: &House, slack: &str, company: &str, tempo: &Tempo) -> anyhow::Result<()> {
    let text = configuration(slack, company, house, tempo.patience)?;
    std::fs::write(house.folder.join("countersign.yaml"), text)?;
    let script = SCRIPT.replace("pace: 70ms", &format!("pace: {}", tempo.words));
    std::fs::write(house.folder.join("script.yaml"), script)?;
    Ok(())
}

/// Below those that the system gives to whoever asks for any, so that it stays free while the desk is
/// dead.
fn port_of_its_own() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id().wrapping_mul(61) % 20_000;
    loop {
        let nth = first + u32::from(NEXT.fetch_add(1, Ordering::SeqCst));
        let port = 10_000 + u16::try_from(nth % 20_000).unwrap_or_default();
        if Reservation::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The demo's configuration with people who wait seconds where they would wait half an hour.
fn configuration(
    slack: &str,
    company: &str,
    house: &House,
    patience: u32,
) -> anyhow::Result<String> {
    let seconds = |count: u32| format!("{}s", count * patience);
    let refunds = format!("within: {}, remind: [{}]", seconds(5), seconds(2));
    let deletes = format!("within: {}, remind: [{}]", seconds(4), seconds(1));
    let invoices =
        format!("finance, in: managers, within: {}, remind: [{}]", seconds(4), seconds(1));
    let (second, third) = (seconds(4), seconds(3));
    let store = house.database.url();
    let listen = format!("127.0.0.1:{}", house.port);
    let edits = [
        ("SANDBOX_URL", slack.to_owned()),
        ("COMPANY_URL", format!("http://{company}")),
        ("COMPANY_HOST", format!("\"{company}\"")),
        ("LISTEN", listen),
        ("sqlite://STORE", store),
        ("SCRIPT", "script.yaml".to_owned()),
        (
            "managers: \"#managers\"",
            "managers: \"#managers\"\n  databases: \"#support\"".to_owned(),
        ),
        ("dba, in: approvals", "dba, in: databases".to_owned()),
        ("within: 30m, remind: [10m, 20m]", refunds),
        ("within: 20m, remind: [10m]", deletes),
        ("finance, in: approvals, within: 30m, remind: [10m, 25m]", invoices),
        ("within: 30m, remind: [20m]", format!("within: {third}")),
        ("within: 30m", format!("within: {second}")),
        ("within: 20m", format!("within: {third}")),
    ];
    let mut text = CONFIGURATION.to_owned();
    for (words, instead) in edits {
        anyhow::ensure!(text.contains(words), "the configuration has no `{words}`");
        text = text.replace(words, &instead);
    }
    Ok(text)
}

/// Waits before the effect, or between the effect and the answer, or both.
async fn take_time(State(slow): State<Arc<Slow>>, request: Request, next: Next) -> Response {
    let (before, after) = {
        let mut chance = slow.chance.lock().unwrap_or_else(PoisonError::into_inner);
        (chance.millis(0, 120), chance.millis(0, 250))
    };
    let _under_way = UnderWay::begins(&slow.under_way);
    slow.called.notify_waiters();
    tokio::time::sleep(before).await;
    let response = next.run(request).await;
    tokio::time::sleep(after).await;
    response
}
