//! A backup is a whole moment of the desk, and what it shows as open never runs after a restore.

use std::path::Path;

use countersign::demo::Mishap;

use crate::bench::Desk;
use crate::evidence::anchor;
use crate::program::{Ran, run};
use crate::readable::readable;

/// The machine is lost; of the database only the backup is left.
async fn loses_its_database(desk: &mut Desk) {
    desk.world.crash_desk().await;
    for ending in ["", "-wal", "-shm"] {
        let mut file = desk.database().into_os_string();
        file.push(ending);
        let _ = std::fs::remove_file(file);
    }
}

async fn restore(desk: &Desk, backup: &Path) -> Ran {
    let backup = backup.display().to_string();
    desk.runs(&["restore", &backup, "--by", "olga", "--reason", "the disk of Monday broke"]).await
}

#[tokio::test]
async fn what_was_decided_after_the_backup_is_not_done_again() {
    let mut desk = Desk::with_a_past().await;
    desk.writes("mia", "delete sessions older than 2024-01-01").await;
    desk.world.company.suffer(Mishap::Silence);
    let noor = desk.world.slack.person("noor");
    let deletion = noor.newest_card("#approvals").unwrap();
    let pressed = noor.clicks(&deletion, "Approve").await;
    noor.sends(&pressed.dialog.unwrap(), &[("reason", "sampled the rows")]).await;
    tokio::select! {
        settled = desk.world.settle() => panic!("the call came back: {settled:?}"),
        () = desk.world.company.falls_silent() => {}
    }
    let backup = desk.database().with_file_name("monday.db");
    let backed_up = desk.runs(&["backup", &backup.display().to_string()]).await;
    insta::assert_snapshot!("backup", readable(&backed_up.shown()));

    // The desk goes on: the invoice that waits in the backup is approved and paid.
    let jonas = desk.world.slack.person("jonas");
    let invoice = jonas.sees("#approvals").into_iter().find(|card| card.text.contains("V-7719"));
    let invoice = invoice.unwrap();
    jonas.clicks(&invoice, "Approve").await;
    desk.world.settle().await.unwrap();
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 1);
    loses_its_database(&mut desk).await;

    let restored = restore(&desk, &backup).await;
    insta::assert_snapshot!("restore", readable(&restored.shown()));
    assert_eq!(desk.runs(&["requests", "list"]).await.out.lines().count(), 1, "the deletion");
    desk.world.open_desk().await.unwrap();
    desk.settles().await;
    jonas.clicks(&invoice, "Approve").await;
    desk.settles().await;
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 1, "paid once");
    let calls = desk.world.company.journal().await.unwrap();
    let deletions = calls.iter().filter(|call| call.body.contains("2024-01-01")).count();
    assert_eq!(deletions, 1, "{calls:#?}");
    let card = jonas.looks_at(&invoice.at).unwrap();
    insta::assert_snapshot!("restore_card", readable(&card.text));
    assert_eq!(desk.world.live_cards(), [] as [&str; 0]);
    let early = anchor(&backed_up.out);
    let verified = desk.runs(&["verify", "--anchor", &early]).await;
    assert_eq!(verified.code, 0, "the log goes on from the backup: {}", verified.all());
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_damaged_is_used() {
    let mut desk = Desk::with_a_past().await;
    let backup = desk.database().with_file_name("monday.db");
    let name = backup.display().to_string();
    assert_eq!(desk.runs(&["backup", &name]).await.code, 0);
    let again = desk.runs(&["backup", &name]).await;
    insta::assert_snapshot!("backup_again", readable(&again.shown()));
    let beside = restore(&desk, &backup).await;
    insta::assert_snapshot!("restore_beside", readable(&beside.shown()));

    desk.decides("jonas", "Approve", "checked").await;
    let late = anchor(&desk.runs(&["verify"]).await.out);
    desk.world.crash_desk().await;
    let over = restore(&desk, &backup).await;
    insta::assert_snapshot!("restore_over", readable(&over.shown()));
    loses_its_database(&mut desk).await;
    let cut = ["restore", &name, "--by", "olga", "--reason", "x", "--anchor", &late];
    let cut = desk.runs(&cut).await;
    assert_eq!(cut.code, 1, "{}", cut.all());
    assert!(cut.err.contains("before the record that was anchored outside"), "{}", cut.err);

    let mut bytes = std::fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0);
    let damaged = backup.with_file_name("damaged.db");
    std::fs::write(&damaged, bytes).unwrap();
    let refused = restore(&desk, &damaged).await;
    assert_eq!(refused.code, 1, "{}", refused.all());
    assert!(!desk.database().exists(), "nothing takes its place");
    let notes = backup.with_file_name("notes.db");
    std::fs::write(&notes, "these are notes").unwrap();
    insta::assert_snapshot!("restore_notes", readable(&restore(&desk, &notes).await.shown()));
    let left: Vec<_> = std::fs::read_dir(backup.parent().unwrap()).unwrap().collect();
    let left: Vec<_> = left.into_iter().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("unfinished")), "{left:?}");
}

