//! A proposal as CEL sees it.

use std::collections::HashMap;

use cel::Value as Cel;
use serde_json::{Number, Value};

use super::super::Proposal;

/// How much of arguments a condition looks at: bytes of text plus one for every value in them.
pub(super) const LARGEST: usize = 64 * 1024;
/// How long a list, or how wide an object, may be. `x in list` for each item of a list is the
/// most that a condition can ask for, so this bounds it to a million comparisons.
pub(super) const LONGEST: usize = 1000;

/// Arguments so large that judging them could take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooLarge {
    #[error("the arguments are larger than {LARGEST} bytes")]
    Bytes,
    #[error("a list or object in the arguments has more than {LONGEST} items")]
    Items,
}

/// The names a condition can use, with their values. Display names are left out: people change
/// them, so nothing may be decided by them.
pub(super) fn facts(proposal: &Proposal<'_>) -> Result<[(&'static str, Cel); 5], TooLarge> {
    let requester = proposal.requester;
    let optional = |text: Option<&str>| text.map_or(Cel::Null, Cel::from);
    let requester = HashMap::from([
        ("person", Cel::from(requester.person.as_str())),
        ("user", Cel::from(requester.user.user.as_str())),
        ("team", Cel::from(requester.user.team.as_str())),
        ("enterprise", optional(requester.user.enterprise.as_deref())),
        ("owner", optional(requester.owner.as_ref().map(|owner| owner.as_str()))),
    ]);
    let requester: HashMap<String, Cel> =
        requester.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok([
        ("args", value(proposal.arguments, &mut { LARGEST })?),
        ("tool", Cel::from(proposal.tool)),
        ("agent", optional(proposal.agent)),
        ("requester", Cel::from(requester)),
        ("target", Cel::from(proposal.target)),
    ])
}

pub(super) fn value(json: &Value, left: &mut usize) -> Result<Cel, TooLarge> {
    spend(left, 1)?;
    Ok(match json {
        Value::Null => Cel::Null,
        Value::Bool(bool) => Cel::Bool(*bool),
        Value::Number(n) => number(n),
        Value::String(text) => {
            spend(left, text.len())?;
            Cel::from(text.as_str())
        }
        Value::Array(items) if items.len() > LONGEST => return Err(TooLarge::Items),
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| value(item, left)).collect();
            Cel::from(items?)
        }
        Value::Object(fields) if fields.len() > LONGEST => return Err(TooLarge::Items),
        Value::Object(fields) => {
            let mut map = HashMap::with_capacity(fields.len());
            for (name, field) in fields {
                spend(left, name.len())?;
                map.insert(name.clone(), value(field, left)?);
            }
            Cel::from(map)
        }
    })
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), TooLarge> {
    *left = left.checked_sub(bytes).ok_or(TooLarge::Bytes)?;
    Ok(())
}

/// `640`, `640.0` and `6.4e2` are one number in canonical form, so a condition sees one value.
fn number(number: &Number) -> Cel {
    let float = number.as_f64().unwrap_or(f64::NAN);
    match number.as_i64() {
        Some(integer) => Cel::Int(integer),
        None if float.fract() == 0.0 && float.abs() < (1_u64 << 53) as f64 => {
            Cel::Int(float as i64)
        }
        None => Cel::Float(float),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_number_has_one_value_however_it_is_written() {
        for text in ["640", "640.0", "6.4e2"] {
            let json: Value = serde_json::from_str(text).unwrap();
            assert_eq!(value(&json, &mut { LARGEST }), Ok(Cel::Int(640)), "{text}");
        }
        assert_eq!(value(&json!(-0.0), &mut { LARGEST }), Ok(Cel::Int(0)));
        assert_eq!(value(&json!(0.5), &mut { LARGEST }), Ok(Cel::Float(0.5)));
    }

    #[test]
    fn sizes_are_capped_just_where_they_say() {
        let judged = |json: Value| value(&json, &mut { LARGEST }).map(|_| ());
        assert_eq!(judged(json!("x".repeat(LARGEST - 1))), Ok(()));
        assert_eq!(judged(json!("x".repeat(LARGEST))), Err(TooLarge::Bytes));
        assert_eq!(judged(json!(vec![1; LONGEST])), Ok(()));
        assert_eq!(judged(json!(vec![1; LONGEST + 1])), Err(TooLarge::Items));
        // Many small lists are as much as one long one.
        assert_eq!(judged(json!(vec![vec![1; 999]; 999])), Err(TooLarge::Bytes));
    }
}
