//! However many desks there are, Slack sees the pace of one.

use countersign::base::Span;
use countersign::sandbox::{Fault, MessageRef};
use countersign::work::{Deliveries, Work, one_turn};

use crate::pair::Pair;

const APPROVALS: &str = "C0APPROVAL";
/// How much one desk takes at a time: so little that both have something to do.
const ROOM: usize = 9;

impl Pair {
    /// Somebody writes to the bot so many times; what follows is owed, and nothing of it is sent.
    async fn asks_for(&self, who: &str, refunds: usize) -> MessageRef {
        let person = self.world.slack.person(who);
        let texts =
            (0..refunds).map(|nth| format!("refund ch_{who}{nth} 640.00 EUR, charged twice"));
        let written: Vec<MessageRef> = texts.map(|text| person.writes_to_bot(&text)).collect();
        while self.world.slack.deliver_due().await > 0 {}
        self.both_work().await;
        written[0].clone()
    }

    /// Both desks at once send what may be sent now, until nothing is left. Says how much each of
    /// them had in its hands.
    async fn both_deliver(&self) -> [usize; 2] {
        let [one, other] = self.desks().map(Deliveries::new);
        let mut held = [0, 0];
        loop {
            let (a, b) = tokio::join!(one_turn(&one, ROOM), one_turn(&other, ROOM));
            let (a, b) = (a.unwrap(), b.unwrap());
            held = [held[0] + a, held[1] + b];
            if a + b == 0 {
                return held;
            }
        }
    }

    /// What Slack has taken there, in its order.
    fn said_in(&self, channel: &str) -> Vec<String> {
        let journal = self.world.slack.journal();
        let posts = journal.into_iter().filter(|passed| passed.what == "chat.postMessage");
        let there = posts.filter(|passed| passed.sent["channel"] == channel);
        there.map(|passed| passed.sent.to_string()).collect()
    }

    fn posts_in(&self, channel: &str) -> usize {
        self.said_in(channel).len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn two_desks_post_as_slowly_as_one_and_nobody_waits_for_somebody_elses_channel() {
    let pair = Pair::opens_with(&[]).await;
    let crowded = pair.asks_for("mia", 14).await.channel;
    let quiet = pair.asks_for("sam", 1).await.channel;
    for second in 0..=13 {
        let held = pair.both_deliver().await;
        assert!(second > 0 || held.iter().all(|&held| held > 0), "one did it alone: {held:?}");
        assert_eq!(pair.posts_in(&quiet), 1, "after {second} s: a channel that nobody else is in");
        for (channel, all) in [(APPROVALS, 16), (&crowded, 14)] {
            // Three at once, and one a second from then on: neither more nor less.
            assert_eq!(pair.posts_in(channel), all.min(3 + second), "{channel} after {second} s");
        }
        pair.clock.turn_forward(Span::millis(900));
        if second == 4 {
            // Somebody comes by just before the moment that others have waited for.
            pair.asks_for("lena", 1).await;
        }
        pair.clock.turn_forward(Span::millis(100));
    }
    let last = pair.said_in(APPROVALS).pop().unwrap();
    assert!(last.contains("ch_lena0"), "whoever came last is shown last: {last}");
    pair.world.settle().await.unwrap();
    pair.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn what_slack_told_one_desk_the_other_keeps_to() {
    let pair = Pair::opens_with(&[]).await;
    let [one, other] = pair.desks().map(Deliveries::new);
    pair.world.slack.next_calls("chat.postMessage", [Fault::RateLimited(Span::seconds(30))]);
    let mias = pair.asks_for("mia", 1).await.channel;
    assert_eq!(one_turn(&one, 1).await.unwrap(), 1, "one desk meets the 429");
    let sams = pair.asks_for("sam", 1).await.channel;
    for _ in 0..30 {
        while one_turn(&other, ROOM).await.unwrap() > 0 {}
        for channel in [APPROVALS, &mias, &sams] {
            assert_eq!(pair.posts_in(channel), 0, "nobody was to post yet");
        }
        pair.clock.turn_forward(Span::seconds(1));
    }
    // What waited comes one after the other.
    for _ in 0..8 {
        while one_turn(&other, ROOM).await.unwrap() > 0 {}
        pair.clock.turn_forward(Span::millis(250));
    }
    for (channel, posts) in [(APPROVALS, 2), (&mias, 1), (&sams, 1)] {
        assert_eq!(pair.posts_in(channel), posts, "{channel} after half a minute");
    }
    pair.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_desk_that_dies_with_its_turn_in_its_hands_stops_nobody() {
    let pair = Pair::opens_with(&[]).await;
    for desk in pair.desks() {
        desk.channels.id_of("#approvals").await.unwrap();
    }
    let [dies, other] = pair.desks().map(Deliveries::new);
    let mias = pair.asks_for("mia", 2).await.channel;
    let lost = dies.claim(ROOM).await.unwrap();
    assert_eq!(lost.len(), 4, "two cards and two lines, and that is the last of it");
    drop((lost, dies));

    pair.asks_for("mia", 3).await;
    for second in 0..4 {
        while one_turn(&other, ROOM).await.unwrap() > 0 {}
        let posts = (1 + second).min(3);
        assert_eq!(pair.posts_in(APPROVALS), posts, "after {second} s the channel goes on");
        assert_eq!(pair.posts_in(&mias), posts, "and so does the thread");
        pair.clock.turn_forward(Span::seconds(1));
    }
    pair.clock.turn_forward(Span::seconds(26));
    // Two cards are in doubt, and one look at the channel answers for both. Whichever comes while the
    // other is looking is put off for two seconds, and then it may have to wait for its turn to post.
    for _ in 0..=3 {
        while one_turn(&other, ROOM).await.unwrap() > 0 {}
        pair.clock.turn_forward(Span::seconds(1));
    }
    assert_eq!(pair.posts_in(APPROVALS), 5, "what was lost is shown by the other");
    pair.closes().await;
}
