//! The command line: one file a command, each a thin layer over the rooms it shows.

mod check;
mod demo;
mod logs;
mod manifest;
mod serve;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::{self, Config};

/// The approval desk for AI agents that lives in Slack: what was approved is what ran.
///
/// Start with `countersign demo`: it brings up the whole desk on this machine, with a page that
/// looks like Slack. For a real workspace, write a countersign.yaml, then go through `check`,
/// `manifest`, `doctor` and `serve`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file.
    #[arg(
        long,
        short,
        global = true,
        default_value = "countersign.yaml",
        env = "COUNTERSIGN_CONFIG"
    )]
    config: PathBuf,

    /// How logs are written to standard error.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "human",
        env = "COUNTERSIGN_LOG_FORMAT"
    )]
    log_format: logs::Format,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring up bot, stand-in Slack, scripted agent and tools with real local effects.
    Demo(demo::Demo),
    /// Run the desk for the workspace in the configuration.
    Serve,
    /// Validate the configuration and find policies that cannot work. Exits 1 on an error.
    Check,
    /// Print the Slack app manifest, filled in with your address.
    Manifest(manifest::Manifest),
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    logs::start(cli.log_format);
    let file = cli.config.as_path();
    match cli.command {
        Command::Demo(demo) => demo::run(demo).await,
        Command::Serve => serve::run(read(file)?).await,
        Command::Check => check::run(file),
        Command::Manifest(manifest) => manifest::run(&manifest),
    }
}

fn read(file: &Path) -> anyhow::Result<Config> {
    config::load(file, &|name| std::env::var(name).ok())
        .map_err(anyhow::Error::from)
        .context("the configuration cannot be used")
}
