//! Between rows and values. What does not read back as we write it is damaged, never guessed.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::base::Timestamp;

/// A value as the text that its column holds.
pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::damaged("value", error))
}

pub(crate) fn from_json<T: DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::damaged(what, error))
}

/// Words of tools, models and errors, as every database takes them: Postgres keeps no NUL.
pub(crate) fn text(words: &str) -> String {
    words.replace('\0', "\u{FFFD}")
}

/// A count as a BIGINT.
pub(crate) fn big(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A BIGINT as a count.
pub(crate) fn count<T: TryFrom<i64>>(what: &'static str, number: i64) -> Result<T, StoreError> {
    number.try_into().map_err(|_| StoreError::damaged(what, format!("{number} is no count")))
}

pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}
