//! How every story ends: the invariants over the database, the company's own journal against what
//! was approved, and a look for loose ends. The company's journal is evidence from outside.

use countersign::base::Span;
use serde_json::Value;
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;

use crate::office::Office;

impl Office {
    /// Ends the story. Whatever is still pending must have an owner and a timer.
    pub async fn closes(self) {
        self.passes(Span::seconds(30)).await;
        assert_eq!(self.world.verify().await.unwrap(), []);
        self.every_message_has_words_for_a_notification();
        let desk = self.database().await;
        self.every_effect_was_approved(&desk).await;
        no_loose_ends(&desk).await;
        let pending: i64 =
            count(&desk, "SELECT count(*) FROM requests WHERE outcome IS NULL").await;
        if pending == 0 {
            assert_eq!(self.world.live_cards(), Vec::<String>::new(), "a card still asks");
        }
        desk.close().await;
    }

    /// The desk's database, for looking and for tampering.
    pub async fn database(&self) -> AnyPool {
        let url = self.world.config().unwrap().store;
        AnyPoolOptions::new().max_connections(1).connect(url.as_str()).await.unwrap()
    }

    /// The bytes of the file, or every row on the server.
    pub async fn everything_stored(&self) -> String {
        if self.world.config().unwrap().store.as_str().starts_with("sqlite:") {
            let file = std::fs::read(self.world.database()).unwrap();
            return String::from_utf8_lossy(&file).into_owned();
        }
        let all = "SELECT CAST(database_to_xml(true, false, '') AS TEXT)";
        let text: String = sqlx::query_scalar(all).fetch_one(&self.database().await).await.unwrap();
        assert!(text.contains("<envelope>"), "nothing was found on the server");
        text
    }

    /// Every value in every table.
    pub async fn every_row(&self) -> String {
        if !self.world.config().unwrap().store.as_str().starts_with("sqlite:") {
            return self.everything_stored().await;
        }
        let desk = self.database().await;
        let tables = "SELECT m.name, group_concat('coalesce(CAST(' || p.name || ' AS TEXT), '''')',
                             ' || char(10) || ')
             FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p
             WHERE m.type = 'table' AND m.name NOT LIKE '_sqlx%' GROUP BY m.name";
        let tables: Vec<(String, String)> = sqlx::query_as(tables).fetch_all(&desk).await.unwrap();
        let mut all = String::new();
        for (table, columns) in tables {
            let rows = sqlx::AssertSqlSafe(format!("SELECT {columns} FROM {table}"));
            let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&desk).await.unwrap();
            all.push_str(&rows.join("\n"));
        }
        desk.close().await;
        assert!(all.contains("desk.opened"), "nothing was found in the file");
        all
    }

    /// Where blocks cannot be drawn, Slack shows the text that came with them.
    fn every_message_has_words_for_a_notification(&self) {
        for passed in self.world.slack.journal() {
            if ["chat.postMessage", "chat.update", "chat.postEphemeral"].contains(&&*passed.what) {
                let words = passed.sent["text"].as_str().unwrap_or_default();
                assert!(!words.trim().is_empty(), "no words: {}", passed.sent);
            }
        }
    }

    /// Joins each call that arrived at the company with the decision that allowed it.
    async fn every_effect_was_approved(&self, desk: &AnyPool) {
        for entry in self.world.company.journal().await.unwrap() {
            let ordered: Option<Ordered> = sqlx::query_as(
                "SELECT e.request_id, r.outcome, e.envelope, e.attempts, e.retry_class
                 FROM executions e LEFT JOIN requests r ON r.id = e.request_id WHERE e.key = $1",
            )
            .bind(&entry.key)
            .fetch_optional(desk)
            .await
            .unwrap();
            let ordered = ordered.unwrap_or_else(|| panic!("nobody ordered {entry:?}"));
            if ordered.request_id.is_some() {
                assert_eq!(ordered.outcome.as_deref(), Some("approved"), "{entry:?}");
            }
            let once = ordered.retry_class == "once";
            assert!(!once || ordered.attempts == 1, "begun {} times: {entry:?}", ordered.attempts);
            let envelope: Value = serde_json::from_str(&ordered.envelope).unwrap();
            let body: Value = serde_json::from_str(&entry.body).unwrap();
            for (key, value) in body.as_object().unwrap() {
                if let Some(approved) = envelope["arguments"].get(key) {
                    assert_eq!(value, approved, "`{key}` is not what was approved: {entry:?}");
                }
            }
        }
    }
}

/// What the desk knows of a key that the company saw.
#[derive(sqlx::FromRow)]
struct Ordered {
    request_id: Option<String>,
    outcome: Option<String>,
    envelope: String,
    attempts: i64,
    retry_class: String,
}

async fn no_loose_ends(desk: &AnyPool) {
    for (what, query) in [
        ("a message is still owed", "SELECT count(*) FROM notices WHERE state = 'owed'"),
        (
            "a card shows an old state",
            "SELECT count(*) FROM cards WHERE state = 'open' AND shown_version < want_version",
        ),
        (
            "an execution hangs",
            "SELECT count(*) FROM executions WHERE state IN ('ordered', 'claimed', 'started')",
        ),
        ("a run hangs", "SELECT count(*) FROM runs WHERE state IN ('queued', 'running')"),
    ] {
        assert_eq!(count(desk, query).await, 0, "{what}");
    }
}

pub async fn count(desk: &AnyPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(desk).await.unwrap()
}

pub async fn text(desk: &AnyPool, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(desk).await.unwrap()
}
