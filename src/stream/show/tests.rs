//! What the thread shows, told as events, calls and a clock.

use super::*;
use crate::stream::{ErrorCode, RunEvent};

const START: Timestamp = Timestamp::from_millis(1_795_527_000_000);

/// A thread in Slack that takes every call, and what it has been told.
struct Thread {
    show: Show,
    now: Timestamp,
    calls: Vec<String>,
    /// All text that it was told.
    text: String,
    messages: u32,
}

impl Thread {
    fn new() -> Self {
        Self {
            show: Show::default(),
            now: START,
            calls: Vec::new(),
            text: String::new(),
            messages: 0,
        }
    }

    fn tells(&mut self, events: &[RunEvent]) {
        for event in events {
            self.show.take(event);
        }
    }

    fn says(&mut self, text: &str) {
        self.tells(&[token(text)]);
    }

    /// Makes every call that is due; each goes well.
    fn settles(&mut self) -> Next {
        self.settles_with(|_| None)
    }

    fn settles_with(&mut self, mut goes: impl FnMut(&ShowCall) -> Option<Went>) -> Next {
        for _ in 0..100 {
            let Next::Call(call) = self.show.next(self.now) else {
                return self.show.next(self.now);
            };
            self.calls.push(words(&call));
            let went = goes(&call).unwrap_or_else(|| match &call {
                ShowCall::Start { .. } => {
                    self.messages += 1;
                    Went::Started { ts: format!("m{}", self.messages) }
                }
                _ => Went::Done,
            });
            if went == Went::Done {
                self.text.push_str(&text(&call));
            }
            self.show.went(&call, went, self.now);
        }
        panic!("it never settles: {:?}", self.calls)
    }

    fn passes(&mut self, span: Span) -> Next {
        self.now = self.now.plus(span);
        self.settles()
    }

    fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.calls)
    }
}

fn text(call: &ShowCall) -> String {
    let (ShowCall::Append { pieces, .. } | ShowCall::Stop { pieces, .. }) = call else {
        return String::new();
    };
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Task(_) => String::new(),
    };
    pieces.iter().map(text).collect()
}

fn words(call: &ShowCall) -> String {
    let said = |pieces: &[Piece]| {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => format!(" {text:?}"),
            Piece::Task(task) => format!(" [{} {:?}]", task.id, task.status),
        };
        pieces.iter().map(piece).collect::<String>()
    };
    match call {
        ShowCall::Start { pieces } => format!("start{}", said(pieces)),
        ShowCall::Append { ts, pieces } => format!("append {ts}{}", said(pieces)),
        ShowCall::Stop { ts, pieces, session } => format!("stop {ts}{} {session:?}", said(pieces)),
        ShowCall::TakeAway { ts } => format!("take away {ts}"),
        ShowCall::Session(session) => format!("session {session:?}"),
    }
}

fn token(text: &str) -> RunEvent {
    RunEvent::Token { content: text.to_owned() }
}

fn node(node: &str) -> RunEvent {
    RunEvent::NodeStart { node: node.to_owned() }
}

fn llm() -> RunEvent {
    RunEvent::LlmStart { model: "m".to_owned() }
}

fn asked() -> RunEvent {
    RunEvent::ApprovalRequested {
        request: "req_1".to_owned(),
        tool: "pay".to_owned(),
        input: serde_json::json!({}),
        rule: "r".to_owned(),
        decide_by: "later".to_owned(),
    }
}

fn approved() -> RunEvent {
    RunEvent::ApprovalDecided {
        request: "req_1".to_owned(),
        tool: "pay".to_owned(),
        outcome: "approved".to_owned(),
        by: None,
        reason: None,
    }
}

const SOON: Span = Span::seconds(1);

