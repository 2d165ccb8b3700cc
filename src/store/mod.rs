//! The store: one function = one transaction = one transition of the domain.
//!
//! Every write goes through one writer, which commits what is waiting together and answers each
//! caller only after the commit. Several processes on one Postgres take turns, so that there is one
//! serial order of all that was ever written. The functions here read rows, let the pure core decide, and write
//! the new state together with its timers, votes, cards, notices, orders to resume and audit
//! records. Leases say who works on a row; epochs fence off whoever lost theirs.

mod again;
mod answers;
mod apply;
mod backup;
mod begin;
mod buttons;
mod calls;
mod cards;
mod checkpoints;
mod conn;
mod decide;
mod digests;
mod erase;
mod error;
mod events;
mod executions;
mod findings;
mod hints;
mod intake;
mod job;
mod line;
mod lock;
mod log;
mod mark;
mod migrating;
mod notices;
mod open;
mod opened;
mod owed;
mod paces;
mod pinned;
mod place;
mod pooler;
mod postgres;
mod primary;
mod questions;
mod read;
mod reader;
mod readers;
mod reconcile;
mod reduce;
mod rehearsal;
pub(crate) mod requests;
mod restore;
mod rows;
mod runs;
mod schema;
mod settle;
mod shows;
mod soundness;
mod sqlite;
mod stops;
mod switch;
mod tally;
mod time;
mod timers;
mod transition;
mod tx;
mod unseen;
mod workspaces;
mod writer;

pub use begin::{StartCheck, StartRefused};
pub use buttons::{Button, ButtonChoice, ShownAt};
pub use calls::{CallLimits, CallView, Called, NewCall};
pub use cards::{CardButtons, CardContent, CardKind, OwedCard, Shown};
pub use checkpoints::{
    Ending, NewCheckpoint, NewValue, NewWrites, SaveTurn, StoredCheckpoint, StoredSnapshot,
};
pub use decide::{Click, Counted, Verdict};
pub use digests::Gathered;
pub use erase::{Erased, Erasing, Erasure, Open, Traces};
pub use error::StoreError;
pub use events::{Batch, Listener};
pub use executions::{ClaimedExecution, ExecutionView, NextStep};
pub use findings::{ActionRun, NotUnsettled};
pub use hints::Hint;
pub use intake::{NewMessage, RunInput, SlackThread, Taken, Thread};
pub use mark::is_unchecked;
pub use notices::{ActionNotice, NewNotice, OwedNotice};
pub use open::{Store, Turnstile};
pub use owed::{ClaimedOwed, Needs, Owed, OwedPace};
pub use pinned::{Definitions, PARKED, PinnedRun, RunState, Watch};
pub use place::{Place, Server, masked};
pub use pooler::{Pooling, pooling};
pub use postgres::{Safety, safety};
pub use questions::{KnownQuestions, NewRequest, Question, QuestionOutcome};
pub use read::{Cursor, DamagedRequest, Page};
pub use reconcile::Adopted;
pub use reduce::{Batch as ReducedBatch, Passed};
pub use rehearsal::Rehearsal;
pub use requests::StoredRequest;
pub use restore::{Restoration, Restored, Voided};
pub use runs::ClaimedRun;
pub use settle::{Ended, Finished};
pub use shows::{ClaimedShow, Left, Shows};
pub use stops::{Stop, Stopped};
pub use switch::{Switch, SwitchPosition};
pub use tally::Cost;

pub(crate) use conn::Conn;
pub(crate) use lock::FileLock;
pub(crate) use rows::{big, count, instant, text};
pub(crate) use tx::Tx;
