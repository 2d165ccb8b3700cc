use super::super::{Command, parse_command};
use super::*;

fn command(body: &str) -> Option<Command> {
    parse_command(&signed(FORM, body.as_bytes()), APP).unwrap()
}

#[test]
fn every_recorded_command_is_read_as_expected() {
    let cases = read("commands.json");
    let run = "deploy billing-api 4.2.0";
    let table = [
        ("plain", Some(("T0WRKSPC01", "C0APPROVAL", run))),
        ("empty-text", Some(("T0WRKSPC01", "C0APPROVAL", ""))),
        (
            "utf8-and-symbols",
            Some(("T0WRKSPC01", "C0APPROVAL", "déploie «billing» 100% + 日本語 & a=b; <b>")),
        ),
        (
            "escaped-mentions",
            Some((
                "T0WRKSPC01",
                "C0APPROVAL",
                "for <@U0APPROVE1|anil> in <#C0APPROVAL|approvals> see <https://runs.acme.example/8842>",
            )),
        ),
        ("in-dm", Some(("T0WRKSPC01", "D0REQUEST1", run))),
        ("private-channel", Some(("T0WRKSPC01", "C0MANAGERS", run))),
        ("enterprise-workspace-install", Some(("T0WRKSPC01", "C0APPROVAL", run))),
        ("org-wide-install", Some(("E0ACMEORG1", "C0APPROVAL", run))),
        ("ssl_check", None),
        ("ssl_check-smuggling-a-payload", None),
    ];
    assert_eq!(
        names(cases["cases"].as_object().unwrap().keys().map(String::as_str)),
        names(table.iter().map(|(name, _)| *name))
    );
    for (name, expected) in table {
        let read = command(cases["cases"][name]["body"].as_str().unwrap());
        let read = read.as_ref().map(|command| {
            assert_eq!(command.command, "/approve-run", "{name}");
            assert_eq!(
                (command.user.team.as_str(), command.user.user.as_str()),
                ("T0WRKSPC01", "U0REQUEST1")
            );
            let workspace = command.installation.workspace().unwrap().to_string();
            (workspace, command.channel.as_str(), command.text.as_str())
        });
        let expected =
            expected.map(|(workspace, channel, text)| (workspace.to_owned(), channel, text));
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn an_unsigned_tls_check_never_becomes_a_body_to_act_on() {
    let verifier = Verifier::new(vec![SECRET.into()]).unwrap();
    for request in read("unsigned-requests.json")["requests"].as_array().unwrap() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(FORM));
        let body = request["body"].as_str().unwrap();
        assert!(verifier.verify(&headers, body.as_bytes(), NOW).is_err(), "{}", request["name"]);
        // Even signed, nothing of it is acted on.
        assert_eq!(command(body), None, "{}", request["name"]);
    }
}
