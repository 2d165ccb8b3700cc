//! The agents, made of what the configuration says: a model's loop each, or a graph of those.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{StartError, Worker};
use crate::agent::{
    self, AgentSpec, Crew, CrewMember, Egress, FallbackModel, FlowSpec, Model, ToolDescription,
    Toolbox,
};
use crate::base::Clock;
use crate::config::{Agent, Config, Mind};

/// What agents are made of: those with a model, and the graphs that ask them.
pub(super) struct Staff {
    crew: Crew,
    flows: BTreeMap<String, FlowSpec>,
}

impl Staff {
    pub(super) fn of(
        config: &Config,
        toolbox: &Toolbox,
        egress: &Egress,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let mut crew = Crew::new();
        for (name, agent) in &config.agents {
            let refuse = |why: String| StartError::Agent { agent: name.clone(), why };
            if let Some(member) = member(config, toolbox, egress, clock, agent).map_err(refuse)? {
                crew.insert(name.clone(), member);
            }
        }
        let flows = config.graphs.iter().map(|(name, graph)| (name.clone(), graph.flow()));
        Ok(Self { crew, flows: flows.collect() })
    }

    /// One agent, ready to run.
    pub(super) fn worker(
        &self,
        config: &Config,
        name: &str,
        agent: &Agent,
    ) -> Result<Worker, StartError> {
        let refuse = |why: String| StartError::Agent { agent: name.to_owned(), why };
        let graph = match (&agent.mind, self.crew.get(name)) {
            (Mind::Graph(graph), _) => agent::compile_flow(&self.flows, graph, &self.crew)
                .map_err(|error| refuse(error.to_string()))?,
            (Mind::Model { .. }, Some(CrewMember { spec, model })) => {
                agent::agent_graph(spec.clone(), model.clone())
                    .map_err(|error| refuse(error.to_string()))?
            }
            (Mind::Model { .. }, None) => return Err(refuse("it has no model".to_owned())),
        };
        let channel =
            |channel: &str| config.channels.get(channel).map(|known| known.slack.value.clone());
        let channels = agent.channels.iter().filter_map(|name| channel(name)).collect();
        Ok(Worker { graph, channels })
    }
}

/// An agent with a model; nothing for one that follows a graph.
fn member(
    config: &Config,
    toolbox: &Toolbox,
    egress: &Egress,
    clock: &Arc<dyn Clock>,
    agent: &Agent,
) -> Result<Option<CrewMember>, String> {
    let Mind::Model { model: name, instructions, answer } = &agent.mind else { return Ok(None) };
    let model = model(config, egress, clock, name)?;
    let tools: Vec<ToolDescription> = agent
        .tools
        .iter()
        .map(|tool| {
            let found = toolbox.get(tool).map(|tool| tool.description().clone());
            found.ok_or_else(|| format!("there is no tool called `{}`", tool.value))
        })
        .collect::<Result<_, _>>()?;
    let spec = AgentSpec {
        name: agent.name.value.clone(),
        instructions: instructions.clone(),
        tools,
        answer: answer.as_ref().map(|schema| schema.value.clone()),
        budget: agent.budget,
    };
    Ok(Some(CrewMember { spec, model }))
}

/// A model with those that stand in for it.
fn model(
    config: &Config,
    egress: &Egress,
    clock: &Arc<dyn Clock>,
    name: &str,
) -> Result<Arc<dyn Model>, String> {
    let find = |name: &str| {
        config.models.get(name).ok_or_else(|| format!("there is no model called `{name}`"))
    };
    let open = |name: &str| {
        agent::open_model(name, find(name)?.spec.clone(), egress, clock.clone())
            .map_err(|error| error.to_string())
    };
    let (first, fallback) = (open(name)?, &find(name)?.fallback);
    if fallback.is_empty() {
        return Ok(first);
    }
    let others = fallback.iter().map(|name| open(name)).collect::<Result<_, String>>()?;
    Ok(Arc::new(FallbackModel::new(first, others)))
}
