//! What a run tells, as a transcript.

use super::*;

#[derive(Default)]
struct Transcript(Mutex<Vec<String>>);

impl EventSink for Transcript {
    fn event(&self, event: Event<'_>) {
        let line = match event {
            Event::SuperstepStarted { step, tasks, .. } => {
                let nodes: Vec<_> = tasks.iter().map(|start| &*start.task.node).collect();
                format!("{step} begins: {}", nodes.join(" "))
            }
            Event::NodeStarted { task, .. } => format!("{} {} begins", task.step, task.node),
            Event::Token { task, text } => format!("{} {} says {text}", task.step, task.node),
            Event::Custom { task, value } => format!("{} {} tells {value}", task.step, task.node),
            Event::NodeFinished { task, update, .. } => {
                format!("{} {} is done: {}", task.step, task.node, keys(update))
            }
            Event::NodeCached { task, update } => {
                format!("{} {} was done before: {}", task.step, task.node, keys(update))
            }
            Event::NodeInterrupted { task, interrupts, .. } => {
                let asked: Vec<_> = interrupts.iter().map(|open| open.value.to_string()).collect();
                format!("{} {} asks {}", task.step, task.node, asked.join(" "))
            }
            Event::NodeFailed { task, error } => {
                format!("{} {} failed: {}", task.step, task.node, error.message)
            }
            Event::SuperstepFinished { step, state, .. } => {
                format!("{step} ends: {}", state.to_value()["log"])
            }
            Event::RunStarted { input, .. } => format!("starts with {}", json!(input)),
            Event::Resumed { state, .. } => format!("goes on from {}", state.to_value()["log"]),
            Event::Planned { checkpoint } => {
                let names: Vec<_> = checkpoint.tasks.iter().map(|task| &*task.name).collect();
                format!("{} is planned upon: {}", checkpoint.step, names.join(" "))
            }
            Event::Suspended { state, .. } => format!("waits at {}", state.to_value()["log"]),
            Event::RunFailed { error, .. } => format!("fails: {}", error.message),
            other => format!("{other:?}"),
        };
        self.0.lock().expect("not poisoned").push(line);
    }
}

fn keys(update: &Update) -> String {
    update.writes().map(|(key, _)| key).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_run_tells_what_happens_as_it_happens() {
    let speaks = |ctx: Context, _: State| async move {
        ctx.token("hel");
        ctx.token("lo");
        ctx.emit(&json!({"done": 1}));
        Ok(Update::none().set("log", json!(["hello"])).set("n", 1))
    };
    let effects = Effects::default();
    let graph = graph()
        .node("ask", asks(&effects, &["sure?"]))
        .node("speak", speaks)
        .node("fail", |_: Context, _: State| async { Err(NodeError::message("no")) })
        .edge(START, "ask")
        .edge(START, "speak")
        .edge("ask", "fail")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let events = Arc::new(Transcript::default());
    let limits = || RunOptions::of_run("run");
    let kept = || Arc::new(saver.clone());
    let asked = open(graph.run(nothing(), kept(), events.clone(), limits()).await);
    let answer = resume([(&asked["sure?"], json!("yes"))]);
    graph.run(answer, kept(), events.clone(), limits()).await.expect_err("the last node fails");
    assert_eq!(
        *events.0.lock().expect("not poisoned"),
        [
            "starts with {}",
            "-1 is planned upon: __start__",
            "0 ends: []",
            "0 is planned upon: ask speak",
            "1 begins: ask speak",
            "1 ask begins",
            "1 ask asks \"sure?\"",
            "1 speak begins",
            "1 speak says hel",
            "1 speak says lo",
            "1 speak tells {\"done\":1}",
            "1 speak is done: log n",
            "waits at [\"hello\"]",
            "starts with null",
            "goes on from []",
            "0 is planned upon: ask speak",
            "1 begins: ask speak",
            "1 speak was done before: log n",
            "1 ask begins",
            "1 ask is done: log",
            "1 ends: [\"yes\",\"hello\"]",
            "1 is planned upon: fail",
            "2 begins: fail",
            "2 fail begins",
            "2 fail failed: no",
            "fails: no",
        ]
    );
}
