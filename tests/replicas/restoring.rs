//! A Postgres database that its own tools have put back: what it shows as open is ended before any desk
//! starts on it, and by nobody beside a desk at work.

use countersign::demo::Mishap;
use countersign::sandbox::MessageRef;
use rustix::process::Signal;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use crate::failover::a_folder_for_everybody;
use crate::failover::server::{finishes, program};
use crate::office::{Office, Start, card, presses, sooner_or_later};
use crate::pair::rehearsal;
use crate::reckoning;

const ALL_BUT_THE_HANDS: &str = "web,runs,timers,deliveries,streams,retention";
const ORDER: [&str; 6] =
    ["restore", "--in-place", "--by", "olga", "--reason=back to Monday", "--database"];
const ORDERED: &str = "SELECT count(*) FROM executions WHERE state = 'ordered'";
const RESTORED: &str = "SELECT count(*) FROM audit WHERE kind = 'desk.restored'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn what_a_dump_shows_as_open_never_runs() {
    let server = rehearsal().await;
    let store = server.url();
    let split = [ALL_BUT_THE_HANDS, "executions"].map(Start::only);
    let mut office = Office::opens_with(&store, &[], split.into()).await;
    let order = [&ORDER[..], &[store.as_str()]].concat();
    let jonas = office.slack.person("jonas");
    let mut asked = Vec::new();
    for (who, invoice) in [("mia", "V-1"), ("sam", "V-2"), ("gus", "V-3")] {
        asked.push(office.slack.person(who).writes_to_bot(&format!("pay invoice {invoice}")));
        let card = card(&office.slack, "#approvals", invoice).await;
        match invoice {
            "V-1" => {
                office.company.suffer(Mishap::Silence);
                presses(&jonas, &card, "Approve").await;
                office.company.falls_silent().await;
                office.desks[1].signal(Signal::STOP);
            }
            "V-2" => presses(&jonas, &card, "Approve").await,
            _ => {}
        }
    }
    let folder = a_folder_for_everybody();
    let dump = folder.path().join("monday.dump");
    let mut dumping = program("pg_dump");
    dumping.args(["--format=custom", "--dbname", &store, "--file"]).arg(&dump);
    finishes(&mut dumping).await;

    // The desk goes on: whatever is open in the dump is done.
    let mut desk = AnyConnection::connect(&store).await.unwrap();
    assert_eq!(reckoning::counts(&mut desk, ORDERED).await, 1);
    office.desks[1].signal(Signal::CONT);
    let last = card(&office.slack, "#approvals", "V-3").await;
    presses(&jonas, &last, "Approve").await;
    sooner_or_later("all are paid", async || {
        office.company.payments("payment").await.unwrap() == 3
    })
    .await;
    let (ended, said) = office.operator(&order).await;
    assert!(!ended.success() && said.contains("close them first"), "beside desks at work: {said}");
    assert_eq!(reckoning::counts(&mut desk, RESTORED).await, 0, "nothing was ended");
    desk.close().await.unwrap();
    office.loses_all().await;
    let calls = office.company.journal().await.unwrap().len();

    let (elsewhere, name) = store.rsplit_once('/').map(owned).unwrap();
    let mut anywhere = AnyConnection::connect(&format!("{elsewhere}/postgres")).await.unwrap();
    for words in ["DROP DATABASE THIS WITH (FORCE)", "CREATE DATABASE THIS TEMPLATE template0"] {
        let words = AssertSqlSafe(words.replace("THIS", &name));
        sqlx::raw_sql(words).execute(&mut anywhere).await.unwrap();
    }
    anywhere.close().await.unwrap();
    let mut restoring = program("pg_restore");
    finishes(restoring.args(["--exit-on-error", "--dbname", &store]).arg(&dump)).await;
    let (ended, said) = office.operator(&order).await;
    assert!(ended.success(), "{said}");
    for line in [
        "1 pending request cancelled",
        "1 approved action not started: outcome unknown",
        "1 action under way: outcome unknown",
    ] {
        assert!(said.contains(line), "{said}");
    }

    office.opens_again().await;
    for (who, message) in ["mia", "sam", "gus"].into_iter().zip(&asked) {
        sooner_or_later("everybody is told", async || is_told(&office, who, message)).await;
    }
    let called = office.company.journal().await.unwrap();
    assert_eq!(called.len(), calls, "somebody acted on the dump: {called:#?}");
    let (_, listed) = office.operator(&["requests", "list", "--database", &store]).await;
    assert_eq!(
        listed.matches("OUTCOME UNKNOWN").count(),
        2,
        "who had begun or might have: {listed}"
    );
    assert_eq!(listed.matches("vendor.pay_invoice").count(), 2, "{listed}");
    office.closes().await;
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

/// Whoever waits reads why there is no answer.
fn is_told(office: &Office, who: &str, asked: &MessageRef) -> bool {
    let lines = office.slack.person(who).sees_in_thread(asked);
    lines.iter().any(|line| line.text.contains("back to Monday"))
}
