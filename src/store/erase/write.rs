//! How traces go, one request or one conversation at a time.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Erasure, Open, Place, open};
use crate::audit::{self, Entry, RecordRow, Who};
use crate::base::{PersonId, RequestId, WorkspaceId};
use crate::store::reduce::{self, Rest};
use crate::store::rows::{big, from_json};
use crate::store::{StoreError, Tx, requests};

#[derive(Clone)]
pub(super) struct Eraser {
    pub(super) workspace: WorkspaceId,
    pub(super) who: Who,
    pub(super) erasure: Erasure,
    pub(super) pseudonym: PersonId,
}

impl Eraser {
    /// What they asked for is reduced; of what others asked for, their word goes. Nothing of it goes
    /// while something is open, which is given back.
    pub(super) async fn request(&self, tx: &mut Tx, id: &str) -> Result<Vec<Open>, StoreError> {
        let open = open::of_request(&mut tx.conn, id).await?;
        if !open.is_empty() {
            return Ok(open);
        }
        let request = RequestId::existing(id);
        let Some(loaded) = requests::load(&mut tx.conn, &request).await? else { return Ok(open) };
        let rests = match self.who.is(loaded.request.requester.person.as_str()) {
            true => reduce::request(tx, &request).await?,
            false => Vec::new(),
        };
        let actions = "SELECT id FROM executions WHERE request_id = $1";
        let mut rests = self.with_others(tx, id, actions, rests).await?;
        // Everybody who pressed was shown who had decided before them.
        let evidence = rests.iter_mut().filter_map(|rest| rest.body().get_mut("evidence"));
        evidence.for_each(audit::forget_shown);
        reduce::forget_what_cards_showed(tx, &request).await?;
        self.leave_request(tx, id).await?;
        self.leave_votes(tx, id).await?;
        self.tell(tx, rests).await?;
        Ok(open)
    }

    /// A conversation they had a part in is forgotten whole: what an agent remembers cannot be told
    /// apart by who said it. Some runs of it go at a time; the last of them is given back, if there may
    /// be more. Nothing goes while something is open, which is given back too.
    pub(super) async fn thread(
        &self,
        tx: &mut Tx,
        thread: &str,
        after: Option<Place>,
    ) -> Result<(Vec<Open>, Option<Place>), StoreError> {
        let open = open::of_thread(&mut tx.conn, thread).await?;
        if !open.is_empty() {
            return Ok((open, None));
        }
        let runs = some(tx, thread, &after).await?;
        let ids: Vec<String> = runs.iter().map(|run| run.id.clone()).collect();
        let may_be_more = ids.len() == reduce::RUNS_AT_ONCE;
        let damage = reduce::Damage::IsAnError;
        let part = reduce::conversation(tx, &self.workspace, thread, ids, damage).await?;
        let (mut rests, mut last) = (part.rests, None);
        for Run { id, created_at } in runs {
            if part.begun.as_ref() == Some(&id) {
                // What is whole of it goes first.
                self.tell(tx, rests).await?;
                return Ok((open, last.or(after).or(Some(BEGINNING))));
            }
            let actions = "SELECT id FROM executions WHERE run_id = $1 AND request_id IS NULL";
            rests = self.with_others(tx, &id, actions, rests).await?;
            self.leave_run(tx, &id).await?;
            last = Some((created_at, id));
        }
        self.tell(tx, rests).await?;
        Ok((open, last.filter(|_| may_be_more)))
    }

    /// Records of other matters that name them. Nothing is ever open.
    pub(super) async fn records(
        &self,
        tx: &mut Tx,
        numbers: Vec<u64>,
    ) -> Result<Vec<Open>, StoreError> {
        let mut rests = Vec::new();
        for number in numbers {
            let row: Option<RecordRow> = sqlx::query_as(
                "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by
                 FROM audit WHERE workspace = $1 AND seq = $2",
            )
            .bind(self.workspace.as_str())
            .bind(big(number))
            .fetch_optional(&mut tx.conn)
            .await?;
            if let Some(row) = row.filter(|row| self.who.is_in(&row.body)) {
                rests.push(Rest::as_it_stands(row)?);
            }
        }
        self.tell(tx, rests).await?;
        Ok(Vec::new())
    }

