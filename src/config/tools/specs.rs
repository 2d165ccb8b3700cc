//! From the file's words to those of the agents' room.

use super::{CommandTarget, HttpTarget, Retry, Target, Tool};
use crate::agent::{CommandSpec, HttpSpec, RetrySpec, TargetSpec, ToolSpec};
use crate::config::reading::values;

impl Tool {
    /// The tool without its places in the file.
    pub fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.value.clone(),
            description: self.description.clone(),
            parameters: self.parameters.value.clone(),
            target: self.target.spec(),
            retry: match &self.retry {
                Retry::Pure => RetrySpec::Pure,
                Retry::Keyed { window } => RetrySpec::Keyed { window: *window },
                Retry::Probe(probe) => RetrySpec::Probe(Box::new(probe.spec())),
                Retry::Once => RetrySpec::Once,
            },
            show: values(&self.show),
        }
    }
}

impl Target {
    fn spec(&self) -> TargetSpec {
        match self {
            Self::Http(http) => TargetSpec::Http(http.spec()),
            Self::Command(command) => TargetSpec::Command(command.spec()),
        }
    }
}

impl HttpTarget {
    fn spec(&self) -> HttpSpec {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.value.clone()));
        HttpSpec {
            method: self.method,
            url: self.url.value.clone(),
            headers: headers.collect(),
            body: self.body.value.clone(),
            credential: self.credential.clone(),
            timeout: self.timeout,
            allow_private: values(&self.allow_private),
        }
    }
}

impl CommandTarget {
    fn spec(&self) -> CommandSpec {
        CommandSpec {
            argv: values(&self.argv),
            cwd: self.cwd.clone(),
            environment: self.environment.clone(),
            credential: self.credential.clone(),
            timeout: self.timeout,
            max_output: self.max_output,
            fails_cleanly: self.fails_cleanly.clone(),
        }
    }
}
