//! `countersign check`.

use std::path::Path;
use std::process::ExitCode;

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
    println!(
        "{} is good: {}, {}, {}, {}.",
        file.display(),
        counted(config.tools.len(), "tool"),
        counted(config.rules.len(), "rule"),
        counted(config.agents.len(), "agent"),
        counted(config.groups.len(), "group"),
    );
    Ok(ExitCode::SUCCESS)
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}
