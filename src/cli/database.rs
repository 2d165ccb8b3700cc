//! Which database a command of the operator is about.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use crate::base::{RandomIds, SystemClock, WorkspaceId};
use crate::store::{Place, Store, masked};

#[derive(Debug, Args)]
pub(super) struct Database {
    /// The desk's database, like sqlite://countersign.db or postgres://…; without it, the configuration's `store`.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Database {
    /// To look only.
    pub(super) async fn to_read(&self, config: &Path) -> anyhow::Result<Store> {
        let url = self.url(config)?;
        Store::open_to_read(&url).await.with_context(|| format!("cannot read {}", masked(&url)))
    }

    /// To change something, whether or not a desk is running on it.
    pub(super) async fn to_write(&self, config: &Path) -> anyhow::Result<Store> {
        let url = self.url(config)?;
        let opened = Store::open_beside(&url, Arc::new(SystemClock), Arc::new(RandomIds));
        opened.await.with_context(|| format!("cannot open {}", masked(&url)))
    }

    /// To end what is open in it before any desk starts on it, and beside none; a schema of an older
    /// version is brought up to date.
    pub(super) async fn to_restore(&self, config: &Path) -> anyhow::Result<Store> {
        let url = self.url(config)?;
        if let Place::Sqlite(path) = Place::of(&url)?
            && !path.exists()
        {
            bail!(
                "there is no file {}, so nothing was put in its place; `countersign restore FILE` does that",
                path.display()
            );
        }
        let opened = Store::open_to_restore(&url, Arc::new(SystemClock), Arc::new(RandomIds));
        opened.await.with_context(|| format!("cannot open {}", masked(&url)))
    }

    /// The file of an SQLite database, whether or not it is there.
    pub(super) fn file(&self, config: &Path) -> anyhow::Result<PathBuf> {
        match Place::of(&self.url(config)?)? {
            Place::Sqlite(path) => Ok(path),
            Place::Postgres(server) => bail!(
                "{server} is no file; use the server's own means, and after putting a backup in its \
                 place `countersign restore --in-place`"
            ),
        }
    }

    fn url(&self, config: &Path) -> anyhow::Result<String> {
        match &self.database {
            Some(url) => Ok(url.clone()),
            None => {
                let config = super::read(config)
                    .context("name the database with --database, or mend the configuration")?;
                Ok(config.store.as_str().to_owned())
            }
        }
    }
}

/// The workspace that a database belongs to.
pub(super) async fn workspace_of(store: &Store) -> anyhow::Result<WorkspaceId> {
    let nobodys =
        "no desk has used this database yet; start `countersign serve` on it, or name another";
    store.workspace().await?.context(nobodys)
}
