//! What is said of mistakes in data: the place in the data first, then that in the schema.

use ecow::EcoString;

use crate::data::NodeKind;
use crate::diag::codes::{data, instance as codes};
use crate::diag::{Diagnostic, Place, did_you_mean, nearest};
use crate::eval::Value;
use crate::model::program::Refinement;
use crate::model::schema::{Decl, FieldDef, FieldKind, Slot, VariantDef};
use crate::model::ty::RefineId;
use crate::model::{Program, RecordDef, Type, TypeDef, TypeId, UnionDef};
use crate::types::show;

use super::layers::Src;
use super::reader::Context;
use super::records::{REMOVE, model_place};
use super::spelling::{fixed, found, literal_variants, spelling};

fn declared(decl: &Decl) -> Place {
    Place::Model { file: decl.file, node: decl.node.0 }
}

/// The root is no mapping.
pub fn not_an_instance(record: &RecordDef, src: Src<'_>, declared: Place) -> Diagnostic {
    let name = record.decl.name;
    let what = if src.node == 0 { "the file" } else { "this item" };
    let (message, help) = match src.kind() {
        NodeKind::Null if src.doc.empty => (
            format!("{what} is empty, and an instance of `{name}` has fields"),
            format!("write its fields, or remove {what}"),
        ),
        NodeKind::Null => (
            format!("{what} holds null, and an instance of `{name}` is a mapping"),
            format!("write its fields instead of `null`, or remove {what}"),
        ),
        NodeKind::Sequence(_) => (
            format!("{what} holds a list, and an instance of `{name}` is a mapping"),
            format!("write one instance a file, or say `slice {name} in \"…\" each` to read a list of them"),
        ),
        other => (
            format!("{what} holds {}, and an instance of `{name}` is a mapping", other.describe()),
            "write its fields, one `name: value` a line".to_owned(),
        ),
    };
    // An empty file has its null at its end.
    let start = || Place::span(src.doc.file, crate::base::Span::at(0));
    let place = if src.doc.empty { start() } else { src.head() };
    Diagnostic::new(codes::NOT_AN_INSTANCE, place, message).label(declared, "declared here").help(help)
}

/// A value of another type than the field's.
pub fn wrong_type(program: &Program, ty: &Type, src: Src<'_>, context: Context<'_>) -> Diagnostic {
    let shown = show(program, ty);
    let (expected, named) = match context.alias {
        Some(alias) if alias.as_str() != "FileMode" => (format!("`{alias}` (`{shown}`)"), alias.to_string()),
        _ => (format!("`{shown}`"), shown.to_string()),
    };
    let found = if context.secret { src.kind().describe().to_owned() } else { found(src) };
    let stands = match src.kind() {
        NodeKind::BigInt(_) => "this int stands here".to_owned(),
        _ => format!("{found} stands here"),
    };
    let declared = match context.listed {
        true => format!("this field holds `{named}`"),
        false => format!("declared as `{named}` here"),
    };
    let problem =
        Diagnostic::new(codes::WRONG_TYPE, src.start(), format!("this is {found}, and {expected} is wanted"))
            .at(stands)
            .label(context.field, declared);
    let problem = match spelling(program, ty.non_null(), src) {
        Some(help) if !context.secret => problem.help(help),
        _ => problem.help(format!("write a value of the type `{named}`")),
    };
    match fixed(ty.non_null(), src) {
        Some((text, safe)) if !context.secret => {
            problem.fix(format!("write `{text}`"), safe, src.place(), text)
        }
        _ => problem,
    }
}

/// A number that other readers take for another.
pub fn leading_zero(number: i64, src: Src<'_>) -> Diagnostic {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    let octal = i64::from_str_radix(&digits, 8).unwrap_or_default();
    Diagnostic::new(data::LEADING_ZERO, src.place(), format!("with its leading zero this is still {number}"))
        .at(format!("decimal in YAML 1.2; readers of YAML 1.1 take it for octal, {sign}{octal}"))
        .help(match number < 0 {
            true => format!("write `{number}`"),
            false => format!("write `{number}`, or `0o{digits}` if octal is meant"),
        })
        .fix(format!("write `{number}`"), false, src.place(), number.to_string())
}

