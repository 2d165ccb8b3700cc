//! A campaign on a disk that is full now and then, fails a call now and then, and has nothing but what
//! was synced. Whatever stops the desk, it is started again, and now and then the power was gone.

use std::sync::Arc;

use anyhow::Context;
use rustix::io::Errno;
use tokio::time::timeout;

use super::fault::{Call, Fault, power_fails};
use crate::campaign::{Campaign, opened};
use crate::chance::Chance;
use crate::desk::{Desk, House};
use crate::load::Load;
use crate::machine::Machine;
use crate::outside::Outside;
use crate::table::Tally;

/// How long nothing is wrong with the disk, and how long something is, in milliseconds.
const WELL: (u64, u64) = (200, 2_500);
const WRONG: (u64, u64) = (100, 1_500);

impl Campaign {
    /// Gives back the load, which still runs, and no desk: in the end the power fails.
    pub async fn the_disk_fails(
        &self,
        outside: &Arc<Outside>,
        house: &mut House,
        chance: &Chance,
        tally: &mut Tally,
    ) -> anyhow::Result<Load> {
        let machine = Arc::new(Machine::in_folder(&house.folder, "machine")?);
        machine.disk_has_only_what_was_synced()?;
        house.machine = Some(machine.clone());
        let mut chance = chance.apart("the disk");
        let mut desk = opened(house, tally).await?;
        let load = Load::begin(outside, &Chance::new(self.seed), &self.tempo);
        for _ in 0..self.times {
            tokio::time::sleep(chance.millis(WELL.0, WELL.1)).await;
            // Now and then it is wrong already when the desk starts.
            if chance.one_in(4) {
                goes(desk, tally).await?;
                machine.disk_does(fault(&mut chance))?;
                desk = house.start()?;
                house.is_open(&mut desk).await?;
            } else {
                machine.disk_does(fault(&mut chance))?;
            }
            let ended = timeout(chance.millis(WRONG.0, WRONG.1), desk.ends()).await;
            machine.disk_is_well()?;
            tally.disk_failed += u64::try_from(machine.failures()?)?;
            if let Ok(status) = ended {
                tally.stopped += 1;
                anyhow::ensure!(status?.code() == Some(1), "it did not stop in good order");
                if chance.one_in(3) {
                    power_fails(&house.file())?;
                    tally.power_cuts += 1;
                }
                desk = opened(house, tally).await?;
            }
        }
        goes(desk, tally).await?;
        power_fails(&house.file())?;
        tally.power_cuts += 1;
        Ok(load)
    }
}

/// Kills it, if it has not stopped because of the last fault.
async fn goes(mut desk: Desk, tally: &mut Tally) -> anyhow::Result<()> {
    match desk.has_ended()? {
        None => {
            tally.kills += 1;
            desk.kill().await
        }
        Some(status) => {
            tally.stopped += 1;
            anyhow::ensure!(status.code() == Some(1), "it ended with {status}");
            Ok(())
        }
    }
    .context("on a disk that fails")
}

fn fault(chance: &mut Chance) -> Fault {
    let after = u32::try_from(chance.below(6)).unwrap_or_default();
    let once = |call, error| Fault { call, error, after, times: 1 };
    match chance.below(6) {
        0 => Fault::FULL,
        1 => Fault { after, ..Fault::FULL },
        2 => once(Call::Write, Errno::IO),
        3 => once(Call::Sync, Errno::IO),
        4 => Fault { after, ..Fault::A_COMMIT },
        _ => once(Call::Cut, Errno::IO),
    }
}
