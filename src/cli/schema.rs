//! `gops schema`

use std::path::PathBuf;

use clap::Args;

use super::check::summary;
use super::ui::Stream;
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::diag::did_you_mean;
use crate::diag::render::Format;
use crate::model::{Program, TypeId};
use crate::project::schema;

/// Print the JSON Schema of the instance files, for any editor of YAML and JSON
///
/// The documentation of the model becomes the editor's, defaults and allowed values its
/// completions. Without SLICE, one schema for a file of any slice.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops schema Site > site.schema.json
  gops schema --dir schemas             one file for each slice: schemas/Site.schema.json

Tell the editor, in the first line of an instance file:
  # yaml-language-server: $schema=../../schemas/Site.schema.json
or for all files of a folder, in .vscode/settings.json:
  { \"yaml.schemas\": { \"schemas/Site.schema.json\": \"slices/sites/*.yaml\" } }")]
pub(crate) struct Schema {
    /// The slice: its name, or its full path where two have one name
    slice: Option<String>,
    /// Write one file for each slice into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "slice")]
    dir: Option<PathBuf>,
}

impl Schema {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut workspace = Workspace::open(context, None)?;
        let program = workspace.session.program();
        // Of a model with mistakes there is a schema of what is right.
        let report = workspace.session.check();
        let model: Vec<_> =
            report.diagnostics.into_iter().filter(|d| d.is_error() && is_in_model(d)).collect();
        if !model.is_empty() {
            context.ui.diagnostics(Format::Human, &model, &workspace, Stream::Err);
            summary(context, &model, report.instances);
            return Ok(Exit::Errors);
        }
        if let Some(dir) = &self.dir {
            return self.write_all(context, &program, &context.path(dir));
        }
        let value = match &self.slice {
            None => Some(schema::of_all(&program)),
            Some(written) => schema::of_slice(&program, find(&program, written)?),
        };
        context.ui.result(&format!("{:#}\n", value.unwrap_or_default()));
        Ok(Exit::Fine)
    }

    fn write_all(
        &self,
        context: &Context,
        program: &Program,
        dir: &std::path::Path,
    ) -> Result<Exit, Failure> {
        std::fs::create_dir_all(dir).map_err(Failure::write(dir))?;
        let names: Vec<&str> = program.slices().map(|s| s.decl.name.as_str()).collect();
        for slice in program.slices() {
            let name = slice.decl.name.as_str();
            let twice = names.iter().filter(|n| **n == name).count() > 1;
            let stem = if twice { slice.decl.path.as_str().replace("::", ".") } else { name.to_owned() };
            let path = dir.join(format!("{stem}.schema.json"));
            let value = schema::of_slice(program, slice.decl.id).unwrap_or_default();
            std::fs::write(&path, format!("{value:#}\n")).map_err(Failure::write(&path))?;
            context.ui.note(&format!("wrote {}", path.display()));
        }
        Ok(Exit::Fine)
    }
}

fn is_in_model(diagnostic: &crate::diag::Diagnostic) -> bool {
    diagnostic.labels.first().is_some_and(|l| l.place.file().path().ends_with(".gops"))
}

pub(crate) fn find(program: &Program, written: &str) -> Result<TypeId, Failure> {
    let matching = |s: &&crate::model::schema::RecordDef| {
        s.decl.path == written
            || s.decl.name.as_str() == written
            || s.decl.path.ends_with(&format!("::{written}"))
    };
    let found: Vec<_> = program.slices().filter(matching).collect();
    let help = match found.as_slice() {
        [slice] => return Ok(slice.decl.id),
        [] => {
            let names = program.slices().map(|s| s.decl.name.as_str());
            did_you_mean(written, names).unwrap_or_else(|| "`gops schema` has all slices".to_owned())
        }
        several => {
            let paths: Vec<&str> = several.iter().map(|s| s.decl.path.as_str()).collect();
            format!("several are called so: write {}", paths.join(" or "))
        }
    };
    Err(Failure::Unknown { what: "slice", written: written.to_owned(), help })
}
