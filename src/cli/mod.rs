//! The command line: one file a command, each a thin layer over the rooms it shows.

mod check;
mod demo;
mod doctor;
mod evidence;
mod logs;
mod manifest;
mod preview;
mod requests;
mod serve;
mod switch;

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
    #[arg(long, short, global = true, default_value = "countersign.yaml", env = "COUNTERSIGN_CONFIG")]
    config: PathBuf,

    /// How logs are written to standard error.
    #[arg(long, global = true, value_enum, default_value = "human", env = "COUNTERSIGN_LOG_FORMAT")]
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
    /// Ask Slack and this machine what is wrong with the installation, and say how to mend it.
    Doctor,
    /// Print the Slack app manifest, filled in with your address.
    Manifest(manifest::Manifest),
    /// Show which rule decides on an action, who would be asked, and the card. Asks nobody.
    Preview(preview::Preview),
    /// Look at requests, or end one.
    #[command(subcommand)]
    Requests(requests::Requests),
    /// Throw the stop switch: from its commit on no execution starts.
    Stop(switch::Stop),
    /// Release the stop switch.
    Start(switch::Start),
    /// Check the audit chain and every invariant over the database. Exits 1 on any violation.
    Verify(evidence::Verify),
    /// Write the audit log as JSON Lines.
    Export(evidence::Export),
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    logs::start(cli.log_format);
    let file = cli.config.as_path();
    match cli.command {
        Command::Demo(demo) => demo::run(demo).await,
        Command::Serve => serve::run(read(file)?).await,
        Command::Check => check::run(file),
        Command::Doctor => doctor::run(read(file)?).await,
        Command::Manifest(manifest) => manifest::run(&manifest),
        Command::Preview(preview) => preview::run(&read(file)?, &preview),
        Command::Requests(requests) => requests::run(&read(file)?, requests).await,
        Command::Stop(stop) => switch::stop(&read(file)?, stop).await,
        Command::Start(start) => switch::start(&read(file)?, start).await,
        Command::Verify(verify) => evidence::verify(file, verify).await,
        Command::Export(export) => evidence::export(file, export).await,
    }
}

fn read(file: &Path) -> anyhow::Result<Config> {
    config::load(file, &|name| std::env::var(name).ok())
        .map_err(anyhow::Error::from)
        .context("the configuration cannot be used")
}
