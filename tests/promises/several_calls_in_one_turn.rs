//! A model may ask for several things at once. Each is ruled on for itself: what needs nobody does
//! not wait, what needs a person is a request of its own, and the model hears of all of them once,
//! in the order in which it asked.

use countersign::sandbox::MessageView;

use crate::office::Office;
use crate::provider::{Provider, SCRIPT, Says};
use crate::reckoning::count;

const THREE: &[(&str, &str)] = &[
    (
        "payments__refund",
        "{\"charge\": \"ch_1\", \"amount\": 640, \"currency\": \"EUR\", \"reason\": \"late\"}",
    ),
    ("orders__lookup", "{\"order\": \"1042\"}"),
    (
        "vendor__pay_invoice",
        "{\"invoice\": \"V-7719\", \"amount\": 12400, \"currency\": \"EUR\", \"due\": \"today\"}",
    ),
];

fn card(office: &Office, tool: &str) -> MessageView {
    let mut cards = office.person("priya").sees("#approvals");
    cards.retain(|card| card.text.contains(tool) && !card.buttons.is_empty());
    assert_eq!(cards.len(), 1, "one card for {tool}");
    cards.remove(0)
}

#[tokio::test]
async fn one_is_allowed_one_approved_one_rejected_and_the_model_hears_of_all_in_its_order() {
    let provider =
        Provider::opens([Says::Reply("All three.", THREE), Says::Reply("Noted.", &[])]).await;
    let model = provider.model("");
    let mut office = Office::opens_with(&[(SCRIPT, model.as_str())]).await;
    let asked = office.writes("mia", "please see to all three").await;

    let desk = office.database().await;
    let done = "SELECT count(*) FROM executions WHERE state = 'succeeded' AND request_id IS NULL";
    assert_eq!(count(&desk, done).await, 1, "what needs nobody has run while the others wait");
    assert_eq!(count(&desk, "SELECT count(*) FROM requests").await, 2, "each has its own request");
    desk.close().await;
    assert_eq!((office.refunds().await, office.invoices_paid().await), (0, 0));
    assert_eq!(provider.journal().len(), 1, "the model waits for all of them");

    // The last is decided first, and then the power goes.
    let invoice = card(&office, "pay_invoice");
    office.rejects("jonas", &invoice).await;
    office.loses_power().await;
    assert_eq!(provider.journal().len(), 1, "one is still open");
    let refund = card(&office, "refund");
    office.approves("jonas", &refund).await;

    assert_eq!((office.refunds().await, office.invoices_paid().await), (1, 0));
    let desk = office.database().await;
    let executions = "SELECT count(*) FROM executions";
    assert_eq!(count(&desk, executions).await, 2);
    let begun = "SELECT CAST(sum(attempts) AS BIGINT) FROM executions";
    assert_eq!(count(&desk, begun).await, 2, "nothing was begun twice");
    desk.close().await;

    let [_, second] = &provider.journal()[..] else {
        panic!("asked twice: {:?}", provider.journal())
    };
    let messages = second["messages"].as_array().unwrap();
    let told: Vec<_> = messages[3..]
        .iter()
        .map(|message| {
            let content = message["content"].as_str().unwrap();
            (message["role"].as_str().unwrap(), message["tool_call_id"].as_str().unwrap(), content)
        })
        .collect();
    let [(_, first, refunded), (_, second, found), (_, third, refused)] = told[..] else {
        panic!("three results: {told:?}")
    };
    assert_eq!([first, second, third], ["call_1", "call_2", "call_3"]);
    assert!(told.iter().all(|(role, ..)| *role == "tool"), "{told:?}");
    assert!(
        refunded.starts_with("Output of the tool") && refunded.contains("refund"),
        "{refunded}"
    );
    assert!(found.starts_with("Output of the tool") && found.contains("Acme Bakery"), "{found}");
    assert!(refused.contains("a person rejected it"), "{refused}");
    assert!(office.thread("mia", &asked).contains("Noted."));
    office.closes().await;
}
