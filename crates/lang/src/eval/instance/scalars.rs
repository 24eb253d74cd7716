//! Scalars: numbers, strings, enums, literals, durations and sizes.

use ecow::EcoString;

use crate::base::quantity;
use crate::data::NodeKind;
use crate::eval::Value;
use crate::model::{Program, Type};

use super::layers::Src;
use super::reader::{Context, Reader};
use super::shapes::Shapes;
use super::{modes, problems};

impl<'a> Reader<'a> {
    /// A scalar of a type that is neither an alias, nor refined, nor optional.
    pub fn scalar(&mut self, ty: &Type, src: Src<'a>, context: Context<'a>) -> Value {
        let value = match (ty, src.kind()) {
            (Type::Bool, NodeKind::Bool(b)) => Some(Value::Bool(*b)),
            (Type::Int, NodeKind::Int(i)) => {
                if src.doc.document.node(src.node).padded {
                    self.report(problems::leading_zero(*i, src));
                }
                Some(Value::Int(*i))
            }
            (Type::Float, NodeKind::Float(f)) if f.is_finite() => {
                // There is no -0.
                Some(Value::Float(if *f == 0.0 { 0.0 } else { *f }))
            }
            (Type::Float, NodeKind::Int(i)) => Some(Value::Float(*i as f64)),
            (Type::Str, NodeKind::Str(text)) => Some(Value::Str(text.clone())),
            (Type::StrLit(wanted), NodeKind::Str(text)) if wanted == text => Some(Value::Str(text.clone())),
            (Type::IntLit(wanted), NodeKind::Int(i)) if wanted == i => Some(Value::Int(*i)),
            (Type::Null, NodeKind::Null) => Some(Value::Null),
            (Type::Duration, NodeKind::Str(text)) => quantity::parse_duration(text).ok().map(Value::Duration),
            (Type::Size, NodeKind::Str(text)) => quantity::parse_size(text).ok().map(Value::Size),
            (Type::FileMode, NodeKind::Str(text)) => modes::file_mode(text).map(Value::Int),
            // Written in decimal it would be another number than the one that is meant.
            (Type::FileMode, NodeKind::Int(mode)) if src.doc.document.node(src.node).octal => {
                (0..=0o7777).contains(mode).then_some(Value::Int(*mode))
            }
            (Type::Enum(id), NodeKind::Str(name)) => match self.shapes.variant(*id, name) {
                Some(variant) => {
                    self.deprecated_value(*id, variant, src);
                    Some(Value::Enum(*id, variant))
                }
                None => {
                    self.report(problems::unknown_variant(self.program, *id, src, context.field));
                    return Value::Wrong;
                }
            },
            _ => None,
        };
        value.unwrap_or_else(|| self.wrong(ty, src, context))
    }

    fn deprecated_value(&mut self, id: crate::model::TypeId, variant: u16, src: Src<'a>) {
        let Some(def) = self.program.enumeration(id) else { return };
        let Some(found) = def.variants.get(variant as usize) else { return };
        if let Some(text) = &found.deprecated {
            self.report(problems::deprecated_variant(&def.decl, found, text, src));
        }
    }
}

/// A value of a type from a text: a map's key, a part of a path. None if it is none.
pub fn from_text(program: &Program, shapes: &Shapes, ty: &Type, text: &EcoString) -> Option<Value> {
    match ty {
        Type::Alias(_, inner) | Type::Refined(inner, _) | Type::Optional(inner) => {
            from_text(program, shapes, inner, text)
        }
        Type::Str => Some(Value::Str(text.clone())),
        Type::StrLit(wanted) => (wanted == text).then(|| Value::Str(text.clone())),
        // Only the one spelling of a number, so that no two texts are one key.
        Type::Int => text.parse::<i64>().ok().filter(|i| i.to_string() == text.as_str()).map(Value::Int),
        Type::Bool => text.parse().ok().map(Value::Bool),
        Type::Enum(id) => shapes.variant(*id, text).map(|v| Value::Enum(*id, v)),
        Type::Record(id) | Type::Ref(id) => {
            let [key] = program.record(*id)?.keys.as_slice() else { return None };
            let key = from_text(program, shapes, &key.ty, text)?;
            let reference = crate::eval::Reference { ty: *id, key: [key].into() };
            Some(Value::Ref(std::sync::Arc::new(reference)))
        }
        Type::Any => Some(Value::Str(text.clone())),
        _ => None,
    }
}
