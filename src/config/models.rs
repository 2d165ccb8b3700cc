//! `models:` the language models agents may use.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::Located;

/// One model under the name agents use for it.
#[derive(Clone, Debug)]
pub struct Model {
    pub name: Located<String>,
    pub provider: Provider,
}

/// Where a model's answers come from.
#[derive(Clone, Debug)]
pub enum Provider {
    /// No model at all: a file of rules that answers the same every time, for demos and tests.
    Script(PathBuf),
    /// A real model behind an API.
    Api {
        kind: ApiKind,
        /// The provider's own name for the model.
        model: String,
        /// Another address than the provider's own.
        base_url: Option<Url>,
        /// A local model may need none.
        api_key: Option<SecretString>,
    },
}

/// Which API a model speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// OpenAI, and the many servers that speak its protocol.
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}
