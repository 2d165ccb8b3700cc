//! `countersign manifest`.

use std::process::ExitCode;

use clap::Args;

use crate::config;

#[derive(Debug, Args)]
pub(super) struct Manifest {
    /// Where Slack reaches you: https://approvals.example.com
    #[arg(long)]
    url: String,
}

pub(super) fn run(manifest: &Manifest) -> anyhow::Result<ExitCode> {
    print!("{}", config::manifest::fill(&manifest.url)?);
    Ok(ExitCode::SUCCESS)
}
