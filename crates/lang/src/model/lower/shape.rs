//! What the shape of a type must be where it stands: data that can be written down, elements
//! with an identity, values that end.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::Place;
use crate::diag::codes::model as codes;
use crate::model::schema::{FieldDef, FieldKind, Slot, TypeDef};
use crate::model::show;
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::RecordKind;

use super::Declarations;
use super::records::Assembled;

/// Fills in targets and holders, and checks the shapes of all records.
pub(super) fn all(d: &mut Declarations<'_>, records: &[Assembled<'_>]) {
    let by_id: FxHashMap<TypeId, &Assembled<'_>> = records.iter().map(|r| (r.id, r)).collect();
    for record in records {
        handler(d, record);
        target(d, record);
    }
    data(d, records, &by_id);
    endless(d, records, &by_id);
    holders(d);
}

fn handler(d: &mut Declarations<'_>, record: &Assembled<'_>) {
    let name = record.tree.name;
    let is_resource = record.tree.kind == RecordKind::Resource;
    match &record.tree.handler {
        Some(handler) if !is_resource => {
            let message = format!("`{}` is no resource, so nothing handles it", name.name);
            let problem = d.problem(codes::HANDLER, record.module, handler.span, message);
            d.diagnostics.push(problem.help("write `resource`, or take `handled by` away"));
        }
        Some(handler) => {
            let text = handler.text.as_str().into();
            if let Some(TypeDef::Record(def)) = d.program.types.get_mut(record.id.0 as usize) {
                def.handler = Some(text);
            }
        }
        None if is_resource => {
            let message = format!("nothing says who deploys the resource `{}`", name.name);
            let problem = d.problem(codes::HANDLER, record.module, name.span, message);
            d.diagnostics
                .push(problem.help("write `handled by \"…\"` after its name, or declare an `entity`"));
        }
        None => {}
    }
}

/// A resource's one field whose type is a target.
fn target(d: &mut Declarations<'_>, made: &Assembled<'_>) {
    if made.tree.kind != RecordKind::Resource {
        return;
    }
    let Some(record) = d.program.record(made.id) else { return };
    let is_target = |f: &FieldDef| {
        let id = f.ty.non_null().record();
        id.and_then(|id| d.program.record(id)).is_some_and(|r| r.kind == RecordKind::Target)
    };
    let found: Vec<Slot> =
        (0..record.stored).filter(|&s| is_target(&record.fields[s])).map(|s| s as Slot).collect();
    if let [first, second, ..] = found.as_slice() {
        let names = [*first, *second].map(|s| (record.fields[s as usize].name, made.places[s as usize]));
        let place = d.place(names[0].1.0, names[0].1.1);
        let message = format!(
            "`{}` and `{}` are both targets, and a resource is deployed on one",
            names[0].0, names[1].0
        );
        let problem = d.problem(codes::TARGET, names[1].1.0, names[1].1.1, message);
        d.diagnostics
            .push(problem.label(place, "the first").help("give one of them another type, such as its name"));
    }
    let slot = found.first().copied();
    if let Some(TypeDef::Record(def)) = d.program.types.get_mut(made.id.0 as usize) {
        def.target = slot;
    }
}

/// Checks that what slices hold can be written in data, and that elements have an identity.
fn data(d: &mut Declarations<'_>, records: &[Assembled<'_>], by_id: &FxHashMap<TypeId, &Assembled<'_>>) {
    let mut seen = FxHashSet::default();
    let mut queue = VecDeque::new();
    for record in records.iter().filter(|r| r.tree.kind == RecordKind::Slice) {
        if seen.insert((record.id, false)) {
            queue.push_back((record.id, false));
        }
    }
    let mut said = FxHashSet::default();
    while let Some((id, in_plain)) = queue.pop_front() {
        let Some(def) = d.program.record(id) else { continue };
        let in_plain = in_plain || def.kind == RecordKind::Plain;
        let fields: Vec<(usize, Type)> = def
            .fields
            .iter()
            .enumerate()
            .filter(|(_, f)| f.kind.is_stored())
            .map(|(i, f)| (i, f.ty.clone()))
            .collect();
        for (slot, ty) in fields {
            let mut walk = Walk { below: Vec::new(), problem: None, in_plain };
            walk.ty(d, &ty, Position::Single);
            for next in walk.below {
                if seen.insert((next, in_plain)) {
                    queue.push_back((next, in_plain));
                }
            }
            let place = by_id.get(&id).and_then(|r| r.places.get(slot)).copied();
            if let (Some((code, message, help, other)), Some((module, span))) = (walk.problem, place)
                && said.insert((id, slot))
            {
                let mut problem = d.problem(code, module, span, message).help(help);
                if let Some(place) = other {
                    problem = problem.label(place, "declared here");
                }
                d.diagnostics.push(problem);
            }
        }
    }
}

