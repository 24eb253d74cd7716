//! Who deploys.

use std::os::unix::fs::MetadataExt as _;

use ecow::{EcoString, eco_format};

/// `alice@box`: the user of this process and the machine; behind `sudo` the user who said that.
pub fn author() -> EcoString {
    let uid = std::fs::metadata("/proc/self").map(|about| about.uid()).ok();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = uid.and_then(|uid| name(&users, uid));
    let user = user.or_else(|| uid.map(|uid| eco_format!("user {uid}"))).unwrap_or_default();
    let user = match std::env::var("SUDO_USER") {
        Ok(asked) if !asked.is_empty() && asked != user => eco_format!("{asked} (as {user})"),
        _ => user,
    };
    eco_format!("{user}@{}", machine())
}

/// The name of this machine.
pub(super) fn machine() -> EcoString {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().into()
}

fn name(users: &str, uid: u32) -> Option<EcoString> {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut named = fields.filter_map(|fields| match fields.as_slice() {
        [name, _, id, ..] if id.parse() == Ok(uid) => Some(EcoString::from(*name)),
        _ => None,
    });
    named.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_names() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        assert_eq!(name(users, 1000).as_deref(), Some("alice"));
        assert_eq!(name(users, 7), None);
        assert!(author().ends_with(machine().as_str()));
    }
}
