//! Makes the calls of a case's script on our runtime and writes down what came of each.

use std::num::NonZeroU32;
use std::sync::Arc;

use countersign::graph::stream::{EventsV2, Mode, Shaper, Subgraphs};
use countersign::graph::{
    At, CheckpointRef, Drain, Durability, Edit, Graph, HistoryFilter, Input, Interrupt, Pauses,
    RunEnd, RunError, RunOptions, Saver, StateSnapshot, Update,
};
use serde_json::{Value, json};

use crate::canon::Canon;
use crate::expression::{Expression, Scope};
use crate::format::{
    self, BulkCall, Call, DurabilityForm, HistoryCall, OneOrMany, PlaceCall, ReadCall, RunCall,
    UpdateCall,
};
use crate::inputs;
use crate::returned;
use crate::stored;
use crate::streams;
use crate::text::{sorted, spaced_json};
use crate::threads::Threads;
use crate::watch::Watch;
use crate::world::World;

/// What a call that failed says: an error of the runtime, or of what stands around it.
pub enum Failed {
    Run(RunError),
    Around(String),
}

impl From<RunError> for Failed {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

pub struct Player {
    pub graph: Graph,
    pub world: World,
    pub canon: Canon,
    pub threads: Threads,
    pub state_subgraphs: bool,
    /// The supersteps that a run may make unless told: agents may make many.
    pub limit: u32,
    /// How many calls were made, so that every run has an id of its own.
    pub made: usize,
}

impl Player {
    /// Makes a call and gives its step of the document.
    pub async fn call(&mut self, call: &Call) -> Value {
        self.made += 1;
        let mut step = json!({"call": name(call)});
        let done = match call {
            Call::Invoke(call) => self.run(call, How::Invoke, &mut step).await,
            Call::Stream(call) => self.run(call, How::Stream, &mut step).await,
            Call::Events(call) => self.run(call, How::Events, &mut step).await,
            Call::GetState(call) => self.get_state(call, &mut step).await,
            Call::History(call) => self.history(call, &mut step).await,
            Call::UpdateState(call) => self.update_state(call, &mut step).await,
            Call::BulkUpdateState(call) => self.bulk_update(call, &mut step).await,
            Call::RawCheckpoint(call) => self.raw_checkpoint(call, &mut step).await,
        };
        match done {
            Ok(()) => {}
            Err(Failed::Run(error)) => step["error"] = self.canon.error(&error),
            Err(Failed::Around(why)) => {
                step["error"] = json!({"class": "ValueError", "kind": "host", "message": why});
            }
        }
        let effects = self.world.take_effects();
        if !effects.is_empty() {
            step["effects"] = effects.into();
        }
        if self.threads.keep() && changes(call) {
            self.state_after(thread(call), &mut step).await;
        }
        step
    }

    /// The state after a call that ran or wrote, and the questions it shows.
    async fn state_after(&mut self, thread: &str, step: &mut Value) {
        let saver = self.threads.saver(thread);
        match self.state(&*saver, &At::latest(), self.state_subgraphs).await {
            Ok(snapshot) => {
                self.threads.note(&snapshot.interrupts);
                step["state"] = self.canon.snapshot(&snapshot);
            }
            Err(error) => step["state_error"] = self.canon.error(&error),
        }
    }

    async fn state(
        &self,
        saver: &dyn Saver,
        at: &At,
        subgraphs: bool,
    ) -> Result<StateSnapshot, RunError> {
        if subgraphs {
            self.graph.state_with_subgraphs(saver, at).await
        } else {
            self.graph.state(saver, at).await
        }
    }

    async fn run(&mut self, call: &RunCall, how: How, step: &mut Value) -> Result<(), Failed> {
        let shaper = match (how, &call.modes) {
            (How::Stream, Some(modes)) => Some(shaper(modes, call)?),
            (How::Stream, None) => return Err(Failed::Around("a stream needs modes".into())),
            _ => None,
        };
        if matches!(how, How::Stream) {
            step["chunks"] = json!([]);
        }
        let events = matches!(how, How::Events).then(|| EventsV2::new(self.run_id()));
        let saver = self.threads.saver(&call.thread);
        let input = self.input(call, &*saver).await?;
        let options = self.options(call, &*saver).await?;
        let watch = Arc::new(Watch::new(&self.world, shaper, events));
        self.world.set_tags(&call.tags);
        let sink = Arc::clone(&watch);
        let end = self.graph.run(input, saver, sink, options).await;
        self.world.set_tags(&[]);
        match how {
            How::Invoke => {}
            How::Stream => step["chunks"] = streams::chunks(&mut self.canon, watch.chunks()),
            How::Events => step["events"] = streams::events(&mut self.canon, watch.told()),
        }
        let end = end?;
        if matches!(how, How::Invoke) {
            let mut result = self.canon.value(&self.graph.output(end.state()));
            result = chosen(result, call.output_keys.as_ref());
            if let (RunEnd::Interrupted { interrupts, .. }, true) = (&end, result.is_object()) {
                result["__interrupt__"] = by_value(&mut self.canon, interrupts);
            }
            step["result"] = result;
        }
        Ok(())
    }

