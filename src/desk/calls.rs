//! A program asks an agent over HTTP, on behalf of a person of the workspace.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{Desk, DeskError};
use crate::base::RunId;
use crate::base::failpoint::{self, Point};
use crate::config::{Caller, Config, Member};
use crate::slack::directory::{MemberName, NoRequester};
use crate::store::{CallLimits, CallView, Called, NewCall};
use crate::stream::Modes;
use crate::work::Loop;

/// The callers of the API, by the hashes of their keys.
pub struct Callers(Vec<(String, [u8; 32])>);

impl Callers {
    pub fn of(config: &Config) -> Self {
        let keys = config.callers.iter().flat_map(|(name, caller)| {
            let hash = |key: &secrecy::SecretString| hash(key.expose_secret());
            caller.keys.iter().map(move |key| (name.clone(), hash(key)))
        });
        Self(keys.collect())
    }

    /// Whose key this is. Every hash is compared to its end, so that the time tells nothing.
    pub fn holder(&self, key: &str) -> Option<&str> {
        let given = hash(key);
        let mut holder = None;
        for (name, known) in &self.0 {
            let differs = known.iter().zip(&given).fold(0, |differs, (a, b)| differs | (a ^ b));
            if differs == 0 {
                holder = Some(name.as_str());
            }
        }
        holder
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// What a caller asks.
#[derive(Clone, Debug)]
pub struct Call {
    pub message: String,
    /// The caller's own name for the conversation.
    pub thread: Option<String>,
    pub agent: Option<String>,
    pub modes: Modes,
    pub idempotency_key: Option<String>,
}

/// Why a call was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CallRefused {
    #[error("there is no such agent, or not for this caller")]
    NoSuchAgent,
    #[error("the conversation belongs to another agent")]
    OtherAgent,
    #[error("the idempotency key was used before for something else")]
    Conflict,
    #[error("too many runs of this caller are unfinished")]
    TooMany,
    #[error("the person whom this caller acts for is none of this workspace's")]
    Requester,
    #[error("the person whom this caller acts for could not be looked up")]
    Unreachable,
    #[error(transparent)]
    Failed(#[from] DeskError),
}

impl Desk {
    /// Takes a call in, and says which run answers it.
    pub async fn call(&self, caller: &Caller, call: Call) -> Result<CallView, CallRefused> {
        let name = match &caller.acts_for.value {
            Member::User(id) => MemberName::User(id.clone()),
            Member::Email(address) => MemberName::Email(address.clone()),
        };
        let user = self.directory.account_named(&name).await;
        let user = user.map_err(|_| CallRefused::Unreachable)?.ok_or(CallRefused::Requester)?;
        self.directory.requester(&user).await.map_err(|why| match why {
            NoRequester::Refused => CallRefused::Requester,
            NoRequester::Unreachable(_) => CallRefused::Unreachable,
        })?;
        let hash =
            |agent: &String| Some((agent.clone(), self.agents.get(agent)?.graph.definition_hash()));
        let agents = caller.agents.iter().map(|agent| &agent.value);
        let called = self.store.take_call(NewCall {
            workspace: self.workspace.clone(),
            caller: caller.name.value.clone(),
            idempotency_key: call.idempotency_key,
            thread: call.thread,
            agent: call.agent,
            default_agent: caller.agents.first().map(|agent| agent.value.clone()),
            graph_hashes: agents.filter_map(hash).collect(),
            user,
            text: call.message,
            modes: call.modes,
            limits: CallLimits { unfinished: caller.unfinished.get() },
        });
        match called.await.map_err(DeskError::from)? {
            Called::New(view) => {
                failpoint::reach(Point::CallCommitted);
                tracing::info!(run = %view.run, caller = caller.name.value, "took a call");
                self.wake.these(&[Loop::Runs]);
                Ok(view)
            }
            Called::Again(view) => Ok(view),
            Called::Conflict => Err(CallRefused::Conflict),
            Called::OtherAgent => Err(CallRefused::OtherAgent),
            Called::NoSuchAgent => Err(CallRefused::NoSuchAgent),
            Called::TooMany => Err(CallRefused::TooMany),
        }
    }

    /// A run that this caller asked for.
    pub async fn call_of(&self, caller: &str, run: &RunId) -> Result<Option<CallView>, DeskError> {
        Ok(self.store.call_of(&self.workspace, caller, run).await?)
    }

    /// The caller who holds this key.
    pub fn caller(&self, key: &str) -> Option<&Caller> {
        self.config.callers.get(self.callers.holder(key)?)
    }
}
