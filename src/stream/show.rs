//! What a Slack thread shows of a run while it goes on: events in, Slack calls out.
//!
//! A pure planner. It takes in what the run tells and says which call comes next, given the time;
//! whoever makes the calls tells it how each went. One message grows at a time. A message that has
//! become too long or too old is closed and the next one goes on. Once a call's outcome is unknown,
//! nobody knows what the message says: it is taken away, and what it was to say is said anew.

mod intake;

use serde::{Deserialize, Serialize};

use super::call::{Next, Piece, Session, ShowCall, Task, Went};
use crate::base::{Span, Timestamp};

/// Slack closes a stream about five minutes after its start.
const OLDEST: Span = Span::seconds(4 * 60 + 30);
/// Slack refuses more than about 10,000 characters in one stream.
const LONGEST: usize = 9_000;
/// Slack takes 100 appends a minute from all streams of a workspace together.
const GATHERED_FOR: Span = Span::millis(700);
/// Between two tries to take a message away.
const ASKED_AGAIN_AFTER: Span = Span::seconds(2);
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
    /// The ts of the message that was closed last.
    closed: Option<String>,
    tasks: Vec<Shown>,
    /// How many decisions are waited for.
    waiting: u32,
    session: Session,
    /// Nobody knows what the growing message says, or one that could not be taken away.
    doubted: bool,
    /// A message of this leg was taken away, and what it said is owed again.
    taken_away: bool,
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
    /// Where in the text it begins.
    from: usize,
    weight: usize,
    last_call: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    task: Task,
    /// Slack has not heard of its status.
    news: bool,
}

impl Show {
    /// Whoever made the calls stopped without saying how the last one went. Without a message it may
    /// have begun one that nobody can name now; another one would be the second.
    pub fn was_interrupted(&mut self) {
        self.doubted |= self.message.is_some();
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
        match (call, went) {
            (ShowCall::Start { pieces }, Went::Started { ts }) => {
                let from = self.sent;
                self.message = Some(Growing { ts, since: now, from, weight: 0, last_call: now });
                self.session = Session::Processing;
                self.heard(pieces);
            }
            (ShowCall::Start { .. }, Went::Unknown) => self.hushed = true,
            (ShowCall::Start { .. }, _) => self.plain = true,
            (ShowCall::Append { .. }, Went::Unknown) => self.doubted = true,
            (ShowCall::Stop { pieces, .. }, Went::Unknown) if has_text(pieces) => {
                self.doubted = true;
            }
            (ShowCall::TakeAway { .. }, Went::Unknown) => {
                self.not_before = now.plus(ASKED_AGAIN_AFTER);
            }
            (ShowCall::TakeAway { .. }, Went::Never) => {
                self.hushed = true;
                self.close();
            }
            (ShowCall::TakeAway { .. }, _) => self.say_again(),
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

    /// The ts of the message that shows the answer, or its end when it took several. Nothing when
    /// they do not certainly show all of it.
    pub fn shows(&self, answer: &str) -> Option<&str> {
        let growing = self.message.as_ref().map(|message| message.ts.as_str());
        let streamed = self.text.get(self.answer_from..)?.trim();
        let is_whole = self.says_all() && !streamed.is_empty() && streamed == answer.trim();
        growing.or(self.closed.as_deref()).filter(|_| is_whole)
    }

    /// Is there a message that grows?
    pub fn is_growing(&self) -> bool {
        self.message.is_some()
    }

    /// Does what the run says at its end have to wait for the message that grows? Not when that
    /// has all of it, and only its end has not been told to Slack yet.
    pub fn holds_the_answer_back(&self) -> bool {
        let goes_on = self.message.is_some() || self.owes_the_rest();
        goes_on && !(self.ended && self.says_all())
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
        if self.plain || self.hushed || (rests && !self.owes_the_rest()) {
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
        if self.doubted {
            return Next::Call(ShowCall::TakeAway { ts });
        }
        let room = LONGEST.saturating_sub(message.weight);
        let (text, more) = self.fitting(room, rests);
        let full = more || now.since(message.since) >= OLDEST;
        let mut pieces = self.news(false);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let can_end = self.no_end_before <= now || pieces.is_empty();
        if rests && !more && can_end {
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

    /// At rest no message is begun, since an answer is said in any case; but where people have
    /// seen a part, or seen words that are gone now, the rest of it is said.
    fn owes_the_rest(&self) -> bool {
        let left_to_the_answer = self.sent.max(self.answer_from);
        let before = self.text.get(self.sent..left_to_the_answer).unwrap_or_default();
        let partly_seen = match self.ended {
            true => self.sent > self.answer_from || (self.taken_away && !before.trim().is_empty()),
            false => self.taken_away,
        };
        partly_seen && !self.plain && !self.hushed && !self.unsent().trim().is_empty()
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
        self.closed = Some(message.ts);
        self.tasks.retain(|shown| shown.task.is_open() || shown.news);
        if self.waiting > 0 && !self.ended {
            self.begin_leg();
        }
    }

    /// The message is gone, and with it what it said.
    fn say_again(&mut self) {
        let Some(message) = self.message.take() else { return };
        self.sent = message.from.min(self.text.len());
        (self.doubted, self.taken_away) = (false, true);
    }

    /// A human is waited for: what was said so far is said, and the next leg begins a new message.
    fn begin_leg(&mut self) {
        self.text.clear();
        self.sent = 0;
        self.answer_from = 0;
        self.closed = None;
        self.doubted = false;
        self.taken_away = false;
        self.hushed = false;
        self.tasks.retain(|shown| shown.task.is_open());
    }
}

fn has_text(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Text(_)))
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
