//! From the plain data to a graph that runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::nodes::{
    AnswerForm, Approve, AskAgent, Begin, Call, Choose, IntoKey, MakeCall, Now, SetKeys,
    TakeAnswer, Tell,
};
use super::spec::{FlowSpec, FlowStep};
use super::unfold::{Flat, Placed, unfold};
use crate::agent::agent_loop::seated;
use crate::agent::seat::{MESSAGES, SPENT, Seat};
use crate::agent::template::{JsonTemplate, Place, Template};
use crate::agent::{AgentError, AgentSpec, GatePlace, Model};
use crate::approval::Expression;
use crate::graph::{
    BuildError, Change, Checkpoint, Graph, GraphBuilder, Reducer, START, StateValue,
};

/// What the graph has told the requester: texts, the newest last.
pub(super) const TOLD: &str = "told";

/// The node that every run begins with. No written name begins like that.
const BEGIN: &str = "/begin";

/// The form of flat graphs. A change of what nodes do goes up by one, so that no run goes on under
/// another meaning.
const FORM: u32 = 1;

/// An agent that a graph can ask.
#[derive(Clone)]
pub struct CrewMember {
    pub spec: AgentSpec,
    pub model: Arc<dyn Model>,
}

/// The agents that graphs can ask, by name.
pub type Crew = BTreeMap<String, CrewMember>;