/// An instance that looks like one of another slice.
pub fn other_slice(record: &RecordDef, other: &RecordDef, src: Src<'_>) -> Diagnostic {
    let (name, meant) = (record.decl.name, other.decl.name);
    let what = if src.node == 0 { "file" } else { "item" };
    let message = format!("this looks like a `{meant}`, and stands where instances of `{name}` are");
    let source = other.source.as_ref().map_or("", |s| s.path.as_str());
    Diagnostic::new(data::OTHER_SLICE, src.head(), message)
        .at(format!("nearly no field of this {what} is one of `{name}`"))
        .label(declared(&other.decl), format!("`{meant}` has them"))
        .help(format!("move it to `{source}`, where the instances of `{meant}` are"))
}

/// Null for a field that takes none.
pub fn null(program: &Program, field: &FieldDef, src: Src<'_>) -> Diagnostic {
    let expected = show(program, &field.ty);
    let message = format!("`{}` is null, and `{expected}` is wanted", field.data_name);
    let help = match &field.value {
        Some(_) => format!("leave `{}` out to get its default", field.data_name),
        None => match spelling(program, &field.ty, src) {
            Some(help) => help,
            None => format!("write a value: `{}: …`", field.data_name),
        },
    };
    Diagnostic::new(codes::WRONG_TYPE, src.key_place(), message)
        .label(model_place(field), format!("declared as `{expected}` here"))
        .help(help)
}

/// A value that stands in two places of which neither replaces the other.
pub fn given_twice(first: Src<'_>, second: Src<'_>) -> Diagnostic {
    let name = second.key().map(EcoString::as_str).unwrap_or_default();
    let (message, help) = if first.doc.file == second.doc.file {
        (format!("`{name}` gives a field that is given already"), "remove one of the two")
    } else {
        (
            format!("`{name}` stands in the file for sops and in the one beside it"),
            "keep it in one of the two: a file for sops adds to the other, it replaces nothing",
        )
    };
    Diagnostic::new(codes::GIVEN_TWICE, second.key_place(), message)
        .label(first.key_place(), "given here")
        .help(help)
}

/// A list of names for people: all, or the first ten.
pub fn list<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|n| format!("`{n}`")).collect();
    if names.len() > 12 {
        let more = names.len() - 10;
        names.truncate(10);
        return format!("{} and {more} more", names.join(", "));
    }
    names.join(", ")
}

/// An entry that is no field; `near` is the one that was likely meant.
pub fn unknown_field(record: &RecordDef, entry: Src<'_>, near: Option<&FieldDef>) -> Diagnostic {
    let name = entry.key().map(EcoString::as_str).unwrap_or_default();
    let message = format!("`{}` has no field `{name}`", record.decl.name);
    let problem = Diagnostic::new(codes::UNKNOWN_FIELD, entry.key_place(), message);
    let Some(field) = near else {
        let fields = record.fields.iter().take(record.stored).filter(|f| f.kind != FieldKind::Rest);
        let fields = list(fields.map(|f| f.data_name.as_str()));
        let help = if fields.is_empty() { "it has no fields".to_owned() } else { format!("it has {fields}") };
        return problem.label(declared(&record.decl), "declared here").help(help);
    };
    let near = &field.data_name;
    problem
        .label(model_place(field), format!("`{near}` is declared here"))
        .help(format!("did you mean `{near}`?"))
        .fix(format!("write `{near}`"), false, entry.key_place(), near.as_str())
}

/// `$remove` where nothing can be taken out.
pub fn misplaced_remove(entry: Src<'_>) -> Diagnostic {
    let is_mark = entry.key().is_some_and(|k| k == REMOVE);
    let message = match is_mark {
        true => "`$remove` cannot stand here".to_owned(),
        false => {
            format!("`{}` stands beside `$remove`", entry.key().map(EcoString::as_str).unwrap_or_default())
        }
    };
    Diagnostic::new(codes::MISPLACED_REMOVE, entry.key_place(), message).help(
        "an overlay takes an element out of a list with its key and `$remove: true`, and nothing else; it takes a key out of a map with null",
    )
}

/// A field that must be given.
pub fn missing(record: &RecordDef, field: &FieldDef, here: Src<'_>) -> Diagnostic {
    let name = &field.data_name;
    let message = format!("`{}` lacks its field `{name}`", record.decl.name);
    Diagnostic::new(codes::MISSING_FIELD, here.head(), message)
        .at(format!("this `{}`", record.decl.name))
        .label(model_place(field), "it has no default, and is not optional")
        .help(format!("write `{name}: …`"))
}

/// A part of a key that refers to an instance.
pub fn missing_key(record: &RecordDef, name: &str, src: Src<'_>, field: Place) -> Diagnostic {
    let message = format!("the key of a `{}` lacks its part `{name}`", record.decl.name);
    Diagnostic::new(codes::MISSING_FIELD, src.head(), message)
        .label(field, "refers to it here")
        .help(format!("write `{name}: …`"))
}

