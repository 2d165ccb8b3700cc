//! `models:` the language models agents may use.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::agent::{Api, ModelSpec, ProviderSpec};
use crate::config::reading::{Complained, Located, Named, Reader, Written};

/// One model under the name agents use for it.
#[derive(Clone, Debug)]
pub struct Model {
    pub name: Located<String>,
    pub spec: ModelSpec,
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
        let spec = match section.provider {
            ProviderName::Script => script(&name, section, reader),
            ProviderName::OpenAi => api(Api::OpenAi, &name, section, reader),
            ProviderName::Anthropic => api(Api::Anthropic, &name, section, reader),
            ProviderName::Gemini => api(Api::Gemini, &name, section, reader),
            ProviderName::Ollama => api(Api::Ollama, &name, section, reader),
        };
        Ok(Model { name, spec: spec? })
    })
}

fn script(
    name: &Located<String>,
    section: Section,
    reader: &mut Reader<'_>,
) -> Result<ModelSpec, Complained> {
    let Section { model, base_url, api_key, api_key_file, script, provider: _ } = section;
    if model.is_some() || base_url.is_some() || api_key.is_some() || api_key_file.is_some() {
        let text = format!("the model `{}` is a script and asks no API", name.value);
        let mend = "keep only `provider: script` and `script: path`";
        return Err(reader.complain(name.at, text, mend));
    }
    match script {
        Some(script) => Ok(ModelSpec::Script(reader.path(&script))),
        None => {
            let text = format!("the model `{}` has no script to follow", name.value);
            Err(reader.complain(name.at, text, "add `script: path`"))
        }
    }
}

fn api(
    kind: Api,
    name: &Located<String>,
    section: Section,
    reader: &mut Reader<'_>,
) -> Result<ModelSpec, Complained> {
    if let Some(script) = &section.script {
        let text = format!("the model `{}` has a script and an API", name.value);
        reader.complain(script.at, text, "remove `script`, or write `provider: script`");
    }
    let model = section.model.filter(|model| !model.trim().is_empty()).ok_or_else(|| {
        let text = format!("`{}` does not say which model it is", name.value);
        reader.complain(name.at, text, "add `model: …`, the provider's own name for it")
    });
    let written = Written { field: "api_key", value: section.api_key, file: section.api_key_file };
    let base_url = section
        .base_url
        .map(|url| if written.is_absent() { reader.url(&url) } else { reader.safe_url(&url) });
    let base_url = base_url.transpose();
    // At another address there may be a server of one's own that wants no key.
    let needs_key = kind != Api::Ollama && matches!(base_url, Ok(None));
    let api_key = if needs_key && written.is_absent() {
        reader.secret(name.at, written).map(Some)
    } else {
        reader.optional_secret(written)
    };
    let (model, base_url, api_key) = (model?, base_url?, api_key?);
    Ok(ModelSpec::Provider(ProviderSpec { api: kind, model, base_url, api_key }))
}
