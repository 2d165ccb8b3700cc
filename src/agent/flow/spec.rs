//! What the configuration says about a graph, as plain data. The hash of a graph is taken over it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::approval::Expression;
use crate::graph::Reducer;

/// One graph, as written. Targets are names of its own nodes, or `end`.
#[derive(Clone, Debug, Serialize)]
pub struct FlowSpec {
    pub name: String,
    pub keys: BTreeMap<String, Reducer>,
    pub start: String,
    pub nodes: BTreeMap<String, FlowStep>,
}

/// What a node does. `into` is the state key that takes what comes of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowStep {
    /// Asks an agent, which may call its tools before it answers.
    Agent {
        agent: String,
        prompt: String,
        into: Option<String>,
        then: String,
    },
    /// Makes one call, if the desk lets it pass. `then` is for a call that succeeded.
    Tool {
        tool: String,
        /// JSON whose texts are templates.
        arguments: Value,
        into: Option<String>,
        then: String,
        otherwise: String,
    },
    /// Has people decide the call of the tool node `of`.
    Approval {
        of: String,
        into: Option<String>,
        otherwise: String,
    },
    Set {
        values: BTreeMap<String, Expression>,
        then: String,
    },
    Branch {
        cases: Vec<FlowCase>,
        otherwise: String,
    },
    /// Runs another graph. Keys of the same name are shared.
    Graph {
        graph: String,
        then: String,
    },
    /// Tells the requester something.
    Message {
        text: String,
        then: String,
    },
}

/// One way out of a branch.
#[derive(Clone, Debug, Serialize)]
pub struct FlowCase {
    pub when: Expression,
    pub then: String,
}