/// Something in a key that is no part of it.
pub fn unknown_key(record: &RecordDef, entry: Src<'_>, field: Place) -> Diagnostic {
    let name = entry.key().map(EcoString::as_str).unwrap_or_default();
    let message = format!("the key of a `{}` has no part `{name}`", record.decl.name);
    let keys = || record.keys.iter().map(|k| k.name.as_str());
    Diagnostic::new(codes::UNKNOWN_FIELD, entry.key_place(), message)
        .label(field, "refers to it here")
        .help(did_you_mean(name, keys()).unwrap_or_else(|| format!("it has {}", list(keys()))))
}

/// An assigned field that has no value yet.
pub fn unassigned(record: &RecordDef, field: &FieldDef, here: Src<'_>) -> Diagnostic {
    let message = format!("`{}` of this `{}` has not been assigned yet", field.data_name, record.decl.name);
    Diagnostic::new(codes::UNASSIGNED, here.head(), message)
        .label(model_place(field), "assigned by this")
        .help("run `gops update`, which writes it into the file")
}

/// A name that a field no longer has.
pub fn old_name(record: &RecordDef, slot: Slot, entry: Src<'_>) -> Diagnostic {
    let new = record.fields.get(slot as usize);
    let name = new.map_or("", |f| &f.data_name);
    let old = entry.key().map(EcoString::as_str).unwrap_or_default();
    let message = format!("`{old}` is called `{name}` now");
    let problem = Diagnostic::new(codes::OLD_NAME, entry.key_place(), message)
        .help(format!("write `{name}`"))
        .fix(format!("write `{name}`"), true, entry.key_place(), name);
    match new {
        Some(field) => problem.label(model_place(field), "renamed here"),
        None => problem,
    }
}

/// A field that is not to be used any more.
pub fn deprecated(field: &FieldDef, text: &str, src: Src<'_>) -> Diagnostic {
    let message = format!("`{}` is deprecated: {text}", field.data_name);
    Diagnostic::new(codes::DEPRECATED_DATA, src.key_place(), message)
        .label(model_place(field), "declared deprecated here")
}

/// A variant that is not to be used any more.
pub fn deprecated_variant(decl: &Decl, variant: &VariantDef, text: &str, src: Src<'_>) -> Diagnostic {
    let message = format!("`{}` is deprecated: {text}", variant.data_name);
    let at = Place::Model { file: decl.file, node: variant.node.0 };
    Diagnostic::new(codes::DEPRECATED_DATA, src.place(), message).label(at, "declared deprecated here")
}

/// A value that a refinement refuses.
pub fn refinement(
    program: &Program,
    id: RefineId,
    ty: &Type,
    value: &Value,
    src: Src<'_>,
    context: Context<'_>,
) -> Diagnostic {
    let refinement = program.refinement(id);
    let shown = match (value, src.kind()) {
        _ if context.secret => "this value".to_owned(),
        (_, NodeKind::Str(text)) if text.chars().count() > 60 => "this string".to_owned(),
        (_, NodeKind::Str(text)) => format!("{text:?}"),
        (Value::Int(i), _) => format!("`{i}`"),
        (Value::Float(f), _) => format!("`{f:?}`"),
        (Value::List(items) | Value::Set(items), _) => format!("a list of {} items", items.len()),
        _ => "this value".to_owned(),
    };
    let what = match (refinement.alias, ty) {
        (Some(alias), _) => format!("`{alias}`"),
        (None, Type::Refined(inner, _)) => format!("`{} where {}`", show(program, inner), refinement.text),
        (None, other) => format!("`{}`", show(program, other)),
    };
    let place = Place::Model { file: refinement.body.file, node: refinement.body.root.node.0 };
    let problem = Diagnostic::new(codes::REFINEMENT, src.head(), format!("{shown} is no {what}"))
        .at("this value")
        .label(place, "this does not hold of it")
        .help(refinement_help(refinement));
    match refinement.alias {
        Some(_) => problem.label(context.field, "wanted by this field"),
        None => problem,
    }
}

