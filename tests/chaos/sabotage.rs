//! The checks can fail: what would be a broken promise is put into copies, and each must be seen.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::check;
use crate::database::Database;
use crate::evidence::{CompanyRows, DeskRows, Evidence};

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

/// Breaks one promise after the other in copies, and fails if one of them goes unseen.
pub async fn is_seen(
    folder: &Path,
    company: &Path,
    evidence: &mut Evidence,
) -> anyhow::Result<Sabotage> {
    let Database::File(desk) = evidence.database.clone() else {
        anyhow::bail!("only files are copied and broken");
    };
    for (what, books, statement, words) in DEEDS {
        let desk_copy = folder.join("sabotaged-desk.db");
        let company_copy = folder.join("sabotaged-company.db");
        std::fs::copy(&desk, &desk_copy)?;
        std::fs::copy(company, &company_copy)?;
        let file = match books {
            Books::Desk => &desk_copy,
            Books::Company => &company_copy,
        };
        let options = SqliteConnectOptions::new().filename(file);
        let broken = SqlitePool::connect_with(options.foreign_keys(false)).await?;
        let changed = sqlx::query(statement).execute(&broken).await?;
        broken.close().await;
        if changed.rows_affected() == 0 {
            return Ok(Sabotage::NotStaged(what));
        }
        evidence.database = Database::File(desk_copy);
        evidence.desk = DeskRows::read(&evidence.database).await?;
        evidence.company = CompanyRows::read(&company_copy).await?;
        let findings = check::everything(evidence).await?;
        let seen = findings.all().iter().any(|finding| finding.contains(words));
        anyhow::ensure!(seen, "{what} went unseen; found: {:#?}", findings.all());
    }
    Ok(Sabotage::Seen)
}
