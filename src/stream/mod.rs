//! What a run tells while it goes on: the words of its event log, and how they are shown.
//!
//! Everything a run tells is an event with a number of its own in its run, written in the
//! transaction that makes it true. Whoever follows a run, an API client or the Slack thread, reads
//! the log from where it left off; being told live is only being told sooner. Nothing here does
//! I/O.

mod call;
mod event;
mod mode;
mod show;

pub use call::{Next, Piece, Session, ShowCall, Task, TaskKind, TaskStatus, Went};
pub use event::{ErrorCode, RunEvent, cut};
pub use mode::{ModeList, Modes, Version};
pub use show::Show;
