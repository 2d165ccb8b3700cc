//! Two desks with different graphs under one name, as while a new configuration comes in: each goes on
//! with what began on its own, and leaves the rest to the other.

use std::sync::Arc;

use countersign::base::Span;
use countersign::desk::Desk;
use countersign::sandbox::{Driver, MessageRef};
use countersign::store::PARKED;
use countersign::work::{Executions, Runs, one_turn};

use crate::pair::Pair;

const GRAPH: &str = include_str!("../fixtures/graphs/careful-refund.yaml");
const ASKED: &str = "please refund order 1042";
const OBJECTED: &str = "please refund order 1042 but I kept the goods";

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn each_desk_goes_on_with_the_runs_of_its_own_graph() {
    let pair = staffed_apart().await;
    let [old, new] = pair.desks();
    let mia = pair.world.slack.person("mia");
    let asked = mia.writes_to_bot(ASKED);
    pair.world.slack.deliver_due().await;
    assert_eq!(runs_at(&new).await, 0, "it began at the old desk");
    pair.world.settle().await.unwrap();
    let listed = begun_elsewhere(&new).await;
    assert_eq!(listed, ["Mia: refunds, Waiting"], "the new one says what the old one must finish");
    assert!(begun_elsewhere(&old).await.is_empty());

    pair.approves("jonas").await;
    pair.clock.turn_forward(Span::minutes(9));
    assert_eq!(runs_at(&new).await, 0, "the new desk leaves it to the old one");
    pair.world.settle().await.unwrap();
    let thread = in_thread(&mia, &asked);
    assert!(thread.contains("Refunded 640.0 EUR for order 1042."), "{thread}");
    assert!(begun_elsewhere(&new).await.is_empty(), "nothing of it is left");
    pair.closes().await;
}

/// What could not go on before had its time to wait then, not to be claimed by whoever can.
#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn what_stood_behind_another_run_for_long_is_left_to_its_desk_as_well() {
    let pair = staffed_apart().await;
    let [old, new] = pair.desks();
    let mia = pair.world.slack.person("mia");
    let asked = mia.writes_to_bot(ASKED);
    pair.world.settle().await.unwrap();
    mia.replies_in_thread(&asked, ASKED);
    pair.world.settle().await.unwrap();
    let waits = ["Mia: refunds, Waiting", "somebody: refunds, Behind"];
    assert_eq!(begun_elsewhere(&new).await, waits);

    pair.clock.turn_forward(PARKED.plus(Span::minutes(1)));
    pair.approves("jonas").await;
    while begun_elsewhere(&new).await.len() == 2 {
        one_turn(&Runs::new(old.clone()), 1).await.unwrap();
        one_turn(&Executions::new(old.clone()), 1).await.unwrap();
    }
    assert_eq!(runs_at(&new).await, 0, "only now it can go on");
    pair.world.settle().await.unwrap();
    let thread = in_thread(&mia, &asked);
    assert_eq!(thread.matches("On it: order 1042.").count(), 2, "its desk has it: {thread}");
    assert_eq!(begun_elsewhere(&new).await, ["Mia: refunds, Waiting"]);
    pair.closes().await;
}

/// As one whose runs all wait for a slow model: it takes no other one, and is there all the same.
#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_desk_that_has_no_room_is_not_taken_for_gone() {
    let pair = staffed_apart().await;
    let [old, new] = pair.desks().map(Runs::new);
    let mia = pair.world.slack.person("mia");
    let asked = mia.writes_to_bot(OBJECTED);
    pair.world.slack.deliver_due().await;
    for _ in 0..30 {
        one_turn(&old, 0).await.unwrap();
        assert_eq!(one_turn(&new, 9).await.unwrap(), 0, "the old desk is only busy");
        pair.clock.turn_forward(Span::minutes(1));
    }
    pair.world.settle().await.unwrap();
    let thread = in_thread(&mia, &asked);
    assert!(thread.contains("I ask nobody for this refund: NO, the goods were kept."), "{thread}");
    pair.closes().await;
}

async fn runs_at(desk: &Arc<Desk>) -> usize {
    one_turn(&Runs::new(desk.clone()), 9).await.unwrap()
}

fn in_thread(who: &Driver, root: &MessageRef) -> String {
    let lines = who.sees_in_thread(root).into_iter().map(|line| line.text);
    lines.collect::<Vec<_>>().join("\n")
}

/// The open runs that a desk cannot go on with.
async fn begun_elsewhere(desk: &Desk) -> Vec<String> {
    let runs = desk.store.pinned_to_others(&desk.workspace, &desk.definitions(), 9).await.unwrap();
    let told = runs.iter().map(|run| {
        let who = run.requester.as_ref().map_or("somebody", |who| who.name.as_str());
        format!("{who}: {}, {:?}", run.agent, run.state)
    });
    told.collect()
}

async fn staffed_apart() -> Pair {
    let scripts = format!("{}/tests/fixtures/graphs/clerks.yaml", env!("CARGO_MANIFEST_DIR"));
    let model = "  stand-in: { provider: script, script: script.yaml }";
    let models = format!("{model}\n  clerks: {{ provider: script, script: {scripts} }}");
    let agents = format!(
        "{GRAPH}agents:\n  \
         refunds: {{ graph: careful-refund, default: true }}\n  \
         drafter: {{ model: clerks, instructions: Find the order. }}\n  \
         checker: {{ model: clerks, instructions: Object to what is wrong. }}\n  ops:\n"
    );
    let edits = [(model, models.as_str()), ("agents:\n  ops:\n    default: true\n", &agents)];
    Pair::opens_apart(&edits, &[("Refunded {{", "Paid back {{")]).await
}
