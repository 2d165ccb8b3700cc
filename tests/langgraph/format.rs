//! The form of a case file. Every table of the fixtures' README is a type here, and what a type
//! does not name is refused, so that a case is either played whole or fails.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expression::Expression;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub id: String,
    #[serde(rename = "title")]
    _title: String,
    #[serde(rename = "tags")]
    _tags: Vec<String>,
    pub graph: GraphForm,
    pub script: Vec<Call>,
    #[serde(default = "yes")]
    pub checkpointer: bool,
    #[serde(default)]
    pub state_subgraphs: bool,
    #[serde(default)]
    pub build_error: bool,
    #[serde(rename = "quirk", default)]
    _quirk: Option<String>,
}

/// Either a graph of nodes and edges, or, with `prebuilt`, an agent.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum GraphForm {
    Agent(Box<AgentForm>),
    Nodes(Box<NodesForm>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodesForm {
    pub state: BTreeMap<String, KeyForm>,
    pub nodes: Ordered<NodeForm>,
    #[serde(default)]
    pub edges: Vec<(OneOrMany, String)>,
    #[serde(default)]
    pub conditional_edges: Vec<RouteForm>,
    pub input: Option<Vec<String>>,
    pub output: Option<Vec<String>>,
    pub interrupt_before: Option<OneOrMany>,
    pub interrupt_after: Option<OneOrMany>,
    #[serde(default)]
    pub subgraphs: BTreeMap<String, GraphForm>,
    pub checkpointer: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentForm {
    #[serde(rename = "prebuilt")]
    _prebuilt: Agent,
    pub replies: Vec<Reply>,
    pub tools: Vec<ToolForm>,
    pub interrupt_on: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    pub interrupt_mode: InterruptMode,
    #[serde(default, deserialize_with = "present")]
    pub edit_notice: Option<Option<String>>,
    pub system_prompt: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Agent {
    Agent,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum InterruptMode {
    #[default]
    Batched,
    PerCall,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyForm {
    #[serde(default)]
    pub reducer: ReducerForm,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ReducerForm {
    #[default]
    LastValue,
    Append,
    Sum,
    Merge,
    AddMessages,
    AnyValue,
    Ephemeral,
    Untracked,
    Topic,
    RemainingSteps,
    IsLastStep,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteForm {
    pub from: String,
    pub route: Expression,
    pub map: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeForm {
    pub ops: Option<Vec<Op>>,
    pub subgraph: Option<String>,
    pub kind: Option<NodeKind>,
    #[serde(default)]
    pub tools: Vec<ToolForm>,
    pub handle_errors: Option<HandleErrors>,
    #[serde(default)]
    pub defer: bool,
    pub retry: Option<OneOrSeveral<RetryForm>>,
    pub timeout: Option<TimeoutForm>,
    pub error_handler: Option<HandlerForm>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Tools,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum HandleErrors {
    Always(bool),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum OneOrSeveral<T> {
    One(T),
    Several(Vec<T>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryForm {
    #[serde(default = "three")]
    pub max_attempts: u32,
    #[serde(default = "one")]
    pub initial_interval_ms: f64,
    #[serde(default = "two")]
    pub backoff_factor: f64,
    #[serde(default = "thousand")]
    pub max_interval_ms: f64,
    #[serde(default)]
    pub retry_on: RetryOn,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
pub enum RetryOn {
    Classes(Vec<ErrorClass>),
    #[default]
    #[serde(deserialize_with = "default_word")]
    Default,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum ErrorClass {
    Boom,
    ValueError,
    RuntimeError,
    ConnectionError,
    TimeoutError,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeoutForm {
    pub run_ms: Option<u64>,
    pub idle_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandlerForm {
    pub ops: Vec<Op>,
}

#[derive(Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    Set {
        key: String,
        value: Expression,
    },
    Let {
        var: String,
        value: Expression,
    },
    Emit {
        value: Expression,
    },
    Effect {
        value: Expression,
    },
    Interrupt {
        value: Expression,
        var: Option<String>,
        response_schema: Option<Value>,
    },
    Fail {
        key: String,
        times: Option<u64>,
        error: ErrorClass,
        #[serde(default)]
        message: String,
    },
    If {
        cond: Expression,
        then: Vec<Op>,
        #[serde(default)]
        r#else: Vec<Op>,
    },
    Sleep {
        ms: u64,
    },
    Model {
        replies: Vec<Reply>,
        messages: Option<Expression>,
        var: Option<String>,
        #[serde(default)]
        tags: Vec<String>,
    },
    CallGraph {
        graph: String,
        input: Expression,
        var: Option<String>,
    },
    Command {
        goto: Option<Expression>,
        update: Option<Expression>,
        graph: Option<CommandGraph>,
    },
    Drain {
        reason: String,
    },
    Return {
        value: Expression,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandGraph {
    Parent,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolForm {
    pub name: String,
    #[serde(default)]
    pub args: BTreeMap<String, ArgType>,
    #[serde(default)]
    pub ops: Vec<Op>,
    #[serde(default, deserialize_with = "given")]
    pub result: Option<Expression>,
    #[serde(default)]
    pub wants_call_id: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgType {
    Int,
    Str,
    Bool,
    List,
    Dict,
    Any,
}

/// What the scripted model says in one turn.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    #[serde(default)]
    pub content: Value,
    pub id: String,
    #[serde(default)]
    pub tool_calls: Vec<ToolCall>,
    pub chunks: Option<Vec<ReplyChunk>>,
    pub error: Option<ErrorClass>,
    #[serde(default)]
    pub message: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ToolCall {
    pub name: String,
    pub args: Value,
    pub id: Value,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum ReplyChunk {
    Text(String),
    Parts(ChunkParts),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkParts {
    #[serde(default)]
    pub content: String,
    #[serde(default)]
    pub tool_call_chunks: Vec<ToolCallChunk>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCallChunk {
    pub name: Option<String>,
    pub args: Option<String>,
    pub id: Option<String>,
    pub index: Option<u64>,
}

#[derive(Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    Invoke(RunCall),
    Stream(RunCall),
    Events(RunCall),
    GetState(ReadCall),
    History(HistoryCall),
    UpdateState(UpdateCall),
    BulkUpdateState(BulkCall),
    RawCheckpoint(PlaceCall),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCall {
    #[serde(default = "t1")]
    pub thread: String,
    pub at: Option<At>,
    #[serde(default)]
    pub input: Value,
    pub modes: Option<OneOrMany>,
    #[serde(default)]
    pub subgraphs: bool,
    pub recursion_limit: Option<i64>,
    #[serde(default)]
    pub durability: DurabilityForm,
    pub interrupt_before: Option<OneOrMany>,
    pub interrupt_after: Option<OneOrMany>,
    pub output_keys: Option<OneOrMany>,
    #[serde(default)]
    pub tags: Vec<String>,
    /// Metadata of a run shows nowhere in an expectation.
    #[serde(rename = "metadata", default)]
    _metadata: Option<IgnoredAny>,
    #[serde(default)]
    pub strict_resume: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DurabilityForm {
    #[default]
    Sync,
    Async,
    Exit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadCall {
    #[serde(default = "t1")]
    pub thread: String,
    pub at: Option<At>,
    #[serde(default)]
    pub subgraphs: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryCall {
    #[serde(default = "t1")]
    pub thread: String,
    pub at: Option<At>,
    pub limit: Option<usize>,
    pub filter: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateCall {
    #[serde(default = "t1")]
    pub thread: String,
    pub at: Option<At>,
    #[serde(default)]
    pub values: Expression,
    pub as_node: Option<String>,
    pub in_subgraph: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkCall {
    #[serde(default = "t1")]
    pub thread: String,
    pub at: Option<At>,
    pub supersteps: Vec<Vec<BulkUpdate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkUpdate {
    #[serde(default)]
    pub values: Expression,
    pub as_node: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceCall {
    #[serde(default = "t1")]
    pub thread: String,
    pub at: Option<At>,
}

/// An old checkpoint: of those in the history with these properties, number `index`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    pub next: Option<Vec<String>>,
    pub source: Option<String>,
    pub step: Option<i64>,
    #[serde(default)]
    pub index: usize,
}

impl OneOrMany {
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Many(names) => names.clone(),
        }
    }
}

impl ErrorClass {
    pub fn name(self) -> &'static str {
        match self {
            Self::Boom => "Boom",
            Self::ValueError => "ValueError",
            Self::RuntimeError => "RuntimeError",
            Self::ConnectionError => "ConnectionError",
            Self::TimeoutError => "TimeoutError",
        }
    }
}

/// An object whose keys stay in the order of the file: nodes are defined in that order.
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// Keeps `null` apart from a key that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expression>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

fn default_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "default" => Ok(()),
        other => Err(serde::de::Error::custom(format!("retry_on cannot be {other}"))),
    }
}

fn yes() -> bool {
    true
}

fn t1() -> String {
    "t1".to_owned()
}

fn three() -> u32 {
    3
}

fn one() -> f64 {
    1.0
}

fn two() -> f64 {
    2.0
}

fn thousand() -> f64 {
    1000.0
}