/// Where a type stands in the type of a field.
#[derive(Clone)]
enum Position {
    /// The field's value, or a part of one that is no element.
    Single,
    /// An element of a list or set.
    Element,
    /// A value of a map with keys of this type.
    MapValue(Type),
    /// An element of a list of lists.
    Deep,
}

type Problem = (crate::diag::Code, String, String, Option<Place>);

struct Walk {
    below: Vec<TypeId>,
    problem: Option<Problem>,
    in_plain: bool,
}

impl Walk {
    fn say(&mut self, code: crate::diag::Code, message: String, help: String, other: Option<Place>) {
        self.problem.get_or_insert((code, message, help, other));
    }

    fn ty(&mut self, d: &Declarations<'_>, ty: &Type, position: Position) {
        match ty {
            Type::Alias(_, inner) | Type::Refined(inner, _) | Type::Optional(inner) | Type::Secret(inner) => {
                self.ty(d, inner, position);
            }
            Type::OneOf(all) => all.iter().for_each(|t| self.ty(d, t, position.clone())),
            Type::List(inner) | Type::Set(inner) => {
                let inside = match position {
                    Position::Single | Position::MapValue(_) => Position::Element,
                    Position::Element | Position::Deep => Position::Deep,
                };
                self.ty(d, inner, inside);
            }
            Type::Map(key, value) => {
                let inside = match position {
                    Position::Single => Position::MapValue(key.as_ref().clone()),
                    _ => Position::Deep,
                };
                self.ty(d, value, inside);
            }
            Type::Later(_) => self.say(
                codes::NOT_IN_DATA,
                "a `later` value is known only after a deploy, so it cannot stand in data".to_owned(),
                "take `later` away, or make it a field of an entity".to_owned(),
                None,
            ),
            Type::Record(id) => self.record(d, *id, position),
            Type::Union(id) => self.union(d, *id, position),
            _ => {}
        }
    }

    fn record(&mut self, d: &Declarations<'_>, id: TypeId, position: Position) {
        let Some(record) = d.program.record(id) else { return };
        let name = record.decl.name;
        let place = Place::Model { file: record.decl.file, node: record.decl.node.0 };
        match record.kind {
            RecordKind::Struct | RecordKind::Plain => {}
            RecordKind::Slice => {
                return self.say(
                    codes::NOT_IN_DATA,
                    format!("an instance of `{name}` stands in a file of its own"),
                    format!("refer to it by its key: `ref<{name}>`"),
                    Some(place),
                );
            }
            _ => {
                return self.say(
                    codes::NOT_IN_DATA,
                    format!("`{name}` is made by models and cannot stand in data"),
                    "make it a derived field with `let`, or store the value that tells it".to_owned(),
                    Some(place),
                );
            }
        }
        self.below.push(id);
        if self.in_plain || record.kind == RecordKind::Plain {
            return;
        }
        let keys: Vec<&Type> = record.keys.iter().map(|k| &k.ty).collect();
        if keys.contains(&&Type::Error) {
            return;
        }
        match position {
            Position::Single => {}
            Position::Element if keys.is_empty() => self.say(
                codes::NO_IDENTITY,
                format!("the elements have no identity: `{name}` has no key"),
                format!(
                    "write `key` before the fields that tell one `{name}` from another, or `plain struct`"
                ),
                Some(place),
            ),
            Position::Element => {}
            Position::MapValue(key) => self.map_value(d, &key, &keys, name.as_str(), place),
            Position::Deep => self.deep(name.as_str(), place),
        }
    }

    /// The map key fills the one key of the struct.
    fn map_value(&mut self, d: &Declarations<'_>, key: &Type, keys: &[&Type], name: &str, place: Place) {
        let fits = match keys {
            [] => true,
            [one] => unrefined(one) == unrefined(key),
            _ => false,
        };
        if !fits {
            let shown = show(&d.program, key).to_string();
            self.say(
                codes::NO_IDENTITY,
                format!("the map's key cannot be the key of `{name}`"),
                format!("in a map, a struct has no key or one of the type of the map's keys, `{shown}`"),
                Some(place),
            );
        }
    }