#[test]
fn a_run_from_its_first_word_over_an_approval_to_its_answer() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm()]);
    thread.settles();
    assert_eq!(
        thread.heard(),
        ["start [task-1 InProgress]"],
        "no text in a message that may get lost"
    );
    thread.says("I ");
    thread.says("propose");
    assert_eq!(thread.settles(), Next::Later(START.plus(GATHERED_FOR)), "pieces are gathered");
    thread.passes(SOON);
    assert_eq!(thread.heard(), [r#"append m1 "I propose""#]);

    thread.says(" it.");
    thread.tells(&[RunEvent::LlmEnd, RunEvent::NodeEnd { node: "agent".to_owned() }, asked()]);
    assert_eq!(thread.settles(), Next::Idle(None));
    let stop = r#"stop m1 [task-1 Complete] [task-2 Pending] " it." Suspended"#;
    assert_eq!(thread.heard(), [stop], "the session says that a human is waited for");
    assert_eq!(thread.show.shows("I propose it."), None, "that was no answer");

    thread.tells(&[approved(), RunEvent::ToolStart { tool: "pay".to_owned(), input: "".into() }]);
    thread.settles();
    assert_eq!(thread.heard(), ["start [task-2 Complete] [task-3 InProgress]"]);
    thread.tells(&[
        RunEvent::tool_end("pay", "succeeded", "ok"),
        llm(),
        token("Done."),
        RunEvent::LlmEnd,
    ]);
    thread.tells(&[RunEvent::Done]);
    assert_eq!(thread.passes(SOON), Next::Over);
    assert_eq!(thread.heard(), [r#"stop m2 [task-3 Complete] "Done." Active"#]);
    assert_eq!(thread.show.shows("Done."), Some("m2"));
    assert_eq!(thread.show.shows("Another answer"), None);
}

#[test]
fn what_is_over_before_it_could_be_shown_is_left_to_the_answer() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("Yes."), RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.settles(), Next::Over);
    assert_eq!(thread.heard(), Vec::<String>::new());
    assert_eq!(thread.show.shows("Yes."), None);
}

#[test]
fn without_a_message_the_session_still_says_that_a_human_is_waited_for() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("I propose."), RunEvent::LlmEnd, asked()]);
    assert_eq!(thread.settles(), Next::Idle(None));
    assert_eq!(thread.heard(), ["session Suspended"]);
    thread.tells(&[approved(), llm(), token("Done."), RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.settles(), Next::Over);
    assert_eq!(thread.heard(), ["session Active"]);
}

#[test]
fn a_long_answer_goes_on_in_the_next_message() {
    let mut thread = Thread::new();
    thread.tells(&[llm(), token("x")]);
    thread.settles();
    let line = "a line of words\n".repeat(100);
    let mut text = "x".to_owned();
    for _ in 0..14 {
        thread.says(&line);
        text.push_str(&line);
        thread.passes(SOON);
    }
    thread.tells(&[RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.passes(SOON), Next::Over);
    let calls = thread.heard();
    for message in ["m1", "m2", "m3"] {
        let of_message = calls.iter().filter(|call| call.contains(message));
        let length: usize = of_message.map(String::len).sum();
        assert!(length < 10_500, "{message} has {length}");
    }
    assert!(calls.last().unwrap().starts_with("stop m3"), "{calls:?}");
    assert_eq!(thread.show.shows(&text), Some("m3"));
}

#[test]
fn nothing_is_lost_or_doubled_however_it_is_cut() {
    let text = "see [this](https://evil.example) <!channel> [a][b] and 𝄞 ".repeat(500);
    let mut thread = Thread::new();
    thread.tells(&[llm()]);
    for piece in text.chars().collect::<Vec<_>>().chunks(7) {
        thread.says(&piece.iter().collect::<String>());
        thread.passes(Span::millis(200));
    }
    thread.tells(&[RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.passes(SOON), Next::Over);
    assert_eq!(thread.text, text);
}

#[test]
fn a_piece_never_ends_between_the_two_halves_of_a_link() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm()]);
    thread.settles();
    thread.says("a [word]");
    thread.passes(SOON);
    thread.says("(https://x.example)");
    thread.passes(SOON);
    let heard = thread.heard();
    assert_eq!(heard[1..], [r#"append m1 "a [word""#, r#"append m1 "](https://x.example)""#]);
}

#[test]
fn after_a_lost_answer_the_message_is_taken_away_and_its_words_are_said_anew() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm()]);
    thread.settles();
    thread.says("One ");
    thread.now = thread.now.plus(SOON);
    thread.settles_with(|call| matches!(call, ShowCall::Append { .. }).then_some(Went::Unknown));
    thread.says("two.");
    thread.passes(SOON);
    thread.tells(&[RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.passes(SOON), Next::Over);
    assert_eq!(
        thread.heard()[1..],
        [
            r#"append m1 "One ""#,
            "take away m1",
            "start [task-1 InProgress]",
            r#"append m2 "One two.""#,
            "stop m2 [task-1 Complete] Active"
        ]
    );
    assert_eq!(thread.show.shows("One two."), Some("m2"));
}

