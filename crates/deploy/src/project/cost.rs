//! What a change of a field costs, as the model declares it.

use crate::graph::diff::{Path, Step};
use crate::handler::Cost;
use crate::model::{Program, RecordDef, Type, TypeDef};
use crate::syntax::ast::{self, RecordKind};

/// The greatest cost on the way to a field of a resource.
pub(super) fn declared(program: &Program, type_path: &str, path: &Path) -> Cost {
    let record = program.find(type_path).and_then(|ty| program.record(ty));
    record.map_or(Cost::Live, |record| of_record(program, record, &path.0))
}

fn of_record(program: &Program, record: &RecordDef, path: &[Step]) -> Cost {
    let Some((Step::Key(name), rest)) = path.split_first() else { return Cost::Live };
    let Some(field) = record.fields.iter().find(|f| f.data_name == *name) else { return Cost::Live };
    let here = match field.cost {
        ast::Cost::Live => Cost::Live,
        ast::Cost::Restart => Cost::Restart,
        ast::Cost::Replace => Cost::Replace,
    };
    here.max(below(program, &field.ty, rest))
}

/// Every step of the path is a level of the type, so this ends.
fn below(program: &Program, ty: &Type, path: &[Step]) -> Cost {
    let Some((_, rest)) = path.split_first() else { return Cost::Live };
    match ty {
        Type::Optional(inner) | Type::Secret(inner) | Type::Later(inner) => below(program, inner, path),
        Type::Refined(inner, _) | Type::Alias(_, inner) => below(program, inner, path),
        Type::List(inner) | Type::Set(inner) | Type::Map(_, inner) => below(program, inner, rest),
        Type::OneOf(types) => types.iter().map(|t| below(program, t, path)).max().unwrap_or(Cost::Live),
        Type::Record(ty) => match program.ty(*ty) {
            TypeDef::Record(record) if matches!(record.kind, RecordKind::Struct | RecordKind::Plain) => {
                of_record(program, record, path)
            }
            _ => Cost::Live,
        },
        Type::Union(ty) | Type::Variant(ty, _) => match program.ty(*ty) {
            TypeDef::Union(union) => {
                let payloads = union.variants.iter().filter_map(|v| v.payload.as_ref());
                payloads.map(|t| below(program, t, path)).max().unwrap_or(Cost::Live)
            }
            _ => Cost::Live,
        },
        _ => Cost::Live,
    }
}
