//! I21: what a version from before left, this one brings up to date and goes on with. The dumps in
//! `fixtures/older` were written by those versions: one invoice was approved and paid, one waits.

use countersign::base::Span;

use crate::office::{Dump, INVOICE, Office};
use crate::reckoning::text;

const OLDER: [Dump; 2] = [
    Dump {
        sqlite: include_str!("../fixtures/older/3.sqlite.sql"),
        postgres: include_str!("../fixtures/older/3.postgres.sql"),
    },
    Dump {
        sqlite: include_str!("../fixtures/older/5.sqlite.sql"),
        postgres: include_str!("../fixtures/older/5.postgres.sql"),
    },
];
const WHAT_BECAME_OF_IT: &str = "SELECT outcome || ', ' || state || ': ' || note FROM requests
    JOIN executions ON executions.request_id = requests.id WHERE requests.envelope LIKE '%\"V-2\"%'";

#[tokio::test]
async fn what_waited_is_decided_and_what_was_done_is_left() {
    for dump in OLDER {
        let office = Office::opens_on(dump).await;
        // Nobody decides in time, so the timer of back then has the managers asked.
        office.passes(Span::minutes(30)).await;
        let card = office.card("priya", "#managers");
        assert!(card.text.contains("V-2"), "{}", card.text);
        office.approves("priya", &card).await;
        // The company has another address than back then, so it is another tool: nothing is called.
        let desk = office.database().await;
        let became = text(&desk, WHAT_BECAME_OF_IT).await;
        assert!(became.starts_with("approved, refused"), "{became}");
        assert!(became.contains("the tool has changed"), "{became}");
        desk.close().await;
        assert_eq!(office.invoices_paid().await, 0);

        let (_, again) = office.asks("sam", INVOICE).await;
        office.approves("jonas", &again).await;
        assert_eq!(office.invoices_paid().await, 1);
        office.closes().await;
    }
}
