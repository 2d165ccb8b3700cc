//! Makes our graph of a case's: every word of the case's form has its counterpart in the builder.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign::graph::{
    BuildError, Graph, GraphBuilder, Memory, NodeError, NodeOptions, Reducer, RetryOn, RetryPolicy,
    State, Target,
};

use crate::expression::Scope;
use crate::format::{
    self, GraphForm, NodeForm, NodeKind, NodesForm, OneOrMany, OneOrSeveral, ReducerForm,
    RetryForm, RouteForm,
};
use crate::prebuilt;
use crate::program::{Program, Reach};
use crate::returned::targets;
use crate::tools::{ToolNode, Tools};
use crate::world::World;

/// Every recorded graph has this name.
pub const NAME: &str = "LangGraph";

/// Builds the graph.
///
/// # Errors
/// That of the builder.
pub fn graph(form: &GraphForm, world: &World) -> Result<Graph, BuildError> {
    match form {
        GraphForm::Agent(form) => prebuilt::agent(form, world),
        GraphForm::Nodes(form) => nodes(form, world),
    }
}

fn nodes(form: &NodesForm, world: &World) -> Result<Graph, BuildError> {
    let mut graphs = BTreeMap::new();
    for (name, form) in &form.subgraphs {
        graphs.insert(name.clone(), Arc::new(graph(form, world)?));
    }
    let reach = Reach { world: world.clone(), graphs: Arc::new(graphs) };
    let mut builder = GraphBuilder::new(NAME).lenient();
    for (key, spec) in &form.state {
        builder = builder.key(key, reducer(spec.reducer));
    }
    if let Some(keys) = &form.input {
        builder = builder.input_keys(keys.clone());
    }
    if let Some(keys) = &form.output {
        builder = builder.output_keys(keys.clone());
    }
    for (name, spec) in &form.nodes.0 {
        builder = node(builder, name, spec, &reach);
    }
    for (from, to) in &form.edges {
        builder = match from {
            OneOrMany::One(from) => builder.edge(from, to),
            OneOrMany::Many(from) => builder.join(from.clone(), to),
        };
    }
    for route in &form.conditional_edges {
        builder = conditional_edge(builder, route);
    }
    if let Some(nodes) = &form.interrupt_before {
        builder = builder.interrupt_before(nodes.names());
    }
    if let Some(nodes) = &form.interrupt_after {
        builder = builder.interrupt_after(nodes.names());
    }
    let memory = match form.checkpointer {
        None => Memory::Inherit,
        Some(true) => Memory::Own,
        Some(false) => Memory::Nothing,
    };
    builder.memory(memory).build()
}

fn node(builder: GraphBuilder, name: &str, form: &NodeForm, reach: &Reach) -> GraphBuilder {
    let options = options(form, reach);
    if let Some(subgraph) = &form.subgraph {
        let graph = Arc::clone(&reach.graphs[subgraph]);
        return builder.subgraph_with(name, graph, options);
    }
    match form.kind {
        Some(NodeKind::Tools) => {
            let tools = Tools {
                tools: form.tools.clone(),
                handle_errors: form.handle_errors.clone(),
                reach: reach.clone(),
            };
            builder.node_with(name, ToolNode(tools), options)
        }
        None => {
            let ops = form.ops.clone().unwrap_or_default();
            builder.node_with(name, Program { ops, reach: reach.clone() }, options)
        }
    }
}

fn options(form: &NodeForm, reach: &Reach) -> NodeOptions {
    let mut options = NodeOptions::new();
    if form.defer {
        options = options.defer();
    }
    let policies = match &form.retry {
        None => [].as_slice(),
        Some(OneOrSeveral::One(policy)) => std::slice::from_ref(policy),
        Some(OneOrSeveral::Several(policies)) => policies,
    };
    for policy in policies {
        options = options.retry(retry(policy));
    }
    if let Some(timeout) = &form.timeout {
        if let Some(ms) = timeout.run_ms {
            options = options.run_timeout(Duration::from_millis(ms));
        }
        if let Some(ms) = timeout.idle_ms {
            options = options.idle_timeout(Duration::from_millis(ms));
        }
    }
    if let Some(handler) = &form.error_handler {
        let ops = handler.ops.clone();
        options = options.on_error(Program { ops, reach: reach.clone() });
    }
    options
}

fn retry(form: &RetryForm) -> RetryPolicy {
    let ms = |ms: f64| Duration::from_secs_f64(ms / 1000.0);
    RetryPolicy {
        max_attempts: form.max_attempts,
        initial_interval: ms(form.initial_interval_ms),
        backoff_factor: form.backoff_factor,
        max_interval: ms(form.max_interval_ms),
        jitter: Duration::ZERO,
        retry_on: match &form.retry_on {
            format::RetryOn::Default => RetryOn::Default,
            format::RetryOn::Classes(classes) => {
                RetryOn::Kinds(classes.iter().map(|class| class.name().to_owned()).collect())
            }
        },
    }
}

fn conditional_edge(builder: GraphBuilder, form: &RouteForm) -> GraphBuilder {
    let (route, names) = (form.route.clone(), form.map.clone());
    let known = form.map.iter().flat_map(|names| names.values().cloned()).collect::<Vec<_>>();
    let follow = move |state: &State| -> Result<Vec<Target>, NodeError> {
        let scope = Scope { input: state.to_value(), ..Scope::default() };
        let value = route.eval(&scope).map_err(|why| NodeError::of_kind("TypeError", why))?;
        targets(&value, names.as_ref())
    };
    if form.map.is_some() {
        builder.conditional_edge_to(&form.from, follow, known)
    } else {
        builder.conditional_edge(&form.from, follow)
    }
}

fn reducer(form: ReducerForm) -> Reducer {
    match form {
        ReducerForm::LastValue => Reducer::LastValue,
        ReducerForm::Append => Reducer::Append,
        ReducerForm::Sum => Reducer::Sum,
        ReducerForm::Merge => Reducer::Merge,
        ReducerForm::AddMessages => Reducer::Messages,
        ReducerForm::AnyValue => Reducer::AnyValue,
        ReducerForm::Ephemeral => Reducer::Ephemeral,
        ReducerForm::Untracked => Reducer::Untracked,
        ReducerForm::Topic => Reducer::Topic,
        ReducerForm::RemainingSteps => Reducer::RemainingSteps,
        ReducerForm::IsLastStep => Reducer::IsLastStep,
    }
}
