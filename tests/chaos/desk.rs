//! The desk as an operator has it: the real binary, started, killed and stopped by signals.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use countersign::demo::API_KEY;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::database::Database;
use crate::machine::Machine;
use crate::outside::{BOT_TOKEN, SIGNING_SECRET};

/// Where the binary reads what it shall die of.
pub const FAILPOINT: &str = "COUNTERSIGN_FAILPOINT";
/// How long a start may take before we call it a failure.
const START: Duration = Duration::from_secs(30);
/// The desk promises to close within ten seconds.
const CLOSE: Duration = Duration::from_secs(15);

/// Where a desk lives: its configuration, its log, its port.
pub struct House {
    pub folder: PathBuf,
    pub port: u16,
    pub database: Database,
    /// Whatever is wrong with the machine that it stands on, if anything is to be.
    pub machine: Option<Arc<Machine>>,
}

/// A desk that was started.
pub struct Desk {
    process: Child,
}

impl House {
    /// Of a desk that keeps what it knows in a file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("countersign.db")
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("desk.log")
    }

    /// A killed desk leaves SQLite's write-ahead log; one that closed does not.
    pub fn left_a_log(&self) -> bool {
        self.folder.join("countersign.db-wal").metadata().is_ok_and(|log| log.len() > 0)
    }

    /// Starts the binary and does not wait for it.
    pub fn start(&self) -> anyhow::Result<Desk> {
        Ok(Desk { process: self.command("serve")?.spawn()? })
    }

    /// The same with a failpoint that will be its end.
    pub fn start_told(&self, failpoint: &str) -> anyhow::Result<Desk> {
        Ok(Desk { process: self.command("serve")?.env(FAILPOINT, failpoint).spawn()? })
    }

    /// One of the binary's commands, in this house.
    pub fn command(&self, name: &str) -> anyhow::Result<Command> {
        let log: File = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(binary());
        command
            .arg("--config")
            .arg(self.folder.join("countersign.yaml"))
            .arg(name)
            .env("DEMO_SIGNING_SECRET", SIGNING_SECRET)
            .env("DEMO_BOT_TOKEN", BOT_TOKEN)
            .env("DEMO_API_KEY", API_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        if let Some(machine) = &self.machine {
            command.envs(machine.environment()?);
        }
        Ok(command)
    }

    /// Starts the binary and waits until it takes connections.
    pub async fn open(&self) -> anyhow::Result<Desk> {
        let mut desk = self.start()?;
        let opened = self.is_open(&mut desk).await?;
        anyhow::ensure!(opened, "the desk ended by itself while it started");
        Ok(desk)
    }

    /// Waits until a desk takes connections. No, if it ends before.
    pub async fn is_open(&self, desk: &mut Desk) -> anyhow::Result<bool> {
        let opened = tokio::time::timeout(START, async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                if desk.process.try_wait()?.is_some() {
                    return Ok(false);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(true)
        });
        opened.await.context("the desk did not open in time")?
    }
}

impl Desk {
    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// When it had ended before: a desk never does that by itself.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.has_ended()? {
            anyhow::bail!("the desk ended by itself: {status}");
        }
        self.process.kill().await?;
        Ok(())
    }

    /// How it ended, if it has.
    pub fn has_ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// Waits for its end.
    pub async fn ends(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.process.wait().await?)
    }

    /// Asks it to close.
    pub fn is_told_to_close(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// It stands still wherever it is, as on a machine that has other things to do.
    pub fn stands_still(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// It goes on as if nothing had been.
    pub fn goes_on(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.context("the desk is gone already")?, signal)?;
        Ok(())
    }

    /// Asks it to close, and says how it ended.
    pub async fn stop(mut self) -> anyhow::Result<ExitStatus> {
        self.is_told_to_close()?;
        let ended = tokio::time::timeout(CLOSE, self.process.wait()).await;
        Ok(ended.context("the desk did not close after SIGTERM")??)
    }
}

/// What `countersign verify` says about a database: its exit and its words.
pub async fn verify(database: &Database) -> anyhow::Result<(bool, String)> {
    let order = ["verify", "--database", &database.url()];
    let output = Command::new(binary()).args(order).output().await?;
    let words = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&words).trim().to_owned()))
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_countersign")
}