/// Why a configured graph cannot be made. `check` finds all of it first, with its place.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error("there is no {what} called `{name}`")]
    Unknown { what: &'static str, name: String },
    #[error("it unfolds to more than anybody could follow")]
    TooLarge,
    #[error("the node `{node}`: {why}")]
    Text { node: String, why: String },
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Graph(#[from] BuildError),
}

/// Makes the graph `root` of those that are configured.
pub fn compile_flow(
    flows: &BTreeMap<String, FlowSpec>,
    root: &str,
    crew: &Crew,
) -> Result<Graph, FlowError> {
    let flat = unfold(flows, root)?;
    let mut builder = GraphBuilder::new(root)
        .version(version(&flat))
        .key(MESSAGES, Reducer::Append)
        .key(SPENT, Reducer::LastValue)
        .key(TOLD, Reducer::Append)
        .edge(START, BEGIN);
    // What the graph keeps for itself is kept apart from what its author named.
    let mut keys: BTreeMap<String, Reducer> =
        flat.keys.iter().map(|(key, reducer)| (own(key), *reducer)).collect();
    let guarded: BTreeSet<&str> = flat.nodes.values().filter_map(Placed::approves).collect();
    keys.extend(guarded.iter().map(|call| (left_for(call), Reducer::LastValue)));
    for (key, reducer) in &keys {
        builder = builder.key(key.clone(), *reducer);
    }
    builder = builder.node(BEGIN, Now(Begin { keys, start: flat.start.clone() }));
    for (name, placed) in &flat.nodes {
        builder =
            Compiling { flat: &flat, guarded: &guarded, crew, name, placed }.add_to(builder)?;
    }
    Ok(builder.build()?)
}

/// What a checkpoint tells the requester that its parent did not.
pub fn told_since(checkpoint: &Checkpoint) -> Vec<String> {
    let from = match checkpoint.changed.get(TOLD) {
        Some(Change::Appended { from }) => *from,
        Some(Change::Replaced | Change::Removed) | None => return Vec::new(),
    };
    let Some(StateValue::List(told)) = checkpoint.values.get(TOLD) else {
        return Vec::new();
    };
    told.iter_from(from).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The SHA-256 over everything that the graph says, in hex.
fn version(flat: &Flat) -> String {
    let form = serde_json::to_vec(&(FORM, flat)).expect("texts, maps and lists always serialize");
    hex::encode(Sha256::digest(form))
}

/// A key that the graph's author named.
fn own(key: &str) -> String {
    format!("state.{key}")
}

/// The key in which an approval leaves the answer for the call that it approved.
fn left_for(call: &str) -> String {
    format!("approved.{call}")
}

impl Placed {
    /// The call that the node has people decide.
    fn approves(&self) -> Option<&str> {
        match &self.step {
            FlowStep::Approval { of, .. } => Some(of),
            _ => None,
        }
    }
}

/// One node on its way into the graph.
struct Compiling<'a> {
    flat: &'a Flat,
    guarded: &'a BTreeSet<&'a str>,
    crew: &'a Crew,
    name: &'a str,
    placed: &'a Placed,
}

impl Compiling<'_> {
    fn add_to(&self, builder: GraphBuilder) -> Result<GraphBuilder, FlowError> {
        let scope = || self.placed.scope.iter().map(|(key, at)| (key.clone(), own(at))).collect();
        let name = self.name.to_owned();
        Ok(match &self.placed.step {
            FlowStep::Agent { agent, prompt, into, then } => {
                return self.add_agent(builder, agent, prompt, into.as_deref(), then);
            }
            FlowStep::Tool { into, then, otherwise, .. } => builder.node(
                name.clone(),
                Now(MakeCall {
                    call: self.call(&name, self.placed)?,
                    approved: self.guarded.contains(name.as_str()).then(|| left_for(&name)),
                    into: self.into(into.as_deref())?,
                    then: then.clone(),
                    otherwise: otherwise.clone(),
                }),
            ),
            FlowStep::Approval { of, into, otherwise } => {
                let call = self.flat.nodes.get(of);
                let call = call.ok_or_else(|| unknown("node", of))?;
                builder.node(
                    name,
                    Now(Approve {
                        call: self.call(of, call)?,
                        gate: GatePlace {
                            graph: self.placed.graph.clone(),
                            node: self.placed.written.clone(),
                        },
                        approved: left_for(of),
                        into: self.into(into.as_deref())?,
                        otherwise: otherwise.clone(),
                    }),
                )
            }
            FlowStep::Set { values, then } => {
                let key = |key: &String| self.placed.scope.get(key).map(|at| own(at));
                let value = |(name, value): (&String, &_)| {
                    let key = key(name).ok_or_else(|| unknown("state key", name))?;
                    Ok((key, Expression::clone(value)))
                };
                let values = values.iter().map(value).collect::<Result<_, FlowError>>()?;
                builder.node(name, Now(SetKeys { scope: scope(), values, then: then.clone() }))
            }
            FlowStep::Branch { cases, otherwise } => {
                let cases = cases.iter().map(|case| (case.when.clone(), case.then.clone()));
                let (cases, otherwise) = (cases.collect(), otherwise.clone());
                builder.node(name, Now(Choose { scope: scope(), cases, otherwise }))
            }
            FlowStep::Message { text, then } => {
                let text = self.template(text)?;
                builder.node(name, Now(Tell { scope: scope(), text, then: then.clone() }))
            }
            // There is none left in a flat graph.
            FlowStep::Graph { graph, .. } => return Err(unknown("graph", graph)),
        })
    }

    /// The question, the agent's loop, and what is done with its answer.
    fn add_agent(
        &self,
        builder: GraphBuilder,
        agent: &str,
        prompt: &str,
        into: Option<&str>,
        then: &str,
    ) -> Result<GraphBuilder, FlowError> {
        let CrewMember { spec, model } =
            self.crew.get(agent).ok_or_else(|| unknown("agent", agent))?;
        let name = self.name;
        let reply = format!("{name}/reply");
        let seat = Seat::within(name, agent, reply.clone());
        let ask = AskAgent {
            scope: self.placed.scope.iter().map(|(key, at)| (key.clone(), own(at))).collect(),
            prompt: self.template(prompt)?,
            messages: seat.messages.clone(),
        };
        let take = TakeAnswer {
            messages: seat.messages.clone(),
            form: if spec.answer.is_some() { AnswerForm::Json } else { AnswerForm::Text },
            into: self.into(into)?,
            then: then.to_owned(),
        };
        let builder =
            builder.node(name, Now(ask)).edge(name, seat.agent.clone()).node(reply, Now(take));
        Ok(seated(builder, seat, spec.clone(), model.clone())?)
    }

    fn call(&self, node: &str, placed: &Placed) -> Result<Call, FlowError> {
        let FlowStep::Tool { tool, arguments, .. } = &placed.step else {
            return Err(unknown("tool node", node));
        };
        let arguments = JsonTemplate::parse(arguments).map_err(|why| self.text(why))?;
        let scope = placed.scope.iter().map(|(key, at)| (key.clone(), own(at))).collect();
        Ok(Call { scope, node: node.to_owned(), tool: tool.clone(), arguments })
    }

    fn into(&self, into: Option<&str>) -> Result<Option<IntoKey>, FlowError> {
        let Some(written) = into else { return Ok(None) };
        let key = self.placed.scope.get(written).ok_or_else(|| unknown("state key", written))?;
        let reducer = self.flat.keys.get(key).ok_or_else(|| unknown("state key", written))?;
        Ok(Some(IntoKey { key: own(key), reducer: *reducer }))
    }

    fn template(&self, text: &str) -> Result<Template, FlowError> {
        Template::parse(text, Place::Text).map_err(|why| self.text(why))
    }

    fn text(&self, why: String) -> FlowError {
        FlowError::Text { node: self.name.to_owned(), why }
    }
}

fn unknown(what: &'static str, name: &str) -> FlowError {
    FlowError::Unknown { what, name: name.to_owned() }
}
