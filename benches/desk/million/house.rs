//! Where the desk lives: its folder, its port, its database; and the desk as a process.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use countersign::base::Timestamp;
use countersign::config::{self, Config};
use countersign::store::Rehearsal;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::AnyPool;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::outside::Outside;
use super::people::{Button, client};
use crate::office::{Database, SECRET, TOKEN};
use crate::times::{now, resident};

const LOOK: Duration = Duration::from_millis(5);

pub struct House {
    folder: TempDir,
    port: u16,
    store: String,
    server: Option<Rehearsal>,
}

pub struct Desk(Child);

impl House {
    pub async fn build(database: &Database, outside: &Outside) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let server = database.open().await;
        let file = || format!("sqlite://{}", folder.path().join("desk.db").display());
        let store = server.as_ref().map_or_else(file, Rehearsal::url);
        let port = free_port();
        let text = include_str!("countersign.yaml")
            .replace("SLACK", &outside.slack)
            .replace("TOOL", &outside.tool)
            .replace("LISTEN", &format!("127.0.0.1:{port}"))
            .replace("STORE", &store);
        std::fs::write(folder.path().join("countersign.yaml"), text).expect("it is written");
        let script = include_str!("../script.yaml");
        std::fs::write(folder.path().join("script.yaml"), script).expect("it is written");
        Self { folder, port, store, server }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn config(&self) -> Config {
        let env = |name: &str| match name {
            "BENCH_SIGNING_SECRET" => Some(SECRET.to_owned()),
            "BENCH_BOT_TOKEN" => Some(TOKEN.to_owned()),
            _ => None,
        };
        config::load(&self.file(), &env).expect("the configuration is sound")
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("countersign.yaml")
    }

    /// Starts the binary; with it, how many seconds passed until it said that it was ready.
    pub async fn start_and_wait(&self) -> (Desk, f64) {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let start = now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("--config")
            .arg(self.file())
            .arg("serve")
            .env("BENCH_SIGNING_SECRET", SECRET)
            .env("BENCH_BOT_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let (client, url) = (client(), format!("{}/readyz", self.url()));
        loop {
            if let Ok(answer) = client.get(&url).send().await
                && answer.status().is_success()
            {
                return (Desk(process), start.elapsed().as_secs_f64());
            }
            let ended = process.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "it ended by itself: {}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until no timer is left that was due by then.
    pub async fn fired_until(&self, due: Timestamp) {
        let pool = self.look().await;
        loop {
            let left: Option<String> = sqlx::query_scalar(
                "SELECT id FROM timers WHERE done_at IS NULL AND due_at <= $1 LIMIT 1",
            )
            .bind(due.as_millis())
            .fetch_optional(&pool)
            .await
            .expect("it can be read");
            if left.is_none() {
                return pool.close().await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// So many buttons that approve, each of another request that nobody has decided.
    pub async fn buttons(&self, count: usize) -> Vec<Button> {
        let pool = self.look().await;
        let found: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT token, channel, message_ts FROM requests
             JOIN cards ON cards.request_id = requests.id AND cards.kind = 'stage'
             JOIN buttons ON buttons.card_id = cards.id AND choice = 'approve'
             WHERE outcome IS NULL AND requests.stage = 0 LIMIT $1",
        )
        .bind(i64::try_from(count).unwrap_or(i64::MAX))
        .fetch_all(&pool)
        .await
        .expect("it can be read");
        pool.close().await;
        let button = |(token, channel, ts)| Button { token, channel, ts };
        found.into_iter().map(button).collect()
    }

    /// How many votes were counted.
    pub async fn votes(&self) -> i64 {
        let pool = self.look().await;
        let votes = sqlx::query_scalar("SELECT COUNT(*) FROM votes").fetch_one(&pool).await;
        pool.close().await;
        votes.expect("it can be read")
    }

    /// What was filled in is on the disk: nobody fills in a million requests within half an hour, and
    /// whatever comes now would wait for that.
    pub async fn rests(&self) {
        let pool = self.look().await;
        let statement = match self.server {
            None => "PRAGMA wal_checkpoint(TRUNCATE)",
            Some(_) => "CHECKPOINT",
        };
        sqlx::query(statement).execute(&pool).await.expect("it is written");
        pool.close().await;
        let synced = Command::new("sync").status().await.expect("it runs");
        assert!(synced.success());
    }

    /// What the database takes, in words.
    pub async fn size(&self) -> String {
        let bytes = match &self.server {
            None => std::fs::metadata(self.folder.path().join("desk.db")).expect("a file").len(),
            Some(_) => {
                let pool = self.look().await;
                let size = sqlx::query_scalar("SELECT pg_database_size(current_database())");
                let size: i64 = size.fetch_one(&pool).await.expect("a size");
                pool.close().await;
                u64::try_from(size).unwrap_or_default()
            }
        };
        format!("{:.2} GB", bytes as f64 / 1e9)
    }

    /// The operator looks at what is left.
    pub async fn verify(&self) {
        let start = now();
        let verified = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["verify", "--database", &self.store])
            .output()
            .await
            .expect("it runs");
        let said = [verified.stdout, verified.stderr].concat();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&said));
        println!("  verified in {:.0} s", start.elapsed().as_secs_f64());
    }

    async fn look(&self) -> AnyPool {
        AnyPool::connect(&self.store).await.expect("the database opens")
    }
}

impl Desk {
    pub fn resident(&self) -> String {
        let id = self.0.id().expect("it runs");
        resident(Path::new(&format!("/proc/{id}/status")))
    }

    pub async fn kill(mut self) {
        self.0.kill().await.expect("it is killed");
    }

    pub async fn end(mut self) {
        let id = self.0.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        kill_process(id.expect("it runs"), Signal::TERM).expect("it is told");
        assert!(self.0.wait().await.expect("it ends").success());
    }
}

/// The port stays free while the desk is down, or nearly always.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
