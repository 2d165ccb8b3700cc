//! `tools:` what agents may ask to be done, and what exactly happens then.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use serde_json::Value;

use super::Located;
use crate::base::Span;

/// One tool.
#[derive(Clone, Debug)]
pub struct Tool {
    /// As models and policies call it: `payments.refund`.
    pub name: Located<String>,
    /// For the model: what it does and when to use it.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Located<Value>,
    pub target: Target,
    pub retry: Retry,
    /// Arguments pinned on top of the card, in this order.
    pub show: Vec<Located<String>>,
}

/// What a tool does when it is called.
#[derive(Clone, Debug)]
pub enum Target {
    Http(HttpTarget),
    Command(CommandTarget),
}

/// An HTTP request. Texts are minijinja templates over `args`.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    pub method: Located<String>,
    pub url: Located<String>,
    pub headers: BTreeMap<String, String>,
    pub body: Body,
    pub credential: Option<Credential>,
    /// How long the whole call may take before its outcome counts as unknown.
    pub timeout: Span,
    /// Hosts that may resolve to private addresses. Everywhere else they are refused.
    pub allow_private: Vec<Located<String>>,
}

/// What an HTTP request carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Nothing,
    /// The arguments, as JSON.
    Args,
    /// JSON whose texts are templates.
    Template(Value),
}

/// As whom an HTTP tool acts.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Shown on cards and kept in the audit log.
    pub name: String,
    pub secret: SecretString,
    /// The header that carries the bare secret; without it, `Authorization: Bearer <secret>`.
    pub header: Option<String>,
}

/// A program, started without a shell. Arguments are minijinja templates over `args`.
#[derive(Clone, Debug)]
pub struct CommandTarget {
    /// The program and its arguments; never empty.
    pub argv: Vec<String>,
    pub cwd: Option<PathBuf>,
    /// The whole environment the program gets; nothing is inherited.
    pub env: BTreeMap<String, SecretString>,
    /// As whom it acts, for cards and the audit log.
    pub credential: Option<String>,
    /// After this the program and its children are killed.
    pub timeout: Span,
    /// In bytes. What a program writes beyond this is cut off, visibly.
    pub max_output: u64,
}

/// What may be done when nobody knows whether a call took effect.
#[derive(Clone, Debug)]
pub enum Retry {
    Pure,
    /// The target acts once for a key and remembers it for `window`.
    Keyed { window: Span },
    /// Asks, read-only, whether it happened.
    Probe(Box<Target>),
    Once,
}
