//! The whole loop: a scripted model, the real graph, a saver in memory, and the test as the desk
//! that answers the interrupts.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::agent::{CallSite, CallStatus, ModelError, Money, Reply, ScriptedModel, Stop, Usage};
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

fn graph(model: Arc<dyn Model>, answer: Option<Value>, budget: Budget) -> Graph {
    let (name, instructions) = ("ops".to_owned(), "Help.".to_owned());
    let spec = AgentSpec { name, instructions, tools: Vec::new(), answer, budget };
    agent_graph(spec, model).expect("a sound graph")
}

#[derive(Default)]
struct Heard(Mutex<String>);

impl EventSink for Heard {
    fn event(&self, event: Event<'_>) {
        if let Event::ModelChunk { chunk, .. } = event {
            let text = chunk["content"].as_str().unwrap_or_default();
            self.0.lock().expect("nobody panicked").push_str(text);
        }
    }
}

impl Thread {
    fn with(model: impl Model + 'static) -> Self {
        Self::of(model, None, Budget::default())
    }

    fn of(model: impl Model + 'static, answer: Option<Value>, budget: Budget) -> Self {
        let (saver, heard) = (MemorySaver::default(), Arc::default());
        Self { graph: graph(Arc::new(model), answer, budget), saver, heard, run: "run_1" }
    }

