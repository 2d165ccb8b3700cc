//! A desk that was put back knows what its backup knew. It says so, and it does nothing until somebody
//! has looked.

use std::path::{Path, PathBuf};

use crate::bench::Desk;
use crate::program::countersign;
use crate::readable::readable;
use crate::tampering::count;

/// What is said to nobody of what may have run since the backup.
const CLAIMS: [&str; 4] = ["nothing ran", "What ran: Nothing", "was not made", "not started"];

async fn backed_up(desk: &Desk) -> PathBuf {
    let backup = desk.database().with_file_name("monday.db");
    let ran = desk.runs(&["backup", &backup.display().to_string()]).await;
    assert_eq!(ran.code, 0, "{}", ran.all());
    backup
}

/// The desk is gone, and its backup is put in its place.
async fn is_put_back(desk: &mut Desk, backup: &Path) -> String {
    desk.world.crash_desk().await;
    for ending in ["", "-wal", "-shm"] {
        let mut file = desk.database().into_os_string();
        file.push(ending);
        let _ = std::fs::remove_file(file);
    }
    let backup = backup.display().to_string();
    let order = ["restore", &backup, "--by", "olga", "--reason", "the disk of Monday broke"];
    let restored = desk.runs(&order).await;
    assert_eq!(restored.code, 0, "{}", restored.all());
    restored.out
}

/// The invoice is approved in the backup and paid after it, so nobody may read that nothing ran.
#[tokio::test]
async fn nobody_is_told_that_nothing_ran_when_it_did_after_the_backup() {
    let mut desk = Desk::with_a_past().await;
    let asked = desk.writes("gus", "pay invoice V-7720").await;
    let jonas = desk.world.slack.person("jonas");
    let cards = jonas.sees("#approvals");
    let card = |invoice: &str| cards.iter().find(|card| card.text.contains(invoice)).unwrap();
    let (waits, approved) = (card("V-7719"), card("V-7720"));
    jonas.clicks(approved, "Approve").await;
    let backup = backed_up(&desk).await;
    jonas.clicks(waits, "Approve").await;
    desk.world.settle().await.unwrap();
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 2, "both are paid");

    let told = is_put_back(&mut desk, &backup).await;
    assert!(told.contains("1 approved action not started: outcome unknown"), "{told}");
    let listed = desk.runs(&["requests", "list"]).await.out;
    insta::assert_snapshot!("put_back_list", readable(&listed));
    desk.world.open_desk().await.unwrap();
    desk.settles().await;
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 2, "and not once more");
    let replies = desk.replies("gus", &asked);
    insta::assert_snapshot!("put_back_replies", readable(&replies));
    let late = jonas.clicks(waits, "Approve").await.told.concat();
    let texts = [replies, late]
        .into_iter()
        .chain([waits, approved].map(|card| jonas.looks_at(&card.at).unwrap().text));
    for text in texts {
        assert!(!CLAIMS.iter().any(|claim| text.contains(claim)), "{text}");
        assert!(text.contains("a backup of"), "{text}");
    }

    let which = listed.split(' ').next().unwrap();
    let found = ["requests", "settle", which, "happened", "--by", "olga", "--reason", "pay_12"];
    assert_eq!(desk.runs(&found).await.code, 0, "a named human settles it");
    let verified = desk.runs(&["verify"]).await;
    assert_eq!(verified.code, 0, "{}", verified.all());
}

