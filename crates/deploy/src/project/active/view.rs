//! The project as the store has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId, System};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::history::store::{self, Content, Kept, Store};
use crate::project::config::CONFIG_FILE;
use crate::project::history::EarlierProject;
use crate::project::layout::Layout;

use super::items;

/// A project as it was activated.
#[derive(Debug)]
pub(in crate::project) struct View {
    /// Its files.
    pub system: Arc<dyn System>,
    /// What was activated before, the newest first: every instance at its newest earlier version,
    /// then at the one before, and so on while any has one.
    pub earlier: Vec<EarlierProject>,
    /// The numbers of the versions of each instance, the newest last.
    pub numbers: BTreeMap<EcoString, Vec<u64>>,
    /// The files that are those of the store: of no interest is how they are on disk.
    pub covered: Vec<FileId>,
    /// The files of the store that the newest versions are in.
    pub files: Vec<FileId>,
}

/// The view of a project's store. `sources` are its files, `layout` which of them are instances,
/// and `moves` the instances that go under another id now, old and new.
pub(in crate::project) fn view(
    sources: &Arc<dyn System>,
    layout: &Layout,
    env: Option<&str>,
    moves: &[(EcoString, EcoString)],
) -> Result<View, Vec<Diagnostic>> {
    let (store, mut problems) = Store::read(&**sources, env);
    if store.is_none() && layout.units.values().any(|units| !units.is_empty()) {
        let place = Place::File(FileId::new(CONFIG_FILE));
        let of = env.map(|env| format!(" of the environment `{env}`")).unwrap_or_default();
        let message = format!("nothing was activated{of}: there is no folder `{}`", store::folder(env));
        problems.push(
            Diagnostic::new(codes::NOT_ACTIVE, place, message)
                .help("run `gops sync`, which activates what the instance files say"),
        );
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let store = store.unwrap_or_default();
    let newest = || store.newest().map(|(_, kept)| kept);
    let depth = store.instances.values().map(|versions| versions.len() - 1).max().unwrap_or(0);
    let now = files(sources, layout, newest());
    let by_path = by_path(&store);
    let earlier = (1..=depth).map(|back| {
        let (files, changed) = before(&now, &store, &by_path, back, moves);
        EarlierProject {
            name: name(back).into(),
            files: Some(files),
            graph: None,
            changed: Some(changed.into_iter().map(EcoString::from).collect()),
        }
    });
    let numbers = |versions: &Vec<Kept>| versions.iter().map(|kept| kept.version.number).collect();
    Ok(View {
        earlier: earlier.collect(),
        system: now,
        numbers: store.instances.iter().map(|(id, versions)| (id.clone(), numbers(versions))).collect(),
        covered: unit_files(layout).collect(),
        files: newest().map(|kept| FileId::new(&kept.path)).collect(),
    })
}

fn name(back: usize) -> String {
    match back {
        1 => "the version before".to_owned(),
        _ => format!("the version {back} before"),
    }
}

/// The instances that have parts in a file, in any of their versions.
type ByPath<'s> = BTreeMap<&'s str, BTreeSet<&'s EcoString>>;

fn by_path(store: &Store) -> ByPath<'_> {
    let mut found = ByPath::new();
    for (id, versions) in &store.instances {
        let parts = versions.iter().filter_map(|kept| kept.version.parts()).flatten();
        for part in parts {
            found.entry(&part.path).or_default().insert(id);
        }
    }
    found
}

/// The project as it was so many versions back, over the one of now: its files, and those paths of
/// them that are not as they are now.
fn before<'s>(
    now: &Arc<dyn System>,
    store: &'s Store,
    by_path: &ByPath<'s>,
    back: usize,
    moves: &[(EcoString, EcoString)],
) -> (Arc<dyn System>, BTreeSet<&'s str>) {
    let then = at(store, back, moves);
    let kept = |id: &EcoString| match then.get(id) {
        Some(other) => *other,
        None => store.instances.get(id).and_then(|versions| versions.last()),
    };
    // Every file of an instance that stood otherwise, then or now.
    let mut changed: BTreeSet<&str> = BTreeSet::new();
    for (id, other) in &then {
        let newest = store.instances.get(*id).and_then(|versions| versions.last());
        let parts = other.iter().copied().chain(newest).filter_map(|kept| kept.version.parts());
        changed.extend(parts.flatten().map(|part| part.path.as_str()));
    }
    let edited = Edited::new(now.clone());
    for path in &changed {
        let ids = by_path.get(path).into_iter().flatten();
        put(&edited, path, ids.filter_map(|id| kept(id)));
    }
    (Arc::new(edited), changed)
}

/// The instances that stood otherwise so many versions back: what they were, none if they were not
/// there. One that has not so many versions stands as it is now. What goes on from another instance
/// that stands there was not there yet.
fn at<'s>(
    store: &'s Store,
    back: usize,
    moves: &[(EcoString, EcoString)],
) -> BTreeMap<&'s EcoString, Option<&'s Kept>> {
    let then = |versions: &'s Vec<Kept>| versions.len().checked_sub(back + 1).and_then(|at| versions.get(at));
    let of = |id: &str| store.instances.get(id).and_then(then);
    let deep = store.instances.iter().filter_map(|(id, versions)| Some((id, Some(then(versions)?))));
    let mut found: BTreeMap<&EcoString, Option<&Kept>> = deep.collect();
    for (from, to) in moves {
        let stands = of(from).is_some_and(|kept| kept.version.parts().is_some());
        if stands
            && of(to).is_none()
            && let Some((id, _)) = store.instances.get_key_value(to)
        {
            found.insert(id, None);
        }
    }
    found
}

/// All files that instances are read from.
fn unit_files(layout: &Layout) -> impl Iterator<Item = FileId> {
    let units = layout.units.values().flatten();
    units.flat_map(|unit| {
        let overlays = unit.overlays.iter().map(|(_, file)| *file);
        std::iter::once(unit.base).chain(unit.encrypted).chain(overlays)
    })
}

/// The sources, with the instance files of these versions in place of those that are there.
fn files<'s>(
    sources: &Arc<dyn System>,
    layout: &Layout,
    versions: impl Iterator<Item = &'s Kept>,
) -> Arc<dyn System> {
    let edited = Edited::new(sources.clone());
    for file in unit_files(layout) {
        edited.set(file.path(), None);
    }
    let mut by_path: BTreeMap<&str, Vec<&Kept>> = BTreeMap::new();
    for kept in versions {
        for part in kept.version.parts().into_iter().flatten() {
            by_path.entry(&part.path).or_default().push(kept);
        }
    }
    for (path, versions) in by_path {
        put(&edited, path, versions.into_iter());
    }
    Arc::new(edited)
}

/// Puts a file there, as these versions have it: as a whole, or each an item of it. None of them: it
/// is not there.
fn put<'s>(edited: &Edited, path: &str, versions: impl Iterator<Item = &'s Kept>) {
    let mut items: Vec<(u32, &EcoString)> = Vec::new();
    let mut whole = None;
    for part in versions.filter_map(|kept| kept.version.parts()).flatten().filter(|p| p.path == path) {
        match &part.content {
            Content::File(text) => whole = Some(text),
            Content::Item { line, text } => items.push((*line, text)),
        }
    }
    match (items.is_empty(), whole) {
        (true, whole) => edited.set(path, whole.map(|text| text.as_bytes())),
        (false, _) => edited.set(path, Some(items::file(items).as_bytes())),
    }
}
