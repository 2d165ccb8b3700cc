//! What `countersign doctor` says about the store: is a commit safe where it is kept, and does what is old
//! go?

use std::path::Path;

use super::database::workspace_of;
use crate::base::{RandomIds, Timestamp};
use crate::config::{Config, StoreUrl};
use crate::slack::doctor::{Finding, Level};
use crate::store::{self, Place, Pooling, Safety, Server, Store, StoreError};

pub(super) async fn findings(url: &StoreUrl) -> Vec<Finding> {
    match Place::of(url.as_str()) {
        Ok(Place::Sqlite(path)) => of_file(&path).into_iter().collect(),
        Ok(Place::Postgres(server)) => match of_server(&server).await {
            Ok(findings) => findings,
            Err(error) => vec![fail(format!("the store: {error}"), "")],
        },
        Err(error) => vec![fail(format!("the store: {error}"), "")],
    }
}

/// Whether what is old goes, where the configuration says that it does.
pub(super) async fn retention(config: &Config, now: Timestamp) -> Option<Finding> {
    config.retention.requests.or(config.retention.runs)?;
    // A database that cannot be read has had no desk yet, or is told of above.
    let store = Store::open_to_read(config.store.as_str()).await.ok()?;
    let workspace = workspace_of(&store).await.ok()?;
    let believed = store.was_at_work(&workspace, now).await.ok()?;
    (!believed).then(|| {
        warn(
            "what is old stays for now: the desk has not been at work for days, or its clock has jumped",
            "if the clock is right, only let the desk run: a day later it goes. If not, set it right \
             within the day",
        )
    })
}

/// What else can be wrong with a file is seen at the start.
fn of_file(path: &Path) -> Option<Finding> {
    store::is_unchecked(path).then(|| {
        warn(
            "the store was not closed in good order, or not looked at since: the next `serve` looks at \
             every page of it, and starts no action before",
            "start the desk, and let it look to the end; if it finds damage it closes, so restore the \
             last backup",
        )
    })
}

async fn of_server(server: &Server) -> Result<Vec<Finding>, StoreError> {
    let pooling = store::pooling(server, &RandomIds).await?;
    // Whatever else is asked through a pooler that loses statements may get any answer.
    let safety = match pooling {
        Pooling::Forgetful => Vec::new(),
        Pooling::BySession | Pooling::ByTransaction => of(&store::safety(server).await?),
    };
    Ok(of_pooler(pooling).into_iter().chain(safety).collect())
}

fn of_pooler(pooling: Pooling) -> Option<Finding> {
    match pooling {
        Pooling::BySession => None,
        Pooling::ByTransaction => Some(warn(
            "a pooler hands the store's sessions around: hints between replicas are lost, so what \
             happens at one is seen at the others half a second later",
            "let it pool by session, or go to the server directly",
        )),
        Pooling::Forgetful => Some(fail(
            "a pooler hands the store's sessions around and loses prepared statements: `serve` refuses \
             to start"
                .to_owned(),
            "let it pool by session, use PgBouncer 1.21 or newer with max_prepared_statements above \
             zero, or go to the server directly",
        )),
    }
}

fn of(safety: &Safety) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (setting, value) in
        [("fsync", &safety.fsync), ("full_page_writes", &safety.full_page_writes)]
    {
        if value == "off" {
            findings.push(fail(
                format!("the store's server has {setting} = off: a power cut can destroy it"),
                &format!("set {setting} = on in its postgresql.conf, and restart it"),
            ));
        }
    }
    if safety.synchronous_standbys == 0 {
        findings.push(warn(
            "no synchronous standby: when the server's machine is lost, so is what was decided last",
            "name a standby in synchronous_standby_names, or accept that; if there is one, let the \
             desk's user see it: GRANT pg_read_all_stats",
        ));
    } else if matches!(safety.synchronous_commit.as_str(), "local" | "remote_write") {
        findings.push(warn(
            "commits do not wait until the standby has them on its disk",
            "set synchronous_commit = on",
        ));
    }
    if findings.is_empty() {
        let what = "the store keeps what it has acknowledged, also when one machine is lost";
        findings.push(Finding { level: Level::Ok, what: what.to_owned(), mend: String::new() });
    }
    findings
}

fn fail(what: String, mend: &str) -> Finding {
    Finding { level: Level::Fail, what, mend: mend.to_owned() }
}

fn warn(what: &str, mend: &str) -> Finding {
    Finding { level: Level::Warn, what: what.to_owned(), mend: mend.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe() -> Safety {
        let on = || "on".to_owned();
        Safety {
            synchronous_commit: on(),
            fsync: on(),
            full_page_writes: on(),
            synchronous_standbys: 1,
        }
    }

    #[test]
    fn each_way_to_be_handed_around_is_told() {
        let told = |pooling| of_pooler(pooling).map(|found| (found.level, found.mend));
        assert_eq!(told(Pooling::BySession), None);
        for (pooling, level) in
            [(Pooling::ByTransaction, Level::Warn), (Pooling::Forgetful, Level::Fail)]
        {
            let (found, mend) = told(pooling).expect("a finding");
            assert!(found == level && mend.contains("by session"), "{pooling:?}: {mend}");
        }
    }

    #[test]
    fn each_way_to_lose_a_decision_is_told_with_its_mend() {
        let told = |safety: &Safety| -> Vec<(Level, String)> {
            of(safety).into_iter().map(|found| (found.level, found.mend)).collect()
        };
        assert_eq!(told(&safe()), [(Level::Ok, String::new())]);
        for (safety, level, mend) in [
            (Safety { fsync: "off".to_owned(), ..safe() }, Level::Fail, "fsync = on"),
            (Safety { full_page_writes: "off".to_owned(), ..safe() }, Level::Fail, "full_page"),
            (
                Safety { synchronous_standbys: 0, ..safe() },
                Level::Warn,
                "synchronous_standby_names",
            ),
            (
                Safety { synchronous_commit: "local".to_owned(), ..safe() },
                Level::Warn,
                "synchronous_commit = on",
            ),
        ] {
            let [(found, mended)] = &told(&safety)[..] else { panic!("{safety:?}") };
            assert_eq!(*found, level, "{safety:?}");
            assert!(mended.contains(mend), "{mended}");
        }
    }
}
