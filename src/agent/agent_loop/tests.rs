//! The whole loop: a scripted model, the real graph, a saver in memory, and the test as the desk
//! that answers the interrupts.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::agent::{CallStatus, ModelError, Reply, ScriptedModel, Stop, Usage};
use crate::base::SystemClock;
use crate::graph::{Event, EventSink, Input, Interrupt, MemorySaver, RunEnd, RunError, RunOptions};

const SCRIPT: &str = r#"
    rules:
      - when: { says: 'refund (?<order>\d+)' }
        say: I look up order {{ order }} first.
        call: [{ tool: orders.lookup, arguments: '{"order": "{{ order }}"}' }]
      - when: { tool: orders.lookup, status: succeeded }
        say: It was paid with {{ result.data.charge }}.
        call: [{ tool: payments.refund, arguments: '{"charge":"{{ result.data.charge }}"}' }]
      - when: { tool: payments.refund, status: rejected }
        say: "They said no: {{ result.content }}"
      - when: { tool: payments.refund, status: expired }
        say: Nobody answered.
      - when: { says: 'both' }
        call: [{ tool: a, arguments: 'one' }, { tool: b, arguments: 'two' }]
      - when: { tool: b }
        say: "b came back: {{ result.content }}"
"#;

/// A thread with one agent.
struct Thread {
    graph: Graph,
    saver: MemorySaver,
    heard: Arc<Heard>,
    run: &'static str,
}

#[derive(Default)]
struct Heard(Mutex<String>);

impl EventSink for Heard {
    fn event(&self, event: Event<'_>) {
        if let Event::Token { text, .. } = event {
            self.0.lock().expect("nobody panicked").push_str(text);
        }
    }
}

impl Thread {
    fn with(model: impl Model + 'static) -> Self {
        let (name, instructions) = ("ops".to_owned(), "Help.".to_owned());
        let spec = AgentSpec { name, instructions, tools: Vec::new() };
        let graph = agent_graph(spec, Arc::new(model)).expect("a sound graph");
        let (saver, heard) = (MemorySaver::default(), Arc::default());
        Self { graph, saver, heard, run: "run_1" }
    }

    fn scripted() -> Self {
        Self::with(ScriptedModel::read(SCRIPT, Arc::new(SystemClock)).expect("a good script"))
    }

    async fn go(&self, input: Input) -> Result<RunEnd, RunError> {
        let options =
            RunOptions::of_run(self.run).supersteps(std::num::NonZeroU32::new(200).expect("200"));
        self.graph.run(input, Arc::new(self.saver.clone()), self.heard.clone(), options).await
    }

    async fn says(&self, text: &str) -> RunEnd {
        let input = agent_input(text, Some("mia".to_owned())).expect("an input");
        self.go(Input::New(input)).await.expect("the run goes on")
    }

    async fn answers(&self, answers: &[(&Interrupt, CallStatus, &str)]) -> RunEnd {
        let answer = |(interrupt, status, content): &(&Interrupt, CallStatus, &str)| {
            let answer = CallAnswer { status: *status, content: (*content).to_owned() };
            (interrupt.id.clone(), serde_json::to_value(answer).expect("plain data"))
        };
        let answers = answers.iter().map(answer).collect::<BTreeMap<_, _>>();
        self.go(Input::Resume(answers)).await.expect("the run goes on")
    }
}

fn asked(end: &RunEnd) -> &[Interrupt] {
    let RunEnd::Interrupted { interrupts, .. } = end else { panic!("it should ask: {end:?}") };
    interrupts
}

fn proposed(interrupt: &Interrupt) -> ProposedCall {
    serde_json::from_value(interrupt.value.clone()).expect("a proposed call")
}

fn reply(end: &RunEnd) -> String {
    let RunEnd::Finished { state } = end else { panic!("it should be finished: {end:?}") };
    last_reply(state).expect("the agent had the last word").0
}