/// Somebody may have stopped the desk after the backup, for a reason that the backup does not know.
#[tokio::test]
async fn a_desk_that_was_put_back_stands_stopped_until_it_is_let_go_on() {
    let mut desk = Desk::open().await;
    desk.writes("mia", "refund ch_7 20.00 EUR, late parcel").await;
    let backup = backed_up(&desk).await;
    assert_eq!(desk.runs(&["stop", "--reason", "the tool runs wild"]).await.code, 0);

    let told = is_put_back(&mut desk, &backup).await;
    assert!(told.contains("The desk stands stopped, by olga"), "{told}");
    desk.world.open_desk().await.unwrap();
    let refunds = async || desk.world.company.payments("refund").await.unwrap();
    desk.writes("mia", "refund ch_8 20.00 EUR, late parcel").await;
    assert_eq!(refunds().await, 1, "a rule allows it, and it does not run");
    assert_eq!(desk.runs(&["start", "--reason", "I looked"]).await.code, 0);
    desk.writes("mia", "refund ch_8 20.00 EUR, late parcel").await;
    assert_eq!(refunds().await, 2);
    let verified = desk.runs(&["verify"]).await;
    assert_eq!(verified.code, 0, "{}", verified.all());
}

/// A switch that was thrown before the backup keeps its reason.
#[tokio::test]
async fn a_reason_to_stop_that_the_backup_knows_is_not_forgotten() {
    let mut desk = Desk::open().await;
    let stop = ["stop", "--by", "otto", "--reason", "the tool runs wild"];
    assert_eq!(desk.runs(&stop).await.code, 0);
    let backup = backed_up(&desk).await;
    let told = is_put_back(&mut desk, &backup).await;
    assert!(told.contains("stopped, by otto: the tool runs wild."), "{told}");
}

/// There may be more to end than one transaction has time for. A restore that is cut off in between goes
/// on where it stopped, and meanwhile nobody can use what is half restored.
#[tokio::test]
async fn much_that_is_open_is_ended_in_batches_and_a_restore_that_broke_off_goes_on() {
    let mut desk = Desk::open().await;
    for nth in 0..MUCH {
        desk.world.slack.person("mia").writes_to_bot(&format!("pay invoice V-{nth}"));
        if nth % 20 == 0 {
            desk.settles().await;
        }
    }
    desk.settles().await;
    let database = desk.database();
    let pending = || count(&database, "SELECT count(*) FROM requests WHERE outcome IS NULL".into());
    assert_eq!(pending().await, MUCH);
    desk.world.crash_desk().await;

    let url = format!("sqlite://{}", database.display());
    let order = ["restore", "--in-place", "--by", "olga", "--reason", "the disk broke"];
    let args = [&order[..], &["--database", &url]].concat();
    let dies = [("COUNTERSIGN_FAILPOINT", "BatchCommitted:kill:4")];
    let died = countersign(Path::new("."), &args, &dies).output().await.unwrap();
    assert_eq!(died.status.code(), None, "it was killed");
    let left = pending().await;
    assert!(left > 0 && left < MUCH, "some were ended, and {left} were not");
    let restored = "SELECT count(*) FROM audit WHERE kind = 'desk.restored'";
    assert_eq!(count(&database, restored.to_owned()).await, 0, "it is not over");
    let why = desk.world.open_desk().await.unwrap_err().to_string();
    assert!(why.contains("restore --in-place"), "{why}");
    let start = desk.runs(&["start", "--reason", "go on"]).await;
    assert!(start.code == 1 && start.err.contains("restore --in-place"), "{}", start.all());

    let again = desk.runs(&order).await;
    assert_eq!(again.code, 0, "{}", again.all());
    let all = format!("{MUCH} pending requests cancelled");
    assert!(again.out.contains(&all), "all are counted: {}", again.out);
    assert_eq!(pending().await, 0);
    assert_eq!(count(&database, restored.to_owned()).await, 1);
    let stopped = "SELECT count(*) FROM audit WHERE kind = 'switch.stopped'";
    assert_eq!(count(&database, stopped.to_owned()).await, 1, "one restore, and no two");
    let verified = desk.runs(&["verify"]).await;
    assert_eq!(verified.code, 0, "{}", verified.all());
    desk.world.open_desk().await.unwrap();
}

/// More than four batches of requests, and as many of runs.
const MUCH: i64 = 220;
