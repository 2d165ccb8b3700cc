//! I7 and I9: who may decide is asked of the directory at the click, and every doubt is a no.

use countersign::base::Span;
use countersign::sandbox::{Fault, Kind};

use crate::office::{INVOICE, Office, REFUND};
use crate::reckoning::count;

/// Everybody who may not, what they are told, and that it changes nothing. Then somebody who may.
#[tokio::test]
async fn everybody_who_may_not_decide_is_told_why_and_nothing_changes() {
    let table = [
        ("mia", "You asked for this yourself"),
        ("sam", "not among the people who may decide"),
        ("priya", "not among the people who may decide"),
        ("gus", "Guests may not decide"),
        ("erik", "belong to another company"),
        ("olga", "deactivated"),
        ("deploybot", "Bots may not decide"),
    ];
    let office = Office::opens().await;
    office.world.slack.change_cast(|cast| {
        let approvals = cast.channel_mut("#approvals").unwrap();
        approvals.members.extend(["U0ERIK".to_owned(), "U0OLGA".to_owned()]);
    });
    let (_, card) = office.asks("mia", INVOICE).await;
    for (who, why) in table {
        for label in ["Approve", "Reject…"] {
            let told = office.presses(who, &card, label).await.join(" ");
            assert!(told.contains(why), "{who} pressed {label} and was told: {told}");
        }
    }
    office.a_moment().await;
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM votes").await, 0);
    desk.close().await;
    assert_eq!(office.invoices_paid().await, 0);
    office.approves("lena", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn nobody_writes_a_reason_in_vain() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", REFUND).await;
    for label in ["Approve", "Reject…"] {
        let clicked = office.person("gus").clicks(&card, label).await;
        assert!(clicked.dialog.is_none(), "{label} opens no dialog for a guest");
        assert!(clicked.told.join(" ").contains("Guests may not decide"), "{:?}", clicked.told);
    }
    office.rejects("jonas", &card).await;
    office.closes().await;
}

#[tokio::test]
async fn an_approver_who_asks_needs_somebody_else() {
    let office = Office::opens().await;
    let (_, card) = office.asks("jonas", INVOICE).await;
    let told = office.approves("jonas", &card).await.join(" ");
    assert!(told.contains("You asked for this yourself"), "{told}");
    assert_eq!(office.invoices_paid().await, 0);
    office.approves("lena", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

const PEOPLE: &str = "groups:\n";

/// B4: one human, two accounts, made known under `people`.
#[tokio::test]
async fn a_second_account_of_the_requester_does_not_count() {
    let aliases = "people:\n  mia: { slack: [U0MIA, U0LENA] }\ngroups:\n";
    let office = Office::opens_with(&[(PEOPLE, aliases)]).await;
    let (_, card) = office.asks("mia", INVOICE).await;
    let told = office.approves("lena", &card).await.join(" ");
    assert!(told.contains("You asked for this yourself"), "{told}");
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

const FINANCE: &str = "- { approvers: finance, in: approvals, within: 30m, remind: [10m, 25m] }";

#[tokio::test]
async fn a_quorum_counts_people_and_not_presses() {
    let two = "- { approvers: finance, in: approvals, within: 30m, remind: [10m, 25m], quorum: 2 }";
    let office = Office::opens_with(&[(FINANCE, two)]).await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.approves("jonas", &card).await;
    let told = office.approves("jonas", &card).await.join(" ");
    assert!(told.contains("already approved"), "{told}");
    assert_eq!(office.invoices_paid().await, 0, "one person is not two");
    office.approves("lena", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn two_accounts_of_one_person_are_one_voice() {
    let two = "- { approvers: finance, in: approvals, within: 30m, remind: [10m, 25m], quorum: 2 }";
    let aliases = "people:\n  jo: { slack: [U0JONAS, U0LENA] }\ngroups:\n";
    let office = Office::opens_with(&[(FINANCE, two), (PEOPLE, aliases)]).await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.approves("jonas", &card).await;
    office.approves("lena", &card).await;
    assert_eq!(office.invoices_paid().await, 0);
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM votes").await, 1);
    desk.close().await;
    office.rejects("jonas", &card).await;
    office.passes(Span::minutes(61)).await;
    office.closes().await;
}

#[tokio::test]
async fn somebody_who_has_left_since_the_card_was_posted_may_not_decide() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.world.slack.change_cast(|cast| {
        cast.person_mut("U0JONAS").unwrap().kind = Kind::Deactivated;
    });
    let told = office.approves("jonas", &card).await.join(" ");
    assert!(told.contains("deactivated"), "{told}");
    assert_eq!(office.invoices_paid().await, 0);
    office.approves("lena", &card).await;
    office.closes().await;
}

const MANAGERS: &str = "managers: { users: [priya@example.com, vera@example.com] }";

#[tokio::test]
async fn a_slack_user_group_is_asked_at_the_click() {
    let office =
        Office::opens_with(&[(MANAGERS, "managers: { slack_usergroup: S0MANAGERS }")]).await;
    office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(31)).await;
    let card = office.card("priya", "#managers");
    office.world.slack.change_cast(|cast| cast.groups[0].1 = vec!["U0VERA".to_owned()]);
    office.passes(Span::minutes(2)).await;
    let told = office.approves("priya", &card).await.join(" ");
    assert!(told.contains("not among the people"), "{told}");
    office.approves("vera", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// B14: when Slack cannot say who somebody is, the click does not count, and they are told.
#[tokio::test]
async fn a_directory_that_does_not_answer_is_a_no() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.passes(Span::minutes(5)).await;
    for method in ["users.info", "users.lookupByEmail"] {
        office.world.slack.next_calls(method, vec![Fault::ServerError; 12]);
    }
    let told = office.approves("jonas", &card).await.join(" ");
    assert!(told.contains("could not ask Slack"), "{told}");
    assert_eq!(office.refunds().await, 0);
    for method in ["users.info", "users.lookupByEmail"] {
        office.world.slack.clear_faults(method);
    }
    office.passes(Span::minutes(2)).await;
    office.approves("jonas", &card).await;
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}

/// I9: each question that a press asks of Slack meets each answer that is none.
#[tokio::test]
async fn only_a_sure_answer_lets_an_approval_count() {
    let users = "finance: { users: [jonas@example.com, lena@example.com] }";
    let group = "finance: { slack_usergroup: S0MANAGERS }";
    let code = |code: &str| Fault::Code(code.to_owned());
    let answers = [
        Fault::ServerError,
        Fault::AnswerLost,
        Fault::RateLimited(Span::minutes(1)),
        code("token_revoked"),
        code("a_code_of_tomorrow"),
    ];
    for (question, members, who) in
        [("users.info", users, "jonas"), ("usergroups.users.list", group, "priya")]
    {
        for answer in &answers {
            let office = Office::opens_with(&[(users, members)]).await;
            let (_, card) = office.asks("mia", INVOICE).await;
            office.passes(Span::minutes(5)).await;
            office.world.slack.next_calls(question, vec![answer.clone(); 12]);
            let told = office.approves(who, &card).await;
            assert!(!told.is_empty(), "{question}, {answer:?}: {who} is told");
            let desk = office.database().await;
            for nothing in ["SELECT count(*) FROM votes", "SELECT count(*) FROM executions"] {
                assert_eq!(count(&desk, nothing).await, 0, "{question}, {answer:?}: {nothing}");
            }
            desk.close().await;
            office.world.slack.clear_faults(question);
            office.passes(Span::minutes(2)).await;
            office.approves(who, &card).await;
            assert_eq!(office.invoices_paid().await, 1, "{question}, {answer:?}");
            office.closes().await;
        }
    }
}

/// I9: an empty group and an unset secret are refused before anything starts.
#[tokio::test]
async fn an_empty_group_is_nobody_and_a_missing_secret_does_not_start() {
    let table = [
        ("finance: { users: [jonas@example.com, lena@example.com] }", "finance: { users: [] }"),
        ("${DEMO_SIGNING_SECRET}", "${UNSET_SECRET}"),
        ("${DEMO_BOT_TOKEN}", "${UNSET_TOKEN}"),
    ];
    for (text, instead) in table {
        let mut office = Office::opens().await;
        office.world.crash_desk().await;
        office.world.edit_configuration(text, instead).unwrap();
        let refused = match office.world.config() {
            Err(_) => true,
            Ok(config) => countersign::config::lint(&config)
                .iter()
                .any(|finding| finding.severity == countersign::config::Severity::Error),
        };
        assert!(refused, "{instead}");
    }
}
