//! What is left of a request when it is old: who, when, under which rule, and what came of it.
//!
//! Words and names go. The digest of what was approved stays beside it: an envelope has a random id in
//! it that stands nowhere else, so nobody can find the bytes by guessing.

use serde::{Deserialize, Serialize};

use super::{
    DecidedBy, Decision, Digest, Envelope, PersonFacts, Requester, Risk, Sealed, Settled, Vote,
};
use crate::base::{RequestId, RunId, Timestamp, WorkspaceId};

/// What is left of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remains {
    pub workspace: WorkspaceId,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    pub agent: Option<String>,
    /// The name of the tool.
    pub tool: String,
    /// Without a name.
    pub requester: Requester,
    pub rule: String,
    pub risk: Risk,
    pub asked_at: Timestamp,
    pub decide_by: Option<Timestamp>,
}

/// What is kept of the action that a request is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    Whole(Box<Sealed>),
    Reduced {
        remains: Box<Remains>,
        /// Of the bytes that were decided on.
        digest: Digest,
        /// When they went.
        at: Timestamp,
    },
}

impl Kept {
    pub fn whole(&self) -> Option<&Sealed> {
        match self {
            Self::Whole(sealed) => Some(sealed),
            Self::Reduced { .. } => None,
        }
    }

    pub fn digest(&self) -> Digest {
        match self {
            Self::Whole(sealed) => sealed.digest(),
            Self::Reduced { digest, .. } => *digest,
        }
    }

    /// The name of the tool.
    pub fn tool(&self) -> &str {
        match self {
            Self::Whole(sealed) => &sealed.envelope().tool.name,
            Self::Reduced { remains, .. } => &remains.tool,
        }
    }

    pub fn workspace(&self) -> &WorkspaceId {
        match self {
            Self::Whole(sealed) => &sealed.envelope().workspace,
            Self::Reduced { remains, .. } => &remains.workspace,
        }
    }

    pub fn requester(&self) -> &Requester {
        match self {
            Self::Whole(sealed) => &sealed.envelope().requester,
            Self::Reduced { remains, .. } => &remains.requester,
        }
    }

    pub fn asked_at(&self) -> Timestamp {
        match self {
            Self::Whole(sealed) => sealed.envelope().asked_at,
            Self::Reduced { remains, .. } => remains.asked_at,
        }
    }
}

impl Envelope {
    pub fn reduced(self) -> Remains {
        Remains {
            workspace: self.workspace,
            request: self.request,
            run: self.run,
            agent: self.agent,
            tool: self.tool.name,
            requester: self.requester.reduced(),
            rule: self.policy.rule,
            risk: self.risk,
            asked_at: self.asked_at,
            decide_by: self.decide_by,
        }
    }
}

impl Requester {
    #[must_use]
    pub fn reduced(self) -> Self {
        Self { name: String::new(), ..self }
    }
}

impl PersonFacts {
    #[must_use]
    pub fn reduced(self) -> Self {
        Self { name: String::new(), ..self }
    }
}

impl Vote {
    #[must_use]
    pub fn reduced(self) -> Self {
        Self { by: self.by.reduced(), reason: None, ..self }
    }
}

impl Decision {
    #[must_use]
    pub fn reduced(self) -> Self {
        let by = match self.by {
            DecidedBy::Person(person) => DecidedBy::Person(Box::new(person.reduced())),
            // Operators answer for what they do under their names.
            by @ (DecidedBy::Time
            | DecidedBy::Operator(_)
            | DecidedBy::Request(_)
            | DecidedBy::Restore { .. }) => by,
        };
        Self { by, reason: None, ..self }
    }
}

impl Settled {
    #[must_use]
    pub fn reduced(self) -> Self {
        Self { reason: String::new(), ..self }
    }
}
