//! How a value is written so that it has the type that is wanted, seen what was written.

use crate::base::quantity::{self, QuantityError};
use crate::data::{EncryptedType, NodeKind};
use crate::diag::nearest;
use crate::model::kinds::kinds;
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
        NodeKind::Float(f) => format!("the float `{f:?}`"),
        NodeKind::Encrypted(encrypted) => format!("{}, encrypted", sops_name(encrypted.ty)),
        NodeKind::Str(text) if text.chars().count() <= 40 => format!("the string {text:?}"),
        other => other.describe().to_owned(),
    }
}

/// What a value was when sops encrypted it.
fn sops_name(ty: EncryptedType) -> &'static str {
    match ty {
        EncryptedType::Str => "a string",
        EncryptedType::Int => "an int",
        EncryptedType::Float => "a float",
        EncryptedType::Bool => "a bool",
        EncryptedType::Bytes => "a string of bytes",
        EncryptedType::Comment => "a comment",
    }
}

/// The data names of variants.
pub fn literal_variants(all: &[VariantDef]) -> impl Iterator<Item = &str> {
    all.iter().map(|v| v.data_name.as_str())
}

/// How to write it; none where the type's name says enough.
pub fn spelling(program: &Program, ty: &Type, src: Src<'_>) -> Option<String> {
    if let NodeKind::Encrypted(encrypted) = src.kind() {
        let name = sops_name(encrypted.ty);
        return Some(format!(
            "it was {name} when sops encrypted it: write it with the wanted type, and encrypt it again"
        ));
    }
    if let Some((low, high)) = range(program, ty)
        && !matches!(src.kind(), NodeKind::Str(_) | NodeKind::Float(_) | NodeKind::BigInt(_))
    {
        return Some(format!("write a whole number from {low} to {high}"));
    }
    match ty.bare() {
        Type::Secret(inner) | Type::Later(inner) | Type::Optional(inner) => spelling(program, inner, src),
        Type::Int | Type::Float => Some(number(ty.bare(), src)),
        Type::Bool => Some(boolean(src)),
        Type::Str => string(src),
        Type::Duration | Type::Size => Some(with_unit(ty.bare(), src)),
        Type::FileMode => Some(file_mode(src)),
        Type::Enum(id) => {
            let variants = program.enumeration(*id).map_or(&[][..], |e| &e.variants);
            Some(format!("write one of {}", list(literal_variants(variants))))
        }
        Type::List(_) | Type::Set(_) => Some(match src.kind() {
            NodeKind::Mapping(_) => "write a list: `- ` before each item".into(),
            _ => "write a list, also of one: `[…]`".into(),
        }),
        Type::Map(..) => Some("write a mapping: `key: value`, without `-` before it".into()),
        Type::Record(id) | Type::Ref(id) => Some(record(program, *id)),
        Type::Union(id) | Type::Variant(id, _) => {
            let tag = program.union(*id).map_or("type", |u| u.tag.as_str());
            Some(format!("write a mapping whose `{tag}` says which one it is"))
        }
        Type::StrLit(_) | Type::IntLit(_) => literal(ty, src),
        Type::OneOf(all) => literal(ty, src).or_else(|| Some(one_of(program, all))),
        Type::Any => Some("only finite numbers of 64 bits, and plain values, can stand here".into()),
        Type::Null => Some("write `null`, or leave it out".into()),
        _ => None,
    }
}

/// The bounds of an int that a refinement gives, if it is nothing but a range.
fn range(program: &Program, ty: &Type) -> Option<(i64, i64)> {
    match ty {
        Type::Refined(inner, id) if matches!(inner.bare(), Type::Int) => {
            let (low, high) = program.refinement(*id).text.split_once("..")?;
            let (high, last) = match high.strip_prefix('=') {
                Some(high) => (high, 0),
                None => (high, 1),
            };
            let number = |text: &str| text.trim().replace('_', "").parse::<i64>().ok();
            Some((number(low)?, number(high)?.checked_sub(last)?))
        }
        Type::Alias(_, inner) | Type::Optional(inner) | Type::Secret(inner) => range(program, inner),
        _ => None,
    }
}

