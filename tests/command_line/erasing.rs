//! A person is erased from the command line, beside a desk that goes on.

use std::collections::BTreeSet;
use std::path::Path;

use crate::bench::Desk;
use crate::evidence::anchor;
use crate::program::{Ran, countersign, run};
use crate::readable::readable;
use crate::tampering::{copied, count, verify};

async fn erase(desk: &Desk, person: &str, more: &[&str]) -> Ran {
    let order = ["erase", person, "--by", "olga", "--reason", "they asked for it in a letter"];
    desk.runs(&[&order[..], more].concat()).await
}

/// The pseudonym is another one each time.
fn shown(ran: &Ran) -> String {
    let pseudonym = regex::Regex::new("per_erased_[0-9a-f]{32}").expect("a good pattern");
    pseudonym.replace_all(&readable(&ran.shown()), "per_erased_[id]").into_owned()
}

#[tokio::test]
async fn it_is_shown_first_and_done_by_two() {
    let desk = Desk::with_a_past().await;
    let before = anchor(&desk.runs(&["verify"]).await.out);
    insta::assert_snapshot!("erase_shown", shown(&erase(&desk, "U0NOOR", &[]).await));
    assert!(desk.runs(&["export"]).await.out.contains("Noor"), "nothing has gone yet");

    let done = erase(&desk, "U0NOOR", &["--with", "gus", "--yes"]).await;
    insta::assert_snapshot!("erase_done", shown(&done));
    let export = desk.runs(&["export"]).await.out;
    assert!(!export.contains("Noor") && !export.contains("U0NOOR") && !export.contains("sampled"));
    let verified = desk.runs(&["verify", "--anchor", &before]).await;
    insta::assert_snapshot!("erase_verify", shown(&verified));
    insta::assert_snapshot!("erase_again", shown(&erase(&desk, "U0NOOR", &[]).await));
}

#[tokio::test]
async fn what_is_open_has_to_end_first() {
    let desk = Desk::with_a_past().await;
    let refused = erase(&desk, "U0MIA", &["--with", "gus", "--yes"]).await;
    insta::assert_snapshot!("erase_open", shown(&refused));
    assert!(desk.runs(&["export"]).await.out.contains("U0MIA"));
}

#[tokio::test]
async fn one_person_alone_erases_nobody() {
    let desk = Desk::with_a_past().await;
    for (nth, more) in
        [&["--yes"][..], &["--with", "Olga", "--yes"], &["--with", "gus"]].into_iter().enumerate()
    {
        insta::assert_snapshot!(
            format!("erase_alone_{nth}"),
            shown(&erase(&desk, "U0NOOR", more).await)
        );
    }
    for more in [&["--with", "ol ga", "--yes"], &["--with", "@Noor", "--yes"]] {
        let refused = erase(&desk, "U0NOOR", more).await;
        assert_eq!(refused.code, 1, "{}", refused.all());
        assert!(refused.err.contains("--by"), "{}", refused.err);
    }
    assert!(desk.runs(&["export"]).await.out.contains("Noor"));
}

/// Noor and Sam are two accounts of one human. An erasure of them is killed after its first commit, or its
/// second, and so on, and given again by the other account.
#[tokio::test]
async fn an_erasure_that_is_killed_anywhere_is_finished_under_the_same_pseudonym() {
    let people = "people:\n  ro: { slack: [U0NOOR, U0SAM] }\ngroups:\n";
    let desk = Desk::open_with(&[("groups:\n", people)]).await;
    for (who, day) in [("noor", "2025-01-01"), ("sam", "2025-02-01")] {
        desk.writes("mia", &format!("delete sessions older than {day}")).await;
        desk.decides(who, "Approve", "sampled the rows").await;
    }
    let before = anchor(&desk.runs(&["verify"]).await.out);
    let mut nth = 0;
    loop {
        nth += 1;
        let database = copied(&desk).await;
        if let Killed::Never = erase_until(&database, "U0SAM", nth).await {
            break;
        }
        let verified = verify(&database, &[&before]).await;
        assert_eq!(verified.code, 0, "killed after {nth}: {}", verified.all());
        assert!(matches!(erase_until(&database, "U0NOOR", usize::MAX).await, Killed::Never));
        nobody_is_left(&database, nth).await;
        let verified = verify(&database, &[&before]).await;
        assert_eq!(verified.code, 0, "killed after {nth} and finished: {}", verified.all());
    }
    assert_eq!(nth, 7, "begun, two requests, two conversations and over are six commits");
}

