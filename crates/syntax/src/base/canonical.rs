//! Canonical JSON: one value has one spelling.
//!
//! - no white space; the keys of a map sorted by their UTF-8 bytes, each once;
//! - strings escape `"`, `\` and the control characters below U+0020 only (`\b \t \n \f \r`,
//!   else `\u00xx` in lower case); no Unicode normalisation;
//! - integers are 64-bit and exact; floats are in the shortest form that reads back the same,
//!   laid out as ECMAScript does, with `.0` if nothing else tells them from an integer; no `-0`;
//! - what is no plain value is a map with one key that starts with one `$` (`{"$ref": …}`), so
//!   a user's key that starts with `$` gets another one in front.

use std::io::Write as _;

/// Writes canonical JSON at the end of a buffer. Commas are its work; the order of the keys is
/// the caller's (doubling a `$` never changes it). What is written must be complete: each map
/// and list ended, each key followed by a value.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    /// A writer at the end of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Writer { out, start }
    }

    /// A writer that goes on in a map or list whose first part `out` holds.
    pub fn continuing(out: &'a mut Vec<u8>) -> Self {
        Writer { out, start: 0 }
    }

    /// How many bytes the buffer holds, with those from before.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    // A value never ends with `{`, `[` or `:`, so the last byte alone tells whether one stands
    // before.
    fn separate(&mut self) {
        if self.out.len() > self.start
            && let Some(last) = self.out.last()
            && !matches!(last, b'{' | b'[' | b':')
        {
            self.out.push(b',');
        }
    }

    /// `{`
    pub fn begin_map(&mut self) {
        self.separate();
        self.out.push(b'{');
    }

    /// `}`
    pub fn end_map(&mut self) {
        self.out.push(b'}');
    }

    /// `[`
    pub fn begin_list(&mut self) {
        self.separate();
        self.out.push(b'[');
    }

    /// `]`
    pub fn end_list(&mut self) {
        self.out.push(b']');
    }

    /// The key of what comes next, as the user has it: a first `$` is doubled.
    pub fn key(&mut self, key: &str) {
        self.separate();
        self.out.push(b'"');
        if key.starts_with('$') {
            self.out.push(b'$');
        }
        escape(self.out, key);
        self.out.extend_from_slice(b"\":");
    }

    /// The key of what comes next, as it is, in JSON that is no graph: a `$` means nothing there.
    pub fn plain_key(&mut self, key: &str) {
        self.separate();
        self.out.push(b'"');
        escape(self.out, key);
        self.out.extend_from_slice(b"\":");
    }

    /// The key of what comes next, one of the format's own: written as it is.
    pub fn member(&mut self, key: &'static str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// `null`
    pub fn null(&mut self) {
        self.literal(b"null");
    }

    /// `true` or `false`
    pub fn bool(&mut self, value: bool) {
        self.literal(if value { b"true" } else { b"false" });
    }

    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.separate();
        int_text(self.out, value);
    }

    /// A finite float. JSON has no other, and neither has gops: one that is not finite becomes
    /// `null`.
    pub fn float(&mut self, value: f64) {
        self.separate();
        float_text(self.out, value);
    }

    /// A string.
    pub fn str(&mut self, value: &str) {
        self.separate();
        self.out.push(b'"');
        escape(self.out, value);
        self.out.push(b'"');
    }

    /// `{"$ref": id}`
    pub fn reference(&mut self, id: &str) {
        self.begin_map();
        self.member("$ref");
        self.str(id);
        self.end_map();
    }

    /// A complete value that is canonical JSON already.
    pub fn raw(&mut self, json: &[u8]) {
        self.separate();
        self.out.extend_from_slice(json);
    }

    /// The start of a value, spelled as this writer would spell it, up to where another value
    /// comes next.
    pub fn raw_start(&mut self, json: &'static [u8]) {
        self.separate();
        self.out.extend_from_slice(json);
    }

    /// More of what [`Writer::raw_start`] or [`Writer::begin_map`] began, with its comma.
    pub fn raw_part(&mut self, json: &'static [u8]) {
        self.out.extend_from_slice(json);
    }

    fn literal(&mut self, text: &[u8]) {
        self.separate();
        self.out.extend_from_slice(text);
    }
}

