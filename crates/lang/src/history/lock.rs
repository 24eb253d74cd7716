//! `assigned.lock`: who holds which value, and which values wait for a deletion to be settled.
//!
//! The file is committed. It has a line for each value that `free_int` gave out, so that it is
//! known that a holder is gone once its file is; then the value is *reserved* until what the
//! holder made is gone from every target too. The same identity gets its value back.
//!
//! One line an entry, sorted: two branches that add entries merge, or conflict where they must.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ecow::EcoString;

use crate::base::canonical;

/// Where it is kept.
pub const LOCK_FILE: &str = "assigned.lock";

/// What a value was given out for: `net::Vlan[name=a].id`.
pub type Holder = EcoString;

/// A value that was given out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// The value.
    pub value: i64,
    /// Among whom it must be the only one: what of the holder its `used` depends on. Empty where
    /// all holders are meant.
    pub within: EcoString,
}

/// What the file says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lock {
    /// Values of elements that are there.
    pub held: BTreeMap<Holder, Given>,
    /// Values of elements that are gone, and whose deletion is not settled.
    pub reserved: BTreeMap<Holder, Given>,
}

/// What is wrong with the file: the line, from 1, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl Lock {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.reserved.is_empty()
    }

    /// The value that a holder has, or had.
    pub fn of(&self, holder: &str) -> Option<&Given> {
        self.held.get(holder).or_else(|| self.reserved.get(holder))
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut out = String::from(HEADER);
        for (name, entries) in [("held", &self.held), ("reserved", &self.reserved)] {
            let _ = writeln!(out, "{name}:");
            for (holder, given) in entries {
                let _ = write!(out, "  {}: {}", quoted(holder), given.value);
                if !given.within.is_empty() {
                    let _ = write!(out, " in {}", quoted(&given.within));
                }
                out.push('\n');
            }
        }
        out
    }

    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Lock, Damaged> {
        let mut lock = Lock::default();
        let mut section = None;
        for (number, line) in (1..).zip(text.lines()) {
            let damaged = |message: &str| Err(Damaged { line: number, message: message.to_owned() });
            match line {
                _ if line.starts_with("<<<<<<<")
                    || line.starts_with("=======")
                    || line.starts_with(">>>>>>>") =>
                {
                    return damaged(
                        "two branches were merged, and Git left it to you: keep the lines of both, then run `gops update`",
                    );
                }
                _ if line.starts_with('#') || line.is_empty() => {}
                "held:" => section = Some(true),
                "reserved:" => section = Some(false),
                _ => {
                    let Some((holder, given)) = entry(line) else {
                        return damaged("this is no entry; restore the file from Git");
                    };
                    let entries = match section {
                        Some(true) => &mut lock.held,
                        Some(false) => &mut lock.reserved,
                        None => return damaged("an entry stands before `held:`; restore the file from Git"),
                    };
                    // Both branches of a merge may have an entry: the lines of both were kept.
                    entries.entry(holder).or_insert(given);
                }
            }
        }
        Ok(lock)
    }
}

const HEADER: &str = "\
# Written by `gops update`; commit it. It says which value was given to whom, so that the value of
# something that was deleted is not given out again before it is gone everywhere.
";

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    canonical::escape(&mut out, text);
    out.push(b'"');
    String::from_utf8(out).unwrap_or_default()
}

/// `  "holder": 12 in "group"`
fn entry(line: &str) -> Option<(Holder, Given)> {
    let (holder, rest) = string(line.strip_prefix("  ")?)?;
    let rest = rest.strip_prefix(": ")?;
    let (value, within) = match rest.split_once(" in ") {
        Some((value, within)) => {
            let (within, end) = string(within)?;
            (value, end.is_empty().then_some(within)?)
        }
        None => (rest, EcoString::new()),
    };
    Some((holder, Given { value: value.parse().ok()?, within }))
}

/// A JSON string at the start of a text, and what follows.
fn string(text: &str) -> Option<(EcoString, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next()?.ok()?;
    Some((value.into(), text.get(values.byte_offset()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: i64, within: &str) -> Given {
        Given { value, within: within.into() }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut lock = Lock::default();
        lock.held.insert("m::Vlan[name=a].id".into(), given(-3, ""));
        lock.held.insert("m::Vlan[name=\"a \\\" in b\"].id".into(), given(7, "site=\"s\" in x"));
        lock.reserved.insert("m::Vlan[name=old].id".into(), given(i64::MAX, ""));
        assert_eq!(Lock::parse(&lock.text()), Ok(lock.clone()));
        assert_eq!(Lock::parse(&lock.text().replace('\n', "\r\n")), Ok(lock));
        assert_eq!(Lock::parse(""), Ok(Lock::default()));
    }

    #[test]
    fn damage_is_said_with_its_line() {
        let line = |text: &str| Lock::parse(text).unwrap_err().line;
        assert_eq!(line("held:\n  \"a\": x\n"), 2);
        assert_eq!(line("  \"a\": 1\n"), 1);
        assert_eq!(line("held:\n<<<<<<< HEAD\n  \"a\": 1\n=======\n"), 2);
        assert_eq!(line("held:\n  \"a: 1\n"), 2);
        assert_eq!(line("held:\n  \"a\": 1 in \"b\" c\n"), 2);
    }
}
