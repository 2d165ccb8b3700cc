//! Processes that share one desk's work by `--roles`: none of them could do it alone, and together they
//! do all of it.

use rustix::process::Signal;
use sqlx::{AnyConnection, Connection};

use crate::office::{Office, Start, card, presses, sooner_or_later};
use crate::pair::rehearsal;
use crate::reckoning;
use crate::traffic::Traffic;

const WAITING: &str = "SELECT count(*) FROM requests WHERE outcome IS NULL";
const ORDERED: &str = "SELECT count(*) FROM executions WHERE state = 'ordered'";
const SLACKS: [&str; 3] =
    ["POST /slack/events", "POST /slack/interactions", "POST /slack/commands"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn what_one_takes_in_the_others_do() {
    let server = rehearsal().await;
    let split = ["web", "runs,timers,streams,retention", "executions,deliveries"];
    let office = Office::opens_with(&server.url(), &[], split.map(Start::only).into()).await;
    office.everybody_goes_to(0);
    let [web, agents, hands] = &office.desks[..] else { unreachable!() };
    for desk in &office.desks {
        for health in ["GET /healthz", "GET /readyz"] {
            assert_eq!(desk.answers(health).await, 200, "{health}");
        }
    }
    for route in SLACKS.into_iter().chain(["POST /agent/stream"]) {
        assert_ne!(web.answers(route).await, 404, "{route}: whoever is the web has it");
        for desk in [agents, hands] {
            assert_eq!(desk.answers(route).await, 404, "{route}: whoever only works has not");
        }
    }

    // While the one with the hands stands still, nobody else makes its calls.
    let mut desk = AnyConnection::connect(&server.url()).await.unwrap();
    office.slack.person("mia").writes_to_bot("pay invoice V-1");
    let invoice = card(&office.slack, "#approvals", "V-1").await;
    hands.signal(Signal::STOP);
    presses(&office.slack.person("jonas"), &invoice, "Approve").await;
    office.slack.person("sam").writes_to_bot("pay invoice V-2");
    sooner_or_later("the next request waits", async || {
        office.slack.deliver_due().await;
        reckoning::counts(&mut desk, WAITING).await == 1
    })
    .await;
    assert_eq!(reckoning::counts(&mut desk, ORDERED).await, 1, "nobody has begun it");
    assert_eq!(office.company.payments("payment").await.unwrap(), 0);
    hands.signal(Signal::CONT);

    let traffic = Traffic::begins(&office.slack);
    office.payments_go_on(8).await;
    traffic.nobody_writes_any_more();
    reckoning::nothing_is_lost_or_doubled(&office, &mut desk).await;
    desk.close().await.unwrap();
    traffic.ends().await;
    let logs = office.logs();
    assert!(!logs.contains("panicked"), "{logs}");
    office.closes().await;
}
