//! What a Slack thread shows of a run while it goes on: events in, Slack calls out.
//!
//! A pure planner. It takes in what the run tells and says which call comes next, given the time;
//! whoever makes the calls tells it how each went. One message grows at a time. A message that has
//! become too long or too old is closed and the next one goes on. Once a call's outcome is unknown,
//! nobody knows what the message says: nothing more is added to it, and the final answer, which is
//! owed in any case, is written over it.

use serde::{Deserialize, Serialize};

use super::call::{Next, Piece, Session, ShowCall, Task, TaskKind, TaskStatus, Went};
use super::{ErrorCode, RunEvent};
use crate::base::{Span, Timestamp};

/// Slack closes a stream about five minutes after its start.
const OLDEST: Span = Span::seconds(4 * 60 + 30);
/// Slack refuses more than about 10,000 characters in one stream.
const LONGEST: usize = 9_000;
/// Slack takes 100 appends a minute from all streams of a workspace together.
const GATHERED_FOR: Span = Span::millis(700);
/// When a message has certainly been closed by Slack itself.
const CLOSED: Span = Span::minutes(6);

/// The state of what is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Show {
    /// What the model has said in this leg of the run, and where its current answer begins.
    text: String,
    answer_from: usize,
    answering: bool,
    /// It has said something.
    speaking: bool,
    /// How much of the text is in messages.
    sent: usize,
    message: Option<Growing>,
    /// The message that has the end of the text.
    closed: Option<Closed>,
    tasks: Vec<Shown>,
    /// How many decisions are waited for.
    waiting: u32,
    session: Session,
    /// Nobody knows what the messages of this leg say.
    doubted: bool,
    /// No further message is begun in this leg, in this run; no session is spoken of.
    hushed: bool,
    plain: bool,
    no_session: bool,
    ended: bool,
    not_before: Timestamp,
    /// Slack takes few ends a minute; what they would bring can be added before.
    no_end_before: Timestamp,
}

/// The message that grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Growing {
    ts: String,
    since: Timestamp,
    weight: usize,
    last_call: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Closed {
    ts: String,
    /// It and those before it certainly say all of the answer.
    whole: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    task: Task,
    /// Slack has not heard of its status.
    news: bool,
}

impl Show {
    /// Takes in what the run tells next.
    pub fn take(&mut self, event: &RunEvent) {
        match event {
            RunEvent::NodeStart { node } => self.begin(TaskKind::Node(node.clone())),
            RunEvent::NodeEnd { node } => {
                self.settle(&TaskKind::Node(node.clone()), TaskStatus::Complete);
            }
            RunEvent::LlmStart { .. } => self.answer_begins(),
            RunEvent::Token { content } => self.say(content),
            RunEvent::LlmEnd => (self.answering, self.speaking) = (false, false),
            RunEvent::ToolStart { tool, .. } => self.begin(TaskKind::Tool(tool.clone())),
            RunEvent::ToolEnd { tool, status, .. } => {
                let status = match status.as_str() {
                    "succeeded" => TaskStatus::Complete,
                    _ => TaskStatus::Error,
                };
                self.settle(&TaskKind::Tool(tool.clone()), status);
            }
            RunEvent::ApprovalRequested { tool, .. } => {
                self.waiting += 1;
                self.add(TaskKind::Approval(tool.clone()), TaskStatus::Pending);
            }
            RunEvent::ApprovalDecided { tool, outcome, .. } => {
                self.waiting = self.waiting.saturating_sub(1);
                if self.waiting == 0 && self.message.is_none() {
                    self.begin_leg();
                }
                let approved = outcome == "approved";
                let status = if approved { TaskStatus::Complete } else { TaskStatus::Error };
                self.settle(&TaskKind::Approval(tool.clone()), status);
            }
            RunEvent::Done => self.end(TaskStatus::Complete),
            RunEvent::Error { code, .. } => {
                self.end(TaskStatus::Error);
                // The person who stopped it closed the message; there is nothing to add to it.
                if *code == ErrorCode::Stopped {
                    self.sent = self.text.len();
                }
            }
            // What a graph tells the requester is a notice of its own.
            RunEvent::Message { .. } | RunEvent::Chunk { .. } | RunEvent::V2 { .. } => {}
        }
    }

    /// Whoever made the calls stopped without saying how the last one went. Without a message it may
    /// have begun one that nobody can name now; another one would be the second.
    pub fn was_interrupted(&mut self) {
        self.doubted = true;
        self.hushed |= self.message.is_none();
    }

    /// Slack shows no growing messages here.
    pub fn be_plain(&mut self) {
        self.plain = true;
    }

    /// Slack knows no sessions here.
    pub fn forget_session(&mut self) {
        self.no_session = true;
    }

    /// What comes next at `now`.
    pub fn next(&self, now: Timestamp) -> Next {
        let next = self.wanted(now);
        let not_before = match &next {
            Next::Call(ShowCall::Stop { .. }) => self.no_end_before,
            _ => self.not_before,
        };
        match next {
            Next::Call(_) if not_before > now => Next::Later(not_before),
            next => next,
        }
    }

