use serde_json::json;

use super::*;
use crate::approval::SlackUser;
use crate::approval::sample::{envelope, sealed};
use crate::base::PersonId;

/// With every optional field filled in, so that each has something to change.
fn full() -> Envelope {
    let mut full = envelope(json!({
        "amount": 640, "charge": {"id": "ch_1", "lines": [1, 2]}, "note": null, "dry_run": false,
    }));
    full.run = Some(RunId::existing("run_1"));
    full.node = Some("approval".to_owned());
    full.cwd = Some("/srv".to_owned());
    full.environment = vec!["PATH".to_owned()];
    full.requester.owner = Some(PersonId::existing("noor"));
    full.requester.user = SlackUser { enterprise: Some("E1".to_owned()), ..full.requester.user };
    full
}

/// Every value in it that is no list or object, with its JSON pointer.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| leaves(inner, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(n, inner)| leaves(inner, &format!("{path}/{n}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn the_same_is_done_by_the_same_tool_with_the_same_arguments_however_they_are_written() {
    let sealed = |arguments: Value| Sealed::seal(envelope(arguments)).unwrap();
    let one = sealed(json!({ "amount": 20, "charge": "ch_7" }));
    assert!(one.does_the_same_as(&sealed(json!({ "charge": "ch_7", "amount": 20.0 }))));
    assert!(!one.does_the_same_as(&sealed(json!({ "charge": "ch_7", "amount": 20.5 }))));
    let mut other = one.envelope().clone();
    other.requester.name = "Noor".to_owned();
    assert!(one.does_the_same_as(&Sealed::seal(other.clone()).unwrap()));
    other.tool.name = "another".to_owned();
    assert!(!one.does_the_same_as(&Sealed::seal(other).unwrap()));
}

#[test]
fn a_change_of_anything_in_the_envelope_changes_the_digest() {
    let digest = Sealed::seal(full()).unwrap().digest();
    let value = serde_json::to_value(full()).unwrap();
    let mut paths = Vec::new();
    leaves(&value, "", &mut paths);
    assert!(paths.len() > 30 && !paths.iter().any(|path| path.ends_with("/cwd/")), "{paths:?}");
    let mut changed = 0;
    for path in &paths {
        for replacement in
            [json!("x"), json!(7), json!(true), Value::Null, json!("critical"), json!("once")]
        {
            let mut other = value.clone();
            let place = other.pointer_mut(path).unwrap();
            if *place == replacement {
                continue;
            }
            *place = replacement;
            // What is no envelope any more cannot be sealed at all.
            let Ok(envelope) = serde_json::from_value(other) else {
                continue;
            };
            let Ok(sealed) = Sealed::seal(envelope) else {
                continue;
            };
            assert_ne!(sealed.digest(), digest, "{path}");
            changed += 1;
        }
    }
    assert!(changed >= paths.len() - 1, "only {changed} of {} could be changed", paths.len());
}

#[test]
fn sealing_and_opening_give_the_same() {
    for envelope in [full(), envelope(json!({})), envelope(json!([1.0, -0.0, 2e2, "e\u{301}"]))] {
        let sealed = Sealed::seal(envelope).unwrap();
        let opened = Sealed::open(sealed.bytes()).unwrap();
        assert_eq!(opened, sealed);
        assert_eq!(opened.digest(), Digest::of(sealed.bytes()));
    }
}

#[test]
fn bytes_that_are_not_exactly_canonical_do_not_open() {
    let bytes = sealed().bytes().to_owned();
    let edited = |from: &str, to: &str| {
        assert!(bytes.contains(from), "{from} in {bytes}");
        bytes.replacen(from, to, 1)
    };
    for (what, other) in [
        ("a space", edited(":", ": ")),
        ("a line end", format!("{bytes}\n")),
        ("another way to write a number", edited("640", "640.0")),
        ("another way to write a letter", edited("EUR", "\\u0045UR")),
        ("an unknown field", edited("{", "{\"aaa\":1,")),
        ("an unknown field inside", edited("\"tool\":{", "\"tool\":{\"a\":1,")),
        ("a field left out", edited("\"cwd\":null,", "")),
        ("a field twice", edited("\"cwd\":null,", "\"cwd\":null,\"cwd\":null,")),
        ("another order", edited("\"currency\":\"EUR\"", "\"z\":1,\"currency\":\"EUR\"")),
        ("another form", edited("\"form\":1", "\"form\":2")),
        ("nothing", String::new()),
    ] {
        assert!(Sealed::open(&other).is_err(), "{what}: {other}");
    }
    let newer = edited("\"form\":1", "\"form\":2");
    assert_eq!(Sealed::open(&newer), Err(CanonicalError::UnknownForm { form: 2 }));
}

#[test]
fn arguments_that_cannot_be_bound_are_not_sealed() {
    for arguments in [
        json!(9_007_199_254_740_992_u64),
        json!({"n": 1e300}),
        json!({"$serde_json::private::RawValue": "1"}),
        (0..40).fold(json!(1), |inner, _| json!([inner])),
    ] {
        assert!(Sealed::seal(envelope(arguments.clone())).is_err(), "{arguments}");
    }
}

/// By `sha256sum` over the tag and the bytes.
const DIGEST: &str = "63488e256743e01f7821c94d9eca21f801d771e27ec1e6046ca27b6d0933f742";

/// The form and the domain tag are for ever: a changed value here orphans every stored approval.
#[test]
fn the_digest_of_an_envelope_stays_what_it_is() {
    assert_eq!(sealed().digest().to_string(), DIGEST);
    let untagged = hex::encode(Sha256::digest(sealed().bytes()));
    assert_ne!(sealed().digest().to_string(), untagged);
}

#[test]
fn a_digest_is_read_from_exactly_sixty_four_hex_digits() {
    let text = sealed().digest().to_string();
    assert_eq!(Digest::try_from(text.clone()), Ok(sealed().digest()));
    for wrong in ["", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "g")] {
        assert!(Digest::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}
