use serde_json::{Value, json};

use super::*;
use crate::base::TurnableClock;
use crate::slack::client::Method;
use crate::slack::client::fake::FakeSlack;

const HOME: &str = "T0WRKSPC01";

fn cast() -> Value {
    let text = include_str!("../../../tests/fixtures/slack/composed/directory.json");
    serde_json::from_str(text).unwrap()
}

/// The recorded cast, with changes.
fn slack_with(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Arc<FakeSlack> {
    let mut cast = cast();
    change(&mut cast);
    FakeSlack::answering(move |method, arguments| match method {
        Method::UsersInfo => match &cast["users"][arguments["user"].as_str().unwrap()] {
            Value::Null => Err(SlackError::PlaceWrong { code: "user_not_found".to_owned() }),
            user => Ok(json!({"user": user})),
        },
        Method::UsersLookupByEmail => {
            let named = |user: &&Value| user["profile"]["email"] == arguments["email"];
            match cast["users"].as_object().unwrap().values().find(named) {
                Some(user) => Ok(json!({"user": user})),
                None => Err(SlackError::PlaceWrong { code: "users_not_found".to_owned() }),
            }
        }
        Method::UsergroupsUsersList => Ok(json!({"users": cast["usergroups"][0]["users"].clone()})),
        other => panic!("{other:?}"),
    })
}

struct Desk {
    slack: Arc<FakeSlack>,
    clock: Arc<TurnableClock>,
    directory: Directory,
}

fn desk(slack: Arc<FakeSlack>, home: Home) -> Desk {
    let clock = Arc::new(TurnableClock::standing_at(Timestamp::from_millis(1_789_380_000_000)));
    let user = |id: &str| MemberName::User(id.to_owned());
    let email = |address: &str| MemberName::Email(address.to_owned());
    let groups = [
        (
            "finance",
            GroupSource::Users(vec![email("Anil@acme.example"), email("mona@acme.example")]),
        ),
        (
            "oncall",
            GroupSource::Users(vec![user("U0REQUEST1"), user("U0GUEST001"), user("U0EXTERN01")]),
        ),
        ("approvers", GroupSource::UserGroup("S0APPROVRS".to_owned())),
        ("nobody", GroupSource::Users(Vec::new())),
    ];
    let groups = groups.map(|(name, source)| (name.to_owned(), source)).into();
    let aliases = [("U0REQUEST1", "per_rosa"), ("U0GUEST001", "per_rosa")];
    let aliases = aliases.map(|(user, per)| (user.to_owned(), PersonId::existing(per))).into();
    let ways = Ways { ahead: slack.clone(), in_turn: slack.clone() };
    let directory = Directory::new(ways, clock.clone(), home, aliases, groups);
    Desk { slack, clock, directory }
}

fn home() -> Home {
    Home { team: HOME.to_owned(), enterprise: None }
}

fn claimed(team: &str, user: &str) -> SlackUser {
    SlackUser { team: team.to_owned(), user: user.to_owned(), enterprise: None }
}

async fn standing(desk: &Desk, team: &str, user: &str) -> Standing {
    desk.directory.person(&claimed(team, user)).await.standing
}

async fn member(desk: &Desk, user: &str, groups: &[&str]) -> Result<bool, DirectoryError> {
    let person = desk.directory.person(&claimed(HOME, user)).await;
    let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
    desk.directory.member_of(&person, &groups).await
}

#[tokio::test]
async fn everybody_of_the_cast_has_their_standing() {
    let desk = desk(slack_with(|_| {}), home());
    let table = [
        (HOME, "U0REQUEST1", Standing::Member),
        (HOME, "U0MANAGER1", Standing::Member),
        (HOME, "U0GUEST001", Standing::Guest),
        (HOME, "U0GUEST002", Standing::Guest),
        (HOME, "U0GONE0001", Standing::Deactivated),
        ("T0PARTNER1", "U0EXTERN01", Standing::Outsider),
        // The click claims our team; the directory knows better.
        (HOME, "U0EXTERN01", Standing::Outsider),
        // The directory says ours, the click another team: one of the two is wrong.
        ("T0PARTNER1", "U0APPROVE1", Standing::Outsider),
        ("T0PARTNER1", "U0STRANGE1", Standing::Outsider),
        (HOME, "U0BOTUSER1", Standing::Bot),
        (HOME, "U0OTHERBT1", Standing::Bot),
        (HOME, "USLACKBOT", Standing::Bot),
        (HOME, "U0NOBODY99", Standing::Unknown),
    ];
    for (team, user, expected) in table {
        assert_eq!(standing(&desk, team, user).await, expected, "{user} from {team}");
    }
}

#[tokio::test]
async fn one_changed_flag_takes_the_right_away() {
    let table: [(&str, Value, Standing); 8] = [
        ("deleted", json!(true), Standing::Deactivated),
        ("is_restricted", json!(true), Standing::Guest),
        ("is_ultra_restricted", json!(true), Standing::Guest),
        ("is_bot", json!(true), Standing::Bot),
        ("is_app_user", json!(true), Standing::Bot),
        ("is_stranger", json!(true), Standing::Outsider),
        ("is_invited_user", json!(true), Standing::Unknown),
        // An answer that does not say whether this is a guest is no answer.
        ("is_restricted", Value::Null, Standing::Unreachable),
    ];
    for (flag, value, expected) in table {
        let named = flag.to_owned();
        let slack = slack_with(move |cast| cast["users"]["U0APPROVE1"][&named] = value.clone());
        let desk = desk(slack, home());
        assert_eq!(standing(&desk, HOME, "U0APPROVE1").await, expected, "{flag}");
        assert_eq!(member(&desk, "U0APPROVE1", &["approvers"]).await, Ok(false), "{flag}");
    }
}

#[tokio::test]
async fn an_organisations_people_are_at_home_in_all_its_teams() {
    let org = Home { team: HOME.to_owned(), enterprise: Some("E0ACMEORG1".to_owned()) };
    let ours = desk(slack_with(|_| {}), org);
    assert_eq!(standing(&ours, "T0WRKSPC02", "W0ORGUSER1").await, Standing::Member);
    assert_eq!(standing(&ours, "T0PARTNER1", "U0EXTERN01").await, Standing::Outsider);
    let theirs = Home { team: "T0ELSEWHERE".to_owned(), enterprise: Some("E0OTHERORG".to_owned()) };
    assert_eq!(
        standing(&desk(slack_with(|_| {}), theirs), HOME, "W0ORGUSER1").await,
        Standing::Outsider
    );
}

#[tokio::test]
async fn when_slack_cannot_be_asked_nobody_may() {
    for error in [
        SlackError::NotDone { why: "no connection".to_owned() },
        SlackError::Unknown { why: "timeout".to_owned() },
        SlackError::Paced { until: Timestamp::from_millis(0) },
        SlackError::RateLimited { retry_after: Span::seconds(1) },
        SlackError::InstallationGone { code: "token_revoked".to_owned() },
        SlackError::SetupWrong { code: "missing_scope".to_owned(), needed: None },
    ] {
        let down = error.clone();
        let desk = desk(FakeSlack::answering(move |_, _| Err(down.clone())), home());
        assert_eq!(standing(&desk, HOME, "U0APPROVE1").await, Standing::Unreachable, "{error}");
    }
}

#[tokio::test]
async fn membership_is_what_the_groups_say() {
    let desk = desk(slack_with(|_| {}), home());
    let table: [(&str, &[&str], bool); 10] = [
        ("U0APPROVE1", &["finance"], true),
        ("U0REQUEST1", &["finance"], false),
        ("U0REQUEST1", &["oncall"], true),
        ("U0APPROVE1", &["oncall"], false),
        ("U0APPROVE1", &["approvers"], true),
        ("U0REQUEST1", &["approvers"], false),
        ("U0APPROVE1", &["oncall", "approvers"], true),
        ("U0APPROVE1", &["nobody"], false),
        ("U0APPROVE1", &[], false),
        // Listed, but a guest.
        ("U0GUEST001", &["oncall"], false),
    ];
    for (user, groups, expected) in table {
        assert_eq!(member(&desk, user, groups).await, Ok(expected), "{user} in {groups:?}");
    }
    assert_eq!(
        member(&desk, "U0APPROVE1", &["typo"]).await,
        Err(DirectoryError::NoSuchGroup("typo".to_owned()))
    );
    assert_eq!(member(&desk, "U0APPROVE1", &["typo", "approvers"]).await, Ok(true));
}

#[tokio::test]
async fn an_unconfirmed_address_makes_nobody_a_member() {
    let desk = desk(
        slack_with(|cast| cast["users"]["U0APPROVE1"]["is_email_confirmed"] = json!(false)),
        home(),
    );
    assert_eq!(member(&desk, "U0APPROVE1", &["finance"]).await, Ok(false));
}

#[tokio::test]
async fn a_user_group_is_kept_for_less_than_a_minute_and_never_longer() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (switch, people) = (down.clone(), cast());
    let slack = FakeSlack::answering(move |method, arguments| match method {
        Method::UsergroupsUsersList if switch.load(std::sync::atomic::Ordering::SeqCst) => {
            Err(SlackError::Unknown { why: "timeout".to_owned() })
        }
        Method::UsergroupsUsersList => Ok(json!({"users": ["U0APPROVE1"]})),
        _ => Ok(json!({"user": people["users"][arguments["user"].as_str().unwrap()]})),
    });
    let desk = desk(slack, home());
    let lists = |desk: &Desk| {
        let calls = desk.slack.calls();
        calls.iter().filter(|(method, _)| *method == Method::UsergroupsUsersList).count()
    };
    assert_eq!(member(&desk, "U0APPROVE1", &["approvers"]).await, Ok(true));
    down.store(true, std::sync::atomic::Ordering::SeqCst);
    desk.clock.turn_forward(Span::seconds(59));
    assert_eq!(member(&desk, "U0APPROVE1", &["approvers"]).await, Ok(true));
    assert_eq!(lists(&desk), 1);

    desk.clock.turn_forward(Span::seconds(1));
    let refused = member(&desk, "U0APPROVE1", &["approvers"]).await;
    assert!(matches!(refused, Err(DirectoryError::Unreachable { .. })), "{refused:?}");

    desk.clock.turn_back(Span::minutes(5));
    let refused = member(&desk, "U0APPROVE1", &["approvers"]).await;
    assert!(refused.is_err(), "a clock set back revives nothing: {refused:?}");
}

