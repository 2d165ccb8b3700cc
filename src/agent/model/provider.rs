//! A real model behind its provider's API.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures::StreamExt;
use futures::future::BoxFuture;
use genai::adapter::AdapterKind;
use genai::chat::ChatOptions;
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};

use super::wire::{Answer, Names, request};
use super::{Model, ModelError, ModelSpecError, Prompt, Reply, TokenSink};
use crate::agent::text::{capped, without_secrets};
use crate::agent::{Api, Egress, ProviderSpec};
use crate::base::Span;

/// How much of a provider's complaint is told, in bytes.
const MAX_REASON: usize = 300;

/// Anthropic wants a limit; the others take their own.
const ANTHROPIC_MAX_TOKENS: u32 = 16_384;

/// How long to wait for a model, and how often to try.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// From one piece of the answer to the next.
    idle: Duration,
    /// For one whole answer.
    total: Duration,
    /// Between tries, growing up to `longest_wait`. A provider that asks for more is not waited
    /// for: the run parks.
    first_wait: Duration,
    longest_wait: Duration,
}

const PATIENCE: Patience = Patience {
    idle: Duration::from_secs(90),
    total: Duration::from_secs(600),
    first_wait: Duration::from_millis(500),
    longest_wait: Duration::from_secs(20),
};

const RETRIES: usize = 3;

/// A model of a provider.
pub struct ProviderModel {
    name: String,
    client: Client,
    endpoint: Endpoint,
    model: ModelIden,
    api_key: Option<SecretString>,
    options: ChatOptions,
    patience: Patience,
}

impl ProviderModel {
    /// Nothing is sent before the first [`answer`](Model::answer).
    pub fn new(name: &str, spec: ProviderSpec, egress: &Egress) -> Result<Self, ModelSpecError> {
        let ProviderSpec { api, model, base_url, api_key } = spec;
        let client = Client::builder().with_reqwest(egress.to_configured_hosts()).build();
        let client = client.map_err(|error| ModelSpecError::Client {
            name: name.to_owned(),
            why: error.to_string(),
        })?;
        let (adapter, default_url) = match api {
            Api::OpenAi => (AdapterKind::OpenAI, "https://api.openai.com/v1/"),
            Api::Anthropic => (AdapterKind::Anthropic, "https://api.anthropic.com/v1/"),
            Api::Gemini => {
                (AdapterKind::Gemini, "https://generativelanguage.googleapis.com/v1beta/")
            }
            Api::Ollama => (AdapterKind::Ollama, "http://localhost:11434/"),
        };
        let mut base_url = base_url.map_or_else(|| default_url.to_owned(), String::from);
        if !base_url.ends_with('/') {
            base_url.push('/');
        }
        let mut options =
            ChatOptions::default().with_capture_tool_calls(true).with_capture_usage(true);
        if api == Api::Anthropic {
            options = options.with_max_tokens(ANTHROPIC_MAX_TOKENS);
        }
        Ok(Self {
            name: name.to_owned(),
            client,
            endpoint: Endpoint::from_owned(base_url),
            model: ModelIden::new(adapter, model),
            api_key,
            options,
            patience: PATIENCE,
        })
    }

    fn target(&self) -> ServiceTarget {
        // Local servers that want no key are sent a word that is none.
        let key = self.api_key.as_ref().map_or("none", ExposeSecret::expose_secret);
        ServiceTarget {
            endpoint: self.endpoint.clone(),
            auth: AuthData::from_single(key),
            model: self.model.clone(),
        }
    }

    /// Asks once.
    async fn ask(&self, prompt: &Prompt, tokens: &dyn TokenSink) -> Result<Reply, Failure> {
        let mut answer = Answer::default();
        let listening = self.listen(prompt, &mut answer, tokens);
        let heard = tokio::time::timeout(self.patience.total, listening).await;
        let error = match heard {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => error,
            Err(_) => unavailable("it took too long to answer"),
        };
        Err(Failure { error, is_heard: answer.is_begun() })
    }

