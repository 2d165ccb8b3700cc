//! The operator: throws the stop switch while people press and desks die, and lets everything go again.

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::desk::House;
use crate::load::waits;
use crate::tempo::Span;

/// How long everything goes, and how long it is stopped, in milliseconds.
const GOING: Span = (1_500, 5_000);
const STOPPED: Span = (200, 1_500);

/// Throws it again and again until told that it is over; says how often. In the end everything goes.
pub async fn turns_the_switch(
    house: &House,
    mut chance: Chance,
    over: &CancellationToken,
) -> anyhow::Result<u64> {
    let mut thrown = 0;
    while waits(chance.millis(GOING.0, GOING.1), over).await {
        says(house, "stop").await?;
        thrown += 1;
        waits(chance.millis(STOPPED.0, STOPPED.1), over).await;
        says(house, "start").await?;
    }
    Ok(thrown)
}

async fn says(house: &House, word: &str) -> anyhow::Result<()> {
    let mut command = house.command(word)?;
    command.args(["--by", "olga", "--reason", "something is odd"]);
    let ended = command.status().await.context("the binary starts")?;
    anyhow::ensure!(ended.success(), "`{word}` ended with {ended}");
    Ok(())
}
