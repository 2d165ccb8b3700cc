//! What is not over yet: nobody is erased from it before it is.

use crate::store::{Conn, StoreError};

/// Something of theirs that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// A request waits for a decision.
    Request(String),
    /// An action has not ended, or nobody has said yet what became of it.
    Execution(String),
    /// An agent is at work.
    Run(String),
    /// A card or a message is still owed.
    Delivery(String),
}

type Question = (fn(String) -> Open, &'static str);

const OF_A_REQUEST: [Question; 3] = [
    (Open::Request, "SELECT id FROM requests WHERE id = $1 AND outcome IS NULL"),
    (
        Open::Execution,
        "SELECT id FROM executions WHERE request_id = $1
           AND (ended_at IS NULL OR (state = 'unknown' AND settled IS NULL))",
    ),
    (
        Open::Delivery,
        "SELECT request_id FROM cards WHERE request_id = $1 AND state = 'open'
           AND shown_version < want_version
         UNION
         SELECT request_id FROM notices WHERE request_id = $1 AND state = 'owed'",
    ),
];

const OF_A_THREAD: [Question; 3] = [
    (Open::Run, "SELECT id FROM runs WHERE thread_id = $1 AND state NOT IN ('done', 'failed')"),
    (
        Open::Execution,
        "SELECT executions.id FROM executions JOIN runs ON runs.id = run_id
         WHERE thread_id = $1 AND request_id IS NULL
           AND (ended_at IS NULL OR (executions.state = 'unknown' AND settled IS NULL))",
    ),
    (
        Open::Delivery,
        "SELECT DISTINCT run_id FROM notices JOIN runs ON runs.id = run_id
         WHERE thread_id = $1 AND notices.state = 'owed'",
    ),
];

pub(super) async fn of_request(conn: &mut Conn, id: &str) -> Result<Vec<Open>, StoreError> {
    all(conn, &OF_A_REQUEST, id).await
}

pub(super) async fn of_thread(conn: &mut Conn, id: &str) -> Result<Vec<Open>, StoreError> {
    all(conn, &OF_A_THREAD, id).await
}

async fn all(conn: &mut Conn, questions: &[Question], id: &str) -> Result<Vec<Open>, StoreError> {
    let mut open = Vec::new();
    for &(what, question) in questions {
        let ids: Vec<String> = sqlx::query_scalar(question).bind(id).fetch_all(&mut *conn).await?;
        open.extend(ids.into_iter().map(what));
    }
    Ok(open)
}
