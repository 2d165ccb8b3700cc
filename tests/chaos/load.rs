//! The load: people write, decide, hesitate, click twice and take things back, all at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use countersign::sandbox::{Clicked, Driver, MessageRef, MessageView};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::outside::Outside;
use crate::slack_again;
use crate::tempo::{Late, Span, Tempo};

/// Who asks, and where their stage cards appear for whoever may decide.
pub const WRITERS: [&str; 8] = ["mia", "sam", "gus", "priya", "vera", "jonas", "lena", "noor"];
const APPROVERS: [(&str, &str); 9] = [
    ("jonas", "#approvals"),
    ("lena", "#approvals"),
    ("jonas", "#managers"),
    ("noor", "#support"),
    ("sam", "#support"),
    ("priya", "#managers"),
    ("vera", "#managers"),
    // She may decide on nothing, and tries.
    ("mia", "#approvals"),
    ("gus", "#support"),
];

/// One request in so many is looked at by nobody.
const LEFT_ALONE: u64 = 5;

/// Everybody who is at it. Each deed is finished before they stop.
pub struct Load {
    people: JoinSet<()>,
    couriers: JoinSet<()>,
    stop: CancellationToken,
    couriers_stop: CancellationToken,
    written: Arc<AtomicU64>,
}

impl Load {
    pub fn begin(outside: &Arc<Outside>, chance: &Chance, tempo: &Tempo) -> Self {
        let (stop, couriers_stop) = (CancellationToken::new(), CancellationToken::new());
        let written = Arc::new(AtomicU64::new(0));
        let mut people = JoinSet::new();
        let pause = tempo.wishes;
        for name in WRITERS {
            let chance = chance.apart(&format!("{name} writes"));
            let (me, written) = (outside.slack.person(name), written.clone());
            let writer = Writer { me, chance, written, pause, most: tempo.most_wishes };
            people.spawn(writer.works(stop.clone()));
        }
        for (nth, (name, channel)) in APPROVERS.into_iter().enumerate() {
            let chance = chance.apart(&format!("{name} decides {nth}"));
            let me = outside.slack.person(name);
            let (pause, late, outside) = (tempo.looks, tempo.late, outside.clone());
            let approver = Approver { me, channel, chance, pause, late, outside };
            people.spawn(approver.works(stop.clone()));
        }
        people.spawn(slack_again::works(outside.clone(), stop.clone()));
        let mut couriers = JoinSet::new();
        for _ in 0..3 {
            couriers.spawn(deliver(outside.clone(), couriers_stop.clone()));
        }
        Self { people, couriers, stop, couriers_stop, written }
    }

    /// The people go home; what they wrote is still delivered. Says how much they wrote.
    pub async fn people_go(&mut self) -> anyhow::Result<u64> {
        self.stop.cancel();
        while let Some(gone) = self.people.join_next().await {
            gone?;
        }
        Ok(self.written.load(Ordering::SeqCst))
    }

    pub async fn couriers_go(&mut self) -> anyhow::Result<()> {
        self.couriers_stop.cancel();
        while let Some(gone) = self.couriers.join_next().await {
            gone?;
        }
        Ok(())
    }
}

