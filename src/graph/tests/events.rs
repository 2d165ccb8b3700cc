//! What a run tells, as a transcript.

use super::*;

#[derive(Default)]
struct Transcript(Mutex<Vec<String>>);

impl EventSink for Transcript {
    fn event(&self, event: Event<'_>) {
        let line = match event {
            Event::SuperstepStarted { step, nodes } => {
                format!("{step} begins: {}", nodes.join(" "))
            }
            Event::NodeStarted { step, node } => format!("{step} {node} begins"),
            Event::Token { step, node, text } => format!("{step} {node} says {text}"),
            Event::Custom { step, node, value } => format!("{step} {node} tells {value}"),
            Event::NodeFinished { step, node, update, cached } => {
                let keys: Vec<_> = update.writes().map(|(key, _)| key).collect();
                let how = if cached { "was done before" } else { "is done" };
                format!("{step} {node} {how}: {}", keys.join(" "))
            }
            Event::NodeInterrupted { step, node, interrupts } => {
                let asked: Vec<_> = interrupts.iter().map(|open| open.value.to_string()).collect();
                format!("{step} {node} asks {}", asked.join(" "))
            }
            Event::NodeFailed { step, node } => format!("{step} {node} failed"),
            Event::SuperstepFinished { step, state } => {
                format!("{step} ends: {}", state.to_value()["log"])
            }
        };
        self.0.lock().expect("not poisoned").push(line);
    }
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
    let limits = || Limits::of_run("run");
    let asked = open(graph.run(nothing(), &saver, events.clone(), limits()).await);
    let answer = resume([(&asked["sure?"], json!("yes"))]);
    graph.run(answer, &saver, events.clone(), limits()).await.expect_err("the last node fails");
    assert_eq!(
        *events.0.lock().expect("not poisoned"),
        [
            "1 begins: ask speak",
            "1 ask begins",
            "1 ask asks \"sure?\"",
            "1 speak begins",
            "1 speak says hel",
            "1 speak says lo",
            "1 speak tells {\"done\":1}",
            "1 speak is done: log n",
            "1 begins: ask speak",
            "1 ask begins",
            "1 ask is done: log",
            "1 speak was done before: log n",
            "1 ends: [\"yes\",\"hello\"]",
            "2 begins: fail",
            "2 fail begins",
            "2 fail failed",
        ]
    );
}
