//! Tools that could not be called, or that would give a secret away.

use serde_json::Value;

use super::Findings;
use super::schema::argument;
use crate::agent::Body;
use crate::config::reading::{is_this_machine, meant};
use crate::config::{HttpTarget, Located, McpTarget, Position, Retry, Target, Tool};

pub(super) fn check(findings: &mut Findings<'_>) {
    for tool in findings.config.tools.values() {
        parameters(tool, findings);
        for name in &tool.show {
            if let Err(missing) = argument(&tool.parameters, name) {
                let text =
                    format!("`show` names `{}`, which is no argument of the tool", name.value);
                findings.error(name.at, text, missing.mend());
            }
        }
        target(tool, &tool.target, findings);
        if let Retry::Probe(probe) = &tool.retry {
            target(tool, probe, findings);
        }
    }
}

fn parameters(tool: &Tool, findings: &mut Findings<'_>) {
    let at = tool.parameters.at;
    if let Err(error) = jsonschema::validator_for(&tool.parameters) {
        let text = format!(
            "`parameters` is not a usable JSON Schema (at `{}`: {error})",
            error.instance_path()
        );
        findings.error(at, text, "mend the schema; references must stay inside it");
    } else if tool.parameters.get("type") != Some(&Value::from("object")) {
        let text = "`parameters` does not describe an object, and arguments are always one";
        findings.error(at, text, "write `type: object` with `properties`");
    }
}

fn target(tool: &Tool, target: &Target, findings: &mut Findings<'_>) {
    match target {
        Target::Http(http) => {
            template(tool, &http.url, findings);
            http.headers.values().for_each(|value| template(tool, value, findings));
            match &http.body.value {
                Body::Template(body) => body_templates(tool, http.body.at, body, findings),
                Body::None | Body::Args => {}
            }
            destination(http, findings);
        }
        Target::Mcp(mcp) => pinned(tool, mcp, findings),
        Target::Command(command) => {
            command.argv.iter().for_each(|argument| template(tool, argument, findings));
            if let Some(program) = command.argv.first() {
                fixed_program(program, findings);
            }
        }
    }
}

/// The words that the model is told must be those that somebody pinned.
fn pinned(tool: &Tool, mcp: &McpTarget, findings: &mut Findings<'_>) {
    let servers = &findings.config.mcp;
    if !servers.contains_key(&mcp.server.value) {
        let text = format!("there is no MCP server called `{}`", mcp.server.value);
        let near = meant(&mcp.server, servers.keys().map(String::as_str));
        let mend = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it under `mcp`, or name one that is there".to_owned(),
        };
        findings.error(mcp.server.at, text, mend);
    }
    let pin = tool.described().map(|described| described.pin());
    if pin != Some(Ok(mcp.pin.value)) {
        let text = "the pin is not that of this `tool`, `description` and `parameters`";
        let mend = "run `countersign mcp pin`, read what the server says, and paste it";
        findings.error(mcp.pin.at, text, mend);
    }
}

/// Which program runs must not hang on the arguments, nor on somebody's search path.
fn fixed_program(program: &Located<String>, findings: &mut Findings<'_>) {
    if program.contains("{{") {
        let text = "the arguments choose which program runs";
        findings.error(program.at, text, "write the program out");
    } else if !program.starts_with('/') {
        let text = format!("`{}` is not an absolute path to a program", program.value);
        findings.error(program.at, text, "write where it is, like `/usr/local/bin/refund`");
    }
}

/// Templates that do not parse, or that name an argument the tool does not have.
fn template(tool: &Tool, text: &Located<String>, findings: &mut Findings<'_>) {
    template_at(tool, text.at, text, findings);
}

fn template_at(tool: &Tool, at: Position, text: &str, findings: &mut Findings<'_>) {
    let environment = minijinja::Environment::new();
    let parsed = match environment.template_from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            let text = format!("the template cannot be read ({detail})");
            findings.error(at, text, "write arguments like `{{ args.name }}`");
            return;
        }
    };
    let mut names: Vec<String> = parsed.undeclared_variables(true).into_iter().collect();
    names.sort_unstable();
    for name in names {
        let Some(path) = name.strip_prefix("args.") else {
            if name != "args" && name != "key" {
                let text = format!("the template names `{name}`, but knows only `args` and `key`");
                findings.error(at, text, "write arguments like `{{ args.name }}`");
            }
            continue;
        };
        if let Err(missing) = argument(&tool.parameters, path) {
            let text = format!("the template names `{path}`, which is no argument of the tool");
            findings.error(at, text, missing.mend());
        }
    }
}

fn body_templates(tool: &Tool, at: Position, body: &Value, findings: &mut Findings<'_>) {
    match body {
        Value::String(text) => template_at(tool, at, text, findings),
        Value::Array(items) => {
            items.iter().for_each(|item| body_templates(tool, at, item, findings));
        }
        Value::Object(entries) => {
            entries.values().for_each(|value| body_templates(tool, at, value, findings));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where the request goes must be fixed by the file, and a secret must travel encrypted.
fn destination(http: &HttpTarget, findings: &mut Findings<'_>) {
    let at = http.url.at;
    let Some((scheme, rest)) = http.url.split_once("://") else {
        let text = "the URL does not start with https:// or http://";
        findings.error(at, text, "write the whole address");
        return;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if scheme.contains("{{") || host.contains("{{") {
        let text = "the arguments choose which host is called";
        findings.error(at, text, "write the host out; use arguments in the path or the query");
        return;
    }
    let url = match url::Url::parse(&format!("{scheme}://{host}/")) {
        Ok(url) if matches!(url.scheme(), "https" | "http") => url,
        Ok(_) | Err(_) => {
            findings.error(at, "the URL cannot be called", "write https:// and a host");
            return;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        let text = "a name or a password stands in the URL";
        findings.error(at, text, "use `credential:`, which keeps it out of the file");
    }
    if let Some(credential) = &http.credential
        && url.scheme() == "http"
        && !is_this_machine(&url)
    {
        let text = format!("the credential `{}` would travel unencrypted", credential.name);
        findings.error(at, text, "use https, or an address on this machine");
    }
}
