//! Models that are checked: what is said of each is in comments at its line.

mod cases;
mod declarations;
mod expressions;
mod good;

use std::fmt::Write as _;

use super::{Checked, check};
use crate::base::{FileId, LineIndex, Name};
use crate::diag::{Diagnostic, Place};
use crate::model::{ModuleSource, Settings, declare};
use crate::syntax;

/// A checked set of modules, with their texts.
struct Model {
    checked: Checked,
    texts: Vec<(FileId, String)>,
}

/// The modules of the standard library, as they stand in the repository.
fn std_modules() -> Vec<(String, Vec<Name>, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stdlib");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("stdlib is there") {
        let path = entry.expect("it can be listed").path();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|e| e == "gops") {
            let text = std::fs::read_to_string(&path).expect("it can be read");
            found.push((format!("std:{stem}.gops"), vec![Name::new("std"), Name::new(&stem)], text));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Checks modules of a project, with the standard library beside them. Paths that are no module's
/// are files that templates may be.
fn model(files: &[(&str, &str)]) -> Model {
    let mut modules: Vec<(String, Vec<Name>, String)> = Vec::new();
    for (path, text) in files {
        if let Some(stem) = path.strip_prefix("model/").and_then(|p| p.strip_suffix(".gops")) {
            modules.push(((*path).to_owned(), stem.split('/').map(Name::new).collect(), (*text).to_owned()));
        }
    }
    modules.extend(std_modules());
    let mut diagnostics = Vec::new();
    let mut trees = Vec::new();
    for (path, _, text) in &modules {
        let parsed = syntax::parse(FileId::new(path), text);
        diagnostics.extend(parsed.diagnostics);
        trees.push(parsed.module);
    }
    let sources: Vec<ModuleSource<'_>> = modules
        .iter()
        .zip(&trees)
        .map(|((path, module_path, _), ast)| ModuleSource {
            file: FileId::new(path),
            module_path: module_path.clone(),
            ast,
        })
        .collect();
    let settings = Settings { project: "shop".into(), environments: vec!["dev".into(), "prod".into()] };
    let mut checked = check(declare(&sources, &settings), &|path: &str| {
        let found = files.iter().find(|(p, _)| *p == path).map(|(_, text)| (*text).to_owned());
        found.ok_or_else(|| "not found".into())
    });
    diagnostics.append(&mut checked.diagnostics);
    checked.diagnostics = diagnostics;
    let texts = modules.into_iter().map(|(path, _, text)| (FileId::new(&path), text));
    let others = files.iter().map(|(path, text)| (FileId::new(path), (*text).to_owned()));
    Model { checked, texts: texts.chain(others).collect() }
}

impl Model {
    fn line(&self, place: Place) -> (FileId, u32) {
        let (file, start) = match place {
            Place::Span(at) => (at.file, at.span.start),
            Place::Model { file, node } => {
                let span = self.checked.nodes.get(&file).and_then(|n| n.spans.get(node as usize));
                (file, span.map_or(0, |s| s.start))
            }
            place => (place.file(), 0),
        };
        let text = self.texts.iter().find(|(f, _)| *f == file).map_or("", |(_, t)| t.as_str());
        let index = LineIndex::new(text);
        (file, index.line_column(text, start as usize).line)
    }

    fn shown(&self, diagnostic: &Diagnostic) -> String {
        let mut text = String::new();
        for label in &diagnostic.labels {
            let (file, line) = self.line(label.place);
            let _ = write!(text, "{file}:{line} {} ", label.message);
        }
        format!(
            "{} {} [{text}] {}",
            diagnostic.code.id(),
            diagnostic.message,
            diagnostic.help.as_deref().unwrap_or("")
        )
    }

    /// All diagnostics, one on a line.
    fn report(&self) -> String {
        self.checked.diagnostics.iter().map(|d| self.shown(d) + "\n").collect()
    }
}
