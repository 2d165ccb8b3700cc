//! Two desks with different graphs under one name, as while a new configuration comes in: each goes on
//! with what began on its own, and leaves the rest to the other.

use std::sync::Arc;

use countersign::base::Span;
use countersign::desk::Desk;
use countersign::work::{Runs, one_turn};

use crate::pair::Pair;

const GRAPH: &str = include_str!("../fixtures/graphs/careful-refund.yaml");
const ASKED: &str = "please refund order 1042";

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
    let thread: Vec<String> =
        mia.sees_in_thread(&asked).into_iter().map(|line| line.text).collect();
    let thread = thread.join("\n");
    assert!(thread.contains("Refunded 640.0 EUR for order 1042."), "{thread}");
    assert!(begun_elsewhere(&new).await.is_empty(), "nothing of it is left");
    pair.closes().await;
}

async fn runs_at(desk: &Arc<Desk>) -> usize {
    one_turn(&Runs::new(desk.clone()), 9).await.unwrap()
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