    /// Tells how the call that came next went.
    pub fn went(&mut self, call: &ShowCall, went: Went, now: Timestamp) {
        if let Went::Later(at) = went {
            match (call, &self.message) {
                (ShowCall::Stop { .. }, Some(message)) if now.since(message.since) < CLOSED => {
                    self.no_end_before = at;
                    return;
                }
                // Slack has closed it long ago.
                (ShowCall::Stop { .. }, _) => {}
                _ => {
                    self.not_before = at;
                    return;
                }
            }
        }
        self.doubted |= went == Went::Unknown && !matches!(call, ShowCall::Session(_));
        match (call, went) {
            (ShowCall::Start { pieces }, Went::Started { ts }) => {
                self.message = Some(Growing { ts, since: now, weight: 0, last_call: now });
                self.session = Session::Processing;
                self.heard(pieces);
            }
            (ShowCall::Start { .. }, Went::Unknown) => self.hushed = true,
            (ShowCall::Start { .. }, _) => self.plain = true,
            (ShowCall::Append { .. }, Went::Closed) => self.close(),
            (ShowCall::Append { .. }, Went::Never) => {
                self.hushed = true;
                self.close();
            }
            (ShowCall::Append { pieces, .. }, went) => {
                if went == Went::Done {
                    self.heard(pieces);
                }
                if let Some(message) = &mut self.message {
                    message.last_call = now;
                    if went == Went::TooLong {
                        message.weight = LONGEST;
                    }
                }
            }
            (ShowCall::Stop { pieces, session, .. }, Went::Done) => {
                self.heard(pieces);
                self.session = *session;
                self.close();
            }
            (ShowCall::Stop { session, .. }, _) => {
                self.session = *session;
                self.close();
            }
            (ShowCall::Session(session), went) => {
                self.session = *session;
                self.no_session |= went == Went::Never;
            }
        }
    }

    /// The message that shows the answer: its ts, and whether it shows all of it. Nothing when the
    /// answer was not streamed, or is another text than the one that was.
    pub fn shows(&self, answer: &str) -> Option<(&str, bool)> {
        let shown = match (&self.message, &self.closed) {
            (Some(message), _) => (message.ts.as_str(), self.says_all()),
            (None, Some(closed)) => (closed.ts.as_str(), closed.whole),
            (None, None) => return None,
        };
        let streamed = self.text.get(self.answer_from..)?.trim();
        (!streamed.is_empty() && streamed == answer.trim()).then_some(shown)
    }

    /// Is there a message that grows?
    pub fn is_growing(&self) -> bool {
        self.message.is_some()
    }

    /// Does what the run says at its end have to wait for the message that grows? Not when that
    /// has all of it, and only its end has not been told to Slack yet.
    pub fn holds_the_answer_back(&self) -> bool {
        self.message.is_some() && !(self.ended && self.says_all())
    }

    fn says_all(&self) -> bool {
        !self.doubted && self.unsent().trim().is_empty()
    }

    fn wanted(&self, now: Timestamp) -> Next {
        let session = match (self.ended, self.waiting) {
            (true, _) => Session::Active,
            (false, 0) => Session::Processing,
            (false, _) => Session::Suspended,
        };
        let rests = self.ended || session == Session::Suspended;
        if let Some(message) = &self.message {
            return self.wanted_of(message, session, rests, now);
        }
        // A message sets the session by itself; without one only what people wait for matters.
        let said = session == self.session
            || self.no_session
            || (session == Session::Processing && self.session == Session::Active);
        if rests || self.plain || self.hushed {
            if !said {
                return Next::Call(ShowCall::Session(session));
            }
            return if self.ended { Next::Over } else { Next::Idle(None) };
        }
        if self.unsent().is_empty() && !self.tasks.iter().any(|shown| shown.task.is_shown()) {
            return Next::Idle(None);
        }
        Next::Call(ShowCall::Start { pieces: self.news(true) })
    }

    fn wanted_of(&self, message: &Growing, session: Session, rests: bool, now: Timestamp) -> Next {
        let ts = message.ts.clone();
        let room = LONGEST.saturating_sub(message.weight);
        let (text, more) = self.fitting(room, rests);
        let full = (more && !self.doubted) || now.since(message.since) >= OLDEST;
        let mut pieces = if self.doubted { Vec::new() } else { self.news(false) };
        if !self.doubted && !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let can_end = self.no_end_before <= now || pieces.is_empty();
        if rests && (self.doubted || !more) && can_end {
            return Next::Call(ShowCall::Stop { ts, pieces, session });
        }
        if full {
            return Next::Call(ShowCall::Stop { ts, pieces, session: Session::Processing });
        }
        if pieces.is_empty() {
            // An old message is closed even if nothing comes any more.
            return Next::Idle(Some(message.since.plus(OLDEST)));
        }
        let soon = message.last_call.plus(GATHERED_FOR);
        if soon > now { Next::Later(soon) } else { Next::Call(ShowCall::Append { ts, pieces }) }
    }

