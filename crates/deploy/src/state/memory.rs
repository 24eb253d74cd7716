//! A ledger in memory: for tests and simulations. Clones share it, as processes share a file.

use std::sync::{Arc, Mutex, MutexGuard};

use ecow::eco_format;

use crate::handler::{Random, Timestamp, Token};

use super::journal::{Entry, ROOT};
use super::store::{Coord, Holder, LockError, Store, StoreError};
use super::{Change, Generation, Revision, Snapshot};

/// What the clones share.
#[derive(Debug, Default)]
struct Shared {
    ledger: Snapshot,
    generations: Vec<Generation>,
    journal: Vec<Entry>,
    holder: Option<Holder>,
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
        if shared.ledger.revision.epoch == self.1 {
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
        };
        MemoryStore { shared: Arc::new(Mutex::new(copy)), holds: None }
    }

    /// The lease of whoever holds the lock has run out: the next one takes it.
    pub fn expire(&self) {
        self.shared().holder = None;
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
        let mut guard = self.shared();
        let shared = &mut *guard;
        shared.ledger.revision.admit(at)?;
        shared.ledger.apply(changes, now);
        shared.ledger.revision.serial += 1;
        let revision = shared.ledger.revision;
        for change in changes {
            if let Change::Start(generation) = change {
                shared.generations.push(Generation { started: now, ..generation.clone() });
            }
            let before = shared.journal.last().map_or(ROOT, |e| e.hash.as_str());
            let number = shared.journal.len() as u64 + 1;
            let entry = Entry::of(change, number, revision.serial, now, before);
            shared.journal.extend(entry);
        }
        Ok(revision)
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
        if shared.holder.is_some() {
            return Err(LockError::Held { holder: shared.holder.clone() });
        }
        shared.holder = Some(holder.clone());
        shared.ledger.revision.epoch += 1;
        shared.ledger.revision.serial += 1;
        let revision = shared.ledger.revision;
        shared.ledger.epochs.insert(revision.epoch, nonce.clone());
        drop(shared);
        self.holds = Some(Arc::new(Lock(self.shared.clone(), revision.epoch)));
        Ok(revision)
    }
}
