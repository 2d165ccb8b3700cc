//! A request: the terms it was made under, where it stands on its path, and how it ended.

use serde::{Deserialize, Serialize};

use super::{Digest, PersonFacts, Requester};
use crate::base::{RequestId, Span, Timestamp, WorkspaceId};

/// How much harm an action could do, by policy and never by the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    Low,
    #[default]
    Normal,
    High,
    Critical,
}

/// The names of the groups whose members may decide. Empty means nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Approvers(pub Vec<String>);

/// A channel's name in the configuration (`approvals`), not Slack's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(pub String);

/// One level of a request's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    pub approvers: Approvers,
    pub place: Place,
    /// How many distinct humans must approve here.
    pub quorum: u32,
    /// How long this stage has before the next one is asked too, or the request expires.
    pub within: Span,
    /// When to remind, counted from the start of the stage; ascending, all before `within`.
    pub remind: Vec<Span>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReasonRule {
    #[default]
    Optional,
    /// An approval needs a reason. A rejection always does.
    Required,
}

/// May the requester, or an alias or owner of theirs, decide?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Separation {
    #[default]
    Required,
    /// Opted out of by the policy, visibly and audited.
    Waived,
}

/// What the policy asked for when the request was made. Fixed for the request's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub rule: String,
    /// Of the whole policy, in hex.
    pub policy_digest: String,
    pub risk: Risk,
    /// At least one stage.
    pub path: Vec<Stage>,
    pub reason: ReasonRule,
    pub separation: Separation,
    /// How long after the approval the execution may still start.
    pub valid_for: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    Approve,
    Reject,
}

/// One person's word at a stage. A person has at most one on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub by: PersonFacts,
    pub choice: Choice,
    pub reason: Option<String>,
    pub at: Timestamp,
    /// The reached stages whose approvers this person belonged to at the click, from zero.
    pub stages: Vec<usize>,
}

/// How a request ended. Terminal; exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Approved,
    Rejected,
    Expired,
    Cancelled,
    Superseded,
}

/// Who or what ended a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The person whose vote was the last one needed, or who withdrew the request.
    Person(Box<PersonFacts>),
    /// The last stage ran out of time.
    Time,
    /// The operator, on the command line.
    Operator(String),
    /// Another request took its place.
    Request(RequestId),
    /// The operator put the desk back to a backup, whose log ends at `to`. What was decided and done
    /// after that is not known here, so this end says nothing of what ran.
    Restore { operator: String, to: Timestamp },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub outcome: Outcome,
    pub by: DecidedBy,
    pub at: Timestamp,
    pub reason: Option<String>,
    /// Only when approved: the execution must have started before this.
    pub start_by: Option<Timestamp>,
}

/// One approval request, as the machine sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub workspace: WorkspaceId,
    pub digest: Digest,
    pub requester: Requester,
    pub terms: Terms,
    pub asked_at: Timestamp,
    /// Raised by one on every change; the compare-and-set key.
    pub version: u64,
    /// The highest stage reached, from zero. Lower ones may still decide.
    pub stage: usize,
    pub stage_since: Timestamp,
    pub votes: Vec<Vote>,
    pub decision: Option<Decision>,
}

impl Request {
    /// When the stage with this index ends: fixed when the request was made.
    pub fn stage_ends(&self, stage: usize) -> Timestamp {
        self.terms
            .path
            .iter()
            .take(stage + 1)
            .fold(self.asked_at, |at, stage| at.plus(stage.within))
    }

    /// When the last stage ends. No read, retry or escalation ever moves it.
    pub fn decide_by(&self) -> Timestamp {
        self.stage_ends(self.terms.path.len().saturating_sub(1))
    }

    pub fn is_pending(&self) -> bool {
        self.decision.is_none()
    }
}
