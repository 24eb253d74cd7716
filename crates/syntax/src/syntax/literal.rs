//! What literals mean: numbers with their units, escapes, block strings.

use crate::diag::Code;
use crate::diag::codes::syntax as codes;

/// A number with what its suffix makes of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Number {
    /// An integer without sign. `None` of `int` if it does not fit.
    Int(u64),
    /// A float.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(i64),
}

/// Why a literal is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiteralError {
    /// The kind.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

fn error(code: Code, message: impl Into<String>, help: impl Into<String>) -> LiteralError {
    let help = Some(help.into()).filter(|h| !h.is_empty());
    LiteralError { code, message: message.into(), help }
}

const DURATIONS: [(&str, u64); 6] =
    [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", SECOND), ("m", 60 * SECOND), ("h", 3600 * SECOND)];
const SECOND: u64 = 1_000_000_000;

const SIZES: [(&str, u64); 13] = [
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
    ("EiB", 1 << 60),
];

/// Reads the text of a number token.
pub fn number(text: &str) -> Result<Number, LiteralError> {
    // `0B` is no binary number without digits: it is no bytes.
    if text != "0B" {
        let lower = text.to_ascii_lowercase();
        for (prefix, radix, what) in [("0x", 16, "hexadecimal"), ("0o", 8, "octal"), ("0b", 2, "binary")] {
            if let Some(digits) = lower.strip_prefix(prefix) {
                return radix_int(text, digits, radix, what);
            }
        }
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').len();
    let (whole, rest) = text.split_at(digits);
    if rest.is_empty() {
        return decimal(whole).map(Number::Int);
    }
    if rest.starts_with('.') || rest.starts_with(['e', 'E']) {
        return float(text, rest);
    }
    with_unit(text)
}

fn radix_int(text: &str, digits: &str, radix: u32, what: &str) -> Result<Number, LiteralError> {
    let digits = digits.replace('_', "");
    if digits.is_empty() || digits.chars().any(|c| !c.is_digit(radix)) {
        let message = format!("`{text}` is not a {what} number");
        let prefix = text.get(..2).unwrap_or_default();
        return Err(error(codes::BAD_NUMBER, message, format!("digits of base {radix} follow `{prefix}`")));
    }
    u64::from_str_radix(&digits, radix).map(Number::Int).map_err(|_| too_large(text))
}

fn too_large(text: &str) -> LiteralError {
    error(
        codes::BAD_NUMBER,
        format!("`{text}` is too large"),
        "an int has 64 bits: from -9223372036854775808 to 9223372036854775807",
    )
}

fn decimal(text: &str) -> Result<u64, LiteralError> {
    let digits = text.replace('_', "");
    if digits.len() > 1 && digits.starts_with('0') {
        let rest = digits.trim_start_matches('0');
        let rest = if rest.is_empty() { "0" } else { rest };
        let message = format!("`{text}` has a leading zero");
        return Err(error(
            codes::BAD_NUMBER,
            message,
            format!("write `0o{rest}` if it is octal, else `{rest}`"),
        ));
    }
    digits.parse().map_err(|_| too_large(text))
}

fn float(text: &str, rest: &str) -> Result<Number, LiteralError> {
    let digits = text.replace('_', "");
    let tail = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_'));
    if !tail.is_empty() && !tail.starts_with(['e', 'E']) {
        let known = DURATIONS.iter().chain(&SIZES).any(|(unit, _)| *unit == tail);
        return Err(if known {
            error(
                codes::BAD_UNIT,
                format!("`{text}` has a fraction"),
                "durations and sizes are whole numbers: write `1h30m` for 1.5h, `1536MiB` for 1.5GiB",
            )
        } else {
            error(
                codes::BAD_NUMBER,
                format!("`{text}` is not a number"),
                "a number is written `1_000`, `0xff`, `1.5` or `2e9`",
            )
        });
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Number::Float(value)),
        Ok(_) => Err(error(
            codes::BAD_NUMBER,
            format!("`{text}` is too large for a float"),
            "the largest is about `1.8e308`",
        )),
        Err(_) => {
            let help = "a number is written `1_000`, `0xff`, `1.5` or `2e9`";
            Err(error(codes::BAD_NUMBER, format!("`{text}` is not a number"), help))
        }
    }
}

/// `30s`, `1h30m`, `20GiB`.
fn with_unit(text: &str) -> Result<Number, LiteralError> {
    let mut rest = text;
    let mut nanos: u64 = 0;
    let mut last = u64::MAX;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').len();
        let (value, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at(letters);
        let value = decimal(value)?;
        parts += 1;
        if let Some(&(_, bytes)) = SIZES.iter().find(|(u, _)| *u == unit) {
            if parts > 1 || !tail.is_empty() {
                return Err(error(codes::BAD_UNIT, format!("`{text}` is not a size"), "a size has one unit"));
            }
            let bytes = value.checked_mul(bytes).and_then(|b| i64::try_from(b).ok());
            return bytes.map(Number::Size).ok_or_else(|| too_large(text));
        }
        let Some(&(_, scale)) = DURATIONS.iter().find(|(u, _)| *u == unit) else {
            return Err(unknown_unit(text, unit));
        };
        if scale >= last {
            return Err(error(
                codes::BAD_UNIT,
                format!("the units of `{text}` are not in order"),
                "write the largest first, each once: `1h30m`",
            ));
        }
        last = scale;
        let sum = value.checked_mul(scale).and_then(|n| n.checked_add(nanos));
        nanos = sum.ok_or_else(|| too_large(text))?;
        rest = tail;
    }
    i64::try_from(nanos).map(Number::Duration).map_err(|_| too_large(text))
}

fn unknown_unit(text: &str, unit: &str) -> LiteralError {
    let bits = matches!(unit, "b" | "kb" | "Kb" | "Mb" | "Gb" | "Tb" | "Kib" | "Mib" | "Gib" | "Tib" | "bit");
    if bits {
        let bytes = format!("{}B", unit.trim_end_matches('b'));
        return error(
            codes::BAD_UNIT,
            format!("`{text}` counts bits, and a size counts bytes"),
            format!("write `{}` for bytes", text.replace(unit, &bytes)),
        );
    }
    let day = match unit {
        "d" => "a day is written `24h`",
        "w" => "a week is written `168h`",
        "y" => "a year has no fixed length; write hours",
        "K" | "k" => "write `KiB` for 1024 bytes, `KB` for 1000",
        "M" => "write `MiB`, `MB`, or `m` for minutes",
        "G" | "Gi" => "write `GiB` or `GB`",
        "Ki" | "Mi" | "Ti" => "write the unit with its `B`: `MiB`",
        "sec" | "secs" => "seconds are written `s`",
        "min" | "mins" => "minutes are written `m`",
        "µs" => "microseconds are written `us`",
        _ => "",
    };
    if !day.is_empty() {
        return error(codes::BAD_UNIT, format!("`{unit}` is no unit"), day);
    }
    if unit.is_empty() {
        return error(codes::BAD_NUMBER, format!("`{text}` is not a number"), "");
    }
    let known = DURATIONS.iter().chain(&SIZES).map(|(u, _)| *u);
    let help = crate::diag::did_you_mean(unit, known).unwrap_or_else(|| {
        "durations have ns, us, ms, s, m, h; sizes B, KB, MB, GB, TB, KiB, MiB, GiB, TiB".to_owned()
    });
    error(codes::BAD_UNIT, format!("`{unit}` is no unit"), help)
}

/// A mistake in the text of a string: its byte offset in the text and its length.
pub type TextError = (usize, usize, LiteralError);

/// Replaces escapes.
pub fn unescape(text: &str, errors: &mut Vec<TextError>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('\\') {
        out.push_str(before);
        let offset = text.len() - tail.len() - 1;
        let mut chars = tail.chars();
        let mut taken = 1;
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some(c @ ('\\' | '"' | '$')) => out.push(c),
            Some('u') => match unicode_escape(tail) {
                Some((c, len)) => {
                    out.push(c);
                    taken = len;
                }
                None => {
                    // With its braces, if they are near.
                    taken = tail.find('}').map(|p| p + 1).filter(|&len| len <= 12).unwrap_or(1);
                    let help = "write `\\u{…}` with the hexadecimal number of a character: `\\u{e9}`";
                    let message = "this escape names no character";
                    errors.push((offset, 1 + taken, error(codes::BAD_ESCAPE, message, help)));
                }
            },
            Some(c) => {
                taken = c.len_utf8();
                let shown = c.escape_debug();
                let help = "known are `\\n`, `\\r`, `\\t`, `\\0`, `\\\\`, `\\\"`, `\\$` and `\\u{…}`; a raw string `r\"…\"` has no escapes";
                errors.push((
                    offset,
                    1 + taken,
                    error(codes::BAD_ESCAPE, format!("`\\{shown}` is no escape"), help),
                ));
                out.push(c);
            }
            None => {
                taken = 0;
                errors.push((
                    offset,
                    1,
                    error(codes::BAD_ESCAPE, "a `\\` alone is no escape", "write `\\\\`"),
                ));
            }
        }
        rest = tail.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Reads `u{…}`: the character, and how long it is.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("u{")?;
    let end = digits.find('}')?;
    let number = digits.get(..end).filter(|d| (1..=6).contains(&d.len()))?;
    if !number.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
    Some((c, end + 3))
}

/// One piece of a block string before it is put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece<'t> {
    /// Text as it is written.
    Text(&'t str),
    /// An interpolation.
    Hole,
}

/// What becomes of a piece of a block string.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dedented {
    /// Text without the common indentation; escapes still stand.
    Text(String),
    /// An interpolation, with the indentation of its line if it stands alone there.
    Hole(Option<String>),
}

