//! What `countersign doctor` says about what waits for people: requests that their approvers cannot see,
//! and outcomes that nobody knows.

use super::words;
use crate::approval::Unseen;
use crate::config::Config;
use crate::slack::doctor::{Finding, Level};
use crate::store::{Store, StoreError};

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    // A store that nobody has served from yet, or that cannot be read, is told elsewhere.
    let Ok(store) = Store::open_to_read(config.store.as_str()).await else { return Vec::new() };
    let found = all(&store).await;
    store.close().await;
    found.unwrap_or_else(|error| {
        vec![Finding { level: Level::Fail, what: error.to_string(), mend: String::new() }]
    })
}

async fn all(store: &Store) -> Result<Vec<Finding>, StoreError> {
    let Some(workspace) = store.workspace().await? else { return Ok(Vec::new()) };
    let unseen = store.all_unseen(&workspace).await?.map(|(many, last)| not_seen(many, &last));
    let unknown = store.unknown_executions(&workspace).await?;
    let unknown = (unknown > 0).then(|| not_settled(unknown));
    Ok(unseen.into_iter().chain(unknown).collect())
}

fn not_settled(many: u64) -> Finding {
    Finding {
        level: Level::Warn,
        what: format!("actions of which nobody knows whether they happened: {many}"),
        mend:
            "`countersign requests list` names them. Look on the other side, then say what you saw \
               with `countersign requests settle`; until then no equal action starts"
                .to_owned(),
    }
}

fn not_seen(many: u64, last: &Unseen) -> Finding {
    Finding {
        level: Level::Warn,
        what: format!(
            "requests whose approvers cannot see them: {many}. The last that was tried: {}",
            words::unseen(last)
        ),
        mend: "mend what Slack refuses, as said above or by that reason; what is still tried is shown \
               within five minutes then. `countersign requests list` names them"
            .to_owned(),
    }
}
