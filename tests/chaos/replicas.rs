//! Two desks on one Postgres, behind a balancer: one of them is killed or stands still while the other
//! goes on, now and then neither is there, and now and then the operator stops everything.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::balancer::Balancer;
use crate::campaign::{Campaign, opened};
use crate::chance::Chance;
use crate::desk::{Desk, House};
use crate::load::Load;
use crate::operator::{Standstill, turns_the_switch};
use crate::outside::Outside;
use crate::table::Tally;

/// Whoever stands still for so long, in milliseconds, has lost what it held to the other one. No clock can
/// be turned for that: the other one would not have been at work meanwhile.
const LEASES_END: (u64, u64) = (30_500, 33_000);

/// What still runs when the last desk is dead.
pub struct LeftBehind {
    pub load: Load,
    /// Slack's way to whichever desk is there.
    pub balancer: Balancer,
    /// When the operator had stopped everything.
    pub stopped: Vec<Standstill>,
}

impl Campaign {
    /// Kills and stops both by turns, in an order from the seed. In the end no desk is left.
    pub async fn replicas_die(
        &self,
        outside: &Arc<Outside>,
        first: &House,
        second: &House,
        chance: &Chance,
        tally: &mut Tally,
    ) -> anyhow::Result<LeftBehind> {
        let houses = [first, second];
        let doors: Vec<SocketAddr> =
            houses.iter().map(|house| ([127, 0, 0, 1], house.port).into()).collect();
        let balancer = Balancer::before(doors).await?;
        outside.slack.set_bot_url(&balancer.url);
        let first = opened(houses[0], tally).await?;
        let desks = [Some(first), Some(opened(houses[1], tally).await?)];
        let load = Load::begin(outside, chance, &self.tempo);
        let over = CancellationToken::new();
        let killing = async {
            // However it ends, the operator has nothing more to do.
            let _over = over.clone().drop_guard();
            self.kill_both(outside, houses, desks, chance, tally).await
        };
        let operator = chance.apart("the operator");
        let books = &outside.company_books;
        let switching = turns_the_switch(houses[0], books, operator, &over);
        let (killed, thrown) = tokio::join!(killing, switching);
        killed?;
        let stopped = thrown?;
        tally.thrown += stopped.len() as u64;
        Ok(LeftBehind { load, balancer, stopped })
    }

    async fn kill_both(
        &self,
        outside: &Outside,
        houses: [&House; 2],
        mut desks: [Option<Desk>; 2],
        chance: &Chance,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let mut killer = chance.apart("the killer");
        while tally.kills < self.times {
            self.wait_for_the_moment(outside, &mut killer, tally).await;
            let one = usize::from(killer.one_in(2));
            let Some(desk) = desks[one].take() else {
                desks[one] = Some(self.start_again(houses[one], &mut killer, tally).await?);
                continue;
            };
            if killer.one_in(2) {
                desk.stands_still()?;
                tally.stood_still += 1;
                let for_long = killer.one_in(8);
                tally.leases_ended += u64::from(for_long);
                let (from, to) = if for_long { LEASES_END } else { self.tempo.still };
                sleep(killer.millis(from, to)).await;
                desk.goes_on()?;
                desks[one] = Some(desk);
                continue;
            }
            tally.in_flight += u64::from(outside.is_something_under_way());
            desk.kill().await?;
            tally.kills += 1;
            // Mostly the next one opens at once; now and then the other one is alone for a while.
            if !killer.one_in(4) {
                sleep(killer.millis(self.tempo.closed.0, self.tempo.closed.1)).await;
                desks[one] = Some(self.start_again(houses[one], &mut killer, tally).await?);
            }
        }
        for desk in desks.into_iter().flatten() {
            desk.kill().await?;
            tally.kills += 1;
        }
        Ok(())
    }
}
