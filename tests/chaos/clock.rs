//! A campaign by a clock that is set ahead and back under the desk's feet. Slack's and the company's are
//! right all the time, and in the end the desk's is again.

use std::sync::Arc;

use crate::campaign::{Campaign, opened};
use crate::chance::Chance;
use crate::desk::House;
use crate::load::Load;
use crate::machine::Machine;
use crate::outside::Outside;
use crate::table::Tally;

/// How far the clock is set at most, in milliseconds: further than a stage lasts, and so little that
/// Slack's signatures hold and that the desk's time, which never goes back, is soon caught up with.
const FAR: u64 = 15_000;

impl Campaign {
    /// Gives back the load, which still runs, and no desk.
    pub async fn the_clock_jumps(
        &self,
        outside: &Arc<Outside>,
        house: &mut House,
        chance: &Chance,
        tally: &mut Tally,
    ) -> anyhow::Result<Load> {
        let machine = Arc::new(Machine::in_folder(&house.folder, "machine")?);
        house.machine = Some(machine.clone());
        let mut chance = chance.apart("the clock");
        let mut desk = opened(house, tally).await?;
        let load = Load::begin(outside, &Chance::new(self.seed), &self.tempo);
        for _ in 0..self.times {
            let (from, to) = self.tempo.long_life;
            tokio::time::sleep(chance.millis(from, to)).await;
            let ahead = i64::try_from(chance.below(2 * FAR))? - i64::try_from(FAR)?;
            machine.clock_is_ahead_by(if chance.one_in(3) { 0 } else { ahead })?;
            tally.clock_set += 1;
            // A desk that starts finds a database that is ahead of it, or far behind.
            if chance.one_in(4) {
                desk.kill().await?;
                tally.kills += 1;
                desk = opened(house, tally).await?;
            }
        }
        machine.clock_is_ahead_by(0)?;
        desk.kill().await?;
        tally.kills += 1;
        Ok(load)
    }
}
