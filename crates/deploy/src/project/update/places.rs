//! Where a value is written: the base file of the instance, behind the field that is declared
//! before.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId, System as _};
use crate::data::edit::{Format, Refused, Source, apply};
use crate::data::insert::{Insertion, insert, insert_unsealed};
use crate::data::{Document, Limits};
use crate::db::SourceFile;
use crate::eval::Instance;
use crate::model::schema::Slot;
use crate::project::queries::UnitInstances;
use crate::project::session::Session;
use crate::project::units::{Reading, read_as, within_document};

use super::migrate::Way;
use super::missing::find;
use super::sealed::is_free;

/// A mapping in a file that takes an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub file: FileId,
    mapping: u32,
    after: Option<u32>,
}

/// Reads a unit as its files are by now.
pub(super) fn read_now(
    session: &Session,
    edited: &Edited,
    file: SourceFile,
    base_only: bool,
) -> UnitInstances {
    let ready = crate::project::queries::ready(&session.db);
    let contents = |file: FileId| edited.read(file.path()).ok();
    read_as(&session.db, &ready, file, Reading { base_only, contents: &contents })
}

/// Where a field of an element is to be written.
pub(super) fn target(
    session: &Session,
    edited: &Edited,
    file: SourceFile,
    instance: &Instance,
    path: &str,
    slot: Slot,
) -> Option<Target> {
    let base = read_now(session, edited, file, true);
    let in_base = base.instances.iter().find(|i| i.id.item == instance.id.item);
    // What an overlay alone has is filled there.
    let (instance, index) = match in_base.and_then(|i| Some((&**i, find(i, path)?))) {
        Some(found) => found,
        None => (instance, find(instance, path)?),
    };
    let element = instance.elements.get(index as usize)?;
    let (file, mapping) = element.place?;
    let before = element.fields.iter().take(usize::from(slot)).rev();
    let after = before.flatten().find(|(f, _)| *f == file).map(|(_, node)| *node);
    Some(Target { file, mapping, after })
}

/// Writes an entry into a file, in memory.
pub(super) fn write(
    edited: &Edited,
    target: Target,
    key: &EcoString,
    value: Document,
) -> Result<(), Refused> {
    let path = target.file.path();
    let bytes: Arc<[u8]> = edited.read(path).map_err(|_| Refused::Unreadable)?;
    let (document, mapping) = within_document(target.file, &bytes, target.mapping);
    let after = target.after.map(|node| within_document(target.file, &bytes, node).1);
    let limits = Limits::default();
    let format = Format::of(path).ok_or(Refused::Unreadable)?;
    let source = Source { file: target.file, format, bytes: &bytes, limits: &limits, document };
    let below: Vec<&str> = value.nodes.iter().filter_map(|node| node.key.as_deref()).collect();
    let free = sealed_by_sops(&bytes, target).is_some_and(|(document, way)| {
        let keys: Vec<&str> = way.names().chain([key.as_str()]).collect();
        is_free(&document, &keys, &below)
    });
    let insertion = Insertion { mapping, key: key.clone(), value, after };
    let edits = if free { insert_unsealed(source, &insertion) } else { insert(source, &insertion) }?;
    let changed = apply(&bytes, &edits).ok_or(Refused::NotTheSame)?;
    edited.set(path, Some(&changed));
    Ok(())
}

/// The document that an entry goes into, and the way to its mapping, if sops encrypted it.
fn sealed_by_sops(bytes: &[u8], target: Target) -> Option<(Document, Way)> {
    let limits = Limits::default();
    let document = Format::of(target.file.path())?.parse(target.file, bytes, &limits).document?;
    document.sops()?;
    let way = Way::to(&document, target.mapping);
    Some((document, way))
}

/// What `sops set` calls the place of an entry: `["ports"][0]["id"]`.
pub(super) fn index_of_sops(edited: &Edited, target: Target, key: &EcoString) -> Option<String> {
    let bytes = edited.read(target.file.path()).ok()?;
    let (_, way) = sealed_by_sops(&bytes, target)?;
    Some(format!("{}[{}]", way.index(), crate::data::print::quoted(key)))
}
