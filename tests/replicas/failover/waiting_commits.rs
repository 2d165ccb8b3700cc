//! The hardest schedule: a commit waits for a standby that is gone, the primary is killed and comes up
//! again with what it had written for itself, everybody can see that, and then it is lost for good.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::address::Established;
use super::server::Server;
use super::{NOTICED, Scene};
use crate::office::{Office, card, sooner_or_later};
use crate::reckoning::clicks_that_nobody_was_promised;

/// Longer than any limit of a statement or of a lock: none of them may end the wait with a yes.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE wait_event = 'SyncRep' AND clock_timestamp() - state_change > interval '10 s'";
const WAITING_AT_ALL: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn what_only_the_lost_primary_had_was_promised_to_nobody() {
    let mut scene = Scene::opens().await;
    let card = card(&scene.office.slack, "#approvals", "V-").await;
    scene.standby.stops().await;
    let alone = Instant::now();
    let (presses, primary) = (&scene.traffic.presses, &mut scene.primary);
    sooner_or_later("a commit waits", async || primary.counts(WAITING).await > 0).await;
    assert_eq!(presses.acknowledged_since(alone), 0, "while the standby was gone");

    // It comes up again, and what waited is there for everybody to see, on one machine only.
    let mut seen = 0;
    for _ in 0..5 {
        primary.dies().await;
        // They press while it is down, so that both desks have clicks to write as soon as it is back.
        let pressing = ["jonas", "lena", "jonas", "lena", "jonas", "lena"].map(|name| {
            let (me, card) = (scene.office.slack.person(name), card.clone());
            tokio::spawn(async move { me.clicks(&card, "Approve").await.status })
        });
        primary.starts().await;
        sooner_or_later("a commit waits", async || primary.counts(WAITING_AT_ALL).await > 0).await;
        for pressed in pressing {
            assert_ne!(pressed.await.unwrap(), 200, "while the standby was gone");
        }
        primary.dies().await;
        primary.starts().await;
        seen = nobody_was_promised(&scene.office, primary).await.len();
        if seen > 0 {
            break;
        }
    }
    assert!(seen > 0, "no click was among what waited, so nothing was tried");
    // Nobody may act on it, nor say yes to it.
    tokio::time::sleep(2 * NOTICED).await;
    assert_eq!(presses.acknowledged_since(alone), 0, "while the standby was gone");
    let only_here = nobody_was_promised(&scene.office, primary).await;
    let fell = Instant::now();
    primary.dies().await;
    scene.standby.starts().await;
    scene.standby_takes_over(Established::Cut).await;
    let kept = nobody_was_promised(&scene.office, &scene.standby).await;
    let gone = only_here.difference(&kept).count();
    assert!(gone > 0, "nothing is gone with the primary, so nothing was tried");
    println!("waiting commits: {gone} clicks were seen on the primary and are gone with it");
    scene.goes_on("waiting commits", fell).await;
    scene.ends().await;
}

async fn nobody_was_promised(office: &Office, server: &Server) -> BTreeSet<String> {
    clicks_that_nobody_was_promised(office, &mut server.asks().await.unwrap()).await
}
