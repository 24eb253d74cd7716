//! The journal: what was done, in order, each entry bound to the one before by a hash, so that
//! an entry that was changed or taken out shows.

use ecow::{EcoString, eco_format};
use sha2::{Digest as _, Sha256};

use crate::handler::Timestamp;

use super::Change;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1.
    pub number: u64,
    /// The commit that wrote it.
    pub serial: u64,
    /// When.
    pub time: Timestamp,
    /// What happened: `create`, `done`, `row`, `dropped`, …
    pub event: EcoString,
    /// The id of the resource, or the number of the intent or generation.
    pub subject: EcoString,
    /// More about it.
    pub detail: EcoString,
    /// Hex SHA-256 over the hash of the entry before and all of the above.
    pub hash: EcoString,
}

/// The hash that the first entry follows.
pub const ROOT: &str = "";

impl Entry {
    /// The entry of a change; `None` for one that is not worth a line.
    pub(super) fn of(
        change: &Change,
        number: u64,
        serial: u64,
        time: Timestamp,
        before: &str,
    ) -> Option<Entry> {
        let (event, subject, detail): (EcoString, EcoString, EcoString) = match change {
            Change::Open(intent) => (
                intent.operation.as_str().into(),
                intent.row.key.id.clone(),
                eco_format!("intent {} token {}", intent.number, intent.token),
            ),
            Change::Close { number, outcome, evidence } => {
                (outcome.as_str().into(), eco_format!("intent {number}"), evidence.clone())
            }
            Change::Put(row) => (
                "row".into(),
                row.key.id.clone(),
                eco_format!("incarnation {} {} {}", row.key.incarnation, row.holding, row.condition),
            ),
            Change::Refresh { .. } | Change::Removed { .. } => return None,
            Change::Drop { key, end, evidence } => (
                "dropped".into(),
                key.id.clone(),
                eco_format!("incarnation {} {end}: {evidence}", key.incarnation),
            ),
            Change::Start(generation) => (
                "started".into(),
                eco_format!("generation {}", generation.number),
                eco_format!("revision {:?} desired {}", generation.revision, generation.desired),
            ),
            Change::Suspect { identity } => ("suspect".into(), identity.clone(), EcoString::new()),
            Change::Greeted { identity } => ("greeted".into(), identity.clone(), EcoString::new()),
            Change::Finish { number } => {
                ("finished".into(), eco_format!("generation {number}"), EcoString::new())
            }
        };
        let mut entry = Entry { number, serial, time, event, subject, detail, hash: EcoString::new() };
        entry.hash = entry.follow(before);
        Some(entry)
    }

    /// An entry of what somebody said about the ledger as a whole.
    pub(super) fn said(
        event: &str,
        author: &str,
        number: u64,
        serial: u64,
        time: Timestamp,
        before: &str,
    ) -> Entry {
        let (event, subject) = (event.into(), author.into());
        let (detail, hash) = (EcoString::new(), EcoString::new());
        let mut entry = Entry { number, serial, time, event, subject, detail, hash };
        entry.hash = entry.follow(before);
        entry
    }

    /// The hash that the entry has to have after one with the hash `before`.
    fn follow(&self, before: &str) -> EcoString {
        let mut hasher = Sha256::new();
        for part in [before, &self.event, &self.subject, &self.detail] {
            // The length keeps the parts apart: no two entries are hashed as one text.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(self.number.to_le_bytes());
        hasher.update(self.serial.to_le_bytes());
        hasher.update(self.time.0.to_le_bytes());
        hex(&hasher.finalize())
    }
}

/// The number of the first entry that does not follow from the one before.
pub fn broken(entries: &[Entry]) -> Option<u64> {
    let mut before: &str = ROOT;
    for (at, entry) in entries.iter().enumerate() {
        if entry.number != at as u64 + 1 || entry.hash != entry.follow(before) {
            return Some(entry.number);
        }
        before = &entry.hash;
    }
    None
}

/// Bytes as lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> EcoString {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = EcoString::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
