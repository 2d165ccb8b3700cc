//! What every room of the house shares: instants, spans, ids, the two ports behind them, and paces.
//!
//! Nothing here knows Slack, SQL or HTTP. The pure core takes instants and ids as values; only
//! the outer rooms hold a [`Clock`] or an [`Ids`].

pub mod failpoint;
mod id;
mod pace;
mod time;

pub use id::{
    ActionId, CardId, ExecutionId, NoticeId, PersonId, RequestId, RunId, ThreadId, WorkspaceId,
};
pub use id::{CountingIds, Ids, RandomIds, typed_id};
pub use pace::{Haste, Paces, Rate, Slot};
pub use time::{Clock, Instants, NotASpan, Span, SystemClock, Timestamp, TurnableClock};
