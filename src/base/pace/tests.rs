use super::*;

const START: Timestamp = Timestamp::from_millis(1_789_380_000_000);
const POSTS: Rate = Rate { every: Span::seconds(1), burst: 3 };
const CALLS: Rate = Rate { every: Span::millis(250), burst: 120 };

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START.as_millis() + millis)
}

fn slot(what: &str, rate: Rate) -> Slot {
    Slot { what: what.to_owned(), rate }
}

fn post(paces: &mut Paces, channel: &str, millis: i64) -> Result<(), i64> {
    let slots = [slot(channel, POSTS), slot("post", CALLS)];
    paces
        .take(&slots, Haste::InTurn, at(millis))
        .map_err(|until| until.as_millis() - START.as_millis())
}

#[test]
fn a_channel_takes_a_short_burst_and_then_one_post_a_second() {
    let mut paces = Paces::default();
    let transcript = [
        ("C1", 0, Ok(())),
        ("C1", 0, Ok(())),
        ("C1", 0, Ok(())),
        ("C1", 0, Err(1000)),
        ("C2", 0, Ok(())),
        ("C1", 999, Err(2000)),
        ("C1", 1000, Ok(())),
        ("C1", 1000, Err(3000)),
        ("C1", 2000, Ok(())),
        ("C1", 3000, Ok(())),
        ("C1", 3000, Err(4000)),
        ("C1", 9000, Ok(())),
    ];
    for (channel, millis, expected) in transcript {
        assert_eq!(post(&mut paces, channel, millis), expected, "{channel} at {millis}");
    }
}

#[test]
fn whoever_comes_when_told_is_let_in() {
    let mut paces = Paces::default();
    for _ in 0..3 {
        post(&mut paces, "C1", 0).unwrap();
    }
    let told: Vec<i64> = (0..50).map(|_| post(&mut paces, "C1", 0).unwrap_err()).collect();
    assert_eq!(told, (1..=50).map(|nth| nth * 1000).collect::<Vec<_>>());
    assert_eq!(post(&mut paces, "C2", 0), Ok(()), "another channel has a line of its own");
    for at in told {
        assert_eq!(post(&mut paces, "C1", at), Ok(()), "at {at}");
    }
}

#[test]
fn a_line_is_never_longer_than_a_minute_and_those_who_stay_away_stop_nobody() {
    let mut paces = Paces::default();
    for _ in 0..3 {
        post(&mut paces, "C1", 0).unwrap();
    }
    let told: Vec<i64> = (0..500).map(|_| post(&mut paces, "C1", 0).unwrap_err()).collect();
    assert_eq!(told.last(), Some(&60_000));
    assert_eq!(post(&mut paces, "C1", 1000), Ok(()), "nobody else came");
}

#[test]
fn what_is_held_waits_and_nothing_else_does() {
    let mut paces = Paces::default();
    paces.hold("update", Span::seconds(30), START);
    assert_eq!(paces.take(&[slot("update", CALLS)], Haste::InTurn, at(29_999)), Err(at(30_000)));
    assert_eq!(paces.take(&[slot("info", CALLS)], Haste::InTurn, START), Ok(()));
    assert_eq!(paces.take(&[slot("update", CALLS)], Haste::InTurn, at(30_000)), Ok(()));
}

#[test]
fn whoever_is_waited_for_comes_first_and_the_others_make_up_for_it() {
    let mut paces = Paces::default();
    for _ in 0..3 {
        post(&mut paces, "C1", 0).unwrap();
    }
    assert_eq!(post(&mut paces, "C1", 0), Err(1000));
    for _ in 0..50 {
        assert_eq!(paces.take(&[slot("C1", POSTS)], Haste::Ahead, START), Ok(()));
    }
    // What was taken ahead is never more than a burst to make up for.
    assert_eq!(post(&mut paces, "C1", 1000), Err(2000));
    assert_eq!(post(&mut paces, "C1", 2000), Ok(()));

    paces.hold("C1", Span::seconds(30), at(2000));
    assert_eq!(paces.take(&[slot("C1", POSTS)], Haste::Ahead, at(31_999)), Err(at(32_000)));
    assert_eq!(paces.take(&[slot("C1", POSTS)], Haste::Ahead, at(32_000)), Ok(()));
}

