//! Permission bits.

/// `0o644`, `0644`, `644`: permission bits.
pub fn file_mode(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let fits = (3..=5).contains(&digits.len()) && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = i64::from_str_radix(digits, 8).ok().filter(|_| fits)?;
    (mode <= 0o7777).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_bits_are_octal() {
        assert_eq!(file_mode("0644"), Some(0o644));
        assert_eq!(file_mode("644"), Some(0o644));
        assert_eq!(file_mode("0o4755"), Some(0o4755));
        for wrong in ["", "64", "0999", "u+x", "77777"] {
            assert_eq!(file_mode(wrong), None, "{wrong}");
        }
    }
}
