//! The clocks of two replicas go wrong in every direction while people work, and it makes no difference:
//! only the database says what time it is.

use countersign::base::{Clock, SystemClock};
use sqlx::{AnyConnection, Connection};

use crate::machine::Machine;
use crate::office::{Office, Start};
use crate::pair::rehearsal;
use crate::reckoning;
use crate::traffic::Traffic;

/// Nearly as far as Slack's signatures allow, and further than anything here lasts.
const FAR: i64 = 270_000;
/// So that by a clock which is that wrong everything would be overdue as soon as it is asked, and every
/// approval too old.
const SHORT: [(&str, &str); 3] = [
    ("within: 30m, remind: [10m, 25m]", "within: 90s, remind: [60s]"),
    ("within: 30m, remind: [20m]", "within: 90s, remind: [60s]"),
    ("valid_for: 10m", "valid_for: 60s"),
];
/// What happens because time has passed.
const IN_TIME: &str = "SELECT count(*) FROM audit
    WHERE kind IN ('request.reminded', 'request.escalated', 'request.expired')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn whatever_the_clocks_of_replicas_say_nothing_is_early_and_nothing_waits() {
    let began = SystemClock.now().as_millis();
    let server = rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let machines = ["one", "other"].map(|name| Machine::in_folder(folder.path(), name).unwrap());
    let on = |machine: &Machine| Start {
        environment: machine.environment().unwrap().into(),
        ..Start::default()
    };
    let desks = machines.iter().map(on).collect();
    let office = Office::opens_with(&server.url(), &SHORT, desks).await;
    let traffic = Traffic::begins(&office.slack);
    for (one, other) in [(FAR, -FAR), (-FAR, FAR), (FAR, FAR), (0, -FAR), (0, 0)] {
        machines[0].clock_is_ahead_by(one).unwrap();
        machines[1].clock_is_ahead_by(other).unwrap();
        println!("the clocks are {one} ms and {other} ms ahead");
        office.payments_go_on(3).await;
    }
    traffic.nobody_writes_any_more();
    let mut desk = AnyConnection::connect(&server.url()).await.unwrap();
    reckoning::nothing_is_lost_or_doubled(&office, &mut desk).await;
    traffic.ends().await;
    assert_eq!(reckoning::counts(&mut desk, IN_TIME).await, 0, "by a wrong clock");
    let ended = SystemClock.now().as_millis();
    let elsewhen = format!("SELECT count(*) FROM audit WHERE at NOT BETWEEN {began} AND {ended}");
    assert_eq!(reckoning::counts(&mut desk, &elsewhen).await, 0, "a wrong clock is on record");
    desk.close().await.unwrap();
    office.closes().await;
}
