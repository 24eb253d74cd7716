//! A new instance file: what must be given, and what may be, as comments.

use std::fmt::Write as _;

use ecow::EcoString;

use crate::data::print;
use crate::model::schema::{FieldDef, Slot};
use crate::model::show::show;
use crate::model::{FieldKind, HirKind, Program, RecordDef, Type};
use crate::syntax::ast::RecordKind;

/// The text of a new instance of a slice with this key, one text for each of its key fields.
pub fn scaffold(program: &Program, slice: &RecordDef, keys: &[String]) -> String {
    let mut writer = Writer { program, keys, slice, out: String::new() };
    writer.comment(&slice.decl.docs, 0);
    writer.fields(slice, &mut Vec::new(), 0);
    // A file of comments alone is an empty one.
    if writer.out.lines().all(|line| line.trim_start().starts_with('#')) {
        writer.out.push_str("{}\n");
    }
    writer.out
}

struct Writer<'a> {
    program: &'a Program,
    slice: &'a RecordDef,
    keys: &'a [String],
    out: String,
}

/// Required structs may nest; a model has no endless one.
const DEEPEST: usize = 16;

impl<'a> Writer<'a> {
    fn fields(&mut self, record: &'a RecordDef, path: &mut Vec<Slot>, depth: usize) {
        for (slot, field) in (0..).zip(record.fields.iter().take(record.stored)) {
            path.push(slot);
            self.field(field, path, depth);
            path.pop();
        }
    }

    fn field(&mut self, field: &'a FieldDef, path: &mut Vec<Slot>, depth: usize) {
        // What is written back is no business of whoever fills in the rest.
        if field.deprecated.is_some() || matches!(field.kind, FieldKind::Rest | FieldKind::Assigned) {
            return;
        }
        let pad = "  ".repeat(depth);
        let name = print::yaml_string(&field.data_name);
        self.comment(&field.docs, depth);
        let ty = show(self.program, &field.ty).to_string();
        let key = self.slice.keys.iter().position(|k| k.path == *path).and_then(|at| self.keys.get(at));
        let leads_to_key =
            self.slice.keys.iter().any(|k| k.path.len() > path.len() && k.path.starts_with(path));
        let nested = match field.ty.bare() {
            Type::Record(id) => self.program.record(*id).filter(|r| r.kind != RecordKind::Slice),
            _ => None,
        };
        let required = field.value.is_none() && !field.ty.is_nullable();
        let line = match (key, nested) {
            (Some(key), _) => format!("{pad}{name}: {}", key_text(&field.ty, key)),
            (None, Some(record)) if (required || leads_to_key) && depth < DEEPEST => {
                let _ = writeln!(self.out, "{pad}{name}:");
                self.fields(record, path, depth + 1);
                return;
            }
            _ if required => format!("{pad}{name}:   # {ty}, required"),
            _ => match default_text(self.program, field) {
                Some(default) => format!("{pad}# {name}: {default}   # {ty}"),
                None => format!("{pad}# {name}:   # {ty}"),
            },
        };
        let _ = writeln!(self.out, "{line}");
    }

    fn comment(&mut self, docs: &EcoString, depth: usize) {
        for line in docs.lines() {
            let _ = writeln!(self.out, "{}# {line}", "  ".repeat(depth));
        }
    }
}

/// A key as YAML has it: as text only where the type says string.
fn key_text(ty: &Type, key: &str) -> String {
    match ty.bare() {
        Type::Int | Type::Bool => key.to_owned(),
        _ => print::yaml_string(key),
    }
}

/// A default that can be written down as it is.
fn default_text(program: &Program, field: &FieldDef) -> Option<String> {
    let Some(body) = &field.value else { return Some("null".to_owned()) };
    let mut root = &body.root;
    while let HirKind::Refine(inner, _) = &root.kind {
        root = inner;
    }
    Some(match &root.kind {
        HirKind::Null => "null".to_owned(),
        HirKind::Bool(value) => value.to_string(),
        HirKind::Int(value) => value.to_string(),
        HirKind::Float(value) => format!("{value:?}"),
        HirKind::Str(value) => print::yaml_string(value),
        HirKind::List(items) if items.is_empty() => "[]".to_owned(),
        HirKind::Map(entries) if entries.is_empty() => "{}".to_owned(),
        HirKind::Enum(ty, variant) => {
            let variants = &program.enumeration(*ty)?.variants;
            print::yaml_string(&variants.get(usize::from(*variant))?.data_name)
        }
        _ => return None,
    })
}

/// Where a new instance with a key goes: below the folder of the slice, or where its pattern
/// says. None for a slice whose files hold several instances.
pub fn path(slice: &RecordDef, keys: &[String]) -> Option<String> {
    let source = slice.source.as_ref().filter(|source| !source.each)?;
    if source.path.contains('{') {
        let mut path = source.path.to_string();
        for (def, key) in slice.keys.iter().zip(keys) {
            path = path.replace(&format!("{{{}}}", def.name), key);
        }
        return Some(path);
    }
    let name: Vec<String> = match keys {
        [] => vec![slice.decl.name.as_str().to_lowercase()],
        keys => keys.iter().map(|key| file_name(key)).collect(),
    };
    Some(format!("{}/{}.yaml", source.path, name.join("-")))
}

/// A key as a part of the name of a file.
fn file_name(key: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = key.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    // A dot would make it an overlay, or hide it.
    name.replace('.', "-")
}