#[test]
fn taking_away_is_repeated_until_it_is_certain_and_the_answer_waits_for_it() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("One ")]);
    thread.settles();
    thread.show.was_interrupted();
    thread.tells(&[token("two."), RunEvent::LlmEnd, RunEvent::Done]);
    let lost = |call: &ShowCall| matches!(call, ShowCall::TakeAway { .. }).then_some(Went::Unknown);
    assert_eq!(thread.settles_with(lost), Next::Later(thread.now.plus(ASKED_AGAIN_AFTER)));
    assert!(thread.show.holds_the_answer_back(), "else it would be said twice");
    let gone = |call: &ShowCall| matches!(call, ShowCall::TakeAway { .. }).then_some(Went::Closed);
    thread.now = thread.now.plus(ASKED_AGAIN_AFTER);
    assert_eq!(thread.settles_with(gone), Next::Over);
    assert!(!thread.show.holds_the_answer_back());
    assert_eq!(thread.show.shows("One two."), None, "it is posted whole");
}

#[test]
fn a_message_that_cannot_be_taken_away_gets_nothing_more_and_the_answer_is_posted_whole() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("One ")]);
    thread.settles();
    thread.show.was_interrupted();
    let never = |call: &ShowCall| matches!(call, ShowCall::TakeAway { .. }).then_some(Went::Never);
    thread.settles_with(never);
    thread.tells(&[token("two."), RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.passes(SOON), Next::Over);
    assert_eq!(thread.heard()[1..], ["take away m1", "session Active"]);
    assert_eq!(thread.show.shows("One two."), None);
}

#[test]
fn words_that_were_taken_away_while_a_human_is_waited_for_are_said_again() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("I propose")]);
    thread.settles();
    thread.passes(SOON);
    thread.tells(&[token(" it."), RunEvent::LlmEnd, asked()]);
    let lost = |call: &ShowCall| matches!(call, ShowCall::Stop { .. }).then_some(Went::Unknown);
    for _ in 0..2 {
        let Next::Call(call) = thread.show.next(thread.now) else { break };
        thread.show.went(&call, lost(&call).unwrap_or(Went::Done), thread.now);
    }
    thread.heard();
    assert_eq!(thread.settles(), Next::Idle(None));
    assert_eq!(
        thread.heard(),
        ["start [task-1 InProgress] [task-2 Pending]", r#"stop m2 "I propose it." Suspended"#]
    );
}

#[test]
fn what_comes_after_a_message_that_was_closed_is_not_taken_for_said() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("One ")]);
    thread.settles();
    thread.tells(&[RunEvent::NodeEnd { node: "agent".to_owned() }]);
    thread.passes(SOON);
    thread.passes(OLDEST);
    assert_eq!(thread.heard().last().unwrap(), "stop m1 Processing");
    thread.says("two.");
    thread.show.was_interrupted();
    thread.tells(&[RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.passes(SOON), Next::Over);
    assert_eq!(thread.show.shows("One two."), None, "m1 says the first word only");
}

