//! Changing a thread from outside, as if a node had done it.

use serde_json::Value;

use super::engine::{Changes, Making, Position, add_changes, as_nodes, live};
use super::{
    At, Checkpoint, Done, Graph, RunError, START, Saver, Snapshot, Source, TaskRecord, Timer,
    TokioTimer, Turn, TurnStatus, Update, ids,
};

/// One change of a thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit(What);

#[derive(Clone, Debug, PartialEq)]
enum What {
    AsNode { node: Option<String>, update: Update },
    AsInput(Value),
    End,
    Copy,
}

impl Edit {
    /// Writes, as if a node had returned them: reducers apply, and the node's edges and routes say
    /// what is next instead of what was. Filed under the node that ran last, if that is clear.
    pub fn values(update: Update) -> Self {
        Self(What::AsNode { node: None, update })
    }

    /// Files the writes under a node; [`START`] is the entry.
    #[must_use]
    pub fn as_node(self, node: impl Into<String>) -> Self {
        match self.0 {
            What::AsNode { update, .. } => Self(What::AsNode { node: Some(node.into()), update }),
            what @ (What::AsInput(_) | What::End | What::Copy) => Self(what),
        }
    }

    /// Notes an input, which the next run takes.
    pub fn as_input(input: Value) -> Self {
        Self(What::AsInput(input))
    }

    /// Closes the thread: keeps what finished tasks wrote and drops what is pending, open
    /// questions with it.
    pub fn end() -> Self {
        Self(What::End)
    }

    /// Makes a copy of the checkpoint beside it.
    pub fn copy() -> Self {
        Self(What::Copy)
    }
}

impl Graph {
    /// Changes a thread, which makes a new checkpoint, and gives its id. Open questions are gone:
    /// what is next then asks anew. At an older checkpoint it makes a branch.
    ///
    /// # Errors
    /// When the change does not fit the graph or its node is not clear, the checkpoint does not
    /// exist, or it cannot be loaded or saved. Nothing is changed then.
    pub async fn update_state(
        &self,
        saver: &dyn Saver,
        at: &At,
        edit: Edit,
    ) -> Result<String, RunError> {
        self.bulk_update(saver, at, vec![vec![edit]]).await
    }

    /// Changes a thread by several supersteps at once: all of them or none.
    ///
    /// # Errors
    /// As [`update_state`](Self::update_state).
    pub async fn bulk_update(
        &self,
        saver: &dyn Saver,
        at: &At,
        supersteps: Vec<Vec<Edit>>,
    ) -> Result<String, RunError> {
        let (graph, namespace) = self.within(&at.namespace)?;
        let at = &At { namespace, ..at.clone() };
        let mut draft = Draft::load(graph, saver, at).await?;
        for edits in supersteps {
            draft.superstep(edits)?;
        }
        let Some(last) = draft.made.last() else {
            return Err(RunError::AmbiguousUpdate { why: "nothing is to be changed" });
        };
        let id = last.id.clone();
        let turn = Turn {
            namespace: at.namespace.clone(),
            checkpoints: draft.made,
            tasks: Vec::new(),
            interrupts: Vec::new(),
            consumed: Vec::new(),
            status: TurnStatus::Continues,
        };
        saver.save(vec![turn]).await?;
        Ok(id)
    }
}

/// A thread with changes that are not saved yet.
struct Draft<'g> {
    graph: &'g Graph,
    at: At,
    position: Position,
    /// The checkpoint that the next change follows.
    base: Option<Checkpoint>,
    /// What is known of the tasks of the step in progress.
    finished: Vec<TaskRecord>,
    /// The thread's latest checkpoint.
    latest: Option<String>,
    made: Vec<Checkpoint>,
}

impl<'g> Draft<'g> {
    async fn load(graph: &'g Graph, saver: &dyn Saver, at: &At) -> Result<Self, RunError> {
        let latest = saver.load(&At::latest().within(at.namespace.clone())).await?;
        let latest_id = latest.as_ref().map(|latest| latest.checkpoint.id.clone());
        let is_latest = at.checkpoint.is_none() || at.checkpoint == latest_id;
        let found = if is_latest { latest } else { saver.load(at).await? };
        let mut finished = Vec::new();
        let (position, base) = match (found, &at.checkpoint) {
            (None, Some(id)) => return Err(RunError::UnknownCheckpoint { id: id.clone() }),
            (None, None) => (Position::before_update(graph), None),
            (Some(snapshot), _) => {
                let Snapshot { checkpoint, tasks, .. } = snapshot;
                let position = Position::restore(graph, checkpoint.clone())?;
                finished = tasks;
                (position, Some(checkpoint))
            }
        };
        let (at, made) = (at.clone(), Vec::new());
        Ok(Self { graph, at, position, base, finished, latest: latest_id, made })
    }

