//! `countersign check`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::out::say;
use super::words;
use crate::config::{self, Config, Severity};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Print each graph of the configuration as a Mermaid flowchart instead of the summary.
    #[arg(long)]
    mermaid: bool,
}

pub(super) fn run(check: &Check, file: &Path) -> anyhow::Result<ExitCode> {
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
    if check.mermaid {
        draw(&config)?;
        return Ok(ExitCode::SUCCESS);
    }
    let graphs = match config.graphs.len() {
        0 => String::new(),
        graphs => format!(", {}", words::counted(graphs, "graph")),
    };
    say(format_args!(
        "{} is good: {}, {}, {}, {}{graphs}.",
        file.display(),
        words::counted(config.tools.len(), "tool"),
        words::counted(config.rules.len(), "rule"),
        words::counted(config.agents.len(), "agent"),
        words::counted(config.groups.len(), "group"),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Standard output is nothing but charts, each under a comment with its graph's name.
fn draw(config: &Config) -> anyhow::Result<()> {
    if config.graphs.is_empty() {
        eprintln!("there is nothing to draw: the configuration has no `graphs`");
    }
    for (name, graph) in &config.graphs {
        say(format_args!("%% {name}\n{}", graph.mermaid()))?;
    }
    Ok(())
}