    async fn input(&mut self, call: &RunCall, saver: &dyn Saver) -> Result<Input, Failed> {
        let open = if inputs::needs_open(&call.input) {
            self.graph.state(saver, &At::latest()).await?.interrupts
        } else {
            Vec::new()
        };
        inputs::read(&call.input, &open, self.threads.seen()).map_err(Failed::Around)
    }

    async fn options(&self, call: &RunCall, saver: &dyn Saver) -> Result<RunOptions, Failed> {
        let limit = match call.recursion_limit {
            None => self.limit,
            Some(limit) => u32::try_from(limit).unwrap_or_default(),
        };
        let Some(limit) = NonZeroU32::new(limit) else {
            return Err(Failed::Around("recursion_limit must be at least 1".into()));
        };
        let mut options = RunOptions::of_run(self.run_id())
            .supersteps(limit)
            .drain(Drain::default())
            .durability(match call.durability {
                DurabilityForm::Sync => Durability::Sync,
                DurabilityForm::Async => Durability::Async,
                DurabilityForm::Exit => Durability::Exit,
            });
        if let Some(at) = &call.at {
            options = options.at(self.find(saver, at).await?);
        }
        if let Some(nodes) = &call.interrupt_before {
            options = options.interrupt_before(Pauses::at(nodes.names()));
        }
        if let Some(nodes) = &call.interrupt_after {
            options = options.interrupt_after(Pauses::at(nodes.names()));
        }
        if !call.strict_resume {
            options = options.ignore_unknown_answers();
        }
        Ok(options)
    }

    fn run_id(&self) -> String {
        format!("run_{}", self.made)
    }

    /// The checkpoint that `at` describes.
    async fn find(&self, saver: &dyn Saver, at: &format::At) -> Result<String, Failed> {
        let history = self.graph.history(saver, &At::latest(), &HistoryFilter::default()).await?;
        let fits = |snapshot: &&StateSnapshot| {
            let next = || snapshot.next.iter().map(ToString::to_string).collect::<Vec<_>>();
            at.next.as_ref().is_none_or(|wanted| *wanted == next())
                && at.step.is_none_or(|wanted| snapshot.step == Some(wanted))
                && at.source.as_ref().is_none_or(|wanted| {
                    snapshot.source.is_some_and(|source| source.name() == wanted)
                })
        };
        let found = history.iter().filter(fits).nth(at.index);
        match found.and_then(|found| found.checkpoint.as_ref()) {
            Some(place) => Ok(place.id.clone()),
            None => Err(Failed::Around("no checkpoint is as described".into())),
        }
    }

    async fn at(&self, saver: &dyn Saver, at: Option<&format::At>) -> Result<At, Failed> {
        Ok(match at {
            Some(at) => At::checkpoint(self.find(saver, at).await?),
            None => At::latest(),
        })
    }

    /// Reading and writing state needs a store.
    fn store(&self, thread: &str) -> Result<Arc<dyn Saver>, Failed> {
        if self.threads.keep() {
            Ok(self.threads.saver(thread))
        } else {
            Err(Failed::Around("no checkpoint store".into()))
        }
    }

    async fn get_state(&mut self, call: &ReadCall, step: &mut Value) -> Result<(), Failed> {
        let saver = self.store(&call.thread)?;
        let at = self.at(&*saver, call.at.as_ref()).await?;
        let snapshot = self.state(&*saver, &at, call.subgraphs).await?;
        step["state"] = self.canon.snapshot(&snapshot);
        Ok(())
    }

    async fn history(&mut self, call: &HistoryCall, step: &mut Value) -> Result<(), Failed> {
        let saver = self.store(&call.thread)?;
        if call.at.is_some() {
            return Err(Failed::Around("a history at a checkpoint is not known here".into()));
        }
        let filter = inputs::filter(call).map_err(Failed::Around)?;
        let history = self.graph.history(&*saver, &At::latest(), &filter).await?;
        step["history"] = history.iter().map(|one| self.canon.snapshot(one)).collect();
        Ok(())
    }