/// The copy is one moment, whatever is written meanwhile.
#[tokio::test]
async fn a_backup_beside_a_desk_at_work_holds_every_invariant() {
    let desk = Desk::open().await;
    for round in 0..4 {
        for who in ["mia", "sam", "gus"] {
            desk.world.slack.person(who).writes_to_bot(&format!("pay invoice V-{round}"));
        }
        let backup = desk.database().with_file_name(format!("round-{round}.db"));
        let url = format!("sqlite://{}", backup.display());
        let backup = backup.display().to_string();
        let order = ["backup", backup.as_str()];
        let (settled, backed_up) = tokio::join!(desk.world.settle(), desk.runs(&order));
        settled.unwrap();
        assert_eq!(backed_up.code, 0, "{}", backed_up.all());
        let verified = run(Path::new("."), &["verify", "--database", &url], &[]).await;
        assert_eq!(verified.code, 0, "{}", verified.all());
    }
}

/// Where the server's own means have put a backup back, only what was open is ended, and by nobody
/// beside a desk at work.
#[tokio::test]
async fn what_was_open_is_ended_in_place() {
    let mut desk = Desk::with_a_past().await;
    let order = ["restore", "--in-place", "--by", "olga", "--reason", "back to Monday"];
    let beside = desk.runs(&order).await;
    assert_eq!(beside.code, 1, "{}", beside.all());
    assert!(beside.err.contains("another process is using"), "{}", beside.err);
    let wrong = format!("T0DEMO:9000:{}", "0".repeat(64));
    desk.world.crash_desk().await;
    let elsewhere = desk.runs(&[&order[..], &["--anchor", &wrong]].concat()).await;
    assert_eq!(elsewhere.code, 1, "it does not go on from that anchor: {}", elsewhere.all());
    assert_eq!(desk.ids(&[]).await.len(), 1, "nothing was ended");

    let restored = desk.runs(&order).await;
    assert_eq!(restored.code, 0, "{}", restored.all());
    assert!(restored.out.contains("1 pending request cancelled"), "{}", restored.out);
    assert_eq!(desk.runs(&["requests", "list"]).await.out, "Nothing is waiting.\n");
    let verified = desk.runs(&["verify"]).await;
    assert_eq!(verified.code, 0, "{}", verified.all());
    loses_its_database(&mut desk).await;
    let nowhere = desk.runs(&order).await;
    insta::assert_snapshot!("restore_nowhere", readable(&nowhere.shown()));
    assert!(!desk.database().exists(), "nothing is made of nothing");
    let neither = desk.runs(&["restore", "--by", "olga", "--reason", "x"]).await;
    assert_eq!(neither.code, 2, "{}", neither.all());
}

/// A desk whose file was taken away from under it goes on in it, and is refused beside all the same.
#[tokio::test]
async fn nothing_is_restored_beside_a_desk_at_work_or_from_a_part_of_a_database() {
    let desk = Desk::with_a_past().await;
    let backup = desk.database().with_file_name("monday.db");
    assert_eq!(desk.runs(&["backup", &backup.display().to_string()]).await.code, 0);
    let torn = desk.database().display().to_string();
    let elsewhere = format!("sqlite://{}", desk.database().with_file_name("new.db").display());
    let order = ["restore", &torn, "--reason", "x", "--database", &elsewhere];
    let torn = run(Path::new("."), &order, &[]).await;
    insta::assert_snapshot!("restore_torn", readable(&torn.shown()));

    for ending in ["", "-wal", "-shm"] {
        let mut file = desk.database().into_os_string();
        file.push(ending);
        let _ = std::fs::remove_file(file);
    }
    let beside = restore(&desk, &backup).await;
    assert!(beside.code == 1 && beside.err.contains("another process is using"), "{}", beside.err);
    assert!(!desk.database().exists());
}

