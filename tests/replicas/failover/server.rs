//! Real Postgres servers: a primary that others copy, and a standby that has every commit before it is
//! acknowledged. Each can be stopped, killed, paused and promoted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tokio::process::{Child, Command};

use crate::office::sooner_or_later;
use crate::reckoning::counts;

/// How long a server may think about one question.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Server {
    pub port: u16,
    data: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// A new server, alone.
    pub async fn founded(folder: &Path) -> Self {
        let data = folder.join("primary");
        let mut founding = program("initdb");
        founding.arg("-D").arg(&data).args(["-U", "desk", "--auth=trust", "--no-sync"]);
        finishes(founding.args(["--encoding=UTF8", "--locale=C"])).await;
        let mut server = Self { port: lasting_port(), data, process: None };
        server.starts().await;
        server
    }

    /// A standby that this server waits for with every commit from now on.
    pub async fn gets_a_standby(&self, folder: &Path) -> Self {
        let data = folder.join("standby");
        let port = self.port.to_string();
        let mut copying = program("pg_basebackup");
        copying.args(["-h", "127.0.0.1", "-p", &port, "-U", "desk", "-D"]).arg(&data);
        finishes(copying.args(["-R", "-X", "stream", "--checkpoint=fast", "--no-sync"])).await;
        let mut standby = Self { port: lasting_port(), data, process: None };
        standby.starts().await;
        self.says("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'").await;
        self.says("SELECT pg_reload_conf()").await;
        sooner_or_later("the standby is waited for", async || {
            self.counts("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'")
                .await
                == 1
        })
        .await;
        standby
    }

    /// Starts it, as often as it was ended.
    pub async fn starts(&mut self) {
        let mut starting = program("postgres");
        starting.arg("-D").arg(&self.data).args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "max_connections=50",
            // Whoever is paused for long must not be taken for dead: a paused machine is not either.
            "wal_sender_timeout=0",
            "wal_receiver_timeout=0",
            "wal_retrieve_retry_interval=200ms",
        ] {
            starting.args(["-c", setting]);
        }
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        starting.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.process = Some(starting.spawn().unwrap());
        sooner_or_later("a server opens", async || {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let said = || std::fs::read_to_string(self.log()).unwrap();
            assert!(ended.is_none(), "a server ended by itself: {}", said());
            self.asks().await.is_some()
        })
        .await;
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Ends in good order: it sends away whoever is connected, and all it has to its standby.
    pub async fn stops(&mut self) {
        signal(self.id(), Signal::INT);
        self.process.take().unwrap().wait().await.unwrap();
    }

    /// Ends as by a power cut.
    pub async fn dies(&mut self) {
        self.is_paused();
        let everybody = self.everybody();
        everybody.iter().for_each(|&id| signal(id, Signal::KILL));
        self.process.take().unwrap().wait().await.unwrap();
        sooner_or_later("all its processes are gone", async || {
            !everybody.iter().any(|&id| is_alive(id))
        })
        .await;
    }

    /// Stands still, with all its processes; who is connected stays so.
    pub fn is_paused(&self) {
        signal(self.id(), Signal::STOP);
        self.everybody().into_iter().for_each(|id| signal(id, Signal::STOP));
    }

    pub fn wakes_up(&self) {
        self.everybody().into_iter().for_each(|id| signal(id, Signal::CONT));
    }

    /// Makes a standby the primary, and returns when it is.
    pub async fn is_promoted(&self) {
        finishes(program("pg_ctl").arg("-D").arg(&self.data).args(["-w", "promote"])).await;
    }

    pub async fn says(&self, words: &str) {
        let mut conn = self.asks().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(words.to_owned())).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }

    pub async fn counts(&self, question: &str) -> i64 {
        let mut conn = self.asks().await.unwrap();
        let count = counts(&mut conn, question).await;
        conn.close().await.unwrap();
        count
    }

    /// A connection past every address, if it takes one.
    pub async fn asks(&self) -> Option<AnyConnection> {
        let url = format!("postgres://desk@127.0.0.1:{}/postgres", self.port);
        let connecting = tokio::time::timeout(PATIENCE, AnyConnection::connect(&url)).await;
        connecting.ok()?.ok()
    }

    fn id(&self) -> i32 {
        self.process.as_ref().and_then(Child::id).unwrap() as i32
    }

    /// The server's process and its children, each of which has a session of its own.
    fn everybody(&self) -> Vec<i32> {
        let mut all = vec![self.id()];
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            if stat(id).and_then(|(_, parent)| parent.parse().ok()) == Some(self.id()) {
                all.push(id);
            }
        }
        all
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.as_ref().is_some_and(|process| process.id().is_some()) {
            self.everybody().into_iter().for_each(|id| signal(id, Signal::KILL));
        }
    }
}

/// A port that stays ours while the server is down. Of those that the system gives to whoever
/// connects, one may be taken meanwhile; even by a connection to itself.
fn lasting_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (first..32_000).find(free).unwrap()
}

/// One of Postgres's programs.
pub fn program(name: &str) -> Command {
    let programs = std::env::var("COUNTERSIGN_TEST_POSTGRES_PROGRAMS");
    let programs = programs.expect("scripts/with-postgres names the folder of the programs");
    as_somebody(&Path::new(&programs).join(name))
}

/// A program that refuses to run as root, under the user that the servers have.
pub fn as_somebody(program: &Path) -> Command {
    let user = std::env::var("COUNTERSIGN_TEST_POSTGRES_USER").unwrap_or_default();
    let mut command = if user.is_empty() {
        Command::new(program)
    } else {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user, "--clear-groups", "--"]).arg(program);
        command
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

pub async fn finishes(command: &mut Command) {
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

/// A process's state and its parent.
fn stat(id: i32) -> Option<(String, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut words = stat.rsplit(')').next()?.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

/// Whoever is dead and not buried yet is not.
fn is_alive(id: i32) -> bool {
    stat(id).is_some_and(|(state, _)| state != "Z")
}

/// A process that is gone needs no signal any more.
fn signal(id: i32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(id).unwrap(), signal);
}
