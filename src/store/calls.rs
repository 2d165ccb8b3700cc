//! Calls of the API: each is taken once, as a run on a conversation that its caller holds.

use serde_json::json;

use super::rows::from_json;
use super::{RunInput, Store, StoreError, Thread, Tx, intake};
use crate::approval::SlackUser;
use crate::audit::{self, Entry};
use crate::base::failpoint::{self, Point};
use crate::base::{RunId, ThreadId, WorkspaceId};
use crate::stream::Modes;

/// What a caller of the API asks an agent.
#[derive(Clone, Debug)]
pub struct NewCall {
    pub workspace: WorkspaceId,
    pub caller: String,
    /// The caller's own name for this call; the same again is the same call.
    pub idempotency_key: Option<String>,
    /// The caller's own name for the conversation; a new one without it.
    pub thread: Option<String>,
    /// Who answers; whoever holds the conversation already, else `default_agent`.
    pub agent: Option<String>,
    pub default_agent: Option<String>,
    /// The definition of each agent that this caller may ask.
    pub graph_hashes: Vec<(String, String)>,
    /// The person on whose behalf it is asked.
    pub user: SlackUser,
    pub text: String,
    pub modes: Modes,
    pub limits: CallLimits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// How many runs of one caller may be unfinished.
    pub unfinished: u32,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    New(CallView),
    /// It had been taken before.
    Again(CallView),
    /// The same key came with another content: nothing was taken.
    Conflict,
    /// The conversation belongs to another agent.
    OtherAgent,
    /// There is no such agent, or not for this caller.
    NoSuchAgent,
    /// Too many of the caller's runs are unfinished.
    TooMany,
}

/// A run, as its caller may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    pub run: RunId,
    /// The caller's name for its conversation.
    pub thread: String,
    pub modes: Modes,
    /// It has told everything.
    pub ended: bool,
}

impl Store {
    /// Takes a call in: dedup, limits, conversation and queued run, in one commit.
    pub async fn take_call(&self, call: NewCall) -> Result<Called, StoreError> {
        self.write(move |tx| Box::pin(async move { take(tx, &call).await })).await
    }

    /// A run of this caller; nothing when it is somebody else's.
    pub async fn call_of(
        &self,
        workspace: &WorkspaceId,
        caller: &str,
        run: &RunId,
    ) -> Result<Option<CallView>, StoreError> {
        let row: Option<Row> = sqlx::query_as(ONE)
            .bind(workspace.as_str())
            .bind(caller)
            .bind(run.as_str())
            .fetch_optional(&mut self.reader().await?)
            .await?;
        row.map(view).transpose()
    }
}

const ONE: &str = "SELECT runs.id, threads.name, input, state
     FROM runs JOIN threads ON threads.id = thread_id
     WHERE runs.workspace = $1 AND threads.caller = $2 AND runs.id = $3";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    input: String,
    state: String,
}

fn view(row: Row) -> Result<CallView, StoreError> {
    let input: RunInput = from_json("run input", &row.input)?;
    Ok(CallView {
        run: RunId::existing(row.id),
        thread: row.name,
        modes: input.modes,
        ended: matches!(row.state.as_str(), "done" | "failed"),
    })
}

async fn take(tx: &mut Tx, call: &NewCall) -> Result<Called, StoreError> {
    let key = call.idempotency_key.as_ref().map(|key| format!("call:{}:{key}", call.caller));
    let content = intake::content_hash(&(&call.thread, &call.agent, &call.text, &call.modes))?;
    if let Some(key) = &key
        && let Some(seen) = intake::seen(tx, &call.workspace, key).await?
    {
        if seen.body_hash != content {
            return Ok(Called::Conflict);
        }
        let run: RunId = from_json("verdict", &seen.verdict)?;
        let row: Row = sqlx::query_as(ONE)
            .bind(call.workspace.as_str())
            .bind(&call.caller)
            .bind(run.as_str())
            .fetch_one(&mut tx.conn)
            .await?;
        return Ok(Called::Again(view(row)?));
    }
    if unfinished(tx, call).await? >= i64::from(call.limits.unfinished) {
        return Ok(Called::TooMany);
    }
    let known = held(tx, call).await?;
    let agent = match (&known, &call.agent) {
        (Some(thread), Some(asked)) if *asked != thread.agent => return Ok(Called::OtherAgent),
        (Some(thread), _) => Some(&thread.agent),
        (None, asked) => asked.as_ref().or(call.default_agent.as_ref()),
    };
    let answers = |agent: &String| call.graph_hashes.iter().find(|(name, _)| name == agent);
    let Some((agent, graph_hash)) = agent.and_then(answers) else {
        return Ok(Called::NoSuchAgent);
    };
    let thread = match known {
        Some(thread) => thread,
        None => hold(tx, call, agent).await?,
    };
    let input = RunInput {
        text: call.text.clone(),
        user: call.user.clone(),
        ts: None,
        modes: call.modes.clone(),
    };
    let run = intake::queue(tx, &call.workspace, &thread, graph_hash, &input).await?;
    if let Some(key) = &key {
        intake::remember(tx, &call.workspace, key, &content, &json!(run).to_string()).await?;
    }
    let entry = Entry {
        workspace: &call.workspace,
        kind: "run.queued",
        subject: run.as_str(),
        body: json!({
            "agent": agent, "thread": thread.id, "user": call.user, "caller": call.caller,
            "call": key, "body_hash": content, "graph": graph_hash,
        }),
    };
    audit::append(tx, entry).await?;
    let name = call.thread.clone().unwrap_or_else(|| thread.id.to_string());
    let view = CallView { run, thread: name, modes: call.modes.clone(), ended: false };
    failpoint::reach(Point::CallWritten);
    Ok(Called::New(view))
}

async fn unfinished(tx: &mut Tx, call: &NewCall) -> Result<i64, StoreError> {
    let unfinished = sqlx::query_scalar(
        "SELECT count(*) FROM runs JOIN threads ON threads.id = runs.thread_id
         WHERE runs.state IN ('queued', 'running', 'waiting')
           AND threads.workspace = $1 AND caller = $2",
    )
    .bind(call.workspace.as_str())
    .bind(&call.caller)
    .fetch_one(&mut tx.conn)
    .await?;
    Ok(unfinished)
}

/// The conversation that the caller names, if it has held it before.
async fn held(tx: &mut Tx, call: &NewCall) -> Result<Option<Thread>, StoreError> {
    let Some(name) = &call.thread else { return Ok(None) };
    let found: Option<(String, String)> = sqlx::query_as(
        "SELECT id, agent FROM threads WHERE workspace = $1 AND caller = $2 AND name = $3",
    )
    .bind(call.workspace.as_str())
    .bind(&call.caller)
    .bind(name)
    .fetch_optional(&mut tx.conn)
    .await?;
    Ok(found.map(|(id, agent)| Thread { id: ThreadId::existing(id), agent, slack: None }))
}

/// A new conversation of the caller. Without a name of theirs it goes by ours.
async fn hold(tx: &mut Tx, call: &NewCall, agent: &str) -> Result<Thread, StoreError> {
    let id = ThreadId::new(tx.ids.as_ref());
    sqlx::query(
        "INSERT INTO threads (id, workspace, agent, caller, name, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.as_str())
    .bind(call.workspace.as_str())
    .bind(agent)
    .bind(&call.caller)
    .bind(call.thread.as_deref().unwrap_or(id.as_str()))
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(Thread { id, agent: agent.to_owned(), slack: None })
}
