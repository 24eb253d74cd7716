//! Which instances there are, and where: the units of each slice in shards, and the index of keys
//! by which a reference finds its instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::db::{Database, Db as _, KeyBucket, Project, Shard, SourceFile, Unit};
use crate::diag::Diagnostic;
use crate::eval::Key;

use super::layout::UnitFiles;
use super::queries;

/// How many units lie together in a shard.
const SHARD: usize = 100;
/// How many instances' keys lie together in a bucket of a slice's index.
const BUCKET: usize = 100;

/// The keys of a shard's instances, each with its unit and number.
pub(super) type Keys = Arc<[(Key, SourceFile, u32)]>;

/// The shards and keys of an open project.
#[derive(Default)]
pub(super) struct Index {
    /// The shards of each slice, with those keys that the buckets were made from.
    shards: BTreeMap<EcoString, Vec<ShardState>>,
    buckets: BTreeMap<EcoString, Arc<[KeyBucket]>>,
    /// Two instances with one key.
    duplicates: Vec<Diagnostic>,
}

struct ShardState {
    /// The least path of its range, which ends where the next one starts.
    from: &'static str,
    shard: Shard,
    keys: Option<Keys>,
}

impl Index {
    /// All shards, in the order of their slices.
    pub fn shards(&self) -> impl Iterator<Item = Shard> + '_ {
        self.shards.values().flatten().map(|s| s.shard)
    }

    /// The errors of instances whose key another one has.
    pub fn duplicates(&self) -> &[Diagnostic] {
        &self.duplicates
    }

    /// Spreads the units over shards: each holds those of a range of paths, so that a file that
    /// comes or goes changes one shard alone, and what goes through the shards goes through the
    /// memory from its start to its end.
    pub fn spread(
        &mut self,
        db: &mut Database,
        project: Project,
        units: &BTreeMap<EcoString, Vec<UnitFiles>>,
    ) {
        let mut by_slice = FxHashMap::default();
        self.shards.retain(|slice, _| units.contains_key(slice));
        for (slice, files) in units {
            let known = self.shards.entry(slice.clone()).or_default();
            let mut ranges = ranges(known, files);
            // Splitting anew changes nearly all, so there is room before it is due.
            let full = ranges.iter().any(|range| range.len() > 3 * SHARD);
            if known.is_empty() || full || known.len() > 4 * files.len().div_ceil(SHARD).max(1) {
                let starts = files.iter().skip(SHARD).step_by(SHARD).map(|f| f.base.path());
                *known = std::iter::once("")
                    .chain(starts)
                    .map(|from| ShardState { from, shard: db.new_shard(Arc::default()), keys: None })
                    .collect();
                ranges = self::ranges(known, files);
            }
            let each = is_each(db, slice);
            for (state, range) in known.iter().zip(ranges) {
                let units = range.iter().map(|files| add_unit(db, slice, files, each)).collect();
                db.set_units(state.shard, units);
            }
            by_slice.insert(slice.clone(), known.iter().map(|s| s.shard).collect::<Arc<[Shard]>>());
        }
        db.set_shards(project, by_slice);
    }

    /// Brings the keys up to date: which instance has which. Only these shards can be `concerned`, or
    /// any. Says whether something is otherwise.
    pub fn refresh(
        &mut self,
        db: &mut Database,
        project: Project,
        concerned: Option<&FxHashSet<Shard>>,
    ) -> bool {
        let mut changed = Vec::new();
        for (slice, shards) in &mut self.shards {
            let mut differs = !self.buckets.contains_key(slice);
            let may_differ =
                |s: &&mut ShardState| s.keys.is_none() || concerned.is_none_or(|c| c.contains(&s.shard));
            for state in shards.iter_mut().filter(may_differ) {
                let keys = queries::shard_keys(db, state.shard);
                if state.keys.as_ref().is_none_or(|k| !Arc::ptr_eq(k, keys) && k != keys) {
                    differs = true;
                }
                state.keys = Some(keys.clone());
            }
            if differs {
                changed.push(slice.clone());
            }
        }
        let gone = self.buckets.len();
        self.buckets.retain(|slice, _| self.shards.contains_key(slice));
        if changed.is_empty() && gone == self.buckets.len() {
            return false;
        }
        for slice in changed {
            self.index_slice(db, &slice);
        }
        let keys = self.buckets.iter().map(|(s, b)| (s.clone(), b.clone())).collect();
        db.set_keys(project, keys);
        self.duplicates = super::duplicates::duplicates(db, &self.by_slice());
        true
    }

    /// The keys of each slice, by shard.
    pub fn by_slice(&self) -> Vec<(&EcoString, Vec<&Keys>)> {
        self.shards
            .iter()
            .map(|(s, shards)| (s, shards.iter().filter_map(|s| s.keys.as_ref()).collect()))
            .collect()
    }

    fn index_slice(&mut self, db: &mut Database, slice: &EcoString) {
        let Some(shards) = self.shards.get(slice) else { return };
        let all = shards.iter().filter_map(|s| s.keys.as_ref()).flat_map(|k| k.iter());
        let total: usize = shards.iter().filter_map(|s| s.keys.as_ref()).map(|k| k.len()).sum();
        let wanted = total.div_ceil(BUCKET).max(1);
        let known = self.buckets.get(slice).map_or(0, |b| b.len());
        let count = if known < wanted || known > 4 * wanted { wanted } else { known };
        let mut entries: Vec<FxHashMap<EcoString, (SourceFile, u32)>> = vec![FxHashMap::default(); count];
        for (key, file, item) in all {
            let text = queries::key_text(key);
            let bucket = &mut entries[queries::bucket_of(&text, count)];
            let place = (*file, *item);
            // Of two with one key the first by path is meant; both are reported.
            let path = |(file, item): (SourceFile, u32)| (file.path(&*db).path(), item);
            let first = bucket.entry(text).or_insert(place);
            if path(place) < path(*first) {
                *first = place;
            }
        }
        let old = self.buckets.get(slice).filter(|b| b.len() == count).cloned();
        match old {
            Some(old) => {
                for (bucket, entries) in old.iter().zip(entries) {
                    db.set_entries(*bucket, entries);
                }
            }
            None => {
                let new = entries.into_iter().map(|e| db.new_bucket(e)).collect();
                self.buckets.insert(slice.clone(), new);
            }
        }
    }
}

/// Which units, which are sorted by path, lie in which shard.
fn ranges<'u>(shards: &[ShardState], units: &'u [UnitFiles]) -> Vec<&'u [UnitFiles]> {
    let mut rest = units;
    let mut ranges = Vec::with_capacity(shards.len());
    for next in shards.iter().skip(1) {
        let (range, after) = rest.split_at(rest.partition_point(|u| u.base.path() < next.from));
        ranges.push(range);
        rest = after;
    }
    if !shards.is_empty() {
        ranges.push(rest);
    }
    ranges
}

fn is_each(db: &Database, slice: &str) -> bool {
    let program = queries::program(db);
    let found = program.slices().find(|s| s.decl.path == slice);
    found.and_then(|s| s.source.as_ref()).is_some_and(|s| s.each)
}

fn add_unit(db: &mut Database, slice: &EcoString, files: &UnitFiles, each: bool) -> SourceFile {
    let overlays = files.overlays.iter().map(|(env, file)| (env.clone(), db.source(*file))).collect();
    let encrypted = files.encrypted.map(|file| db.source(file));
    let unit = Unit { slice: slice.clone(), each, overlays, encrypted, bindings: files.bindings.clone() };
    db.add_unit(files.base, unit)
}