/// Nothing of them is in the log, in a delivery, or in what an agent remembers.
async fn nobody_is_left(database: &Path, nth: usize) {
    let url = format!("sqlite://{}", database.display());
    let export = run(Path::new("."), &["export", "--database", &url], &[]).await.out;
    for word in ["Noor", "Sam", "U0NOOR", "U0SAM", "per_ro", "sampled", "erasure:"] {
        assert!(!export.contains(word), "killed after {nth}: {word} is in {export}");
        let deliveries =
            format!("SELECT count(*) FROM intake WHERE key || verdict LIKE '%{word}%'");
        assert_eq!(count(database, deliveries).await, 0, "killed after {nth}: {word}");
    }
    let remembered = "SELECT count(*) FROM runs WHERE reduced_at IS NULL".to_owned();
    assert_eq!(count(database, remembered).await, 0, "killed after {nth}");
    let pseudonym = regex::Regex::new("per_erased_[0-9a-f]{32}").expect("a good pattern");
    let stand: BTreeSet<_> = pseudonym.find_iter(&export).map(|found| found.as_str()).collect();
    assert_eq!(stand.len(), 1, "killed after {nth}: {stand:?}");
}

enum Killed {
    AfterCommit,
    Never,
}

/// Kills the command after its nth commit, if it comes to that.
async fn erase_until(database: &Path, person: &str, nth: usize) -> Killed {
    let url = format!("sqlite://{}", database.display());
    let order = ["erase", person, "--by", "olga", "--with", "gus", "--reason", "a letter", "--yes"];
    let order = [&order[..], &["--database", &url]].concat();
    let failpoint = format!("BatchCommitted:kill:{nth}");
    let folder = database.with_file_name("");
    let ended = countersign(&folder, &order, &[("COUNTERSIGN_FAILPOINT", &failpoint)]).output();
    let ended = ended.await.expect("the binary starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    match ended.status.code() {
        None => {
            assert!(said.contains("failpoint BatchCommitted"), "{said}");
            Killed::AfterCommit
        }
        // The one before was killed when all was done, and had no time to say so.
        Some(1) if said.contains("nothing is known of") => Killed::Never,
        code => {
            assert_eq!(code, Some(0), "{said}");
            Killed::Never
        }
    }
}

/// Evidence that somebody tampered with the desk is not erased.
#[tokio::test]
async fn a_damaged_database_is_kept_as_it_is() {
    let desk = Desk::with_a_past().await;
    let change = "UPDATE requests SET decision = replace(decision, 'way back', 'way home')";
    crate::tampering::change(&desk.database(), change).await;
    let refused = erase(&desk, "U0NOOR", &["--with", "gus", "--yes"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("keep this database as it is"), "{}", refused.all());
    assert!(desk.runs(&["export"]).await.out.contains("Noor"));
}

/// What stands in the place of an erased person is as safe as anything else.
#[tokio::test]
async fn whoever_changes_what_an_erasure_left_is_found() {
    let desk = Desk::with_a_past().await;
    assert_eq!(erase(&desk, "U0NOOR", &["--with", "gus", "--yes"]).await.code, 0);
    for (change, said) in [
        (
            "UPDATE audit SET body = replace(body, 'per_erased', 'per_other')
             WHERE kind = 'request.approved'",
            "what is left of it is not what was left of it",
        ),
        (
            "UPDATE votes SET person = 'per_jonas', body = replace(body, 'per_erased', 'per_other')
             WHERE person LIKE 'per_erased%'",
            "its votes are not those in the log",
        ),
        (
            "UPDATE audit SET body = replace(body, 'gus', 'eva') WHERE kind = 'person.erased'",
            "it was changed after it was written",
        ),
    ] {
        let ran = crate::tampering::after(&desk, change).await;
        assert!(ran.code == 1 && ran.err.contains(said), "{change}: {}", ran.all());
    }
}
