//! Acts as somebody: for tests and for the demo's stories.

use serde_json::{Value, json};

use super::server::Inner;
use super::workspace::{Message, Workspace};
use super::{people, presses, readable};
use crate::base::Clock;

/// One person at their keyboard.
#[derive(Clone)]
pub struct Driver {
    inner: Inner,
    user: String,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRef {
    pub channel: String,
    pub ts: String,
}

/// A message as somebody sees it.
#[derive(Clone, Debug)]
pub struct MessageView {
    pub at: MessageRef,
    pub from: String,
    /// What can be read: the blocks' words, or the text.
    pub text: String,
    pub buttons: Vec<String>,
    pub only_for_me: bool,
    /// The lines of its task list: `Running payments.refund: complete`.
    pub tasks: Vec<String>,
    /// More is still being written.
    pub grows: bool,
    blocks: Vec<Value>,
}

/// What followed a press.
#[derive(Clone, Debug)]
pub struct Clicked {
    /// The HTTP status of the bot's answer; zero when there was none.
    pub status: u16,
    /// What the confirm dialog said, if there was one.
    pub confirmed: Option<String>,
    /// Notes that appeared for this person alone.
    pub told: Vec<String>,
    /// The dialog that opened.
    pub dialog: Option<Dialog>,
}

#[derive(Clone, Debug)]
pub struct Dialog {
    pub id: String,
    pub title: String,
    pub text: String,
    pub can_be_sent: bool,
}

/// What followed the sending of a dialog.
#[derive(Clone, Debug)]
pub struct Sent {
    pub status: u16,
    pub errors: Vec<String>,
    /// What the dialog says now, if it stayed open.
    pub now: Option<Dialog>,
}

impl Driver {
    pub(super) fn new(inner: Inner, user: &str) -> Self {
        Self { inner, user: user.to_owned() }
    }

    pub fn id(&self) -> &str {
        &self.user
    }

    /// A direct message to the bot.
    pub fn writes_to_bot(&self, text: &str) -> MessageRef {
        let direct = self.direct();
        self.writes_in(&direct, None, text)
    }

    /// Mentions the bot in a channel.
    pub fn mentions_bot_in(&self, channel: &str, text: &str) -> MessageRef {
        self.writes_in(channel, None, &format!("<@U0BOT> {text}"))
    }

    pub fn replies_in_thread(&self, root: &MessageRef, text: &str) -> MessageRef {
        self.writes_in(&root.channel, Some(&root.ts), text)
    }

    /// A post. The event reaches the bot with the next delivery.
    ///
    /// # Panics
    /// When this person is not in the channel: the story is wrong then.
    pub fn writes_in(&self, channel: &str, thread: Option<&str>, text: &str) -> MessageRef {
        let written = people::write(&self.inner, &self.user, channel, thread, text);
        let ts = written.unwrap_or_else(|why| panic!("{} cannot write there: {why}", self.user));
        MessageRef { channel: self.channel(channel), ts }
    }

    /// Everything this person sees in a channel, oldest first, replies included.
    pub fn sees(&self, channel: &str) -> Vec<MessageView> {
        let channel = self.channel(channel);
        let workspace = self.inner.shared.lock();
        let all = workspace.messages.get(&channel).into_iter().flatten();
        all.filter(|message| self.may_see(message))
            .map(|message| self.view(&workspace, &channel, message))
            .collect()
    }

    /// What this person sees in the thread of a message, the message itself left out.
    pub fn sees_in_thread(&self, root: &MessageRef) -> Vec<MessageView> {
        let workspace = self.inner.shared.lock();
        let all = workspace.messages.get(&root.channel).into_iter().flatten();
        all.filter(|message| message.thread_ts.as_ref() == Some(&root.ts) && self.may_see(message))
            .map(|message| self.view(&workspace, &root.channel, message))
            .collect()
    }

