//! What a plain scalar is: the core schema of YAML 1.2, and the numbers of JSON.
//!
//! <https://yaml.org/spec/1.2.2/#1032-tag-resolution>. So `yes`, `12:30:45`, `2001-01-01` and
//! `1_000` are strings, and `0777` is 777.

use std::num::IntErrorKind;

use ecow::EcoString;

use super::NodeKind;

/// A number that is written well, and no 64-bit float comes near it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct OutOfRange;

/// What a plain scalar of YAML is.
pub(super) fn resolve(text: &str) -> Result<NodeKind, OutOfRange> {
    let Some(&first) = text.as_bytes().first() else { return Ok(NodeKind::Null) };
    let word = match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => return Ok(number(text)?.unwrap_or_else(|| string(text))),
        b'~' | b'n' | b'N' => null(text),
        b't' | b'T' | b'f' | b'F' => bool(text),
        _ => None,
    };
    Ok(word.unwrap_or_else(|| string(text)))
}

/// Whether YAML 1.1 takes a decimal number for octal, and so for another one: `010`.
pub(super) fn is_octal_elsewhere(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with('0')
        && digits.bytes().all(|b| matches!(b, b'0'..=b'7'))
        && digits.trim_start_matches('0').len() > 1
}

/// The text as a string.
pub(super) fn string(text: &str) -> NodeKind {
    NodeKind::Str(EcoString::from(text))
}

/// The null that a text spells.
pub(super) fn null(text: &str) -> Option<NodeKind> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(NodeKind::Null)
}

/// The bool that a text spells.
pub(super) fn bool(text: &str) -> Option<NodeKind> {
    match text {
        "true" | "True" | "TRUE" => Some(NodeKind::Bool(true)),
        "false" | "False" | "FALSE" => Some(NodeKind::Bool(false)),
        _ => None,
    }
}

/// The number that a text spells in YAML.
pub(super) fn number(text: &str) -> Result<Option<NodeKind>, OutOfRange> {
    if let Some(digits) = text.strip_prefix("0o") {
        return Ok(radix(text, digits, 8));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return Ok(radix(text, digits, 16));
    }
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..)),
        Some(b'+') => (false, text.get(1..)),
        _ => (false, Some(text)),
    };
    let unsigned = unsigned.unwrap_or_default();
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Ok(Some(NodeKind::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY })));
        }
        ".nan" | ".NaN" | ".NAN" => {
            return Ok((unsigned.len() == text.len()).then_some(NodeKind::Float(f64::NAN)));
        }
        _ => {}
    }
    match shape(unsigned) {
        Some(Shape::Integer) => Ok(Some(integer(text, negative, unsigned))),
        Some(Shape::Float) => float(text).map(Some),
        None => Ok(None),
    }
}

/// The number that a text, which has the form of one of JSON, spells.
pub(super) fn json_number(text: &str) -> Result<NodeKind, OutOfRange> {
    if text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')) {
        return float(text);
    }
    let negative = text.starts_with('-');
    Ok(integer(text, negative, text.strip_prefix('-').unwrap_or(text)))
}

/// Whether a text is an integer in the one form that all have: decimal, no sign but `-`, no
/// leading zeros.
pub(super) fn is_canonical_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

enum Shape {
    Integer,
    Float,
}

/// `[0-9]+`, or `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn shape(unsigned: &str) -> Option<Shape> {
    let bytes = unsigned.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    if whole == bytes.len() {
        return (whole > 0).then_some(Shape::Integer);
    }
    let mut at = whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if whole + fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    (at == bytes.len()).then_some(Shape::Float)
}

fn integer(text: &str, negative: bool, unsigned: &str) -> NodeKind {
    // The standard parser reads a sign, but of `+` and `-` both; the text has one at the most.
    match text.parse::<i64>() {
        Ok(value) => NodeKind::Int(value),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
                let digits = unsigned.trim_start_matches('0');
                let sign = if negative { "-" } else { "" };
                NodeKind::BigInt(ecow::eco_format!("{sign}{digits}"))
            }
            _ => string(text),
        },
    }
}

fn radix(text: &str, digits: &str, radix: u32) -> Option<NodeKind> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    Some(match i64::from_str_radix(digits, radix) {
        Ok(value) => NodeKind::Int(value),
        Err(_) => NodeKind::BigInt(text.into()),
    })
}

fn float(text: &str) -> Result<NodeKind, OutOfRange> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(NodeKind::Float(value)),
        _ => Err(OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let int = NodeKind::Int;
        let float = NodeKind::Float;
        let big = |s: &str| NodeKind::BigInt(s.into());
        let table = [
            ("", NodeKind::Null),
            ("~", NodeKind::Null),
            ("Null", NodeKind::Null),
            ("nULL", string("nULL")),
            ("True", NodeKind::Bool(true)),
            ("FALSE", NodeKind::Bool(false)),
            ("0", int(0)),
            ("-0", int(0)),
            ("+12", int(12)),
            ("0777", int(777)),
            ("0o17", int(15)),
            ("0xFf", int(255)),
            ("9223372036854775807", int(i64::MAX)),
            ("-9223372036854775808", int(i64::MIN)),
            ("9223372036854775808", big("9223372036854775808")),
            ("+0099999999999999999999", big("99999999999999999999")),
            ("-99999999999999999999", big("-99999999999999999999")),
            ("0xFFFFFFFFFFFFFFFFFF", big("0xFFFFFFFFFFFFFFFFFF")),
            ("1.0", float(1.0)),
            ("1.", float(1.0)),
            (".5", float(0.5)),
            ("-.5e-1", float(-0.05)),
            ("+1e3", float(1000.0)),
            ("-0.0", float(-0.0)),
            (".inf", float(f64::INFINITY)),
            ("-.INF", float(f64::NEG_INFINITY)),
            (".NaN", float(f64::NAN)),
        ];
        for (text, value) in table {
            assert_eq!(resolve(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_value_elsewhere_is_a_string() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "12:30:45",
            "190:20:30",
            "2001-01-01",
            "1_000",
            "0b1",
            "0o8",
            "0o",
            "0x",
            "0xg",
            "-0o7",
            "+0x1",
            "-",
            "+",
            ".",
            "..",
            "-.",
            "e3",
            ".e3",
            "1e",
            "1e+",
            "1.2.3",
            "--1",
            "+-1",
            "-.nan",
            "+.nan",
            ".infinity",
            "inf",
            "NaN",
            "1 2",
            "=",
            "tRue",
            "٣",
        ] {
            assert_eq!(resolve(text), Ok(string(text)), "{text}");
        }
    }

    #[test]
    fn a_float_out_of_range_is_no_infinity() {
        assert_eq!(resolve("1e400"), Err(OutOfRange));
        assert_eq!(resolve("-1e400"), Err(OutOfRange));
        assert_eq!(resolve("1e-400"), Ok(NodeKind::Float(0.0)));
        assert_eq!(json_number("1E400"), Err(OutOfRange));
    }

    #[test]
    fn integers_have_one_canonical_form() {
        for text in ["0", "1", "-1", "120", "99999999999999999999"] {
            assert!(is_canonical_integer(text), "{text}");
        }
        for text in ["", "-", "-0", "+1", "01", "0x1", "1.0", "a"] {
            assert!(!is_canonical_integer(text), "{text}");
        }
    }
}
