//! Users and groups, by name and number.

use rustc_hash::FxHashMap;

/// The users and groups of this machine, as its files have them, each file read when it is
/// first asked for.
#[derive(Default)]
pub(super) struct Principals {
    users: Option<Names>,
    groups: Option<Names>,
}

#[derive(Default)]
struct Names {
    numbers: FxHashMap<String, u32>,
    names: FxHashMap<u32, String>,
}

impl Names {
    /// Reads `name:…:number:…` lines. A file that cannot be read has no names.
    fn read(path: &str) -> Self {
        let bytes = std::fs::read(path).unwrap_or_default();
        let mut names = Names::default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let mut parts = line.split(':');
            let (Some(name), _, Some(number)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let Ok(number) = number.parse() else { continue };
            // The first line of a name or number is the one that counts.
            names.numbers.entry(name.to_owned()).or_insert(number);
            names.names.entry(number).or_insert_with(|| name.to_owned());
        }
        names
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied().or_else(|| name.parse().ok())
    }

    fn name(&self, number: u32) -> String {
        self.names.get(&number).cloned().unwrap_or_else(|| number.to_string())
    }
}

impl Principals {
    fn users(&mut self) -> &Names {
        self.users.get_or_insert_with(|| Names::read("/etc/passwd"))
    }

    fn groups(&mut self) -> &Names {
        self.groups.get_or_insert_with(|| Names::read("/etc/group"))
    }

    /// The number of a user; `None` if there is none of that name.
    pub(super) fn user(&mut self, name: &str) -> Option<u32> {
        self.users().number(name)
    }

    /// The number of a group; `None` if there is none of that name.
    pub(super) fn group(&mut self, name: &str) -> Option<u32> {
        self.groups().number(name)
    }

    /// How to write the user that a file has: as it is wanted, if it is that one.
    pub(super) fn spell_user(&mut self, number: u32, wanted: Option<&str>) -> String {
        match wanted {
            Some(wanted) if self.user(wanted) == Some(number) => wanted.to_owned(),
            _ => self.users().name(number),
        }
    }

    /// How to write the group that a file has: as it is wanted, if it is that one.
    pub(super) fn spell_group(&mut self, number: u32, wanted: Option<&str>) -> String {
        match wanted {
            Some(wanted) if self.group(wanted) == Some(number) => wanted.to_owned(),
            _ => self.groups().name(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_one() {
        let mut principals = Principals::default();
        assert_eq!(principals.user("root"), Some(0));
        assert_eq!(principals.user("0"), Some(0));
        assert_eq!(principals.user("nobody at all"), None);
        assert_eq!(principals.spell_user(0, None), "root");
        assert_eq!(principals.spell_user(0, Some("0")), "0");
        assert_eq!(principals.spell_group(0, Some("1")), "root");
        assert_eq!(principals.spell_user(4_000_000_000, None), "4000000000");
    }
}
