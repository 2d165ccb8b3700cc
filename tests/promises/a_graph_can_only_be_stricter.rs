//! Two agents, a check, an approval and a tool, put together in `countersign.yaml`: a graph can ask
//! for more than the policy, never for less, and tells its requester each thing once.

use countersign::base::Span;
use countersign::store::PARKED;

use crate::caller::{asking, kinds};
use crate::office::Office;
use crate::reckoning::count;

const GRAPH: &str = include_str!("../fixtures/graphs/careful-refund.yaml");
const ASKED: &str = "please refund order 1042";
const ON_IT: &str = "On it: order 1042.";
const STOPPED: &str = "stopped because of an error";
const DONE: &str = "Refunded 640.0 EUR for order 1042.";

/// An office whose desk is staffed by the graph. Each edit is to the demo's configuration.
async fn staffed(edits: &[(&str, &str)]) -> Office {
    let scripts = format!("{}/tests/fixtures/graphs/clerks.yaml", env!("CARGO_MANIFEST_DIR"));
    let model = "  stand-in: { provider: script, script: script.yaml }";
    let models = format!("{model}\n  clerks: {{ provider: script, script: {scripts} }}");
    let agents = format!(
        "{GRAPH}agents:\n  \
         refunds: {{ graph: careful-refund, default: true }}\n  \
         drafter: {{ model: clerks, instructions: Find the order. }}\n  \
         checker: {{ model: clerks, instructions: Object to what is wrong. }}\n"
    );
    let mut all = vec![(model, models.as_str()), ("agents:\n  ops:\n    default: true\n", "")];
    let ops = format!("{agents}  ops:\n");
    all[1].1 = &ops;
    all.extend(edits);
    Office::opens_with(&all).await
}

/// The policy would let every refund pass.
const PASSES: (&str, &str) = ("when: args.amount <= 50", "when: args.amount <= 5000");

fn times(thread: &str, text: &str) -> usize {
    thread.matches(text).count()
}

#[tokio::test]
async fn what_was_approved_is_what_ran_whether_the_policy_asks_or_only_the_graph() {
    for edits in [&[][..], &[PASSES]] {
        let office = staffed(edits).await;
        let (asked, card) = office.asks("mia", ASKED).await;
        for fact in
            ["amount = 640", "charge = \"ch_1042\"", "order 1042, checked: OK, ch_1042 over 640"]
        {
            assert!(card.text.contains(fact), "{fact} in {}", card.text);
        }
        assert_eq!(office.refunds().await, 0, "nothing runs before the approval");

        assert_eq!(office.approves("jonas", &card).await, Vec::<String>::new());

        assert_eq!(office.refunds().await, 1);
        let thread = office.thread("mia", &asked);
        assert_eq!((times(&thread, ON_IT), times(&thread, DONE)), (1, 1), "{thread}");
        office.closes().await;
    }
}

