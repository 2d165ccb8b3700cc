//! A person can be erased: their name, their accounts and their words go, a pseudonym stands for them,
//! every quorum still counts as many people, and the chain still verifies.

use std::collections::BTreeSet;

use countersign::base::PersonId;
use countersign::store::{Erased, Erasing, Erasure, Open};

use crate::office::{DELETION, INVOICE, Office, REFUND};
use crate::reckoning::{count, text};

/// Olga and Noor begin to erase somebody, by their Slack account, while the desk goes on.
async fn begin(office: &Office, account: &str, pseudonym: &str) -> Result<Erasing, Vec<Open>> {
    let desk = &office.world.app().unwrap().desk;
    let traces = desk.store.traces_of(&desk.workspace, account).await.unwrap();
    if !traces.open.is_empty() {
        return Err(traces.open);
    }
    let [by, with, reason] = ["olga", "noor", "they asked for it"].map(str::to_owned);
    let (erasure, pseudonym) = (Erasure { by, with, reason }, PersonId::existing(pseudonym));
    Ok(desk.store.begin_erasure(&desk.workspace, traces, erasure, pseudonym).await.unwrap())
}

/// They erase somebody.
async fn erases(office: &Office, account: &str) -> Result<(), Vec<Open>> {
    let pseudonym = format!("per_erased_{}", &account[2..].to_lowercase());
    let erased = begin(office, account, &pseudonym).await?.finish().await.unwrap();
    assert_eq!(erased, Erased { pseudonym: PersonId::existing(pseudonym), open: Vec::new() });
    Ok(())
}

/// None of these is in any row.
async fn gone(office: &Office, words: &[&str]) {
    let stored = office.every_row().await;
    let left: Vec<_> = words.iter().filter(|word| stored.contains(**word)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn whoever_decided_is_forgotten_and_what_others_asked_stays() {
    let office =
        Office::opens_with(&[("within: 30m, remind: [10m, 20m]", "within: 30m, quorum: 2")]).await;
    let (_, refund) = office.asks("mia", REFUND).await;
    office.approves("jonas", &refund).await;
    office.approves("lena", &refund).await;
    assert_eq!(office.refunds().await, 1);
    let (_, invoice) = office.asks("mia", INVOICE).await;
    office.rejects("jonas", &invoice).await;
    office.approves("jonas", &invoice).await;
    let before = office.every_row().await;
    assert!(["Jonas", "U0JONAS", "looked at it"].iter().all(|word| before.contains(word)));

    erases(&office, "U0JONAS").await.unwrap();
    gone(&office, &["Jonas", "U0JONAS"]).await;
    let desk = office.database().await;
    let his =
        "SELECT count(*) FROM votes WHERE person = 'per_erased_jonas' AND body NOT LIKE '%looked%'";
    assert_eq!(count(&desk, his).await, 2, "one person on both requests, without a reason");
    let hers = "SELECT count(*) FROM votes WHERE body LIKE '%Lena%' AND body LIKE '%looked at it%'";
    assert_eq!(count(&desk, hers).await, 1, "Lena's word stays");
    let whole = "SELECT count(*) FROM requests WHERE reduced_at IS NULL";
    assert_eq!(count(&desk, whole).await, 2, "what Mia asked for is hers");
    assert!(
        text(&desk, "SELECT envelope FROM requests WHERE outcome = 'approved'")
            .await
            .contains("charged twice")
    );
    let told = office.presses("lena", &invoice, "Approve").await.join(" ");
    assert!(told.contains("rejected by somebody whose name is no longer kept"), "{told}");
    desk.close().await;
    office.closes().await;
}

#[tokio::test]
async fn whoever_asked_is_forgotten_with_what_they_asked_and_what_came_of_it() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    office.writes("mia", "look up order 1042").await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.approves("mia", &card).await;
    office.rejects("jonas", &card).await;

    erases(&office, "U0MIA").await.unwrap();
    gone(&office, &["Mia", "U0MIA", "charged twice", "ch_1042", "V-7719", "order 1042"]).await;
    let desk = office.database().await;
    let hers = "SELECT count(*) FROM requests WHERE person = 'per_erased_mia'";
    assert_eq!(count(&desk, hers).await, 2);
    let his = "SELECT count(*) FROM votes WHERE person LIKE '%JONAS'";
    assert_eq!(count(&desk, his).await, 2, "who decided on it is somebody else");
    let record = text(&desk, "SELECT max(body) FROM audit WHERE kind = 'person.erased'").await;
    assert!(["olga", "noor", "they asked"].iter().all(|who| record.contains(who)), "{record}");
    desk.close().await;
    office.closes().await;
}

/// Before the configuration says that two accounts are one human they are two people, and decide as two.
#[tokio::test]
async fn whoever_had_two_ids_is_forgotten_as_two() {
    let mut office = Office::opens_with(&[("remind: [10m, 20m]", "quorum: 2")]).await;
    let (_, refund) = office.asks("mia", REFUND).await;
    office.approves("jonas", &refund).await;
    office.approves("lena", &refund).await;
    let (_, invoice) = office.asks("jonas", INVOICE).await;
    office.approves("lena", &invoice).await;
    assert_eq!((office.refunds().await, office.invoices_paid().await), (1, 1));

    office.world.crash_desk().await;
    let joined = "people:\n  jo: { slack: [U0JONAS, U0LENA] }\ngroups:\n";
    office.world.edit_configuration("groups:\n", joined).unwrap();
    office.world.open_desk().await.unwrap();
    for who in ["jonas", "lena"] {
        office.writes(who, DELETION).await;
        office.rejects("noor", &office.card("noor", "#approvals")).await;
    }
    erases(&office, "U0LENA").await.unwrap();
    gone(&office, &["Jonas", "U0JONAS", "Lena", "U0LENA", "per_jo"]).await;
    let desk = office.database().await;
    let two = "SELECT count(DISTINCT person) FROM votes WHERE person LIKE 'per_erased%'";
    assert_eq!(count(&desk, two).await, 2, "the quorum of two still counts two");
    desk.close().await;
    office.closes().await;
}

/// What is reduced already still has whose it was.
#[tokio::test]
async fn what_is_old_is_forgotten_too() {
    let retention = ("default: deny", "default: deny\nretention: { requests: 30d }");
    let office = Office::opens_with(&[retention]).await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    office.days_pass(31).await;
    assert!(office.every_row().await.contains("U0MIA"));
    for account in ["U0MIA", "U0JONAS"] {
        erases(&office, account).await.unwrap();
        gone(&office, &[account]).await;
    }
    office.closes().await;
}

#[tokio::test]
async fn nobody_is_forgotten_while_something_of_theirs_is_open() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    let open = erases(&office, "U0MIA").await.unwrap_err();
    assert!(matches!(&open[..], [Open::Request(_), .., Open::Run(_)]), "{open:?}");
    assert!(office.every_row().await.contains("U0MIA"));
    office.rejects("jonas", &card).await;
    erases(&office, "U0MIA").await.unwrap();
    gone(&office, &["U0MIA"]).await;

    // What they do afterwards is new.
    office.asks("mia", INVOICE).await;
    assert!(office.every_row().await.contains("U0MIA"));
    office.closes().await;
}

