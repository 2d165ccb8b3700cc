//! Lists that come in pages.

use serde_json::{Value, json};

use super::{Method, SlackApi, SlackError};

impl dyn SlackApi + '_ {
    /// All entries of the list `field`, page by page. A list that has not ended after `pages`
    /// pages is an error, because half a list proves nothing absent.
    pub(super) async fn all_pages(
        &self,
        method: Method,
        mut arguments: Value,
        field: &str,
        pages: usize,
    ) -> Result<Vec<Value>, SlackError> {
        let mut entries = Vec::new();
        for _ in 0..pages {
            let mut body = self.call(method, arguments.clone()).await?.body;
            let Value::Array(page) = body[field].take() else {
                return Err(SlackError::Unknown { why: format!("the answer has no `{field}`") });
            };
            entries.extend(page);
            match body["response_metadata"]["next_cursor"].as_str() {
                None | Some("") => return Ok(entries),
                Some(cursor) => arguments["cursor"] = json!(cursor),
            }
        }
        Err(SlackError::Unknown { why: format!("`{field}` did not end after {pages} pages") })
    }
}
