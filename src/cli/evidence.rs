//! `countersign verify` and `countersign export`.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::database::Database;
use super::out::say;
use super::words;
use crate::audit::{self, Anchor};

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    database: Database,

    /// A line that an earlier `verify` printed and that was kept elsewhere. Can be repeated.
    #[arg(long, value_name = "WORKSPACE:NUMBER:HASH")]
    anchor: Vec<Anchor>,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    database: Database,
}

pub(super) async fn verify(verify: Verify, config: &Path) -> anyhow::Result<ExitCode> {
    let store = verify.database.to_read(config).await?;
    let findings = audit::verify(&store, &verify.anchor).await?;
    for violation in &findings.violations {
        eprintln!("{violation}");
    }
    if !findings.violations.is_empty() {
        let count = words::counted(findings.violations.len(), "violation");
        eprintln!("\n{count}: keep this database as it is.");
        return Ok(ExitCode::FAILURE);
    }
    say("Every invariant holds. Anchors to keep elsewhere:")?;
    for end in &findings.ends {
        say(end)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn export(export: Export, config: &Path) -> anyhow::Result<ExitCode> {
    let store = export.database.to_read(config).await?;
    let mut out = BufWriter::new(std::io::stdout());
    let written = audit::export(&store, &mut out).await?;
    out.flush()?;
    eprintln!("{}", words::counted(written, "record"));
    Ok(ExitCode::SUCCESS)
}
