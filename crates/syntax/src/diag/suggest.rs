//! "Did you mean …?"

/// The candidate nearest to what was written, if one is near enough to be a slip: letters
/// swapped, missing, doubled or wrong, another case, `-` for `_`.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |s: &str| s.to_lowercase().replace(['-', ' '], "_");
    let folded = fold(written);
    let limit = match written.chars().count() {
        0 => return None,
        1..=3 => 1,
        4..=6 => 2,
        n => n / 3,
    };
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&folded, &fold(c)), c))
        .filter(|&(distance, c)| distance <= limit && distance < c.chars().count().max(1))
        // Of four letters two are half: then at least the first is right.
        .filter(|&(distance, c)| distance < 2 || folded.len() > 4 || fold(c).get(..1) == folded.get(..1))
        .min()
        .map(|(_, c)| c)
}

/// All candidates that are as near as the nearest, in their order; three at the most.
pub fn nearest_few<'a>(written: &str, candidates: &[&'a str]) -> Vec<&'a str> {
    let Some(first) = nearest(written, candidates.iter().copied()) else { return Vec::new() };
    let fold = |s: &str| s.to_lowercase().replace(['-', ' '], "_");
    let distance = |c: &str| strsim::damerau_levenshtein(&fold(written), &fold(c));
    let least = distance(first);
    candidates.iter().copied().filter(|c| distance(c) == least).take(3).collect()
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
