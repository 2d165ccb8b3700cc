//! The tool that the configuration makes.

use futures::future::BoxFuture;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::target::{Ending, Target, Values};
use super::{ArgumentError, CallOutcome, ProbeOutcome, Resolved, Tool, ToolSpecError};
use crate::agent::schema::ArgumentSchema;
use crate::agent::{Egress, McpServers, RetrySpec, Standing, ToolDescription, ToolSpec};
use crate::approval::{RetryClass, ToolFacts, Warrant};

/// One tool of `countersign.yaml`.
pub struct ConfiguredTool {
    description: ToolDescription,
    facts: ToolFacts,
    show: Vec<String>,
    schema: ArgumentSchema,
    target: Target,
    probe: Option<Target>,
}

impl ConfiguredTool {
    /// Checks schema and templates, and takes the hashes that bind a call to this very tool.
    pub fn new(
        spec: ToolSpec,
        egress: &Egress,
        servers: &McpServers,
    ) -> Result<Self, ToolSpecError> {
        let error = |why| ToolSpecError { tool: spec.name.clone(), why };
        let facts = ToolFacts {
            name: spec.name.clone(),
            version: hash(&spec).map_err(error)?,
            schema_hash: hash(&spec.parameters).map_err(error)?,
            retry: spec.retry.class(),
        };
        let schema = ArgumentSchema::compile(&spec.parameters).map_err(error)?;
        let target = Target::new(&spec.target, egress, servers).map_err(error)?;
        let probe = match &spec.retry {
            RetrySpec::Probe(probe) => Some(Target::new(probe, egress, servers).map_err(error)?),
            RetrySpec::Pure | RetrySpec::Keyed { .. } | RetrySpec::Once => None,
        };
        let ToolSpec { name, description, parameters, show, target: _, retry: _ } = spec;
        let description = ToolDescription { name, description, parameters };
        Ok(Self { description, facts, show, schema, target, probe })
    }

    /// The stored arguments, if what would run is still what the envelope says.
    fn warranted<'w>(&self, warrant: &'w Warrant) -> Result<&'w Value, String> {
        let envelope = warrant.sealed().envelope();
        let place = self.target.place(&Values::of_call(&envelope.arguments))?;
        if envelope.tool != self.facts || envelope.target != place {
            return Err("the tool is no longer the one that the approval names".to_owned());
        }
        Ok(&envelope.arguments)
    }
}

impl Tool for ConfiguredTool {
    fn description(&self) -> &ToolDescription {
        &self.description
    }

    fn facts(&self) -> &ToolFacts {
        &self.facts
    }

    fn show(&self) -> &[String] {
        &self.show
    }

    fn resolve(&self, arguments: &str) -> Result<Resolved, ArgumentError> {
        let arguments = self.schema.read(arguments)?;
        let target = self.target.place(&Values::of_call(&arguments));
        let target = target.map_err(ArgumentError::Target)?;
        if let Some(probe) = &self.probe {
            // Better now than when an approved call hangs on it.
            let values = Values::of_probe(&arguments, "key");
            probe.place(&values).map_err(ArgumentError::Target)?;
        }
        Ok(Resolved {
            arguments,
            target,
            credential: self.target.credential().to_owned(),
            cwd: self.target.cwd(),
            environment: self.target.environment(),
        })
    }

    fn look(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.target.look())
    }

    fn standing(&self) -> Standing {
        self.target.standing()
    }

    fn call<'a>(&'a self, warrant: &'a Warrant) -> BoxFuture<'a, CallOutcome> {
        Box::pin(async move {
            let arguments = match self.warranted(warrant) {
                Ok(arguments) => arguments,
                Err(why) => return CallOutcome::NotDone { why },
            };
            let values = Values::of_call(arguments);
            match (self.target.exchange(&values, warrant.key()).await, self.facts.retry) {
                (Ending::Success { content }, _) => CallOutcome::Done { content },
                (Ending::Refusal { why } | Ending::Absent { why }, _)
                | (Ending::Lost { why }, RetryClass::Pure) => CallOutcome::NotDone { why },
                (
                    Ending::Lost { why },
                    RetryClass::Keyed | RetryClass::Probe | RetryClass::Once,
                ) => CallOutcome::Unknown { why },
            }
        })
    }

    fn probe<'a>(&'a self, warrant: &'a Warrant) -> BoxFuture<'a, ProbeOutcome> {
        Box::pin(async move {
            let unknown = |why| ProbeOutcome::Unknown { why };
            let Some(probe) = &self.probe else {
                return unknown("this tool cannot be asked".to_owned());
            };
            let arguments = match self.warranted(warrant) {
                Ok(arguments) => arguments,
                Err(why) => return unknown(why),
            };
            let values = Values::of_probe(arguments, warrant.key());
            match probe.exchange(&values, warrant.key()).await {
                Ending::Success { content } => ProbeOutcome::Applied { content },
                Ending::Absent { .. } => ProbeOutcome::NotApplied,
                Ending::Refusal { why } | Ending::Lost { why } => unknown(why),
            }
        })
    }
}

/// SHA-256 over the canonical JSON, in hex.
fn hash(value: &impl serde::Serialize) -> Result<String, String> {
    let canonical =
        serde_json_canonicalizer::to_string(value).map_err(|error| error.to_string())?;
    Ok(hex::encode(Sha256::digest(canonical)))
}
