//! `models:` the language models agents may use.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::Located;
use super::reader::{Complained, Reader};
use super::secret::Written;
use super::shape::Named;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    provider: ProviderName,
    model: Option<String>,
    base_url: Option<Located<String>>,
    api_key: Option<Located<String>>,
    api_key_file: Option<Located<String>>,
    script: Option<Located<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProviderName {
    Script,
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}

pub(super) fn read(models: Named<Section>, reader: &mut Reader<'_>) -> BTreeMap<String, Model> {
    reader.named(models, |reader, name, section| {
        let provider = match section.provider {
            ProviderName::Script => script(&name, section, reader),
            ProviderName::OpenAi => api(ApiKind::OpenAi, &name, section, reader),
            ProviderName::Anthropic => api(ApiKind::Anthropic, &name, section, reader),
            ProviderName::Gemini => api(ApiKind::Gemini, &name, section, reader),
            ProviderName::Ollama => api(ApiKind::Ollama, &name, section, reader),
        };
        Ok(Model { name, provider: provider? })
    })
}

fn script(
    name: &Located<String>,
    section: Section,
    reader: &mut Reader<'_>,
) -> Result<Provider, Complained> {
    let Section { model, base_url, api_key, api_key_file, script, provider: _ } = section;
    if model.is_some() || base_url.is_some() || api_key.is_some() || api_key_file.is_some() {
        let text = format!("the model `{}` is a script and asks no API", name.value);
        let mend = "keep only `provider: script` and `script: path`";
        return Err(reader.complain(name.at, text, mend));
    }
    match script {
        Some(script) => Ok(Provider::Script(reader.path(&script))),
        None => {
            let text = format!("the model `{}` has no script to follow", name.value);
            Err(reader.complain(name.at, text, "add `script: path`"))
        }
    }
}

fn api(
    kind: ApiKind,
    name: &Located<String>,
    section: Section,
    reader: &mut Reader<'_>,
) -> Result<Provider, Complained> {
    if let Some(script) = &section.script {
        let text = format!("the model `{}` has a script and an API", name.value);
        reader.complain(script.at, text, "remove `script`, or write `provider: script`");
    }
    let model = section.model.filter(|model| !model.trim().is_empty()).ok_or_else(|| {
        let text = format!("`{}` does not say which model it is", name.value);
        reader.complain(name.at, text, "add `model: …`, the provider's own name for it")
    });
    let written = Written { field: "api_key", value: section.api_key, file: section.api_key_file };
    let base_url = section.base_url.map(|url| {
        if written.is_absent() { reader.url(&url) } else { reader.safe_url(&url) }
    });
    let base_url = base_url.transpose();
    // At another address there may be a server of one's own that wants no key.
    let needs_key = kind != ApiKind::Ollama && matches!(base_url, Ok(None));
    let api_key = if needs_key && written.is_absent() {
        reader.secret(name.at, written).map(Some)
    } else {
        reader.optional_secret(written)
    };
    Ok(Provider::Api { kind, model: model?, base_url: base_url?, api_key: api_key? })
}