/// What is not over is not erased, and nobody is told that it was.
#[tokio::test]
async fn what_comes_up_while_somebody_is_erased_is_said_and_erased_when_it_is_over() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.rejects("jonas", &card).await;
    let erasing = begin(&office, "U0MIA", "per_erased_1").await.unwrap();
    office.person("mia").replies_in_thread(&asked, INVOICE);
    office.a_moment().await;
    let erased = erasing.finish().await.unwrap();
    assert!(matches!(&erased.open[..], [Open::Run(_)]), "{erased:?}");

    office.rejects("jonas", &office.card("jonas", "#approvals")).await;
    let erasing = begin(&office, "U0MIA", "per_erased_2").await.unwrap();
    let pseudonym = PersonId::existing("per_erased_1");
    assert_eq!(erasing.finish().await.unwrap(), Erased { pseudonym, open: Vec::new() });
    gone(&office, &["Mia", "U0MIA", "V-7719", "per_erased_2", "erasure:"]).await;
    office.closes().await;
}

/// Nobody gives the command again for a month, and the retention goes on meanwhile.
#[tokio::test]
async fn an_erasure_that_was_given_up_is_found_again_after_a_month() {
    let retention = ("default: deny", "default: deny\nretention: { requests: 7d }");
    let office = Office::opens_with(&[retention]).await;
    for message in [REFUND, INVOICE] {
        let (_, card) = office.asks("mia", message).await;
        office.rejects("jonas", &card).await;
    }
    let mut erasing = begin(&office, "U0MIA", "per_erased_1").await.unwrap();
    assert!(erasing.step().await.unwrap());
    drop(erasing);
    office.days_pass(31).await;
    let erasing = begin(&office, "U0MIA", "per_erased_2").await.unwrap();
    assert_eq!(erasing.pseudonym().as_str(), "per_erased_1");
    erasing.finish().await.unwrap();
    gone(&office, &["Mia", "U0MIA", "per_erased_2", "erasure:"]).await;
    office.closes().await;
}

