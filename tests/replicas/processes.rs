//! Two real desks behind a balancer, as an operator runs them: people write and press at whichever
//! takes the connection, one of the desks is stopped in the middle, and then everything is checked.

use futures::future::join_all;
use rustix::process::Signal;

use crate::office::{Office, asks, card, presses, sooner_or_later};
use crate::pair::rehearsal;

const INVOICES: usize = 4;
/// Each press asks Slack who it is, and both processes together may ask a hundred times a minute.
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn two_processes_one_outcome_and_one_payment_and_one_may_stand_still() {
    let server = rehearsal().await;
    let office = Office::opens(&server.url(), 2).await;
    let (slack, company) = (&office.slack, &office.company);
    for nth in 0..INVOICES {
        let invoice = format!("V-77{nth:02}");
        slack.person("mia").writes_to_bot(&format!("pay invoice {invoice}"));
        let card = card(slack, "#approvals", &invoice).await;
        if nth == INVOICES / 2 {
            // It holds whatever it holds; the other takes over when its leases have ended.
            office.desks[1].signal(Signal::STOP);
            slack.set_bot_url(&format!("http://{}", office.desks[0].at));
        }
        let presses = (0..CLIENTS).map(|nth| {
            let person = slack.person(["jonas", "lena"][nth % 2]);
            let card = card.clone();
            async move { presses(&person, &card, ["Approve", "Reject…"][nth / 2 % 2]).await }
        });
        join_all(presses).await;
        sooner_or_later("it was paid", async || {
            slack.deliver_due().await;
            company.payments("payment").await.unwrap() == nth as i64 + 1
        })
        .await;
    }
    office.desks[1].signal(Signal::CONT);
    sooner_or_later("nobody is asked any more", async || {
        slack.deliver_due().await;
        !slack.person("jonas").sees("#approvals").iter().any(asks)
    })
    .await;
    assert_eq!(company.journal().await.unwrap().len(), INVOICES, "one call for each");
    office.closes().await;
}
