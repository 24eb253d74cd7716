//! Which files belong to which slice, and how: base files, overlays, encrypted parts.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::{FileId, Name, System};
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place, nearest};
use crate::model::source::SourceKind;
use crate::model::{Program, RecordDef};

use super::config::Config;
use super::walk::{Found, Walker, join};

/// The base file of an instance (or of a list of them), and what is merged into it.
#[derive(Clone, PartialEq, Debug)]
pub struct UnitFiles {
    /// The base file.
    pub base: FileId,
    /// Overlays: environment and file.
    pub overlays: Vec<(EcoString, FileId)>,
    /// The `*.sops.*` file beside the base.
    pub encrypted: Option<FileId>,
    /// Keys that the path gives.
    pub bindings: Vec<(EcoString, EcoString)>,
}

/// The files of all slices.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layout {
    /// By the full path of the slice's type; units sorted by the path of their base file.
    pub units: BTreeMap<EcoString, Vec<UnitFiles>>,
    /// What lies in a slice's folder and is no instance: a warning unless a model reads it.
    pub strays: Vec<(FileId, Diagnostic)>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// A part of a slice's pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Segment {
    Text(String),
    /// A whole segment.
    Key(String),
    /// A stem, and the ending after it.
    Stem(String, String),
}

/// Finds the files of all slices.
pub fn layout(system: &dyn System, config: &Config, program: &Program) -> Layout {
    let mut finder = Finder {
        walker: Walker::new(system),
        words: super::config::overlays(config),
        layout: Layout::default(),
        readers: FxHashMap::default(),
        folders: Vec::new(),
        missing: Vec::new(),
    };
    // What lies within the folder of another slice is refused where it is declared, and so is a
    // second slice of one folder: the inner one and the first have the files, and no more is said.
    let mut slices: Vec<&RecordDef> = program.slices().collect();
    let depth = |slice: &RecordDef| slice.source.as_ref().map_or(0, |s| s.pattern.segments.len());
    slices.sort_by_key(|s| (std::cmp::Reverse(depth(s)), s.decl.file.path(), s.decl.node.0));
    for slice in slices {
        finder.slice(slice);
    }
    finder.missing();
    finder.strays_beside();
    finder.layout
}

struct Finder<'a> {
    walker: Walker<'a>,
    /// Overlay word to environment.
    words: BTreeMap<EcoString, EcoString>,
    layout: Layout,
    /// Which slice reads a file, with the place of its source.
    readers: FxHashMap<FileId, Reader>,
    /// The folders that slices read.
    folders: Vec<String>,
    /// Those of them that are not there, with the name of the slice and the place of its source.
    missing: Vec<(String, Name, Place)>,
}

/// A slice that reads a file.
struct Reader {
    slice: EcoString,
    place: Place,
    /// Whether its path has placeholders.
    pattern: bool,
}

/// A file of a slice, taken apart.
struct Candidate {
    file: FileId,
    /// The path without its ending, `.sops` and overlay word.
    stem: &'static str,
    environment: Option<EcoString>,
    encrypted: bool,
    bindings: Vec<(EcoString, EcoString)>,
}