#[test]
fn a_process_that_died_leaves_no_second_message() {
    let mut with_message = Thread::new();
    with_message.tells(&[node("agent"), llm(), token("One ")]);
    with_message.settles();
    with_message.show.was_interrupted();
    // The node runs again from its first line.
    with_message.tells(&[node("agent"), llm(), token("Two."), RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(with_message.passes(SOON), Next::Over);
    assert_eq!(with_message.heard()[1..], ["take away m1", "session Active"]);
    assert_eq!(with_message.show.shows("Two."), None, "it is posted whole");

    let mut without = Thread::new();
    without.tells(&[node("agent"), llm(), token("One ")]);
    without.show.was_interrupted();
    assert_eq!(without.passes(SOON), Next::Idle(None));
    without.tells(&[RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(without.passes(SOON), Next::Over);
    assert_eq!(without.heard(), Vec::<String>::new());
}

#[test]
fn an_old_message_is_closed_before_slack_does_it() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm()]);
    assert_eq!(thread.settles(), Next::Idle(Some(START.plus(OLDEST))));
    thread.passes(OLDEST);
    assert_eq!(
        thread.heard(),
        ["start [task-1 InProgress]", "stop m1 Processing", "start [task-1 InProgress]"]
    );
}

#[test]
fn where_slack_streams_nothing_the_run_is_told_plainly() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("One ")]);
    let never = |call: &ShowCall| matches!(call, ShowCall::Start { .. }).then_some(Went::Never);
    assert_eq!(thread.settles_with(never), Next::Idle(None));
    thread.tells(&[token("two."), RunEvent::LlmEnd, RunEvent::Done]);
    assert_eq!(thread.settles(), Next::Over);
    assert_eq!(thread.heard(), ["start [task-1 InProgress]"], "it is tried once");
    assert_eq!(thread.show.shows("One two."), None);
}

#[test]
fn a_rate_limit_gathers_more() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm()]);
    thread.settles();
    thread.says("One ");
    thread.now = thread.now.plus(SOON);
    let until = thread.now.plus(Span::seconds(5));
    let limited =
        |call: &ShowCall| matches!(call, ShowCall::Append { .. }).then_some(Went::Later(until));
    assert_eq!(thread.settles_with(limited), Next::Later(until));
    thread.says("two.");
    thread.passes(Span::seconds(5));
    assert_eq!(thread.heard().last().unwrap(), r#"append m1 "One two.""#);
}

#[test]
fn whoever_stops_it_has_closed_the_message_already() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("One ")]);
    thread.settles();
    thread.says("two ");
    thread.now = thread.now.plus(SOON);
    thread.settles_with(|call| matches!(call, ShowCall::Append { .. }).then_some(Went::Never));
    thread.tells(&[RunEvent::error(ErrorCode::Stopped)]);
    assert_eq!(thread.passes(SOON), Next::Over);
    let heard = thread.heard();
    assert!(!heard.iter().skip(2).any(|call| call.contains('"')), "{heard:?}");
}

#[test]
fn an_end_that_has_to_wait_does_not_keep_the_answer_waiting() {
    let mut thread = Thread::new();
    thread.tells(&[node("agent"), llm(), token("One ")]);
    thread.settles();
    thread.tells(&[token("two."), RunEvent::LlmEnd, RunEvent::Done]);
    assert!(thread.show.holds_the_answer_back());
    thread.now = thread.now.plus(SOON);
    let until = thread.now.plus(Span::minutes(1));
    let limited =
        |call: &ShowCall| matches!(call, ShowCall::Stop { .. }).then_some(Went::Later(until));
    assert_eq!(thread.settles_with(limited), Next::Later(until));
    assert_eq!(thread.heard().last().unwrap(), r#"append m1 [task-1 Complete] "One two.""#);
    assert!(!thread.show.holds_the_answer_back());
    assert_eq!(thread.show.shows("One two."), Some("m1"));
    assert_eq!(thread.passes(Span::minutes(1)), Next::Over);
    assert_eq!(thread.heard(), ["stop m1 Active"]);
    assert_eq!(thread.show.shows("One two."), Some("m1"));
}
