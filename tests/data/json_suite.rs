//! Nicolas Seriot's JSON test suite, <https://github.com/nst/JSONTestSuite>: `y_` must be
//! accepted, `n_` refused, and `i_` may be either.

use gops::data::{Limits, Parsed, parse_json};

use super::tree::Tree;
use super::{codes, file};

/// What gops refuses though RFC 8259 lets it pass.
const STRICTER: &[(&str, &str)] = &[
    // RFC 8259 says that names SHOULD be unique, and that what happens else is unpredictable.
    ("y_object_duplicated_key.json", "G0206"),
    ("y_object_duplicated_key_and_value.json", "G0206"),
];

/// What gops does where the suite leaves it open; `None` is to accept.
const OPEN: &[(&str, Option<&str>)] = &[
    // A number that no float comes near is refused: infinity is not what was written.
    ("i_number_huge_exp.json", Some("G0213")),
    ("i_number_neg_int_huge_exp.json", Some("G0213")),
    ("i_number_pos_double_huge_exp.json", Some("G0213")),
    ("i_number_real_neg_overflow.json", Some("G0213")),
    ("i_number_real_pos_overflow.json", Some("G0213")),
    // One that is too small is zero, as every reader of floats has it.
    ("i_number_double_huge_neg_exp.json", None),
    ("i_number_real_underflow.json", None),
    // Integers beyond 64 bits are read; a type `int` refuses them.
    ("i_number_too_big_neg_int.json", None),
    ("i_number_too_big_pos_int.json", None),
    ("i_number_very_big_negative_int.json", None),
    // A surrogate alone is no character.
    ("i_object_key_lone_2nd_surrogate.json", Some("G0202")),
    ("i_string_1st_surrogate_but_2nd_missing.json", Some("G0202")),
    ("i_string_1st_valid_surrogate_2nd_invalid.json", Some("G0202")),
    ("i_string_incomplete_surrogate_and_escape_valid.json", Some("G0202")),
    ("i_string_incomplete_surrogate_pair.json", Some("G0202")),
    ("i_string_incomplete_surrogates_escape_valid.json", Some("G0202")),
    ("i_string_invalid_lonely_surrogate.json", Some("G0202")),
    ("i_string_invalid_surrogate.json", Some("G0202")),
    ("i_string_inverted_surrogates_U+1D11E.json", Some("G0202")),
    ("i_string_lone_second_surrogate.json", Some("G0202")),
    // Files are UTF-8.
    ("i_string_UTF-16LE_with_BOM.json", Some("G0203")),
    ("i_string_UTF-8_invalid_sequence.json", Some("G0203")),
    ("i_string_UTF8_surrogate_U+D800.json", Some("G0203")),
    ("i_string_invalid_utf-8.json", Some("G0203")),
    ("i_string_iso_latin_1.json", Some("G0203")),
    ("i_string_lone_utf8_continuation_byte.json", Some("G0203")),
    ("i_string_not_in_unicode_range.json", Some("G0203")),
    ("i_string_overlong_sequence_2_bytes.json", Some("G0203")),
    ("i_string_overlong_sequence_6_bytes.json", Some("G0203")),
    ("i_string_overlong_sequence_6_bytes_null.json", Some("G0203")),
    ("i_string_truncated-utf-8.json", Some("G0203")),
    ("i_string_utf16BE_no_BOM.json", Some("G0203")),
    ("i_string_utf16LE_no_BOM.json", Some("G0203")),
    // The limit of nesting.
    ("i_structure_500_nested_arrays.json", Some("G0216")),
    // RFC 8259 lets a reader ignore a byte order mark.
    ("i_structure_UTF-8_BOM_empty_object.json", None),
];

fn cases() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/json-test-suite");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| name.ends_with(".json"))
        .collect();
    cases.sort();
    cases
}

fn parse(bytes: &[u8]) -> Parsed {
    parse_json(file(), bytes, &Limits::default())
}

#[test]
fn every_case_behaves_as_the_suite_says() {
    let mut wrong = Vec::new();
    let cases = cases();
    for (name, bytes) in &cases {
        let parsed = parse(bytes);
        let found = codes(&parsed);
        let expected = match name.as_bytes()[0] {
            b'y' => STRICTER.iter().find(|(n, _)| n == name).map(|&(_, code)| code),
            b'i' => OPEN.iter().find(|(n, _)| n == name).expect("listed above").1,
            _ if found.is_empty() => Some("any code"),
            _ => Some(found[0]),
        };
        if found != expected.as_slice() {
            wrong.push(format!("{name}: {found:?}, not {expected:?}"));
        }
        if found.is_empty() {
            let oracle: serde_json::Value =
                match serde_json::from_slice(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)) {
                    Ok(value) => value,
                    Err(error) => {
                        wrong.push(format!("{name}: serde_json says {error}"));
                        continue;
                    }
                };
            let tree = Tree::from(&parsed.document.expect("a document where nothing is wrong"));
            // serde_json keeps the sign of `-0` by making it a float, and rounds large integers.
            let differs =
                ["y_number_minus_zero.json", "y_number_negative_zero.json"].contains(&name.as_str());
            if differs {
                assert_eq!(tree, Tree::List(vec![Tree::Int(0)]));
            } else if !name.starts_with("i_number") && tree != Tree::from(&oracle) {
                wrong.push(format!("{name}: {tree:?}, not {oracle:?}"));
            }
        }
    }
    assert_eq!(cases.len(), 318);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_listed_case_is_there() {
    let names: Vec<String> = cases().into_iter().map(|(name, _)| name).collect();
    let listed = STRICTER.iter().map(|(n, _)| n).chain(OPEN.iter().map(|(n, _)| n));
    for name in listed {
        assert!(names.iter().any(|n| n == name), "{name}");
    }
    assert_eq!(names.iter().filter(|n| n.starts_with('i')).count(), OPEN.len());
}

/// The errors of the cases that are refused, as a person reads them: a change shows in review.
#[test]
fn errors_read_well() {
    let told: Vec<String> = cases()
        .iter()
        .filter(|(name, _)| !name.starts_with('y'))
        .flat_map(|(name, bytes)| {
            parse(bytes).diagnostics.into_iter().map(move |d| {
                let gops::diag::Place::Span(at) = d.labels[0].place else {
                    return format!("{name}: {}", d.message);
                };
                let help = d.help.map(|help| format!(" ({help})")).unwrap_or_default();
                format!("{name} {:?}: {}{help}", at.span, d.message)
            })
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}
