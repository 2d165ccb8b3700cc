//! A person is erased from the command line, beside a desk that goes on.

use crate::bench::Desk;
use crate::evidence::anchor;
use crate::program::Ran;
use crate::readable::readable;

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
    assert!(desk.runs(&["export"]).await.out.contains("Noor"));
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