#[tokio::test]
async fn the_stage_of_an_approval_node_is_asked_where_the_policy_asks_nobody() {
    let dba = (
        "{ approvers: finance, in: approvals, within: 30m }",
        "{ approvers: dba, in: approvals, within: 30m }",
    );
    let office = staffed(&[PASSES, dba]).await;
    let (_, card) = office.asks("mia", ASKED).await;
    assert!(card.text.contains("sign-off"), "the card says why people are asked: {}", card.text);
    assert!(
        !office.approves("jonas", &card).await.is_empty(),
        "jonas is no database administrator"
    );
    assert_eq!(office.refunds().await, 0);
    office.approves("noor", &card).await;
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_no_is_told_and_nothing_runs() {
    let office = staffed(&[]).await;
    let (asked, card) = office.asks("mia", ASKED).await;
    office.rejects("jonas", &card).await;
    assert_eq!(office.refunds().await, 0);
    let thread = office.thread("mia", &asked);
    assert_eq!(times(&thread, "The refund of order 1042 was not made: rejected."), 1, "{thread}");
    assert_eq!(times(&thread, DONE), 0, "{thread}");
    office.closes().await;
}

#[tokio::test]
async fn nobody_is_bothered_with_what_the_checker_objects_to() {
    let office = staffed(&[]).await;
    let asked = office.writes("mia", "please refund order 1042, but I kept the goods").await;
    assert!(office.person("jonas").newest_card("#approvals").is_none());
    let thread = office.thread("mia", &asked);
    assert_eq!(
        times(&thread, "I ask nobody for this refund: NO, the goods were kept."),
        1,
        "{thread}"
    );
    office.closes().await;
}

/// A graph may say what it likes: its calls are put to the policy.
#[tokio::test]
async fn what_the_policy_forbids_a_graph_cannot_do() {
    let forbidden = ("when: args.amount <= 50\n    allow: true", "deny: not today");
    let office = staffed(&[forbidden]).await;
    let asked = office.writes("mia", ASKED).await;
    assert!(
        office.person("jonas").newest_card("#approvals").is_none(),
        "there is nothing to decide"
    );
    assert_eq!(office.refunds().await, 0);
    let thread = office.thread("mia", &asked);
    assert_eq!(times(&thread, "was not made: denied."), 1, "{thread}");
    office.closes().await;
}

/// A call that no node approves is asked about all the same, where the policy asks.
#[tokio::test]
async fn a_call_without_an_approval_node_is_asked_about_as_the_policy_says() {
    let unguarded = ("then: sign-off }", "then: refund }");
    let no_node = (
        "      sign-off:\n        approval: refund\n        ask:\n          path:\n            \
         - { approvers: finance, in: approvals, within: 30m }\n        into: decision\n        \
         otherwise: refused\n      refused:\n        message: \"The refund of order \
         {{ state.order }} was not made: {{ state.decision.status }}.\"\n        then: end\n",
        "",
    );
    let office = staffed(&[unguarded, no_node]).await;
    let (asked, card) = office.asks("mia", ASKED).await;
    assert_eq!(office.refunds().await, 0);
    office.approves("jonas", &card).await;
    assert_eq!(office.refunds().await, 1);
    assert_eq!(times(&office.thread("mia", &asked), DONE), 1);
    office.closes().await;
}

#[tokio::test]
async fn a_restart_at_any_point_repeats_nothing() {
    let mut office = staffed(&[]).await;
    let asked = office.person("mia").writes_to_bot(ASKED);
    office.loses_power().await;
    let card = office.card("priya", "#approvals");
    office.loses_power().await;
    office.presses("jonas", &card, "Approve").await;
    office.loses_power().await;
    office.loses_power().await;
    assert_eq!(office.refunds().await, 1);
    let thread = office.thread("mia", &asked);
    assert_eq!((times(&thread, ON_IT), times(&thread, DONE)), (1, 1), "{thread}");
    let desk = office.database().await;
    let once = "SELECT count(*) FROM notices WHERE kind = 'message'";
    assert_eq!(count(&desk, once).await, 2);
    desk.close().await;
    office.closes().await;
}

/// A later message begins with empty keys: yesterday's verdict passes no branch today.
#[tokio::test]
async fn each_message_begins_afresh() {
    let office = staffed(&[]).await;
    let (asked, card) = office.asks("mia", ASKED).await;
    office.approves("jonas", &card).await;
    let again = "please refund order 1042, but I kept the goods";
    office.person("mia").replies_in_thread(&asked, again);
    office.a_moment().await;
    assert_eq!(office.refunds().await, 1);
    let thread = office.thread("mia", &asked);
    assert_eq!((times(&thread, ON_IT), times(&thread, DONE)), (2, 1), "{thread}");
    office.closes().await;
}

/// The run was pinned to the graph that asked; another graph does not go on from there.
/// A text of the graph, and what stands in its place.
const CHANGED: (&str, &str) = ("Refunded {{", "Paid back {{");
const PUT_BACK: (&str, &str) = ("Paid back {{", "Refunded {{");

/// The desk dies, and is opened again with another graph.
async fn opens_with_another(office: &mut Office, (text, instead): (&str, &str)) {
    office.world.crash_desk().await;
    office.world.edit_configuration(text, instead).unwrap();
    office.world.open_desk().await.unwrap();
}

#[tokio::test]
async fn a_changed_graph_does_not_go_on_with_a_run_that_waits() {
    let mut office = staffed(&[]).await;
    let (asked, card) = office.asks("mia", ASKED).await;
    office.person("mia").replies_in_thread(&asked, ASKED);
    office.a_moment().await;
    opens_with_another(&mut office, CHANGED).await;
    office.approves("jonas", &card).await;
    office.passes(Span::minutes(1)).await;
    office.clock.turn_forward(Span::minutes(60));
    office.a_moment().await;
    let thread = office.thread("mia", &asked);
    assert!(!thread.contains(STOPPED), "somebody may have had its graph meanwhile: {thread}");
    for _ in 0..PARKED.as_millis() / 60_000 {
        office.passes(Span::minutes(1)).await;
    }
    let thread = office.thread("mia", &asked);
    assert_eq!((times(&thread, DONE), times(&thread, "Paid back")), (0, 0), "{thread}");
    assert_eq!(times(&thread, STOPPED), 2, "what stood behind it has waited as long: {thread}");
    office.closes().await;
}

#[tokio::test]
async fn a_graph_that_is_put_back_in_time_goes_on_with_its_runs() {
    let mut office = staffed(&[]).await;
    let (asked, card) = office.asks("mia", ASKED).await;
    opens_with_another(&mut office, CHANGED).await;
    office.approves("jonas", &card).await;
    office.passes(Span::minutes(9)).await;
    opens_with_another(&mut office, PUT_BACK).await;
    office.a_moment().await;
    let thread = office.thread("mia", &asked);
    assert_eq!((times(&thread, DONE), thread.contains(STOPPED)), (1, false), "{thread}");
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}

/// While no desk is there nobody is told that a graph is missing, and nobody can put it back.
#[tokio::test]
async fn an_outage_takes_nothing_from_the_time_in_which_a_graph_can_be_put_back() {
    let mut office = staffed(&[]).await;
    let asked = office.person("mia").writes_to_bot(ASKED);
    office.world.slack.deliver_due().await;
    opens_with_another(&mut office, CHANGED).await;
    for _ in 0..2 {
        office.world.crash_desk().await;
        office.clock.turn_forward(Span::minutes(60));
        office.world.open_desk().await.unwrap();
        office.a_moment().await;
        let thread = office.thread("mia", &asked);
        assert!(!thread.contains(STOPPED), "the desk has only begun to wait: {thread}");
    }
    opens_with_another(&mut office, PUT_BACK).await;
    office.a_moment().await;
    office.card("priya", "#approvals");
    office.closes().await;
}

/// Who asks by a program hears what the graph tells, and not what its agents say to it.
#[tokio::test]
async fn a_program_hears_what_the_graph_tells_once() {
    let office = staffed(&[("      agents: [ops]\n", "      agents: [refunds]\n")]).await;
    let mut stream = asking(ASKED).post(&office).await;
    office.a_moment().await;
    let mut frames = stream.until("approval_requested").await;
    let card = office.card("priya", "#approvals");
    office.approves("jonas", &card).await;
    frames.extend(stream.rest().await);
    let told: Vec<_> = frames.iter().filter(|frame| frame.kind() == "message").collect();
    let told: Vec<_> = told.iter().map(|frame| frame.data["content"].clone()).collect();
    assert_eq!(told, [ON_IT, DONE], "{:?}", kinds(&frames));
    assert!(!kinds(&frames).contains(&"token"), "{:?}", kinds(&frames));
    office.closes().await;
}

/// The agents of a configured graph are unfolded into it, so a program sees into them whether it asks
/// for subgraphs or not.
#[tokio::test]
async fn a_program_sees_into_the_agents_of_a_graph() {
    for subgraphs in [false, true] {
        let office = staffed(&[("      agents: [ops]\n", "      agents: [refunds]\n")]).await;
        let asked = asking(ASKED).with("stream_mode", "updates").with("subgraphs", subgraphs);
        let mut stream = asked.post(&office).await;
        office.a_moment().await;
        let frames = stream.until("approval_requested").await;
        let updates = frames.iter().filter(|frame| frame.kind() == "updates");
        let seen: Vec<&str> = updates
            .map(|frame| frame.data["data"].as_object().unwrap().keys().next().unwrap().as_str())
            .collect();
        let expected = [
            "/begin",
            "drafter",
            "drafter/agent",
            "drafter/reply",
            "on-it",
            "__interrupt__",
            "look-up",
            "checker",
            "checker/agent",
            "checker/reply",
            "is-it-sound",
            "__interrupt__",
        ];
        assert_eq!(seen, expected, "subgraphs: {subgraphs}");
        let card = office.card("priya", "#approvals");
        office.approves("jonas", &card).await;
        assert_eq!(stream.rest().await.last().unwrap().kind(), "done");
        office.closes().await;
    }
}

/// An `http` node only reads, and is put to the policy like any tool.
#[tokio::test]
async fn an_http_node_reads_only_what_a_rule_lets_it_read() {
    let mut office = staffed(&[]).await;
    let company = office.world.company_url().to_owned();
    let host = company.trim_start_matches("http://").to_owned();
    let reads = format!(
        "http: {{ method: GET, url: \"{company}/orders/{{{{ args.order }}}}\", allow_private: \
         [\"{host}\"] }}\n        arguments: {{ order"
    );
    let tool = "tool: orders.lookup\n        arguments: { order";
    office.world.crash_desk().await;
    office.world.edit_configuration(tool, &reads).unwrap();
    office.world.open_desk().await.unwrap();
    let asked = office.writes("mia", ASKED).await;
    let thread = office.thread("mia", &asked);
    assert_eq!(
        times(&thread, "I could not find the order 1042."),
        1,
        "no rule covers it: {thread}"
    );

    office.world.crash_desk().await;
    let rule = ("tool: orders.lookup\n", "tool: [orders.lookup, careful-refund.look-up]\n");
    office.world.edit_configuration(rule.0, rule.1).unwrap();
    office.world.open_desk().await.unwrap();
    let (_, card) = office.asks("mia", ASKED).await;
    assert!(card.text.contains("amount = 640"), "{}", card.text);
    office.approves("jonas", &card).await;
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}

/// What was approved before an approval node asked for more is not enough any more.
#[tokio::test]
async fn an_approval_node_that_asks_for_more_now_stops_what_was_approved_before() {
    let mut office = staffed(&[PASSES]).await;
    let (asked, card) = office.asks("mia", ASKED).await;
    office.presses("jonas", &card, "Approve").await;
    office.world.crash_desk().await;
    let stage = "{ approvers: finance, in: approvals, within: 30m }";
    office.world.edit_configuration(stage, &stage.replace("finance", "dba")).unwrap();
    office.world.open_desk().await.unwrap();
    office.a_moment().await;
    assert_eq!(office.refunds().await, 0);
    let thread = office.thread("mia", &asked);
    assert_eq!(times(&thread, "did not go through: not_started."), 1, "{thread}");
    office.closes().await;
}
