//! Which requests wait although those who are asked cannot see them, and why.
//!
//! Nothing is written down of that: it is what the cards say, so it begins and ends with them.

use super::rows::{count, instant};
use super::{Conn, Store, StoreError};
use crate::approval::Unseen;
use crate::base::{RequestId, WorkspaceId};

/// Whoever was asked last does not see it, and it is late already, or will be before it is tried
/// again. If those of earlier stages do not either, it has been waiting for as long as for them.
macro_rules! unseen {
    ($which:literal) => {
        concat!(
            "SELECT since, error, given_up, COUNT(*) OVER () AS counted FROM (
               SELECT CASE WHEN EXISTS (
                        SELECT 1 FROM cards AS seen
                        WHERE seen.request_id = requests.id AND seen.kind = 'stage'
                          AND seen.state = 'open' AND seen.message_ts IS NOT NULL)
                      THEN stage_since ELSE asked_at END AS since,
                      CAST(CASE WHEN state = 'dead' THEN 1 ELSE 0 END AS BIGINT) AS given_up,
                      error, retry_at
               FROM requests LEFT JOIN cards ON request_id = requests.id
                 AND cards.kind = 'stage' AND cards.stage = requests.stage
               WHERE outcome IS NULL AND requests.workspace = $1
                 AND (message_ts IS NULL OR state = 'dead')
                 AND ",
            $which,
            ") AS waiting
             WHERE since <= $2 OR given_up = 1 OR (error IS NOT NULL AND retry_at - $3 >= since)
             ORDER BY COALESCE(retry_at, 0) DESC LIMIT 1"
        )
    };
}

const THIS: &str = unseen!("requests.id = $4");
const ANY: &str = unseen!("$4 = ''");

impl Store {
    /// Whether a pending request is not seen by those who are asked.
    pub async fn unseen(
        &self,
        workspace: &WorkspaceId,
        request: &RequestId,
    ) -> Result<Option<Unseen>, StoreError> {
        self.unseen_in(&mut self.reader().await?, workspace, request).await
    }

    pub(super) async fn unseen_in(
        &self,
        conn: &mut Conn,
        workspace: &WorkspaceId,
        request: &RequestId,
    ) -> Result<Option<Unseen>, StoreError> {
        let found = self.look(THIS, conn, workspace, request.as_str()).await?;
        Ok(found.map(Row::unseen))
    }

    /// How many requests nobody sees who is asked, and the one of them that was tried last.
    pub async fn all_unseen(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Option<(u64, Unseen)>, StoreError> {
        let found = self.look(ANY, &mut self.reader().await?, workspace, "").await?;
        found.map(|row| Ok((count("number of requests", row.counted)?, row.unseen()))).transpose()
    }

    async fn look(
        &self,
        query: &'static str,
        conn: &mut Conn,
        workspace: &WorkspaceId,
        request: &str,
    ) -> Result<Option<Row>, StoreError> {
        let found = sqlx::query_as(query)
            .bind(workspace.as_str())
            .bind(self.now().minus(Unseen::IN_TIME).as_millis())
            .bind(Unseen::IN_TIME.as_millis())
            .bind(request)
            .fetch_optional(conn);
        Ok(found.await?)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    since: i64,
    error: Option<String>,
    given_up: i64,
    counted: i64,
}

impl Row {
    fn unseen(self) -> Unseen {
        Unseen { since: instant(self.since), why: self.error, given_up: self.given_up == 1 }
    }
}
