//! An office to tell stories in: people, a desk, a company, and a clock on the wall.

use std::sync::Arc;

use countersign::base::{RandomIds, Span, Timestamp, TurnableClock};
use countersign::demo::{Setting, World};
use countersign::sandbox::{Driver, MessageRef, MessageView, Pace};
use countersign::store::Rehearsal;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;

/// Tuesday, half past one.
const START: Timestamp = Timestamp::from_millis(1_795_527_000_000);
/// Slack takes about one post a second in a channel.
const MOMENT: Span = Span::seconds(10);

pub const REFUND: &str = "refund ch_1042 640.00 EUR, customer was charged twice";
pub const INVOICE: &str = "pay invoice V-7719";
pub const DELETION: &str = "delete sessions older than 2025-01-01";

/// A database of ours comes with a schema.
const EMPTY: &str = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;";

/// A database of its own on the server that the tests are to run on, if there is one.
async fn server() -> Option<Rehearsal> {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").ok()?;
    Some(Rehearsal::on(&server, &RandomIds).await.unwrap())
}

/// Everything that a desk left in its database, as statements.
pub struct Dump {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

pub struct Office {
    pub world: World,
    pub clock: Arc<TurnableClock>,
    _folder: TempDir,
    /// Where the desk's database is when it is not a file in the folder.
    _server: Option<Rehearsal>,
}

impl Office {
    pub async fn opens() -> Self {
        Self::opens_with(&[]).await
    }

    /// With changes to the demo's configuration: each text and what stands in its place.
    pub async fn opens_with(edits: &[(&str, &str)]) -> Self {
        Self::opens_at(START, edits).await
    }

    pub async fn opens_at(start: Timestamp, edits: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::opens_in(folder, server().await, start, edits).await
    }

    /// On what somebody else has left, a moment after they did.
    pub async fn opens_on(dump: Dump) -> Self {
        let (folder, server) = (tempfile::tempdir().unwrap(), server().await);
        let (url, words) = match &server {
            Some(server) => (server.url(), format!("{EMPTY}{}", dump.postgres)),
            None => {
                let file = folder.path().join("countersign.db");
                (format!("sqlite://{}?mode=rwc", file.display()), dump.sqlite.to_owned())
            }
        };
        sqlx::any::install_default_drivers();
        let mut desk = AnyConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(words)).execute(&mut desk).await.unwrap();
        desk.close().await.unwrap();
        let mut desk = AnyConnection::connect(&url).await.unwrap();
        let newest = "SELECT MAX(at) FROM audit_heads";
        let newest: i64 = sqlx::query_scalar(newest).fetch_one(&mut desk).await.unwrap();
        desk.close().await.unwrap();
        Self::opens_in(folder, server, Timestamp::from_millis(newest).plus(MOMENT), &[]).await
    }

    async fn opens_in(
        folder: TempDir,
        server: Option<Rehearsal>,
        start: Timestamp,
        edits: &[(&str, &str)],
    ) -> Self {
        let clock = Arc::new(TurnableClock::standing_at(start));
        let store = server.as_ref().map(|server| format!("store: {}", server.url()));
        let mut edits = edits.to_vec();
        edits.extend(store.as_deref().map(|store| ("store: sqlite://countersign.db", store)));
        let setting = Setting {
            folder: folder.path(),
            clock: clock.clone(),
            pace: Pace::LikeSlack,
            port: 0,
            edits: &edits,
        };
        let world = World::found(setting).await.unwrap();
        Self { world, clock, _folder: folder, _server: server }
    }

    pub fn person(&self, who: &str) -> Driver {
        self.world.slack.person(who)
    }

    /// Somebody writes to the bot, and what follows at once happens.
    pub async fn writes(&self, who: &str, text: &str) -> MessageRef {
        let message = self.person(who).writes_to_bot(text);
        self.a_moment().await;
        message
    }

    /// The newest card with buttons that somebody sees in a channel.
    pub fn card(&self, who: &str, channel: &str) -> MessageView {
        let card = self.person(who).newest_card(channel);
        card.unwrap_or_else(|| panic!("{who} sees no card in {channel}"))
    }

    /// Somebody asks for something, and a card appears in #approvals.
    pub async fn asks(&self, who: &str, text: &str) -> (MessageRef, MessageView) {
        let asked = self.writes(who, text).await;
        (asked, self.card("priya", "#approvals"))
    }

    /// Presses a button and sends the dialog that opens, without waiting for what follows. Says
    /// what they were told if their press did not count.
    pub async fn presses(&self, who: &str, card: &MessageView, label: &str) -> Vec<String> {
        let person = self.person(who);
        let clicked = person.clicks(card, label).await;
        assert_eq!(clicked.status, 200, "{who} presses {label}");
        let mut told = clicked.told;
        if let Some(dialog) = clicked.dialog {
            let sent = person.sends(&dialog, &[("reason", "looked at it")]).await;
            assert_eq!(sent.status, 200, "{who} sends the dialog of {label}");
            told.extend(sent.errors);
            told.extend(sent.now.map(|now| now.text));
            if let Some(open) = person.dialog() {
                person.cancels(&open).await;
            }
        }
        told
    }

    pub async fn approves(&self, who: &str, card: &MessageView) -> Vec<String> {
        let told = self.presses(who, card, "Approve").await;
        self.a_moment().await;
        told
    }

    pub async fn rejects(&self, who: &str, card: &MessageView) -> Vec<String> {
        let told = self.presses(who, card, "Reject…").await;
        self.a_moment().await;
        told
    }

    pub async fn a_moment(&self) {
        self.passes(MOMENT).await;
    }

    pub async fn passes(&self, span: Span) {
        self.world.pass(span).await.unwrap();
    }

    /// Days pass, and on the last one the desk has seen the one before: a clock that leaps over days is
    /// not believed by what takes away what is old.
    pub async fn days_pass(&self, days: u32) {
        self.passes(Span::minutes((days - 1) * 24 * 60)).await;
        self.passes(Span::minutes(24 * 60)).await;
    }

    /// Power cut and restart, on the same database.
    pub async fn loses_power(&mut self) {
        self.world.crash_desk().await;
        self.world.open_desk().await.unwrap();
        self.a_moment().await;
    }

    /// The model follows another script from now on.
    pub async fn follows_script(&mut self, script: &str) {
        let file = self.world.database().with_file_name("another-script.yaml");
        std::fs::write(file, script).unwrap();
        self.world.crash_desk().await;
        let (now, next) = ("script: script.yaml", "script: another-script.yaml");
        self.world.edit_configuration(now, next).unwrap();
        self.world.open_desk().await.unwrap();
    }

    /// Everything the bot said in a thread, as one text.
    pub fn thread(&self, who: &str, root: &MessageRef) -> String {
        let replies = self.person(who).sees_in_thread(root);
        replies.into_iter().map(|reply| reply.text).collect::<Vec<_>>().join("\n")
    }

    /// The body of the last click as it went over the wire.
    pub fn last_click(&self) -> String {
        let journal = self.world.slack.journal();
        let click = journal.iter().rev().find(|passed| passed.what == "POST /slack/interactions");
        let payload = click.unwrap().sent.to_string();
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload)
            .finish()
    }

    pub async fn refunds(&self) -> i64 {
        self.world.company.payments("refund").await.unwrap()
    }

    pub async fn invoices_paid(&self) -> i64 {
        self.world.company.payments("payment").await.unwrap()
    }
}
