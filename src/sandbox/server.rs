//! The server: the Web API for the bot, the page for people, and the handle that holds it all.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::cast::{BOT_USER, Cast};
use super::deliver::Post;
use super::driver::Driver;
use super::faults::{Fault, Outage};
use super::workspace::{Passed, Shared};
use super::{api, page_routes};
use crate::base::{Clock, Timestamp, TurnableClock};

/// Whether rate limits are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    LikeSlack,
    /// For load tests of everything else.
    Unlimited,
}

pub struct SandboxSettings {
    /// Zero takes any free port.
    pub port: u16,
    pub signing_secret: String,
    pub bot_token: String,
    pub clock: Arc<TurnableClock>,
    pub cast: Cast,
    pub pace: Pace,
}

/// When the bot's next timer is due, for the page's clock.
pub type NextDue = Arc<dyn Fn() -> BoxFuture<'static, Option<Timestamp>> + Send + Sync>;

/// Makes sandboxes.
pub struct Sandbox;

/// A running sandbox. It ends when the handle is dropped.
pub struct SandboxHandle {
    pub(super) inner: Inner,
    address: std::net::SocketAddr,
    server: JoinHandle<()>,
}

/// What every part of the server needs.
#[derive(Clone)]
pub(super) struct Inner {
    pub(super) shared: Shared,
    pub(super) post: Post,
    pub(super) bot_token: Arc<str>,
    pub(super) pace: Pace,
    pub(super) base_url: Arc<str>,
    pub(super) next_due: Arc<Mutex<Option<NextDue>>>,
}

impl Sandbox {
    /// Listens on loopback and serves.
    pub async fn start(settings: SandboxSettings) -> std::io::Result<SandboxHandle> {
        let listener = TcpListener::bind(("127.0.0.1", settings.port)).await?;
        let address = listener.local_addr()?;
        let inner = Inner {
            post: Post::new(settings.signing_secret, settings.clock.clone())?,
            shared: Shared::new(settings.clock, settings.cast),
            bot_token: settings.bot_token.into(),
            pace: settings.pace,
            base_url: format!("http://{address}").into(),
            next_due: Arc::default(),
        };
        let router: Router = api::routes().merge(page_routes::routes()).with_state(inner.clone());
        let server = tokio::spawn(async move {
            // It ends with the handle; there is nobody left to tell.
            let _ = axum::serve(listener, router).await;
        });
        Ok(SandboxHandle { inner, address, server })
    }
}

impl SandboxHandle {
    /// `http://127.0.0.1:4040`: the page, and the Web API below `/api/`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the bot listens now.
    pub fn set_bot_url(&self, url: &str) {
        self.inner.post.set_bot_url(url);
    }

    /// Tells the page's clock what the next timer is.
    pub fn set_next_due(&self, next_due: NextDue) {
        *self.inner.next_due.lock().unwrap_or_else(PoisonError::into_inner) = Some(next_due);
    }

    /// Acts as somebody, by name: `person("mia")`.
    pub fn person(&self, name: &str) -> Driver {
        Driver::new(self.inner.clone(), &format!("U0{}", name.to_uppercase()))
    }

    /// Changes who is there and where.
    pub fn change_cast(&self, change: impl FnOnce(&mut Cast)) {
        change(&mut self.inner.shared.lock().cast);
    }

    /// Gives the app exactly these scopes, as a new installation would.
    pub fn grant(&self, scopes: &[&str]) {
        self.inner.shared.lock().scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    }

    /// What goes wrong with the next calls of a method, in this order.
    pub fn next_calls(&self, method: &str, faults: impl IntoIterator<Item = Fault>) {
        let mut workspace = self.inner.shared.lock();
        workspace.faults.entry(method.to_owned()).or_default().extend(faults);
    }

    /// Nothing more goes wrong with a method.
    pub fn clear_faults(&self, method: &str) {
        self.inner.shared.lock().faults.remove(method);
    }

    /// From now on something is wrong with every call.
    pub fn breaks(&self, outage: Outage) {
        self.inner.shared.lock().outage = Some(outage);
    }

    /// It is over, and the token is as good as before.
    pub fn is_mended(&self) {
        self.inner.shared.lock().outage = None;
    }

    /// Somebody removes the app: its token is revoked, and Slack tells it both with the next delivery.
    pub fn uninstalls_the_app(&self) {
        let now = self.inner.shared.clock.now();
        let mut workspace = self.inner.shared.lock();
        workspace.outage = Some(Outage::Revoked);
        let tokens = json!({ "oauth": [], "bot": [BOT_USER] });
        workspace.happens(json!({ "type": "tokens_revoked", "tokens": tokens }), now);
        workspace.happens(json!({ "type": "app_uninstalled" }), now);
    }

    /// A message is gone, as by an admin or retention.
    pub fn lose_message(&self, channel: &str, ts: &str) {
        let mut workspace = self.inner.shared.lock();
        if let Some(messages) = workspace.messages.get_mut(channel) {
            messages.retain(|message| message.ts != ts);
        }
    }

    /// Everything that passed between the bot and the workspace.
    pub fn journal(&self) -> Vec<Passed> {
        self.inner.shared.lock().journal.clone()
    }

    /// Delivers the events that are due, and says how many there were.
    pub async fn deliver_due(&self) -> usize {
        super::people::deliver_due(&self.inner).await
    }

    /// Delivers the last event once more, as Slack sometimes does.
    pub async fn deliver_again(&self) -> Option<u16> {
        let journal = self.journal();
        let last = journal.iter().rev().find(|passed| passed.what == "POST /slack/events")?;
        Some(self.inner.post.json("/slack/events", &last.sent, &[]).await.status)
    }

    /// A raw request to the bot, signed over its body or not.
    pub async fn send_raw(&self, path: &str, body: &str, signature: Option<(&str, &str)>) -> u16 {
        self.inner.post.raw(path, body, signature).await
    }

    /// The signature headers' values for a body, at this moment.
    pub fn sign(&self, body: &str) -> (String, String) {
        self.inner.post.sign(body.as_bytes())
    }
}

impl Drop for SandboxHandle {
    fn drop(&mut self) {
        self.server.abort();
    }
}
