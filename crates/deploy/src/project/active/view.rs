//! The project as the store has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId, System};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::history::store::{self, Content, Kept, Part, Store};
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
    let earlier = (1..=depth).map(|back| EarlierProject {
        name: name(back).into(),
        files: Some(files(sources, layout, at(&store, back, moves))),
        graph: None,
    });
    let numbers = |versions: &Vec<Kept>| versions.iter().map(|kept| kept.version.number).collect();
    Ok(View {
        system: files(sources, layout, newest()),
        earlier: earlier.collect(),
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

/// Each instance as many versions back; one that has not so many stands as it is now. What goes on
/// from another instance that stands there was not there yet.
fn at<'s>(store: &'s Store, back: usize, moves: &[(EcoString, EcoString)]) -> impl Iterator<Item = &'s Kept> {
    let then = move |id: &str| {
        let versions = store.instances.get(id)?;
        versions.len().checked_sub(back + 1).and_then(|at| versions.get(at))
    };
    let stands = |id: &EcoString| then(id).is_some_and(|kept| kept.version.parts().is_some());
    let moved: Vec<EcoString> = moves
        .iter()
        .filter(|(from, to)| stands(from) && then(to).is_none())
        .map(|(_, to)| to.clone())
        .collect();
    store.instances.iter().filter_map(move |(id, versions)| match then(id) {
        Some(kept) => Some(kept),
        None if moved.contains(id) => None,
        None => versions.last(),
    })
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
    let mut several: BTreeMap<&str, Vec<(u32, &EcoString)>> = BTreeMap::new();
    for Part { path, content } in versions.filter_map(|kept| kept.version.parts()).flatten() {
        match content {
            Content::File(text) => edited.set(path, Some(text.as_bytes())),
            Content::Item { line, text } => several.entry(path).or_default().push((*line, text)),
        }
    }
    for (path, items) in several {
        edited.set(path, Some(items::file(items).as_bytes()));
    }
    Arc::new(edited)
}