/// Takes the common indentation away, the first line if nothing stands on it, and the last line
/// if only the closing quotes do. Only the text between the quotes counts, never a value.
pub fn dedent(pieces: &[Piece<'_>]) -> Vec<Dedented> {
    // One text, with a character for each hole that no text contains: they are looked up again
    // by position.
    let mut lines: Vec<Vec<Piece<'_>>> = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                let mut rest = *text;
                while let Some(at) = rest.find(['\n', '\r']) {
                    let (line, tail) = rest.split_at(at);
                    push_text(&mut lines, line);
                    rest = tail.strip_prefix("\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
                    lines.push(Vec::new());
                }
                push_text(&mut lines, rest);
            }
            Piece::Hole => {
                if let Some(line) = lines.last_mut() {
                    line.push(Piece::Hole);
                }
            }
        }
    }
    let several = lines.len() > 1;
    let first_blank = several && lines.first().is_some_and(|l| is_blank(l));
    let last_blank = several && lines.last().is_some_and(|l| is_blank(l));
    // Text beside the opening quotes has no indentation of its own.
    let common = common_indent(lines.iter().skip(1).filter(|l| !is_blank(l)));
    let count = lines.len();
    let mut out = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        if (n == 0 && first_blank) || (n + 1 == count && last_blank) {
            continue;
        }
        let newline = n + 1 < count;
        dedent_line(line, if n == 0 { 0 } else { common }, newline, &mut out);
    }
    out
}

