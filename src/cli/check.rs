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
        let word = match finding.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        eprintln!("{word}: {}\n", finding.problem);
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "{} is good: {} tools, {} rules, {} agents, {} groups.",
        file.display(),
        config.tools.len(),
        config.rules.len(),
        config.agents.len(),
        config.groups.len(),
    );
    Ok(ExitCode::SUCCESS)
}
