//! Tagged unions.

use std::sync::Arc;

use crate::data::NodeKind;
use crate::eval::value::{Record, Value};
use crate::eval::world::InstanceElement;
use crate::model::{Type, TypeId};

use super::layers::{Layers, Src};
use super::problems;
use super::reader::{Context, Reader};
use super::steps::bare_step;

/// The variant that carries a record.
pub struct Carrier<'a> {
    pub union: TypeId,
    pub variant: u16,
    /// The field that holds the tag, to be passed over.
    pub tag: &'static str,
    /// What the tag says.
    pub name: &'a str,
}

impl<'a> Reader<'a> {
    /// A value of a tagged union.
    pub fn union(&mut self, id: TypeId, ty: &Type, layers: &Layers<'a>, context: Context<'a>) -> Value {
        let src = layers.last();
        let Some(def) = self.program.union(id) else { return Value::Wrong };
        // A union that carries nothing may stand as the bare tag.
        if let NodeKind::Str(name) = src.kind()
            && let Some(variant) = self.shapes.variant(id, name)
            && let Some(found) = def.variants.get(variant as usize)
            && found.payload.is_none()
        {
            if let Some(text) = &found.deprecated {
                self.report(problems::deprecated_variant(&def.decl, found, text, src));
            }
            let carrier = Carrier { union: id, variant, tag: def.tag.as_str(), name };
            return self.bare(&carrier, Some(src), context);
        }
        if !src.is_mapping() {
            return self.wrong(ty, src, context);
        }
        let tag = def.tag.as_str();
        let mut tags: Vec<Src<'a>> = layers.mappings().filter_map(|s| s.get(tag)).collect();
        let Some(last) = tags.pop() else {
            self.report(problems::no_tag(def, src, context.field));
            return Value::Wrong;
        };
        let variant = match last.kind() {
            NodeKind::Str(name) => self.shapes.variant(id, name).map(|variant| (variant, name)),
            NodeKind::Invalid => {
                self.errors += 1;
                return Value::Wrong;
            }
            _ => None,
        };
        let Some((variant, name)) = variant else {
            self.report(problems::bad_tag(def, last));
            return Value::Wrong;
        };
        let Some(found) = def.variants.get(variant as usize) else { return Value::Wrong };
        if let Some(text) = &found.deprecated {
            self.report(problems::deprecated_variant(&def.decl, found, text, last));
        }
        // An overlay that changes the tag starts anew: the other variant's fields are not its.
        let changed = tags.iter().any(|t| !matches!(t.kind(), NodeKind::Str(other) if other == name));
        let fresh = Layers::one(src);
        let layers = if changed { &fresh } else { layers };
        match found.payload.as_ref().map(Type::bare) {
            None => {
                let extra = src.children().find(|c| c.key().is_some_and(|k| k != tag));
                if let Some(extra) = extra {
                    self.report(problems::empty_variant(def, found, extra));
                }
                let carrier = Carrier { union: id, variant, tag, name };
                self.bare(&carrier, Some(last), context)
            }
            Some(Type::Record(payload)) => {
                let Some(record) = self.program.record(*payload) else { return Value::Wrong };
                let carrier = Carrier { union: id, variant, tag, name };
                let made = self.record(record, layers, context, Some(&carrier));
                Value::Variant(id, variant, Some(made))
            }
            Some(_) => Value::Wrong,
        }
    }

    /// A variant that carries nothing is no struct. Where its union has `impl`s it is an element
    /// all the same, so that they run for it.
    pub fn bare(&mut self, carrier: &Carrier<'a>, src: Option<Src<'a>>, context: Context<'a>) -> Value {
        let (union, variant) = (carrier.union, carrier.variant);
        if self.shapes.has_impls(union) {
            let element = Some(self.element(self.elements.len() as u32));
            self.elements.push(Some(InstanceElement {
                record: Arc::new(Record { ty: union, fields: Box::default(), element }),
                parent: context.parent,
                variant: Some((union, variant)),
                step: bare_step(carrier, context),
                place: src.map(|src| (src.doc.file, src.node)),
                fields: Box::default(),
                wrong: Vec::new(),
            }));
        }
        Value::Variant(union, variant, None)
    }
}
