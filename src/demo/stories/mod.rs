//! The stories of `demo --auto`: people and messages, played at machine speed and told as they go.
//!
//! Each ends with the same reckoning: the invariants over the database, the company's own journal
//! against what was approved, and no card left with live buttons.

mod deletion;
mod nobody;
mod refund;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::{Setting, World};
use crate::base::{Clock, Ids, RandomIds, Span, Timestamp, TurnableClock};
use crate::sandbox::{MessageRef, MessageView, Pace};

/// Half past one, on a Tuesday.
const START: Timestamp = Timestamp::from_millis(1_795_527_000_000);

/// Slack takes about one post a second in a channel, so what follows an act takes a moment.
const MOMENT: Span = Span::seconds(10);

/// Plays every story. Exits 1 when a promise is broken.
pub async fn play_all() -> anyhow::Result<ExitCode> {
    let mut broken = 0;
    let told = [
        tell("A refund over the limit", refund::play).await,
        tell("A deletion in production", deletion::play).await,
        tell("Nobody is there", nobody::play).await,
    ];
    for story in told {
        if let Err(error) = story {
            broken += 1;
            println!("\n  BROKEN: {error:#}");
        }
    }
    if broken > 0 {
        println!("\n{broken} of the stories broke a promise.");
        return Ok(ExitCode::FAILURE);
    }
    println!("\nEvery promise was kept: what was approved is what ran, once.");
    Ok(ExitCode::SUCCESS)
}

async fn tell(
    title: &str,
    play: impl AsyncFn(&mut Tale) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    println!("\n== {title}");
    let folder = new_folder("story")?;
    let mut tale = Tale::begin(&folder).await?;
    play(&mut tale).await.with_context(|| title.to_owned())?;
    tale.reckon().await.with_context(|| format!("the reckoning of \"{title}\""))?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A new folder of our own below the machine's temporary one.
pub fn new_folder(what: &str) -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("countersign-{what}-{}", RandomIds.unique()));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

/// A world with a standing clock, and words to tell what happens in it.
pub struct Tale {
    pub world: World,
    clock: Arc<TurnableClock>,
}

impl Tale {
    async fn begin(folder: &Path) -> anyhow::Result<Self> {
        let clock = Arc::new(TurnableClock::standing_at(START));
        let pace = Pace::LikeSlack;
        let setting = Setting { folder, clock: clock.clone(), pace, port: 0, edits: &[] };
        Ok(Self { world: World::found(setting).await?, clock })
    }

    /// Tells one line of the story.
    pub fn say(&self, line: &str) {
        let now = self.clock.now().to_string();
        let time = now.get(11..16).unwrap_or_default();
        for (nth, line) in line.lines().enumerate() {
            let stamp = if nth == 0 { time } else { "     " };
            println!("  {stamp}  {line}");
        }
    }

    /// Somebody writes to the bot, and everything that follows at once happens.
    pub async fn writes(&self, who: &str, text: &str) -> anyhow::Result<MessageRef> {
        self.say(&format!("{who}: {text}"));
        let message = self.world.slack.person(who).writes_to_bot(text);
        self.passes(MOMENT).await?;
        Ok(message)
    }

    /// The newest card with buttons that somebody sees in a channel.
    pub fn card(&self, who: &str, channel: &str) -> anyhow::Result<MessageView> {
        let card = self.world.slack.person(who).newest_card(channel);
        card.with_context(|| format!("{who} sees no card in {channel}"))
    }

    /// Somebody presses a button, gives the reason a dialog asks for, and what follows happens.
    /// Says what they were told, if their press did not count.
    pub async fn decides(
        &self,
        who: &str,
        card: &MessageView,
        button: &str,
        reason: &str,
    ) -> anyhow::Result<Vec<String>> {
        let person = self.world.slack.person(who);
        let clicked = person.clicks(card, button).await;
        anyhow::ensure!(clicked.status == 200, "{who} got {} for a click", clicked.status);
        let mut told = clicked.told;
        match clicked.dialog {
            Some(dialog) => {
                self.say(&format!("{who} presses {button}: \"{}\", {reason}", dialog.title));
                let sent = person.sends(&dialog, &[("reason", reason)]).await;
                anyhow::ensure!(sent.status == 200, "{who} got {} for a dialog", sent.status);
                told.extend(sent.errors);
                told.extend(sent.now.map(|now| now.text));
            }
            None => self.say(&format!("{who} presses {button}")),
        }
        self.passes(MOMENT).await?;
        for line in &told {
            self.say(&format!("  only {who} sees: {line}"));
        }
        Ok(told)
    }

    /// Lets time pass.
    pub async fn passes(&self, span: Span) -> anyhow::Result<()> {
        self.world.pass(span).await
    }

    /// The last thing said in a thread.
    pub fn last_reply(&self, who: &str, root: &MessageRef) -> anyhow::Result<String> {
        let replies = self.world.slack.person(who).sees_in_thread(root);
        Ok(replies.last().context("nobody answered in the thread")?.text.clone())
    }

    /// The three reckonings.
    async fn reckon(&self) -> anyhow::Result<()> {
        let violations = self.world.verify().await?;
        anyhow::ensure!(violations.is_empty(), "invariants are broken: {violations:#?}");
        let live = self.world.live_cards();
        anyhow::ensure!(live.is_empty(), "cards with live buttons are left: {live:#?}");
        self.say("verify: the audit chain and every invariant hold; no card is left open");
        Ok(())
    }
}

/// Stops a story when something is not as promised.
macro_rules! promise {
    ($kept:expr, $($broken:tt)+) => { anyhow::ensure!($kept, $($broken)+) };
}
pub(crate) use promise;