fn number(ty: &Type, src: Src<'_>) -> String {
    match (ty, src.kind()) {
        (Type::Int, NodeKind::BigInt(_)) => format!("write an int from {} to {}", i64::MIN, i64::MAX),
        (Type::Int, NodeKind::Str(text)) if text.parse::<i64>().is_ok() => {
            format!("write it without quotes: `{text}`")
        }
        (Type::Int, NodeKind::Float(f)) if f.fract() == 0.0 => format!("write `{f:.0}`, without a point"),
        (Type::Float, NodeKind::Str(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            format!("write it without quotes: `{text}`")
        }
        (Type::Float, NodeKind::Float(_)) => "only finite numbers have a value".to_owned(),
        (Type::Float, _) => "write a number, such as `1.5`".to_owned(),
        _ => "write a whole number, such as `8080`".to_owned(),
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
        _ => Some("write one string".into()),
    }
}

fn with_unit(ty: &Type, src: Src<'_>) -> String {
    let duration = matches!(ty, Type::Duration);
    match src.kind() {
        NodeKind::Int(i) => number_with_unit(duration, &i.to_string()),
        NodeKind::Str(text) => {
            let parse = if duration { quantity::parse_duration } else { quantity::parse_size };
            match parse(text) {
                Err(QuantityError::NoUnit) => number_with_unit(duration, text),
                Err(QuantityError::Bits) => {
                    "sizes are in bytes: `MB` is 1000 × 1000 of them, `MiB` 1024 × 1024".to_owned()
                }
                Err(QuantityError::Fraction) if duration => {
                    "write whole numbers, with several units: `1h30m`".to_owned()
                }
                Err(QuantityError::Fraction) => {
                    "write a whole number in a smaller unit: `1536MiB`".to_owned()
                }
                Err(QuantityError::Order) => {
                    "write each unit once, the largest first: `1h30m`, `1m500ms`".to_owned()
                }
                Err(QuantityError::TooLarge) => "it is more than 64 bits hold".to_owned(),
                _ => units(duration),
            }
        }
        _ => units(duration),
    }
}

fn number_with_unit(duration: bool, number: &str) -> String {
    match duration {
        true => format!("say the unit: `{number}s`, `{number}ms`, `{number}m`"),
        false => format!("say the unit: `{number}B`, `{number}MiB`, `{number}MB`"),
    }
}

fn units(duration: bool) -> String {
    match duration {
        true => "write numbers with the units `h`, `m`, `s`, `ms`, `us`, `ns`: `30s`, `1h30m`".to_owned(),
        false => "write a number and a unit, without a space: `512B`, `20GiB`, `3GB`".to_owned(),
    }
}

fn file_mode(src: Src<'_>) -> String {
    match file_mode_meant(src) {
        Some((mode, bare)) => {
            format!("write it in quotes, `\"{mode}\"`: YAML reads a bare `{bare}` as a decimal number")
        }
        None => "write the permission bits in octal: `\"0644\"`, or `0o644` in YAML".to_owned(),
    }
}

/// The permission bits that a decimal number was likely meant for, and how it stands there.
fn file_mode_meant(src: Src<'_>) -> Option<(String, i64)> {
    let NodeKind::Int(i) = src.kind() else { return None };
    let digits = i.to_string();
    let octal = (3..=4).contains(&digits.len()) && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    octal.then(|| (format!("{digits:0>4}"), *i))
}

/// What to write instead, where that is certain enough to be offered, and whether it is certain
/// enough to be written without a look.
pub fn fixed(ty: &Type, src: Src<'_>) -> Option<(String, bool)> {
    match (ty.bare(), src.kind()) {
        (Type::Int, NodeKind::Str(text)) => text.parse::<i64>().ok().map(|i| (i.to_string(), false)),
        (Type::Int, NodeKind::Float(f)) if f.fract() == 0.0 && f.abs() < 1e15 => {
            Some((format!("{f:.0}"), false))
        }
        (Type::Bool, NodeKind::Str(text)) => {
            let meant = match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => "true",
                "false" | "no" | "off" | "n" => "false",
                _ => return None,
            };
            Some((meant.to_owned(), false))
        }
        (Type::Str, NodeKind::Int(i)) => Some((format!("\"{i}\""), false)),
        (Type::Str, NodeKind::Bool(b)) => Some((format!("\"{b}\""), false)),
        (Type::FileMode, _) => file_mode_meant(src).map(|(mode, _)| (format!("\"{mode}\""), false)),
        (Type::Secret(inner) | Type::Optional(inner), _) => fixed(inner, src),
        _ => None,
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

/// The kinds of data that alternatives are.
fn one_of(program: &Program, all: &[Type]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for ty in all {
        let word = kinds(program, ty).word();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.split_last() {
        Some((last, before)) if !before.is_empty() => format!("write {} or {last}", before.join(", ")),
        _ => format!("write {}", words.join("")),
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
