//! What must hold after every step: read from the database by a connection of its own, and compared
//! with the journals of Slack and of the company.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use countersign::base::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, FromRow};

use crate::company::Company;
use crate::people::Delivery;
use crate::slack::{Message, Slack};

pub struct Checks {
    eyes: SqliteConnection,
    /// How each request ended, as it was seen first.
    ends: BTreeMap<String, String>,
    /// How each execution ended, as it was seen first.
    executed: BTreeMap<String, String>,
}

#[derive(FromRow)]
struct Ordered {
    request_id: Option<String>,
    outcome: Option<String>,
    state: String,
    attempts: i64,
    envelope: String,
}

const NEVER: &str = "
    SELECT 'I4 no timer ends the stage of ' || id FROM requests WHERE outcome IS NULL
       AND NOT EXISTS (SELECT 1 FROM timers WHERE request_id = requests.id AND done_at IS NULL
                          AND kind LIKE '%stage_ends%')
    UNION ALL
    SELECT 'I10 a live timer after the end of ' || id FROM requests WHERE outcome IS NOT NULL
       AND EXISTS (SELECT 1 FROM timers WHERE request_id = requests.id AND done_at IS NULL)
    UNION ALL
    SELECT 'I1 started without approval: ' || e.id FROM executions e
      JOIN requests r ON r.id = e.request_id
     WHERE e.started_at IS NOT NULL AND r.outcome IS NOT 'approved'
    UNION ALL
    SELECT 'I1 started too late: ' || id FROM executions WHERE started_at >= start_by
    UNION ALL
    SELECT 'I5 begun again: ' || id FROM executions WHERE attempts > 1 AND retry_class = 'once'
    UNION ALL
    SELECT 'I11 begun twice under one claim: ' || subject FROM audit
     WHERE kind = 'execution.started' GROUP BY subject, json_extract(body, '$.epoch')
    HAVING count(*) > 1
    UNION ALL
    SELECT 'I11 ended under a claim that never began it: ' || id FROM executions
     WHERE state IN ('succeeded', 'failed') AND epoch <> (
       SELECT max(json_extract(body, '$.epoch')) FROM audit
        WHERE subject = executions.id AND kind = 'execution.started')
    UNION ALL
    SELECT 'I15 a run waits for nothing: ' || id FROM runs WHERE state = 'waiting'
       AND NOT EXISTS (SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL)
    UNION ALL
    SELECT 'an approval was not ordered: ' || id FROM requests WHERE outcome = 'approved'
       AND NOT EXISTS (SELECT 1 FROM executions WHERE request_id = requests.id)
    UNION ALL
    SELECT 'I14 nobody sees ' || id FROM requests WHERE outcome IS NULL AND undeliverable IS NULL
       AND NOT EXISTS (SELECT 1 FROM cards WHERE request_id = requests.id AND kind = 'stage'
                          AND state <> 'dead')";

impl Checks {
    pub async fn open(database: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(database).read_only(true);
        let eyes = options.connect().await.unwrap();
        Self { eyes, ends: BTreeMap::new(), executed: BTreeMap::new() }
    }

    async fn column(&mut self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar(query).fetch_all(&mut self.eyes).await.unwrap()
    }