async fn deliver(outside: Arc<Outside>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if outside.slack.deliver_due().await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits, or says that it is time to go.
pub async fn waits(time: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

struct Writer {
    me: Driver,
    chance: Chance,
    written: Arc<AtomicU64>,
    pause: Span,
    /// How much all of them together may write.
    most: u64,
}

impl Writer {
    async fn works(mut self, stop: CancellationToken) {
        let mut mine: Vec<MessageRef> = Vec::new();
        let mut pause = self.chance.millis(0, self.pause.1);
        while waits(pause, &stop).await {
            if self.written.load(Ordering::SeqCst) >= self.most {
                return;
            }
            pause = self.chance.millis(self.pause.0, self.pause.1);
            let text = self.wish();
            mine.push(match self.chance.one_in(5) {
                true => self.me.mentions_bot_in("#support", &text),
                false => self.me.writes_to_bot(&text),
            });
            if self.chance.one_in(6)
                && let Some(root) = self.chance.pick(&mine).cloned()
            {
                self.takes_back(&root).await;
            }
        }
    }

    /// Every wish has a number of its own, so that its effect can be told from every other.
    fn wish(&mut self) -> String {
        let number = self.written.fetch_add(1, Ordering::SeqCst) + 1;
        match self.chance.below(8) {
            0 => format!("refund ch_{number} 20.00 EUR, a small one"),
            1..=3 => format!("refund ch_{number} 640.00 EUR, customer was charged twice"),
            4 | 5 => format!("pay invoice V-{number}"),
            6 => format!("delete sessions older than {:04}-01-01", 1000 + number % 8999),
            _ => format!("delete the sessions older than {:04}-01-01", 1000 + number % 8999),
        }
    }

    async fn takes_back(&self, root: &MessageRef) {
        let lines = self.me.sees_in_thread(root);
        if let Some(line) = lines.iter().find(|line| offers(line, "Withdraw")) {
            self.me.clicks(line, "Withdraw").await;
        }
    }
}

struct Approver {
    me: Driver,
    channel: &'static str,
    chance: Chance,
    pause: Span,
    late: Late,
    outside: Arc<Outside>,
}

impl Approver {
    async fn works(mut self, stop: CancellationToken) {
        let mut seen: Vec<MessageView> = Vec::new();
        while waits(self.chance.millis(self.pause.0, self.pause.1), &stop).await {
            let cards: Vec<MessageView> = self.me.sees(self.channel);
            let open: Vec<&MessageView> =
                cards.iter().rev().filter(|card| is_for_us(card)).take(6).collect();
            let late: Vec<&MessageView> =
                seen.iter().filter(|_| self.late == Late::Pressed).rev().take(6).collect();
            let among = if open.is_empty() { &late } else { &open };
            let Some(card) = self.chance.pick(among).map(|&card| card.clone()) else { continue };
            if !seen.iter().any(|known| known.at == card.at) {
                seen.push(card.clone());
            }
            let card = &card;
            let label = if self.chance.one_in(3) { "Reject…" } else { "Approve" };
            self.outside.clicked.notify_waiters();
            if self.chance.one_in(4) {
                let (one, other) = tokio::join!(self.clicks(card, label), self.clicks(card, label));
                self.explains(one).await;
                self.explains(other).await;
            } else {
                let clicked = self.clicks(card, label).await;
                self.explains(clicked).await;
            }
            if self.chance.one_in(8) {
                self.clicks(card, label).await;
            }
        }
    }

    async fn clicks(&self, card: &MessageView, label: &str) -> Clicked {
        let _under_way = self.outside.begins();
        self.me.clicks(card, label).await
    }

    /// Fills in the dialog that opened; now and then thinks better of it.
    async fn explains(&mut self, clicked: Clicked) {
        // Whoever pressed twice sees the newest dialog, and it may be answered by now.
        let open = clicked.dialog.and_then(|_| self.me.dialog());
        let Some(dialog) = open.filter(|dialog| dialog.can_be_sent) else { return };
        if self.chance.one_in(12) {
            return self.me.cancels(&dialog).await;
        }
        self.outside.clicked.notify_waiters();
        let reason = if self.chance.one_in(15) { "" } else { "I looked at it myself" };
        let sent = self.me.sends(&dialog, &[("reason", reason)]).await;
        if sent.now.is_some_and(|now| now.can_be_sent) {
            self.me.sends(&dialog, &[("reason", "now with a reason")]).await;
        }
    }
}

fn is_for_us(card: &MessageView) -> bool {
    offers(card, "Approve") && number(&card.text).is_none_or(|number| number % LEFT_ALONE != 0)
}

fn offers(card: &MessageView, label: &str) -> bool {
    card.buttons.iter().any(|button| button == label)
}

/// The number of the wish that a card is about.
fn number(text: &str) -> Option<u64> {
    let (_, rest) =
        ["ch_", "V-", "older_than = \""].iter().find_map(|mark| text.split_once(mark))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

impl Outside {
    /// Remembers a delivery that was repeated and answered.
    pub fn remember_repeated(&self, payload: serde_json::Value) {
        self.repeated.lock().unwrap_or_else(PoisonError::into_inner).push(payload);
    }
}
