//! Graphs within graphs: what they share, what they remember, and how a question within goes on.

use super::*;

/// `s1` logs, `s2` asks and logs the answer.
fn within(effects: &Effects, memory: Memory) -> GraphBuilder {
    let notes = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            effects.note(ctx.node());
            std::future::ready(Ok(Update::none().set("log", json!(["s1"]))))
        }
    };
    GraphBuilder::new("within")
        .key("log", Reducer::Append)
        .key("private", Reducer::LastValue)
        .node("s1", notes)
        .node("s2", asks(effects, &["within?"]))
        .edge(START, "s1")
        .edge("s1", "s2")
        .memory(memory)
}

fn around(inner: Graph) -> Graph {
    GraphBuilder::new("around")
        .key("log", Reducer::LastValue)
        .subgraph("sub", Arc::new(inner))
        .node("z", |_: Context, state: State| async move {
            let mut log: Vec<Value> = state.get("log")?;
            log.push(json!("z"));
            Ok(Update::none().set("log", log))
        })
        .edge(START, "sub")
        .edge("sub", "z")
        .build()
        .expect("it builds")
}

#[tokio::test]
async fn a_question_within_surfaces_and_goes_on_without_repeating_what_is_done() {
    let effects = Effects::default();
    let graph = around(within(&effects, Memory::Inherit).build().expect("it builds"));
    let saver = MemorySaver::default();
    let input = Input::New(json!({"log": ["in"]}));
    let asked = open(run(&graph, &saver, "run", input).await);
    assert_eq!(effects.take(), ["s1", "s2"]);
    let inner = graph.state_with_subgraphs(&saver, &At::latest()).await.expect("a state");
    assert_eq!(inner.interrupts.len(), 1);
    let inner = inner.tasks[0].inner.as_ref().expect("the graph within has a state");
    assert_eq!(inner.values.to_value()["log"], json!(["in", "s1"]));
    assert_eq!(inner.interrupts[0].id, asked["within?"], "the same question, the same id");

    let answer = resume([(&asked["within?"], json!("yes"))]);
    let end = run(&graph, &reborn(&saver), "run", answer).await.expect("it ends");
    assert_eq!(end.state().to_value()["log"], json!(["in", "s1", "yes", "z"]));
    assert_eq!(effects.take(), ["s2"], "what was finished within does not run again");
    assert_eq!(saver.kept().consumed, [""; 0], "the other process consumed it");
}

#[tokio::test]
async fn an_answer_that_the_saver_recorded_reaches_a_question_within() {
    let effects = Effects::default();
    let graph = around(within(&effects, Memory::Inherit).build().expect("it builds"));
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", Input::New(json!({"log": []}))).await);
    assert!(saver.answer(&asked["within?"], "yes"));
    let turns = Turns { kept: saver, consumed: Arc::default() };
    let end = run(&graph, &turns, "run", Input::Continue).await.expect("it ends");
    assert_eq!(end.state().to_value()["log"], json!(["s1", "yes", "z"]));
    let consumed = turns.consumed.lock().expect("not poisoned").clone();
    assert_eq!(consumed, [asked["within?"].clone()], "once, though two graphs saw the answer");
}

/// Notes what the turns of all graphs consume.
#[derive(Clone)]
struct Turns {
    kept: MemorySaver,
    consumed: Arc<Mutex<Vec<String>>>,
}

impl Saver for Turns {
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        self.kept.load(at)
    }

    fn history<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        self.kept.history(namespace)
    }

    fn save(&self, turns: Vec<Turn>) -> BoxFuture<'_, Result<(), SaveError>> {
        let consumed = turns.iter().flat_map(|turn| turn.consumed.clone());
        self.consumed.lock().expect("not poisoned").extend(consumed);
        self.kept.save(turns)
    }
}

#[tokio::test]
async fn a_graph_that_keeps_nothing_starts_over_after_a_question() {
    let effects = Effects::default();
    let graph = around(within(&effects, Memory::Nothing).build().expect("it builds"));
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", Input::New(json!({"log": []}))).await);
    let answer = resume([(&asked["within?"], json!("yes"))]);
    let end = run(&graph, &reborn(&saver), "run", answer).await.expect("it ends");
    assert_eq!(end.state().to_value()["log"], json!(["s1", "yes", "z"]));
    assert_eq!(effects.take(), ["s1", "s2", "s1", "s2"]);
    assert!(saver.kept().checkpoints.iter().all(|kept| kept.namespace.is_empty()));
}

#[tokio::test]
async fn a_graph_with_memory_of_its_own_goes_on_from_its_last_run() {
    let counts = |memory| {
        let inner = GraphBuilder::new("within")
            .key("seen", Reducer::Sum)
            .key("log", Reducer::LastValue)
            .node("s", |_: Context, state: State| async move {
                let seen: i64 = state.get("seen")?;
                Ok(Update::none().set("seen", 1).set("log", json!([seen + 1])))
            })
            .edge(START, "s")
            .memory(memory)
            .build()
            .expect("it builds");
        around(inner)
    };
    for (memory, second) in [(Memory::Inherit, 1), (Memory::Own, 2)] {
        let (graph, saver) = (counts(memory), MemorySaver::default());
        for (id, seen) in [("r1", 1), ("r2", second)] {
            let end = run(&graph, &saver, id, Input::New(json!({"log": []}))).await;
            let log = end.expect("it ends").state().to_value()["log"].clone();
            assert_eq!(log, json!([seen, "z"]), "{memory:?} in {id}");
        }
    }
}