/// Agents write whatever they like into arguments, also the ids of people.
#[tokio::test]
async fn what_an_agent_writes_makes_no_two_people_one() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", "refund ch_1042 640.00 EUR, U0LENA").await;
    office.approves("jonas", &card).await;
    let desk = &office.world.app().unwrap().desk;
    let lena = desk.store.traces_of(&desk.workspace, "U0LENA").await.unwrap();
    assert!(lena.is_empty(), "an argument is no part in anything: {lena:?}");

    let (_, card) = office.asks("lena", INVOICE).await;
    office.rejects("jonas", &card).await;
    erases(&office, "U0LENA").await.unwrap();
    gone(&office, &["Lena", "V-7719"]).await;
    let left = office.every_row().await;
    assert!(["ch_1042", "U0MIA", "640.00"].iter().all(|word| left.contains(word)));
    office.person("mia").replies_in_thread(&asked, "look up order 1042");
    office.a_moment().await;
    let memory = "SELECT count(*) FROM state_values WHERE value LIKE '%ch_1042%'";
    let database = office.database().await;
    assert!(count(&database, memory).await > 0, "what Mia's agent remembers is Mia's");
    database.close().await;
    office.closes().await;
}

/// Whoever knows the rest of a card may try who stood on it, and compare.
#[tokio::test]
async fn nobody_is_found_again_by_guessing_what_a_card_showed() {
    let office =
        Office::opens_with(&[("within: 30m, remind: [10m, 20m]", "within: 30m, quorum: 2")]).await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    office.approves("lena", &office.card("lena", "#approvals")).await;
    office.presses("priya", &card, "Approve").await;
    let desk = office.database().await;
    let rows = "SELECT shown_hash FROM cards WHERE shown_hash IS NOT NULL
        UNION SELECT evidence FROM votes UNION SELECT body FROM audit";
    let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&desk).await.unwrap();
    let hash = regex::Regex::new(r#"^[0-9a-f]{64}$|"shown":"([0-9a-f]{64})""#).unwrap();
    let found = rows.iter().filter_map(|row| hash.captures(row));
    let hashes: BTreeSet<&str> =
        found.map(|found| found.get(1).or(found.get(0)).unwrap().as_str()).collect();
    assert!(hashes.len() > 3, "cards, votes and a press that came too late: {hashes:?}");
    desk.close().await;

    erases(&office, "U0JONAS").await.unwrap();
    gone(&office, &Vec::from_iter(hashes)).await;
    let stored = office.every_row().await;
    assert!(["Mia", "Lena", "charged twice"].iter().all(|word| stored.contains(word)));
    office.closes().await;
}

/// A conversation may be long. It goes some runs at a time, and what is cut off goes on.
#[tokio::test]
async fn a_long_conversation_is_forgotten_some_runs_at_a_time() {
    let mut office = Office::opens().await;
    let root = office.writes("mia", "look up order 1042").await;
    for order in 0..19 {
        office.person("mia").replies_in_thread(&root, &format!("look up order 10{order}"));
        office.a_moment().await;
    }
    let desk = office.database().await;
    let whole = "SELECT count(*) FROM runs WHERE reduced_at IS NULL";
    let memory = "SELECT count(*) FROM state_values";
    let remembered = count(&desk, memory).await;
    let mut erasing = begin(&office, "U0MIA", "per_erased_1").await.unwrap();
    assert!(erasing.step().await.unwrap());
    assert_eq!((count(&desk, whole).await, count(&desk, memory).await), (4, remembered));
    drop(erasing);
    office.loses_power().await;

    let erasing = begin(&office, "U0MIA", "per_erased_2").await.unwrap();
    erasing.finish().await.unwrap();
    assert_eq!((count(&desk, whole).await, count(&desk, memory).await), (0, 0));
    let told = "SELECT count(*) FROM audit WHERE kind = 'person.erased'";
    assert_eq!(count(&desk, told).await, 2, "two transactions, each with its record");
    desk.close().await;
    gone(&office, &["Mia", "U0MIA", "order 10", "per_erased_2", "erasure:"]).await;
    office.closes().await;
}
