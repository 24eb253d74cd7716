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
use crate::project::receipts::Swap;

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
    /// What the versions of each instance are called, under whatever names it went; the newest last.
    pub names: BTreeMap<EcoString, Vec<EcoString>>,
    /// The files that are those of the store: of no interest is how they are on disk.
    pub covered: Vec<FileId>,
    /// The files of the store that the newest versions are in.
    pub files: Vec<FileId>,
}

/// What the models say of instances that go under another id now.
pub(in crate::project) struct Moved {
    /// Old and new, in the order of the models.
    pub whole: Vec<(EcoString, EcoString)>,
    /// The lines of swaps, of them and of what is in them.
    pub swaps: Vec<Swap>,
}

/// The view of a project's store. `sources` are its files, and `layout` says which of them are
/// instances.
pub(in crate::project) fn view(
    sources: &Arc<dyn System>,
    layout: &Layout,
    env: Option<&str>,
    moved: &Moved,
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
    let now = files(sources, layout, newest());
    let past = Past::new(&store, &moved.whole);
    let depth = past.lines.values().map(|line| line.len() - 1).max().unwrap_or(0);
    let earlier = (1..=depth).flat_map(|back| past.at(back).into_iter().map(move |then| (back, then)));
    let earlier = earlier.map(|(back, then)| {
        let (files, changed) = past.files(&now, &then);
        EarlierProject {
            name: name(back).into(),
            files: Some(files),
            graph: None,
            changed: Some(changed.into_iter().map(EcoString::from).collect()),
            moved: Arc::new(past.swapped(&then, &moved.swaps)),
        }
    });
    let numbers = |versions: &Vec<Kept>| versions.iter().map(|kept| kept.version.number).collect();
    Ok(View {
        earlier: earlier.collect(),
        system: now,
        numbers: store.instances.iter().map(|(id, versions)| (id.clone(), numbers(versions))).collect(),
        names: past.names(),
        // Also those that are not on disk any more.
        covered: unit_files(layout).chain(newest().flat_map(sources_of)).collect(),
        files: newest().map(|kept| FileId::new(&kept.path)).collect(),
    })
}

/// The files that a version was in when it was activated.
fn sources_of(kept: &Kept) -> impl Iterator<Item = FileId> + '_ {
    kept.version.parts().into_iter().flatten().map(|part| FileId::new(&part.path))
}

fn name(back: usize) -> String {
    match back {
        1 => "the version before".to_owned(),
        _ => format!("the version {back} before"),
    }
}

/// What the store knows of before.
struct Past<'s> {
    store: &'s Store,
    /// The versions of each instance, the newest last. What went on from another instance goes on
    /// from its versions: there was one of the two at any time.
    lines: BTreeMap<&'s EcoString, Vec<&'s Kept>>,
    /// The instances whose newest version is in a file.
    now_in: BTreeMap<&'s str, BTreeSet<&'s EcoString>>,
}

/// The instances that stood otherwise, by the line that they are of.
type Then<'s> = BTreeMap<&'s EcoString, &'s Kept>;

impl<'s> Past<'s> {
    fn new(store: &'s Store, moves: &[(EcoString, EcoString)]) -> Self {
        let mut lines: BTreeMap<&EcoString, Vec<&Kept>> = BTreeMap::new();
        for (id, versions) in &store.instances {
            lines.insert(id, versions.iter().collect());
        }
        // A chain is put together from whichever end: each move takes a line whole.
        for (from, to) in moves {
            let gone =
                lines.get(from).and_then(|line| line.last()).is_some_and(|k| k.version.parts().is_none());
            if !gone || !lines.contains_key(to) || from == to {
                continue;
            }
            let mut before = lines.remove(from).unwrap_or_default();
            before.retain(|kept| kept.version.parts().is_some());
            if let Some(line) = lines.get_mut(to) {
                // What had the identity before, and went, was another one.
                let since = line.iter().rposition(|k| k.version.parts().is_none() && !is_last(line, k));
                let at = since.map_or(0, |gone| gone + 1);
                line.splice(at..at, before);
            }
        }
        let mut now_in: BTreeMap<&str, BTreeSet<&EcoString>> = BTreeMap::new();
        for (id, versions) in &store.instances {
            let newest = versions.last().and_then(|kept| kept.version.parts());
            for part in newest.into_iter().flatten() {
                now_in.entry(&part.path).or_default().insert(id);
            }
        }
        Past { store, lines, now_in }
    }