/// Of eight bytes, the high bit of the first that has to be escaped: that is below U+0020, a quote or
/// a backslash. Bits above it mean nothing; zero: there is none. (Eight at a time, because texts are
/// most of what is written, and hardly any byte needs it.)
fn specials(eight: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let x = u64::from_le_bytes(eight);
    // The high bit of a byte is set if the byte is less than `n`, at most 128; bytes from 128 on
    // never count. Borrows may set more, but only behind a byte that is less.
    let less = |x: u64, n: u64| x.wrapping_sub(n * ONES) & !x;
    let equal = |byte: u8| less(x ^ (u64::from(byte) * ONES), 1);
    (less(x, 0x20) | equal(b'"') | equal(b'\\')) & HIGH
}

/// Where the first byte stands that no string of JSON has as it is: a control character, a quote or a
/// backslash.
pub fn first_special(text: &[u8]) -> Option<usize> {
    let at = |base: usize, found: u64| base + (found.trailing_zeros() / 8) as usize;
    let (chunks, tail) = text.as_chunks();
    for (number, &eight) in chunks.iter().enumerate() {
        let found = specials(eight);
        if found != 0 {
            return Some(at(number * 8, found));
        }
    }
    match text.last_chunk() {
        _ if tail.is_empty() => None,
        // The last eight; those before the tail are known to be none.
        Some(&eight) => match specials(eight) >> (8 * (8 - tail.len())) {
            0 => None,
            found => Some(at(text.len() - tail.len(), found)),
        },
        None => tail.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\'),
    }
}

/// Appends `text` as it stands between the quotes of a JSON string.
pub fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = first_special(rest) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = from.split_first() else { return };
        escape_byte(out, byte);
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        other => {
            let hex = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(hex[usize::from(other >> 4)]);
            out.push(hex[usize::from(other & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn int_text(out: &mut Vec<u8>, value: i64) {
    // Writing into a `Vec` cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a float in its one spelling: the shortest digits that read back the same, in decimal
/// notation from 1e-6 up to below 1e21, with an exponent outside (`1e+21`, `5e-7`), and with
/// `.0` where there is neither a fraction nor an exponent.
pub fn float_text(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    // `-0` is `0`.
    if value == 0.0 {
        out.extend_from_slice(b"0.0");
        return;
    }
    // The standard library knows the shortest digits; only the layout is ours.
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let count = digits.len() as i32;
    out.extend_from_slice(sign.as_bytes());
    match exponent {
        // All digits stand before the point.
        0..=20 if exponent + 1 >= count => {
            out.extend_from_slice(digits.as_bytes());
            out.resize(out.len() + (exponent + 1 - count) as usize, b'0');
            out.extend_from_slice(b".0");
        }
        0..=20 => {
            let (before, after) = digits.split_at(exponent as usize + 1);
            let _ = write!(out, "{before}.{after}");
        }
        -6..=-1 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + (-exponent - 1) as usize, b'0');
            out.extend_from_slice(digits.as_bytes());
        }
        _ => {
            let _ = match fraction {
                "" => write!(out, "{whole}e{exponent:+}"),
                _ => write!(out, "{whole}.{fraction}e{exponent:+}"),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn float(value: f64) -> String {
        let mut out = Vec::new();
        float_text(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_have_one_spelling() {
        let table = [
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (123456.789, "123456.789"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.000001, "0.000001"),
            (0.0000015, "0.0000015"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (1e20, "100000000000000000000.0"),
            (1e21, "1e+21"),
            (-1.25e300, "-1.25e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ];
        for (value, text) in table {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn commas_and_escapes() {
        let mut out = b"x".to_vec();
        let mut w = Writer::new(&mut out);
        w.begin_map();
        w.key("$a");
        w.begin_list();
        w.end_list();
        w.key("b");
        w.begin_list();
        w.null();
        w.str("q\"\\\u{1}\u{7f}\n:");
        w.bool(true);
        w.begin_map();
        w.end_map();
        w.int(-5);
        w.reference("T[k=1]");
        w.end_list();
        w.key("c:");
        w.raw(b"1.0");
        w.end_map();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "x{\"$$a\":[],\"b\":[null,\"q\\\"\\\\\\u0001\u{7f}\\n:\",true,{},-5,{\"$ref\":\"T[k=1]\"}],\"c:\":1.0}"
        );
    }

    proptest! {
        #[test]
        fn floats_read_back(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            let text = float(value);
            prop_assert_eq!(text.parse::<f64>().unwrap(), value);
            prop_assert!(text.contains(['.', 'e']));
        }

        #[test]
        fn strings_read_back(
            text in prop_oneof![any::<String>(), "[ -~é\u{0}-\u{1f}]{0,40}", "[ -~]{0,40}"]
        ) {
            let mut out = Vec::new();
            Writer::new(&mut out).str(&text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