#[tokio::test]
async fn aliases_are_one_person_and_an_account_is_never_two() {
    let desk = desk(slack_with(|_| {}), home());
    let person = async |team: &str, user: &str| {
        desk.directory.person(&claimed(team, user)).await.person.to_string()
    };
    assert_eq!(person(HOME, "U0REQUEST1").await, "per_rosa");
    assert_eq!(person(HOME, "U0GUEST001").await, "per_rosa");
    assert_eq!(person(HOME, "U0APPROVE1").await, "per_T0WRKSPC01_U0APPROVE1");
    assert_eq!(person("T0PARTNER1", "U0APPROVE1").await, "per_T0WRKSPC01_U0APPROVE1");
    assert_eq!(person(HOME, "U0NOBODY99").await, "per_T0WRKSPC01_U0NOBODY99");
}

#[tokio::test]
async fn a_click_asks_slack_once_for_a_person_and_their_address() {
    let desk = desk(slack_with(|_| {}), home());
    member(&desk, "U0APPROVE1", &["finance"]).await.unwrap();
    let methods: Vec<Method> = desk.slack.calls().into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, [Method::UsersInfo]);
}

#[tokio::test]
async fn names_leave_out_who_is_gone() {
    let desk = desk(
        slack_with(|cast| {
            cast["usergroups"][0]["users"] = json!(["U0APPROVE1", "U0GONE0001", "U0NOBODY99"]);
        }),
        home(),
    );
    let groups = ["finance", "approvers"].map(str::to_owned);
    assert_eq!(desk.directory.approver_names(&groups).await.unwrap(), ["mona", "anil"]);
}