/// What a value must be: what its author says of it, and the condition if it can be read.
pub fn refinement_help(refinement: &Refinement) -> String {
    let text = &refinement.text;
    let range = text.contains("..") && !text.contains('"');
    let condition = match range {
        true => format!("write a value in `{text}`"),
        false => format!("write a value for which `{text}` holds"),
    };
    let short = text.chars().count() <= 60;
    match (refinement.docs.lines().next(), refinement.alias) {
        (Some(docs), Some(alias)) if !range => {
            let docs = docs.trim_end_matches('.');
            if short { format!("{condition}; `{alias}`: {docs}") } else { format!("`{alias}`: {docs}") }
        }
        (None, Some(alias)) if !short => format!("write a value that is a `{alias}`"),
        _ => condition,
    }
}

/// A string that is no variant of an enum.
pub fn unknown_variant(program: &Program, id: TypeId, src: Src<'_>, field: Place) -> Diagnostic {
    let TypeDef::Enum(def) = program.ty(id) else {
        return Diagnostic::new(codes::UNKNOWN_VARIANT, src.place(), "this is none of the values");
    };
    let written = src.doc.document.str(src.node).map(EcoString::as_str).unwrap_or_default();
    variants(&def.decl, &def.variants, written, src, Some(field))
}

fn variants(
    decl: &Decl,
    all: &[VariantDef],
    written: &str,
    src: Src<'_>,
    field: Option<Place>,
) -> Diagnostic {
    let names = || literal_variants(all);
    let message = format!("`{}` has no `{written}`", decl.name);
    let mut problem = Diagnostic::new(codes::UNKNOWN_VARIANT, src.place(), message)
        .label(declared(decl), format!("it has {}", list(names())));
    if let Some(field) = field {
        problem = problem.label(field, "wanted by this field");
    }
    match nearest(written, names()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")).fix(
            format!("write `{near}`"),
            false,
            src.place(),
            near,
        ),
        None => problem.help(format!("write one of {}", list(names()))),
    }
}

/// A union's mapping without its tag.
pub fn no_tag(def: &UnionDef, src: Src<'_>, field: Place) -> Diagnostic {
    let tag = def.tag;
    let message = format!("this `{}` does not say which one it is", def.decl.name);
    let mut problem = Diagnostic::new(codes::NO_TAG, src.head(), message)
        .at(format!("this `{}`", def.decl.name))
        .label(declared(&def.decl), format!("`{tag}` says it"))
        .label(field, "wanted by this field");
    let keys = || src.children().filter_map(Src::key);
    let near = nearest(tag.as_str(), keys().map(EcoString::as_str));
    let entry = near.and_then(|near| src.get(near));
    let help = match entry {
        Some(entry) => {
            problem = problem.fix(format!("write `{tag}`"), false, entry.key_place(), tag.as_str());
            format!("did you mean `{tag}` by `{}`?", entry.key().map(EcoString::as_str).unwrap_or_default())
        }
        None => format!("write `{tag}: …` with one of {}", list(literal_variants(&def.variants))),
    };
    problem.help(help)
}

/// A tag that names no variant.
pub fn bad_tag(def: &UnionDef, src: Src<'_>) -> Diagnostic {
    match src.kind() {
        NodeKind::Str(written) => variants(&def.decl, &def.variants, written, src, None),
        _ => Diagnostic::new(
            codes::UNKNOWN_VARIANT,
            src.head(),
            format!("`{}` is {}, and says which `{}` this is", def.tag, found(src), def.decl.name),
        )
        .label(declared(&def.decl), "declared here")
        .help(format!("write one of {}", list(literal_variants(&def.variants)))),
    }
}

/// A field beside the tag of a variant that carries nothing.
pub fn empty_variant(def: &UnionDef, variant: &VariantDef, entry: Src<'_>) -> Diagnostic {
    let name = entry.key().map(EcoString::as_str).unwrap_or_default();
    let at = Place::Model { file: def.decl.file, node: variant.node.0 };
    let message = format!("`{}` of `{}` has no fields", variant.data_name, def.decl.name);
    Diagnostic::new(codes::UNKNOWN_FIELD, entry.key_place(), message)
        .label(at, "it carries nothing")
        .help(format!("remove `{name}`"))
}

/// Two elements with one key.
pub fn duplicate_element(key: &[Value], first: Place, second: Place, field: Place) -> Diagnostic {
    let key: Vec<String> = key.iter().map(shown).collect();
    let message = format!("two elements have the key {}", key.join(", "));
    Diagnostic::new(codes::DUPLICATE_ELEMENT, second, message)
        .at("this one")
        .label(first, "and this one")
        .label(field, "elements of this field are told apart by their keys")
        .help("give one of them another key, or remove it")
}

