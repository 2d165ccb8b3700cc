//! Whoever asked is told plainly why there is no answer, and an outage is waited out without a
//! single effect happening twice. The provider is a stand-in on the wire.

use countersign::base::Span;

use crate::office::Office;
use crate::provider::{Provider, SCRIPT, Says};

const LOOKUP: &[(&str, &str)] = &[("orders__lookup", "{\"order\": \"1042\"}")];
const SMALL_REFUND: &[(&str, &str)] = &[(
    "payments__refund",
    "{\"charge\": \"ch_1\", \"amount\": 20, \"currency\": \"EUR\", \"reason\": \"late\"}",
)];
const LARGE_REFUND: &[(&str, &str)] = &[(
    "payments__refund",
    "{\"charge\": \"ch_1\", \"amount\": 640, \"currency\": \"EUR\", \"reason\": \"late\"}",
)];
const AGENT: &str = "instructions: You help";

async fn office(provider: &Provider, more: &str, limits: &str) -> Office {
    let (model, agent) = (provider.model(more), format!("{limits}\n    {AGENT}"));
    Office::opens_with(&[(SCRIPT, model.as_str()), (AGENT, agent.as_str())]).await
}

#[tokio::test]
async fn an_outage_is_waited_out_as_long_as_the_provider_asks_and_nothing_happens_twice() {
    let provider = Provider::opens([
        Says::Status(429, Some(40)),
        Says::Cut("I refund "),
        Says::Status(503, None),
        Says::Reply("I refund 20.", SMALL_REFUND),
        Says::Reply("Done.", &[]),
    ])
    .await;
    let office = office(&provider, "", "").await;
    let asked = office.writes("mia", "please").await;
    assert_eq!(provider.journal().len(), 1, "forty seconds are not over");
    office.passes(Span::seconds(20)).await;
    assert_eq!(provider.journal().len(), 1, "they still are not");
    office.passes(Span::minutes(2)).await;
    assert_eq!(provider.journal().len(), 5);
    assert_eq!(office.refunds().await, 1, "the call of the broken answer was never made");
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("Done.") && !thread.contains("I refund I refund"), "{thread}");
    office.closes().await;
}

#[tokio::test]
async fn a_model_that_stays_away_is_given_up_and_that_is_said() {
    let provider = Provider::opens((0..8).map(|_| Says::Status(503, None))).await;
    let office = office(&provider, "", "").await;
    let asked = office.writes("mia", "please").await;
    office.passes(Span::minutes(10)).await;
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("its model cannot be reached"), "{thread}");
    office.closes().await;
}

#[tokio::test]
async fn another_model_answers_where_the_configuration_allows_it() {
    let first = Provider::opens([Says::Status(503, None)]).await;
    let second = Provider::opens([Says::Reply("Here I am instead.", &[])]).await;
    let models = format!("{}\n  spare: {}", first.model(", fallback: spare"), second.model(""));
    let office = Office::opens_with(&[(SCRIPT, models.as_str())]).await;
    let asked = office.writes("mia", "hello").await;
    assert!(office.thread("mia", &asked).contains("Here I am instead."));
    office.closes().await;
}

#[tokio::test]
async fn what_ends_an_answer_early_is_said_in_plain_words() {
    for (reason, said) in [
        ("length", "the answer of its model is too long and was cut off"),
        ("content_filter", "its model declines to answer this"),
        ("refusal", "its model declines to answer this"),
    ] {
        let provider = Provider::opens([Says::Ends(reason)]).await;
        let office = office(&provider, "", "").await;
        let asked = office.writes("mia", "hello").await;
        let thread = office.thread("mia", &asked);
        assert!(thread.contains(said) && !thread.contains("As I was saying"), "{thread}");
        office.closes().await;
    }
}

/// Sixty tokens an answer at 100 per million in and 500 out are 0.014.
#[tokio::test]
async fn a_budget_holds_over_a_restart_and_its_end_is_said() {
    let price = ", price: { input: 100, output: 500 }";
    for (limits, said) in [
        ("limits: { steps: 2 }", "it took 2 steps without coming to an end"),
        ("limits: { tokens: 120 }", "it used the 120 tokens"),
        ("limits: { cost: 0.028 }", "it cost the 0.028"),
    ] {
        let provider = Provider::opens([
            Says::Reply("I look first.", LOOKUP),
            Says::Reply("Now I refund.", LARGE_REFUND),
        ])
        .await;
        let mut office = office(&provider, price, limits).await;
        let asked = office.writes("mia", "please").await;
        let card = office.card("priya", "#approvals");
        office.loses_power().await;
        office.approves("jonas", &card).await;
        assert_eq!(office.refunds().await, 1, "what was approved runs");
        let thread = office.thread("mia", &asked);
        assert!(thread.contains(said), "{limits}: {thread}");
        assert_eq!(provider.journal().len(), 2, "the model is not asked beyond the budget");
        office.closes().await;
    }
}

#[tokio::test]
async fn people_are_not_asked_more_often_than_a_run_may() {
    let provider =
        Provider::opens([Says::Reply("One.", LARGE_REFUND), Says::Reply("Two.", LARGE_REFUND)])
            .await;
    let mut office = office(&provider, "", "limits: { approvals: 1 }").await;
    let asked = office.writes("mia", "please").await;
    let card = office.card("priya", "#approvals");
    office.loses_power().await;
    office.approves("jonas", &card).await;
    assert_eq!(office.refunds().await, 1);
    office.a_moment().await;
    assert_eq!(office.world.live_cards(), Vec::<String>::new(), "nobody is asked again");
    let thread = office.thread("mia", &asked);
    assert!(
        thread.contains("it asked people for approval as often as one request may"),
        "{thread}"
    );
    office.closes().await;
}

#[tokio::test]
async fn an_answer_that_must_have_a_form_has_it_or_is_not_given() {
    let form =
        "answer: { type: object, required: [total], properties: { total: { type: number } } }";
    let provider = Provider::opens([
        Says::Reply("It is four.", &[]),
        Says::Reply("{\"total\": 4}", &[]),
        Says::Reply("Five!", &[]),
        Says::Reply("Five, I said.", &[]),
    ])
    .await;
    let office = office(&provider, "", form).await;
    let asked = office.writes("mia", "how much?").await;
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("{\"total\":4}") && !thread.contains("It is four"), "{thread}");
    let again = office.writes("mia", "and now?").await;
    let thread = office.thread("mia", &again);
    assert!(thread.contains("its answer did not have the form that it must have"), "{thread}");
    assert_eq!(provider.journal().len(), 4, "each is asked to mend it once");
    office.closes().await;
}
