//! Two desks on one database, with one company and one workspace around them.

use std::sync::Arc;

use countersign::app::App;
use countersign::base::{RandomIds, Timestamp, TurnableClock};
use countersign::demo::{Setting, World};
use countersign::desk::Desk;
use countersign::sandbox::Pace;
use countersign::slack::client::{HttpSlack, HttpSlackSettings};
use countersign::store::{Rehearsal, Store, StoreError, Turnstile};
use countersign::work::{Executions, Runs, one_turn};
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use tempfile::TempDir;

/// Tuesday, half past one.
pub const START: Timestamp = Timestamp::from_millis(1_795_527_000_000);
const AT_ONCE: usize = 32;

pub struct Pair {
    pub world: World,
    pub clock: Arc<TurnableClock>,
    second: App,
    _folder: TempDir,
    server: Rehearsal,
}

pub async fn rehearsal() -> Rehearsal {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES");
    let server = server.expect("COUNTERSIGN_TEST_POSTGRES names a server");
    Rehearsal::on(&server, &RandomIds).await.unwrap()
}

impl Pair {
    pub async fn opens_with(edits: &[(&str, &str)]) -> Self {
        Self::opens_apart(edits, &[]).await
    }

    /// The same, with a configuration that is edited once more for the second desk.
    pub async fn opens_apart(edits: &[(&str, &str)], once_more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TurnableClock::standing_at(START));
        let server = rehearsal().await;
        let store = format!("store: {}", server.url());
        let mut edits = edits.to_vec();
        edits.push(("store: sqlite://countersign.db", &store));
        let world = World::found(Setting {
            folder: folder.path(),
            clock: clock.clone(),
            pace: Pace::Unlimited,
            port: 0,
            edits: &edits,
        });
        let mut world = world.await.unwrap();
        for (text, instead) in once_more {
            world.edit_configuration(text, instead).unwrap();
        }
        let config = world.config().unwrap();
        let second = App::open(config, clock.clone(), Arc::new(RandomIds)).await.unwrap();
        Self { world, clock, second, _folder: folder, server }
    }

    pub fn desks(&self) -> [Arc<Desk>; 2] {
        [self.world.app().unwrap().desk.clone(), self.second.desk.clone()]
    }

    /// One more desk, behind a turnstile.
    pub async fn third_behind(&self, turnstile: Arc<dyn Turnstile>) -> Arc<Desk> {
        let config = self.world.config().unwrap();
        let [store, _] = self.stores();
        let slack = HttpSlack::new(HttpSlackSettings {
            base_url: config.slack.api_url.clone(),
            token: config.slack.bot_token.clone(),
            timeout: config.slack.timeout,
        });
        let slack = Arc::new(slack.unwrap());
        let (store, clock) = (store.behind(turnstile), self.clock.clone());
        Arc::new(Desk::open_on(store, config, slack, clock, Arc::new(RandomIds)).await.unwrap())
    }

    pub fn stores(&self) -> [Store; 2] {
        self.desks().map(|desk| desk.store.clone())
    }

    /// Both desks at once do what their runs and executions ask, until nothing is left.
    pub async fn both_work(&self) {
        let [one, other] = self.desks();
        loop {
            let (a, b) = tokio::join!(work(&one), work(&other));
            if a.unwrap() + b.unwrap() == 0 {
                return;
            }
        }
    }

    /// Somebody writes to the bot, and the request that follows is there.
    pub async fn asks(&self, who: &str, text: &str) {
        self.world.slack.person(who).writes_to_bot(text);
        self.world.slack.deliver_due().await;
        self.both_work().await;
    }

    /// Presses the newest card, and says why.
    pub async fn approves(&self, who: &str) {
        let person = self.world.slack.person(who);
        let card = person.newest_card("#approvals").unwrap();
        let dialog = person.clicks(&card, "Approve").await.dialog.unwrap();
        assert_eq!(person.sends(&dialog, &[("reason", "looked at it")]).await.status, 200);
    }

    pub fn database_name(&self) -> String {
        let url = url::Url::parse(&self.server.url()).unwrap();
        url.path().trim_start_matches('/').to_owned()
    }

    /// The database, for looking.
    pub async fn database(&self) -> AnyPool {
        AnyPoolOptions::new().max_connections(1).connect(&self.server.url()).await.unwrap()
    }

    pub async fn closes(self) {
        let violations = self.world.verify().await.unwrap();
        assert_eq!(violations, []);
        self.second.desk.store.close().await;
        self.world.app().unwrap().desk.store.close().await;
    }
}

/// Does what is due of one desk's runs and executions, and says how much that was.
pub async fn work(desk: &Arc<Desk>) -> Result<usize, StoreError> {
    let runs = one_turn(&Runs::new(desk.clone()), AT_ONCE).await?;
    Ok(runs + one_turn(&Executions::new(desk.clone()), AT_ONCE).await?)
}
