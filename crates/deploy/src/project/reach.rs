//! Which shards an edit can concern.
//!
//! An edit of a file makes salsa look at everything that could depend on it, and of a file that was
//! at rest that is everything there is. What a run reads is known, though: so after an edit only
//! those shards are asked that hold the file or have read from it, and of the others what they said
//! the last time is taken. Whatever is more than the content of known files asks all.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::db::{Db, Shard, SourceFile};

use super::queries::{self, Checks, Evaluation, UnitInstances};

/// What was edited since the last graph was made.
#[derive(Debug, Default)]
pub(super) enum Edits {
    /// The content of these files.
    Files(FxHashSet<SourceFile>),
    /// Anything may be otherwise.
    #[default]
    Anything,
}

impl Edits {
    /// Nothing.
    pub fn none() -> Self {
        Edits::Files(FxHashSet::default())
    }

    /// One more file.
    pub fn add(&mut self, file: SourceFile) {
        if let Edits::Files(files) = self {
            files.insert(file);
        }
    }
}

/// What the units of a shard said the last time.
#[derive(Clone)]
pub(super) struct ShardRun {
    pub units: Arc<[Arc<UnitInstances>]>,
    pub evaluations: Arc<[Arc<Evaluation>]>,
    checks: Arc<Checks>,
    /// Worked out when it is asked for first.
    reach: Option<Reach>,
}

/// What a shard depends on.
#[derive(Clone, Default)]
struct Reach {
    files: FxHashSet<SourceFile>,
    /// It depends on more than single files.
    wide: bool,
    /// To read its instances something was read beside their files: then what depends on those
    /// instances depends on that, too.
    chained: bool,
}

impl ShardRun {
    pub fn of(db: &dyn Db, shard: Shard) -> Self {
        ShardRun {
            units: queries::shard_instances(db, shard).clone(),
            evaluations: queries::shard_evaluations(db, shard).clone(),
            checks: queries::shard_checks(db, shard).clone(),
            reach: None,
        }
    }

    /// Whether the shard would be as it was, and so would what has read from it.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.units, &other.units) && Arc::ptr_eq(&self.evaluations, &other.evaluations)
    }

    /// What its checks say.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    fn reach(&mut self, db: &dyn Db, shard: Shard) -> &Reach {
        self.reach.get_or_insert_with(|| {
            let mut reach = Reach::default();
            reach.files.extend(shard.units(db).iter().flat_map(|file| parts(db, *file)));
            let reads = self.evaluations.iter().map(|e| &e.reads).chain([&self.checks.reads]);
            for reads in reads {
                reach.files.extend(&reads.files);
                reach.wide |= reads.wide;
            }
            reach.chained = self.units.iter().any(|unit| !unit.reads.is_empty());
            reach
        })
    }
}

/// The files that make up a unit: its base file, overlays and encrypted part.
pub(super) fn parts(db: &dyn Db, base: SourceFile) -> impl Iterator<Item = SourceFile> {
    let unit = base.unit(db).as_deref();
    let overlays = unit.into_iter().flat_map(|unit| unit.overlays.iter().map(|(_, overlay)| *overlay));
    std::iter::once(base).chain(overlays).chain(unit.and_then(|unit| unit.encrypted))
}

/// The shards that edits can concern, of those that are known; none if that may be any.
pub(super) fn concerned<'r>(
    db: &dyn Db,
    edits: &Edits,
    known: impl Iterator<Item = (Shard, &'r mut ShardRun)>,
) -> Option<FxHashSet<Shard>> {
    let Edits::Files(edited) = edits else { return None };
    let mut found = FxHashSet::default();
    for (shard, run) in known {
        let reach = run.reach(db, shard);
        if reach.chained {
            return None;
        }
        if reach.wide || edited.iter().any(|file| reach.files.contains(file)) {
            found.insert(shard);
        }
    }
    Some(found)
}
