//! One conversation, killed at each of its moments in turn. What was recorded is never asked again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use countersign::sandbox::{Driver, MessageView};
use tokio::time::timeout;

use crate::campaign::Folder;
use crate::chance::Chance;
use crate::desk::{Desk, House, verify};
use crate::evidence::CompanyRows;
use crate::gate::{Gate, Hold};
use crate::outside::Outside;
use crate::settle;
use crate::tempo::Tempo;

/// What one conversation asks of the model and the company when nobody is killed.
const EXCHANGES: [&str; 5] = [MODEL, "GET /orders/1042", MODEL, "POST /refunds", MODEL];
const MODEL: &str = "POST /v1/chat/completions";
/// Nothing here takes a second; whoever waits for longer waits for nothing.
const BOUND: Duration = Duration::from_secs(60);

/// Where the desk is killed.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    At(Hold),
    /// The approvers see the card, and nobody has pressed a button.
    CardShown,
    /// The approval was answered with 200, and whatever follows may have begun or not.
    Approved,
}

pub const MOMENTS: [Moment; 9] = [
    Moment::At(Hold::Arrived(0)),
    Moment::At(Hold::Arrived(1)),
    Moment::At(Hold::Done(1)),
    Moment::At(Hold::Arrived(2)),
    Moment::CardShown,
    Moment::Approved,
    Moment::At(Hold::Arrived(3)),
    Moment::At(Hold::Done(3)),
    Moment::At(Hold::Arrived(4)),
];

/// The desk, and what is killed of it when.
struct Story {
    moment: Moment,
    house: House,
    gate: Arc<Gate>,
    desk: Option<Desk>,
}

/// Plays the conversation to its end with one kill.
pub async fn killed_at(moment: Moment) -> anyhow::Result<()> {
    let folder = Folder::new(&format!("moment-{moment:?}"))?;
    let played = play(moment, &folder).await;
    played.map_err(|error| error.context(format!("kept in {}", folder.keep().display())))
}

async fn play(moment: Moment, folder: &Folder) -> anyhow::Result<()> {
    let chance = Chance::new(1);
    let (outside, house) = Outside::found(&folder.0, &chance, &Tempo::UNHURRIED).await?;
    let hold = match moment {
        Moment::At(hold) => Some(hold),
        Moment::CardShown | Moment::Approved => None,
    };
    let (gate, address) = Gate::open(&outside.company_books, hold).await?;
    lead_through(&address, &outside.company_host, &house.folder.join("countersign.yaml"))?;
    let desk = Some(house.open().await?);
    let mut story = Story { moment, house, gate, desk };
    let courier = tokio::spawn({
        let outside = outside.clone();
        async move {
            loop {
                outside.slack.deliver_due().await;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let (mia, jonas) = (outside.slack.person("mia"), outside.slack.person("jonas"));
    let asked = mia.writes_to_bot("Order 1042 was charged twice, please refund it");
    story.killed_while_held(0..3).await?;
    let card = card_for(&jonas).await?;
    story.killed_if(matches!(moment, Moment::CardShown)).await?;
    let dialog = jonas.clicks(&card, "Approve").await.dialog.context("it asks for the reason")?;
    let sent = jonas.sends(&dialog, &[("reason", "I called the customer")]).await;
    anyhow::ensure!(sent.status == 200, "the approval was answered with {}", sent.status);
    story.killed_if(matches!(moment, Moment::Approved)).await?;
    story.killed_while_held(3..5).await?;
    let owed = settle::wait(&story.house.database, BOUND).await?;
    anyhow::ensure!(owed.is_empty(), "still owed: {owed:?}");
    courier.abort();
    story.desk.take().context("it is open")?.stop().await?;
    let told = mia.sees_in_thread(&asked);
    let last_words = told.iter().filter(|line| line.text.contains("on its way")).count();
    anyhow::ensure!(last_words == 1, "the requester is told {last_words} times: {told:#?}");
    story.check(&outside).await
}

impl Story {
    async fn killed_while_held(&mut self, exchanges: std::ops::Range<usize>) -> anyhow::Result<()> {
        let (Moment::At(Hold::Arrived(nth)) | Moment::At(Hold::Done(nth))) = self.moment else {
            return Ok(());
        };
        if !exchanges.contains(&nth) {
            return Ok(());
        }
        timeout(BOUND, self.gate.holding.notified()).await.context("it never came to that")?;
        self.kill_and_open().await
    }

    async fn killed_if(&mut self, so: bool) -> anyhow::Result<()> {
        if so { self.kill_and_open().await } else { Ok(()) }
    }

    async fn kill_and_open(&mut self) -> anyhow::Result<()> {
        self.desk.take().context("it is open")?.kill().await?;
        let waits = settle::half_a_minute_passes(&self.house.database).await?;
        self.desk = Some(self.house.open().await?);
        waits.close().await;
        Ok(())
    }

    /// The exchange that was cut off may come again; no other does, and the money moves once.
    async fn check(&self, outside: &Outside) -> anyhow::Result<()> {
        let mut expected = EXCHANGES.to_vec();
        if let Moment::At(Hold::Arrived(nth) | Hold::Done(nth)) = self.moment {
            expected.insert(nth, EXCHANGES[nth]);
        }
        let exchanges = self.gate.exchanges();
        anyhow::ensure!(exchanges == expected, "it asked {exchanges:#?}");
        let company = CompanyRows::read(&outside.company_books).await?;
        anyhow::ensure!(company.ledger.len() == 1, "{} refunds were paid", company.ledger.len());
        let (clean, words) = verify(&self.house.database).await?;
        anyhow::ensure!(clean, "{words}");
        Ok(())
    }
}

/// The card that asks this person, as soon as it is there.
async fn card_for(person: &Driver) -> anyhow::Result<MessageView> {
    let looks = async {
        loop {
            let card = person.newest_card("#approvals");
            if let Some(card) = card.filter(|card| !card.buttons.is_empty()) {
                return card;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(BOUND, looks).await.context("no card was shown")
}

/// The model and the company are reached through the gate.
pub fn lead_through(gate: &str, company: &str, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?.replace(company, gate);
    let script = "provider: script, script: script.yaml";
    anyhow::ensure!(text.contains(script), "the configuration has no `{script}`");
    let model = format!(
        "provider: openai, model: gate, base_url: \"http://{gate}/v1/\", api_key: \"${{DEMO_BOT_TOKEN}}\""
    );
    std::fs::write(file, text.replace(script, &model))?;
    Ok(())
}
