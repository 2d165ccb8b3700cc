//! `countersign serve`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Role, Roles};
use crate::base::{RandomIds, SystemClock};
use crate::config::{self, Config, Severity};
use crate::store::Place;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// What this process does: web, runs, executions, timers, deliveries, streams, retention; all of
    /// them when none is named. Together, the processes on one database must do all.
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Vec<Role>,
}

pub(super) async fn run(serve: Serve, config: Config) -> anyhow::Result<ExitCode> {
    let roles = Roles::of(serve.roles);
    anyhow::ensure!(
        roles.are_all() || matches!(Place::of(config.store.as_str()), Ok(Place::Postgres(_))),
        "one process does everything on a SQLite file; leave out --roles, or let `store` name a \
         Postgres server"
    );
    let errors: Vec<String> = config::lint(&config)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.problem.to_string())
        .collect();
    anyhow::ensure!(errors.is_empty(), "the configuration cannot work:\n\n{}", errors.join("\n\n"));

    abort_on_panic();
    let listen = config.listen;
    let app = App::open(config, Arc::new(SystemClock), Arc::new(RandomIds)).await?;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; change `listen` or stop what uses it")
    })?;
    // Before it says that it is open: whoever waits for that may end it at once.
    let stop = told_to_stop()?;
    tracing::info!(address = %listener.local_addr()?, "the desk is open");
    app.serve(listener, roles, stop).await?;
    tracing::info!("the desk is closed");
    Ok(ExitCode::SUCCESS)
}

/// A panic in any task ends the process at once: a half-alive desk would keep nobody's promises,
/// and a restart finds everything in the database.
fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        tracing::error!(
            "a bug made the desk stop; nothing is lost, please restart it and report it"
        );
        std::process::abort();
    }));
}

/// Cancelled by the first SIGTERM or Ctrl-C; the second ends the process without waiting.
fn told_to_stop() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for nth in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if nth == 0 {
                tracing::info!("closing the desk: finishing what is under way");
                told.cancel();
            } else {
                std::process::exit(130);
            }
        }
    });
    Ok(stop)
}
