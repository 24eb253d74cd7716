//! Which strings an id can hold without quotes.

/// Whether the text is not empty and all of it is of `[A-Za-z0-9_./:@+-]`.
pub fn is_plain(text: &str) -> bool {
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b':' | b'@' | b'+' | b'-');
    !text.is_empty() && text.bytes().all(plain)
}

/// Whether the core schema of YAML 1.2 (section 10.3.2 of its specification) reads the text, as
/// a plain scalar, as a string, and not as a null, a truth value or a number.
pub fn reads_as_string(text: &str) -> bool {
    !matches!(
        text,
        "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE"
    ) && !is_number(text)
}

fn is_number(text: &str) -> bool {
    let all =
        |digits: &str, digit: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(digit);
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |b| (b'0'..=b'7').contains(b));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, u8::is_ascii_hexdigit);
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || is_decimal(unsigned)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, integers among them.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let mut rest = text.get(whole..).unwrap_or("");
    if let Some(after) = rest.strip_prefix('.') {
        let fraction = digits(after);
        if whole == 0 && fraction == 0 {
            return false;
        }
        rest = after.get(fraction..).unwrap_or("");
    } else if whole == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_decides() {
        let others = [
            "",
            "~",
            "null",
            "NULL",
            "true",
            "False",
            "0",
            "-0",
            "+12",
            "007",
            "0o17",
            "0xFf",
            "1.",
            ".5",
            "-.5",
            "+1.5e-3",
            "1e5",
            "1E+05",
            ".inf",
            "-.INF",
            "+.Inf",
            ".nan",
            "12345678901234567890",
        ];
        for text in others {
            assert!(!reads_as_string(text), "{text}");
        }
        let strings = [
            "a",
            "nULL",
            "yes",
            "no",
            "on",
            "y",
            "0o8",
            "0o",
            "0x",
            "0xg",
            "-0x1",
            "-",
            "+",
            ".",
            "..",
            "-.",
            "1.2.3",
            "192.0.2.1",
            "1e",
            "1e+",
            "e5",
            ".e5",
            "1.5e5.0",
            ".infinity",
            "-.nan",
            "0b1",
            "1_000",
            "12:30:45",
            "2001-01-01",
            "=",
            "<<",
        ];
        for text in strings {
            assert!(reads_as_string(text), "{text}");
        }
    }
}
