//! What a file that is read means.

use std::path::Path;

use secrecy::ExposeSecret;

use super::{EXAMPLE, MINIMAL, accepted, changed};
use crate::agent::{Body, ModelSpec};
use crate::base::Span;
use crate::config::{Member, Members, Otherwise, Retention, Retry, Severity, Target, lint};

#[test]
fn the_example_and_the_minimal_file_have_nothing_wrong() {
    for text in [EXAMPLE, MINIMAL] {
        let config = accepted(text);
        let errors: Vec<_> =
            lint(&config).into_iter().filter(|found| found.severity == Severity::Error).collect();
        assert_eq!(errors, [], "{errors:?}");
    }
    assert_eq!(lint(&accepted(EXAMPLE)), []);
}

#[test]
fn what_is_left_out_has_the_safe_default() {
    let config = accepted(MINIMAL);
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.store.as_str(), "sqlite://countersign.db");
    assert_eq!(config.slack.api_url.as_str(), "https://slack.com/api/");
    assert!(matches!(config.otherwise, Otherwise::Deny));
    let tool = &config.tools["refund"];
    assert!(matches!(tool.retry, Retry::Once), "a tool that says nothing is never repeated");
    let Target::Http(http) = &tool.target else { panic!("{tool:?}") };
    assert_eq!(http.body.value, Body::Args);
    assert_eq!(http.timeout, Span::seconds(30));
    assert!(http.allow_private.is_empty());
    assert!(config.agents["ops"].is_default, "the only agent answers everywhere");
}

#[test]
fn nothing_is_reduced_unless_the_file_says_so_and_conversations_go_with_their_requests() {
    let days = |days: u32| Some(Span::minutes(days * 24 * 60));
    assert_eq!(accepted(MINIMAL).retention, Retention { requests: None, runs: None });
    for (written, requests, runs) in [
        ("{ requests: 90d }", days(90), days(90)),
        ("{ requests: 90d, runs: 7d }", days(90), days(7)),
        ("{ runs: 30d }", None, days(30)),
    ] {
        let config = accepted(&format!("{MINIMAL}\nretention: {written}\n"));
        assert_eq!(config.retention, Retention { requests, runs }, "{written}");
    }
}

#[test]
fn secrets_come_from_variables_and_files_and_show_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("token"), "xoxb-from-file\n").expect("a file");
    let text = changed("bot_token: ${BOT}", "bot_token_file: token").replacen(
        "${SIGNING}",
        "[\"${NEW}\", \"${OLD}\"]",
        1,
    );
    let name = folder.path().join("countersign.yaml").display().to_string();
    let config = crate::config::read(&text, &name, &super::env).expect("it is right");
    assert_eq!(config.slack.bot_token.expose_secret(), "xoxb-from-file");
    let signing = config.slack.signing_secrets.iter().map(ExposeSecret::expose_secret);
    assert_eq!(signing.collect::<Vec<_>>(), ["value-of-NEW", "value-of-OLD"]);
    let shown = format!("{config:?}");
    for secret in ["xoxb-from-file", "value-of-"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn callers_have_keys_a_person_and_limits() {
    let key = "value-of-A_VARIABLE_WITH_A_LONG_NAME";
    let api = "\napi:\n  callers:\n    books:\n      key: ${A_VARIABLE_WITH_A_LONG_NAME}\n      \
               acts_for: mia@example.com\n      agents: ops\n      streams: 3\nstreams: { keep: 2h }\n";
    let config = accepted(&format!("{MINIMAL}{api}"));
    assert_eq!(lint(&config), lint(&accepted(MINIMAL)));
    let caller = &config.callers["books"];
    assert_eq!(caller.keys[0].expose_secret(), key);
    assert_eq!(caller.acts_for.value, Member::Email("mia@example.com".to_owned()));
    assert_eq!((caller.streams.get(), caller.unfinished.get()), (3, 16));
    assert_eq!(config.streams.keep, Span::minutes(120));
    assert_eq!(config.streams.heartbeat, Span::seconds(15));

    let refused = |from: &str, to: &str| {
        let text = format!("{MINIMAL}{}", api.replace(from, to));
        match crate::config::read(&text, "countersign.yaml", &super::env) {
            Ok(config) => lint(&config).into_iter().map(|found| found.to_string()).collect(),
            Err(errors) => errors.to_string(),
        }
    };
    for (from, to, told) in [
        ("A_VARIABLE_WITH_A_LONG_NAME", "SHORT", "this key has fewer than 32 characters"),
        ("${A_VARIABLE_WITH_A_LONG_NAME}", "abc", "the value of `key` stands in the file itself"),
        ("agents: ops", "agents: []", "may ask no agent"),
        ("agents: ops", "agents: obs", "there is no agent called `obs`"),
        ("mia@example.com", "Mia", "neither an e-mail address nor the id"),
    ] {
        let said: String = refused(from, to);
        assert!(said.contains(told), "{to}: {said}");
    }
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let config = crate::config::read(MINIMAL, "/etc/countersign/countersign.yaml", &super::env)
        .expect("it is right");
    let ModelSpec::Script(script) = &config.models["main"].spec else {
        panic!("{:?}", config.models)
    };
    assert_eq!(script, Path::new("/etc/countersign/demo.yaml"));
}

#[test]
fn people_and_groups_are_as_written() {
    let config = accepted(EXAMPLE);
    let aliases = config.aliases();
    assert_eq!(aliases["U0JONAS1"], aliases["U0JONAS2"]);
    let Members::Users(finance) = &config.groups["finance"].members else {
        panic!("{:?}", config.groups)
    };
    assert_eq!(finance[0].value, Member::Email("jonas@example.com".to_owned()));
    let Members::SlackUsergroup(id) = &config.groups["managers"].members else {
        panic!("{:?}", config.groups)
    };
    assert_eq!(id, "S0MANAGERS");
}

#[test]
fn the_policy_is_the_files() {
    let config = accepted(EXAMPLE);
    let policy = config.policy();
    let names: Vec<_> = policy.rules().iter().map(|rule| rule.name.as_str()).collect();
    let written: Vec<_> = config.rules.iter().map(|rule| rule.name.value.as_str()).collect();
    assert_eq!(names, written);
    let crate::approval::Then::Ask(ask) = &policy.rules()[3].then else {
        panic!("{:?}", policy.rules()[3])
    };
    assert_eq!(ask.path.len(), 2);
    assert_eq!(ask.path[0].within, Span::minutes(30));
    assert_eq!(ask.path[0].remind, [Span::minutes(10), Span::minutes(20)]);
    assert_eq!(ask.path[0].place.0, "approvals");
    assert_eq!(ask.path[1].approvers.0, ["managers"]);
    let other = accepted(&EXAMPLE.replacen("within: 1h", "within: 2h", 1));
    assert_ne!(policy.digest(), other.policy().digest(), "every change of a rule shows");
}
