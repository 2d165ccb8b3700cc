//! The way to one server: a program's standard streams, or HTTP.

use std::collections::HashMap;
use std::error::Error;
use std::process::Stdio;
use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation};
use rmcp::service::{ClientInitializeError, RunningService, ServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::common::client_side_sse::NeverRetry;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransportConfig, StreamableHttpError,
};
use rmcp::{Peer, RoleClient};
use secrecy::{ExposeSecret, SecretString};
use tokio::process::{Child, Command};
use url::Url;

use crate::agent::egress::{self, PrivateHosts};
use crate::agent::process::{Group, quoted};
use crate::agent::text::capped;
use crate::agent::{Credential, Egress, EnvironmentValue, McpCommandSpec, McpTransportSpec};

/// How much of an error is told, in bytes.
const MAX_REASON: usize = 500;
/// The longest message that is read, in bytes.
const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// How a server is reached.
pub(super) enum Way {
    Command(McpCommandSpec),
    Http { url: Url, client: Box<reqwest::Client>, credential: Option<Credential> },
}

/// A server that has greeted us. Dropping it ends the conversation, and the program if it is one.
pub(super) struct Connection {
    service: RunningService<RoleClient, ClientConfig>,
    /// Kept to be dropped: the first is the program, the second all that it started.
    _program: Option<(Child, Group)>,
}

impl Way {
    pub(super) fn new(spec: &McpTransportSpec, egress: &Egress) -> Result<Self, String> {
        match spec {
            McpTransportSpec::Command(command) => match command.argv.first() {
                Some(program) if program.starts_with('/') => Ok(Self::Command(command.clone())),
                Some(_) | None => {
                    Err("`argv` must start with the absolute path of a program".to_owned())
                }
            },
            McpTransportSpec::Http(http) => {
                let port = http.url.port_or_known_default().unwrap_or(443);
                let private = PrivateHosts::read(&http.allow_private, port)?;
                let client = egress.client_for(&http.url, &private);
                let client = Box::new(client.map_err(|refusal| refusal.to_string())?);
                let credential = http.credential.clone();
                Ok(Self::Http { url: http.url.clone(), client, credential })
            }
        }
    }

    /// Where it is, for cards: the address, or the program with its arguments.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Command(command) => {
                command.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
            }
            Self::Http { url, .. } => url.to_string(),
        }
    }

    pub(super) fn secrets(&self) -> Vec<&SecretString> {
        match self {
            Self::Command(command) => {
                let secret = |value| match value {
                    &EnvironmentValue::Plain(_) => None,
                    EnvironmentValue::Secret(secret) => Some(secret),
                };
                command.environment.values().filter_map(secret).collect()
            }
            Self::Http { credential, .. } => {
                credential.iter().map(|credential| &credential.secret).collect()
            }
        }
    }

    /// Connects and greets. Nothing that matters has happened when it fails.
    pub(super) async fn connect(&self) -> Result<Connection, String> {
        // We offer nothing, so a server has nothing to ask us for.
        let us = Implementation::new("countersign", env!("CARGO_PKG_VERSION"));
        let us = ClientConfig::new(ClientCapabilities::default(), us);
        match self {
            Self::Command(command) => {
                let mut child = start(command)?;
                let group = Group::of(&child);
                let streams = child.stdout.take().zip(child.stdin.take());
                let (output, input) = streams.ok_or("its streams cannot be opened")?;
                let transport = AsyncRwTransport::<RoleClient, _, _>::new(output, input)
                    .with_max_line_length(MAX_MESSAGE);
                let service = us.serve(transport).await.map_err(|error| unmet(&error))?;
                Ok(Connection { service, _program: Some((child, group)) })
            }
            Self::Http { url, client, credential } => {
                let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                    .max_sse_event_size(MAX_MESSAGE)
                    .max_json_response_size(MAX_MESSAGE)
                    // A request that was lost may have taken effect: it is never sent again.
                    .reinit_on_expired_session(false);
                config.retry_config = Arc::new(NeverRetry::default());
                if let Some(credential) = credential {
                    config = with_credential(config, credential)?;
                }
                let client = client.as_ref().clone();
                let transport = StreamableHttpClientTransport::with_client(client, config);
                let service = us.serve(transport).await.map_err(|error| unmet(&error))?;
                Ok(Connection { service, _program: None })
            }
        }
    }
}

impl Connection {
    pub(super) fn peer(&self) -> &Peer<RoleClient> {
        self.service.peer()
    }

    pub(super) fn is_over(&self) -> bool {
        self.service.is_transport_closed()
    }
}

/// Starts a program in an environment that holds nothing but what the configuration lists.
fn start(command: &McpCommandSpec) -> Result<Child, String> {
    let (program, arguments) = command.argv.split_first().ok_or("`argv` names no program")?;
    let mut child = Command::new(program);
    child.args(arguments).env_clear();
    for (name, value) in &command.environment {
        match value {
            EnvironmentValue::Plain(value) => child.env(name, value),
            EnvironmentValue::Secret(value) => child.env(name, value.expose_secret()),
        };
    }
    if let Some(cwd) = &command.cwd {
        child.current_dir(cwd);
    }
    child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("`{program}` could not be started: {error}"))
}

fn with_credential(
    config: StreamableHttpClientTransportConfig,
    credential: &Credential,
) -> Result<StreamableHttpClientTransportConfig, String> {
    let secret = credential.secret.expose_secret();
    let Some(header) = &credential.header else {
        return Ok(config.auth_header(secret));
    };
    let name = HeaderName::try_from(header).map_err(|_| format!("`{header}` is no header"))?;
    let value = HeaderValue::try_from(secret);
    let mut value = value.map_err(|_| "the credential's secret cannot be sent in a header")?;
    value.set_sensitive(true);
    Ok(config.custom_headers(HashMap::from([(name, value)])))
}

/// Why there was no greeting.
fn unmet(error: &ClientInitializeError) -> String {
    match error {
        // The library keeps the causes of these to itself.
        ClientInitializeError::TransportError { error, .. } => {
            match error.error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
                Some(StreamableHttpError::Client(error)) => egress::told(error),
                Some(_) | None => told(error.error.as_ref()),
            }
        }
        other => told(other),
    }
}

/// An error with its causes, in a bounded sentence.
pub(super) fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        cause = error.source();
        let told = error.to_string();
        if !text.contains(&told) {
            let gap = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{gap}{told}");
        }
    }
    capped(&text, MAX_REASON)
}
