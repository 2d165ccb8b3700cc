//! The card: one request as Slack blocks. Pure: stored facts in, Block Kit JSON out.
//!
//! A card is a view of the stored envelope, never of a model's words. It carries an approve
//! button only if every byte of the arguments and of where and as whom they run can be read back
//! from its blocks ([`read_back`]) and Slack takes all of them ([`limits`]); else the bytes are
//! behind *Show all*, and the approve control with them.

mod action;
pub(in crate::slack) mod block;
mod claim;
mod facts;
pub mod limits;
mod lines;
mod outcome;
mod people;
mod plain;
mod read_back;
#[cfg(test)]
pub(in crate::slack) mod samples;
mod stage;
mod status;
#[cfg(test)]
mod tests;
mod view;

pub use plain::{as_text, blocks_as_text, view_as_text};
pub use stage::stage_card;
pub use status::status_line;
pub use view::{Buttons, CardView, Completeness, ExecutionView, Rendered, StageNames};

pub(in crate::slack) use action::{Arguments, is_whole, setting_blocks};
pub(in crate::slack) use facts::name;
pub(in crate::slack) use lines::{Detail, Leaf, leaves};
pub(in crate::slack) use people::{approvers, channel};
pub(in crate::slack) use stage::body;
