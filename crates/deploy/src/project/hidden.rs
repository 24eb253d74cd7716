//! What an excerpt of a data file must not show: the plain values of secret fields. A mistake
//! beside one, on the same line, shows that line; and so does one of the value itself.
//!
//! Where a file parses, its values are found by the types of the slice, with unknown names taken
//! for what they were likely meant to be. Where it does not, by the names that secret fields have
//! anywhere: what stands behind such a name is hidden. Where the same text stands elsewhere in the
//! files of the instance, as in a comment, it is hidden too.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FileId, Span};
use crate::data::{Document, NodeKind, Spans};
use crate::db::{Database, Db as _, SourceFile};
use crate::diag::{Diagnostic, Place, nearest};
use crate::model::schema::FieldDef;
use crate::model::{Program, RecordDef, Type, TypeDef};
use crate::syntax::ast::RecordKind;

use super::units;

/// Finds what is to be hidden, each file once.
pub(super) struct Hider<'a> {
    db: &'a Database,
    program: &'a Program,
    /// The names that fields with secrets have in data.
    names: FxHashSet<&'a str>,
    /// The unit that each file of the project belongs to, by its base file.
    units: FxHashMap<FileId, SourceFile>,
    known: FxHashMap<FileId, Arc<[Span]>>,
}

impl<'a> Hider<'a> {
    /// Over the base files of all units. None where nothing in the data can be secret.
    pub(super) fn new(
        db: &'a Database,
        program: &'a Program,
        bases: impl Iterator<Item = FileId>,
    ) -> Option<Self> {
        let names = secret_names(program);
        if names.is_empty() {
            return None;
        }
        let mut units = FxHashMap::default();
        for base in bases {
            let source = db.source(base);
            units.insert(base, source);
            let Some(unit) = source.unit(db) else { continue };
            let beside = unit.overlays.iter().map(|(_, file)| *file).chain(unit.encrypted);
            units.extend(beside.map(|file| (file.path(db), source)));
        }
        Some(Hider { db, program, names, units, known: FxHashMap::default() })
    }

    /// Says with a resolved diagnostic what must not be shown of its files, and takes it out of
    /// what it says itself.
    pub(super) fn hide(&mut self, diagnostic: &mut Diagnostic) {
        for at in 0..diagnostic.labels.len() {
            let Some(label) = diagnostic.labels.get(at) else { continue };
            let (file, place) = (label.place.file(), label.place);
            let Some(spans) = self.spans(file) else { continue };
            diagnostic.hide(file, &spans);
            let Place::Span(place) = place else { continue };
            let touched = |s: &&Span| s.start <= place.span.start && place.span.start < s.end;
            if let Some(span) = spans.iter().find(touched)
                && let Some(text) = super::origins::text(self.db, file)
                && let Some(secret) = text.get(span.range())
            {
                scrub(diagnostic, secret);
            }
        }
    }

    fn spans(&mut self, file: FileId) -> Option<Arc<[Span]>> {
        let base = *self.units.get(&file)?;
        if let Some(known) = self.known.get(&file) {
            return Some(known.clone());
        }
        let mut found = self.find(base, self.db.source(file));
        let text = super::origins::text(self.db, file).unwrap_or_default();
        for &file in &self.beside(base) {
            let values = self.find(base, self.db.source(file));
            let source = super::origins::text(self.db, file).unwrap_or_default();
            for value in values.iter().filter_map(|span| source.get(span.range())).flat_map(words) {
                let at = text.match_indices(value).map(|(at, _)| Span::new(at, at + value.len()));
                found.extend(at);
            }
        }
        found.sort();
        found.dedup();
        let found: Arc<[Span]> = found.into();
        self.known.insert(file, found.clone());
        Some(found)
    }

    /// The files of an instance.
    fn beside(&self, base: SourceFile) -> Vec<FileId> {
        let mut files = vec![base.path(self.db)];
        if let Some(unit) = base.unit(self.db) {
            let beside = unit.overlays.iter().map(|(_, file)| *file).chain(unit.encrypted);
            files.extend(beside.map(|file| file.path(self.db)));
        }
        files
    }

    fn find(&self, base: SourceFile, file: SourceFile) -> Vec<Span> {
        let Some(unit) = base.unit(self.db) else { return Vec::new() };
        let slice = self.program.find(&unit.slice).and_then(|id| self.program.record(id));
        let parsed = units::parse(self.db, file, unit.each);
        let by_text = || {
            super::origins::text(self.db, file.path(self.db))
                .map_or_else(Vec::new, |t| by_text(&t, &self.names))
        };
        let spans = &parsed.spans;
        match (&parsed.document, slice) {
            (Some(document), Some(slice)) => {
                let mut finder = Finder { hider: self, document, spans, found: Vec::new() };
                match unit.each {
                    true => document.children(Document::ROOT).for_each(|item| finder.record(slice, item, 64)),
                    false => finder.record(slice, Document::ROOT, 64),
                }
                // What is wrong with the document may have left a part out of it.
                if !parsed.diagnostics.is_empty() {
                    finder.found.extend(by_text());
                }
                finder.found
            }
            _ => by_text(),
        }
    }

