//! The App Home: what waits for me, what I asked for, what ended lately.

use serde_json::{Value, json};

use super::card::block::{context, header, section};
use super::texts::{self, HomeSection};
use crate::approval::{Request, Sealed, Unseen};
use crate::base::{RequestId, Timestamp};

/// Three lists of this many lines, with their headings, stay well below 100 blocks.
const LISTED: usize = 25;
/// One is reason enough to look at all of them.
const DAMAGED: usize = 5;
/// The `action_id` of the link to a card. Slack reports the click; nothing needs to be done.
pub const OPEN_CARD: &str = "open_card";

/// One request on the Home tab.
#[derive(Clone, Copy, Debug)]
pub struct HomeItem<'a> {
    pub request: &'a Request,
    pub sealed: &'a Sealed,
    /// That those who are asked do not see it.
    pub unseen: Option<&'a Unseen>,
    /// Where its card is, for a link.
    pub permalink: Option<&'a str>,
}

/// What one person's Home tab shows; each list in the order to be shown.
#[derive(Clone, Copy, Debug)]
pub struct HomeView<'a> {
    pub waiting_for_me: &'a [HomeItem<'a>],
    /// What waits for somebody and cannot be read: perhaps for them.
    pub damaged: &'a [&'a RequestId],
    pub mine: &'a [HomeItem<'a>],
    pub recent: &'a [HomeItem<'a>],
    pub now: Timestamp,
}

/// A `home` view for `views.publish`.
pub fn render(home: &HomeView<'_>) -> Value {
    let mut blocks = Vec::new();
    for (kind, items) in [
        (HomeSection::WaitingForMe, home.waiting_for_me),
        (HomeSection::Mine, home.mine),
        (HomeSection::Recent, home.recent),
    ] {
        blocks.push(header(texts::home_section(kind)));
        if kind == HomeSection::WaitingForMe {
            let damaged = home.damaged.iter().take(DAMAGED);
            blocks.extend(damaged.map(|id| section(&texts::damaged(id))));
        }
        if items.is_empty() {
            blocks.push(section(texts::home_empty(kind)));
        }
        blocks.extend(items.iter().take(LISTED).map(|item| line(item, home.now)));
        if items.len() > LISTED {
            blocks.push(context(&texts::home_more(items.len() - LISTED)));
        }
    }
    json!({ "type": "home", "blocks": blocks })
}

fn line(item: &HomeItem<'_>, now: Timestamp) -> Value {
    let mut line = section(&texts::home_line(item, now));
    if let Some(permalink) = item.permalink {
        line["accessory"] = json!({
            "type": "button",
            "action_id": OPEN_CARD,
            "text": super::card::block::plain_text("Open"),
            "url": permalink,
        });
    }
    line
}
