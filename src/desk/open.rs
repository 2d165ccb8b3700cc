//! Opening the desk: everything that must be there before the first request is taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::staff::Staff;
use super::{Callers, Desk, Gate, GateError, Listeners, Slots, Worker, definitions_of};
use crate::agent::{Egress, ModelSpec};
use crate::base::failpoint::{self, Point};
use crate::base::{Clock, Ids, Span};
use crate::config::{Config, Member, Members};
use crate::slack::client::{
    Channels, HttpSlack, HttpSlackError, HttpSlackSettings, Identity, SlackApi, SlackError,
};
use crate::slack::directory::{Directory, GroupSource, Home, MemberName, Ways};
use crate::slack::pacing::PacedSlack;
use crate::slack::signature::{Verifier, VerifierError};
use crate::store::{Definitions, Store, StoreError};
use crate::work::Wake;

/// Between two questions to a Slack that does not answer.
const LONGEST_REST: Span = Span::seconds(30);

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
    Tools(#[from] GateError),
    #[error("the agent `{agent}`: {why}")]
    Agent { agent: String, why: String },
}

impl Desk {
    /// Opens the desk on the real way to Slack, at a pace that it shares with every desk on its store.
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
        let slack: Arc<dyn SlackApi> = Arc::new(HttpSlack::new(settings)?);
        let store = Store::open(config.store.as_str(), clock.clone(), ids.clone()).await?;
        let identity = introduced(slack.as_ref(), clock.as_ref()).await?;
        let slots = Slots::new(store.clone(), identity.workspace(), clock.clone());
        let slots = Arc::new(slots);
        let ways = Ways {
            ahead: Arc::new(PacedSlack::new(slack.clone(), slots.clone())),
            in_turn: Arc::new(PacedSlack::in_turn(slack, slots.clone())),
        };
        let world = World { store, ways, slots: Some(slots), identity, clock, ids };
        Self::furnished(config, world).await
    }

    /// Opens the store and the desk on it.
    pub async fn open_with(
        config: Config,
        slack: Arc<dyn SlackApi>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StartError> {
        let store = Store::open(config.store.as_str(), clock.clone(), ids.clone()).await?;
        Self::open_on(store, config, slack, clock, ids).await
    }

    /// Opens the desk on a store and on a way to Slack that takes whatever comes. Several desks may
    /// work on one store.
    pub async fn open_on(
        store: Store,
        config: Config,
        slack: Arc<dyn SlackApi>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StartError> {
        let identity = introduced(slack.as_ref(), clock.as_ref()).await?;
        let ways = Ways { ahead: slack.clone(), in_turn: slack };
        let world = World { store, ways, slots: None, identity, clock, ids };
        Self::furnished(config, world).await
    }

    /// Builds the agents, and sets right what an earlier process left undone.
    async fn furnished(config: Config, world: World) -> Result<Self, StartError> {
        let World { store, ways, slots, identity, clock, ids } = world;
        let slack = ways.ahead.clone();
        let verifier = Verifier::new(config.slack.signing_secrets.clone())?;
        let directory = Directory::new(
            ways,
            clock.clone(),
            Home::from(&identity),
            config.aliases(),
            group_sources(&config),
        );
        let egress = Egress::open()?;
        let gate = Gate::new(&config, &egress)?;
        let agents = agents(&config, &gate, &egress, &clock)?;
        if config.models.values().any(|model| matches!(model.spec, ModelSpec::Script(_))) {
            tracing::info!("the model `script` is a scripted stand-in, not a language model");
        }
        let workspace = identity.workspace();
        store.opened(&workspace, env!("CARGO_PKG_VERSION"), gate.policy_digest()).await?;
        failpoint::reach(Point::DeskOpened);
        tracing::info!(team = identity.team_name, %workspace, "connected to Slack");
        Ok(Self {
            channels: Channels::new(slack.clone(), clock.clone()),
            owner: format!("desk-{}", ids.unique()),
            wake: Wake::new(store.clone()),
            listeners: Listeners::default(),
            callers: Callers::of(&config),
            config,
            store,
            slack,
            slots,
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

fn agents(
    config: &Config,
    gate: &Gate,
    egress: &Egress,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<String, Worker>, StartError> {
    let staff = Staff::of(config, &gate.toolbox, egress, clock)?;
    let hired = config.agents.iter();
    hired.map(|(name, agent)| Ok((name.clone(), staff.worker(config, name, agent)?))).collect()
}

/// What the runs of a desk with this configuration could go on with. Calls nobody.
pub fn definitions(config: &Config, clock: &Arc<dyn Clock>) -> Result<Definitions, StartError> {
    let egress = Egress::open()?;
    let gate = Gate::new(config, &egress)?;
    Ok(definitions_of(&agents(config, &gate, &egress, clock)?))
}

/// What a desk stands in.
struct World {
    store: Store,
    ways: Ways,
    slots: Option<Arc<Slots>>,
    identity: Identity,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

/// Who Slack says we are. A desk may start with its machine, before there is a network: a Slack that
/// does not answer is waited for, one that refuses us is not.
async fn introduced(slack: &dyn SlackApi, clock: &dyn Clock) -> Result<Identity, StartError> {
    let mut rest = Span::seconds(1);
    loop {
        let error = match slack.auth_test().await {
            Ok(identity) => return Ok(identity),
            Err(error) => error,
        };
        let wait = match &error {
            SlackError::RateLimited { retry_after } => *retry_after,
            SlackError::NotDone { .. } | SlackError::Unknown { .. } => rest,
            _ => return Err(StartError::Unknown(error)),
        };
        tracing::warn!(%error, "Slack does not answer yet; the desk asks again in {wait}");
        clock.pause(wait).await;
        rest = rest.plus(rest).min(LONGEST_REST);
    }
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