impl Finder<'_> {
    fn slice(&mut self, slice: &RecordDef) {
        let Some(source) = &slice.source else { return };
        let place = Place::Model { file: slice.decl.file, node: source.node.0 };
        let pattern = segments(&source.path);
        let fixed: Vec<&str> = pattern
            .iter()
            .map_while(|s| if let Segment::Text(text) = s { Some(text.as_str()) } else { None })
            .collect();
        let is_folder = fixed.len() == pattern.len() && !is_data(&source.path);
        let folder = match fixed.len() == pattern.len() && !is_folder {
            true => fixed[..fixed.len() - 1].join("/"),
            false => fixed.join("/"),
        };
        let files = match self.walker.files(&folder) {
            Ok(files) => files,
            Err(error) => {
                let at = Place::File(FileId::new(&folder));
                let problem = Diagnostic::new(codes::UNREADABLE, at, error.to_string());
                self.layout.diagnostics.push(problem.label(place, "this slice reads it"));
                return;
            }
        };
        if files.is_empty() && !self.walker.is_folder(&folder) {
            self.missing.push((folder.clone(), slice.decl.name, place));
        }
        self.folders.push(folder);
        let mut candidates = Vec::new();
        for file in files {
            let bindings = match is_folder {
                true if is_data(&file.path) => Vec::new(),
                true => {
                    self.stray(&file, slice, place);
                    continue;
                }
                false => match self.bind(&pattern, &file, place) {
                    Some(bindings) => bindings,
                    None => continue,
                },
            };
            let id = FileId::new(&file.path);
            if self.take(id, &file, slice, place) {
                candidates.push(self.candidate(id, bindings));
            }
        }
        let units = self.units(candidates, place);
        self.layout.units.insert(slice.decl.path.clone(), units);
    }

    /// Whether this slice may read the file: nothing else does, and it is a regular file.
    fn take(&mut self, id: FileId, file: &Found, slice: &RecordDef, place: Place) -> bool {
        let at = Place::File(id);
        if file.odd {
            let message =
                format!("`{}` is a symbolic link or no regular file, and gops follows none", file.path);
            let problem = Diagnostic::new(codes::UNREADABLE, at, message)
                .label(place, format!("slice `{}` reads this folder", slice.decl.name))
                .help("put the file itself here, or leave it out with a `.gitignore`");
            self.layout.diagnostics.push(problem);
            return false;
        }
        let pattern = slice.source.as_ref().is_some_and(|s| s.pattern.kind() == SourceKind::Pattern);
        if let Some(other) = self.readers.get(&id) {
            if !pattern && !other.pattern {
                return false;
            }
            let message = format!("`{}` and `{}` both read `{}`", slice.decl.path, other.slice, file.path);
            let problem = Diagnostic::new(codes::TWO_SLICES, at, message)
                .label(place, "this source matches it")
                .label(other.place, "and so does this one")
                .help("narrow one of the sources, or move the file");
            self.layout.diagnostics.push(problem);
            return false;
        }
        self.readers.insert(id, Reader { slice: slice.decl.path.clone(), place, pattern });
        true
    }

    /// A folder that is not there has no instances, which is as it should be in a new project; but
    /// where another one can be what was meant, that is worth a word.
    fn missing(&mut self) {
        for (folder, slice, place) in std::mem::take(&mut self.missing) {
            if let Some(meant) = self.meant(&folder) {
                let message = format!("there is no folder `{folder}`, so `{slice}` has no instances");
                let problem = Diagnostic::new(codes::MISSING_FOLDER, place, message)
                    .at("paths start at the root of the project")
                    .help(format!("did you mean `{meant}`, which is there?"));
                self.layout.diagnostics.push(problem);
            }
        }
    }

    /// The folder that is probably meant by one that is not there: no other slice has it.
    fn meant(&mut self, folder: &str) -> Option<String> {
        let first = self.walker.folders("");
        let mut deeper = first.iter().map(|first| join(first, folder));
        let meant = deeper.find(|path| self.walker.is_folder(path)).or_else(|| {
            folder.split('/').try_fold(String::new(), |above, name| {
                let there = self.walker.folders(&above);
                let near = nearest(name, there.iter().map(String::as_str))?;
                Some(join(&above, near))
            })
        });
        meant.filter(|meant| !self.folders.contains(meant))
    }

    /// What lies beside the folders of slices and no slice reads: a folder whose name has a slip,
    /// say, whose instances would all go without a word.
    fn strays_beside(&mut self) {
        let above = |folder: &String| folder.rsplit_once('/').map(|(above, _)| above.to_owned());
        // Beside a folder at the root stands anything.
        let parents: BTreeSet<String> = self.folders.iter().filter_map(above).collect();
        for parent in parents {
            let beside: Vec<String> = self.walker.folders(&parent).iter().map(|f| join(&parent, f)).collect();
            for folder in beside {
                let is_in =
                    |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|r| r.starts_with('/'));
                if !self.folders.iter().any(|known| is_in(known, &folder) || is_in(&folder, known)) {
                    self.stray_folder(&folder);
                }
            }
        }
    }

    fn stray_folder(&mut self, folder: &str) {
        let files = self.walker.files(folder).unwrap_or_default();
        let mut data =
            files.iter().filter(|f| is_data(&f.path) && !self.readers.contains_key(&FileId::new(&f.path)));
        let (Some(first), more) = (data.next(), data.count()) else { return };
        let message = match more {
            0 => format!("no slice reads `{}`", first.path),
            _ => format!("no slice reads `{folder}`: `{}` and {more} more", first.path),
        };
        let (above, name) = folder.rsplit_once('/').unwrap_or(("", folder));
        let beside = self.folders.iter().filter_map(|f| f.strip_prefix(above)?.strip_prefix('/'));
        let help = match nearest(name, beside) {
            Some(near) => format!("did you mean `{}`, which a slice reads?", join(above, near)),
            None => format!(
                "write `slice … in \"{folder}\"`, move it elsewhere, or leave it out with a `.gitignore`"
            ),
        };
        let id = FileId::new(&first.path);
        let problem = Diagnostic::new(codes::STRAY_FILE, Place::File(id), message).help(help);
        self.layout.strays.push((id, problem));
    }

    fn stray(&mut self, file: &Found, slice: &RecordDef, place: Place) {
        let id = FileId::new(&file.path);
        let message = format!("`{}` is no instance of `{}`", file.path, slice.decl.name);
        let problem = Diagnostic::new(codes::STRAY_FILE, Place::File(id), message)
            .label(place, "instances are the `*.yaml`, `*.yml` and `*.json` files here")
            .help("rename it, move it elsewhere, or leave it out with a `.gitignore`");
        self.layout.strays.push((id, problem));
    }

    /// The keys that a path gives, if it matches the pattern (overlay word and `.sops` aside).
    fn bind(
        &mut self,
        pattern: &[Segment],
        file: &Found,
        place: Place,
    ) -> Option<Vec<(EcoString, EcoString)>> {
        let plain = self.plain_path(&file.path);
        if let Some(bindings) = bind(pattern, &plain) {
            return Some(bindings);
        }
        let (stem, _) = plain.rsplit_once('.').filter(|_| is_data(&plain))?;
        let near = ["yaml", "yml", "json"].into_iter().map(|e| format!("{stem}.{e}"));
        let near = near.into_iter().find(|p| bind(pattern, p).is_some())?;
        let message = format!("`{}` is not read: the pattern wants another ending", file.path);
        let problem = Diagnostic::new(codes::NEAR_MISS, Place::File(FileId::new(&file.path)), message)
            .label(place, "this pattern")
            .help(format!("rename it to `{near}`"));
        self.layout.diagnostics.push(problem);
        None
    }

    /// The path of the base file, of an overlay or encrypted part of it.
    fn plain_path(&self, path: &str) -> String {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(f, n)| (f, n));
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let stem = stem.strip_suffix(".sops").unwrap_or(stem);
        let stem = match stem.rsplit_once('.') {
            Some((base, word)) if self.words.contains_key(word) => base,
            _ => stem,
        };
        super::walk::join(folder, &format!("{stem}.{ending}"))
    }

    fn candidate(&self, file: FileId, bindings: Vec<(EcoString, EcoString)>) -> Candidate {
        let path = file.path();
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let (stem, encrypted) = stem.strip_suffix(".sops").map_or((stem, false), |s| (s, true));
        let overlay = stem.rsplit_once('.').and_then(|(base, word)| Some((base, self.words.get(word)?)));
        let (stem, environment) = overlay.map_or((stem, None), |(base, env)| (base, Some(env.clone())));
        Candidate { file, stem, environment, encrypted, bindings }
    }

    fn units(&mut self, candidates: Vec<Candidate>, place: Place) -> Vec<UnitFiles> {
        let mut units: Vec<UnitFiles> = Vec::new();
        let mut by_stem: FxHashMap<&str, usize> = FxHashMap::default();
        let (parts, bases): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|c| c.environment.is_some() || c.encrypted);
        for base in bases {
            // Of `a.yaml` and `a.json` the first has the companions; that both have one key, or
            // not, is seen when they are read.
            by_stem.entry(base.stem).or_insert(units.len());
            units.push(unit(base.file, base.bindings));
        }
        // An encrypted file alone is an instance; overlays come after, for they may change it.
        let (overlays, encrypted): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|c| c.environment.is_some());
        for part in encrypted {
            match by_stem.get(part.stem) {
                Some(&at) => units[at].encrypted = Some(part.file),
                None => {
                    by_stem.insert(part.stem, units.len());
                    units.push(unit(part.file, part.bindings));
                }
            }
        }
        for overlay in overlays {
            let environment = overlay.environment.unwrap_or_default();
            match by_stem.get(overlay.stem) {
                Some(&at) => units[at].overlays.push((environment, overlay.file)),
                None => {
                    let at = Place::File(overlay.file);
                    let message = format!("`{}` is an overlay, and there is no base file", overlay.file);
                    let problem = Diagnostic::new(codes::OVERLAY_WITHOUT_BASE, at, message)
                        .label(place, "of this slice")
                        .help(format!("make `{}.yaml`, or rename the overlay", overlay.stem));
                    self.layout.diagnostics.push(problem);
                }
            }
        }
        units.sort_by_cached_key(|unit| unit.base.path());
        units
    }
}

