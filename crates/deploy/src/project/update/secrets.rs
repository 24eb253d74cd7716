//! The way to a secret in the encrypted file of its instance.

use crate::base::{Edited, System as _};
use crate::data::edit::Format;
use crate::data::{Document, Limits, NodeKind};
use crate::eval::Instance;
use crate::eval::world::InstanceElement;
use crate::model::{Program, TypeDef};

use super::missing::find;
use super::{Step, data};

/// The way to an element, which the encrypted file has under the same keys and, in lists, with the same
/// identity; none if there is none: what has no identity of its own, or lies in no file yet.
pub(super) fn way_to(
    program: &Program,
    edited: &Edited,
    instance: &Instance,
    path: &str,
) -> Option<Vec<Step>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let (file, node) = instance.elements.get(find(instance, path)? as usize)?.place?;
    let bytes = edited.read(file.path()).ok()?;
    let document = Format::of(file.path())?.parse(file, &bytes, &Limits::default()).document?;
    let mut steps = Vec::new();
    let mut at = Document::ROOT;
    while at != node {
        let child = document.children(at).find(|&c| c <= node && node < document.node(c).end)?;
        steps.push(match document.key(child) {
            Some(key) => Step::Key(key.clone()),
            None => {
                let element = instance.elements.iter().find(|e| e.place == Some((file, child)))?;
                Step::Element(identity(program, element)?)
            }
        });
        at = child;
    }
    Some(steps)
}

/// The fields that tell an element of a list from the others.
fn identity(
    program: &Program,
    element: &InstanceElement,
) -> Option<Vec<(ecow::EcoString, serde_json::Value)>> {
    let record = program.record(element.record.ty)?;
    let mut fields = Vec::new();
    if let Some((union, variant)) = element.variant
        && let TypeDef::Union(def) = program.ty(union)
    {
        let name = crate::eval::print::variant_name(program, union, variant);
        fields.push((def.tag.as_str().into(), name.as_str().into()));
    }
    for key in &record.keys {
        // A key that stands deeper would be a mapping of its own.
        let [slot] = *key.path else { return None };
        let name = record.fields.get(usize::from(slot))?.data_name.clone();
        let written = data::document(program, element.record.fields.get(usize::from(slot))?).ok()?;
        let value = match written.value(Document::ROOT) {
            NodeKind::Str(text) => text.as_str().into(),
            NodeKind::Int(number) => (*number).into(),
            NodeKind::Bool(value) => (*value).into(),
            _ => return None,
        };
        fields.push((name, value));
    }
    (!record.keys.is_empty()).then_some(fields)
}
