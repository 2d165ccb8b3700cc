//! What a node is given besides the state: its place in the run, a way to ask people, a way to be
//! heard while it works, and ways to do things once.

mod ask;
mod calls;
mod graphs;
mod steps;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

pub use self::ask::Ask;
use self::ask::Asked;
pub use self::calls::{ModelCall, ModelStart, ToolRun, ToolStart};
use super::shared::Shared;
use super::values::Values;
use super::{Event, Question, State, TaskError, TaskInfo, TaskPath, TaskRecord, ids};

/// The run as one task sees it. Cheap to clone; all clones are the same try of the same task.
#[derive(Clone)]
pub struct Context(pub(super) Arc<Task>);

/// One try of one task.
pub(super) struct Task {
    pub(super) place: Place,
    /// Counted from one.
    pub(super) attempt: u32,
    /// The failure that an error handler stands in for.
    pub(super) failure: Option<TaskError>,
    /// What earlier tries asked and did.
    before: Before,
    log: Mutex<Log>,
    /// When something was last heard of it, if that matters, in the timer's milliseconds.
    heard_at: AtomicI64,
    info: OnceLock<Box<TaskInfo>>,
}

/// Where a task stands, from which everything about it is known.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) node: Arc<str>,
    pub(super) triggers: Arc<[Arc<str>]>,
    pub(super) step: i64,
    /// The checkpoint that it is planned from.
    pub(super) checkpoint: Option<Arc<str>>,
    pub(super) path: TaskPath,
    /// The state as the superstep began.
    pub(super) values: Values,
}

/// What is known of a task from earlier tries.
#[derive(Clone, Default)]
pub(super) struct Before {
    pub(super) questions: Vec<Asked>,
    pub(super) inner: Vec<Question>,
    pub(super) steps: Vec<(String, Value)>,
    /// A graph within is paused, and is now to go on.
    pub(super) paused: bool,
}

/// What happened in this try.
#[derive(Default)]
struct Log {
    asked: Vec<Asked>,
    /// Questions that graphs within have open.
    inner: Vec<Question>,
    paused: bool,
    /// The steps that are finished, those of earlier tries first.
    steps: Vec<(String, Value)>,
    /// The places of those that this try has come to.
    reached: Vec<usize>,
    /// How many graphs it has run.
    graphs: usize,
    /// How many models, tools and routes it has called.
    calls: usize,
}

impl Context {
    pub(super) fn new(
        place: Place,
        attempt: u32,
        failure: Option<TaskError>,
        mut before: Before,
    ) -> Self {
        let log = Log { steps: std::mem::take(&mut before.steps), ..Log::default() };
        Self(Arc::new(Task {
            place,
            attempt,
            failure,
            before,
            log: Mutex::new(log),
            heard_at: AtomicI64::new(0),
            info: OnceLock::new(),
        }))
    }

    /// The name of the node that runs.
    pub fn node(&self) -> &str {
        &self.0.place.node
    }

    /// The id of the run, as the caller gave it.
    pub fn run(&self) -> &str {
        &self.0.place.shared.run
    }

    /// The number of the superstep. It goes on counting over all runs of a thread.
    pub fn superstep(&self) -> i64 {
        self.0.place.step
    }

    /// The state as the superstep began, also for a task that was sent an argument of its own.
    pub fn state(&self) -> State {
        self.0.place.values.clone().into()
    }

    /// The number of this try, counted from one.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// The id of the task: the same whenever it runs again from the same checkpoint.
    pub fn task_id(&self) -> &str {
        &self.info().id
    }

    /// The namespace of the graph that the node is of; empty for the root graph.
    pub fn namespace(&self) -> &str {
        &self.0.place.shared.namespace
    }

    /// In an error handler: the failure that it stands in for.
    pub fn error(&self) -> Option<&TaskError> {
        self.0.failure.as_ref()
    }

    /// Tells a piece of a model's answer.
    pub fn token(&self, text: &str) {
        self.tell(|task| Event::Token { task, text });
    }

    /// Tells whatever it likes.
    pub fn emit(&self, value: &Value) {
        self.tell(|task| Event::Custom { task, value });
    }

