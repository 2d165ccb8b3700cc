//! What a configured graph does, without a desk around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::spec::{FlowCase, FlowSpec, FlowStep};
use super::{Crew, CrewMember, compile_flow, told_since};
use crate::agent::{
    AgentSpec, Budget, CallAnswer, CallStatus, ProposedCall, ScriptedModel, agent_input,
};
use crate::approval::Expression;
use crate::base::SystemClock;
use crate::graph::{Graph, Input, MemorySaver, NoEvents, Reducer, RunEnd, RunError, RunOptions};

fn cel(source: &str) -> Expression {
    Expression::compile(source).expect(source)
}

fn set<const N: usize>(values: [(&str, &str); N], then: &str) -> FlowStep {
    let values = values.map(|(key, source)| (key.to_owned(), cel(source)));
    FlowStep::Set { values: values.into(), then: then.to_owned() }
}

fn branch(when: &str, then: &str, otherwise: &str) -> FlowStep {
    let case = FlowCase { when: cel(when), then: then.to_owned() };
    FlowStep::Branch { cases: vec![case], otherwise: otherwise.to_owned() }
}

fn tell(text: &str, then: &str) -> FlowStep {
    FlowStep::Message { text: text.to_owned(), then: then.to_owned() }
}

fn call(then: &str, otherwise: &str) -> FlowStep {
    FlowStep::Tool {
        tool: "pay".to_owned(),
        arguments: json!({ "what": "{{ input }}" }),
        into: Some("result".to_owned()),
        then: then.to_owned(),
        otherwise: otherwise.to_owned(),
    }
}

fn approval(of: &str, otherwise: &str) -> FlowStep {
    FlowStep::Approval { of: of.to_owned(), into: None, otherwise: otherwise.to_owned() }
}

/// A graph that begins with `start`.
fn flow<const K: usize, const N: usize>(
    name: &str,
    keys: [(&str, Reducer); K],
    start: &str,
    nodes: [(&str, FlowStep); N],
) -> FlowSpec {
    FlowSpec {
        name: name.to_owned(),
        keys: keys.map(|(key, reducer)| (key.to_owned(), reducer)).into(),
        start: start.to_owned(),
        nodes: nodes.map(|(node, step)| (node.to_owned(), step)).into(),
    }
}

fn compiled<const N: usize>(flows: [FlowSpec; N]) -> Graph {
    let root = flows[0].name.clone();
    let flows: BTreeMap<_, _> = flows.map(|flow| (flow.name.clone(), flow)).into();
    compile_flow(&flows, &root, &Crew::new()).expect("a sound graph")
}

async fn run(
    graph: &Graph,
    saver: &MemorySaver,
    id: &str,
    input: Input,
) -> Result<RunEnd, RunError> {
    graph.run(input, Arc::new(saver.clone()), Arc::new(NoEvents), RunOptions::of_run(id)).await
}

fn says(text: &str) -> Input {
    Input::New(agent_input(text, None).expect("an input"))
}

/// The state at the end of one run.
async fn state_after(graph: &Graph, saver: &MemorySaver, id: &str, text: &str) -> Value {
    run(graph, saver, id, says(text)).await.expect("it ends").state().to_value()
}

fn counting() -> FlowSpec {
    let keys = [("rounds", Reducer::Sum), ("seen", Reducer::Append), ("facts", Reducer::Merge)];
    flow(
        "counting",
        keys,
        "count",
        [
            ("count", set([("rounds", "1"), ("seen", "[state.rounds]")], "enough")),
            ("enough", branch("state.rounds < 3", "count", "note")),
            ("note", set([("facts", "{\"said\": input}")], "end")),
        ],
    )
}

#[tokio::test]
async fn a_round_counts_and_leaves_and_every_run_begins_afresh() {
    let (graph, saver) = (compiled([counting()]), MemorySaver::default());
    for (id, text) in [("run_1", "hi"), ("run_2", "ho")] {
        let state = state_after(&graph, &saver, id, text).await;
        assert_eq!(state["state.rounds"], json!(3));
        assert_eq!(state["state.seen"], json!([0, 1, 2]));
        assert_eq!(state["state.facts"], json!({ "said": text }));
    }
}

