//! The operator: throws the stop switch while people press and desks die, and lets everything go again. They
//! keep what they saw: the company's own count of calls, and what the command said was under way.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::database::look_at;
use crate::desk::House;
use crate::load::waits;
use crate::tempo::Span;

/// How long everything goes, and how long it is stopped, in milliseconds.
const GOING: Span = (1_500, 5_000);
const STOPPED: Span = (200, 1_500);

/// A time in which everything was stopped, by the company's books.
#[derive(Clone, Debug)]
pub struct Standstill {
    /// How many calls had arrived when `stop` had returned, and right before `start` was given.
    pub from: usize,
    pub to: usize,
    /// The executions that `stop` said it cannot call back.
    pub under_way: BTreeSet<String>,
}

/// Throws it again and again until told that it is over; says when. In the end everything goes.
pub async fn turns_the_switch(
    house: &House,
    company: &Path,
    mut chance: Chance,
    over: &CancellationToken,
) -> anyhow::Result<Vec<Standstill>> {
    let mut thrown = Vec::new();
    while waits(chance.millis(GOING.0, GOING.1), over).await {
        let said = says(house, "stop").await?;
        let from = calls(company).await?;
        waits(chance.millis(STOPPED.0, STOPPED.1), over).await;
        let to = calls(company).await?;
        says(house, "start").await?;
        let under_way = said.lines().filter(|line| line.contains("already under way"));
        let under_way = under_way.filter_map(|line| line.split(' ').next_back());
        let under_way = under_way.map(str::to_owned).collect();
        thrown.push(Standstill { from, to, under_way });
    }
    Ok(thrown)
}

/// Gives back what it prints.
async fn says(house: &House, word: &str) -> anyhow::Result<String> {
    let mut command = house.command(word)?;
    command.args(["--by", "olga", "--reason", "something is odd"]).stdout(Stdio::piped());
    let ended = command.output().await.context("the binary starts")?;
    anyhow::ensure!(ended.status.success(), "`{word}` ended with {}", ended.status);
    Ok(String::from_utf8(ended.stdout)?)
}

/// How many calls have arrived at the company.
async fn calls(company: &Path) -> anyhow::Result<usize> {
    let books = look_at(company).await?;
    let calls: i64 = sqlx::query_scalar("SELECT count(*) FROM journal").fetch_one(&books).await?;
    books.close().await;
    Ok(calls.try_into()?)
}
