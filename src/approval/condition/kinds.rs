//! The kinds of value that an expression can have, as far as literals and a JSON Schema tell.

use std::fmt;
use std::ops::{BitAnd, BitOr};

use serde_json::Value;

/// A set of kinds. [`Kinds::ANY`] is what nothing is known about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOL: Self = Self(1 << 1);
    pub(super) const INT: Self = Self(1 << 2);
    pub(super) const DOUBLE: Self = Self(1 << 3);
    pub(super) const TEXT: Self = Self(1 << 4);
    pub(super) const BYTES: Self = Self(1 << 5);
    pub(super) const LIST: Self = Self(1 << 6);
    pub(super) const MAP: Self = Self(1 << 7);
    pub(super) const ANY: Self = Self(u8::MAX);
    pub(super) const NUMBER: Self = Self(Self::INT.0 | Self::DOUBLE.0);
    pub(super) const TEXT_OR_NULL: Self = Self(Self::TEXT.0 | Self::NULL.0);
    /// What `<` puts in order.
    pub(super) const ORDERED: Self =
        Self(Self::NUMBER.0 | Self::TEXT.0 | Self::BYTES.0 | Self::BOOL.0);
    /// What `size` measures.
    pub(super) const SIZED: Self = Self(Self::TEXT.0 | Self::BYTES.0 | Self::LIST.0 | Self::MAP.0);
    /// What `+` joins or adds.
    pub(super) const ADDABLE: Self =
        Self(Self::NUMBER.0 | Self::TEXT.0 | Self::BYTES.0 | Self::LIST.0);
    /// What `int` and `double` read a number from.
    pub(super) const NUMBER_OR_TEXT: Self = Self(Self::NUMBER.0 | Self::TEXT.0);
    /// What `string` writes out.
    pub(super) const SCALAR: Self = Self(Self::ORDERED.0);
    /// What `bool` reads.
    pub(super) const BOOL_OR_TEXT: Self = Self(Self::BOOL.0 | Self::TEXT.0);
    /// What `[…]` and list functions reach into.
    pub(super) const LIST_OR_MAP: Self = Self(Self::LIST.0 | Self::MAP.0);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::NUMBER, "a number"),
        (Self::TEXT, "a text"),
        (Self::BOOL, "a yes or no"),
        (Self::LIST, "a list"),
        (Self::MAP, "an object"),
        (Self::BYTES, "bytes"),
        (Self::NULL, "null"),
        (Self::INT, "a number"),
    ];

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// CEL compares whole and broken numbers with each other, but does not calculate with both.
    pub(super) fn widened(self) -> Self {
        if (self & Self::NUMBER).is_none() { self } else { self | Self::NUMBER }
    }

    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOL,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::TEXT,
            Value::Array(_) => Self::LIST,
            Value::Object(_) => Self::MAP,
        }
    }

    /// By JSON Schema's `type`; a name it does not have is taken for anything.
    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOL,
            "integer" => Self::INT,
            "number" => Self::NUMBER,
            "string" => Self::TEXT,
            "array" => Self::LIST,
            "object" => Self::MAP,
            _ => Self::ANY,
        }
    }

    fn of_schema(schema: &Value) -> Self {
        if leaves_open(schema) {
            return Self::ANY;
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().fold(Self::NONE, |kinds, value| kinds | Self::of_value(value));
        }
        match schema.get("type") {
            Some(Value::String(name)) => Self::named(name),
            Some(Value::Array(names)) => names
                .iter()
                .fold(Self::NONE, |kinds, name| kinds | Self::named(name.as_str().unwrap_or(""))),
            _ => Self::ANY,
        }
    }
}

impl BitOr for Kinds {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Kinds {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// `a text or null`.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&str> = Vec::new();
        for (kind, name) in Self::NAMES {
            if !(*self & kind).is_none() && !names.contains(&name) {
                names.push(name);
            }
        }
        f.write_str(&names.join(" or "))
    }
}

/// What an expression can be, and what is known about what stands in it.
#[derive(Clone, Debug)]
pub(super) struct Type<'s> {
    pub(super) kinds: Kinds,
    inside: Inside<'s>,
}

#[derive(Clone, Debug)]
enum Inside<'s> {
    Untold,
    Schema(&'s Value),
    Items(Box<Type<'s>>),
    Fields(&'static [(&'static str, Kinds)]),
}

/// There is no such field; these there are.
pub(super) struct NoSuchField {
    pub(super) known: Vec<String>,
}

impl<'s> Type<'s> {
    pub(super) const ANY: Self = Self::of(Kinds::ANY);

    pub(super) const fn of(kinds: Kinds) -> Self {
        Self { kinds, inside: Inside::Untold }
    }

    pub(super) fn of_schema(schema: &'s Value) -> Self {
        Self { kinds: Kinds::of_schema(schema), inside: Inside::Schema(schema) }
    }

    pub(super) fn list_of(item: Self) -> Self {
        Self { kinds: Kinds::LIST, inside: Inside::Items(Box::new(item)) }
    }

    pub(super) const fn record(fields: &'static [(&'static str, Kinds)]) -> Self {
        Self { kinds: Kinds::MAP, inside: Inside::Fields(fields) }
    }

    /// Either of two, as `c ? a : b` is.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self::of(self.kinds | other.kinds)
    }

    /// What an item of it can be.
    pub(super) fn item(&self) -> Self {
        match &self.inside {
            Inside::Items(item) => (**item).clone(),
            Inside::Schema(schema) if !leaves_open(schema) => {
                schema.get("items").map_or(Self::ANY, Self::of_schema)
            }
            Inside::Schema(_) | Inside::Fields(_) | Inside::Untold => Self::ANY,
        }
    }

    pub(super) fn field(&self, name: &str) -> Result<Self, NoSuchField> {
        match &self.inside {
            Inside::Untold | Inside::Items(_) => Ok(Self::ANY),
            Inside::Fields(fields) => match fields.iter().find(|(field, _)| *field == name) {
                Some((_, kinds)) => Ok(Self::of(*kinds)),
                None => Err(NoSuchField {
                    known: fields.iter().map(|(field, _)| (*field).to_owned()).collect(),
                }),
            },
            Inside::Schema(schema) if leaves_open(schema) => Ok(Self::ANY),
            Inside::Schema(schema) => {
                let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
                    return Ok(Self::ANY);
                };
                let more = schema.get("additionalProperties").is_some_and(|more| more != false);
                match properties.get(name) {
                    Some(property) => Ok(Self::of_schema(property)),
                    None if more => Ok(Self::ANY),
                    None => Err(NoSuchField { known: properties.keys().cloned().collect() }),
                }
            }
        }
    }

    /// The only values it can have, where the schema lists them.
    pub(super) fn allowed(&self) -> Option<&'s Vec<Value>> {
        match self.inside {
            Inside::Schema(schema) if !leaves_open(schema) => {
                schema.get("enum").and_then(Value::as_array)
            }
            Inside::Schema(_) | Inside::Items(_) | Inside::Fields(_) | Inside::Untold => None,
        }
    }
}

/// Keywords that can bring in more than the plain ones beside them tell.
fn leaves_open(schema: &Value) -> bool {
    const OPENERS: [&str; 9] = [
        "$ref",
        "$dynamicRef",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "patternProperties",
        "dependentSchemas",
        "prefixItems",
    ];
    OPENERS.iter().any(|opener| schema.get(opener).is_some())
}
