//! Agents: the models that answer, the tools they may ask for, and the loop between the two.
//!
//! An agent is a graph of three nodes, `agent → approval → tools → agent` ([`agent_graph`]). The
//! model only ever *proposes* tool calls ([`ProposedCall`]); the `approval` node interrupts the run
//! once for each, and whoever drives the graph answers each with a [`CallAnswer`]. Nothing in the
//! graph can call a [`Tool`]: that takes a [`Warrant`](crate::approval::Warrant), which only the
//! approval core makes.
//!
//! [`flow`] puts such loops together with tools, approvals and checks, as `countersign.yaml` says.

mod agent_loop;
mod answer;
mod budget;
mod call;
mod egress;
mod flow;
mod mcp;
mod model;
mod process;
mod schema;
mod seat;
mod shown;
mod spec;
mod template;
mod text;
mod tools;

pub use agent_loop::{AgentError, AgentSpec, QUIET, agent_graph, agent_input, last_words};
pub use answer::check_answer_schema;
pub use budget::{Budget, Money, Price, Spent, Stopped, Usage};
pub use call::{APPROVAL_NODE, CallAnswer, CallSite, CallStatus, GatePlace, ProposedCall};
pub use egress::{Egress, EgressRefusal};
pub use flow::{
    Crew, CrewMember, FlowCase, FlowError, FlowSpec, FlowStep, compile_flow, told_since,
};
use mcp::FailsCleanly;
pub use mcp::{Described, McpServer, McpServers, NotAPin, Offer, Pin, Standing};
pub use model::{
    FallbackModel, Message, Model, ModelError, ModelSpecError, Prompt, ProviderModel, Reply,
    ScriptError, ScriptedModel, Stop, TokenSink, ToolCall, ToolDescription, open_model,
};
pub use shown::in_langchains_form;
pub use spec::{
    Api, Body, CommandSpec, Credential, EnvironmentValue, HttpSpec, McpCommandSpec, McpHttpSpec,
    McpServerSpec, McpToolSpec, McpTransportSpec, Method, ModelSpec, ProviderSpec, RetrySpec,
    TargetSpec, ToolSpec,
};
pub use tools::{
    ArgumentError, CallOutcome, ConfiguredTool, ProbeOutcome, Resolved, Tool, ToolSpecError,
    Toolbox,
};