    /// Looks again whenever something changes in the workspace, until there is what was looked for.
    pub async fn sees_until<T>(&self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.inner.shared.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(seen) = look(self) {
                return seen;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Lets Slack deliver what is due now.
    pub async fn delivers(&self) {
        people::deliver_due(&self.inner).await;
    }

    /// How a conversation stands, in Slack's words.
    pub fn session(&self, root: &MessageRef) -> Option<String> {
        let now = self.inner.shared.clock.now();
        let workspace = self.inner.shared.lock();
        workspace.session(&root.channel, &root.ts, now).map(str::to_owned)
    }

    /// Presses Slack's stop button in a conversation; the bot hears of it with the next delivery.
    pub fn stops(&self, root: &MessageRef) {
        people::stop(&self.inner, &self.user, &root.channel, &root.ts);
    }

    /// The newest message in a channel that has buttons.
    pub fn newest_card(&self, channel: &str) -> Option<MessageView> {
        self.sees(channel).into_iter().rev().find(|message| !message.buttons.is_empty())
    }

    /// One message as it is now.
    pub fn looks_at(&self, at: &MessageRef) -> Option<MessageView> {
        self.sees(&at.channel).into_iter().find(|message| message.at == *at)
    }

    /// Presses a button by its label, confirms if asked to, and tells what followed. The button is
    /// the one that was seen, even if the message has changed meanwhile.
    pub async fn clicks(&self, card: &MessageView, label: &str) -> Clicked {
        let nothing = Clicked { status: 0, confirmed: None, told: Vec::new(), dialog: None };
        let Some(button) = card.button(label) else {
            return nothing;
        };
        let confirmed = button["confirm"]["text"]["text"].as_str().map(str::to_owned);
        let before = self.notes().len();
        let (channel, ts) = (&card.at.channel, &card.at.ts);
        let (status, _) = presses::in_message(&self.inner, &self.user, channel, ts, &button).await;
        let told = self.notes().split_off(before);
        Clicked { status, confirmed, told, dialog: self.dialog() }
    }

    /// The dialog this person has open.
    pub fn dialog(&self) -> Option<Dialog> {
        let workspace = self.inner.shared.lock();
        let open = workspace.views.iter().rev().find(|open| open.user == self.user)?;
        Some(Dialog {
            id: open.id.clone(),
            title: open.view["title"]["text"].as_str().unwrap_or_default().to_owned(),
            text: readable::blocks(open.view["blocks"].as_array().map_or(&[], Vec::as_slice)),
            can_be_sent: open.view["submit"].is_object(),
        })
    }

    /// Fills inputs by block id and sends the dialog.
    pub async fn sends(&self, dialog: &Dialog, fields: &[(&str, &str)]) -> Sent {
        let mut values = json!({});
        for (block, text) in fields {
            values[*block]["text"] = json!(text);
        }
        let (status, answer) = people::submit(&self.inner, &self.user, &dialog.id, &values).await;
        let errors = answer["errors"].as_object().into_iter().flatten();
        let errors = errors.filter_map(|(_, text)| text.as_str().map(str::to_owned)).collect();
        let now = self.dialog().filter(|now| now.id == dialog.id);
        Sent { status, errors, now }
    }

    pub async fn cancels(&self, dialog: &Dialog) {
        people::close(&self.inner, &self.user, &dialog.id).await;
    }

    /// Types a slash command in the direct messages and reads the answer.
    pub async fn runs(&self, command: &str, text: &str) -> String {
        let direct = self.direct();
        people::command(&self.inner, &self.user, &direct, command, text).await;
        self.notes().pop().unwrap_or_default()
    }

    /// Opens the app's Home tab; the bot fills it with the next delivery.
    pub fn opens_home(&self) {
        people::open_home(&self.inner, &self.user);
    }

    /// What the Home tab says.
    pub fn home(&self) -> String {
        let workspace = self.inner.shared.lock();
        let home = workspace.homes.get(&self.user);
        let blocks = home.and_then(|view| view["blocks"].as_array());
        readable::blocks(blocks.map_or(&[], Vec::as_slice))
    }

    /// Every note that only this person has been shown.
    pub fn notes(&self) -> Vec<String> {
        let workspace = self.inner.shared.lock();
        let mut notes: Vec<&Message> = workspace
            .messages
            .values()
            .flatten()
            .filter(|message| message.ephemeral_for.as_ref() == Some(&self.user))
            .collect();
        notes.sort_by(|one, other| one.ts.cmp(&other.ts));
        notes.into_iter().map(words).collect()
    }

    fn may_see(&self, message: &Message) -> bool {
        message.ephemeral_for.as_ref().is_none_or(|user| *user == self.user)
    }

    fn view(&self, workspace: &Workspace, channel: &str, message: &Message) -> MessageView {
        let elements = message.blocks.iter().flat_map(|block| {
            block["elements"].as_array().into_iter().flatten().chain(block.get("accessory"))
        });
        let tasks = workspace.tasks.get(&(channel.to_owned(), message.ts.clone()));
        let line = |task: &Value| {
            let text = |field: &str| task[field].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("title"), text("status"))
        };
        MessageView {
            at: MessageRef { channel: channel.to_owned(), ts: message.ts.clone() },
            from: message.user.clone(),
            text: words(message),
            buttons: elements
                .filter(|element| element["type"] == "button")
                .filter_map(|element| element["text"]["text"].as_str().map(str::to_owned))
                .collect(),
            only_for_me: message.ephemeral_for.as_deref() == Some(&self.user),
            tasks: tasks.into_iter().flatten().map(line).collect(),
            grows: workspace.is_growing(channel, &message.ts, self.inner.shared.clock.now()),
            blocks: message.blocks.clone(),
        }
    }

    fn direct(&self) -> String {
        let workspace = self.inner.shared.lock();
        workspace.cast.direct(&self.user).map(|channel| channel.id.clone()).unwrap_or_default()
    }

    fn channel(&self, named: &str) -> String {
        let workspace = self.inner.shared.lock();
        workspace.cast.channel(named).map_or_else(|| named.to_owned(), |found| found.id.clone())
    }
}

impl MessageView {
    fn button(&self, label: &str) -> Option<Value> {
        for block in &self.blocks {
            let elements = block["elements"].as_array().into_iter().flatten();
            for element in elements.chain(block.get("accessory")) {
                if element["type"] == "button" && element["text"]["text"] == label {
                    let mut button = element.clone();
                    button["block_id"] = block["block_id"].clone();
                    return Some(button);
                }
            }
        }
        None
    }
}

fn words(message: &Message) -> String {
    if message.blocks.is_empty() { message.text.clone() } else { readable::blocks(&message.blocks) }
}