    fn is_secret_name(&self, name: &str) -> bool {
        names_one(&self.names, name)
    }
}

/// Whether a name is one of these, or was likely meant to be.
fn names_one(names: &FxHashSet<&str>, name: &str) -> bool {
    names.contains(name) || nearest(name, names.iter().copied()).is_some()
}

fn secret_names(program: &Program) -> FxHashSet<&str> {
    let mut names = FxHashSet::default();
    for ty in &program.types {
        let TypeDef::Record(record) = ty else { continue };
        // What models make does not stand in data.
        if !matches!(record.kind, RecordKind::Slice | RecordKind::Struct | RecordKind::Plain) {
            continue;
        }
        for field in record.fields.iter().take(record.stored).filter(|f| has_secret(&f.ty)) {
            names.insert(field.data_name.as_str());
            names.extend(field.was.iter().map(EcoString::as_str));
        }
    }
    names
}

/// Whether a value of the type holds secrets beside those of the structs in it.
fn has_secret(ty: &Type) -> bool {
    match ty {
        Type::Secret(_) => true,
        Type::Optional(inner)
        | Type::Later(inner)
        | Type::List(inner)
        | Type::Set(inner)
        | Type::Map(_, inner)
        | Type::Alias(_, inner)
        | Type::Refined(inner, _) => has_secret(inner),
        Type::OneOf(types) => types.iter().any(has_secret),
        _ => false,
    }
}

/// Goes through a document and the types that it should have.
struct Finder<'a> {
    hider: &'a Hider<'a>,
    document: &'a Document,
    spans: &'a Spans,
    found: Vec<Span>,
}

impl Finder<'_> {
    fn value(&mut self, ty: &Type, node: u32, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return self.whole(node) };
        match ty {
            Type::Secret(_) => self.whole(node),
            Type::Optional(inner) | Type::Later(inner) | Type::Alias(_, inner) | Type::Refined(inner, _) => {
                self.value(inner, node, depth);
            }
            Type::List(inner) | Type::Set(inner) | Type::Map(_, inner) => {
                let document = self.document;
                let list = !matches!(ty, Type::Map(..));
                match document.value(node) {
                    // One item without its list.
                    NodeKind::Mapping(_) if list => self.value(inner, node, depth),
                    NodeKind::Mapping(_) | NodeKind::Sequence(_) => {
                        document.children(node).for_each(|child| self.value(inner, child, depth));
                    }
                    _ => self.value(inner, node, depth),
                }
            }
            Type::OneOf(types) => types.iter().for_each(|ty| self.value(ty, node, depth)),
            Type::Record(id) => match self.hider.program.record(*id) {
                Some(record) => self.record(record, node, depth),
                None => self.unknown(node, depth),
            },
            Type::Union(id) | Type::Variant(id, _) => {
                let program = self.hider.program;
                let variants = program.union(*id).map_or(&[][..], |u| &u.variants);
                // Its tag may be the mistake: what is secret in any variant is.
                for record in variants.iter().filter_map(|v| program.record(v.payload.as_ref()?.record()?)) {
                    self.record(record, node, depth);
                }
            }
            _ => self.unknown(node, depth),
        }
    }

    fn record(&mut self, record: &RecordDef, node: u32, depth: u32) {
        let document = self.document;
        let Some(depth) = depth.checked_sub(1) else { return self.whole(node) };
        for child in document.children(node) {
            // A list where one was wanted.
            if document.key(child).is_none() {
                self.record(record, child, depth);
                continue;
            }
            match document.key(child).and_then(|key| meant(record, key)) {
                Some(field) => self.value(&field.ty, child, depth),
                None => self.unknown(child, depth),
            }
        }
    }

    /// What no type is known of.
    fn unknown(&mut self, node: u32, depth: u32) {
        if self.document.key(node).is_some_and(|key| self.hider.is_secret_name(key)) {
            return self.whole(node);
        }
        let Some(depth) = depth.checked_sub(1) else { return self.whole(node) };
        let document = self.document;
        document.children(node).for_each(|child| self.unknown(child, depth));
    }

    fn whole(&mut self, node: u32) {
        if let NodeKind::Encrypted(_) = self.document.value(node) {
            return;
        }
        self.found.extend(self.spans.values.get(node as usize).copied().filter(|s| !s.is_empty()));
    }
}

/// What of a secret is looked for elsewhere: each line of it without its quotes. What is shorter
/// than this would hide half of any text.
const SHORTEST: usize = 4;

fn words(value: &str) -> impl Iterator<Item = &str> {
    value.lines().map(|line| line.trim().trim_matches(['"', '\'']).trim()).filter(|w| w.len() >= SHORTEST)
}

