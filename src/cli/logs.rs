//! Logs on standard error, for people or for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `RUST_LOG` chooses what; without it everything from `info` up, but for the slow
/// statements that sqlx warns of: a busy disk is no news in the answer to a command.
pub(super) fn start(format: Format) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=error,hyper=warn,reqwest=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Human => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        Format::Json => log.json().flatten_event(true).init(),
    }
}