    /// `claim` is what the worker holds that has just written.
    pub async fn after_a_commit(
        &mut self,
        claim: Option<u64>,
        company: &Company,
    ) -> Result<(), String> {
        self.only_the_holder_ends(claim, company).await?;
        if let Some(broken) = self.column(NEVER).await.pop() {
            return Err(broken);
        }
        let ends: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, outcome || decision FROM requests WHERE outcome IS NOT NULL",
        )
        .fetch_all(&mut self.eyes)
        .await
        .unwrap();
        same("I2 another end of", &mut self.ends, ends)?;
        let executed: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, state || ended_at || note FROM executions WHERE ended_at IS NOT NULL",
        )
        .fetch_all(&mut self.eyes)
        .await
        .unwrap();
        same("I11 another end of", &mut self.executed, executed)
    }

    /// The result of a call counts only if it comes from whoever called last. What is said to have
    /// failed did not happen.
    async fn only_the_holder_ends(
        &mut self,
        claim: Option<u64>,
        company: &Company,
    ) -> Result<(), String> {
        let ended: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT id, key, state FROM executions WHERE state IN ('succeeded', 'failed')",
        )
        .fetch_all(&mut self.eyes)
        .await
        .unwrap();
        for (id, key, state) in ended {
            if state == "failed" && company.look().knows(&key) {
                return Err(format!("I5 {id} failed, and it happened"));
            }
            let holder = company.look().holder.get(&key).copied();
            let is_new = !self.executed.contains_key(&id);
            if is_new && claim.zip(holder).is_some_and(|(claim, holder)| claim < holder) {
                return Err(format!("I11 who had lost the lease ended {id}"));
            }
        }
        Ok(())
    }

    /// Each effect was ordered, with these arguments, and happened once.
    pub async fn deeds(&mut self, company: &Arc<Company>) -> Result<(), String> {
        if !company.look().deeds.iter().any(|deed| deed.unchecked) {
            return Ok(());
        }
        let deeds = company.look().deeds.clone();
        for (at, deed) in deeds.iter().enumerate().filter(|(_, deed)| deed.unchecked) {
            if deeds[..at].iter().any(|before| before.key == deed.key) {
                return Err(format!("I5 it happened twice: {deed:?}"));
            }
            let ordered: Option<Ordered> = sqlx::query_as(
                "SELECT e.request_id, r.outcome, e.state, e.attempts, e.envelope
                 FROM executions e LEFT JOIN requests r ON r.id = e.request_id WHERE e.key = $1",
            )
            .bind(&deed.key)
            .fetch_optional(&mut self.eyes)
            .await
            .unwrap();
            let Some(ordered) = ordered else { return Err(format!("nobody ordered {deed:?}")) };
            if ordered.request_id.is_some() && ordered.outcome.as_deref() != Some("approved") {
                return Err(format!("I1 nobody approved {deed:?}"));
            }
            if ordered.attempts == 0 {
                return Err(format!(
                    "I5 it happened before it started ({}): {deed:?}",
                    ordered.state
                ));
            }
            let envelope: Value = serde_json::from_str(&ordered.envelope).unwrap();
            if envelope["arguments"] != deed.arguments
                || envelope["tool"]["name"] != deed.tool.as_str()
            {
                return Err(format!("I8 something else was approved than {deed:?}"));
            }
        }
        company.look().deeds.iter_mut().for_each(|deed| deed.unchecked = false);
        Ok(())
    }

    /// Whatever Slack got a 200 for is in the database, or the person was told at once why not.
    pub async fn acknowledged(&mut self, acked: &[Delivery]) -> Result<(), String> {
        let known = self.column("SELECT key FROM intake").await;
        let lost = acked.iter().find(|one| !one.told && !known.contains(&one.key));
        match lost {
            Some(lost) => Err(format!("I3 acknowledged and lost: {} ({})", lost.what, lost.key)),
            None => Ok(()),
        }
    }

    /// No start stands in the log between a stop and the next going on.
    pub async fn switch_was_heeded(&mut self) -> Result<(), String> {
        let log = self.column(
            "SELECT kind FROM audit WHERE kind LIKE 'switch.%' OR kind = 'execution.started'
             ORDER BY seq",
        );
        let mut stopped = false;
        for kind in log.await {
            match kind.as_str() {
                "execution.started" if stopped => {
                    return Err("I24 an action started while the switch was on".to_owned());
                }
                "execution.started" => {}
                other => stopped = other == "switch.stopped",
            }
        }
        Ok(())
    }

    pub async fn pending(&mut self) -> Vec<String> {
        self.column("SELECT id FROM requests WHERE outcome IS NULL ORDER BY id").await
    }

    /// Which loops have something to do, in the order of the house: a look is cheaper than a turn.
    pub async fn due(&mut self, now: Timestamp) -> [bool; 5] {
        let now = now.max(self.high_water().await).as_millis();
        let (runs, executions, timers, deliveries, streams) = sqlx::query_as(
            "SELECT
               EXISTS (SELECT 1 FROM runs WHERE state = 'queued' AND retry_at <= $1
                          OR state = 'running' AND lease_until <= $1),
               EXISTS (SELECT 1 FROM executions WHERE state = 'ordered'
                          OR state IN ('claimed', 'started') AND lease_until <= $1),
               EXISTS (SELECT 1 FROM timers WHERE done_at IS NULL AND due_at <= $1),
               EXISTS (SELECT 1 FROM cards WHERE state = 'open' AND shown_version < want_version
                          AND retry_at <= $1 AND coalesce(lease_until, 0) <= $1)
                 OR EXISTS (SELECT 1 FROM notices WHERE state = 'owed' AND retry_at <= $1
                          AND coalesce(lease_until, 0) <= $1),
               EXISTS (SELECT 1 FROM shows WHERE state <> 'over' AND retry_at <= $1
                          AND (told > seen OR due_at <= $1) AND coalesce(lease_until, 0) <= $1)",
        )
        .bind(now)
        .fetch_one(&mut self.eyes)
        .await
        .unwrap();
        [runs, executions, timers, deliveries, streams]
    }

    /// When the next lease ends.
    pub async fn next_lease(&mut self, now: Timestamp) -> Option<Timestamp> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT min(until) FROM (
               SELECT lease_until AS until FROM runs WHERE state = 'running'
               UNION ALL SELECT lease_until FROM executions WHERE state IN ('claimed', 'started')
               UNION ALL SELECT lease_until FROM cards WHERE state = 'open'
               UNION ALL SELECT lease_until FROM notices WHERE state = 'owed'
               UNION ALL SELECT lease_until FROM shows WHERE state <> 'over')
             WHERE until > $1",
        )
        .bind(now.as_millis())
        .fetch_one(&mut self.eyes)
        .await
        .unwrap();
        next.map(Timestamp::from_millis)
    }

    /// The latest instant that the database knows of.
    pub async fn high_water(&mut self) -> Timestamp {
        let newest: i64 = sqlx::query_scalar("SELECT coalesce(max(at), 0) FROM audit_heads")
            .fetch_one(&mut self.eyes)
            .await
            .unwrap();
        Timestamp::from_millis(newest)
    }

    /// What is not finished yet.
    pub async fn unfinished(&mut self) -> Vec<String> {
        self.column(
            "SELECT 'request ' || id FROM requests WHERE outcome IS NULL
             UNION ALL SELECT 'notice ' || id || ' ' || coalesce(error, '') FROM notices WHERE state = 'owed'
             UNION ALL SELECT 'card ' || id || ' ' || coalesce(error, '') FROM cards
               WHERE state = 'open' AND shown_version < want_version
             UNION ALL SELECT 'execution ' || id || ' ' || state FROM executions
               WHERE state IN ('ordered', 'claimed', 'started')
             UNION ALL SELECT 'run ' || id || ' ' || state || ' ' || coalesce(error, '') FROM runs
               WHERE state IN ('queued', 'running', 'waiting')
             UNION ALL SELECT 'show ' || run_id FROM shows WHERE state = 'live'",
        )
        .await
    }

    /// Every card that can be seen shows how its request ended, and asks nobody any more.
    pub async fn cards(&mut self, slack: &Slack) -> Result<(), String> {
        let cards: Vec<(String, String, String, String, String)> = sqlx::query_as(
            "SELECT cards.id, cards.channel, message_ts, coalesce(shown_hash, ''),
                    CASE WHEN kind = 'stage' THEN coalesce(executions.state, outcome) ELSE '' END
             FROM cards JOIN requests ON requests.id = cards.request_id
             LEFT JOIN executions ON executions.request_id = cards.request_id
             WHERE cards.state = 'open' AND message_ts IS NOT NULL",
        )
        .fetch_all(&mut self.eyes)
        .await
        .unwrap();
        let mut slack = slack.look();
        for (id, channel, ts, hash, end) in cards {
            // Somebody deleted it after it was shown last.
            let Some(message) = slack.find(&channel, &ts) else { continue };
            let blocks = message.blocks.to_string();
            if hash_of(message) != hash {
                return Err(format!("I12 the card {id} at {channel}/{ts} shows an older state"));
            }
            if !words(&end).iter().any(|word| blocks.contains(word)) {
                return Err(format!("I12 the card {id} at {channel}/{ts} does not tell: {end}"));
            }
            let asks = |action: &str| blocks.contains(&format!("\"action_id\":\"{action}\""));
            if asks("approve") || asks("reject") || asks("withdraw") {
                return Err(format!("I12 the card {id} at {channel}/{ts} still asks"));
            }
        }
        Ok(())
    }

    /// Nothing had to be mended at a start.
    pub async fn mended(&mut self) -> Result<(), String> {
        let mended =
            self.column("SELECT kind || ' ' || body FROM audit WHERE kind LIKE '%mended%'").await;
        mended.first().map_or(Ok(()), |what| Err(format!("a start mended something: {what}")))
    }

    /// How everything ended, for the trace.
    pub async fn ends(&mut self) -> Vec<String> {
        self.column(
            "SELECT 'end ' || id || ' ' || outcome FROM requests
             UNION ALL SELECT 'end ' || id || ' ' || state || ' ' || attempts FROM executions
             UNION ALL SELECT 'end ' || id || ' ' || state FROM runs
             UNION ALL SELECT 'end click ' || json_extract(body, '$.refusal.refusal') FROM audit
               WHERE kind = 'click.refused'
             UNION ALL SELECT 'audit ' || max(seq) FROM audit",
        )
        .await
    }
}

