//! Scenario 1: a deletion in production. Between approval and start somebody changes the date in
//! the desk's own database: it is refused, and a new request has to be made.

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::{Tale, promise};
use crate::base::Span;

pub(super) async fn play(tale: &mut Tale) -> anyhow::Result<()> {
    let before = tale.world.company.sessions().await?;
    let desk = tale.world.app()?.desk.clone();
    desk.store.stop(&desk.workspace, "sam", "looking at the replica first").await?;
    tale.say("sam throws the stop switch: nothing starts while he looks at the replica");
    let asked = tale.writes("mia", "delete sessions older than 2025-01-01").await?;
    let card = tale.card("noor", "#approvals")?;
    tale.decides("noor", &card, "Approve", "sampled the rows, they are stale").await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &asked)?));
    promise!(tale.world.company.sessions().await? == before, "the stop switch holds");
    desk.store.start(&desk.workspace, "sam", "the replica is fine").await?;

    let asked = tale.writes("mia", "delete sessions older than 2025-01-01").await?;
    let card = tale.card("noor", "#approvals")?;
    tale.say("noor approves; before the start somebody changes the date in the database");
    let person = tale.world.slack.person("noor");
    let clicked = person.clicks(&card, "Approve").await;
    let dialog = clicked.dialog.ok_or_else(|| anyhow::anyhow!("no dialog opened"))?;
    person.sends(&dialog, &[("reason", "as discussed")]).await;
    let options = SqliteConnectOptions::new().filename(tale.world.database());
    let mut intruder = SqliteConnection::connect_with(&options).await?;
    let change = "UPDATE executions SET envelope = replace(envelope, '2025-01-01', '2027-01-01')
                  WHERE state = 'ordered'";
    let changed = sqlx::query(change).execute(&mut intruder).await?;
    promise!(changed.rows_affected() == 1, "one execution waits for its start");
    tale.passes(Span::seconds(10)).await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &asked)?));
    promise!(tale.world.company.sessions().await? == before, "a changed action never runs");
    let restore = "UPDATE executions SET envelope = replace(envelope, '2027-01-01', '2025-01-01')";
    sqlx::query(restore).execute(&mut intruder).await?;
    intruder.close().await?;

    tale.say("so a new request is made, and it runs as approved");
    let asked = tale.writes("mia", "delete sessions older than 2025-01-01").await?;
    let card = tale.card("noor", "#approvals")?;
    tale.decides("noor", &card, "Approve", "the same rows again").await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &asked)?));
    let deleted = before - tale.world.company.sessions().await?;
    promise!(deleted == 18_412, "exactly the old rows go, not {deleted}");
    Ok(())
}
