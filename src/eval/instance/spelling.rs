//! How a value is written so that it has the type that is wanted, seen what was written.

use crate::data::NodeKind;
use crate::diag::nearest;
use crate::model::schema::VariantDef;
use crate::model::{Program, Type, TypeId};

use super::layers::Src;
use super::problems::list;

/// What stands in the data, for a message.
pub fn found(src: Src<'_>) -> String {
    match src.kind() {
        NodeKind::Null => "null".into(),
        NodeKind::Bool(b) => format!("the bool `{b}`"),
        NodeKind::Int(i) => format!("the int `{i}`"),
        NodeKind::BigInt(text) => format!("the int `{text}`, which 64 bits do not hold"),
        NodeKind::Float(f) => format!("the float `{f}`"),
        NodeKind::Str(text) if text.chars().count() <= 40 => format!("the string {text:?}"),
        other => other.describe().to_owned(),
    }
}

/// The data names of variants.
pub fn literal_variants(all: &[VariantDef]) -> impl Iterator<Item = &str> {
    all.iter().map(|v| v.data_name.as_str())
}

/// How to write it; none where the type's name says enough.
pub fn spelling(program: &Program, ty: &Type, src: Src<'_>) -> Option<String> {
    match ty.bare() {
        Type::Secret(inner) | Type::Later(inner) | Type::Optional(inner) => spelling(program, inner, src),
        Type::Int | Type::Float => number(ty.bare(), src),
        Type::Bool => Some(boolean(src)),
        Type::Str => string(src),
        Type::Duration | Type::Size | Type::FileMode => Some(with_unit(ty.bare(), src)),
        Type::List(_) | Type::Set(_) => Some(match src.kind() {
            NodeKind::Mapping(_) => "write a list: `- ` before each item".into(),
            _ => "write a list, also of one: `[…]`".into(),
        }),
        Type::Map(..) if matches!(src.kind(), NodeKind::Sequence(_)) => {
            Some("write `key: value`, without `-` before it".into())
        }
        Type::Record(id) | Type::Ref(id) => Some(record(program, *id)),
        Type::Union(id) | Type::Variant(id, _) => {
            let tag = program.union(*id).map_or("type", |u| u.tag.as_str());
            Some(format!("write a mapping whose `{tag}` says which one it is"))
        }
        Type::StrLit(_) | Type::IntLit(_) | Type::OneOf(_) => literal(ty, src),
        _ => None,
    }
}

fn number(ty: &Type, src: Src<'_>) -> Option<String> {
    match (ty, src.kind()) {
        (Type::Int, NodeKind::Str(text)) if text.parse::<i64>().is_ok() => {
            Some(format!("write it without quotes: `{text}`"))
        }
        (Type::Int, NodeKind::Float(f)) if f.fract() == 0.0 => {
            Some(format!("write `{f:.0}`, without a point"))
        }
        (Type::Float, NodeKind::Str(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Some(format!("write it without quotes: `{text}`"))
        }
        _ => None,
    }
}

fn boolean(src: Src<'_>) -> String {
    let NodeKind::Str(text) = src.kind() else { return "write `true` or `false`".into() };
    match text.to_ascii_lowercase().as_str() {
        "true" => "write `true`, without quotes".into(),
        "false" => "write `false`, without quotes".into(),
        "yes" | "on" | "y" => "write `true`: `yes` and `on` are strings in YAML 1.2".into(),
        "no" | "off" | "n" => "write `false`: `no` and `off` are strings in YAML 1.2".into(),
        _ => "write `true` or `false`".into(),
    }
}

fn string(src: Src<'_>) -> Option<String> {
    match src.kind() {
        NodeKind::Null => Some("write a string; an empty one is `\"\"`".into()),
        NodeKind::Int(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::BigInt(_) => {
            Some("put it in quotes".into())
        }
        _ => None,
    }
}

fn with_unit(ty: &Type, src: Src<'_>) -> String {
    match (ty, src.kind()) {
        (Type::Duration, NodeKind::Int(i)) => format!("say the unit: `{i}s`, `{i}ms`, `{i}m`"),
        (Type::Duration, _) => "write a number and a unit: `30s`, `5m`, `1h30m`, `250ms`".into(),
        (Type::Size, NodeKind::Int(i)) => format!("say the unit: `{i}B`, `{i}MiB`, `{i}MB`"),
        (Type::Size, _) => {
            "write a number and a unit in bytes: `512B`, `20GiB` (1024 × 1024 × 1024), `3GB` (1000 × 1000 × 1000)".into()
        }
        (_, NodeKind::Int(i)) => {
            format!("write it in quotes, `\"0{i}\"`: YAML reads a bare `0{i}` as a decimal number")
        }
        _ => "write the permission bits in octal, in quotes: `\"0644\"`".into(),
    }
}

fn record(program: &Program, id: TypeId) -> String {
    match program.record(id) {
        Some(r) if !super::reader::is_nested(r) && r.keys.len() == 1 => {
            format!("write the key of a `{}`", r.decl.name)
        }
        Some(r) if !super::reader::is_nested(r) => {
            let names: Vec<String> = r.keys.iter().map(|k| format!("{}: …", k.name)).collect();
            format!("write the keys of a `{}`: `{{{}}}`", r.decl.name, names.join(", "))
        }
        _ => "write its fields as a mapping".into(),
    }
}

fn literal(ty: &Type, src: Src<'_>) -> Option<String> {
    let literals = literals(ty);
    let near = match src.kind() {
        NodeKind::Str(text) => nearest(text, literals.iter().map(String::as_str)),
        _ => None,
    };
    match near {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if literals.is_empty() => None,
        None => Some(format!("write one of {}", list(literals.iter().map(String::as_str)))),
    }
}

fn literals(ty: &Type) -> Vec<String> {
    match ty.bare() {
        Type::StrLit(text) => vec![text.to_string()],
        Type::IntLit(number) => vec![number.to_string()],
        Type::OneOf(all) => all.iter().flat_map(literals).collect(),
        _ => Vec::new(),
    }
}
