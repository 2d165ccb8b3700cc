use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let key = |key: &str| CanonicalError::DuplicateKey { key: key.to_owned() };
    let number = |number: &str| CanonicalError::NumberTooLarge { number: number.to_owned() };
    let reserved = |key: &str| CanonicalError::ReservedKey { key: key.to_owned() };
    let table = [
        (r#"{"a":1,"a":1}"#, key("a")),
        (r#"{"a":1,"\u0061":2}"#, key("a")),
        (r#"[{"x":{"b":1,"b":2}}]"#, key("b")),
        (r#"{"":1,"":1}"#, key("")),
        ("9007199254740992", number("9007199254740992")),
        ("-9007199254740992", number("-9007199254740992")),
        ("9007199254740992.0", number("9007199254740992")),
        ("18446744073709551615", number("18446744073709551615")),
        ("18446744073709551616", number("18446744073709552000")),
        ("1e300", number(&1e300_f64.to_string())),
        (r#"{"amount":1e16}"#, number("10000000000000000")),
        (
            r#"{"$serde_json::private::RawValue":"{\"a\":1,\"a\":2}"}"#,
            reserved("$serde_json::private::RawValue"),
        ),
        (r#"{"$serde_json::private::Number":"1"}"#, reserved("$serde_json::private::Number")),
    ];
    for (text, refusal) in table {
        assert_eq!(parse_strict(text), Err(refusal), "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    let lone_surrogates =
        [r#""\ud800""#, r#"{"a":"x\udc00"}"#, r#"{"\ud83d":1}"#, r#""\ud83d\u0041""#];
    let broken = [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "1 2",
        "{\"a\":1}x",
        "'a'",
        "{a:1}",
        "\"\t\"",
        "\"\u{0}\"",
        "\u{feff}1",
        "// x\n1",
        "nul",
    ];
    for text in lone_surrogates.iter().chain(&broken) {
        assert!(matches!(parse_strict(text), Err(CanonicalError::NotJson(_))), "{text:?}");
    }
}

#[test]
fn thirty_two_levels_are_the_deepest() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels| format!("{}1{}", open.repeat(levels), close.repeat(levels));
        assert!(parse_strict(&nested(32)).is_ok());
        assert_eq!(parse_strict(&nested(33)), Err(CanonicalError::TooDeep));
        assert_eq!(parse_strict(&nested(100_000)), Err(CanonicalError::TooDeep));
    }
    assert_eq!(
        parse_strict(&format!("{}{}", "[".repeat(33), "]".repeat(33))),
        Err(CanonicalError::TooDeep)
    );
}

#[test]
fn the_canonical_form_is_that_of_rfc_8785() {
    let table = [
        // The RFC's own example, section 3.2.2 and 3.2.3.
        (
            r#"{"numbers":[4.50,2e-3,0.000000000000000000000000001],
               "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
            "{\"literals\":[null,true,false],\"numbers\":[4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
        ),
        // Keys sort by UTF-16 code units (section 3.2.3): the emoji's surrogates before U+FB33.
        (
            r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}",
        ),
        (r#"{"b":{"z":1,"a":2},"a":[]}"#, r#"{"a":[],"b":{"a":2,"z":1}}"#),
        (r#""\b\t\n\f\r\u0001\u001f\u007f""#, "\"\\b\\t\\n\\f\\r\\u0001\\u001f\u{7f}\""),
        ("-0", "0"),
        ("-0.0", "0"),
        ("640.00", "640"),
        ("1E2", "100"),
        ("1e-7", "1e-7"),
        ("0.000001", "0.000001"),
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        // Nothing is normalised: a letter with a combining mark stays two code points.
        ("\"e\u{301}\\r\\n\"", "\"e\u{301}\\r\\n\""),
        ("\"\u{e9}\u{2028}\u{202e}\"", "\"\u{e9}\u{2028}\u{202e}\""),
    ];
    for (text, form) in table {
        let value = parse_strict(text).expect(text);
        assert_eq!(canonical(&value).as_deref(), Ok(form), "{text}");
    }
}

/// RFC 8785, appendix B. Most are larger than an envelope may hold, but the form is one form.
#[test]
fn numbers_are_written_as_the_rfc_lists_them() {
    let table: [(u64, &str); 24] = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, form) in table {
        assert_eq!(canonical(&f64::from_bits(bits)).as_deref(), Ok(form));
    }
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(canonical(&number).is_err(), "{number}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        (-1e15..1e15_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #[test]
    fn a_canonical_form_reads_back_to_itself(value in values()) {
        let form = canonical(&value).unwrap();
        let read = parse_strict(&form).unwrap();
        prop_assert_eq!(canonical(&read).unwrap(), form);
    }

    #[test]
    fn different_texts_stay_different(one in any::<String>(), other in any::<String>()) {
        prop_assume!(one != other);
        prop_assert_ne!(canonical(&one).unwrap(), canonical(&other).unwrap());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}:,\"\\\\0-9eE+. a-zu\u{0}-\u{1f}]{0,40}") {
        if let Ok(value) = parse_strict(&text) {
            prop_assert_eq!(Some(value), serde_json::from_str(&text).ok());
        }
    }
}