fn unit(base: FileId, bindings: Vec<(EcoString, EcoString)>) -> UnitFiles {
    UnitFiles { base, overlays: Vec::new(), encrypted: None, bindings }
}

/// Whether a path has the ending of an instance file.
pub fn is_data(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, e)| matches!(e, "yaml" | "yml" | "json"))
}

fn segments(source: &str) -> Vec<Segment> {
    let segment = |part: &str| match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((name, "")) => Segment::Key(name.to_owned()),
        Some((name, ending)) => Segment::Stem(name.to_owned(), ending.to_owned()),
        None => Segment::Text(part.to_owned()),
    };
    source.trim_end_matches('/').split('/').map(segment).collect()
}

fn bind(pattern: &[Segment], path: &str) -> Option<Vec<(EcoString, EcoString)>> {
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() != pattern.len() {
        return None;
    }
    let mut bindings = Vec::new();
    for (segment, part) in pattern.iter().zip(parts) {
        match segment {
            Segment::Text(text) if text == part => {}
            Segment::Text(_) => return None,
            Segment::Key(name) => bindings.push((name.as_str().into(), part.into())),
            Segment::Stem(name, ending) => {
                let stem = part.strip_suffix(ending.as_str()).filter(|s| !s.is_empty())?;
                bindings.push((name.as_str().into(), stem.into()));
            }
        }
    }
    Some(bindings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_bind_segments_and_stems() {
        let pattern = segments("gitops/{host}/{name}.yml");
        let bound = bind(&pattern, "gitops/h1/web.yml").unwrap();
        assert_eq!(bound, [("host".into(), "h1".into()), ("name".into(), "web".into())]);
        for other in ["gitops/h1/web.yaml", "gitops/h1/x/web.yml", "other/h1/web.yml", "gitops/h1/.yml"] {
            assert_eq!(bind(&pattern, other), None, "{other}");
        }
    }
}