/// What a card says of each end.
fn words(end: &str) -> &'static [&'static str] {
    match end {
        "succeeded" => &["It ran and succeeded"],
        "failed" => &["certainly changed nothing"],
        "unknown" => &["OUTCOME UNKNOWN"],
        "refused" => &["It was not started"],
        "rejected" => &["Rejected by"],
        "expired" => &["Expired on"],
        "cancelled" => &["Withdrawn by", "Cancelled by"],
        _ => &[""],
    }
}

/// What has ended stays as it was seen.
fn same(
    what: &str,
    seen: &mut BTreeMap<String, String>,
    now: Vec<(String, String)>,
) -> Result<(), String> {
    let count = now.len();
    for (id, end) in now {
        let first = seen.entry(id.clone()).or_insert_with(|| end.clone());
        if *first != end {
            return Err(format!("{what} {id}: first {first}, then {end}"));
        }
    }
    if count == seen.len() { Ok(()) } else { Err(format!("{what} something: it is gone")) }
}

/// As the desk takes it of what it shows.
fn hash_of(message: &Message) -> String {
    let mut shown = Sha256::new_with_prefix(&message.text);
    for block in message.blocks.as_array().into_iter().flatten() {
        shown.update("\0");
        shown.update(block.to_string());
    }
    hex::encode(shown.finalize())
}
