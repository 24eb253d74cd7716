//! What is computed from the inputs, and remembered: the model, the instances, what they make.
//!
//! Granularity: one [`instances`] and one [`evaluation`] a file, one of each `shard_…` a hundred
//! files, and a few whole-project queries that read shards alone. Whatever differs between two
//! runs of one content (spans) is carried beside the compared value.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::{FileId, Name};
use crate::data::Spans;
use crate::db::{Db, Project, Shard, SourceFile};
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::{Instance, Key, Object, PendingReference, Reference, RunOutput, Value};
use crate::model::lower::{ModuleSource, Settings};
use crate::model::program::NodeTables;
use crate::model::{Program, TypeId};
use crate::syntax::{self, Parse};

use super::world::DbWorld;

/// The tree of a model file.
#[salsa::tracked(returns(clone), no_eq)]
pub fn parsed_model(db: &dyn Db, file: SourceFile) -> Arc<Parse> {
    let path = file.path(db);
    let text = match file.content(db) {
        Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => String::new(),
    };
    Arc::new(syntax::parse(path, &text))
}

/// The model with its side tables: changes with every edit of a model file.
#[derive(Debug)]
pub struct CheckedModel {
    /// The model.
    pub program: Arc<Program>,
    /// The bytes of its numbered places.
    pub nodes: Arc<NodeTables>,
    /// What is wrong with it, that does not parse included.
    pub diagnostics: Vec<Diagnostic>,
}

/// All model files together, the standard library among them.
#[salsa::tracked(returns(clone), no_eq)]
pub fn checked_model(db: &dyn Db) -> Arc<CheckedModel> {
    let project = Project::get(db);
    let mut parses: Vec<(FileId, Vec<Name>, Arc<Parse>)> = Vec::new();
    for (path, text) in super::stdlib::modules() {
        let file = FileId::new(&format!("std:{path}"));
        let module = ["std", path.trim_end_matches(".gops")].map(Name::new).to_vec();
        parses.push((file, module, Arc::new(syntax::parse(file, text))));
    }
    let mut diagnostics = Vec::new();
    for (module, file) in project.models(db).iter() {
        let path = file.path(db);
        if let Err(error) = file.content(db) {
            diagnostics.push(Diagnostic::new(codes::UNREADABLE, Place::File(path), error.to_string()));
        } else if let Ok(bytes) = file.content(db)
            && std::str::from_utf8(bytes).is_err()
        {
            let message = format!("`{path}` is not UTF-8");
            diagnostics.push(Diagnostic::new(codes::UNREADABLE, Place::File(path), message));
        }
        parses.push((path, module.clone(), parsed_model(db, *file)));
    }
    for (_, _, parse) in &parses {
        diagnostics.extend(parse.diagnostics.iter().cloned());
    }
    let modules: Vec<ModuleSource<'_>> = parses
        .iter()
        .map(|(file, path, parse)| ModuleSource { file: *file, module_path: path.clone(), ast: &parse.module })
        .collect();
    let settings =
        Settings { project: project.name(db).clone(), environments: project.environments(db).to_vec() };
    let declared = crate::model::lower::declare(&modules, &settings);
    let template = |path: &str| template_text(db, path);
    let checked = crate::types::check(declared, &template);
    diagnostics.extend(checked.diagnostics);
    Arc::new(CheckedModel {
        program: Arc::new(checked.program),
        nodes: Arc::new(checked.nodes),
        diagnostics,
    })
}

/// The text of a template, read as an input.
fn template_text(db: &dyn Db, path: &str) -> Result<String, EcoString> {
    let file = db.source(FileId::new(path));
    match file.content(db) {
        Ok(bytes) => String::from_utf8(bytes.to_vec()).map_err(|_| "it is not UTF-8".into()),
        Err(error) => Err(EcoString::from(error.to_string())),
    }
}

/// The model alone: stays equal when only layout changes.
#[salsa::tracked(returns(clone))]
pub fn program(db: &dyn Db) -> Arc<Program> {
    checked_model(db).program.clone()
}
