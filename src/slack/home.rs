//! The App Home: what waits for me, what I asked for, what ended lately.

use serde_json::Value;

use crate::approval::{Request, Sealed};
use crate::base::Timestamp;

/// One request on the Home tab.
#[derive(Clone, Copy, Debug)]
pub struct HomeItem<'a> {
    pub request: &'a Request,
    pub sealed: &'a Sealed,
    /// Where its card is, for a link.
    pub permalink: Option<&'a str>,
}

/// What one person's Home tab shows; each list newest first.
#[derive(Clone, Copy, Debug)]
pub struct HomeView<'a> {
    pub waiting_for_me: &'a [HomeItem<'a>],
    pub mine: &'a [HomeItem<'a>],
    pub recent: &'a [HomeItem<'a>],
    pub now: Timestamp,
}

/// A `home` view for `views.publish`.
pub fn render(home: &HomeView<'_>) -> Value {
    todo!("{home:?}")
}
