//! Where the instances of slices are.

use crate::diag::codes::model as codes;
use crate::diag::{Place, nearest};
use crate::model::schema::{KeyDef, RecordDef, SourceDef, TypeDef};
use crate::model::show;
use crate::model::source::{SourceKind, SourcePattern};
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::{RecordKind, SliceSource};

use super::Declarations;
use super::records::Assembled;

/// Gives slices their sources, and refuses those that overlap.
pub(super) fn all(d: &mut Declarations<'_>, records: &[Assembled<'_>]) {
    for record in records {
        let name = record.tree.name;
        match (&record.tree.source, record.tree.kind) {
            (Some(source), RecordKind::Slice) => set(d, record, source),
            (Some(source), _) => {
                let message = format!("`{}` is no slice, so it is not read from files", name.name);
                let problem = d.problem(codes::SOURCE, record.module, source.path.span, message);
                d.diagnostics.push(problem.help("write `slice`, or take `in \"…\"` away"));
            }
            // A slice without `in` does not parse.
            (None, _) => {}
        }
    }
    overlaps(d, records);
}

fn set(d: &mut Declarations<'_>, made: &Assembled<'_>, source: &SliceSource) {
    let pattern = match SourcePattern::parse(&source.path.text) {
        Ok(pattern) => pattern,
        Err(message) => {
            let problem = d.problem(codes::SOURCE, made.module, source.path.span, message);
            d.diagnostics.push(problem.help("write a folder or a file, such as `slices/sites`"));
            return;
        }
    };
    if let (Some(each), SourceKind::Pattern) = (source.each, pattern.kind()) {
        let message = "a path that binds keys leads to one instance a file";
        let problem = d.problem(codes::SOURCE, made.module, each, message);
        d.diagnostics.push(problem.help("take `each` away, or write a folder without placeholders"));
    }
    let Some(bindings) = bindings(d, made, source, &pattern) else { return };
    let file = d.file(made.module);
    let def = SourceDef {
        path: source.path.text.as_str().into(),
        pattern,
        bindings,
        each: source.each.is_some(),
        node: d.nodes.node(file, source.path.span),
    };
    if let Some(TypeDef::Record(record)) = d.program.types.get_mut(made.id.0 as usize) {
        record.source = Some(def);
    }
}

/// Which key each placeholder binds.
fn bindings(
    d: &mut Declarations<'_>,
    made: &Assembled<'_>,
    source: &SliceSource,
    pattern: &SourcePattern,
) -> Option<Vec<u16>> {
    let mut bound: Vec<u16> = Vec::new();
    for placeholder in pattern.keys() {
        let record = d.program.record(made.id)?;
        let names: Vec<String> = record.keys.iter().map(|k| model_name(d, record, k)).collect();
        let found = names.iter().position(|n| n == placeholder.as_str());
        let (message, help) = match found.and_then(|at| Some((at, record.keys.get(at)?))) {
            None => {
                let near = nearest(placeholder, names.iter().map(String::as_str));
                let help = near.map_or_else(
                    || "a placeholder names a key, declared with `key`".to_owned(),
                    |near| format!("did you mean `{{{near}}}`?"),
                );
                (format!("`{}` has no key `{placeholder}`", made.tree.name.name), help)
            }
            Some((at, _)) if bound.contains(&(at as u16)) => {
                (format!("`{{{placeholder}}}` stands in the path twice"), "each key is bound once".to_owned())
            }
            Some((at, key)) if is_text(d, &key.ty, 0) => {
                bound.push(at as u16);
                continue;
            }
            Some((_, key)) if key.ty.bare() == &Type::Error => return None,
            Some((_, key)) => (
                format!(
                    "the key `{placeholder}`, a `{}`, cannot be a part of a path",
                    show(&d.program, &key.ty)
                ),
                "a placeholder is a string, an int, an enum, or a reference to a slice with one such key"
                    .to_owned(),
            ),
        };
        let problem = d.problem(codes::PLACEHOLDER, made.module, source.path.span, message).help(help);
        d.diagnostics.push(problem);
        return None;
    }
    Some(bound)
}

/// The name of a key as it is declared: the names in models of the fields on its path.
fn model_name(d: &Declarations<'_>, record: &RecordDef, key: &KeyDef) -> String {
    let mut names = Vec::with_capacity(key.path.len());
    let mut at = Some(record);
    for &slot in &key.path {
        let Some(field) = at.and_then(|r| r.fields.get(slot as usize)) else { break };
        names.push(field.name.as_str());
        at = field.ty.record().and_then(|id| d.program.record(id));
    }
    names.join(".")
}

fn is_text(d: &Declarations<'_>, ty: &Type, depth: usize) -> bool {
    match ty.bare() {
        Type::Str | Type::Int | Type::Enum(_) | Type::StrLit(_) | Type::IntLit(_) => true,
        Type::OneOf(all) => all.iter().all(|t| matches!(t.bare(), Type::StrLit(_) | Type::IntLit(_))),
        Type::Ref(id) if depth < 16 => match d.program.record(*id).map(|r| r.keys.as_slice()) {
            Some([one]) => is_text(d, &one.ty, depth + 1),
            _ => false,
        },
        _ => false,
    }
}

/// Folders of slices do not nest, paths with placeholders aside.
fn overlaps(d: &mut Declarations<'_>, records: &[Assembled<'_>]) {
    let source_of = |id: TypeId| d.program.record(id).and_then(|r| r.source.as_ref().map(|s| (r, s)));
    let mut sorted: Vec<(&RecordDef, &SourceDef)> = records
        .iter()
        .filter_map(|r| source_of(r.id))
        .filter(|(_, s)| s.pattern.kind() != SourceKind::Pattern)
        .collect();
    // What lies in a folder follows it directly, once sorted by segments.
    sorted.sort_by(|a, b| segments(a.1).cmp(segments(b.1)));
    let mut found = Vec::new();
    let mut open: Vec<(&RecordDef, &SourceDef)> = Vec::new();
    for (record, source) in sorted {
        while open.last().is_some_and(|(_, outer)| !outer.pattern.overlaps(&source.pattern)) {
            open.pop();
        }
        if let Some((outer, outer_source)) = open.last() {
            let same = outer_source.pattern == source.pattern;
            found.push((
                Place::Model { file: record.decl.file, node: source.node.0 },
                Place::Model { file: outer.decl.file, node: outer_source.node.0 },
                record.decl.name,
                outer.decl.name,
                same,
            ));
        }
        open.push((record, source));
    }
    for (place, other, inner, outer, same) in found {
        let message = match same {
            true => format!("`{inner}` and `{outer}` are read from the same place"),
            false => format!("the files of `{inner}` lie in the folder of `{outer}`"),
        };
        let problem = crate::diag::Diagnostic::new(codes::OVERLAPPING_SOURCES, place, message);
        d.diagnostics.push(
            problem
                .label(other, format!("the files of `{outer}`"))
                .help("a file belongs to one slice: give each a folder of its own"),
        );
    }
}

fn segments(source: &SourceDef) -> impl Iterator<Item = &str> {
    use crate::model::source::Segment;
    source.pattern.segments.iter().map(|s| match s {
        Segment::Text(text) => text.as_str(),
        Segment::Key { key, .. } => key.as_str(),
    })
}