#[tokio::test]
async fn from_a_message_over_two_calls_to_the_reply() {
    let thread = Thread::scripted();
    let lookup = thread.says("refund 1042").await;
    let call = ToolCall {
        id: "call_1".to_owned(),
        tool: "orders.lookup".to_owned(),
        arguments: r#"{"order": "1042"}"#.to_owned(),
    };
    let claim = Some("I look up order 1042 first.".to_owned());
    assert_eq!(proposed(&asked(&lookup)[0]), ProposedCall { call, claim });
    let found = (&asked(&lookup)[0], CallStatus::Succeeded, r#"{"charge":"ch_7"}"#);
    let refund = thread.answers(&[found]).await;
    assert_eq!(proposed(&asked(&refund)[0]).call.arguments, r#"{"charge":"ch_7"}"#);
    let no = (&asked(&refund)[0], CallStatus::Rejected, "too much");
    let end = thread.answers(&[no]).await;
    assert_eq!(reply(&end), "They said no: too much");
    let said = "I look up order 1042 first.It was paid with ch_7.They said no: too much";
    assert_eq!(*thread.heard.0.lock().expect("nobody panicked"), said);
}

#[tokio::test]
async fn calls_of_one_turn_are_asked_and_answered_one_by_one() {
    let thread = Thread::scripted();
    let both = thread.says("both").await;
    let [a, b] = asked(&both) else { panic!("two questions") };
    assert_eq!((proposed(a).call.arguments, proposed(b).claim), ("one".to_owned(), None));
    let still = thread.answers(&[(b, CallStatus::Succeeded, "of b")]).await;
    assert_eq!(asked(&still).iter().map(|open| &open.id).collect::<Vec<_>>(), [&a.id]);
    let end = thread.answers(&[(a, CallStatus::Denied, "of a")]).await;
    assert_eq!(reply(&end), "b came back: of b");
    let messages: Vec<Message> = end.state().get(MESSAGES).expect("messages");
    let results: Vec<_> = messages
        .into_iter()
        .filter_map(|message| match message {
            Message::Tool { tool, status, .. } => Some((tool, status)),
            Message::Human { .. } | Message::Assistant { .. } => None,
        })
        .collect();
    let expected = [("a".to_owned(), CallStatus::Denied), ("b".to_owned(), CallStatus::Succeeded)];
    assert_eq!(results, expected);
}

#[tokio::test]
async fn a_resume_that_is_no_answer_tells_the_model_nothing() {
    let thread = Thread::scripted();
    let lookup = thread.says("refund 1").await;
    let forged = json!({ "approved": true });
    let resumed = Input::Resume([(asked(&lookup)[0].id.clone(), forged)].into());
    let error = thread.go(resumed).await.expect_err("it is no answer");
    assert!(matches!(error, RunError::Node { .. }), "{error:?}");
}

#[tokio::test]
async fn the_thread_remembers_what_was_said_before() {
    let mut thread = Thread::scripted();
    let lookup = thread.says("refund 1").await;
    thread.answers(&[(&asked(&lookup)[0], CallStatus::Failed, "no such order")]).await;
    thread.run = "run_2";
    let again = thread.says("refund 2").await;
    assert_eq!(proposed(&asked(&again)[0]).call.id, "call_2");
    let messages: Vec<Message> = again.state().get(MESSAGES).expect("messages");
    assert_eq!(messages.len(), 6);
}

#[tokio::test]
async fn a_giant_result_is_cut_off_before_it_is_remembered() {
    let thread = Thread::scripted();
    let lookup = thread.says("refund 1").await;
    let giant = "x".repeat(1_000_000);
    let end = thread.answers(&[(&asked(&lookup)[0], CallStatus::Failed, &giant)]).await;
    let size = serde_json::to_string(&end.state().to_value()).expect("plain data").len();
    assert!(size < 3 * MAX_CONTENT, "{size} bytes");
}

/// A model that calls the same tool for ever, after it failed once.
#[derive(Default)]
struct Stubborn {
    asked: AtomicUsize,
}

impl Model for Stubborn {
    fn name(&self) -> &str {
        "stubborn"
    }

    fn answer<'a>(
        &'a self,
        _: &'a Prompt,
        _: &'a dyn TokenSink,
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let id = format!("call_{asked}");
        let call = ToolCall { id, tool: "again".to_owned(), arguments: String::new() };
        let reply = if asked == 0 {
            Err(ModelError::Unavailable { why: "HTTP 503".to_owned(), retry_after: None })
        } else {
            let (text, usage) = (String::new(), Usage::default());
            Ok(Reply { text, calls: vec![call], usage, stop: Stop::ToolCalls })
        };
        Box::pin(std::future::ready(reply))
    }
}

#[tokio::test]
async fn a_failed_model_fails_the_run_which_can_go_on_and_does_not_go_on_for_ever() {
    let thread = Thread::with(Stubborn::default());
    let input = agent_input("go", None).expect("an input");
    let error = thread.go(Input::New(input)).await.expect_err("the model is down");
    let RunError::Node { source, .. } = &error else { panic!("{error:?}") };
    let unavailable = source.downcast_ref::<ModelError>();
    assert!(matches!(unavailable, Some(ModelError::Unavailable { .. })), "{source:?}");
    let mut end = thread.go(Input::Continue).await.expect("it is up again");
    let mut calls = 0;
    while let RunEnd::Interrupted { interrupts, .. } = &end {
        calls += 1;
        end = thread.answers(&[(&interrupts[0], CallStatus::Invalid, "no such tool")]).await;
    }
    assert_eq!(calls, MAX_CALLS);
    assert!(reply(&end).starts_with("I stop here"), "{end:?}");
}
