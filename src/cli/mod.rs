//! The command line: one file a command, each a thin layer over the rooms it shows.

mod backup;
mod check;
mod database;
mod demo;
mod doctor;
mod erase;
mod evidence;
mod logs;
mod manifest;
mod mcp;
mod out;
mod paste;
mod pinned;
mod preview;
mod requests;
mod safety;
mod serve;
mod signed;
mod switch;
mod two_people;
mod waiting;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Config};
pub use out::last_words;

/// The heading of the options that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// The approval desk for AI agents that lives in Slack: what was approved is what ran.
///
/// Start with `countersign demo`: it brings up the whole desk on this machine, with a page that
/// looks like Slack. For a real workspace, write a countersign.yaml, then go through `check`,
/// `preview`, `manifest`, `doctor` and `serve`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        help_heading = EVERYWHERE,
        default_value = "countersign.yaml",
        env = "COUNTERSIGN_CONFIG"
    )]
    config: PathBuf,

    /// How logs are written to standard error.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        help_heading = EVERYWHERE,
        default_value = "human",
        env = "COUNTERSIGN_LOG_FORMAT"
    )]
    log_format: logs::Format,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring up the whole desk on this machine: bot, stand-in Slack, scripted agent and tools.
    ///
    /// Needs no account, no key and no configuration. The tools' effects are real rows in a local
    /// database, so that what was approved can be compared with what ran.
    Demo(demo::Demo),
    /// Run the desk for the workspace in the configuration.
    ///
    /// Refuses to start with a configuration that `check` finds an error in. One process at a time
    /// can serve a SQLite file, any number one Postgres database; the other commands can run beside
    /// them.
    ///
    /// The first SIGTERM or Ctrl-C lets what is under way finish, at most ten seconds; the second
    /// ends at once. Either way nothing is lost: the database knows everything.
    Serve(serve::Serve),
    /// Validate the configuration and find policies that cannot work.
    ///
    /// Calls nobody, but needs the variables and files that the configuration takes its secrets
    /// from. Exits 1 when there is an error, 0 when there are only warnings.
    Check(check::Check),
    /// Show what would become of a tool call: which rule decides, who is asked, and the card.
    ///
    /// Asks nobody and writes nothing. Exits 1 when a call of a file is not ruled on as its
    /// `expect` says, so that a file of calls is a test of your policies.
    #[command(after_long_help = preview::EXAMPLES)]
    Preview(preview::Preview),
    /// Print the Slack app manifest, filled in with your address.
    ///
    /// Paste it at https://api.slack.com/apps > Create New App > From a manifest.
    Manifest(manifest::Manifest),
    /// Ask Slack about everything the configuration names, and say how to mend what is wrong.
    ///
    /// Looks at secret, token, scopes, clock, channels, groups, whether Slack can reach this desk, whether
    /// the store keeps what it acknowledges, which open runs began on another definition of their agent, which requests their approvers cannot see, and whether MCP servers still describe their tools as they were pinned. Posts nothing. Exits 1 when something cannot work.
    Doctor,
    /// See what MCP servers offer, and pin what agents may use of it.
    #[command(subcommand)]
    Mcp(mcp::Mcp),
    /// List, show and cancel requests.
    #[command(subcommand)]
    Requests(requests::Requests),
    /// Throw the stop switch: after this commits, no action starts anywhere.
    ///
    /// Works beside a serving desk and without one. Prints what is under way already and cannot be
    /// called back. What is approved meanwhile is refused, not kept for later.
    Stop(switch::Turn),
    /// Release the stop switch: approved actions start again.
    ///
    /// What was refused while it was on stays refused and has to be asked for again.
    Start(switch::Turn),
    /// Copy the database to a file while the desk goes on, and check the copy.
    ///
    /// For SQLite; a Postgres server has its own means. The anchors it prints belong elsewhere: they
    /// show later whether a database goes on from this one.
    Backup(backup::Backup),
    /// Put a backup in the place of a database that is lost.
    ///
    /// What the backup shows as open may have been decided and done since. So nothing of it starts any
    /// more: pending requests are cancelled, approved actions will not start, those under way become
    /// unknown, and whoever waits is told to ask again.
    Restore(backup::Restore),
    /// Forget a person: their name, their accounts, and the words they wrote and were written for them.
    ///
    /// Shows what would go, and does it when two people stand for it. What they asked for is reduced as
    /// the retention does it, the conversations they had a part in are forgotten, and a pseudonym takes
    /// their place everywhere, so that each quorum still counts as many people and the chain still
    /// verifies. Works beside a serving desk. Refuses while anything of theirs is open. If it is cut off,
    /// give it again: it goes on.
    Erase(erase::Erase),
    /// Check the audit chain and every invariant over the database.
    ///
    /// Can run beside a serving desk. Exits 1 on any violation. Keep the anchors it prints outside of this machine: given
    /// back with --anchor they make a log that was cut off or rebuilt visible.
    Verify(evidence::Verify),
    /// Write the audit log to standard output as JSON Lines.
    ///
    /// One record a line, oldest first. A record's `hash` is the SHA-256 in hex of the line
    /// `countersign.audit.v1` and the JSON list [workspace, seq, at, kind, subject, body, prev_hash]
    /// without spaces, so that anybody can recompute the chain. Where a line has `reduced_by`, the body
    /// that was hashed is gone: the record of that number has under `left` the SHA-256 of the JSON list
    /// [seq, at, kind, subject, body] of what is left.
    Export(evidence::Export),
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    logs::start(cli.log_format);
    let file = cli.config.as_path();
    match cli.command {
        Command::Demo(demo) => demo::run(demo).await,
        Command::Serve(serve) => serve::run(serve, read(file)?).await,
        Command::Check(check) => check::run(&check, file),
        Command::Preview(preview) => preview::run(preview, read(file)?),
        Command::Manifest(manifest) => manifest::run(&manifest),
        Command::Doctor => doctor::run(read(file)?).await,
        Command::Mcp(mcp) => mcp::run(mcp, read(file)?).await,
        Command::Requests(requests) => requests::run(requests, file).await,
        Command::Stop(turn) => switch::stop(turn, file).await,
        Command::Start(turn) => switch::start(turn, file).await,
        Command::Backup(order) => backup::backup(order, file).await,
        Command::Restore(order) => backup::restore(order, file).await,
        Command::Erase(order) => erase::run(order, file).await,
        Command::Verify(verify) => evidence::verify(verify, file).await,
        Command::Export(export) => evidence::export(export, file).await,
    }
}

fn read(file: &Path) -> anyhow::Result<Config> {
    config::load(file, &|name| std::env::var(name).ok())
        .map_err(|errors| anyhow::anyhow!("the configuration cannot be used:\n\n{errors}"))
}
