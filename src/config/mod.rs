//! `countersign.yaml`, read into a [`Config`] that can be trusted.
//!
//! [`load`] and [`read`] parse the file, resolve its secrets and refuse what can not work, all at
//! once and each with its place and mend. [`lint`] then looks for what is well-formed and still
//! wrong: a rule nobody can approve, a channel that does not exist. The service starts only when
//! neither has anything to say that is an error.

mod agents;
mod limits;
mod lint;
pub mod manifest;
mod mask;
mod models;
mod people;
mod policies;
mod position;
mod problem;
mod slack;
mod tools;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use url::Url;

pub use agents::Agent;
pub use limits::Limits;
pub use lint::{Finding, Severity, lint};
pub use models::{ApiKind, Model, Provider};
pub use people::{Channel, Group, Members, Person};
pub use policies::{Ask, Otherwise, Rule, Stage, Then};
pub use position::{Located, Position};
pub use problem::{ConfigErrors, Problem, Source};
pub use slack::{Mode, Slack};
pub use tools::{Body, CommandTarget, Credential, HttpTarget, Retry, Target, Tool};

use crate::approval;

/// The variables of the environment: `|name| std::env::var(name).ok()`, or a map in tests.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything `countersign.yaml` says, with its secrets resolved and its defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    pub slack: Slack,
    /// Where we listen; `127.0.0.1:3000` unless the file says otherwise.
    pub listen: SocketAddr,
    /// Where Slack and people reach us from outside.
    pub public_url: Option<Url>,
    /// `sqlite://countersign.db`.
    pub store: String,
    pub people: BTreeMap<String, Person>,
    pub groups: BTreeMap<String, Group>,
    pub channels: BTreeMap<String, Channel>,
    pub models: BTreeMap<String, Model>,
    pub tools: BTreeMap<String, Tool>,
    pub rules: Vec<Rule>,
    pub otherwise: Otherwise,
    pub agents: BTreeMap<String, Agent>,
    pub limits: Limits,
    /// What it was read from, for findings to point at.
    source: Source,
}

impl Config {
    /// The rules as the pure core takes them.
    pub fn policy(&self) -> approval::Policy {
        todo!()
    }
}

/// Reads a file and the secrets it refers to.
pub fn load(path: &Path, env: Env<'_>) -> Result<Config, ConfigErrors> {
    todo!("{path:?} {:?}", env(""))
}

/// Reads `text` as the file called `name`; relative paths in it start at that file's folder.
pub fn read(text: &str, name: &str, env: Env<'_>) -> Result<Config, ConfigErrors> {
    todo!("{text} {name} {:?}", env(""))
}