    fn deep(&mut self, name: &str, place: Place) {
        self.say(
            codes::NO_IDENTITY,
            format!("`{name}` stands in a list of lists, where its key does not tell one from another"),
            "put a struct with a key between the two, or declare a `plain struct`".to_owned(),
            Some(place),
        );
    }

    fn union(&mut self, d: &Declarations<'_>, id: TypeId, position: Position) {
        let Some(union) = d.program.union(id) else { return };
        let name = union.decl.name;
        let place = Place::Model { file: union.decl.file, node: union.decl.node.0 };
        let payloads: Vec<Option<TypeId>> =
            union.variants.iter().map(|v| v.payload.as_ref().and_then(Type::record)).collect();
        self.below.extend(payloads.iter().flatten());
        let records: Vec<_> = payloads.iter().map(|p| p.and_then(|id| d.program.record(id))).collect();
        let identities: Vec<Vec<Type>> = records
            .iter()
            .map(|r| r.map_or(Vec::new(), |r| r.keys.iter().map(|k| unrefined(&k.ty)).collect()))
            .collect();
        let all_plain = records.iter().flatten().all(|r| r.kind == RecordKind::Plain);
        if matches!(position, Position::Single) || self.in_plain || all_plain {
            return;
        }
        let broken = union.variants.iter().any(|v| v.payload == Some(Type::Error));
        if broken || identities.iter().flatten().any(|t| *t == Type::Error) {
            return;
        }
        match position {
            Position::Single => {}
            Position::Deep => self.deep(name.as_str(), place),
            Position::Element => {
                let first = identities.first().cloned().unwrap_or_default();
                if first.is_empty() || identities.iter().any(|i| *i != first) {
                    self.say(
                        codes::NO_IDENTITY,
                        format!("the elements have no identity: not every variant of `{name}` has a key of one type"),
                        "give the struct of each variant a `key` of the same type, or make all of them plain"
                            .to_owned(),
                        Some(place),
                    );
                }
            }
            Position::MapValue(key) => {
                for record in records.iter().flatten() {
                    let keys: Vec<&Type> = record.keys.iter().map(|k| &k.ty).collect();
                    self.map_value(d, &key, &keys, record.decl.name.as_str(), place);
                }
            }
        }
    }
}

/// The type without aliases, refinements and `?`, by which keys are compared.
fn unrefined(ty: &Type) -> Type {
    match ty.non_null().bare() {
        Type::StrLit(_) => Type::Str,
        Type::IntLit(_) => Type::Int,
        Type::OneOf(all) => all.first().map_or(Type::Error, unrefined),
        Type::Record(id) => Type::Ref(*id),
        bare => bare.clone(),
    }
}

/// Structs of which no finite value exists.
fn endless(d: &mut Declarations<'_>, records: &[Assembled<'_>], by_id: &FxHashMap<TypeId, &Assembled<'_>>) {
    let finite = finite_types(d, by_id);
    let mut said = FxHashSet::default();
    for record in records {
        if finite.contains(&record.id) || said.contains(&record.id) {
            continue;
        }
        // Follow the first field that never ends until a type comes again.
        let mut way: Vec<(TypeId, usize)> = Vec::new();
        let mut at = record.id;
        while let Some((slot, next)) = blocking(d, by_id, &finite, at) {
            if way.iter().any(|(id, _)| *id == at) {
                break;
            }
            way.push((at, slot));
            at = next;
        }
        let start = way.iter().position(|(id, _)| *id == at).unwrap_or(0);
        let circle = way.get(start..).unwrap_or_default();
        if circle.is_empty() || circle.iter().any(|(id, _)| said.contains(id)) {
            continue;
        }
        said.extend(circle.iter().map(|(id, _)| *id));
        let mut problem = None;
        for (id, slot) in circle {
            let Some((module, span)) = by_id.get(id).and_then(|r| r.places.get(*slot)).copied() else {
                continue;
            };
            let name = d.program.ty(*id).decl().name;
            problem = Some(match problem.take() {
                None => d
                    .problem(
                        codes::ENDLESS,
                        module,
                        span,
                        format!("a value of `{name}` would never end: it needs another one"),
                    )
                    .help("make the field optional, or a list"),
                Some(problem) => {
                    let place = d.place(module, span);
                    crate::diag::Diagnostic::label(problem, place, "and through this field")
                }
            });
        }
        d.diagnostics.extend(problem);
    }
}