    /// The process ends and another one takes over: only what the saver kept is left.
    fn restarted(self, model: impl Model + 'static, budget: Budget) -> Self {
        Self { graph: graph(Arc::new(model), None, budget), ..self }
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
    last_reply(&Seat::alone(), state).expect("the agent had the last word").0
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
    assert_eq!(
        proposed(&asked(&lookup)[0]),
        ProposedCall { call, claim, site: CallSite::default() }
    );
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
            Message::Human { .. } | Message::Desk { .. } | Message::Assistant { .. } => None,
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

/// A model that gives these answers and keeps what it was asked; the last answer for ever.
struct Says {
    answers: Mutex<Vec<Result<Reply, ModelError>>>,
    prompts: Arc<Mutex<Vec<Prompt>>>,
}

impl Says {
    fn new(answers: Vec<Result<Reply, ModelError>>) -> Self {
        Self { answers: Mutex::new(answers), prompts: Arc::default() }
    }
}

impl Model for Says {
    fn name(&self) -> &str {
        "says"
    }

    fn answer<'a>(
        &'a self,
        prompt: &'a Prompt,
        _: &'a dyn TokenSink,
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        self.prompts.lock().expect("nobody panicked").push(prompt.clone());
        let mut answers = self.answers.lock().expect("nobody panicked");
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(std::future::ready(answer))
    }
}

/// A reply that took 60 tokens and a quarter of a unit.
fn reply_of(text: &str, calls: Vec<ToolCall>) -> Result<Reply, ModelError> {
    Ok(Reply {
        model: "says".to_owned(),
        text: text.to_owned(),
        stop: if calls.is_empty() { Stop::Done } else { Stop::ToolCalls },
        calls,
        usage: Usage { input_tokens: 40, output_tokens: 20 },
        cost: Money::from_units(0.25).expect("an amount"),
    })
}

fn again() -> Result<Reply, ModelError> {
    let (id, tool) = ("call".to_owned(), "again".to_owned());
    reply_of("", vec![ToolCall { id, tool, arguments: String::new() }])
}

fn stopped(error: &RunError) -> Stopped {
    Stopped::of(error).unwrap_or_else(|| panic!("it failed for another reason: {error:?}"))
}

#[tokio::test]
async fn a_failed_model_fails_the_run_which_can_go_on() {
    let down = ModelError::Unavailable { why: "HTTP 503".to_owned(), retry_after: None };
    let thread = Thread::with(Says::new(vec![Err(down), reply_of("Here I am.", Vec::new())]));
    let input = agent_input("go", None).expect("an input");
    let error = thread.go(Input::New(input)).await.expect_err("the model is down");
    assert_eq!(Stopped::of(&error), None, "it may be tried again");
    let end = thread.go(Input::Continue).await.expect("it is up again");
    assert_eq!(reply(&end), "Here I am.");
}

#[tokio::test]
async fn a_model_that_goes_in_circles_is_stopped_by_its_steps() {
    let thread = Thread::with(Says::new(vec![again()]));
    let mut end = thread.says("go").await;
    let mut steps = 1;
    let error = loop {
        assert!(steps <= Budget::STEPS.get(), "it goes in circles for ever");
        let answer = CallAnswer { status: CallStatus::Invalid, content: "no".to_owned() };
        let answer = serde_json::to_value(answer).expect("plain data");
        let resumed = Input::Resume([(asked(&end)[0].id.clone(), answer)].into());
        match thread.go(resumed).await {
            Ok(next) => end = next,
            Err(error) => break error,
        }
        steps += 1;
    };
    assert_eq!(steps, Budget::STEPS.get());
    assert_eq!(stopped(&error), Stopped::Steps { limit: Budget::STEPS });
}

/// Two answers before the restart and one after it are the three that the budget allows.
#[tokio::test]
async fn a_restart_gives_a_run_no_new_purse() {
    let cost = |units| Money::from_units(units).expect("an amount");
    for (budget, expected) in [
        (
            Budget { steps: 3.try_into().expect("3"), ..Budget::default() },
            Stopped::Steps { limit: 3.try_into().expect("3") },
        ),
        (Budget { tokens: Some(180), ..Budget::default() }, Stopped::Tokens { limit: 180 }),
        (
            Budget { cost: Some(cost(0.75)), ..Budget::default() },
            Stopped::Cost { limit: cost(0.75) },
        ),
    ] {
        let mut thread = Thread::of(Says::new(vec![again()]), None, budget);
        let mut end = thread.says("go").await;
        for _ in 1..3 {
            end = thread.answers(&[(&asked(&end)[0], CallStatus::Failed, "no")]).await;
            thread = thread.restarted(Says::new(vec![again()]), budget);
        }
        let answer = CallAnswer { status: CallStatus::Failed, content: "no".to_owned() };
        let answer = serde_json::to_value(answer).expect("plain data");
        let resumed = Input::Resume([(asked(&end)[0].id.clone(), answer)].into());
        let error = thread.go(resumed).await.expect_err("its budget is used");
        assert_eq!(stopped(&error), expected);
        thread.run = "run_2";
        let fresh = Input::Restart(agent_input("go on", None).expect("an input"));
        assert!(thread.go(fresh).await.is_ok(), "the next message has a budget of its own");
    }
}

#[tokio::test]
async fn a_run_that_may_ask_nobody_any_more_ends_after_its_results_are_kept() {
    let thread = Thread::with(Says::new(vec![again()]));
    let end = thread.says("go").await;
    let answer =
        CallAnswer { status: CallStatus::OverBudget, content: "asked 12 times".to_owned() };
    let answer = serde_json::to_value(answer).expect("plain data");
    let resumed = Input::Resume([(asked(&end)[0].id.clone(), answer)].into());
    let error = thread.go(resumed).await.expect_err("it may ask nobody");
    assert_eq!(stopped(&error), Stopped::Approvals);
}

fn total() -> Value {
    json!({ "type": "object", "required": ["total"], "properties": { "total": { "type": "number" } } })
}

#[tokio::test]
async fn an_answer_without_its_form_is_mended_once() {
    let model = Says::new(vec![
        reply_of("It is four.", Vec::new()),
        reply_of("```json\n{\"total\": 4}\n```", Vec::new()),
    ]);
    let prompts = model.prompts.clone();
    let thread = Thread::of(model, Some(total()), Budget::default());
    let end = thread.says("how much?").await;
    assert_eq!(reply(&end), "{\"total\":4}");
    let prompts = prompts.lock().expect("nobody panicked");
    let [first, second] = &prompts[..] else { panic!("asked twice") };
    assert!(first.instructions.starts_with("Help.") && first.instructions.contains("\"total\""));
    let Some(Message::Desk { text }) = second.messages.last() else { panic!("{second:?}") };
    assert!(text.contains("not one JSON value"), "{text}");
}

#[tokio::test]
async fn an_answer_that_is_not_mended_fails_and_says_why() {
    let model = Says::new(vec![reply_of("{\"total\": \"four\"}", Vec::new())]);
    let thread = Thread::of(model, Some(total()), Budget::default());
    let input = agent_input("how much?", None).expect("an input");
    let error = thread.go(Input::New(input)).await.expect_err("it has no form");
    let Stopped::Shape { why } = stopped(&error) else { panic!("{error:?}") };
    assert!(why.contains("/total") && !why.contains("four"), "{why}");
}

#[tokio::test]
async fn what_a_model_declines_is_for_good() {
    for (error, expected) in [
        (
            ModelError::Declined { why: "refusal".to_owned() },
            Stopped::Declined { why: "refusal".to_owned() },
        ),
        (ModelError::TooLong { why: "cut".to_owned() }, Stopped::TooLong { why: "cut".to_owned() }),
        (ModelError::Refused { why: "key".to_owned() }, Stopped::Refused { why: "key".to_owned() }),
    ] {
        let thread = Thread::with(Says::new(vec![Err(error)]));
        let input = agent_input("go", None).expect("an input");
        let error = thread.go(Input::New(input)).await.expect_err("it declines");
        assert_eq!(stopped(&error), expected);
    }
}
