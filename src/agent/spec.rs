//! What the configuration says about a tool or a model, as plain data.
//!
//! The version of a tool is the SHA-256 over the canonical JSON of its [`ToolSpec`]. Secrets are
//! left out of that form: a rotated password is no new tool, a changed credential name is one.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::{Pin, Price};
use crate::approval::RetryClass;
use crate::base::Span;

/// One tool.
#[derive(Clone, Debug, Serialize)]
pub struct ToolSpec {
    /// As models and policies call it: `payments.refund`.
    pub name: String,
    /// For the model: what it does and when to use it.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
    pub target: TargetSpec,
    pub retry: RetrySpec,
    /// Arguments pinned on top of the card, in this order.
    pub show: Vec<String>,
}

/// What a tool does when it is called.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetSpec {
    Http(HttpSpec),
    Command(CommandSpec),
    Mcp(McpToolSpec),
}

/// What may be done when nobody knows whether a call took effect.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetrySpec {
    Pure,
    /// The target acts once for a key and remembers it for `window`.
    Keyed {
        window: Span,
    },
    /// The target that says, read-only, whether it happened.
    Probe(Box<TargetSpec>),
    Once,
}

impl RetrySpec {
    pub fn class(&self) -> RetryClass {
        match self {
            Self::Pure => RetryClass::Pure,
            Self::Keyed { .. } => RetryClass::Keyed,
            Self::Probe(_) => RetryClass::Probe,
            Self::Once => RetryClass::Once,
        }
    }
}

/// An HTTP request. Its texts are templates over `args`, the arguments, and in a probe also over
/// `key`, the idempotency key of the call it asks about.
#[derive(Clone, Debug, Serialize)]
pub struct HttpSpec {
    pub method: Method,
    /// Scheme, host and port are fixed; each `{{ … }}` after them fills one encoded piece.
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: Body,
    pub credential: Option<Credential>,
    /// For the whole call.
    pub timeout: Span,
    /// `host` or `host:port` that may be at a private address. A bare host stands for the default
    /// port of the URL's scheme.
    pub allow_private: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What an HTTP request carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    None,
    /// The arguments, as canonical JSON.
    Args,
    /// JSON whose texts are templates. A text that is one placeholder alone keeps the type of the
    /// argument it names.
    Template(Value),
}

/// As whom an HTTP tool acts.
#[derive(Clone, Debug, Serialize)]
pub struct Credential {
    /// Shown on cards and kept in the audit log.
    pub name: String,
    #[serde(skip)]
    pub secret: SecretString,
    /// The header that carries the bare secret; without it, `Authorization: Bearer <secret>`.
    pub header: Option<String>,
}

/// A program, started without a shell.
#[derive(Clone, Debug, Serialize)]
pub struct CommandSpec {
    /// The program, by its absolute path, and its arguments. Each is a template, as in
    /// [`HttpSpec`], that fills exactly one element, whatever it renders to. A value
    /// that begins with a dash is refused, unless it is a number or the template itself begins with one.
    pub argv: Vec<String>,
    pub cwd: Option<PathBuf>,
    /// The whole environment the program gets, beside `COUNTERSIGN_KEY`; nothing is inherited.
    pub environment: BTreeMap<String, EnvironmentValue>,
    /// As whom it acts, for cards and the audit log.
    pub credential: Option<String>,
    /// After this the program and its process group are killed.
    pub timeout: Span,
    /// In bytes; the rest is cut off, visibly.
    pub max_output: u32,
    /// Exit codes by which the program says that it changed nothing; in a probe, that the call did
    /// not happen. Any other failure leaves the outcome unknown.
    pub fails_cleanly: Vec<u8>,
}

/// The value of one environment variable.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentValue {
    /// Part of the tool's version.
    Plain(String),
    /// Left out of the tool's version.
    Secret(#[serde(skip)] SecretString),
}

/// A tool of an MCP server.
#[derive(Clone, Debug, Serialize)]
pub struct McpToolSpec {
    pub server: McpServerSpec,
    /// The server's own name for it.
    pub tool: String,
    /// What the operator has read and agreed to.
    pub pin: Pin,
    /// The server promises that an answer it marks as an error changed nothing.
    pub fails_cleanly: bool,
}

/// An MCP server.
#[derive(Clone, Debug, Serialize)]
pub struct McpServerSpec {
    pub name: String,
    pub transport: McpTransportSpec,
    /// For each of greeting, listing and calling.
    pub timeout: Span,
}

/// How an MCP server is reached.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum McpTransportSpec {
    /// A program that is spoken to over its standard streams.
    Command(McpCommandSpec),
    /// Streamable HTTP.
    Http(McpHttpSpec),
}

/// A program, started without a shell and without templates.
#[derive(Clone, Debug, Serialize)]
pub struct McpCommandSpec {
    /// The program, by its absolute path, and its arguments.
    pub argv: Vec<String>,
    pub cwd: Option<PathBuf>,
    /// The whole environment the program gets; nothing is inherited.
    pub environment: BTreeMap<String, EnvironmentValue>,
    /// As whom it acts, for cards and the audit log.
    pub credential: Option<String>,
}

/// A service.
#[derive(Clone, Debug, Serialize)]
pub struct McpHttpSpec {
    pub url: url::Url,
    pub credential: Option<Credential>,
    /// As in [`HttpSpec`].
    pub allow_private: Vec<String>,
}

/// Where a model's answers come from.
#[derive(Clone, Debug)]
pub enum ModelSpec {
    /// A rule file that answers the same every time, for demos and tests.
    Script(PathBuf),
    Provider(ProviderSpec),
}

/// A real model behind an API.
#[derive(Clone, Debug)]
pub struct ProviderSpec {
    pub api: Api,
    /// The provider's own name for the model.
    pub model: String,
    /// Another address than the provider's own.
    pub base_url: Option<url::Url>,
    pub api_key: Option<SecretString>,
    /// The longest answer, in tokens; the provider's own limit without it.
    pub max_tokens: Option<NonZeroU32>,
    /// The longest silence within an answer.
    pub idle_timeout: Span,
    /// For one whole answer.
    pub timeout: Span,
    pub price: Option<Price>,
}

impl ProviderSpec {
    pub const IDLE_TIMEOUT: Span = Span::seconds(90);
    pub const TIMEOUT: Span = Span::minutes(10);
}

/// Which API a model speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenAI, and the many servers that speak its protocol.
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}