    /// The projects so many versions back: those that stood otherwise then. One that has not so many
    /// versions stands as it is now. There is more than one project where two stood in one file, one
    /// after the other: nobody knows which was first, and each tells of what it made.
    fn at(&self, back: usize) -> Vec<Then<'s>> {
        let deep = self.lines.iter().filter_map(|(id, line)| {
            let kept = line.get(line.len().checked_sub(back + 1)?)?;
            let lives = line.last().is_some_and(|kept| kept.version.parts().is_some());
            Some((!lives, *id, *kept))
        });
        let mut deep: Vec<(bool, &EcoString, &Kept)> = deep.collect();
        // What is still there is what one looks for first.
        deep.sort_by_key(|(gone, id, _)| (*gone, *id));
        let mut projects: Vec<(Then<'s>, BTreeSet<&str>)> = Vec::new();
        for (_, id, kept) in deep {
            let whole: Vec<&str> = whole_files(kept).collect();
            let free = projects.iter().position(|(_, taken)| whole.iter().all(|path| !taken.contains(path)));
            let at = free.unwrap_or(projects.len());
            if free.is_none() {
                projects.push(Default::default());
            }
            if let Some((then, taken)) = projects.get_mut(at) {
                then.insert(id, kept);
                taken.extend(whole);
            }
        }
        projects.into_iter().map(|(then, _)| then).collect()
    }

    /// Which lines of swaps a project came after: where each of the two stands as it is now, or as
    /// it was since.
    fn swapped(&self, then: &Then<'s>, swaps: &[Swap]) -> BTreeSet<EcoString> {
        let since = |swap: &&Swap| {
            swap.instances.iter().all(|id| match then.get(id) {
                Some(kept) => kept.version.moved.contains(&swap.line),
                None => self.store.instances.contains_key(id),
            })
        };
        swaps.iter().filter(since).map(|swap| swap.line.clone()).collect()
    }

    fn names(&self) -> BTreeMap<EcoString, Vec<EcoString>> {
        let name = |id: &EcoString, kept: &Kept| match kept.version.instance == *id {
            true => ecow::eco_format!("version {}", kept.version.number),
            false => {
                let was = crate::graph::id::shown(&kept.version.instance);
                ecow::eco_format!("version {} of {was}", kept.version.number)
            }
        };
        let names = |(id, line): (&&EcoString, &Vec<&Kept>)| {
            ((*id).clone(), line.iter().map(|k| name(id, k)).collect())
        };
        self.lines.iter().map(names).collect()
    }

    /// The files of an earlier project, and those paths of them that are not as they are now.
    fn files(&self, now: &Arc<dyn System>, then: &Then<'s>) -> (Arc<dyn System>, BTreeSet<&'s str>) {
        let mut stood: BTreeMap<&str, Vec<&Kept>> = BTreeMap::new();
        for kept in then.values() {
            for part in kept.version.parts().into_iter().flatten() {
                let of = stood.entry(part.path.as_str()).or_default();
                if !of.iter().any(|known| std::ptr::eq(*known, *kept)) {
                    of.push(kept);
                }
            }
        }
        // Who stands in a file that was another one's was not there yet.
        let taken = then.values().flat_map(|kept| whole_files(kept));
        let displaced = taken.filter_map(|path| self.now_in.get(path)).flatten().copied();
        let other: BTreeSet<&EcoString> = displaced.chain(then.keys().copied()).collect();
        let newest = |id: &EcoString| self.store.instances.get(id).and_then(|versions| versions.last());
        let gone = other.iter().filter_map(|id| newest(id)?.version.parts()).flatten();
        let changed: BTreeSet<&str> =
            stood.keys().copied().chain(gone.map(|part| part.path.as_str())).collect();
        let edited = Edited::new(now.clone());
        for path in &changed {
            let still = self.now_in.get(path).into_iter().flatten().filter(|id| !other.contains(**id));
            let still = still.filter_map(|id| newest(id));
            put(&edited, path, stood.get(path).into_iter().flatten().copied().chain(still));
        }
        (Arc::new(edited), changed)
    }
}

fn is_last(line: &[&Kept], kept: &Kept) -> bool {
    line.last().is_some_and(|last| std::ptr::eq(*last, kept))
}

/// The files that a version is alone in.
fn whole_files(kept: &Kept) -> impl Iterator<Item = &str> {
    let parts = kept.version.parts().into_iter().flatten();
    parts.filter(|part| matches!(part.content, Content::File(_))).map(|part| part.path.as_str())
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
