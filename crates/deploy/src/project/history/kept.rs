//! The files that a deployer keeps with a generation, so that it can compare with them later.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashSet;

use crate::base::{FileId, MemorySystem};
use crate::eval::Value;
use crate::eval::value::DeferredExpr;
use crate::project::config::CONFIG_FILE;
use crate::project::queries;
use crate::project::session::Session;

use super::EarlierProject;

/// Files of a project: what its instances were read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptFiles {
    /// By path.
    pub files: Vec<(EcoString, Arc<[u8]>)>,
    /// Those that a secret stands plain in: nothing of that is kept.
    pub left_out: Vec<EcoString>,
}

/// Under this name the `moved` lines of the model are kept with the files. (No file of a project
/// can be called so.)
const MOVED: &str = "gops:moved";

/// From so many bytes on a file is large.
const LARGE: usize = 64 << 10;

impl EarlierProject {
    /// A project of which these files were kept.
    pub fn kept(name: EcoString, files: &[(EcoString, Arc<[u8]>)]) -> Self {
        let system = MemorySystem::default();
        let mut moved = BTreeSet::new();
        for (path, bytes) in files {
            match path == MOVED {
                true => moved.extend(String::from_utf8_lossy(bytes).lines().map(EcoString::from)),
                false => system.write(path, bytes),
            }
        }
        EarlierProject { name, files: Some(Arc::new(system)), moved: Arc::new(moved), ..Self::default() }
    }
}

impl Session {
    /// Whether the model asks what became of elements, so that a deployer has to keep the files
    /// that they stand in.
    pub fn looks_at_data(&self) -> bool {
        let ready = queries::ready(&self.db);
        ready.plan.looks_back() || super::moves::declares_moves(&ready.program)
    }

    /// What evaluation read, but the model: an earlier project is always seen by the current one.
    /// Of a model that asks for nothing of then, a later one may: so its data is kept all the same,
    /// but no large file that is deployed as it is.
    pub fn kept_files(&self) -> KeptFiles {
        let program = self.program();
        let templates: FxHashSet<FileId> = program.templates.iter().map(|t| t.file).collect();
        let model = self.config().map(|c| format!("{}/", c.model)).unwrap_or_default();
        let looks_at_data = self.looks_at_data();
        let plain = self.with_plain_secrets();
        let mut kept = KeptFiles::default();
        for file in self.db.files() {
            let path = file.path(&self.db);
            let of_model = path.path() == CONFIG_FILE || path.path().starts_with(&model);
            let Ok(content) = file.content(&self.db) else { continue };
            let is_large = file.unit(&self.db).is_none() && content.len() > LARGE && !looks_at_data;
            if is_large || of_model || path.path().starts_with("std:") || templates.contains(&path) {
                continue;
            }
            match plain.contains(&path) {
                true => kept.left_out.push(path.path().into()),
                false => kept.files.push((path.path().into(), content.clone())),
            }
        }
        let moved = self.moved_lines();
        if !moved.is_empty() {
            let lines: String = moved.iter().flat_map(|line| [line, "\n"]).collect();
            kept.files.push((MOVED.into(), lines.into_bytes().into()));
        }
        kept.files.sort();
        kept.left_out.sort();
        kept
    }

    fn with_plain_secrets(&self) -> FxHashSet<FileId> {
        let runs = self.runs();
        let mut files = FxHashSet::default();
        for (_, unit, _) in &runs.units {
            for element in unit.instances.iter().flat_map(|instance| &instance.elements) {
                element.record.fields.iter().for_each(|value| plain_secrets(value, &mut files));
            }
        }
        files
    }
}

/// Where secrets stand plain that a value holds.
fn plain_secrets(value: &Value, files: &mut FxHashSet<FileId>) {
    match value {
        Value::Deferred(deferred) => {
            if let DeferredExpr::Secret { file, cipher: None, .. } = &deferred.expr {
                files.insert(*file);
            }
        }
        Value::List(items) | Value::Set(items) => items.iter().for_each(|v| plain_secrets(v, files)),
        Value::Map(entries) => entries.iter().for_each(|(_, v)| plain_secrets(v, files)),
        // A struct is an element of its own.
        _ => {}
    }
}