#[test]
fn a_clock_that_was_set_back_stops_nothing_for_long() {
    let mut paces = Paces::default();
    paces.hold("post", Span::seconds(30), START);
    for _ in 0..3 {
        post(&mut paces, "C1", 60_000).unwrap();
    }
    assert_eq!(post(&mut paces, "C1", -3_600_000), Err(-3_600_000 + 1000));

    let mut paces = Paces::default();
    paces.hold("post", Span::seconds(30), START);
    assert_eq!(post(&mut paces, "C1", -3_600_000), Err(-3_600_000 + 30_000));
    assert_eq!(post(&mut paces, "C1", -3_600_000 + 30_000), Ok(()));
}

#[test]
fn what_is_at_rest_is_forgotten_and_the_rest_reads_back() {
    let mut paces = Paces::default();
    for channel in ["C1", "C2", "C3"] {
        post(&mut paces, channel, 0).unwrap();
    }
    paces.hold("update", Span::seconds(30), START);
    post(&mut paces, "C4", 16_000).unwrap();
    let kept = serde_json::to_string(&paces).unwrap();
    let mut read: Paces = serde_json::from_str(&kept).unwrap();
    assert_eq!(read.paces.keys().collect::<Vec<_>>(), ["C4", "post", "update"], "{kept}");
    assert_eq!(read.take(&[slot("update", CALLS)], Haste::InTurn, at(17_000)), Err(at(30_000)));
}

#[test]
fn there_is_room_for_exactly_what_is_let_in() {
    let call = [slot("C1", POSTS), slot("post", CALLS)];
    for (burst, millis) in [(3, 0), (3, 999), (3, 1000), (3, 2500), (0, 0), (40, 30_000)] {
        let mut paces = Paces::default();
        for _ in 0..burst {
            let _ = paces.take(&call, Haste::InTurn, START);
        }
        let room = paces.room(&call, at(millis));
        let let_in =
            (0..100).take_while(|_| paces.take(&call, Haste::InTurn, at(millis)).is_ok()).count();
        assert_eq!(room, let_in, "at {millis} after {burst}");
    }
    let mut paces = Paces::default();
    paces.hold("post", Span::seconds(60), START);
    assert_eq!(paces.room(&call, at(999)), 0);
    assert_eq!(paces.room(&[], START), usize::MAX);
}

/// Five conversations owe two hundred lines each, and one channel as many cards. What Slack takes in
/// all is less than they could take together.
#[test]
fn a_crowded_place_leaves_the_others_their_share() {
    const POLLS: Rate = Rate { every: Span::millis(250), burst: 1 };
    let places = ["D1", "D2", "D3", "D4", "D5", "C1"];
    let calls: Vec<Vec<Slot>> = places
        .iter()
        .flat_map(|place| vec![vec![slot(place, POSTS), slot("post", POLLS)]; 200])
        .collect();
    let mut paces = Paces::default();
    let mut served = BTreeMap::new();
    for half_seconds in 0..120 {
        let told = paces.take_fairly(&calls, at(half_seconds * 500));
        for (call, _) in calls.iter().zip(told).filter(|(_, told)| told.is_ok()) {
            *served.entry(call[0].what.as_str()).or_insert(0) += 1;
        }
    }
    let all: i32 = served.values().sum();
    assert!(all >= 120, "{served:?}");
    for place in places {
        assert!((all / 6 - 2..=all / 6 + 2).contains(&served[place]), "{place}: {served:?}");
    }
    // Somebody who has been quiet comes first, however long the others have waited.
    let mut calls = calls;
    calls.push(vec![slot("D6", POSTS), slot("post", POLLS)]);
    let told = paces.take_fairly(&calls, at(60_000));
    assert_eq!(told.last(), Some(&Ok(())));
}

#[test]
fn in_one_place_everybody_keeps_their_turn() {
    let calls: Vec<Vec<Slot>> = (0..6).map(|_| vec![slot("C1", POSTS)]).collect();
    let told = Paces::default().take_fairly(&calls, START);
    let late = |seconds: i64| Err(at(seconds * 1000));
    assert_eq!(told, [Ok(()), Ok(()), Ok(()), late(1), late(2), late(3)]);
}