/// Records and unions of which a finite value exists: grown until nothing is added.
fn finite_types(d: &Declarations<'_>, by_id: &FxHashMap<TypeId, &Assembled<'_>>) -> FxHashSet<TypeId> {
    let mut finite = FxHashSet::default();
    loop {
        let before = finite.len();
        for def in &d.program.types {
            let id = def.decl().id;
            let ends = match def {
                TypeDef::Enum(_) => true,
                TypeDef::Union(union) => union.variants.iter().any(|v| {
                    v.payload.as_ref().is_none_or(|p| p.record().is_none_or(|id| finite.contains(&id)))
                }),
                TypeDef::Record(_) => blocking(d, by_id, &finite, id).is_none(),
            };
            if ends {
                finite.insert(id);
            }
        }
        if finite.len() == before {
            return finite;
        }
    }
}

/// The first field of a record that needs a value of a type that is not known to end, and that
/// type (through a union, the record of its first variant).
fn blocking(
    d: &Declarations<'_>,
    by_id: &FxHashMap<TypeId, &Assembled<'_>>,
    finite: &FxHashSet<TypeId>,
    id: TypeId,
) -> Option<(usize, TypeId)> {
    let record = d.program.record(id)?;
    if !matches!(record.kind, RecordKind::Struct | RecordKind::Plain | RecordKind::Slice) {
        return None;
    }
    let defaults = &by_id.get(&id)?.defaults;
    record.fields.iter().enumerate().filter(|(_, f)| f.kind.is_stored()).find_map(|(slot, field)| {
        if defaults.get(slot).copied().unwrap_or(false) || field.kind == FieldKind::Assigned {
            return None;
        }
        needed(d, finite, &field.ty).map(|next| (slot, next))
    })
}

/// The record without which there is no value of a type, if it is not known to end.
fn needed(d: &Declarations<'_>, finite: &FxHashSet<TypeId>, ty: &Type) -> Option<TypeId> {
    match ty.bare() {
        Type::Record(id) => {
            let record = d.program.record(*id)?;
            let nested = matches!(record.kind, RecordKind::Struct | RecordKind::Plain);
            (nested && !finite.contains(id)).then_some(*id)
        }
        Type::Union(id) if !finite.contains(id) => {
            d.program.union(*id)?.variants.iter().find_map(|v| v.payload.as_ref().and_then(Type::record))
        }
        Type::OneOf(all) => {
            let needs: Vec<Option<TypeId>> = all.iter().map(|t| needed(d, finite, t)).collect();
            if needs.iter().all(Option::is_some) { needs.into_iter().flatten().next() } else { None }
        }
        _ => None,
    }
}

/// Which structs and slices hold each struct, unions, lists and maps skipped.
fn holders(d: &mut Declarations<'_>) {
    let mut holders: FxHashMap<TypeId, Vec<TypeId>> = FxHashMap::default();
    for def in &d.program.types {
        let TypeDef::Record(record) = def else { continue };
        if !matches!(record.kind, RecordKind::Struct | RecordKind::Slice) {
            continue;
        }
        let mut held = Vec::new();
        for field in record.fields.iter().filter(|f| f.kind.is_stored()) {
            held_by(d, &field.ty, &mut held);
        }
        held.sort_unstable();
        held.dedup();
        for id in held {
            holders.entry(id).or_default().push(record.decl.id);
        }
    }
    for def in &mut d.program.types {
        if let TypeDef::Record(record) = def {
            record.holders = holders.remove(&record.decl.id).unwrap_or_default();
        }
    }
}

fn held_by(d: &Declarations<'_>, ty: &Type, held: &mut Vec<TypeId>) {
    match ty {
        Type::Alias(_, inner)
        | Type::Refined(inner, _)
        | Type::Optional(inner)
        | Type::Secret(inner)
        | Type::Later(inner)
        | Type::List(inner)
        | Type::Set(inner)
        | Type::Map(_, inner) => held_by(d, inner, held),
        Type::OneOf(all) => all.iter().for_each(|t| held_by(d, t, held)),
        Type::Record(id) if d.program.record(*id).is_some_and(|r| r.kind == RecordKind::Struct) => {
            held.push(*id);
        }
        Type::Union(id) => {
            let payloads = d.program.union(*id).map(|u| u.variants.as_slice()).unwrap_or_default();
            payloads.iter().filter_map(|v| v.payload.as_ref()).for_each(|p| held_by(d, p, held));
        }
        _ => {}
    }
}
