//! Migrations that have not been applied to the sources.

use crate::diag::codes::history as codes;
use crate::diag::{DataPart, Diagnostic, Place};
use crate::eval::World;
use crate::eval::instance::Doc;
use crate::history::migrate::pending;
use crate::model::TypeId;

/// One error for each migration that is pending for a document of an instance.
pub(super) fn problems(world: &dyn World, slice: TypeId, documents: &[(Doc<'_>, u32)]) -> Vec<Diagnostic> {
    let program = world.program();
    let mut problems = Vec::new();
    if program.migrations.is_empty() {
        return problems;
    }
    for (doc, root) in documents {
        for one in pending(world, slice, doc.document, *root, &mut problems) {
            let Some(def) = program.migrations.get(one.migration) else { continue };
            let place = match one.node {
                0 => Place::File(doc.file),
                node => Place::Data { file: doc.file, node, part: DataPart::Value },
            };
            let name = program.ty(def.ty).decl().name;
            let message = format!("the migration `{}` has not been applied to this `{name}`", def.name);
            problems.push(
                Diagnostic::new(codes::PENDING, place, message)
                    .label(Place::Model { file: def.file, node: def.node.0 }, "this migration")
                    .help(
                        "run `gops update`, which applies it; `gops update --dry-run` shows what it changes",
                    ),
            );
        }
    }
    problems
}
