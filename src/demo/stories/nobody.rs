//! Scenario 10: nobody is there. Reminders, escalation, a crash in the middle, a late click.

use super::{Tale, promise};
use crate::base::Span;

pub(super) async fn play(tale: &mut Tale) -> anyhow::Result<()> {
    let asked = tale.writes("mia", "pay invoice V-7719").await?;
    let first = tale.card("jonas", "#approvals")?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &asked)?));
    tale.passes(Span::minutes(26)).await?;
    let reminders = tale.world.slack.person("jonas").sees_in_thread(&first.at);
    for reminder in &reminders {
        tale.say(&format!("  under the card: {}", reminder.text));
    }
    promise!(reminders.len() == 2, "two reminders are due after 26 minutes: {}", reminders.len());

    tale.passes(Span::minutes(5)).await?;
    let second = tale.card("priya", "#managers")?;
    tale.say("#managers shows the request: it has escalated");
    tale.world.crash_desk().await;
    tale.say("the desk crashes, and is opened again on the same database");
    tale.world.open_desk().await?;
    tale.world.settle().await?;
    let again = tale.world.slack.person("jonas").sees_in_thread(&first.at);
    promise!(again.len() == 2, "no reminder is lost or doubled by a crash: {}", again.len());

    tale.passes(Span::minutes(13)).await?;
    tale.decides("priya", &second, "Approve", "").await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &asked)?));
    promise!(tale.world.company.payments("payment").await? == 1, "the invoice is paid once");

    let late = tale.writes("mia", "pay invoice V-7720").await?;
    let card = tale.card("jonas", "#approvals")?;
    tale.passes(Span::minutes(61)).await?;
    tale.say(&format!("  in the thread: {}", tale.last_reply("mia", &late)?));
    let told = tale.decides("jonas", &card, "Approve", "").await?;
    promise!(!told.is_empty(), "who comes too late is told the truth");
    promise!(tale.world.company.payments("payment").await? == 1, "nothing runs after the expiry");
    Ok(())
}