    fn superstep(&mut self, edits: Vec<Edit>) -> Result<(), RunError> {
        match <[Edit; 1]>::try_from(edits) {
            Ok([Edit(What::AsInput(raw))]) => {
                if self.base.is_none() {
                    self.position = Position::fresh(self.graph);
                }
                self.position.note(self.graph, raw);
                self.make(Source::Input, Changes::new(), Vec::new());
            }
            Ok([Edit(What::End)]) => {
                // What is done stays done; what is not is closed.
                let mut changes = self.position.take_command(self.graph, &self.finished)?;
                let done = live(self.graph, &mut self.position, &self.finished)?;
                add_changes(&mut changes, &done);
                self.position.close(self.graph);
                self.make(Source::Update, changes, Vec::new());
            }
            Ok([Edit(What::Copy)]) => self.copy()?,
            Ok([edit]) => self.as_nodes(vec![edit])?,
            Err(edits) => self.as_nodes(edits)?,
        }
        Ok(())
    }

    fn as_nodes(&mut self, edits: Vec<Edit>) -> Result<(), RunError> {
        if edits.is_empty() {
            return Err(RunError::AmbiguousUpdate { why: "a superstep changes nothing" });
        }
        let (mut updates, several) = (Vec::with_capacity(edits.len()), edits.len() > 1);
        for edit in edits {
            let What::AsNode { node, update } = edit.0 else {
                let why = "an input, an end or a copy is a superstep of its own";
                return Err(RunError::AmbiguousUpdate { why });
            };
            if several && node.is_none() {
                let why = "several changes at once each need theirs";
                return Err(RunError::AmbiguousUpdate { why });
            }
            updates.push((self.node(node)?, update));
        }
        let base = self.base.as_ref().map(|base| base.id.clone()).unwrap_or_default();
        let salt = format!("{base}:{}", self.latest.as_deref().unwrap_or_default());
        let step = self.position.next_step();
        let (changes, done) = as_nodes(self.graph, &mut self.position, updates, &salt)?;
        let record = |(node, done): (std::sync::Arc<str>, Done)| TaskRecord {
            task: ids::task(&base, &self.at.namespace, step, &node, None),
            node,
            done: Some(done),
            ..TaskRecord::default()
        };
        let records = done.into_iter().map(record).collect();
        self.make(Source::Update, changes, records);
        Ok(())
    }

    /// The place of the node that writes are filed under; none is the entry.
    fn node(&self, name: Option<String>) -> Result<Option<usize>, RunError> {
        match name {
            Some(name) if name == START => Ok(None),
            Some(name) => match self.graph.find(&name) {
                Some(node) => Ok(Some(node)),
                None => Err(RunError::UnknownNode { node: name }),
            },
            None => match self.position.ran() {
                [] => Ok(None),
                [node] => Ok(Some(*node)),
                _ => Err(RunError::AmbiguousUpdate { why: "several ran last" }),
            },
        }
    }

    fn copy(&mut self) -> Result<(), RunError> {
        let Some(base) = self.base.take() else {
            return Err(RunError::NothingToContinue);
        };
        self.position = Position::restore(self.graph, base.clone())?;
        self.position.pass_step();
        // A copy stands beside its original, not after it.
        let beside = base.parent.clone();
        let branch = self.latest.clone().unwrap_or(base.id);
        let making = Making {
            source: Source::Fork,
            maker: &base.run,
            namespace: &self.at.namespace,
            parents: &base.parents,
            parent: beside.as_deref(),
            branch: Some(&branch),
            created_at: TokioTimer.now(),
        };
        let mut copy = making.make(self.graph, &self.position, &Changes::new(), base.tasks);
        copy.stand_alone();
        self.add(copy);
        Ok(())
    }

    fn make(&mut self, source: Source, changes: Changes, tasks: Vec<TaskRecord>) {
        let base = self.base.as_ref();
        let follows_latest = base.map(|base| &base.id) == self.latest.as_ref();
        let branch = format!("update:{}", self.latest.as_deref().unwrap_or_default());
        let making = Making {
            source,
            maker: base.map(|base| base.run.as_str()).unwrap_or_default(),
            namespace: &self.at.namespace,
            parents: base.map(|base| base.parents.as_slice()).unwrap_or_default(),
            parent: base.map(|base| base.id.as_str()),
            branch: Some(&branch),
            created_at: TokioTimer.now(),
        };
        let mut checkpoint = making.make(self.graph, &self.position, &changes, tasks);
        if !follows_latest {
            checkpoint.stand_alone();
        }
        self.add(checkpoint);
    }

    fn add(&mut self, checkpoint: Checkpoint) {
        self.latest = Some(checkpoint.id.clone());
        self.base = Some(checkpoint.clone());
        self.finished.clear();
        self.made.push(checkpoint);
    }
}
