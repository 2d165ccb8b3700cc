//! Keeps the desk open: once it has died of its failpoint, it is opened again.

use std::sync::Arc;

use anyhow::Context;
use countersign::base::Span;
use countersign::base::failpoint::Point;
use tokio::sync::watch;

use super::case::Case;
use super::left::Left;
use crate::desk::{Desk, House};
use crate::gate::Gate;
use crate::outside::Outside;
use crate::settle;

/// Slack's second repetition of an event comes after a minute.
const SLACK_TRIES_AGAIN: Span = Span::seconds(61);

/// What somebody finds who wants something of the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// It was not open yet.
    Closed,
    Open,
    /// It had died and is back.
    OpenAgain,
}

/// Waits until the door is as open as this.
pub async fn is_open(door: &watch::Receiver<Door>, how: Door) -> anyhow::Result<()> {
    let mut door = door.clone();
    door.wait_for(|now| *now >= how).await.context("nobody keeps the desk open any more")?;
    Ok(())
}

pub struct Warden {
    pub house: House,
    pub outside: Arc<Outside>,
    pub gate: Arc<Gate>,
    pub door: watch::Sender<Door>,
}

impl Warden {
    /// Starts the desk, waits for its death and opens it again. Says what was left of it.
    pub async fn lets_it_die(&self, case: &Case) -> anyhow::Result<(Desk, Left)> {
        let mut desk = self.house.start_told(&case.order())?;
        if self.house.is_open(&mut desk).await? {
            self.door.send_replace(Door::Open);
        }
        if case.point == Point::Closing {
            self.gate.holding.notified().await;
            desk.is_told_to_close()?;
        }
        let status = desk.ends().await?;
        case.is_proven(status, &std::fs::read_to_string(self.house.log())?)?;
        let (desk, left) = self.opens_again(case).await.context("it did not open again")?;
        self.outside.clock.turn_forward(SLACK_TRIES_AGAIN);
        self.door.send_replace(Door::OpenAgain);
        Ok((desk, left))
    }

    async fn opens_again(&self, case: &Case) -> anyhow::Result<(Desk, Left)> {
        let database = &self.house.database;
        if case.point == Point::SchemaWritten {
            let left = Left::nothing(database).await?;
            return Ok((self.house.open().await?, left));
        }
        let waits = settle::half_a_minute_passes(database).await?;
        let left = Left::read(database).await?;
        let desk = self.house.open().await?;
        waits.close().await;
        Ok((desk, left))
    }

    /// Starts a desk that says of every point that it came to it.
    pub async fn lets_it_tell(&self) -> anyhow::Result<(Desk, Left)> {
        let mut desk = self.house.start_told("tell")?;
        anyhow::ensure!(self.house.is_open(&mut desk).await?, "it did not open");
        self.door.send_replace(Door::OpenAgain);
        Ok((desk, Left::default()))
    }
}
