//! The names of the store's files.

use sha2::Digest as _;

/// So long is what of a key stands in a file's name, for people.
const READABLE: usize = 40;

/// Where a version of an instance is: `active/main.Site/a-0123456789abcdef@v1.json`.
pub fn path(env: Option<&str>, instance: &str, number: u64) -> String {
    let slice = instance.split('[').next().unwrap_or(instance).replace("::", ".");
    let hash = sha2::Sha256::digest(instance.as_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}/{slice}/{}{hex}@v{number}.json", super::folder(env), readable(instance))
}

/// Whether a file is named like a version.
pub fn is_version(name: &str) -> bool {
    let number = name.strip_suffix(".json").and_then(|stem| Some(stem.rsplit_once("@v")?.1));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && !n.starts_with('0'))
}

/// The values of the key, as far as they can stand in a name, and a `-` behind them.
fn readable(instance: &str) -> String {
    let key = instance.split_once('[').map_or("", |(_, key)| key.strip_suffix(']').unwrap_or(key));
    let mut out = String::new();
    let mut word = String::new();
    for c in key.chars().chain([',']) {
        match c {
            // What stood before it is the name of a field.
            '=' => word.clear(),
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') => word.push(c),
            _ => {
                let room = READABLE.saturating_sub(out.len());
                out.extend(word.chars().take(room));
                word.clear();
                if !out.is_empty() && !out.ends_with('-') {
                    out.push('-');
                }
            }
        }
    }
    // A name that starts with a dot is hidden.
    out.trim_start_matches(['.', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read_and_is_one_instances_alone() {
        let name = |instance: &str| {
            let path = path(None, instance, 1);
            let hash = path.rfind('@').unwrap() - 16;
            format!("{}HASH{}", &path[..hash], &path[hash + 16..])
        };
        assert_eq!(name("main::Vlan[name=office]"), "active/main.Vlan/office-HASH@v1.json");
        assert_eq!(name("a::b::R[host={a=1,b=x/y},port=80]"), "active/a.b.R/1-x-y-80-HASH@v1.json");
        assert_eq!(name("m::S[k=\"../ä\"]"), "active/m.S/HASH@v1.json");
        assert_eq!(name("m::Chain[]"), "active/m.Chain/HASH@v1.json");
        let long = format!("m::S[k={}]", "x".repeat(500));
        assert!(path(Some("prod"), &long, u64::MAX).len() < 120);
        assert_ne!(path(None, "m::S[k=a-b]", 1), path(None, "m::S[k=\"a b\"]", 1));
    }

    #[test]
    fn other_files_are_none() {
        for name in ["a-0123456789abcdef@v1.json", "@v12.json"] {
            assert!(is_version(name), "{name}");
        }
        for name in ["README.md", "a@v.json", "a@v01.json", "a@v0.json", "a@v1.yaml", "a@v-1.json", "a.json"]
        {
            assert!(!is_version(name), "{name}");
        }
    }
}
