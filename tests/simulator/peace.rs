//! After the last fault: everything must come to its end by itself.

use countersign::base::{Clock, Span, WorkspaceId};

use crate::faults::Weather;
use crate::simulation::Simulation;
use crate::slack::TEAM;
use crate::tasks::LOOPS;

/// How often time may have to pass until everything has ended. An hour of deadlines, a reminder
/// here and there, and each retry with its wait.
const PATIENCE: usize = 600;
/// How many turns may be taken at one instant until nothing is due any more.
const WORK: usize = 1500;

impl Simulation {
    /// No more faults, and nobody does anything any more.
    pub async fn heal(&mut self) -> Result<(), String> {
        self.healing = true;
        self.weather = Weather::FAIR;
        self.say("peace".to_owned());
        let workspace = WorkspaceId::existing(TEAM);
        self.store.start(&workspace, "root", "peace").await.map_err(|error| error.to_string())?;
        {
            let mut slack = self.outside.slack.look();
            slack.set_right();
            slack.away.clear();
        }
        // Even with a clock that went back nothing may turn in circles.
        self.settle().await?;
        // As long as the clock is behind, time in the database stands still, and leases with it.
        self.outside.clock.turn_to(self.checks.high_water().await);
        for _ in 0..PATIENCE {
            self.settle().await?;
            if self.checks.unfinished().await.is_empty() && self.deliveries.is_empty() {
                return self.reckon().await;
            }
            let next = self.store.next_due(&workspace).await.map_err(|error| error.to_string())?;
            let lease = self.checks.next_lease(self.outside.clock.now()).await;
            let soon = self.outside.clock.now().plus(Span::seconds(31));
            self.outside.clock.turn_to(next.into_iter().chain(lease).min().unwrap_or(soon));
        }
        let left = self.checks.unfinished().await.join(", ");
        Err(format!("it never ends: {left}"))
    }

    /// Everything that is due at this moment happens.
    async fn settle(&mut self) -> Result<(), String> {
        for _ in 0..WORK {
            while !self.tasks.is_empty() {
                self.step += 1;
                self.advance(0).await;
                self.check().await?;
            }
            self.step += 1;
            self.check().await?;
            if let Some(down) = self.replicas.iter().position(Option::is_none) {
                self.begin_opening(down).await;
            } else if let Some(delivery) = self.deliveries.pop() {
                self.begin_delivery(0, delivery).await;
            } else if self.idle_turns < LOOPS.len() {
                let due = self.checks.due(self.outside.clock.now()).await;
                let due: Vec<_> = LOOPS.into_iter().zip(due).filter(|(_, due)| *due).collect();
                // Each loop is asked once more in the end: what is due is its own to say.
                match self.chance.pick(&due) {
                    Some((which, _)) => self.begin_turn(0, which).await,
                    None if self.checks.unfinished().await.is_empty() => {
                        self.begin_turn(0, LOOPS[self.idle_turns]).await;
                    }
                    None => return Ok(()),
                }
            } else {
                self.idle_turns = 0;
                return Ok(());
            }
        }
        Err(format!("it never rests: {:?}", self.checks.unfinished().await))
    }

    async fn reckon(&mut self) -> Result<(), String> {
        self.verify().await?;
        self.checks.mended().await?;
        self.checks.cards(&self.outside.slack).await
    }
}
