//! `countersign verify` and `countersign export`.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::database::Database;
use super::out::say;
use super::words;
use crate::audit::{self, Anchor, Erased, Reductions};

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
    for line in reduced(&findings.reduced) {
        say(line)?;
    }
    say("Every invariant holds. Anchors to keep elsewhere:")?;
    for end in &findings.ends {
        say(end)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is not there whole any more, and since when.
fn reduced(reduced: &Reductions) -> Vec<String> {
    let records = words::counted(reduced.records, "record");
    let retention = reduced.retention.map(|(first, last)| {
        format!("The retention reduced what was old, first at {first} and last at {last}.")
    });
    let whole = (reduced.records > 0)
        .then(|| format!("Of {records} only a rest is there; each is what the log says was left."));
    let erased = reduced.erased.iter().map(|Erased { pseudonym, at, by, with }| {
        format!("{by} and {with} erased a person at {at}; {pseudonym} stands for them.")
    });
    retention.into_iter().chain(erased).chain(whole).collect()
}

pub(super) async fn export(export: Export, config: &Path) -> anyhow::Result<ExitCode> {
    let store = export.database.to_read(config).await?;
    let mut out = BufWriter::new(std::io::stdout());
    let written = audit::export(&store, &mut out).await?;
    out.flush()?;
    eprintln!("{}", words::counted(written, "record"));
    Ok(ExitCode::SUCCESS)
}