    /// The deliveries that records came of. They go together with the names in these, because nothing
    /// else says whose they were. That something came stays known; what it said could be found by
    /// guessing at its hash.
    async fn deliveries(&self, tx: &mut Tx, rests: &[Rest]) -> Result<(), StoreError> {
        let theirs = rests.iter().filter(|rest| self.who.is_in(rest.said()));
        for key in theirs.flat_map(|rest| audit::deliveries(rest.said())) {
            let verdict: Option<String> =
                sqlx::query_scalar("SELECT verdict FROM intake WHERE workspace = $1 AND key = $2")
                    .bind(self.workspace.as_str())
                    .bind(&key)
                    .fetch_optional(&mut tx.conn)
                    .await?;
            let Some(verdict) = verdict else { continue };
            sqlx::query(
                "UPDATE intake SET key = $3, body_hash = '', verdict = $4
                 WHERE workspace = $1 AND key = $2",
            )
            .bind(self.workspace.as_str())
            .bind(&key)
            .bind(self.who.leave_key(&key, &self.pseudonym))
            .bind(self.left(&verdict)?)
            .execute(&mut tx.conn)
            .await?;
        }
        Ok(())
    }

    /// A JSON text without them.
    fn left(&self, text: &str) -> Result<String, StoreError> {
        if !self.who.is_in(text) {
            return Ok(text.to_owned());
        }
        let mut value: Value = from_json("value", text)?;
        self.who.leave(&mut value, &self.pseudonym);
        Ok(value.to_string())
    }

    fn id_left(&self, person: &str) -> String {
        self.who.instead_of(person, &self.pseudonym).unwrap_or_else(|| person.to_owned())
    }

    async fn leave_request(&self, tx: &mut Tx, id: &str) -> Result<(), StoreError> {
        let (person, envelope, decision, reduced_at): (
            String,
            String,
            Option<String>,
            Option<i64>,
        ) = sqlx::query_as(
            "SELECT person, envelope, decision, reduced_at FROM requests WHERE id = $1",
        )
        .bind(id)
        .fetch_one(&mut tx.conn)
        .await?;
        // An envelope that is whole is somebody else's, and people decided on every byte of it.
        let envelope = if reduced_at.is_some() { self.left(&envelope)? } else { envelope };
        sqlx::query("UPDATE requests SET person = $2, envelope = $3, decision = $4 WHERE id = $1")
            .bind(id)
            .bind(self.id_left(&person))
            .bind(&envelope)
            .bind(decision.map(|decision| self.left(&decision)).transpose()?)
            .execute(&mut tx.conn)
            .await?;
        sqlx::query("UPDATE executions SET envelope = $2 WHERE request_id = $1")
            .bind(id)
            .bind(&envelope)
            .execute(&mut tx.conn)
            .await?;
        Ok(())
    }

    async fn leave_votes(&self, tx: &mut Tx, request: &str) -> Result<(), StoreError> {
        let votes: Vec<(String, String, String)> =
            sqlx::query_as("SELECT person, body, evidence FROM votes WHERE request_id = $1")
                .bind(request)
                .fetch_all(&mut tx.conn)
                .await?;
        for (person, body, evidence) in votes {
            let mut evidence: Value = from_json("evidence", &self.left(&evidence)?)?;
            audit::forget_shown(&mut evidence);
            sqlx::query(
                "UPDATE votes SET person = $3, body = $4, evidence = $5
                 WHERE request_id = $1 AND person = $2",
            )
            .bind(request)
            .bind(&person)
            .bind(self.id_left(&person))
            .bind(self.left(&body)?)
            .bind(evidence.to_string())
            .execute(&mut tx.conn)
            .await?;
        }
        Ok(())
    }

