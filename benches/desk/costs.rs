//! What each part of a conversation costs the store: transactions, commits, statements. Counted, not
//! timed, and one conversation alone, so that nothing shares a commit by luck.

use std::sync::Arc;

use countersign::app::App;
use countersign::store::Cost;
use countersign::work::{Executions, one_turn};

use crate::office::{Database, Office};

/// Prints a line for each part.
pub async fn measure(database: &Database) {
    println!(
        "\nwhat one conversation asks of the store on {} (a claim that finds nothing counts as well)",
        database.name()
    );
    let (office, app) = Office::open(database).await;
    // The second is counted: the first fills the caches.
    converse(&office, &app, |_, _| {}).await;
    converse(&office, &app, print).await;
    app.desk.store.close().await;
}

async fn converse(office: &Office, app: &App, print: impl Fn(&str, Cost)) {
    let store = &app.desk.store;
    let charge = office.next_charge();
    let (card, reply) = (office.slack.card(&charge), office.slack.reply(&charge));
    let mut before = store.cost();
    let mut part = |name: &str| {
        let now = store.cost();
        print(name, since(before, now));
        before = now;
    };
    office.ask(&charge).await;
    part("a message, taken in");
    app.settle().await.expect("the card is shown");
    let card = card.await.expect("a card was shown");
    part("from there to the card: model, question, posts");
    office.approve(&card).await;
    part("a click");
    let executions = Executions::new(Arc::clone(&app.desk));
    assert_eq!(one_turn(&executions, 8).await.expect("it runs"), 1);
    part("the execution: claimed, started, ended");
    app.settle().await.expect("the requester is told");
    reply.await.expect("there is a last word");
    part("from there to the last word: resumed, cards, posts");
}

fn since(before: Cost, now: Cost) -> Cost {
    Cost {
        transactions: now.transactions - before.transactions,
        commits: now.commits - before.commits,
        written: now.written - before.written,
        read: now.read - before.read,
    }
}

fn print(name: &str, cost: Cost) {
    let Cost { transactions, commits, written, read } = cost;
    println!(
        "  {name:<50} {transactions:>3} transactions in {commits:>2} commits, {written:>3} statements \
         of the writer, {read:>2} of readers"
    );
}
