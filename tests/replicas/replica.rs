//! One desk as an operator has it: its binary, its configuration, its log.

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::office::{PATIENCE, sooner_or_later};

pub const SIGNING_SECRET: &str = "the-replicas-sign-with-this";
pub const BOT_TOKEN: &str = "xoxb-replicas";

/// How a desk is started: as whom, and into which surroundings.
#[derive(Clone)]
pub struct Start {
    pub binary: PathBuf,
    /// What follows `serve`.
    pub arguments: Vec<&'static str>,
    pub environment: Vec<(&'static str, OsString)>,
}

impl Default for Start {
    fn default() -> Self {
        let binary = env!("CARGO_BIN_EXE_countersign").into();
        Self { binary, arguments: Vec::new(), environment: Vec::new() }
    }
}

impl Start {
    /// A desk that does only these things.
    pub fn only(roles: &'static str) -> Self {
        Self { arguments: vec!["--roles", roles], ..Self::default() }
    }
}

/// One desk, started by its binary.
pub struct Replica {
    pub at: SocketAddr,
    process: Child,
}

impl Replica {
    pub async fn opens(folder: &Path, at: SocketAddr, start: &Start) -> Self {
        let mut process = started(folder, at, start);
        sooner_or_later("a desk opens", async || {
            let ended = process.try_wait().unwrap();
            let said = || std::fs::read_to_string(log_of(folder, at)).unwrap();
            assert!(ended.is_none(), "a desk ended by itself: {}", said());
            TcpStream::connect(at).await.is_ok()
        })
        .await;
        Self { at, process }
    }

    /// Starts one that ends by itself, and gives its last words.
    pub async fn ends(folder: &Path, at: SocketAddr, start: &Start) -> String {
        let mut process = started(folder, at, start);
        let ended = tokio::time::timeout(PATIENCE, process.wait()).await.unwrap().unwrap();
        assert!(!ended.success(), "a desk ended with {ended}");
        std::fs::read_to_string(log_of(folder, at)).unwrap()
    }

    pub fn log(&self, folder: &Path) -> PathBuf {
        log_of(folder, self.at)
    }

    /// The status of its answer to an empty request, like `GET /readyz`.
    pub async fn answers(&self, what: &str) -> u16 {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        let request = format!(
            "{what} HTTP/1.1\r\nhost: desk\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = stream.read_to_string(&mut answer);
        tokio::time::timeout(PATIENCE, reading).await.unwrap().unwrap();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        let id = self.process.id().and_then(|id| Pid::from_raw(id as i32)).unwrap();
        kill_process(id, signal).unwrap();
    }

    pub async fn closes(mut self) {
        self.signal(Signal::TERM);
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        assert!(ended.success(), "a desk closed with {ended}");
    }

    pub async fn dies(mut self) {
        assert!(self.process.try_wait().unwrap().is_none(), "a desk ended by itself");
        self.process.kill().await.unwrap();
    }
}

/// What a desk reads, and whoever looks after it.
pub fn configuration_of(folder: &Path, at: SocketAddr) -> PathBuf {
    folder.join(format!("desk-{}.yaml", at.port()))
}

fn started(folder: &Path, at: SocketAddr, start: &Start) -> Child {
    let file = configuration_of(folder, at);
    let text = std::fs::read_to_string(folder.join("countersign.yaml")).unwrap();
    std::fs::write(&file, text.replace("LISTEN", &at.to_string())).unwrap();
    Command::new(&start.binary)
        .arg("--config")
        .arg(&file)
        .arg("serve")
        .args(&start.arguments)
        .env("DEMO_SIGNING_SECRET", SIGNING_SECRET)
        .env("DEMO_BOT_TOKEN", BOT_TOKEN)
        .envs(start.environment.clone())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log_at(folder, at))
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn log_of(folder: &Path, at: SocketAddr) -> PathBuf {
    folder.join(format!("desk-{}.log", at.port()))
}

/// Whoever comes in another's place goes on with its log.
fn log_at(folder: &Path, at: SocketAddr) -> File {
    File::options().create(true).append(true).open(log_of(folder, at)).unwrap()
}

pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
