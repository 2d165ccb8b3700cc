//! One replica loses its way to the database, in each of the ways it can, while Slack still reaches it and
//! the other one goes on.

use tokio::time::Instant;

use crate::failover::address::{Address, Established};
use crate::failover::server::Server;
use crate::failover::{ALONE, a_folder_for_everybody};
use crate::office::{Office, Start, card, sooner_or_later};
use crate::reckoning;
use crate::replica::free_port;
use crate::traffic::Traffic;

/// Each desk knows the database by an address of its own.
const ITS_OWN: (&str, &str) = ("sqlite://STORE", "${THE_WAY_TO_THE_DATABASE}");

#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Whoever knocks is told that nobody is there.
    Refused,
    /// Nobody is told anything.
    Silent,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn it_promises_nothing_and_the_other_goes_on() {
    let _alone = ALONE.lock().await;
    sqlx::any::install_default_drivers();
    let folder = a_folder_for_everybody();
    let server = Server::founded(folder.path()).await;
    let ways = [Address::leading_to(server.port).await, Address::leading_to(server.port).await];
    let by = |way: &Address| Start {
        environment: vec![("THE_WAY_TO_THE_DATABASE", way.store().into())],
        ..Start::default()
    };
    let (store, desks) = (ways[0].store(), ways.iter().map(by).collect());
    let office = Office::opens_with(&store, &[ITS_OWN], desks).await;
    let traffic = Traffic::begins(&office.slack);
    office.payments_go_on(4).await;
    for cut in [Cut::Refused, Cut::Silent] {
        let open = card(&office.slack, "#approvals", "V-").await;
        match cut {
            Cut::Refused => ways[1].moves_to(free_port().port(), Established::Cut),
            Cut::Silent => ways[1].falls_silent(),
        }
        let began = Instant::now();
        assert_eq!(office.desks[1].answers("GET /readyz").await, 503, "{cut:?}");
        assert_eq!(office.desks[1].answers("GET /healthz").await, 200, "{cut:?}: it lives");
        // Slack does not know, and sends everything there.
        office.everybody_goes_to(1);
        let misled = Instant::now();
        sooner_or_later("clicks are refused", async || traffic.presses.refused_since(misled) >= 3)
            .await;
        assert_eq!(traffic.presses.acknowledged_since(misled), 0, "{cut:?}: who kept them?");
        // In silence the answer may come later than Slack waits for it; then there is none.
        let answer = office.slack.person("lena").clicks(&open, "Approve").await.status;
        let answers: &[u16] = if matches!(cut, Cut::Refused) { &[503] } else { &[503, 0] };
        assert!(answers.contains(&answer), "{cut:?}: {answer}");
        office.everybody_goes_to(0);
        office.payments_go_on(4).await;
        assert_eq!(office.desks[1].answers("GET /readyz").await, 503, "{cut:?}: it knows nothing");
        println!("{cut:?}: cut off for {:.1} s", began.elapsed().as_secs_f64());

        match cut {
            Cut::Refused => ways[1].moves_to(server.port, Established::Cut),
            Cut::Silent => ways[1].is_heard_again(),
        }
        sooner_or_later("it is ready again", async || {
            office.desks[1].answers("GET /readyz").await == 200
        })
        .await;
        office.everybody_goes_to(1);
        let back = Instant::now();
        traffic.presses.first_since(back).await;
        office.payments_go_on(4).await;
        office.everybody_goes_anywhere();
    }
    traffic.nobody_writes_any_more();
    let mut desk = server.asks().await.unwrap();
    reckoning::nothing_is_lost_or_doubled(&office, &mut desk).await;
    traffic.ends().await;
    let logs = office.logs();
    assert!(!logs.contains("panicked"), "{logs}");
    office.closes().await;
}
