//! Modals and Home tabs.

use serde_json::{Value, json};

use super::{Method, SlackApi, SlackError};

impl dyn SlackApi + '_ {
    /// Opens a modal. The trigger lives 3 s and works once.
    pub async fn open_view(&self, trigger_id: &str, view: Value) -> Result<(), SlackError> {
        let arguments = json!({"trigger_id": trigger_id, "view": view});
        self.call(Method::ViewsOpen, arguments).await.map(drop)
    }

    /// Replaces somebody's Home tab.
    pub async fn publish_view(&self, user: &str, view: Value) -> Result<(), SlackError> {
        let arguments = json!({"user_id": user, "view": view});
        self.call(Method::ViewsPublish, arguments).await.map(drop)
    }
}
