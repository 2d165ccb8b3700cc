//! What `countersign doctor` says about requests that wait although their approvers cannot see them.

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
    match found {
        Ok(unseen) => unseen.iter().map(|(many, last)| of(*many, last)).collect(),
        Err(error) => {
            vec![Finding { level: Level::Fail, what: error.to_string(), mend: String::new() }]
        }
    }
}

async fn all(store: &Store) -> Result<Vec<(u64, Unseen)>, StoreError> {
    let mut unseen = Vec::new();
    for workspace in store.workspaces().await? {
        unseen.extend(store.all_unseen(&workspace).await?);
    }
    Ok(unseen)
}

fn of(many: u64, last: &Unseen) -> Finding {
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
