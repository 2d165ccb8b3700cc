use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::*;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/slack/signatures.json")).unwrap()
}

fn verifier(secrets: &[&str]) -> Verifier {
    Verifier::new(secrets.iter().map(|secret| SecretString::from(*secret)).collect()).unwrap()
}

fn headers(case: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in case["headers"].as_object().unwrap() {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_bytes(value.as_str().unwrap().as_bytes()).unwrap();
        headers.append(name, value);
    }
    headers
}

fn now(case: &Value) -> Timestamp {
    Timestamp::from_millis(case["now"].as_i64().unwrap() * 1000)
}

/// The bytes are given in base64, because one body is not UTF-8.
fn body(case: &Value) -> Vec<u8> {
    match case["body_base64"].as_str() {
        Some(text) => base64(text),
        None => case["body"].as_str().unwrap().as_bytes().to_vec(),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| alphabet.iter().position(|a| *a == byte));
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for digit in digits {
        bits = bits << 6 | digit as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

#[test]
fn every_vector_gets_the_verdict_of_the_official_verifier_or_a_stricter_one() {
    let fixture = fixture();
    let vectors = fixture["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 45);
    for case in vectors {
        let verifier = verifier(&[case["signing_secret"].as_str().unwrap()]);
        let verdict = verifier.verify(&headers(case), &body(case), now(case));
        let expected = case["expected"] == "accept";
        assert_eq!(verdict.is_ok(), expected, "{}: {verdict:?}", case["name"]);
        if let Ok(verified) = verdict {
            assert_eq!(verified.bytes(), body(case), "{}", case["name"]);
        }
    }
}

#[test]
fn refusals_name_their_cause_for_the_operator() {
    use SignatureRefusal::{Clock, Mismatch, Signature, Timestamp};
    let fixture = fixture();
    let table = [
        ("too-old", Clock { seconds_off: 301 }),
        ("too-far-in-future", Clock { seconds_off: 301 }),
        ("tampered-body", Mismatch),
        ("other-secret", Mismatch),
        ("missing-signature-header", Signature),
        ("upper-case-hex", Signature),
        ("truncated-signature", Signature),
        ("missing-timestamp-header", Timestamp),
        ("timestamp-huge", Timestamp),
        ("timestamp-negative-minimum", Timestamp),
    ];
    for (name, refusal) in table {
        let case = fixture["vectors"].as_array().unwrap().iter().find(|c| c["name"] == name);
        let case = case.unwrap();
        let verifier = verifier(&[case["signing_secret"].as_str().unwrap()]);
        let verdict = verifier.verify(&headers(case), &body(case), now(case));
        assert_eq!(verdict.unwrap_err(), refusal, "{name}");
    }
}

#[test]
fn a_rotated_secret_counts_while_it_is_listed() {
    let fixture = fixture();
    for case in fixture["secret_rotation"].as_array().unwrap() {
        let secrets: Vec<&str> = case["accepted_secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s.as_str().unwrap())
            .collect();
        let verdict = verifier(&secrets).verify(&headers(case), &body(case), now(case));
        assert_eq!(verdict.is_ok(), case["expected"] == "accept", "{}", case["name"]);
        if case["name"] == "old-secret-during-overlap" {
            assert_eq!(verdict.unwrap().secret(), 1, "the operator can see which secret matched");
        }
    }
}

#[test]
fn a_doubled_header_is_refused_even_when_one_of_the_two_is_right() {
    let fixture = fixture();
    let case = &fixture["vectors"][1];
    let verifier = verifier(&[case["signing_secret"].as_str().unwrap()]);
    for (name, refusal) in [
        (TIMESTAMP, SignatureRefusal::Timestamp),
        (SIGNATURE, SignatureRefusal::Signature),
        ("content-type", SignatureRefusal::ContentType),
    ] {
        let mut headers = headers(case);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let twin = headers[name].clone();
        headers.append(HeaderName::from_static(name), twin);
        assert_eq!(verifier.verify(&headers, &body(case), now(case)).unwrap_err(), refusal);
    }
}

#[test]
fn without_a_secret_there_is_no_verifier() {
    assert_eq!(Verifier::new(Vec::new()).unwrap_err(), VerifierError::NoSecret);
    let secrets = vec![SecretString::from("8f742231b10e"), SecretString::from(" ")];
    assert_eq!(Verifier::new(secrets).unwrap_err(), VerifierError::EmptySecret(2));
}
