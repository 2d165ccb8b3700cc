//! `countersign check`.

use std::path::Path;
use std::process::ExitCode;

use super::out::say;
use super::words;
use crate::config::{self, Severity};

pub(super) fn run(file: &Path) -> anyhow::Result<ExitCode> {
    let config = match config::load(file, &|name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("{errors}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let findings = config::lint(&config);
    for finding in &findings {
        eprintln!("{finding}\n");
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok(ExitCode::FAILURE);
    }
    say(format_args!(
        "{} is good: {}, {}, {}, {}.",
        file.display(),
        words::counted(config.tools.len(), "tool"),
        words::counted(config.rules.len(), "rule"),
        words::counted(config.agents.len(), "agent"),
        words::counted(config.groups.len(), "group"),
    ))?;
    Ok(ExitCode::SUCCESS)
}
