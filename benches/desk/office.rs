//! A whole desk in a folder on disk, and the people and machines around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use countersign::app::App;
use countersign::base::{Clock, RandomIds, SystemClock};
use countersign::config::{self, Config};
use countersign::desk::Desk;
use countersign::store::Rehearsal;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::slack::{APP, Card, QuickSlack, TEAM};
use crate::{named, talker};

pub const SECRET: &str = "the-bench-signs-with-this";
pub const TOKEN: &str = "xoxb-bench";
pub const API_KEY: &str = "the-bench-calls-with-this-key-of-its-own";

const SQLITE: &str = "sqlite";
const POSTGRES: &str = "postgres";

/// Where a desk keeps what it knows.
pub enum Database {
    File,
    Server(String),
}

impl Database {
    /// All that can be measured: a file, and the server that tests are to run on, if there is one. Only
    /// that of the two which was named, if one was.
    pub fn all() -> Vec<Self> {
        let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").ok().map(Self::Server);
        let there = std::iter::once(Self::File).chain(server);
        there.filter(|one| named(one.name()) || !(named(SQLITE) || named(POSTGRES))).collect()
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::File => SQLITE,
            Self::Server(_) => POSTGRES,
        }
    }

    /// One of its own on the server; a file is there when it is opened.
    pub async fn open(&self) -> Option<Rehearsal> {
        match self {
            Self::File => None,
            Self::Server(url) => Some(Rehearsal::on(url, &RandomIds).await.expect("a database")),
        }
    }
}

/// The desk, and ways to talk to it as Slack does.
pub struct Office {
    pub slack: Arc<QuickSlack>,
    /// The sign at which the agent `talker` talks.
    pub talk: Arc<Notify>,
    router: Router,
    asked: AtomicUsize,
    store: String,
    _folder: TempDir,
    _server: Option<Rehearsal>,
}

impl Office {
    /// Opens a desk on an empty database. Its loops run only when somebody serves the app.
    pub async fn open(on: &Database) -> (Self, App) {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let slack = Arc::new(QuickSlack::default());
        let (talker, talk) = talker::serve().await;
        let server = on.open().await;
        let file = || format!("sqlite://{}", folder.path().join("desk.db").display());
        let store = server.as_ref().map_or_else(file, Rehearsal::url);
        let config = config(&folder, &serve_tool().await, &talker, store.clone());
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let desk = Desk::open_with(config, slack.clone(), clock, ids).await.expect("a desk");
        let app = App::of(desk);
        let router = app.router();
        let asked = AtomicUsize::new(0);
        (Self { slack, talk, router, asked, store, _folder: folder, _server: server }, app)
    }

    /// A charge that nobody has asked about yet.
    pub fn next_charge(&self) -> String {
        format!("CHG_{:06}", self.asked.fetch_add(1, Ordering::Relaxed))
    }

    /// Mia writes to the agent; its answer to Slack is committed on return.
    pub async fn ask(&self, charge: &str) {
        let number = &charge["CHG_".len()..];
        let ts = format!("1789370000.{number}");
        let body = json!({
            "type": "event_callback", "team_id": TEAM, "api_app_id": APP,
            "event_id": format!("Ev{number}"), "event_time": 1_789_370_000,
            "event": {
                "type": "message", "user": "U0MIA00001", "team": TEAM, "ts": ts, "event_ts": ts,
                "text": format!("Please refund {charge}, the customer was charged twice."),
                "channel": "D0MIA00001", "channel_type": "im",
                "client_msg_id": format!("c{number}"),
            },
            "authorizations": [{
                "enterprise_id": null, "team_id": TEAM, "user_id": "U0BOTUSER1", "is_bot": true,
                "is_enterprise_install": false,
            }],
        });
        self.deliver("/slack/events", "application/json", body.to_string()).await;
    }

    /// Jonas presses Approve on a card; his vote is committed on return.
    pub async fn approve(&self, card: &Card) {
        self.send_click(click(card)).await;
    }

    /// The same with a body that was made before, so that making it is not measured.
    pub async fn send_click(&self, body: String) {
        self.deliver("/slack/interactions", "application/x-www-form-urlencoded", body).await;
    }

    async fn deliver(&self, path: &str, content_type: &str, body: String) {
        let (timestamp, signature) = sign(&body);
        let request = Request::post(path)
            .header("content-type", content_type)
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature)
            .body(Body::from(body))
            .expect("a request");
        let Ok(answer) = self.router.clone().oneshot(request).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }

    pub fn database(&self) -> &str {
        &self.store
    }
}

/// The payload of a press, with the whole message in it as Slack sends it.
pub fn click(card: &Card) -> String {
    let Card { channel, ts, blocks, approve } = card;
    let payload = json!({
        "type": "block_actions", "api_app_id": APP, "token": "unused",
        "user": { "id": "U0JONAS001", "username": "jonas", "name": "jonas", "team_id": TEAM },
        "team": { "id": TEAM, "domain": "acme" }, "enterprise": null,
        "is_enterprise_install": false,
        "container": {
            "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false,
        },
        "trigger_id": format!("{ts}.trigger"), "channel": { "id": channel, "name": "approvals" },
        "message": { "type": "message", "user": "U0BOTUSER1", "ts": ts, "blocks": blocks },
        "state": { "values": {} }, "response_url": "https://hooks.slack.com/actions/T0/1/x",
        "actions": [{
            "type": "button", "action_id": approve["action_id"], "block_id": approve["block_id"],
            "value": approve["value"], "text": approve["text"], "action_ts": format!("{ts}1"),
        }],
    });
    format!("payload={}", utf8_percent_encode(&payload.to_string(), NON_ALPHANUMERIC))
}

pub fn sign(body: &str) -> (String, String) {
    let timestamp = SystemClock.now().as_seconds().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    (timestamp, format!("v0={}", hex::encode(mac.finalize().into_bytes())))
}

fn config(folder: &TempDir, tool: &str, talker: &str, store: String) -> Config {
    let file = folder.path().join("countersign.yaml");
    let text = include_str!("countersign.yaml").replace("TOOL", tool);
    let text = text.replace("TALKER", talker);
    std::fs::write(&file, text).expect("the configuration is written");
    std::fs::write(folder.path().join("script.yaml"), include_str!("script.yaml"))
        .expect("the script is written");
    let env = |name: &str| match name {
        "BENCH_SIGNING_SECRET" => Some(SECRET.to_owned()),
        "BENCH_API_KEY" => Some(API_KEY.to_owned()),
        "BENCH_BOT_TOKEN" => Some(TOKEN.to_owned()),
        _ => None,
    };
    let mut config = config::load(&file, &env).expect("the configuration is sound");
    config.store = store.into();
    config
}

/// A tool that costs as little as an HTTP tool can: it says yes, on this machine.
pub async fn serve_tool() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    let yes = || async { axum::Json::<Value>(json!({ "refund": "re_1" })) };
    let router = Router::new().route("/refunds", post(yes));
    tokio::spawn(async move { axum::serve(listener, router).await });
    host
}
