//! What may be written into a file that sops encrypted, by what the file itself says.
//!
//! sops puts a code over all values, encrypted or not, and whoever adds one without its key makes a
//! file that sops refuses. With `mac_only_encrypted` the code is over encrypted values alone: then
//! an entry that the rules of the file leave plain changes nothing that is sealed. The rules are
//! those of `EncryptTree` in sops' `sops.go`.

use regex::Regex;

use crate::data::{Document, NodeKind};

/// Whether an entry lies outside of what sops sealed. `keys` lead to it and name it at their end,
/// `below` are the keys within its value.
pub(super) fn is_free(document: &Document, keys: &[&str], below: &[&str]) -> bool {
    let Some(sops) = document.sops() else { return true };
    let said = |name: &str| document.get(sops, name).map(|node| document.value(node));
    if !matches!(said("mac_only_encrypted"), Some(NodeKind::Bool(true))) {
        return false;
    }
    let rules = RULES.iter().filter_map(|(name, rule)| match said(name)? {
        NodeKind::Str(text) if text.is_empty() => None,
        NodeKind::Str(text) => Some((*rule, text.as_str())),
        // What is not known may seal it.
        _ => Some((Rule::Unsure, "")),
    });
    let rules: Vec<(Rule, &str)> = rules.collect();
    // Without any, or with several, which sops does not write, everything counts as sealed.
    let [(rule, text)] = rules.as_slice() else { return false };
    let all = || keys.iter().chain(below);
    match rule {
        Rule::PlainSuffix => keys.iter().any(|key| key.ends_with(text)),
        Rule::SealedSuffix => !all().any(|key| key.ends_with(text)),
        Rule::PlainRegex => Regex::new(text).is_ok_and(|r| keys.iter().any(|key| r.is_match(key))),
        Rule::SealedRegex => Regex::new(text).is_ok_and(|r| !all().any(|key| r.is_match(key))),
        Rule::Unsure => false,
    }
}

/// What a rule says of the keys on the way to a value.
#[derive(Clone, Copy)]
enum Rule {
    PlainSuffix,
    SealedSuffix,
    PlainRegex,
    SealedRegex,
    /// It looks at comments.
    Unsure,
}

const RULES: [(&str, Rule); 6] = [
    ("unencrypted_suffix", Rule::PlainSuffix),
    ("encrypted_suffix", Rule::SealedSuffix),
    ("unencrypted_regex", Rule::PlainRegex),
    ("encrypted_regex", Rule::SealedRegex),
    ("unencrypted_comment_regex", Rule::Unsure),
    ("encrypted_comment_regex", Rule::Unsure),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::data::{Limits, parse_yaml};

    fn free(sops: &str, keys: &[&str], below: &[&str]) -> bool {
        let text = format!("a: 1\nsops: {{mac: x, {sops}}}\n");
        let parsed = parse_yaml(FileId::new("a.yaml"), text.as_bytes(), &Limits::default());
        is_free(&parsed.document.unwrap(), keys, below)
    }

    #[test]
    fn only_what_the_file_leaves_plain_and_does_not_seal_is_free() {
        let only = "mac_only_encrypted: true";
        assert!(!free("encrypted_regex: ^token$", &["id"], &[]), "the code is over all values");
        assert!(!free("mac_only_encrypted: false, encrypted_regex: ^token$", &["id"], &[]));
        assert!(!free(only, &["id"], &[]), "no rule: all is encrypted");
        let regex = format!("{only}, encrypted_regex: ^(token|secrets)$");
        assert!(free(&regex, &["id"], &[]));
        assert!(free(&regex, &["ports", "id"], &["token2"]));
        assert!(!free(&regex, &["token"], &[]));
        assert!(!free(&regex, &["secrets", "id"], &[]), "what lies below an encrypted key is encrypted");
        assert!(!free(&regex, &["user"], &["login", "token"]));
        let suffix = format!("{only}, encrypted_suffix: _enc");
        assert!(free(&suffix, &["id"], &[]) && !free(&suffix, &["id_enc"], &[]));
        let plain = format!("{only}, unencrypted_suffix: _plain");
        assert!(free(&plain, &["id_plain"], &[]) && free(&plain, &["x_plain", "id"], &[]));
        assert!(!free(&plain, &["id"], &["x_plain"]));
        let plain = format!("{only}, unencrypted_regex: ^id$");
        assert!(free(&plain, &["id"], &[]) && !free(&plain, &["ids"], &[]));
        assert!(!free(&format!("{only}, encrypted_regex: '('"), &["id"], &[]), "no regex");
        assert!(!free(&format!("{only}, encrypted_comment_regex: sops:enc"), &["id"], &[]));
        assert!(!free(&format!("{regex}, unencrypted_suffix: _plain"), &["id_plain"], &[]), "two rules");
    }
}
