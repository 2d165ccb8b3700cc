//! `models:` the language models agents may use.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;

use super::tools::timeout;
use crate::agent::{Api, ModelSpec, Money, Price, ProviderSpec};
use crate::config::reading::{Complained, Length, Located, Named, OneOrMany, Reader, Written};

/// One model under the name agents use for it.
#[derive(Clone, Debug)]
pub struct Model {
    pub name: Located<String>,
    pub spec: ModelSpec,
    /// Names from `models`, asked in this order when it cannot be reached. Theirs are not followed.
    pub fallback: Vec<Located<String>>,
}

impl Model {
    /// Whether the cost of its answers is known. A script's is: it costs nothing.
    pub fn has_price(&self) -> bool {
        match &self.spec {
            ModelSpec::Script(_) => true,
            ModelSpec::Provider(spec) => spec.price.is_some(),
        }
    }
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
    max_tokens: Option<NonZeroU32>,
    idle_timeout: Option<Located<Length>>,
    timeout: Option<Located<Length>>,
    price: Option<Located<PriceSection>>,
    #[serde(default)]
    fallback: OneOrMany,
}

/// Per million tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceSection {
    input: f64,
    output: f64,
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
    reader.named(models, |reader, name, mut section| {
        let fallback = std::mem::take(&mut section.fallback).0;
        let spec = match section.provider {
            ProviderName::Script => script(&name, section, reader),
            ProviderName::OpenAi => api(Api::OpenAi, &name, section, reader),
            ProviderName::Anthropic => api(Api::Anthropic, &name, section, reader),
            ProviderName::Gemini => api(Api::Gemini, &name, section, reader),
            ProviderName::Ollama => api(Api::Ollama, &name, section, reader),
        };
        Ok(Model { name, spec: spec?, fallback })
    })
}

fn script(
    name: &Located<String>,
    section: Section,
    reader: &mut Reader<'_>,
) -> Result<ModelSpec, Complained> {
    let Section { model, base_url, api_key, api_key_file, script, max_tokens, .. } = section;
    let Section { idle_timeout, timeout, price, .. } = section;
    let asks_an_api = model.is_some()
        || base_url.is_some()
        || api_key.is_some()
        || api_key_file.is_some()
        || max_tokens.is_some()
        || idle_timeout.is_some()
        || timeout.is_some()
        || price.is_some();
    if asks_an_api {
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
    let idle_timeout = timeout(section.idle_timeout, ProviderSpec::IDLE_TIMEOUT, reader);
    let timeout = timeout(section.timeout, ProviderSpec::TIMEOUT, reader);
    let price = section.price.map(|price| price.read(reader)).transpose();
    Ok(ModelSpec::Provider(ProviderSpec {
        api: kind,
        model: model?,
        base_url: base_url?,
        api_key: api_key?,
        max_tokens: section.max_tokens,
        idle_timeout,
        timeout,
        price: price?,
    }))
}

impl Located<PriceSection> {
    fn read(self, reader: &mut Reader<'_>) -> Result<Price, Complained> {
        let PriceSection { input, output } = self.value;
        match (Money::from_units(input), Money::from_units(output)) {
            (Some(input), Some(output)) => Ok(Price { input, output }),
            (None, _) | (_, None) => Err(reader.complain(
                self.at,
                "a price is no amount of money",
                "write `{ input: 1.25, output: 10 }`, per million tokens",
            )),
        }
    }
}
