//! `countersign manifest`.

use std::process::ExitCode;

use clap::Args;

use super::out::say;
use crate::config;

#[derive(Debug, Args)]
pub(super) struct Manifest {
    /// Where Slack reaches you: https://approvals.example.com
    #[arg(long)]
    url: String,
}

pub(super) fn run(manifest: &Manifest) -> anyhow::Result<ExitCode> {
    say(config::manifest::fill(&manifest.url)?.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
