//! Where a desk keeps what it knows: a file in its folder, or a database of its own on the server that
//! `scripts/with-postgres` starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use countersign::base::RandomIds;
use countersign::store::Rehearsal;
use sqlx::AnyPool;
use sqlx::any::{AnyPoolOptions, install_default_drivers};

#[derive(Clone)]
pub enum Database {
    File(PathBuf),
    Server(Arc<Rehearsal>),
}

impl Database {
    /// The file of a desk in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self::File(folder.join("countersign.db"))
    }

    /// An empty database on the server, if there is one; else the file.
    pub async fn where_tests_run(folder: &Path) -> anyhow::Result<Self> {
        match server() {
            None => Ok(Self::in_folder(folder)),
            Some(server) => Self::on_server(&server).await,
        }
    }

    /// An empty database on the server, which must be there.
    pub async fn on_the_server() -> anyhow::Result<Self> {
        let server = server().context("scripts/with-postgres starts the server that this needs")?;
        // The compiler does not see that this could be awaited on any thread.
        let here = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || here.block_on(Self::on_server(&server))).await?
    }

    async fn on_server(server: &str) -> anyhow::Result<Self> {
        let database = Self::Server(Arc::new(Rehearsal::on(server, &RandomIds).await?));
        let desk = database.open().await?;
        // The desk makes its schema by itself, and may die of that.
        sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public").execute(&desk).await?;
        desk.close().await;
        Ok(database)
    }

    /// What to write under `store`.
    pub fn url(&self) -> String {
        match self {
            Self::File(file) => format!("sqlite://{}", file.display()),
            Self::Server(server) => server.url(),
        }
    }

    /// To look only.
    pub async fn look(&self) -> Result<AnyPool, sqlx::Error> {
        match self {
            Self::File(file) => look_at(file).await,
            Self::Server(_) => self.open().await,
        }
    }

    pub async fn open(&self) -> Result<AnyPool, sqlx::Error> {
        connect(&self.url()).await
    }

    /// The tables that are there.
    pub async fn tables(&self) -> Result<Vec<String>, sqlx::Error> {
        let question = match self {
            Self::File(_) => "SELECT name FROM sqlite_master",
            Self::Server(_) => {
                "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'"
            }
        };
        let desk = self.open().await?;
        let tables = sqlx::query_scalar(question).fetch_all(&desk).await;
        desk.close().await;
        tables
    }
}

/// The server that the tests are to run on, if there is one.
pub fn server() -> Option<String> {
    std::env::var("COUNTERSIGN_TEST_POSTGRES").ok()
}

/// A file, to look only.
pub async fn look_at(file: &Path) -> Result<AnyPool, sqlx::Error> {
    connect(&format!("sqlite://{}?mode=ro", file.display())).await
}

async fn connect(url: &str) -> Result<AnyPool, sqlx::Error> {
    install_default_drivers();
    AnyPoolOptions::new().max_connections(1).connect(url).await
}
