//! Templates over a call's arguments: `{{ args.order }}`.
//!
//! A template can only place values, never syntax: how a value is written is fixed by where the
//! template stands ([`Place`]), and no filter can get around that. A missing value is an error, and
//! so is a list or an object where one value belongs.

use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, UndefinedBehavior};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Enough for any template a person writes, too little for a loop to hurt.
const FUEL: u64 = 20_000;

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const NAME: &str = "template";

/// Where a value is placed, which decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// As it is: a header, an element of a command line, a text inside a JSON value.
    Text,
    /// One piece of a URL, percent-encoded. An empty one would change the path, so it is refused.
    Url,
    /// Inside a JSON string or as a bare JSON number: quotes and controls are escaped.
    Json,
}

/// A template that was parsed.
#[derive(Debug)]
pub(super) struct Template {
    environment: Environment<'static>,
}

impl Template {
    /// Parses it. The error is for the operator.
    pub(super) fn parse(source: &str, place: Place) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(move |out, _, value| write_value(out, value, place));
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| format!("`{source}` is not a template: {}", told(&error)))?;
        Ok(Self { environment })
    }

    /// Fills it in. The error names no value.
    pub(super) fn fill(&self, values: &Value) -> Result<String, String> {
        let template = self.environment.get_template(NAME).map_err(|error| told(&error))?;
        template.render(Serde(values)).map_err(|error| told(&error))
    }
}

/// JSON whose texts are templates.
#[derive(Debug)]
pub(super) enum JsonTemplate {
    /// No text, nothing to fill in.
    Fixed(Value),
    Text(Box<Template>),
    /// A text that is one path alone, `{{ args.amount }}`: it keeps the type of what it names.
    Path(Vec<String>),
    List(Vec<JsonTemplate>),
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    pub(super) fn parse(source: &Value) -> Result<Self, String> {
        Ok(match source {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Fixed(source.clone()),
            Value::String(text) => match lone_path(text) {
                Some(path) => Self::Path(path),
                None => Self::Text(Box::new(Template::parse(text, Place::Text)?)),
            },
            Value::Array(items) => {
                Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let parse =
                    |(key, value): (&String, &Value)| Ok((key.clone(), Self::parse(value)?));
                Self::Object(fields.iter().map(parse).collect::<Result<_, String>>()?)
            }
        })
    }

    pub(super) fn fill(&self, values: &Value) -> Result<Value, String> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(template) => Value::String(template.fill(values)?),
            Self::Path(path) => path
                .iter()
                .try_fold(values, |value, key| value.get(key))
                .ok_or_else(|| format!("`{}` is not there", path.join(".")))?
                .clone(),
            Self::List(items) => {
                Value::Array(items.iter().map(|item| item.fill(values)).collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => {
                let fill = |(key, field): &(String, Self)| Ok((key.clone(), field.fill(values)?));
                Value::Object(fields.iter().map(fill).collect::<Result<_, String>>()?)
            }
        })
    }
}

/// `{{ args.customer.id }}` → `[args, customer, id]`; nothing for any other text.
fn lone_path(text: &str) -> Option<Vec<String>> {
    let path = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let path: Vec<_> = path.split('.').map(str::to_owned).collect();
    path.iter().all(|name| is_name(name)).then_some(path)
}

fn write_value(out: &mut Output, value: &minijinja::Value, place: Place) -> Result<(), Error> {
    let refuse = |why: &'static str| Err(Error::new(ErrorKind::InvalidOperation, why));
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => {}
        ValueKind::Undefined | ValueKind::None => return refuse("a value is missing"),
        _ => return refuse("a list or an object cannot stand where one value belongs"),
    }
    let text = value.to_string();
    match place {
        Place::Text => out.write_str(&text)?,
        Place::Url if text.is_empty() => return refuse("an empty value would change the URL"),
        Place::Url => write!(out, "{}", utf8_percent_encode(&text, ENCODED))?,
        Place::Json => {
            let quoted = Value::String(text).to_string();
            // Without the quotes around it, which the template itself has where they belong.
            out.write_str(&quoted[1..quoted.len() - 1])?;
        }
    }
    Ok(())
}

/// What went wrong and where. Minijinja's own text may quote the template but no value.
fn told(error: &Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" (line {line})"));
    match error.detail() {
        Some(detail) => format!("{}: {detail}{line}", error.kind()),
        None => format!("{}{line}", error.kind()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(source: &str, place: Place, value: &Value) -> Result<String, String> {
        Template::parse(source, place)?.fill(&json!({ "args": { "v": value } }))
    }

    #[test]
    fn no_value_can_add_a_piece_to_a_url() {
        for (value, url) in [
            (json!("A-1042"), "/orders/A-1042"),
            (json!("../admin"), "/orders/..%2Fadmin"),
            (json!("1?force=true#"), "/orders/1%3Fforce%3Dtrue%23"),
            (json!("a%2fb"), "/orders/a%252fb"),
            (json!("x\r\nHost: evil"), "/orders/x%0D%0AHost%3A%20evil"),
            (json!("@evil.example"), "/orders/%40evil.example"),
            (json!("\\evil"), "/orders/%5Cevil"),
            (json!(42), "/orders/42"),
        ] {
            assert_eq!(filled("/orders/{{ args.v }}", Place::Url, &value), Ok(url.to_owned()));
            let safe = filled("/orders/{{ args.v | safe }}", Place::Url, &value);
            assert_eq!(safe, Ok(url.to_owned()), "`safe` must not switch the encoding off");
        }
    }

    #[test]
    fn a_value_is_never_read_as_a_template() {
        for text in ["{{ args.secret }}", "{% for x in range(9) %}x{% endfor %}", "{# no #}"] {
            assert_eq!(filled("{{ args.v }}", Place::Text, &json!(text)), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_missing_or_no_single_value_is_refused() {
        for value in [json!(null), json!([1]), json!({"a": 1})] {
            assert!(filled("{{ args.v }}", Place::Text, &value).is_err(), "{value}");
        }
        assert!(filled("{{ args.other }}", Place::Text, &json!(1)).is_err());
        assert!(filled("/x/{{ args.v }}", Place::Url, &json!("")).is_err());
    }

    #[test]
    fn a_template_cannot_run_for_ever() {
        let source = "{% for a in range(999) %}{% for b in range(999) %}x{% endfor %}{% endfor %}";
        assert!(filled(source, Place::Text, &json!(1)).is_err());
    }

    #[test]
    fn json_keeps_the_type_of_a_path_and_the_shape_around_it() {
        let source = json!({ "n": "{{ args.v }}", "text": "is {{ args.v }}", "list": [1, true] });
        let template = JsonTemplate::parse(&source).expect("it is a template");
        let filled = template.fill(&json!({ "args": { "v": 7 } }));
        assert_eq!(filled, Ok(json!({ "n": 7, "text": "is 7", "list": [1, true] })));
        assert!(template.fill(&json!({ "args": {} })).is_err());
    }

    #[test]
    fn a_text_cannot_leave_its_json_string() {
        let text = filled(r#"{"q": "{{ args.v }}"}"#, Place::Json, &json!(r#"x", "admin": "y\"#));
        let read: Value = serde_json::from_str(&text.expect("it fills")).expect("it is JSON");
        assert_eq!(read, json!({ "q": r#"x", "admin": "y\"# }));
    }
}
