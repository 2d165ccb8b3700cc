//! The checks can fail: what would be a broken promise is put into copies, and each must be seen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::check;
use crate::database::Database;
use crate::evidence::{CompanyRows, DeskRows, Evidence};
use crate::operator::Standstill;

/// What is broken, in whose books, by which statement, and what a finding about it says.
const DEEDS: [(&str, Books, &str, &str); 6] = [
    (
        "a doubled effect",
        Books::Company,
        "INSERT INTO ledger SELECT key || '-twice', kind, what, amount, currency, receipt FROM ledger LIMIT 1",
        "was paid twice",
    ),
    (
        "an effect that nobody approved",
        Books::Company,
        "INSERT INTO journal (call, key, body) VALUES ('refund', 'from-nowhere', '{}')",
        "which nobody ordered",
    ),
    (
        "a deleted audit record",
        Books::Desk,
        "DELETE FROM audit WHERE seq = (SELECT max(seq) / 2 FROM audit)",
        "`countersign verify` says",
    ),
    (
        "a forgotten verdict",
        Books::Desk,
        // Several: a desk that was killed may have kept one verdict without having answered.
        "DELETE FROM intake WHERE key LIKE 'view:%'
         AND (SELECT count(*) FROM intake WHERE key LIKE 'view:%') > 2",
        "answered and forgotten",
    ),
    (
        "a lost run",
        Books::Desk,
        "UPDATE runs SET input = replace(input, '\"ts\"', '\"lost\"')
         WHERE id = (SELECT min(id) FROM runs)",
        "led to 0 runs",
    ),
    (
        "a pending request without a timer",
        Books::Desk,
        "UPDATE requests SET outcome = NULL, decision = NULL
         WHERE id = (SELECT min(id) FROM requests)",
        "is pending without a timer",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Books {
    Desk,
    Company,
}

/// What came of breaking every promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    Seen,
    /// The campaign had nothing in which this could be broken.
    NotStaged(&'static str),
}

/// Breaks one promise after the other, and fails if one of them goes unseen: in copies of files, and one
/// upon the other on a server, where nobody needs the database any more.
pub async fn is_seen(
    folder: &Path,
    company: &Path,
    evidence: &mut Evidence,
) -> anyhow::Result<Sabotage> {
    let desk = evidence.database.clone();
    for (what, books, statement, words) in DEEDS {
        let company_copy = folder.join("sabotaged-company.db");
        std::fs::copy(company, &company_copy)?;
        if let Database::File(file) = &desk {
            let copy = folder.join("sabotaged-desk.db");
            std::fs::copy(file, &copy)?;
            evidence.database = Database::File(copy);
        }
        let changed = match (books, evidence.database.clone()) {
            (Books::Company, _) => in_a_file(company_copy.clone(), statement).await?,
            (Books::Desk, Database::File(copy)) => in_a_file(copy, statement).await?,
            (Books::Desk, server @ Database::Server(_)) => on_the_server(server, statement).await?,
        };
        if changed == 0 {
            return Ok(Sabotage::NotStaged(what));
        }
        evidence.desk = DeskRows::read(&evidence.database).await?;
        evidence.company = CompanyRows::read(&company_copy).await?;
        sees(evidence, what, words).await?;
    }
    // As if everything had stood still when the last call came.
    let calls = evidence.company.calls.len();
    let last = Standstill { from: calls.saturating_sub(1), to: calls, under_way: BTreeSet::new() };
    evidence.stopped.push(last);
    sees(evidence, "a call under the stop switch", "called while everything was stopped").await?;
    Ok(Sabotage::Seen)
}

async fn sees(evidence: &Evidence, what: &str, words: &str) -> anyhow::Result<()> {
    let findings = check::everything(evidence).await?;
    let seen = findings.all().iter().any(|finding| finding.contains(words));
    anyhow::ensure!(seen, "{what} went unseen; found: {:#?}", findings.all());
    Ok(())
}

/// Changes rows without regard to those that refer to them, and says how many.
async fn in_a_file(file: PathBuf, statement: &'static str) -> anyhow::Result<u64> {
    let options = SqliteConnectOptions::new().filename(file);
    let broken = SqlitePool::connect_with(options.foreign_keys(false)).await?;
    let changed = sqlx::query(statement).execute(&broken).await?.rows_affected();
    broken.close().await;
    Ok(changed)
}

async fn on_the_server(server: Database, statement: &'static str) -> anyhow::Result<u64> {
    let broken = server.open().await?;
    let changed = sqlx::query(statement).execute(&broken).await?.rows_affected();
    broken.close().await;
    Ok(changed)
}
