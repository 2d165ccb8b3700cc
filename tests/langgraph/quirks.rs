//! Where LangGraph's recorded behaviour is a weakness and ours is better on purpose. What happens
//! instead is in `tests/fixtures/langgraph/ours/`, one file for each of these, and is asserted as
//! strictly as the recordings are. A case of this list that goes as recorded fails the test.

/// Case and reason.
pub const QUIRKS: &[(&str, &str)] = &[];