    /// What is left of a run, of what it did without asking anybody, and of what was told of it.
    async fn leave_run(&self, tx: &mut Tx, run: &str) -> Result<(), StoreError> {
        let (input, requester): (String, Option<String>) =
            sqlx::query_as("SELECT input, requester FROM runs WHERE id = $1")
                .bind(run)
                .fetch_one(&mut tx.conn)
                .await?;
        sqlx::query("UPDATE runs SET input = $2, requester = $3 WHERE id = $1")
            .bind(run)
            .bind(self.left(&input)?)
            .bind(requester.map(|requester| self.left(&requester)).transpose()?)
            .execute(&mut tx.conn)
            .await?;
        sqlx::query("DELETE FROM notices WHERE run_id = $1 AND state <> 'owed'")
            .bind(run)
            .execute(&mut tx.conn)
            .await?;
        self.leave_allowed(tx, run).await
    }

    /// What is left of the actions of a run that a rule allowed.
    async fn leave_allowed(&self, tx: &mut Tx, run: &str) -> Result<(), StoreError> {
        let allowed: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, envelope FROM executions WHERE run_id = $1 AND request_id IS NULL",
        )
        .bind(run)
        .fetch_all(&mut tx.conn)
        .await?;
        for (id, envelope) in allowed.into_iter().filter(|(_, envelope)| self.who.is_in(envelope)) {
            sqlx::query("UPDATE executions SET envelope = $2 WHERE id = $1")
                .bind(id)
                .bind(self.left(&envelope)?)
                .execute(&mut tx.conn)
                .await?;
        }
        Ok(())
    }

    /// Adds the records about something, and about its actions, that name them or have the hash of what
    /// they stood on, and are not among these yet.
    async fn with_others(
        &self,
        tx: &mut Tx,
        subject: &str,
        actions: &'static str,
        mut rests: Vec<Rest>,
    ) -> Result<Vec<Rest>, StoreError> {
        let mut subjects: Vec<String> =
            sqlx::query_scalar(actions).bind(subject).fetch_all(&mut tx.conn).await?;
        subjects.push(subject.to_owned());
        let there: BTreeSet<u64> = rests.iter().map(Rest::number).collect();
        for subject in subjects {
            let rows: Vec<RecordRow> = sqlx::query_as(
                "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by
                 FROM audit WHERE subject = $2 AND workspace = $1 ORDER BY seq",
            )
            .bind(self.workspace.as_str())
            .bind(subject)
            .fetch_all(&mut tx.conn)
            .await?;
            let theirs = |body: &str| self.who.is_in(body) || audit::has_shown(body);
            for row in rows.into_iter().filter(|row| theirs(&row.body)) {
                let rest = Rest::as_it_stands(row)?;
                if !there.contains(&rest.number()) {
                    rests.push(rest);
                }
            }
        }
        Ok(rests)
    }

    async fn tell(&self, tx: &mut Tx, mut rests: Vec<Rest>) -> Result<(), StoreError> {
        if rests.is_empty() {
            return Ok(());
        }
        self.deliveries(tx, &rests).await?;
        rests.iter_mut().for_each(|rest| self.who.leave(rest.body(), &self.pseudonym));
        let Erasure { by, with, reason } = &self.erasure;
        let entry = Entry {
            workspace: &self.workspace,
            kind: audit::ERASURE,
            subject: self.pseudonym.as_str(),
            body: json!({ "by": by, "with": with, "reason": reason }),
        };
        reduce::write_down(tx, entry, rests).await
    }
}

/// A run of a conversation.
#[derive(sqlx::FromRow)]
struct Run {
    id: String,
    created_at: i64,
}

/// Before the first run.
const BEGINNING: Place = (i64::MIN, String::new());

/// Some runs of a conversation, after one of them.
async fn some(tx: &mut Tx, thread: &str, after: &Option<Place>) -> Result<Vec<Run>, StoreError> {
    let (at, id) = after.clone().unwrap_or(BEGINNING);
    Ok(sqlx::query_as(
        "SELECT id, created_at FROM runs WHERE thread_id = $1
           AND (created_at > $2 OR (created_at = $2 AND id > $3))
         ORDER BY created_at, id LIMIT $4",
    )
    .bind(thread)
    .bind(at)
    .bind(id)
    .bind(big(reduce::RUNS_AT_ONCE))
    .fetch_all(&mut tx.conn)
    .await?)
}
