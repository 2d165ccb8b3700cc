//! A program asks over HTTP. When its stream breaks off it asks again under the same key, after the
//! last event that it has seen.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use countersign::demo::API_KEY;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::case::Case;
use crate::chance::Chance;
use crate::database::Database;
use crate::desk::{House, verify};
use crate::evidence::DeskRows;
use crate::outside::Outside;
use crate::settle;
use crate::tempo::Tempo;

const CALLERS: &str = include_str!("../../../src/demo/callers.yaml");
const ASKED: &str = r#"{"message": "look up order 1042"}"#;
const BOUND: Duration = Duration::from_secs(60);

pub async fn play(case: Case, folder: &Path) -> anyhow::Result<()> {
    let database = Database::where_tests_run(folder).await?;
    let (_outside, house) =
        Outside::found_on(database, folder, &Chance::new(1), &Tempo::UNHURRIED).await?;
    let file = folder.join("countersign.yaml");
    std::fs::write(&file, std::fs::read_to_string(&file)? + CALLERS)?;
    let mut desk = house.start_told(&case.order())?;
    let mut events = Vec::new();
    if house.is_open(&mut desk).await? {
        // It may have died since; then nothing was heard.
        let _ = hear(&house, &mut events).await;
    }
    let status = timeout(BOUND, desk.ends()).await.context("its failpoint did not fire")??;
    case.is_proven(status, &std::fs::read_to_string(house.log())?)?;
    let waits = settle::half_a_minute_passes(&house.database).await?;
    let desk = house.open().await?;
    waits.close().await;
    hear(&house, &mut events).await?;
    let owed = settle::wait(&house.database, BOUND).await?;
    anyhow::ensure!(owed.is_empty(), "still owed: {owed:?}");
    desk.stop().await?;
    let runs = DeskRows::read(&house.database).await?.runs.len();
    anyhow::ensure!(runs == 1, "it led to {runs} runs");
    let numbers: Vec<u64> = events.iter().map(|(number, _)| *number).collect();
    let whole = numbers == (1..).take(numbers.len()).collect::<Vec<_>>();
    let last = events.last().map(|(_, data)| data.as_str()).unwrap_or_default();
    anyhow::ensure!(whole && last.contains("done"), "it heard {events:#?}");
    let (clean, words) = verify(&house.database).await?;
    anyhow::ensure!(clean, "{words}");
    Ok(())
}

/// Asks, and takes in whole events until the stream ends or breaks off.
async fn hear(house: &House, events: &mut Vec<(u64, String)>) -> anyhow::Result<()> {
    let seen = events.last().map_or(0, |(number, _)| *number);
    let mut desk = TcpStream::connect(("127.0.0.1", house.port)).await?;
    let head = format!(
        "POST /agent/stream HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nIdempotency-Key: order-1042\r\n\
         Authorization: Bearer {API_KEY}\r\nLast-Event-ID: {seen}\r\n\r\n{ASKED}",
        ASKED.len()
    );
    desk.write_all(head.as_bytes()).await?;
    let mut heard = Vec::new();
    // A desk that dies may reset the connection; what came before that has been heard.
    let _ = timeout(BOUND, desk.read_to_end(&mut heard)).await.context("the stream never ends")?;
    let heard = String::from_utf8_lossy(&heard).into_owned();
    for frame in heard.split_inclusive("\n\n").filter(|frame| frame.ends_with("\n\n")) {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
        if let (Some(number), Some(data)) = (field("id: "), field("data: ")) {
            events.push((number.parse()?, data.to_owned()));
        }
    }
    Ok(())
}
