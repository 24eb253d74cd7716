//! Durations and sizes as text: `1h30m`, `1536KiB`. Data, literals, interpolations and messages
//! all spell them this way.

use std::fmt::Write as _;

/// Units of durations with their nanoseconds, the largest first.
const DURATION: [(&str, i64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// IEC units of sizes with their bytes, the largest first.
const IEC: [(&str, i64); 6] = [
    ("EiB", 1 << 60),
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

/// SI units of sizes with their bytes, the largest first.
const SI: [(&str, i64); 7] = [
    ("EB", 1_000_000_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Why a text is no duration or size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuantityError {
    /// A number without a unit.
    #[error("the unit is missing")]
    NoUnit,
    /// Nothing that starts with a number.
    #[error("it does not start with a number")]
    NoNumber,
    /// `1.5h`: whole numbers only.
    #[error("the number is not whole")]
    Fraction,
    /// A unit that is none.
    #[error("the unit is not known")]
    UnknownUnit,
    /// `Gb`, `kbit`: sizes are in bytes.
    #[error("sizes are given in bytes, not in bits")]
    Bits,
    /// `5m1h`, `1h1h`.
    #[error("the units do not go from large to small")]
    Order,
    /// More than 64 bits hold.
    #[error("it is too large")]
    TooLarge,
}

/// Reads `1h30m`, `250ms`, `-5m`: nanoseconds.
pub fn parse_duration(text: &str) -> Result<i64, QuantityError> {
    let (negative, mut rest) = sign(text);
    let mut total: i64 = 0;
    let mut allowed = 0;
    if rest == "0" {
        return Err(QuantityError::NoUnit);
    }
    loop {
        let (number, after) = number(rest)?;
        let letters = after.bytes().take_while(|b| !b.is_ascii_digit()).count();
        let (unit, after) = after.split_at(letters);
        let at = DURATION.iter().position(|(u, _)| *u == unit || (*u == "us" && unit == "µs"));
        let at = at.ok_or_else(|| unknown(unit))?;
        if at < allowed {
            return Err(QuantityError::Order);
        }
        allowed = at + 1;
        let part = number.checked_mul(DURATION[at].1).ok_or(QuantityError::TooLarge)?;
        total = total.checked_add(part).ok_or(QuantityError::TooLarge)?;
        if after.is_empty() {
            return Ok(if negative { -total } else { total });
        }
        rest = after;
    }
}

/// Reads `512B`, `20GiB`, `3GB`: bytes.
pub fn parse_size(text: &str) -> Result<i64, QuantityError> {
    let (negative, rest) = sign(text);
    let (number, unit) = number(rest)?;
    let found = IEC.iter().chain(&SI).find(|(u, _)| *u == unit || (*u == "kB" && unit == "KB"));
    let (_, factor) = found.ok_or_else(|| if is_bits(unit) { QuantityError::Bits } else { unknown(unit) })?;
    let total = number.checked_mul(*factor).ok_or(QuantityError::TooLarge)?;
    Ok(if negative { -total } else { total })
}

/// `1h30m`: in hours, minutes and so on, those that are not zero; `0s`.
pub fn show_duration(nanoseconds: i64) -> String {
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    if nanoseconds < 0 {
        out.push('-');
    }
    let mut rest = nanoseconds.unsigned_abs();
    for (unit, factor) in DURATION {
        let factor = factor.unsigned_abs();
        if rest >= factor {
            // Writing into a string does not fail.
            let _ = write!(out, "{}{unit}", rest / factor);
            rest %= factor;
        }
    }
    out
}

/// `1536KiB`: in the largest IEC unit that divides it, else the largest SI unit that does.
pub fn show_size(bytes: i64) -> String {
    if bytes == 0 {
        return "0B".to_owned();
    }
    let divides = |(_, factor): &&(&str, i64)| bytes % factor == 0;
    let found = IEC.iter().find(divides).or_else(|| SI.iter().find(divides));
    let (unit, factor) = found.copied().unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

/// The whole number that a text starts with, and what follows it.
fn number(text: &str) -> Result<(i64, &str), QuantityError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(QuantityError::NoNumber);
    }
    let (digits, rest) = text.split_at(digits);
    let fraction = rest.strip_prefix(['.', ',']).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    if fraction {
        return Err(QuantityError::Fraction);
    }
    Ok((digits.parse().map_err(|_| QuantityError::TooLarge)?, rest))
}

fn unknown(unit: &str) -> QuantityError {
    if unit.is_empty() { QuantityError::NoUnit } else { QuantityError::UnknownUnit }
}

fn is_bits(unit: &str) -> bool {
    unit.ends_with('b') || unit.to_ascii_lowercase().ends_with("bit") || unit.ends_with("bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for value in [0, 1, 999, 1_000, 90 * 60_000_000_000, 250_000_000, -5_000, i64::MAX, i64::MIN + 1] {
            assert_eq!(parse_duration(&show_duration(value)), Ok(value), "{}", show_duration(value));
            assert_eq!(parse_size(&show_size(value)), Ok(value), "{}", show_size(value));
        }
        assert_eq!(show_duration(5_400_000_000_000), "1h30m");
        assert_eq!(show_size(1536 * 1024), "1536KiB");
        assert_eq!(show_size(3_000_000_000), "3GB");
        assert_eq!(show_size(512), "512B");
    }

    #[test]
    fn slips_have_their_names() {
        assert_eq!(parse_duration("30"), Err(QuantityError::NoUnit));
        assert_eq!(parse_duration("0"), Err(QuantityError::NoUnit));
        assert_eq!(parse_duration("5m1h"), Err(QuantityError::Order));
        assert_eq!(parse_duration("1.5h"), Err(QuantityError::Fraction));
        assert_eq!(parse_duration("5 m"), Err(QuantityError::UnknownUnit));
        assert_eq!(parse_duration(""), Err(QuantityError::NoNumber));
        assert_eq!(parse_duration("soon"), Err(QuantityError::NoNumber));
        assert_eq!(parse_duration("9999999999h"), Err(QuantityError::TooLarge));
        assert_eq!(parse_size("3Gb"), Err(QuantityError::Bits));
        assert_eq!(parse_size("3Gibit"), Err(QuantityError::Bits));
        assert_eq!(parse_size("512"), Err(QuantityError::NoUnit));
        assert_eq!(parse_size("3 GB"), Err(QuantityError::UnknownUnit));
    }
}
