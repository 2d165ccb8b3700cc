//! Ids are types: a request's id can never stand where a run's is wanted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Defines a string id with a prefix that tells a human what it names.
#[macro_export]
macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new id from the port.
            pub fn new(ids: &dyn $crate::base::Ids) -> Self {
                Self(format!(concat!($prefix, "_{}"), ids.unique()))
            }

            /// An id that was made before: read from a row, a payload or the command line.
            pub fn existing(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub use typed_id;

typed_id!(
    /// One Slack installation: Slack's own team id, or the organisation's. The tenant.
    WorkspaceId, "T"
);
typed_id!(
    /// One human, whatever Slack identities they own.
    PersonId, "per"
);
typed_id!(
    /// One proposed tool call, fully resolved.
    ActionId, "act"
);
typed_id!(
    /// One approval request for one action.
    RequestId, "req"
);
typed_id!(
    /// The one run of an approved action.
    ExecutionId, "exe"
);
typed_id!(
    /// One conversation with an agent.
    ThreadId, "thr"
);
typed_id!(
    /// One pass of a graph from an input to its end.
    RunId, "run"
);
typed_id!(
    /// One Slack message that shows a request.
    CardId, "crd"
);
typed_id!(
    /// One one-off message owed to Slack.
    NoticeId, "ntc"
);

/// The port that makes ids and secrets. Nothing else in the house draws random bytes.
pub trait Ids: Send + Sync {
    /// A unique lower-case text of letters and digits; later ones sort later where possible.
    fn unique(&self) -> String;

    /// 128 unguessable bits as 32 hex digits: for button tokens.
    fn token(&self) -> String;
}

/// Ids from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the Ids port itself")]
    fn unique(&self) -> String {
        uuid::Uuid::now_v7().simple().to_string()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Ids port itself")]
    fn token(&self) -> String {
        let mut bytes = [0_u8; 16];
        // Without randomness a token could be guessed, so there is nothing safe to go on with.
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        hex::encode(bytes)
    }
}

/// Ids that count from one: the same in every run of a test. Never for production.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn unique(&self) -> String {
        format!("{:06}", self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn token(&self) -> String {
        format!("{:032x}", self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}
