//! The card: one request as Slack blocks. Pure: stored facts in, Block Kit JSON out.

mod view;

use serde_json::Value;

pub use view::{Buttons, CardView, Completeness, ExecutionView, Rendered, StageNames};

/// The card of one stage, in the approvers' channel.
pub fn stage_card(view: &CardView<'_>, stage: usize) -> Rendered {
    todo!("{view:?} {stage}")
}

/// The live line in the requester's thread: who has it, since when, what comes next, when it
/// lapses and what happens then; in the end how it went.
pub fn status_line(view: &CardView<'_>) -> Rendered {
    todo!("{view:?}")
}

/// What a person sees, as plain text: for `preview`, the command line and snapshots.
pub fn as_text(rendered: &Rendered) -> String {
    blocks_as_text(&rendered.blocks)
}

/// The same for bare blocks: a modal's or the Home tab's.
pub fn blocks_as_text(blocks: &[Value]) -> String {
    todo!("{blocks:?}")
}
