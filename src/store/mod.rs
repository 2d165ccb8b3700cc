//! The store: one function = one transaction = one transition of the domain.
//!
//! Every write goes through one writer, which commits what is waiting together and answers each
//! caller only after the commit. The functions here read rows, let the pure core decide, and write
//! the new state together with its timers, votes, cards, notices, orders to resume and audit
//! records. Leases say who works on a row; epochs fence off whoever lost theirs.

mod answers;
mod apply;
mod begin;
mod buttons;
mod calls;
mod cards;
mod checkpoints;
mod decide;
mod error;
mod events;
mod executions;
mod intake;
mod lock;
mod notices;
mod open;
mod owed;
mod questions;
mod read;
mod reconcile;
pub(crate) mod requests;
mod rows;
mod runs;
mod settle;
mod shows;
mod stops;
mod switch;
mod timers;
mod transition;
mod tx;
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
pub use error::StoreError;
pub use events::{Batch, Listener};
pub use executions::{ClaimedExecution, ExecutionView, NextStep};
pub use intake::{NewMessage, RunInput, SlackThread, Taken, Thread};
pub use notices::{NewNotice, OwedNotice};
pub use open::{Store, Turnstile};
pub use owed::Owed;
pub use questions::{KnownQuestions, NewRequest, Question, QuestionOutcome};
pub use read::{Cursor, Page};
pub use reconcile::Adopted;
pub use requests::StoredRequest;
pub use runs::ClaimedRun;
pub use settle::Ended;
pub use shows::{ClaimedShow, Left};
pub use stops::{Stop, Stopped};
pub use switch::{Switch, SwitchPosition};

pub(crate) use rows::{big, count, instant};
pub(crate) use tx::Tx;
