//! The envelope: everything about an action that an approver answers for, and its digest.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::canonical::{CanonicalError, canonical, parse_strict};
use super::{Requester, RetryClass, Risk};
use crate::base::{ActionId, RequestId, RunId, Span, Timestamp, WorkspaceId};

/// Keeps an envelope's digest apart from any other hash over the same bytes.
const DOMAIN: &str = "countersign/envelope/1\n";

/// A tool as it was when the action was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFacts {
    pub name: String,
    /// SHA-256 over the tool's whole configured definition, in hex: any change is a new version.
    pub version: String,
    /// SHA-256 over the canonical JSON Schema of its arguments, in hex.
    pub schema_hash: String,
    pub retry: RetryClass,
}

/// Which rule decided, under which policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFacts {
    pub rule: String,
    /// Of the whole policy, in hex.
    pub digest: String,
}

/// One action, fully resolved. Only facts stand here; a model's claims never do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The version of this form: [`Envelope::FORM`].
    pub form: u32,
    pub workspace: WorkspaceId,
    pub action: ActionId,
    /// Absent when a rule allowed the action without asking.
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    /// The graph node that proposed it.
    pub node: Option<String>,
    pub agent: Option<String>,
    pub tool: ToolFacts,
    /// The arguments with every default filled in: what the tool gets.
    pub arguments: Value,
    /// Where it acts: `POST https://payments.internal/refunds`, or the program and its arguments.
    pub target: String,
    /// As whom it acts: the *name* of a credential, never the credential.
    pub credential: String,
    /// The working directory of a command.
    pub cwd: Option<String>,
    /// The names of the environment variables a command gets.
    pub environment: Vec<String>,
    pub requester: Requester,
    pub policy: PolicyFacts,
    pub risk: Risk,
    pub asked_at: Timestamp,
    /// When the last stage ends; absent when nobody is asked.
    pub decide_by: Option<Timestamp>,
    /// How long an approval may wait for its start.
    pub valid_for: Span,
}

/// SHA-256 over a domain tag and the canonical bytes of an envelope.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// An envelope with its canonical bytes and their digest: always belonging together.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    envelope: Envelope,
    bytes: String,
    digest: Digest,
}

impl Envelope {
    pub const FORM: u32 = 1;

    fn read(bytes: &str) -> Result<Self, CanonicalError> {
        let envelope: Self = serde_json::from_value(parse_strict(bytes)?)
            .map_err(|error| CanonicalError::NotJson(error.to_string()))?;
        if envelope.form != Self::FORM {
            return Err(CanonicalError::UnknownForm { form: envelope.form });
        }
        Ok(envelope)
    }
}

impl Sealed {
    /// Brings an envelope into its canonical form and takes the digest.
    ///
    /// What is kept is what the bytes say, so that a number has the same value before it is stored
    /// and after, however it was written.
    ///
    /// # Errors
    /// What [`parse_strict`] would refuse: the arguments may come from a caller that did not ask it.
    pub fn seal(envelope: Envelope) -> Result<Self, CanonicalError> {
        let bytes = canonical(&envelope)?;
        Ok(Self { envelope: Envelope::read(&bytes)?, digest: Digest::of(&bytes), bytes })
    }

    /// Reads stored canonical bytes back; refuses bytes that are not exactly canonical, and so
    /// also fields that are not known or left out.
    pub fn open(bytes: &str) -> Result<Self, CanonicalError> {
        let envelope = Envelope::read(bytes)?;
        if canonical(&envelope)? != bytes {
            return Err(CanonicalError::NotCanonical);
        }
        Ok(Self { envelope, digest: Digest::of(bytes), bytes: bytes.to_owned() })
    }

    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub fn bytes(&self) -> &str {
        &self.bytes
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether both would do the same: one tool, with the same arguments.
    pub fn does_the_same_as(&self, other: &Self) -> bool {
        let (one, other) = (&self.envelope, &other.envelope);
        one.tool.name == other.tool.name && one.arguments == other.arguments
    }
}

impl Digest {
    /// Of canonical bytes, under the envelope's domain tag.
    pub fn of(bytes: &str) -> Self {
        let tagged = Sha256::new().chain_update(DOMAIN).chain_update(bytes);
        Self(tagged.finalize().into())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = CanonicalError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| CanonicalError::NotJson("a digest is 64 hex digits".to_owned()))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests;
