//! The arguments of a tool call, checked against the tool's types as the recordings' library did.

use serde_json::{Map, Value, json};

use crate::format::{ArgType, ToolForm};
use crate::text::python;

/// The arguments that the tool knows, each in its type.
///
/// # Errors
/// One line for each that is missing or does not fit.
pub fn checked(tool: &ToolForm, args: &Value) -> Result<Map<String, Value>, String> {
    let mut fitting = Map::new();
    let mut wrong = Vec::new();
    for (name, kind) in &tool.args {
        match args.get(name) {
            None => wrong.push(format!("{name}: Field required")),
            Some(value) => match fit(*kind, value) {
                Ok(value) => {
                    fitting.insert(name.clone(), value);
                }
                Err(why) => wrong.push(format!("{name}: {why}")),
            },
        }
    }
    if wrong.is_empty() { Ok(fitting) } else { Err(wrong.join("\n")) }
}

fn fit(kind: ArgType, value: &Value) -> Result<Value, &'static str> {
    match (kind, value) {
        (ArgType::Any, value)
        | (ArgType::Str, value @ Value::String(_))
        | (ArgType::Bool, value @ Value::Bool(_))
        | (ArgType::List, value @ Value::Array(_))
        | (ArgType::Dict, value @ Value::Object(_)) => Ok(value.clone()),
        (ArgType::Int, Value::Bool(yes)) => Ok(json!(i64::from(*yes))),
        (ArgType::Int, Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(json!(whole)),
            #[expect(clippy::cast_possible_truncation, reason = "the fraction is none")]
            (None, Some(float)) if float.fract() == 0.0 => Ok(json!(float as i64)),
            _ => Err("Input should be a valid integer, got a number with a fractional part"),
        },
        (ArgType::Int, Value::String(text)) => match text.trim().parse::<i64>() {
            Ok(whole) => Ok(json!(whole)),
            Err(_) => Err("Input should be a valid integer, unable to parse string as an integer"),
        },
        (ArgType::Int, _) => Err("Input should be a valid integer"),
        (ArgType::Str, _) => Err("Input should be a valid string"),
        (ArgType::Bool, Value::Number(number)) if number.as_f64() == Some(0.0) => Ok(json!(false)),
        (ArgType::Bool, Value::Number(number)) if number.as_f64() == Some(1.0) => Ok(json!(true)),
        (ArgType::Bool, Value::String(text)) => match &*text.to_lowercase() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Ok(json!(true)),
            "false" | "f" | "no" | "n" | "off" | "0" => Ok(json!(false)),
            _ => Err("Input should be a valid boolean, unable to interpret input"),
        },
        (ArgType::Bool, _) => Err("Input should be a valid boolean"),
        (ArgType::List, _) => Err("Input should be a valid list"),
        (ArgType::Dict, _) => Err("Input should be a valid dictionary"),
    }
}

/// What the model is told of arguments that do not fit.
pub fn refusal(tool: &ToolForm, args: &Value, why: &str) -> String {
    format!(
        "Error invoking tool '{}' with kwargs {} with error:\n {why}\n Please fix the error and \
         try again.",
        tool.name,
        python(args)
    )
}