#[tokio::test]
async fn a_graph_called_from_code_goes_on_where_it_was_and_its_caller_starts_again() {
    let effects = Effects::default();
    let inner = Arc::new(within(&effects, Memory::Inherit).build().expect("it builds"));
    let calls = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            let (inner, effects) = (Arc::clone(&inner), effects.clone());
            async move {
                effects.note("before");
                let first = ctx.call(&inner, json!({"log": ["one"]})).await?;
                effects.note("between");
                let second = ctx.call(&inner, json!({"log": ["two"]})).await?;
                let logs: [Value; 2] = [first.get("log")?, second.get("log")?];
                Ok(Update::none().set("log", logs.to_vec()))
            }
        }
    };
    let graph = graph().node("a", calls).edge(START, "a").build().expect("it builds");
    let saver = MemorySaver::default();
    let first = open(run(&graph, &saver, "run", nothing()).await);
    assert_eq!(effects.take(), ["before", "s1", "s2"]);
    let answer = resume([(&first["within?"], json!(1))]);
    let second = open(run(&graph, &saver, "run", answer.clone()).await);
    assert_ne!(first, second, "two calls of one graph ask under ids of their own");
    assert_eq!(effects.take(), ["before", "s2", "between", "s1", "s2"]);
    let doubled = failure(run(&graph, &saver, "run", answer).await);
    assert_eq!(doubled, format!("no open question has the id {}", first["within?"]));
    let answer = resume([(&second["within?"], json!(2))]);
    let end = run(&graph, &reborn(&saver), "run", answer).await;
    assert_eq!(finished(end), json!([["one", "s1", 1], ["two", "s1", 2]]));
    assert_eq!(effects.take(), ["before", "between", "s2"], "what ended is not run again");
}

#[tokio::test]
async fn a_failure_within_goes_on_within() {
    let tries = Arc::new(Mutex::new(0));
    let effects = Effects::default();
    let fails_once = move |_: Context, _: State| {
        let mut tries = tries.lock().expect("not poisoned");
        *tries += 1;
        std::future::ready(match *tries {
            1 => Err(NodeError::of_kind("Boom", "no luck")),
            _ => Ok(Update::none().set("log", json!(["mended"]))),
        })
    };
    let inner = GraphBuilder::new("within")
        .key("log", Reducer::Append)
        .node("s1", {
            let effects = effects.clone();
            move |ctx: Context, _: State| {
                effects.note(ctx.node());
                std::future::ready(Ok(Update::none().set("log", json!(["s1"]))))
            }
        })
        .node("s2", fails_once)
        .edge(START, "s1")
        .edge("s1", "s2");
    let graph = around(inner.build().expect("it builds"));
    let saver = MemorySaver::default();
    let error = run(&graph, &saver, "run", Input::New(json!({"log": []}))).await;
    let error = error.expect_err("the node within fails");
    assert_eq!(error.kind(), "Boom", "what went wrong is told, however deep");
    let end = run(&graph, &reborn(&saver), "run", Input::Continue).await.expect("it ends");
    assert_eq!(end.state().to_value()["log"], json!(["s1", "mended", "z"]));
    assert_eq!(effects.take(), ["s1"]);
}

#[tokio::test]
async fn a_pause_within_pauses_the_run_and_going_on_passes_it_once() {
    let effects = Effects::default();
    let inner = GraphBuilder::new("within")
        .key("log", Reducer::Append)
        .node("s1", logs())
        .node("s2", logs())
        .edge(START, "s1")
        .edge("s1", "s2")
        .interrupt_before(["s2"]);
    let graph = around(inner.build().expect("it builds"));
    let saver = MemorySaver::default();
    let end = run(&graph, &saver, "run", Input::New(json!({"log": []}))).await;
    assert!(matches!(&end, Ok(RunEnd::Paused { next, .. }) if *next == ["sub".into()]), "{end:?}");
    assert_eq!(saver.kept().statuses.last(), Some(&TurnStatus::Paused));
    let end = run(&graph, &reborn(&saver), "run", Input::Continue).await.expect("it ends");
    assert_eq!(end.state().to_value()["log"], json!(["s1", "s2", "z"]));
    assert_eq!(effects.take(), [""; 0]);
}

#[tokio::test]
async fn a_command_to_the_parent_ends_the_graph_within_and_applies_around() {
    let hands = Update::to_parent(Update::none().set("log", json!(["handed"])).goto("right"));
    let inner = GraphBuilder::new("within")
        .key("log", Reducer::LastValue)
        .node("s1", writes(hands))
        .node("s2", logs())
        .edge(START, "s1")
        .edge("s1", "s2")
        .build()
        .expect("it builds");
    let inner = Arc::new(inner);
    let graph = GraphBuilder::new("around")
        .key("log", Reducer::Append)
        .subgraph("sub", Arc::clone(&inner))
        .node("right", logs())
        .edge(START, "sub")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let end = run(&graph, &saver, "run", Input::New(json!({"log": []}))).await;
    assert_eq!(finished(end), json!(["handed", "right"]));
    let alone = run(&inner, &NoSaver, "run", Input::New(json!({}))).await;
    assert_eq!(alone.expect_err("nobody is around it").kind(), "ParentCommand");
}
