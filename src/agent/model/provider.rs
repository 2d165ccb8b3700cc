//! A real model behind its provider's API.
//!
//! It is asked once. When it cannot be reached the run is put back and tried again later, by the
//! desk's own clock: nothing waits in memory, and nothing of a broken answer is ever used.

use std::num::NonZeroU32;

use futures::StreamExt;
use futures::future::BoxFuture;
use genai::adapter::AdapterKind;
use genai::chat::ChatOptions;
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};

use super::wire::{Answer, Answered, Names, request};
use super::{Model, ModelError, ModelSpecError, Prompt, Reply, TokenSink};
use crate::agent::text::{capped, without_secrets};
use crate::agent::{Api, Egress, Money, Price, ProviderSpec};
use crate::base::Span;

/// How much of a provider's complaint is told, in bytes.
const MAX_REASON: usize = 300;

/// Anthropic wants a limit; the others take their own.
const ANTHROPIC_MAX_TOKENS: u32 = 16_384;

/// A model of a provider.
pub struct ProviderModel {
    name: String,
    client: Client,
    endpoint: Endpoint,
    model: ModelIden,
    api_key: Option<SecretString>,
    options: ChatOptions,
    idle_timeout: Span,
    timeout: Span,
    price: Option<Price>,
}

impl ProviderModel {
    /// Nothing is sent before the first [`answer`](Model::answer).
    pub fn new(name: &str, spec: ProviderSpec, egress: &Egress) -> Result<Self, ModelSpecError> {
        let ProviderSpec { api, model, base_url, api_key, max_tokens, .. } = spec;
        let ProviderSpec { idle_timeout, timeout, price, .. } = spec;
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
        let most = max_tokens.map(NonZeroU32::get);
        if let Some(most) = most.or((api == Api::Anthropic).then_some(ANTHROPIC_MAX_TOKENS)) {
            options = options.with_max_tokens(most);
        }
        Ok(Self {
            name: name.to_owned(),
            client,
            endpoint: Endpoint::from_owned(base_url),
            model: ModelIden::new(adapter, model),
            api_key,
            options,
            idle_timeout,
            timeout,
            price,
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

    async fn listen(&self, prompt: &Prompt, tokens: &dyn TokenSink) -> Result<Reply, ModelError> {
        let names = Names::of(prompt)?;
        let mut answer = Answer::default();
        let options = Some(&self.options);
        let asked = self.client.exec_chat_stream(self.target(), request(prompt), options).await;
        let mut stream = asked.map_err(|error| self.error_of(&error))?.stream;
        loop {
            let event = tokio::time::timeout(self.idle_timeout.to_std(), stream.next()).await;
            let event = match event {
                Err(_) => return Err(unavailable("it fell silent")),
                Ok(None) => return Err(unavailable("its answer broke off")),
                Ok(Some(event)) => event.map_err(|error| self.error_of(&error))?,
            };
            if let Some(Answered { text, calls, usage, stop }) =
                answer.take(event, &names, tokens)?
            {
                let cost = self.price.map_or_else(Money::default, |price| price.of(usage));
                return Ok(Reply { model: self.name.clone(), text, calls, usage, cost, stop });
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
        Box::pin(async move {
            let listening = self.listen(prompt, tokens);
            match tokio::time::timeout(self.timeout.to_std(), listening).await {
                Ok(answered) => answered,
                Err(_) => Err(unavailable("it took too long to answer")),
            }
        })
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