/// Two elements of a default that nothing tells apart.
pub fn duplicate_in_default(key: &[Value], default: Place, field: Place) -> Diagnostic {
    let key: Vec<String> = key.iter().map(shown).collect();
    let message = format!("two elements of this default have the key {}", key.join(", "));
    Diagnostic::new(codes::DUPLICATE_ELEMENT, default, message)
        .label(field, "elements of this field are told apart by their keys")
        .help("give one of them another key, or remove it")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) => format!("`{text}`"),
        Value::Int(i) => format!("`{i}`"),
        Value::Bool(b) => format!("`{b}`"),
        Value::Ref(r) => r.key.iter().map(shown).collect::<Vec<_>>().join(", "),
        _ => "of these values".to_owned(),
    }
}

/// A value that a set has twice.
pub fn repeated(first: Src<'_>, second: Src<'_>, field: Place) -> Diagnostic {
    Diagnostic::new(codes::REPEATED, second.head(), format!("{} stands twice in a set", found(second)))
        .at("here")
        .label(first.head(), "and here")
        .label(field, "declared as a set here")
        .help("remove one of them")
}

/// A key that a map cannot have.
pub fn map_key(program: &Program, ty: &Type, entry: Src<'_>, field: Place) -> Diagnostic {
    let name = entry.key().map(EcoString::as_str).unwrap_or_default();
    let wanted = show(program, ty);
    let message = format!("the key `{name}` is no `{wanted}`");
    let problem = Diagnostic::new(codes::WRONG_TYPE, entry.key_place(), message)
        .label(field, format!("keys are `{wanted}`, as declared here"));
    match ty.bare() {
        Type::Enum(id) => {
            let all = program.enumeration(*id).map_or(&[][..], |e| &e.variants);
            let help = did_you_mean(name, literal_variants(all));
            problem.help(help.unwrap_or_else(|| format!("write one of {}", list(literal_variants(all)))))
        }
        Type::Int => problem.help("write a number in decimal digits"),
        _ => problem,
    }
}

/// An encrypted value where nothing is secret.
pub fn encrypted_plain(src: Src<'_>, field: Place) -> Diagnostic {
    Diagnostic::new(codes::ENCRYPTED, src.place(), "this value is encrypted, and the field is no secret")
        .label(field, "declared here")
        .help("declare the field as `secret<…>`, or store the value in plain")
}

/// An instance of an overlay that the base has not.
pub fn no_base(slice: &RecordDef, src: Src<'_>, declared: Place) -> Diagnostic {
    let message = format!("the base file has no `{}` with this key", slice.decl.name);
    Diagnostic::new(codes::NO_BASE, src.head(), message)
        .label(declared, "declared here")
        .help("an overlay changes instances that there are: check its key, or write it into the base file")
}

/// `$remove` of what is not there.
pub fn nothing_to_remove(src: Src<'_>) -> Diagnostic {
    let message = "there is no such element in the base file to remove";
    Diagnostic::new(codes::NOTHING_TO_REMOVE, src.head(), message).help("check its key, or take this out")
}

/// A path, or the key of a map, that gives a key of a wrong type.
pub fn bound_type(
    program: &Program,
    field: &FieldDef,
    text: &str,
    here: Src<'_>,
    in_map: bool,
) -> Diagnostic {
    let wanted = show(program, &field.ty);
    let (giver, place, help) = match in_map {
        true => ("the map's key", here.head(), "write another key"),
        false => ("the path", Place::File(here.doc.file), "rename the file or folder"),
    };
    let message = format!("{giver} gives `{}` the value `{text}`, which is no `{wanted}`", field.data_name);
    let problem = Diagnostic::new(codes::PATH_KEY, place, message).at(format!("{giver} is no `{wanted}`"));
    problem.label(model_place(field), "declared here").help(help)
}

/// A key that is one thing in the path, or in the map that holds the element, and another here.
pub fn path_disagrees(field: &FieldDef, text: &str, src: Src<'_>, here: Src<'_>, in_map: bool) -> Diagnostic {
    let (giver, help) = match in_map {
        true => ("the key of the map", format!("write `{text}`, or leave it out")),
        false => ("the path", format!("write `{text}`, leave it out, or rename the file")),
    };
    let message = format!("{giver} says that `{}` is `{text}`", field.data_name);
    let mut problem = Diagnostic::new(codes::PATH_KEY, src.head(), message).at("and this says otherwise");
    if in_map {
        problem = problem.label(here.key_place(), "the key of the map");
    }
    problem.label(model_place(field), "declared here").help(help)
}
