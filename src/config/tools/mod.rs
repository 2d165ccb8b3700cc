//! `tools:` what agents may ask to be done, and what is known about doing it twice.

mod command;
mod http;
mod mcp;
mod specs;
mod target;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::approval::RetryClass;
use crate::base::Span;
use crate::config::reading::{Complained, Length, Located, Named, OneOrMany, Reader};

pub use command::CommandTarget;
pub use http::HttpTarget;
pub use mcp::McpTarget;
pub use target::Target;
pub(super) use target::timeout;

use command::CommandSection;
pub(super) use command::environment;
pub(super) use http::{CredentialSection, HttpSection};
use mcp::McpSection;
use target::TargetSection;

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

/// What may be done when nobody knows whether a call took effect.
#[derive(Clone, Debug)]
pub enum Retry {
    Pure,
    /// The target acts once for a key and remembers it for `window`.
    Keyed {
        window: Span,
    },
    /// Asks, read-only, whether it happened.
    Probe(Box<Target>),
    Once,
}

impl Tool {
    /// What an `http` node of a graph is: a tool with these arguments that changes nothing.
    pub(super) fn reading(
        name: Located<String>,
        arguments: Vec<String>,
        target: HttpTarget,
    ) -> Self {
        let properties: Map<String, Value> =
            arguments.iter().map(|argument| (argument.clone(), json!({}))).collect();
        let parameters = json!({
            "type": "object",
            "properties": properties,
            "required": arguments,
            "additionalProperties": false,
        });
        let at = name.at;
        Self {
            description: format!("Read by the graph node {}.", name.value),
            name,
            parameters: Located { value: parameters, at },
            target: Target::Http(target),
            retry: Retry::Pure,
            show: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    description: String,
    parameters: Located<Value>,
    http: Option<Located<HttpSection>>,
    command: Option<Located<CommandSection>>,
    mcp: Option<Located<McpSection>>,
    /// `once` unless said otherwise: never repeated on its own.
    retry: Option<RetryClass>,
    keyed_for: Option<Located<Length>>,
    probe: Option<Located<TargetSection>>,
    #[serde(default)]
    show: OneOrMany,
}

pub(super) fn read(tools: Named<Section>, reader: &mut Reader<'_>) -> BTreeMap<String, Tool> {
    reader.named(tools, |reader, name, section| {
        let retry = section.retry.unwrap_or(RetryClass::Once);
        let retry = read_retry(&name, retry, section.keyed_for, section.probe, reader);
        let target = match (section.mcp, section.http, section.command) {
            (Some(mcp), None, None) => of_server(&name, mcp, &retry, reader),
            (None, None, None) | (Some(_), _, _) => Err(reader.complain(
                name.at,
                "it must do exactly one thing when it is called",
                "write one of `http:`, `command:` and `mcp:`",
            )),
            (None, http, command) => TargetSection { http, command }.read(name.at, reader),
        };
        Ok(Tool {
            name,
            description: section.description,
            parameters: section.parameters,
            target: target?,
            retry: retry?,
            show: section.show.0,
        })
    })
}

/// The protocol has no key by which a server could know a call again.
fn of_server(
    name: &Located<String>,
    section: Located<McpSection>,
    retry: &Result<Retry, Complained>,
    reader: &mut Reader<'_>,
) -> Result<Target, Complained> {
    if let Ok(Retry::Keyed { .. }) = retry {
        let text =
            format!("the tool `{}` is an MCP server's, and none of those is keyed", name.value);
        reader.complain(name.at, text, "write `retry: once`, or `pure` if it changes nothing");
    }
    section.value.read(reader).map(Target::Mcp)
}

fn read_retry(
    name: &Located<String>,
    class: RetryClass,
    keyed_for: Option<Located<Length>>,
    probe: Option<Located<TargetSection>>,
    reader: &mut Reader<'_>,
) -> Result<Retry, Complained> {
    if let Some(keyed_for) = &keyed_for
        && class != RetryClass::Keyed
    {
        let text = "`keyed_for` means something only to a keyed tool";
        reader.complain(keyed_for.at, text, "write `retry: keyed`, or remove it");
    }
    if let Some(probe) = &probe
        && class != RetryClass::Probe
    {
        let text = "`probe` means something only to a tool that is probed";
        reader.complain(probe.at, text, "write `retry: probe`, or remove it");
    }
    match class {
        RetryClass::Pure => Ok(Retry::Pure),
        RetryClass::Once => Ok(Retry::Once),
        RetryClass::Keyed => match keyed_for {
            Some(window) if window.0 > Span::ZERO => Ok(Retry::Keyed { window: window.0 }),
            Some(_) | None => Err(reader.complain(
                name.at,
                format!(
                    "the keyed tool `{}` does not say how long its target knows a key",
                    name.value
                ),
                "add `keyed_for: 24h`, as the target's documentation says",
            )),
        },
        RetryClass::Probe => match probe {
            Some(Located { value, at }) => value.read(at, reader).map(Box::new).map(Retry::Probe),
            None => Err(reader.complain(
                name.at,
                format!("the tool `{}` does not say how to ask whether it happened", name.value),
                "add `probe:` with an `http` or a `command` that changes nothing",
            )),
        },
    }
}
