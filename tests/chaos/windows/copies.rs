//! The operator's copies: a backup or a restore that is cut off leaves nothing under its name.

use std::path::Path;

use anyhow::Context;
use countersign::demo::Company;

use super::case::Case;
use crate::chance::Chance;
use crate::desk::{FAILPOINT, House, verify};
use crate::outside::Outside;
use crate::settle;
use crate::tempo::Tempo;

/// Backs a desk up and restores it; each command dies once, and is given again.
pub async fn play(case: Case, folder: &Path) -> anyhow::Result<()> {
    let (outside, house) = Outside::found(folder, &Chance::new(1), &Tempo::UNHURRIED).await?;
    let desk = house.open().await?;
    let jonas = outside.slack.person("jonas");
    outside.slack.person("mia").writes_to_bot("refund ch_1 640.00 EUR, charged twice");
    outside.slack.deliver_due().await;
    jonas.sees_until(|me| me.newest_card("#approvals")).await;
    let backup = folder.join("backup.db");
    let name = backup.display().to_string();
    dies_and_is_done(&house, case, &["backup", &name], &backup).await?;
    desk.stop().await?;
    std::fs::remove_file(house.file())?;
    let order = ["restore", &name, "--by", "olga", "--reason", "the disk broke"];
    dies_and_is_done(&house, case, &order, &house.file()).await?;
    let (clean, words) = verify(&house.database).await?;
    anyhow::ensure!(clean, "{words}");
    let desk = house.open().await?;
    let owed = settle::wait(&house.database, std::time::Duration::from_secs(60)).await?;
    anyhow::ensure!(owed.is_empty(), "still owed: {owed:?}");
    desk.stop().await?;
    let paid = Company::open(&outside.company_books).await?.payments("refund").await?;
    anyhow::ensure!(paid == 0, "{paid} refunds were paid");
    Ok(())
}

async fn dies_and_is_done(
    house: &House,
    case: Case,
    order: &[&str],
    copy: &Path,
) -> anyhow::Result<()> {
    let (name, arguments) = order.split_first().context("an order has a name")?;
    let mut dying = house.command(name)?;
    let status = dying.args(arguments).env(FAILPOINT, case.order()).status().await?;
    case.is_proven(status, &std::fs::read_to_string(house.log())?)?;
    anyhow::ensure!(!copy.exists(), "`{name}` died and left a file that looks whole");
    let again = house.command(name)?.args(arguments).status().await?;
    anyhow::ensure!(again.success() && copy.exists(), "`{name}` again ended with {again}");
    Ok(())
}