    fn unsent(&self) -> &str {
        self.text.get(self.sent..).unwrap_or_default()
    }

    /// The head of the unsent text that fits into `room`, and whether more is left that does not.
    /// While more may come it never ends in `]`: what follows decides whether that begins a link.
    fn fitting(&self, room: usize, all: bool) -> (String, bool) {
        let unsent = self.unsent();
        let mut left = room;
        let mut end = unsent.len();
        for (at, c) in unsent.char_indices() {
            match left.checked_sub(weight(c)) {
                Some(rest) => left = rest,
                None => {
                    end = at;
                    break;
                }
            }
        }
        let more = end < unsent.len();
        let mut head = &unsent[..end];
        if more && let Some(line) = head.rfind('\n').filter(|&at| at > end / 2) {
            head = &head[..=line];
        }
        if !all || more {
            head = head.trim_end_matches(']');
        }
        (head.to_owned(), more)
    }

    /// The tasks that Slack has not heard of; a new message has to hear all that are not over.
    fn news(&self, all: bool) -> Vec<Piece> {
        let tasks = self.tasks.iter().filter(|shown| shown.task.is_shown());
        tasks
            .filter(|shown| shown.news || (all && shown.task.is_open()))
            .map(|shown| Piece::Task(shown.task.clone()))
            .collect()
    }

    /// Slack has taken these.
    fn heard(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    self.sent += text.len();
                    if let Some(message) = &mut self.message {
                        message.weight += text.chars().map(weight).sum::<usize>();
                    }
                }
                Piece::Task(task) => {
                    for shown in self.tasks.iter_mut().filter(|shown| shown.task == *task) {
                        shown.news = false;
                    }
                }
            }
        }
    }

    /// The growing message takes nothing more.
    fn close(&mut self) {
        let Some(message) = self.message.take() else { return };
        let whole = self.says_all();
        self.closed = Some(Closed { ts: message.ts, whole });
        self.hushed |= self.doubted;
        self.tasks.retain(|shown| shown.task.is_open() || shown.news);
        if self.waiting > 0 && !self.ended {
            self.begin_leg();
        }
    }

    /// A human is waited for: what was said so far is said, and the next leg begins a new message.
    fn begin_leg(&mut self) {
        self.text.clear();
        self.sent = 0;
        self.answer_from = 0;
        self.closed = None;
        self.doubted = false;
        self.hushed = false;
        self.tasks.retain(|shown| shown.task.is_open());
    }

    fn answer_begins(&mut self) {
        if self.answering && self.speaking {
            // What was said since counts for nothing. Where it was shown, it is in the way now.
            self.text.truncate(self.answer_from);
            if self.sent > self.answer_from {
                self.sent = self.answer_from;
                self.doubted = true;
            }
        }
        (self.answering, self.speaking) = (true, false);
    }

    /// The first word of an answer ends the one before; a model that says nothing ends none.
    fn say(&mut self, words: &str) {
        if self.answering && !self.speaking {
            if self.message.is_none() && self.closed.is_none() && !self.text.is_empty() {
                self.begin_leg();
            } else if !self.text.is_empty() && !self.text.ends_with("\n\n") {
                self.text.push_str("\n\n");
            }
            self.answer_from = self.text.len();
            self.speaking = true;
        }
        self.text.push_str(words);
    }

    fn begin(&mut self, what: TaskKind) {
        // A node that runs again goes on in its line; a tool that is called again gets a new one.
        let is_node = matches!(what, TaskKind::Node(_));
        let again = self
            .tasks
            .iter_mut()
            .rev()
            .find(|shown| shown.task.what == what && (is_node || shown.task.is_open()));
        match again {
            Some(shown) => {
                shown.news |= shown.task.status != TaskStatus::InProgress;
                shown.task.status = TaskStatus::InProgress;
            }
            None => self.add(what, TaskStatus::InProgress),
        }
    }

    fn add(&mut self, what: TaskKind, status: TaskStatus) {
        let last = self
            .tasks
            .last()
            .map_or(0, |shown| shown.task.id.trim_start_matches("task-").parse().unwrap_or(0_u32));
        let task = Task { id: format!("task-{}", last + 1), what, status };
        self.tasks.push(Shown { task, news: true });
    }

    fn settle(&mut self, what: &TaskKind, status: TaskStatus) {
        let same = |shown: &&mut Shown| shown.task.what == *what && shown.task.is_open();
        let open = self.tasks.iter_mut().rev().find(same);
        if let Some(shown) = open {
            shown.task.status = status;
            shown.news = true;
        }
    }

    fn end(&mut self, status: TaskStatus) {
        self.ended = true;
        self.answering = false;
        for shown in &mut self.tasks {
            if shown.task.is_open() {
                shown.task.status = status;
                shown.news = true;
            }
        }
    }
}

/// How much of a message's room a character takes, once it is made harmless.
fn weight(c: char) -> usize {
    match c {
        '<' | '>' => 4,
        ']' => 2,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