#[tokio::test]
async fn a_graph_in_a_graph_shares_the_keys_of_the_same_name_and_keeps_its_own() {
    let inner = flow(
        "inner",
        [("n", Reducer::Sum), ("own", Reducer::LastValue)],
        "add",
        [("add", set([("n", "1"), ("own", "state.n")], "end"))],
    );
    let sub = |then: &str| FlowStep::Graph { graph: "inner".to_owned(), then: then.to_owned() };
    let outer = flow(
        "outer",
        [("n", Reducer::Sum), ("note", Reducer::LastValue)],
        "first",
        [
            ("first", sub("again")),
            ("again", sub("say")),
            ("say", set([("note", "state.n")], "end")),
        ],
    );
    let state = state_after(&compiled([outer, inner]), &MemorySaver::default(), "run", "hi").await;
    assert_eq!((&state["state.n"], &state["state.note"]), (&json!(2), &json!(2)));
    assert_eq!((&state["state.first/own"], &state["state.again/own"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn what_is_told_is_in_exactly_one_checkpoint() {
    let graph = compiled([flow(
        "telling",
        [("n", Reducer::LastValue)],
        "a",
        [
            ("a", tell("You said {{ input }}.", "b")),
            ("b", set([("n", "1")], "c")),
            ("c", tell("Bye.", "end")),
        ],
    )]);
    let saver = MemorySaver::default();
    for (id, text) in [("run_1", "one"), ("run_2", "two")] {
        state_after(&graph, &saver, id, text).await;
    }
    let told: Vec<_> = saver.kept().checkpoints.iter().flat_map(told_since).collect();
    assert_eq!(told, ["You said one.", "Bye.", "You said two.", "Bye."]);
}

fn guarded(start: &str) -> Graph {
    compiled([flow(
        "guarded",
        [("result", Reducer::LastValue)],
        start,
        [
            ("gate", approval("pay", "no")),
            ("pay", call("yes", "no")),
            ("yes", tell("Paid.", "end")),
            ("no", tell("Not paid.", "end")),
        ],
    )])
}

#[tokio::test]
async fn an_approval_asks_about_the_call_itself_and_the_call_asks_nothing_more() {
    for (status, told) in [
        (CallStatus::Succeeded, "Paid."),
        (CallStatus::Failed, "Not paid."),
        (CallStatus::Rejected, "Not paid."),
        (CallStatus::NotStarted, "Not paid."),
    ] {
        let (graph, saver) = (guarded("gate"), MemorySaver::default());
        let asked = run(&graph, &saver, "run", says("tea")).await.expect("it asks");
        let RunEnd::Interrupted { interrupts, .. } = asked else { panic!("{asked:?}") };
        let [interrupt] = interrupts.as_slice() else { panic!("{interrupts:?}") };
        let proposed: ProposedCall =
            serde_json::from_value(interrupt.value.clone()).expect("a call");
        assert_eq!(
            (proposed.call.tool.as_str(), proposed.call.arguments.as_str()),
            ("pay", "{\"what\":\"tea\"}")
        );
        let gate = proposed.site.gate.expect("people must decide it");
        assert_eq!((gate.graph.as_str(), gate.node.as_str()), ("guarded", "gate"));

        let answer = json!(CallAnswer { status, content: "{\"n\":1}".to_owned() });
        let answers = BTreeMap::from([(interrupt.id.clone(), answer)]);
        let end = run(&graph, &saver, "run", Input::Resume(answers)).await.expect("it ends");
        assert!(matches!(end, RunEnd::Finished { .. }), "{end:?}");
        let checkpoints = saver.kept().checkpoints;
        assert_eq!(
            checkpoints.iter().flat_map(told_since).collect::<Vec<_>>(),
            [told],
            "{status:?}"
        );
        if status == CallStatus::Succeeded {
            let result = &end.state().to_value()["state.result"];
            assert_eq!(result["status"], json!("succeeded"));
            assert_eq!(result["data"], json!({ "n": 1 }));
        }
    }
}

/// `check` refuses such a graph; should one run all the same, it asks nobody and makes no call.
#[tokio::test]
async fn a_call_that_is_reached_around_its_approval_is_not_made() {
    let error = run(&guarded("pay"), &MemorySaver::default(), "run", says("tea")).await;
    let RunError::Node { node, source, .. } = error.expect_err("no approval was given") else {
        panic!("another error")
    };
    assert_eq!(
        (&*node, source.to_string().as_str()),
        ("pay", "the call was reached around its approval")
    );
}

#[tokio::test]
async fn what_cannot_be_worked_out_is_neither_a_yes_nor_a_no() {
    for (when, why) in
        [("state.missing > 1", "`missing` is missing"), ("state.n", "does not answer yes or no")]
    {
        let keys = [("missing", Reducer::LastValue), ("n", Reducer::Sum)];
        let graph = compiled([flow("b", keys, "b", [("b", branch(when, "end", "end"))])]);
        let error = run(&graph, &MemorySaver::default(), "run", says("hi")).await.expect_err(when);
        let RunError::Node { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains(why), "{source}");
    }
}

#[test]
fn every_change_of_a_graph_is_another_graph() {
    let graph = |text: &str, then: &str, reducer: Reducer, guard: &str| {
        let nodes = [
            ("say", tell(text, then)),
            ("pick", branch(guard, "say", "end")),
            ("rest", set([("n", "1")], "end")),
        ];
        compiled([flow("g", [("n", reducer)], "say", nodes)]).definition_hash()
    };
    let same = graph("hi", "pick", Reducer::Sum, "true");
    assert_eq!(same, graph("hi", "pick", Reducer::Sum, "true"));
    for other in [
        graph("ho", "pick", Reducer::Sum, "true"),
        graph("hi", "rest", Reducer::Sum, "true"),
        graph("hi", "pick", Reducer::LastValue, "true"),
        graph("hi", "pick", Reducer::Sum, "false"),
    ] {
        assert_ne!(same, other);
    }
}

fn asks(agent: &str, prompt: &str, then: &str) -> FlowStep {
    FlowStep::Agent {
        agent: agent.to_owned(),
        prompt: prompt.to_owned(),
        into: Some(agent.to_owned()),
        then: then.to_owned(),
    }
}

/// An agent that follows a script.
fn clerk(name: &str, script: &str, answer: Option<Value>) -> (String, CrewMember) {
    let spec = AgentSpec {
        name: name.to_owned(),
        instructions: String::new(),
        tools: Vec::new(),
        answer,
        budget: Budget::default(),
    };
    let model =
        Arc::new(ScriptedModel::read(script, Arc::new(SystemClock)).expect("a good script"));
    (name.to_owned(), CrewMember { spec, model })
}

#[tokio::test]
async fn each_agent_has_its_own_conversation_and_its_calls_are_asked_in_its_name() {
    let script = "rules:\n  - when: { says: 'draft (?<what>\\w+)' }\n    say: '{\"what\": \"{{ what }}\"}'\n";
    let checks = "rules:\n  \
        - when: { says: 'is (?<what>\\w+) good' }\n    say: Let me look.\n    \
          call: [{ tool: look, arguments: '{\"what\": \"{{ what }}\"}' }]\n  \
        - when: { tool: look, status: succeeded }\n    say: '{{ result.content }}'\n";
    let crew: Crew = [
        clerk("drafter", script, Some(json!({ "type": "object", "required": ["what"] }))),
        clerk("checker", checks, None),
    ]
    .into();
    let keys = [("drafter", Reducer::LastValue), ("checker", Reducer::Append)];
    let nodes = [
        ("first", asks("drafter", "draft {{ input }}", "second")),
        ("second", asks("checker", "is {{ state.drafter.what }} good", "end")),
    ];
    let flows = BTreeMap::from([("two".to_owned(), flow("two", keys, "first", nodes))]);
    let graph = compile_flow(&flows, "two", &crew).expect("a sound graph");

    let saver = MemorySaver::default();
    let asked = run(&graph, &saver, "run", says("tea")).await.expect("it asks");
    let RunEnd::Interrupted { interrupts, .. } = asked else { panic!("{asked:?}") };
    let proposed: ProposedCall =
        serde_json::from_value(interrupts[0].value.clone()).expect("a call");
    assert_eq!(proposed.call.arguments, "{\"what\": \"tea\"}");
    assert_eq!(proposed.site.agent.as_deref(), Some("checker"));
    assert_eq!(proposed.site.node.as_deref(), Some("second/approval"));
    assert_eq!(proposed.site.gate, None);

    let answer = json!(CallAnswer { status: CallStatus::Succeeded, content: "fine".to_owned() });
    let answers = BTreeMap::from([(interrupts[0].id.clone(), answer)]);
    let end = run(&graph, &saver, "run", Input::Resume(answers)).await.expect("it ends");
    let state = end.state().to_value();
    assert_eq!(state["state.drafter"], json!({ "what": "tea" }));
    assert_eq!(state["state.checker"], json!(["fine"]));
    assert_eq!(
        state["messages"].as_array().map(Vec::len),
        Some(1),
        "what people wrote, and no more"
    );
}