    async fn update_state(&mut self, call: &UpdateCall, step: &mut Value) -> Result<(), Failed> {
        let saver = self.store(&call.thread)?;
        let mut at = self.at(&*saver, call.at.as_ref()).await?;
        if let Some(name) = &call.in_subgraph {
            let snapshot = self.graph.state(&*saver, &at).await?;
            let task = snapshot.tasks.iter().find(|task| *task.name == **name);
            let Some(namespace) = task.and_then(|task| task.namespace.clone()) else {
                return Err(Failed::Around(format!("no paused task {name} runs a graph")));
            };
            at = At::latest().within(namespace);
        }
        let edit = edit(&call.values, call.as_node.as_deref())?;
        let id = self.graph.update_state(&*saver, &at, edit).await?;
        step["config"] = self.canon.config(Some(&CheckpointRef { id, namespace: at.namespace }));
        Ok(())
    }

    async fn bulk_update(&mut self, call: &BulkCall, step: &mut Value) -> Result<(), Failed> {
        let saver = self.store(&call.thread)?;
        let at = self.at(&*saver, call.at.as_ref()).await?;
        let mut supersteps = Vec::new();
        for superstep in &call.supersteps {
            let edits = superstep.iter().map(|one| edit(&one.values, one.as_node.as_deref()));
            supersteps.push(edits.collect::<Result<Vec<_>, _>>()?);
        }
        let id = self.graph.bulk_update(&*saver, &at, supersteps).await?;
        step["config"] = self.canon.config(Some(&CheckpointRef { id, namespace: at.namespace }));
        Ok(())
    }

    async fn raw_checkpoint(&mut self, call: &PlaceCall, step: &mut Value) -> Result<(), Failed> {
        let saver = self.store(&call.thread)?;
        let at = self.at(&*saver, call.at.as_ref()).await?;
        step["checkpoint"] = stored::checkpoint(&mut self.canon, &self.graph, &*saver, &at).await?;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum How {
    Invoke,
    Stream,
    Events,
}

fn name(call: &Call) -> &'static str {
    match call {
        Call::Invoke(_) => "invoke",
        Call::Stream(_) => "stream",
        Call::Events(_) => "events",
        Call::GetState(_) => "get_state",
        Call::History(_) => "history",
        Call::UpdateState(_) => "update_state",
        Call::BulkUpdateState(_) => "bulk_update_state",
        Call::RawCheckpoint(_) => "raw_checkpoint",
    }
}

fn thread(call: &Call) -> &str {
    match call {
        Call::Invoke(call) | Call::Stream(call) | Call::Events(call) => &call.thread,
        Call::GetState(call) => &call.thread,
        Call::History(call) => &call.thread,
        Call::UpdateState(call) => &call.thread,
        Call::BulkUpdateState(call) => &call.thread,
        Call::RawCheckpoint(call) => &call.thread,
    }
}

/// Whether the call runs or writes.
fn changes(call: &Call) -> bool {
    !matches!(call, Call::GetState(_) | Call::History(_) | Call::RawCheckpoint(_))
}

fn shaper(modes: &OneOrMany, call: &RunCall) -> Result<Shaper, Failed> {
    let read = |name: String| {
        name.parse::<Mode>().map_err(|_| Failed::Around(format!("the mode {name} is unknown")))
    };
    let modes = modes.names().into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let subgraphs = if call.subgraphs { Subgraphs::Shown } else { Subgraphs::Hidden };
    let shaper = Shaper::new(modes, subgraphs);
    Ok(match &call.output_keys {
        Some(OneOrMany::Many(keys)) => shaper.output_keys(keys.clone()),
        Some(OneOrMany::One(key)) => shaper.output_key(key.clone()),
        None => shaper,
    })
}

/// The keys of a result that the call asked for; of a single one the bare value.
fn chosen(result: Value, keys: Option<&OneOrMany>) -> Value {
    match keys {
        None => result,
        Some(OneOrMany::One(key)) => result[key].clone(),
        Some(OneOrMany::Many(keys)) => {
            let there = |key: &String| Some((key.clone(), result.get(key)?.clone()));
            keys.iter().filter_map(there).collect::<serde_json::Map<_, _>>().into()
        }
    }
}

fn by_value(canon: &mut Canon, interrupts: &[Interrupt]) -> Value {
    let mut list: Vec<_> = interrupts.iter().map(|one| canon.interrupt(one)).collect();
    list.sort_by_key(|one| spaced_json(&sorted(&one["value"])));
    list.into()
}

fn edit(values: &Expression, as_node: Option<&str>) -> Result<Edit, Failed> {
    let values = values.eval(&Scope::default()).map_err(Failed::Around)?;
    let update = || -> Result<Update, Failed> {
        returned::update(&values).map_err(|_| Failed::Around(format!("{values} is no update")))
    };
    Ok(match as_node {
        None => Edit::values(update()?),
        Some("__input__") => Edit::as_input(values),
        Some("__end__") if values.is_null() => Edit::end(),
        Some("__copy__") => Edit::copy(),
        Some(node) => Edit::values(update()?).as_node(node.to_owned()),
    })
}
