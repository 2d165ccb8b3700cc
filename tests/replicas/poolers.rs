//! PgBouncer between the desks and their server. By session nothing changes. By transaction everything
//! works if it keeps prepared statements, and nothing starts if it does not.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use countersign::base::{RandomIds, SystemClock};
use countersign::store::{Place, Pooling, Store, StoreError, pooling};
use sqlx::Connection;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::MutexGuard;

use crate::failover::server::{Server, as_somebody};
use crate::failover::{ALONE, a_folder_for_everybody};
use crate::office::{Office, sooner_or_later};
use crate::reckoning;
use crate::replica::free_port;
use crate::traffic::Traffic;

/// The first that keeps prepared statements.
const KEEPS_STATEMENTS: (u32, u32) = (1, 21);

struct Pooler {
    at: SocketAddr,
    _process: Child,
}

impl Pooler {
    async fn before(server: &Server, folder: &Path, mode: &str) -> Self {
        Self::with_sessions(20, server, folder, mode).await
    }

    async fn with_sessions(sessions: u32, server: &Server, folder: &Path, mode: &str) -> Self {
        let at = free_port();
        let keeps = version().await >= KEEPS_STATEMENTS;
        let keeping = if keeps { "max_prepared_statements = 200" } else { "" };
        let file = folder.join(format!("{mode}.ini"));
        let text = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=desk\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\nauth_type = any\n\
             default_pool_size = {sessions}\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n{keeping}\n",
            server.port,
            at.port()
        );
        std::fs::write(&file, text).unwrap();
        let process = as_somebody(&program())
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        sooner_or_later("a pooler opens", async || TcpStream::connect(at).await.is_ok()).await;
        Self { at, _process: process }
    }

    fn store(&self) -> String {
        format!("postgres://desk@{}/postgres", self.at)
    }

    async fn seems(&self) -> Pooling {
        let Ok(Place::Postgres(address)) = Place::of(&self.store()) else { unreachable!() };
        pooling(&address, &RandomIds).await.unwrap()
    }
}

async fn is_refused_by(pooler: &Pooler) -> StoreError {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let Err(why) = Store::open(&pooler.store(), clock, ids).await.map(drop) else {
        panic!("it was taken");
    };
    why
}

fn program() -> PathBuf {
    std::env::var("COUNTERSIGN_TEST_PGBOUNCER").expect("scripts/with-postgres names it").into()
}

async fn version() -> (u32, u32) {
    let said = Command::new(program()).arg("--version").output().await.unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let mut numbers = said.split_whitespace().nth(1).unwrap().split('.');
    let mut next = || numbers.next().unwrap().parse().unwrap();
    (next(), next())
}

async fn a_server() -> (MutexGuard<'static, ()>, TempDir, Server) {
    let alone = ALONE.lock().await;
    sqlx::any::install_default_drivers();
    let folder = a_folder_for_everybody();
    let server = Server::founded(folder.path()).await;
    (alone, folder, server)
}

/// People write and press at two desks, and all of it is paid once.
async fn all_is_well(store: &str, server: &Server) {
    let office = Office::opens(store, 2).await;
    let traffic = Traffic::begins(&office.slack);
    office.payments_go_on(8).await;
    traffic.nobody_writes_any_more();
    let mut desk = server.asks().await.unwrap();
    reckoning::nothing_is_lost_or_doubled(&office, &mut desk).await;
    desk.close().await.unwrap();
    traffic.ends().await;
    let logs = office.logs();
    assert!(!logs.contains("ERROR"), "{logs}");
    office.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs and PgBouncer: scripts/test names them"]
async fn by_session_nothing_changes() {
    let (_alone, folder, server) = a_server().await;
    let pooler = Pooler::before(&server, folder.path(), "session").await;
    assert_eq!(pooler.seems().await, Pooling::BySession);
    all_is_well(&pooler.store(), &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs and PgBouncer: scripts/test names them"]
async fn by_transaction_all_is_well_or_nothing_starts() {
    let (_alone, folder, server) = a_server().await;
    let pooler = Pooler::before(&server, folder.path(), "transaction").await;
    if version().await >= KEEPS_STATEMENTS {
        assert_eq!(pooler.seems().await, Pooling::ByTransaction);
        return all_is_well(&pooler.store(), &server).await;
    }
    // As often as one tries, whatever those before have left in its sessions.
    for _ in 0..4 {
        assert_eq!(pooler.seems().await, Pooling::Forgetful);
        let refused = is_refused_by(&pooler).await;
        assert!(matches!(refused, StoreError::Pooler { .. }), "{refused}");
    }
}

/// Else the start would wait for as long as the pooler lets it, and end without a word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs and PgBouncer: scripts/test names them"]
async fn a_pooler_with_a_single_session_is_refused_soon_and_by_name() {
    let (_alone, folder, server) = a_server().await;
    for mode in ["transaction", "session"] {
        let pooler = Pooler::with_sessions(1, &server, folder.path(), mode).await;
        let soon = std::time::Duration::from_secs(30);
        let refused = tokio::time::timeout(soon, is_refused_by(&pooler)).await.expect(mode);
        assert!(matches!(refused, StoreError::OneSession { .. }), "{mode}: {refused}");
        assert!(refused.to_string().contains("default_pool_size"), "{refused}");
    }
}