fn push_text<'t>(lines: &mut [Vec<Piece<'t>>], text: &'t str) {
    if let Some(line) = lines.last_mut()
        && !text.is_empty()
    {
        line.push(Piece::Text(text));
    }
}

fn is_blank(line: &[Piece<'_>]) -> bool {
    line.iter().all(|p| matches!(p, Piece::Text(t) if t.trim().is_empty()))
}

fn indent_of<'t>(line: &[Piece<'t>]) -> &'t str {
    match line.first() {
        Some(Piece::Text(text)) => {
            let len = text.len() - text.trim_start_matches([' ', '\t']).len();
            text.get(..len).unwrap_or_default()
        }
        _ => "",
    }
}

fn common_indent<'a, 't: 'a>(lines: impl Iterator<Item = &'a Vec<Piece<'t>>>) -> usize {
    let shared = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let mut common: Option<&str> = None;
    for line in lines {
        let indent = indent_of(line);
        common = Some(match common {
            Some(c) => c.get(..shared(c, indent)).unwrap_or_default(),
            None => indent,
        });
    }
    common.map_or(0, str::len)
}

fn dedent_line(line: &[Piece<'_>], common: usize, newline: bool, out: &mut Vec<Dedented>) {
    let blank = is_blank(line);
    let alone = matches!(line, [Piece::Hole])
        || matches!(line, [Piece::Text(a), Piece::Hole] if a.trim().is_empty())
        || matches!(line, [Piece::Hole, Piece::Text(b)] if b.trim().is_empty())
        || matches!(line, [Piece::Text(a), Piece::Hole, Piece::Text(b)] if a.trim().is_empty() && b.trim().is_empty());
    let indent = indent_of(line).get(common..).unwrap_or_default();
    for (n, piece) in line.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                let skip = if n == 0 { common.min(text.len()) } else { 0 };
                let text = if blank { "" } else { text.get(skip..).unwrap_or(text) };
                add_text(out, text);
            }
            Piece::Hole => out.push(Dedented::Hole(alone.then(|| indent.to_owned()))),
        }
    }
    if newline {
        add_text(out, "\n");
    }
}

