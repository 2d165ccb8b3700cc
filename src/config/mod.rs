//! `countersign.yaml`, read into a [`Config`] that can be trusted.
//!
//! [`load`] and [`read`] parse the file, resolve its secrets and refuse what can not work, all at
//! once and each with its place and mend. [`lint`] then looks for what is well-formed and still
//! wrong: a rule nobody can approve, a channel that does not exist. The service starts only when
//! neither has anything to say that is an error.

mod agents;
mod api;
mod file;
mod graphs;
mod limits;
mod lint;
pub mod manifest;
mod mcp;
mod models;
mod people;
mod policies;
mod reading;
mod retention;
mod slack;
mod stores;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use url::Url;

pub use agents::{Agent, Mind};
pub use api::{Caller, Streams};
pub use graphs::{Case, Graph, Keeps, Key, Node, Step};
pub use limits::Limits;
pub use lint::{Finding, Severity, lint};
pub use mcp::McpServer;
pub use models::Model;
pub use people::{Channel, Group, Member, Members, Person};
pub use policies::{Ask, Otherwise, Rule, Stage, Then};
pub use reading::{ConfigErrors, Located, Position, Problem, Source};
pub use retention::Retention;
pub use slack::{Mode, Slack};
pub use stores::StoreUrl;
pub use tools::{CommandTarget, HttpTarget, McpTarget, Retry, Target, Tool};

/// The variables of the environment: `&|name| std::env::var(name).ok()`, or a map in tests.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything `countersign.yaml` says, with its secrets resolved and its defaults filled in.
///
/// The maps are keyed by the names the file uses.
#[derive(Clone, Debug)]
pub struct Config {
    pub slack: Slack,
    /// Where we listen; `127.0.0.1:3000` unless the file says otherwise.
    pub listen: SocketAddr,
    /// Where Slack and people reach us from outside.
    pub public_url: Option<Url>,
    /// `sqlite://countersign.db`, or a server with its password: not for anybody to read.
    pub store: StoreUrl,
    pub people: BTreeMap<String, Person>,
    pub groups: BTreeMap<String, Group>,
    pub channels: BTreeMap<String, Channel>,
    pub models: BTreeMap<String, Model>,
    pub mcp: BTreeMap<String, McpServer>,
    pub tools: BTreeMap<String, Tool>,
    /// In order: the first that matches decides.
    pub rules: Vec<Rule>,
    pub otherwise: Otherwise,
    pub agents: BTreeMap<String, Agent>,
    pub graphs: BTreeMap<String, Graph>,
    /// Programs that may ask agents over HTTP.
    pub callers: BTreeMap<String, Caller>,
    pub streams: Streams,
    pub limits: Limits,
    pub retention: Retention,
    /// What it was read from, for findings to point at.
    source: Source,
}

/// Reads a file and the secrets it refers to.
pub fn load(path: &Path, env: Env<'_>) -> Result<Config, ConfigErrors> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => read(&text, &name, env),
        Err(error) => {
            let text = format!("the file cannot be read ({error})");
            let mend = "give its path with `--config`, or copy `countersign.example.yaml`";
            let problem = Source::new(&name, "").whole(text, mend.to_owned());
            Err(ConfigErrors::new(vec![problem]))
        }
    }
}

/// Reads `text` as the file called `name`; relative paths in it start at that file's folder.
pub fn read(text: &str, name: &str, env: Env<'_>) -> Result<Config, ConfigErrors> {
    file::read(Source::new(name, text), env)
}