#[tokio::test]
async fn names_go_on_where_slack_had_no_time_for_more() {
    let (calls, people) = (std::sync::atomic::AtomicUsize::new(0), cast());
    let slack = FakeSlack::answering(move |_, arguments| {
        match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            1 => Err(SlackError::Paced { until: Timestamp::from_millis(0) }),
            _ => Ok(json!({"user": people["users"][arguments["user"].as_str().unwrap()]})),
        }
    });
    let desk = desk(slack, home());
    let groups = ["oncall".to_owned()];
    let cut_off = desk.directory.approver_names(&groups).await;
    assert!(matches!(cut_off, Err(DirectoryError::Unreachable { .. })), "{cut_off:?}");
    let names = desk.directory.approver_names(&groups).await.unwrap();
    assert_eq!((names.len(), desk.slack.calls().len()), (3, 4), "nobody is asked about twice");
}

/// However many cards are drawn at once, clicks need not wait for the names on them.
#[tokio::test]
async fn names_wait_their_turn_and_so_do_the_groups_they_are_of() {
    let mut desk = desk(slack_with(|_| {}), home());
    desk.directory.ways.ahead = FakeSlack::answering(|method, _| panic!("{method:?}"));
    let groups = ["finance", "approvers"].map(str::to_owned);
    assert!(!desk.directory.approver_names(&groups).await.unwrap().is_empty());
}
