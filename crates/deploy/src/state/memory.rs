//! A ledger in memory: for tests and simulations. Clones share it, as processes share a file.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ecow::eco_format;

use crate::handler::{Random, Timestamp, Token};

use super::journal::{Entry, ROOT};
use super::store::{Coord, Holder, LockError, Rebuilt, Store, StoreError};
use super::{Change, Generation, Revision, Snapshot};

/// What the clones share.
#[derive(Debug, Default)]
struct Shared {
    ledger: Snapshot,
    generations: Vec<Generation>,
    journal: Vec<Entry>,
    holder: Option<Holder>,
    /// How often somebody took the lock: what was restored, or rebuilt, has another epoch.
    taken: u64,
    /// How long whoever holds the lock has it without a commit, if not for ever.
    lease: Option<Duration>,
    /// When it was taken, or somebody last committed with it.
    renewed: Timestamp,
}

impl Shared {
    fn write(
        &mut self,
        at: Revision,
        now: Timestamp,
        changes: &[Change],
        rebuilt: Option<&Rebuilt<'_>>,
    ) -> Result<Revision, StoreError> {
        self.ledger.revision.admit(at)?;
        self.renewed = now;
        self.ledger.apply(changes.iter().cloned(), now);
        self.ledger.revision.serial += 1;
        let serial = self.ledger.revision.serial;
        if let Some(Rebuilt { lineage, epoch, author }) = rebuilt {
            self.ledger.lineage = (*lineage).into();
            self.ledger.epochs.clear();
            self.ledger.revision.epoch = self.ledger.revision.epoch.max(*epoch);
            self.note(|number, before| Some(Entry::said("recovered", author, number, serial, now, before)));
        }
        for change in changes {
            if let Change::Start(generation) = change {
                self.generations.push(Generation { started: now, ..generation.clone() });
            }
            self.note(|number, before| Entry::of(change, number, serial, now, before));
        }
        Ok(self.ledger.revision)
    }

    /// Adds what there is to say to the journal, by its number and the hash of what is before it.
    fn note(&mut self, entry: impl FnOnce(u64, &str) -> Option<Entry>) {
        let before = self.journal.last().map_or(ROOT, |e| e.hash.as_str());
        let entry = entry(self.journal.len() as u64 + 1, before);
        self.journal.extend(entry);
    }
}

/// A ledger in memory.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
    holds: Option<Arc<Lock>>,
}

/// Frees the lock when the last clone that holds it goes.
#[derive(Debug)]
struct Lock(Arc<Mutex<Shared>>, u64);

impl Drop for Lock {
    fn drop(&mut self) {
        let mut shared = self.0.lock().unwrap_or_else(|p| p.into_inner());
        // Whoever took it meanwhile keeps it.
        if shared.taken == self.1 {
            shared.holder = None;
        }
    }
}

impl MemoryStore {
    /// An empty ledger.
    pub fn new(random: &dyn Random) -> Self {
        let lineage = eco_format!("{:032x}", random.next());
        let ledger = Snapshot { lineage, next_intent: 1, ..Snapshot::default() };
        let shared = Shared { ledger, ..Shared::default() };
        MemoryStore { shared: Arc::new(Mutex::new(shared)), holds: None }
    }

    /// One that takes its lock from whoever has not committed for so long, as a store does that several
    /// machines share.
    pub fn leasing(random: &dyn Random, lease: Duration) -> Self {
        let store = MemoryStore::new(random);
        store.shared().lease = Some(lease);
        store
    }

    /// Another process on the same ledger.
    pub fn reopen(&self) -> Self {
        MemoryStore { shared: self.shared.clone(), holds: None }
    }

    /// Shows the ledger as it is now.
    pub fn look<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.shared().ledger)
    }

    /// A copy of the ledger as it is now, for somebody else.
    pub fn copy(&self) -> Self {
        let shared = self.shared();
        let copy = Shared {
            ledger: shared.ledger.clone(),
            generations: shared.generations.clone(),
            journal: shared.journal.clone(),
            holder: None,
            taken: shared.taken,
            lease: shared.lease,
            renewed: shared.renewed,
        };
        MemoryStore { shared: Arc::new(Mutex::new(copy)), holds: None }
    }

    /// Puts a copy of another ledger in its place, as somebody does who restores a backup.
    pub fn restore(&self, other: &MemoryStore) {
        let copy = other.copy();
        let copy = std::mem::take(&mut *copy.shared());
        let mut shared = self.shared();
        *shared = Shared { lease: shared.lease, taken: shared.taken, ..copy };
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(|p| p.into_inner())
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        Ok(self.shared().ledger.clone())
    }

    fn commit(&mut self, at: Revision, now: Timestamp, changes: &[Change]) -> Result<Revision, StoreError> {
        self.shared().write(at, now, changes, None)
    }

    fn rebuild(
        &mut self,
        at: Revision,
        now: Timestamp,
        rebuilt: &Rebuilt<'_>,
        changes: &[Change],
    ) -> Result<Revision, StoreError> {
        self.shared().write(at, now, changes, Some(rebuilt))
    }

    fn generation(&mut self, number: u64) -> Result<Option<Generation>, StoreError> {
        let shared = self.shared();
        let finished = shared.ledger.generations.iter().find(|g| g.number == number);
        let found = shared.generations.iter().find(|g| g.number == number);
        Ok(found.map(|g| Generation {
            finished: finished.and_then(|f| f.finished),
            removed: finished.map_or(0, |f| f.removed),
            ..g.clone()
        }))
    }

    fn journal(&mut self, after: u64) -> Result<Vec<Entry>, StoreError> {
        Ok(self.shared().journal.iter().filter(|e| e.number > after).cloned().collect())
    }
}

impl Coord for MemoryStore {
    fn acquire(&mut self, holder: &Holder, nonce: &Token) -> Result<Revision, LockError> {
        let mut shared = self.shared();
        let over = shared.lease.is_some_and(|lease| holder.since.since(shared.renewed) > lease);
        if shared.holder.is_some() && !over {
            return Err(LockError::Held { holder: shared.holder.clone() });
        }
        shared.holder = Some(holder.clone());
        shared.renewed = holder.since;
        shared.ledger.revision.epoch += 1;
        shared.ledger.revision.serial += 1;
        let revision = shared.ledger.revision;
        shared.ledger.epochs.insert(revision.epoch, nonce.clone());
        shared.taken += 1;
        let taken = shared.taken;
        drop(shared);
        self.holds = Some(Arc::new(Lock(self.shared.clone(), taken)));
        Ok(revision)
    }
}
