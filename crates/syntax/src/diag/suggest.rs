//! "Did you mean …?"

/// The candidate nearest to what was written, if one is near enough to be a slip: letters
/// swapped, missing, doubled or wrong, another case, `-` for `_`.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |s: &str| s.to_lowercase().replace(['-', ' '], "_");
    let folded = fold(written);
    let limit = match written.chars().count() {
        0 => return None,
        1..=2 => 1,
        3..=6 => 2,
        n => n / 3,
    };
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&folded, &fold(c)), c))
        .filter(|&(distance, c)| distance <= limit && distance < c.chars().count().max(1))
        .min()
        .map(|(_, c)| c)
}

/// A help text of the form ``did you mean `port`?`` for [`nearest`].
pub fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, candidates).map(|c| format!("did you mean `{c}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let fields = ["port", "name", "admin_password"];
        assert_eq!(nearest("prot", fields), Some("port"));
        assert_eq!(nearest("Port", fields), Some("port"));
        assert_eq!(nearest("admin-pasword", fields), Some("admin_password"));
        assert_eq!(nearest("colour", fields), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