/// The field that a name in data gives, or was likely meant to.
fn meant<'r>(record: &'r RecordDef, key: &str) -> Option<&'r FieldDef> {
    let fields = || record.fields.iter().take(record.stored);
    let is = |f: &&FieldDef| f.data_name == key || f.was.iter().any(|w| w == key);
    fields().find(is).or_else(|| {
        let near = nearest(key, fields().map(|f| f.data_name.as_str()))?;
        fields().find(|f| f.data_name == near)
    })
}

/// What stands behind one of the names in a text that does not parse: up to the end of its
/// string, or of the line, with the lines that are indented further.
fn by_text(text: &str, names: &FxHashSet<&str>) -> Vec<Span> {
    let mut found = Vec::new();
    let mut below = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let bare = line.trim_end().len();
        match below {
            Some(key) if indent > key || bare == 0 => {
                if bare > indent {
                    found.push(Span::new(at + indent, at + bare));
                }
            }
            _ => {
                let before = found.len();
                values_of(&line[..bare], at, names, &mut found);
                below = (found.len() > before || ends_with_name(&line[..bare], names)).then_some(indent);
            }
        }
        at += line.len();
    }
    found
}

/// The names before each `:` of a line, with where the value behind it starts.
fn keys(line: &str) -> impl Iterator<Item = (&str, usize)> {
    line.match_indices(':').map(|(colon, _)| {
        let before = line[..colon].trim_end().trim_end_matches(['"', '\'']);
        let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let name = &before[before.trim_end_matches(is_name).len()..];
        (name, colon + 1)
    })
}

fn ends_with_name(line: &str, names: &FxHashSet<&str>) -> bool {
    keys(line).any(|(name, value)| line[value..].trim().is_empty() && names_one(names, name))
}

fn values_of(line: &str, at: usize, names: &FxHashSet<&str>, found: &mut Vec<Span>) {
    let mut done = 0;
    for (name, after) in keys(line) {
        let start = after + (line[after..].len() - line[after..].trim_start().len());
        let encrypted =
            line[start.min(line.len())..].trim_start_matches(['"', '\'']).starts_with("ENC[AES256_GCM,");
        if start < done || start >= line.len() || encrypted || !names_one(names, name) {
            continue;
        }
        let value = &line[start..];
        let quote = value.chars().next().filter(|c| ['"', '\''].contains(c));
        let length = match quote {
            Some(quote) => value[1..].find(quote).map_or(value.len(), |n| n + 2),
            None if line[..after].contains('{') => value.find([',', '}']).unwrap_or(value.len()),
            None => value.len(),
        };
        done = start + length;
        found.push(Span::new(at + start, at + done));
    }
}

/// Takes what a diagnostic quotes of a secret out of what it says, and the changes that would
/// write it.
fn scrub(diagnostic: &mut Diagnostic, secret: &str) {
    diagnostic.message = without(&diagnostic.message, secret);
    diagnostic.help = diagnostic.help.take().map(|help| without(&help, secret));
    for label in &mut diagnostic.labels {
        label.message = without(&label.message, secret);
    }
    let tells = |text: &str| secret.contains(text) && text.contains(char::is_alphanumeric);
    diagnostic.fixes.retain(|fix| !fix.edits.iter().any(|edit| tells(edit.text.trim_matches(['"', '\'']))));
}

/// A text with each part in backticks or quotes that stands in the secret left out.
fn without(text: &str, secret: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['`', '"']) {
        let Some(quote) = rest[start..].chars().next() else { break };
        let inner = start + 1;
        let Some(length) = rest[inner..].find(quote) else { break };
        let quoted = &rest[inner..inner + length];
        let bare = quoted.trim_matches(['"', '\'', '&', '*', '!']);
        out.push_str(&rest[..inner]);
        match bare.contains(char::is_alphanumeric) && secret.contains(bare) {
            true => out.push('…'),
            false => out.push_str(quoted),
        }
        out.push(quote);
        rest = &rest[inner + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let names = FxHashSet::from_iter(["password"]);
        let mut out = text.to_owned();
        for span in by_text(text, &names).into_iter().rev() {
            out.replace_range(span.range(), "*");
        }
        out
    }

    #[test]
    fn values_behind_names_are_found_in_any_text() {
        for (text, expected) in [
            ("password: \"a b\nport: [", "password: *\nport: ["),
            ("a: [\n  password: x # y\n", "a: [\n  password: *\n"),
            ("{ \"password\": \"x\", \"port\": }", "{ \"password\": *, \"port\": }"),
            ("{ pasword: x, port: ] }", "{ pasword: *, port: ] }"),
            ("password: |\n  one\n\n  two\nport: 1\n", "password: *\n  *\n\n  *\nport: 1\n"),
            ("password:\n  - one\nport: 1\n", "password:\n  *\nport: 1\n"),
            ("name: a\n", "name: a\n"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn what_is_quoted_of_a_secret_is_left_out() {
        assert_eq!(without("no anchor `&hunter` stands", "*hunter"), "no anchor `…` stands");
        assert_eq!(without("\"x y\" is no `int`", "'x y'"), "\"…\" is no `int`");
        assert_eq!(without("this `", "a"), "this `");
    }
}