    async fn listen(
        &self,
        prompt: &Prompt,
        answer: &mut Answer,
        tokens: &dyn TokenSink,
    ) -> Result<Reply, ModelError> {
        let names = Names::of(prompt)?;
        let options = Some(&self.options);
        let asked = self.client.exec_chat_stream(self.target(), request(prompt), options).await;
        let mut stream = asked.map_err(|error| self.error_of(&error))?.stream;
        loop {
            let event = tokio::time::timeout(self.patience.idle, stream.next()).await;
            let event = match event {
                Err(_) => return Err(unavailable("it fell silent")),
                Ok(None) => return Err(unavailable("its answer broke off")),
                Ok(Some(event)) => event.map_err(|error| self.error_of(&error))?,
            };
            if let Some(reply) = answer.take(event, &names, tokens)? {
                return Ok(reply);
            }
        }
    }

    fn error_of(&self, error: &genai::Error) -> ModelError {
        use genai::Error;
        // In a stream the failed exchange is wrapped once more.
        let inner = match error {
            Error::WebStream { error, .. } => error.downcast_ref::<Error>(),
            _ => None,
        };
        let exchange = inner.unwrap_or(error);
        if let Some(status) = exchange.status() {
            return match status.as_u16() {
                408 | 425 | 429 | 500..=599 => ModelError::Unavailable {
                    why: format!("HTTP {status}"),
                    retry_after: exchange.headers().and_then(retry_after),
                },
                401 | 403 => ModelError::Refused {
                    // Providers repeat parts of the key in this answer.
                    why: format!("HTTP {status}; look at the `api_key` of `{}`", self.name),
                },
                _ => ModelError::Refused { why: self.reason(exchange) },
            };
        }
        match exchange {
            Error::WebStream { .. } | Error::WebModelCall { .. } | Error::WebAdapterCall { .. } => {
                ModelError::Unavailable { why: self.reason(exchange), retry_after: None }
            }
            Error::ChatResponse { body, .. } => {
                let why = capped(&self.redacted(body.to_string()), MAX_REASON);
                ModelError::Unavailable { why, retry_after: None }
            }
            _ => ModelError::Malformed { why: self.reason(exchange) },
        }
    }

    fn reason(&self, error: &genai::Error) -> String {
        capped(&self.redacted(error.to_string()), MAX_REASON)
    }

    fn redacted(&self, text: String) -> String {
        without_secrets(text, &self.api_key)
    }
}

impl Model for ProviderModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn answer<'a>(
        &'a self,
        prompt: &'a Prompt,
        tokens: &'a dyn TokenSink,
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        let Patience { first_wait, longest_wait, .. } = self.patience;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(first_wait)
            .with_max_delay(longest_wait)
            .with_max_times(RETRIES);
        Box::pin(async move {
            let ask = || self.ask(prompt, tokens);
            ask.retry(backoff)
                .sleep(tokio::time::sleep)
                .when(Failure::may_pass)
                .adjust(|failure, wait| failure.wait(wait?, longest_wait))
                .await
                .map_err(|failure| failure.error)
        })
    }
}

/// A try that came to nothing.
struct Failure {
    error: ModelError,
    /// People have read a part of the answer; a second try would tell them another.
    is_heard: bool,
}

impl Failure {
    fn may_pass(&self) -> bool {
        matches!(self.error, ModelError::Unavailable { .. }) && !self.is_heard
    }

    /// How long to wait before the next try; `None` to give up.
    fn wait(&self, planned: Duration, longest: Duration) -> Option<Duration> {
        match &self.error {
            ModelError::Unavailable { retry_after: Some(asked), .. } => {
                let wait = planned.max(asked.to_std());
                (wait <= longest).then_some(wait)
            }
            ModelError::Unavailable { retry_after: None, .. }
            | ModelError::Refused { .. }
            | ModelError::Malformed { .. }
            | ModelError::Budget { .. } => Some(planned),
        }
    }
}

fn unavailable(why: &str) -> ModelError {
    ModelError::Unavailable { why: why.to_owned(), retry_after: None }
}

/// The header in seconds. Its other form, a date, is not used by the providers we speak to.
fn retry_after(headers: &HeaderMap) -> Option<Span> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Span::seconds(seconds))
}

#[cfg(test)]
mod tests;
