//! Opening the desk: everything that must be there before the first request is taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Callers, Desk, Gate, Listeners, Worker};
use crate::agent::{self, AgentSpec, Egress, ToolDescription, Toolbox};
use crate::base::{Clock, Ids};
use crate::config::{Agent, Config, Member, Members};
use crate::slack::client::SlackError;
use crate::slack::client::{Channels, HttpSlack, HttpSlackError, HttpSlackSettings, SlackApi};
use crate::slack::directory::{Directory, GroupSource, Home, MemberName};
use crate::slack::signature::{Verifier, VerifierError};
use crate::store::{Store, StoreError};
use crate::work::Wake;

/// Why the desk does not open. The operator reads this.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    #[error("the signing secret: {0}")]
    Verifier(#[from] VerifierError),
    #[error("the way to Slack: {0}")]
    Client(#[from] HttpSlackError),
    #[error("Slack does not know us ({0}); check the bot token, or run `countersign doctor`")]
    Unknown(SlackError),
    #[error("the way out to tools and models: {0}")]
    Egress(#[from] reqwest::Error),
    #[error("the tools: {0}")]
    Tools(#[from] agent::ToolSpecError),
    #[error("the agent `{agent}`: {why}")]
    Agent { agent: String, why: String },
}

impl Desk {
    /// Opens the desk on the real way to Slack.
    pub async fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StartError> {
        let settings = HttpSlackSettings {
            base_url: config.slack.api_url.clone(),
            token: config.slack.bot_token.clone(),
            timeout: config.slack.timeout,
        };
        let slack = Arc::new(HttpSlack::new(settings, clock.clone())?);
        Self::open_with(config, slack, clock, ids).await
    }

    /// Opens the store, asks Slack who we are, builds the agents, and sets right what an earlier
    /// process left undone.
    pub async fn open_with(
        config: Config,
        slack: Arc<dyn SlackApi>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StartError> {
        let verifier = Verifier::new(config.slack.signing_secrets.clone())?;
        let store = Store::open(&config.store, clock.clone(), ids.clone()).await?;
        let identity = slack.auth_test().await.map_err(StartError::Unknown)?;
        let directory = Directory::new(
            slack.clone(),
            clock.clone(),
            Home::from(&identity),
            config.aliases(),
            group_sources(&config),
        );
        let egress = Egress::open()?;
        let gate = Gate::new(&config, &egress)?;
        let agents = config
            .agents
            .iter()
            .map(|(name, agent)| {
                let model_clock = clock.clone();
                let worker = worker(&config, &gate.toolbox, &egress, name, agent, model_clock)?;
                Ok((name.clone(), worker))
            })
            .collect::<Result<_, StartError>>()?;
        let adopted = store.adopt_orphans().await?;
        if adopted != crate::store::Adopted::default() {
            tracing::error!(?adopted, "mended what an earlier process left undone");
        }
        let workspace = identity.workspace();
        store.opened(&workspace, env!("CARGO_PKG_VERSION"), gate.policy_digest()).await?;
        tracing::info!(team = identity.team_name, %workspace, "connected to Slack");
        Ok(Self {
            channels: Channels::new(slack.clone(), clock.clone()),
            owner: format!("desk-{}", ids.unique()),
            wake: Wake::new(),
            listeners: Listeners::default(),
            callers: Callers::of(&config),
            config,
            store,
            slack,
            directory,
            verifier,
            gate,
            agents,
            clock,
            ids,
            identity,
            workspace,
        })
    }
}

fn worker(
    config: &Config,
    toolbox: &Toolbox,
    egress: &Egress,
    name: &str,
    agent: &Agent,
    clock: Arc<dyn Clock>,
) -> Result<Worker, StartError> {
    let refuse = |why: String| StartError::Agent { agent: name.to_owned(), why };
    let model = config
        .models
        .get(&agent.model.value)
        .ok_or_else(|| refuse(format!("there is no model called `{}`", agent.model.value)))?;
    let model = agent::open_model(&agent.model, model.spec.clone(), egress, clock)
        .map_err(|error| refuse(error.to_string()))?;
    let tools: Vec<ToolDescription> = agent
        .tools
        .iter()
        .map(|tool| {
            let found = toolbox.get(tool).map(|tool| tool.description().clone());
            found.ok_or_else(|| refuse(format!("there is no tool called `{}`", tool.value)))
        })
        .collect::<Result<_, _>>()?;
    let graph = agent::agent_graph(
        AgentSpec { name: name.to_owned(), instructions: agent.instructions.clone(), tools },
        model,
    )
    .map_err(|error| refuse(error.to_string()))?;
    let channel =
        |channel: &str| config.channels.get(channel).map(|known| known.slack.value.clone());
    Ok(Worker { graph, channels: agent.channels.iter().filter_map(|name| channel(name)).collect() })
}

/// Where the members of each group come from.
pub fn group_sources(config: &Config) -> BTreeMap<String, GroupSource> {
    let source = |members: &Members| match members {
        Members::Users(users) => GroupSource::Users(
            users
                .iter()
                .map(|member| match &member.value {
                    Member::User(id) => MemberName::User(id.clone()),
                    Member::Email(email) => MemberName::Email(email.clone()),
                })
                .collect(),
        ),
        Members::SlackUsergroup(id) => GroupSource::UserGroup(id.clone()),
    };
    config.groups.iter().map(|(name, group)| (name.clone(), source(&group.members))).collect()
}