    /// Says that the node is still at work, for its idle limit.
    pub fn heartbeat(&self) {
        if self.0.heard_at.load(Ordering::Relaxed) > 0 {
            let now = self.0.place.shared.timer.now();
            self.0.heard_at.store(now.max(1), Ordering::Relaxed);
        }
    }

    /// Asks the run to stop at its next superstep; it can be continued.
    pub fn drain(&self, reason: impl Into<String>) {
        self.0.place.shared.drain.request(reason);
    }

    /// When something was last heard; the first call makes it matter.
    pub(super) fn last_heard(&self) -> i64 {
        let heard = self.0.heard_at.load(Ordering::Relaxed);
        if heard > 0 {
            return heard;
        }
        let now = self.0.place.shared.timer.now().max(1);
        self.0.heard_at.store(now, Ordering::Relaxed);
        now
    }

    pub(super) fn info(&self) -> &TaskInfo {
        self.0.info.get_or_init(|| Box::new(self.0.place.info()))
    }

    fn tell<'a>(&'a self, event: impl FnOnce(&'a TaskInfo) -> Event<'a>) {
        self.heartbeat();
        let shared = &self.0.place.shared;
        if shared.heard {
            shared.events.event(event(self.info()));
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What further tries must know of this one and of those before it.
    pub(super) fn so_far(&self) -> Before {
        let log = self.log();
        let inner = self.0.before.answered_inner().chain(log.inner.iter().cloned()).collect();
        Before {
            questions: self.all_asked(&log),
            inner,
            steps: log.steps.clone(),
            paused: log.paused,
        }
    }

    /// What is to be kept of the task, but for its result and failure.
    pub(super) fn record(&self) -> TaskRecord {
        let Before { questions, inner, steps, paused } = self.so_far();
        let mut record = TaskRecord { inner, steps, paused, ..TaskRecord::default() };
        if !questions.is_empty() {
            record.questions = self.0.place.questions(self.task_id(), questions);
        }
        record.task = self.task_id().to_owned();
        record.node = Arc::clone(&self.0.place.node);
        record.sent = self.0.place.path.sent();
        record
    }

    /// Whether nothing was asked and nothing needs to be kept: the usual case, for which no record
    /// is made.
    pub(super) fn is_plain(&self) -> bool {
        let log = self.log();
        log.asked.is_empty() && log.steps.is_empty() && self.0.before.is_empty()
    }
}

impl Before {
    pub(super) fn of(record: TaskRecord) -> Self {
        let TaskRecord { questions, inner, steps, paused, .. } = record;
        let asked = |Question { value, schema, answer, .. }| Asked { value, schema, answer };
        Self { questions: questions.into_iter().map(asked).collect(), inner, steps, paused }
    }

    fn is_empty(&self) -> bool {
        self.questions.is_empty() && self.inner.is_empty()
    }

    /// Questions of graphs within that have their answers: they stay answered.
    fn answered_inner(&self) -> impl Iterator<Item = Question> {
        self.inner.iter().filter(|question| question.answer.is_some()).cloned()
    }
}

impl Place {
    pub(super) fn info(&self) -> TaskInfo {
        TaskInfo {
            id: self.task_id(),
            node: Arc::clone(&self.node),
            step: self.step,
            namespace: Arc::clone(&self.shared.namespace),
            path: self.path,
            triggers: match self.path {
                TaskPath::Edge => Arc::clone(&self.triggers),
                TaskPath::Sent(_) => Arc::from([Arc::from("__pregel_push")]),
            },
        }
    }

    /// Without a saver there is no checkpoint; then the run alone makes the ids unique.
    pub(super) fn task_id(&self) -> String {
        let Shared { namespace, maker, .. } = &*self.shared;
        let sent = self.path.sent();
        match &self.checkpoint {
            Some(checkpoint) => ids::task(checkpoint, namespace, self.step, &self.node, sent),
            None => {
                let checkpoint = ids::checkpoint(None, namespace, maker, self.step - 1, None);
                ids::task(&checkpoint, namespace, self.step, &self.node, sent)
            }
        }
    }

    fn questions(&self, task: &str, asked: Vec<Asked>) -> Vec<Question> {
        let numbered = asked.into_iter().enumerate();
        let question = |(position, Asked { value, schema, answer })| Question {
            id: ids::interrupt(&self.shared.namespace, task, position),
            value,
            schema,
            answer,
        };
        numbered.map(question).collect()
    }
}
