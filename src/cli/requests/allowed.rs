//! An action that a rule allowed: no request tells of it.

use std::process::ExitCode;

use super::tell_story;
use crate::approval::ExecutionState;
use crate::cli::out::say;
use crate::cli::words;
use crate::desk::execution_view;
use crate::slack::texts;
use crate::store::{ActionRun, Store};

/// How it stands, its bytes, and what the audit log says of it.
pub(super) async fn show(store: &Store, action: &ActionRun) -> anyhow::Result<ExitCode> {
    let ActionRun { execution, tool, bytes, .. } = action;
    match (execution.state, &execution.settled) {
        (ExecutionState::Unknown, None) => say(super::settle::line(action))?,
        (_, Some(settled)) => say(said(action, words::finding(settled.finding)))?,
        (state, None) => say(said(action, words::execution_state(state)))?,
    }
    say(format_args!("\n{}\n\n{bytes}\n", texts::became(tool, &execution_view(execution))))?;
    tell_story(store, execution.id.as_str()).await
}

fn said(action: &ActionRun, state: &str) -> String {
    format!("{}  {}  allowed by a rule, {state}", action.execution.id, action.tool)
}
