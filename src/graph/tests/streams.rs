//! The forms in which a run is followed, from its events.

use super::stream::{Chunk, EventsV2, Mode, Shaper, Subgraphs};
use super::*;

/// Shapes while the run goes on, as a reader would.
struct Reader {
    shaper: Mutex<Shaper>,
    log: Mutex<EventsV2>,
    chunks: Mutex<Vec<Chunk>>,
    told: Mutex<Vec<Value>>,
}

impl Reader {
    fn of(modes: &[Mode], subgraphs: Subgraphs) -> Arc<Self> {
        Arc::new(Self {
            shaper: Mutex::new(Shaper::new(modes.iter().copied(), subgraphs)),
            log: Mutex::new(EventsV2::new("run")),
            chunks: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// `NAMESPACE mode: data` of each chunk since this was last asked.
    fn take(&self) -> Vec<String> {
        let chunks = std::mem::take(&mut *self.chunks.lock().expect("not poisoned"));
        let line = |chunk: Chunk| {
            let names = chunk.namespace.iter().map(|part| part.split(':').next().unwrap_or(part));
            let namespace = names.collect::<Vec<_>>().join("|");
            let data = serde_json_canonicalizer::to_string(&chunk.data).expect("plain data");
            format!("{namespace} {}: {data}", chunk.mode).trim_start().to_owned()
        };
        chunks.into_iter().map(line).collect()
    }

    fn events(&self) -> Vec<String> {
        let told = self.told.lock().expect("not poisoned");
        told.iter().map(|e| format!("{} {}", e["event"], e["name"]).replace('"', "")).collect()
    }
}

impl EventSink for Reader {
    fn event(&self, event: Event<'_>) {
        let chunks = self.shaper.lock().expect("not poisoned").shape(&event);
        self.chunks.lock().expect("not poisoned").extend(chunks);
        let told = self.log.lock().expect("not poisoned").shape(&event);
        self.told.lock().expect("not poisoned").extend(told);
    }
}

/// A graph within speaks and asks; then `z` logs.
fn speaking() -> Graph {
    let within = GraphBuilder::new("within")
        .key("log", Reducer::Append)
        .node("s", |ctx: Context, _: State| async move {
            ctx.emit(&json!("hello"));
            let answer = ctx.interrupt("sure?")?;
            Ok(Update::none().set("log", json!([answer])))
        })
        .edge(START, "s")
        .build()
        .expect("it builds");
    graph()
        .subgraph("sub", Arc::new(within))
        .node("z", logs())
        .edge(START, "sub")
        .edge("sub", "z")
        .build()
        .expect("it builds")
}

async fn follow(
    graph: &Graph,
    saver: &MemorySaver,
    input: Input,
    reader: &Arc<Reader>,
) -> Result<RunEnd, RunError> {
    let options = RunOptions::of_run("run").timer(Arc::new(ManualTimer::default()));
    graph.run(input, Arc::new(saver.clone()), reader.clone(), options).await
}

#[tokio::test]
async fn modes_are_shown_as_langgraph_shows_them_with_the_graphs_within_if_asked() {
    let modes = [Mode::Values, Mode::Updates, Mode::Custom];
    let (graph, saver) = (speaking(), MemorySaver::default());
    let reader = Reader::of(&modes, Subgraphs::Shown);
    let asked = open(follow(&graph, &saver, Input::New(json!({"n": 1})), &reader).await);
    let id = &asked["sure?"];
    let state = r#"{"facts":{},"log":[],"n":1}"#;
    let question = format!(r#"[{{"id":"{id}","value":"sure?"}}]"#);
    assert_eq!(
        reader.take(),
        [
            format!("values: {state}"),
            r#"sub values: {"log":[]}"#.to_owned(),
            r#"sub custom: "hello""#.to_owned(),
            format!(r#"sub updates: {{"__interrupt__":{question}}}"#),
            format!(r#"sub values: {{"__interrupt__":{question},"log":[]}}"#),
            format!(r#"updates: {{"__interrupt__":{question}}}"#),
            format!(r#"values: {{"__interrupt__":{question},"facts":{{}},"log":[],"n":1}}"#),
        ]
    );
    let reader = Reader::of(&modes, Subgraphs::Hidden);
    let answer = resume([(id, json!("yes"))]);
    assert_eq!(finished(follow(&graph, &saver, answer, &reader).await), json!(["yes", "z"]));
    assert_eq!(
        reader.take(),
        [
            format!("values: {state}"),
            r#"updates: {"sub":{"log":["yes"]}}"#.to_owned(),
            r#"values: {"facts":{},"log":["yes"],"n":1}"#.to_owned(),
            r#"updates: {"z":{"log":["z"]}}"#.to_owned(),
            r#"values: {"facts":{},"log":["yes","z"],"n":1}"#.to_owned(),
        ]
    );
}

#[tokio::test]
async fn the_event_log_opens_and_closes_what_runs() {
    let graph = graph().node("a", logs()).conditional_edge("a", |_: &State| END);
    let graph = graph.edge(START, "a").build().expect("it builds");
    let reader = Reader::of(&[], Subgraphs::Hidden);
    follow(&graph, &MemorySaver::default(), nothing(), &reader).await.expect("it ends");
    assert_eq!(
        reader.events(),
        [
            "on_chain_start test",
            "on_chain_start a",
            "on_chain_start route_0",
            "on_chain_end route_0",
            "on_chain_stream a",
            "on_chain_end a",
            "on_chain_stream test",
            "on_chain_end test",
        ]
    );
}
