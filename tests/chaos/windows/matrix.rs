//! Which deaths are tried: the points of each story, and how often it comes to them.

use countersign::base::failpoint::Point::{self, *};

use super::case::{Case, Death, Story};
use crate::chance::Chance;
use Story::{Call, Conversation, Copies, Old, Probed};

/// A point of a story. In every round it is tried the first time, and where another time means
/// something else, that too; the story comes there at least so often.
struct Row(Story, Point, &'static [u64], u64);

const ROWS: [Row; 35] = [
    Row(Conversation, MessageWritten, &[1], 1),
    Row(Conversation, MessageCommitted, &[1], 1),
    // The model's first answer, and the checkpoint that comes with two requests.
    Row(Conversation, SuperstepWritten, &[1, 4], 8),
    Row(Conversation, SuperstepCommitted, &[1, 4], 8),
    Row(Conversation, DeliveryClaimed, &[1, 5], 24),
    Row(Conversation, PostBegun, &[1, 3], 6),
    Row(Conversation, PostAnswered, &[1, 3], 6),
    Row(Conversation, UpdateAnswered, &[1, 4], 12),
    // What is being done, and the answer.
    Row(Conversation, StreamStarted, &[1, 2], 2),
    // The first of two votes, and one that decides.
    Row(Conversation, ClickWritten, &[1, 3], 4),
    Row(Conversation, ClickCommitted, &[1, 3], 4),
    Row(Conversation, TimerWritten, &[1, 2], 2),
    Row(Conversation, TimerCommitted, &[1], 1),
    // The lookup, and the two that people approved.
    Row(Conversation, ExecutionClaimed, &[1, 2, 3], 3),
    Row(Conversation, StartCommitted, &[1, 2, 3], 3),
    Row(Conversation, ToolAnswered, &[1, 2, 3], 3),
    Row(Conversation, EndWritten, &[1, 2, 3], 3),
    Row(Conversation, EndCommitted, &[1, 2, 3], 3),
    Row(Conversation, BatchWritten, &[5, 20], 60),
    Row(Conversation, BatchCommitted, &[5, 20], 60),
    Row(Conversation, SchemaWritten, &[1], 1),
    Row(Conversation, DeskOpened, &[1], 1),
    Row(Conversation, Closing, &[1], 1),
    // The two that people approved, of which the one is asked about. No answer came to it before its
    // end is written.
    Row(Probed, ExecutionClaimed, &[2, 3], 3),
    Row(Probed, StartCommitted, &[2, 3], 3),
    Row(Probed, ToolAnswered, &[2, 3], 3),
    Row(Probed, EndWritten, &[2, 3], 3),
    Row(Probed, EndCommitted, &[2, 3], 3),
    Row(Probed, Closing, &[1], 1),
    Row(Call, CallWritten, &[1], 1),
    Row(Call, CallCommitted, &[1], 1),
    // In the middle of what is streamed, and with the end of it.
    Row(Call, SuperstepCommitted, &[2, 5], 5),
    Row(Call, BatchCommitted, &[20], 20),
    Row(Copies, CopyUnnamed, &[1], 1),
    // The requests, and what was said about one of them.
    Row(Old, BatchReduced, &[1, 3], 5),
];

/// What every round begins with: each point by abort and by SIGKILL, and some by panic.
pub fn matrix() -> Vec<Case> {
    let mut cases = Vec::new();
    for Row(story, point, nths, _) in ROWS {
        for nth in nths {
            let case = |death| Case { story, point, nth: *nth, death };
            cases.extend([Death::Abort, Death::Kill].map(case));
        }
    }
    // Whoever runs a handler, a task, a job of the store or its thread would catch a panic.
    let panics = [ClickCommitted, SuperstepCommitted, ClickWritten, BatchCommitted];
    let panics = panics.map(|point| case_of(Conversation, point, 1, Death::Panic));
    cases.extend(panics);
    cases
}

/// Each point once for each way of dying, at a time that the seed chooses.
pub fn chosen(seed: u64) -> Vec<Case> {
    let mut chance = Chance::new(seed);
    let mut cases = Vec::new();
    for Row(story, point, _, times) in ROWS {
        for death in deaths(story) {
            cases.push(case_of(story, point, 1 + chance.below(times), *death));
        }
    }
    cases
}

/// All the cases there can be whose names begin like this.
pub fn named(name: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for Row(story, point, _, times) in ROWS {
        for death in deaths(story) {
            cases.extend((1..=times).map(|nth| case_of(story, point, nth, *death)));
        }
    }
    cases.retain(|case| case.to_string().starts_with(name));
    cases
}

/// The points that a conversation comes to, and how often at least.
pub fn of_a_conversation() -> impl Iterator<Item = (Point, u64)> {
    let rows = ROWS.into_iter().filter(|Row(story, ..)| *story == Conversation);
    rows.map(|Row(_, point, _, times)| (point, times))
}

/// A panic ends a command as any error does.
fn deaths(story: Story) -> &'static [Death] {
    match story {
        Conversation | Probed | Call | Old => &[Death::Abort, Death::Kill, Death::Panic],
        Copies => &[Death::Abort, Death::Kill],
    }
}

fn case_of(story: Story, point: Point, nth: u64, death: Death) -> Case {
    Case { story, point, nth, death }
}