fn add_text(out: &mut Vec<Dedented>, text: &str) {
    match out.last_mut() {
        _ if text.is_empty() => {}
        Some(Dedented::Text(last)) => last.push_str(text),
        _ => out.push(Dedented::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let ok = |text| number(text).unwrap();
        assert_eq!(ok("42"), Number::Int(42));
        assert_eq!(ok("0o644"), Number::Int(0o644));
        assert_eq!(ok("0xff"), Number::Int(255));
        assert_eq!(ok("0b101"), Number::Int(5));
        assert_eq!(ok("1_000"), Number::Int(1000));
        assert_eq!(ok("1.5"), Number::Float(1.5));
        assert_eq!(ok("1e3"), Number::Float(1000.0));
        assert_eq!(ok("30s"), Number::Duration(30_000_000_000));
        assert_eq!(ok("1h30m"), Number::Duration(5400 * 1_000_000_000));
        assert_eq!(ok("250ms"), Number::Duration(250_000_000));
        assert_eq!(ok("512B"), Number::Size(512));
        assert_eq!(ok("0B"), Number::Size(0));
        assert_eq!(ok("1KiB"), Number::Size(1024));
        assert_eq!(ok("20GiB"), Number::Size(20 << 30));
        assert_eq!(ok("3GB"), Number::Size(3_000_000_000));
    }

    #[test]
    fn numbers_that_are_refused() {
        let refused = |text| number(text).unwrap_err().code;
        for text in ["0644", "99999999999999999999", "0xfg", "0b2", "0x", "1.5.5x", "1e999"] {
            assert_eq!(refused(text), codes::BAD_NUMBER, "{text}");
        }
        for text in ["5Mb", "5kb", "1d", "1m1h", "1h1h", "1.5h", "1GiB2MiB", "5parsecs"] {
            assert_eq!(refused(text), codes::BAD_UNIT, "{text}");
        }
        assert_eq!(refused("99999999999999999h"), codes::BAD_NUMBER);
    }

    #[test]
    fn escapes() {
        let mut errors = Vec::new();
        assert_eq!(unescape(r#"a\n\t\\\"\$\u{e9}b"#, &mut errors), "a\n\t\\\"$éb");
        assert!(errors.is_empty());
        unescape(r"x\q", &mut errors);
        unescape(r"\u{110000}", &mut errors);
        unescape(r"\u12", &mut errors);
        let at: Vec<_> = errors.iter().map(|e| (e.0, e.1)).collect();
        assert_eq!(at, [(1, 2), (0, 10), (0, 2)]);
    }

    fn dedented(text: &str) -> String {
        dedent(&[Piece::Text(text)])
            .into_iter()
            .map(|d| if let Dedented::Text(t) = d { t } else { String::new() })
            .collect()
    }

    #[test]
    fn block_strings() {
        assert_eq!(dedented("\n    a\n      b\n    "), "a\n  b\n");
        assert_eq!(dedented("\n    a\n      b"), "a\n  b");
        assert_eq!(dedented("\r\n  a\r\n\r\n  b\r\n"), "a\n\nb\n");
        assert_eq!(dedented("one"), "one");
        assert_eq!(dedented("\n"), "");
        assert_eq!(dedented("\n\n"), "\n");
        let pieces = [Piece::Text("\n  x:\n    "), Piece::Hole, Piece::Text("\n  a "), Piece::Hole];
        let holes = dedent(&pieces).into_iter().filter(|d| matches!(d, Dedented::Hole(_)));
        assert_eq!(holes.collect::<Vec<_>>(), [Dedented::Hole(Some("  ".into())), Dedented::Hole(None)]);
    }
}