/// What a backup shows as approved may have run, so nobody works on one that is only copied back.
#[tokio::test]
async fn a_backup_that_is_only_copied_to_its_place_is_not_served_from() {
    let mut desk = Desk::with_a_past().await;
    let backup = desk.database().with_file_name("monday.db");
    assert_eq!(desk.runs(&["backup", &backup.display().to_string()]).await.code, 0);
    loses_its_database(&mut desk).await;
    std::fs::copy(&backup, desk.database()).unwrap();
    let why = desk.world.open_desk().await.unwrap_err().to_string();
    assert!(why.contains("is a backup") && why.contains("`countersign restore`"), "{why}");
    let stop = desk.runs(&["stop", "--reason", "x"]).await;
    assert!(stop.code == 1 && stop.err.contains("is a backup"), "{}", stop.all());
    assert_eq!(desk.ids(&[]).await.len(), 1, "one may look at it");
    assert_eq!(desk.runs(&["verify"]).await.code, 0);
    let same = std::fs::read(&backup).unwrap() == std::fs::read(desk.database()).unwrap();
    assert!(same, "and nothing was changed");

    let order = ["restore", "--in-place", "--by", "olga", "--reason", "back to Monday"];
    let restored = desk.runs(&order).await;
    assert_eq!(restored.code, 0, "{}", restored.all());
    desk.world.open_desk().await.unwrap();
    assert_eq!(desk.runs(&["stop", "--reason", "x"]).await.code, 0);
}

/// One row that cannot be read hides nothing else, and a copy can be made of what there is.
#[tokio::test]
async fn a_damaged_request_is_listed_and_the_others_with_it() {
    let desk = Desk::with_a_past().await;
    desk.writes("mia", "pay invoice V-7720").await;
    crate::tampering::change(
        &desk.database(),
        "UPDATE requests SET envelope = '{' WHERE id = (
           SELECT id FROM requests WHERE outcome IS NULL ORDER BY asked_at, id LIMIT 1)",
    )
    .await;
    let listed = desk.runs(&["requests", "list"]).await;
    insta::assert_snapshot!("list_damaged", readable(&listed.shown()));
    let jonas = desk.world.slack.person("jonas");
    let told = jonas.runs("/countersign", "list").await;
    jonas.opens_home();
    desk.settles().await;
    for seen in [told, jonas.home()] {
        assert!(seen.contains("DAMAGED") && seen.contains("vendor.pay_invoice"), "{seen}");
    }

    let backup = desk.database().with_file_name("monday.db");
    let name = backup.display().to_string();
    let refused = desk.runs(&["backup", &name]).await;
    assert!(refused.code == 1 && refused.err.contains("backup --damaged"), "{}", refused.all());
    assert!(!backup.exists());
    let kept = desk.runs(&["backup", &name, "--damaged"]).await;
    insta::assert_snapshot!("backup_damaged", readable(&kept.shown()));
    assert!(backup.exists());
}

/// Back to the schema of version 2: whatever newer versions brought, undone.
const AS_IT_WAS: &str = "
DROP INDEX audit_reduced; DROP INDEX audit_refused; DROP INDEX requests_whole;
DROP INDEX runs_whole; DROP INDEX runs_by_thread; DROP INDEX notices_by_age;
DROP INDEX notices_of_run; DROP INDEX notices_owed_of_request; DROP INDEX intake_by_age;
ALTER TABLE audit DROP COLUMN reduced_by;
ALTER TABLE requests DROP COLUMN reduced_at; ALTER TABLE executions DROP COLUMN reduced_at;
ALTER TABLE runs DROP COLUMN reduced_at;
DROP INDEX notices_heard; DROP INDEX notices_gathered; DROP INDEX notices_digests;
DROP INDEX cards_to_post; DROP INDEX cards_to_update; ALTER TABLE notices DROP COLUMN audience;
ALTER TABLE notices DROP COLUMN digest; ALTER TABLE cards DROP COLUMN due_by;
DROP INDEX executions_unsettled; ALTER TABLE executions DROP COLUMN settled;
DELETE FROM _sqlx_migrations WHERE version >= 3";

/// A backup from before an upgrade must not need a desk to run on it first.
#[tokio::test]
async fn a_backup_of_an_older_version_is_restored_as_well() {
    let mut desk = Desk::with_a_past().await;
    let backup = desk.database().with_file_name("monday.db");
    let name = backup.display().to_string();
    assert_eq!(desk.runs(&["backup", &name]).await.code, 0);
    crate::tampering::change(&backup, AS_IT_WAS).await;
    loses_its_database(&mut desk).await;
    let restored = restore(&desk, &backup).await;
    assert_eq!(restored.code, 0, "{}", restored.all());
    assert_eq!(desk.runs(&["requests", "list"]).await.out, "Nothing is waiting.\n");
}
