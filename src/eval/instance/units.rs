//! Durations, sizes and file modes as texts.

/// `1h30m`, `250ms`: nanoseconds. Each unit once, from large to small, without a sign.
pub fn duration(text: &str) -> Option<i64> {
    const UNITS: &[(&str, i64)] = &[
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut rest = text;
    let mut total: i64 = 0;
    let mut allowed = 0;
    while !rest.is_empty() {
        let (number, unit, after) = part(rest)?;
        let at = UNITS.iter().position(|(name, _)| *name == unit).filter(|&at| at >= allowed)?;
        total = total.checked_add(number.checked_mul(UNITS.get(at)?.1)?)?;
        allowed = at + 1;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// `512B`, `20GiB`, `3GB`: bytes.
pub fn size(text: &str) -> Option<i64> {
    const UNITS: &[(&str, i64)] = &[
        ("B", 1),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("PiB", 1 << 50),
        ("EiB", 1 << 60),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("PB", 1_000_000_000_000_000),
        ("EB", 1_000_000_000_000_000_000),
    ];
    let (number, unit, after) = part(text)?;
    let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    if !after.is_empty() {
        return None;
    }
    number.checked_mul(factor)
}

/// `0o644`, `0644`, `644`: permission bits.
pub fn file_mode(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let fits = (3..=5).contains(&digits.len()) && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = i64::from_str_radix(digits, 8).ok().filter(|_| fits)?;
    (mode <= 0o7777).then_some(mode)
}

/// A number, the letters after it, and the rest.
fn part(text: &str) -> Option<(i64, &str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let letters = text.get(digits..)?.bytes().take_while(u8::is_ascii_alphabetic).count();
    let number = text.get(..digits)?.parse().ok()?;
    Some((number, text.get(digits..digits + letters)?, text.get(digits + letters..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact() {
        assert_eq!(duration("1h30m"), Some(5_400_000_000_000));
        assert_eq!(duration("250ms"), Some(250_000_000));
        for wrong in ["", "5", "5x", "1m1h", "1h1h", "-1s", "h", "1 s", "99999999999h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(size("20GiB"), Some(20 << 30));
        assert_eq!(size("3GB"), Some(3_000_000_000));
        for wrong in ["", "5", "5Mb", "5 MB", "1GiB1MiB", "16EiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
        assert_eq!(file_mode("0644"), Some(0o644));
        assert_eq!(file_mode("644"), Some(0o644));
        assert_eq!(file_mode("0o4755"), Some(0o4755));
        for wrong in ["", "64", "0999", "u+x", "77777"] {
            assert_eq!(file_mode(wrong), None, "{wrong}");
        }
    }
}
