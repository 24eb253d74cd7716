//! The order in which types are evaluated.
//!
//! A graph of two nodes for each type: the set of its values, and its `impl`s. The set is known
//! before its `impl`s are run; what an `impl` makes belongs to a set that is known only after it;
//! what it reads is a set that is known before it. The graph must have no cycle, whatever the
//! data.

use super::check::uses::{BodyId, Use};
use super::effects::{At, Effects};
use crate::diag::{Diagnostic, Place, codes::types as codes};
use crate::model::order;
use crate::model::program::Stratum;
use crate::model::schema::Slot;
use crate::model::{FieldKind, HirKind, Program, Type, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

/// An edge: the node that is needed, and why.
struct Edge {
    from: u32,
    to: u32,
    why: Why,
}

#[derive(Clone, Copy)]
enum Why {
    /// The values of a type are known before its `impl`s are run.
    Members,
    /// An `impl` of the first makes the second.
    Makes(At),
    /// An `impl` of the first reads the second.
    Reads(At),
}

fn set(id: TypeId) -> u32 {
    id.0 * 2
}

fn impls(id: TypeId) -> u32 {
    id.0 * 2 + 1
}

/// Fills in what each `impl` makes and reads, and the order of the types. A cycle is an error.
pub(super) fn strata(
    program: &mut Program,
    uses: &[(BodyId, Vec<Use>)],
    effects: &[Effects],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut edges = Vec::new();
    for (at, def) in program.types.iter().enumerate() {
        if has_values(def) {
            let id = TypeId(at as u32);
            edges.push(Edge { from: impls(id), to: set(id), why: Why::Members });
        }
    }
    let slices = Holders::new(program);
    for ((id, _), of) in uses.iter().zip(effects) {
        if let BodyId::Value(owner, slot) = id {
            assigned_edges(program, &slices, *owner, *slot, of, &mut edges);
        }
        let BodyId::Impl(index) = id else { continue };
        let Some(def) = program.impls.get_mut(*index as usize) else { continue };
        def.creates = sorted(&of.creates);
        def.reads = sorted(&of.reads);
        if def.transient {
            // What these make is seen by them and by tests alone.
            continue;
        }
        for owner in slices.of(def.ty) {
            for (ty, at) in &of.creates {
                edges.push(Edge { from: set(*ty), to: impls(owner), why: Why::Makes(*at) });
            }
            for (ty, at) in &of.reads {
                edges.push(Edge { from: impls(owner), to: set(*ty), why: Why::Reads(*at) });
            }
        }
    }
    let needs = needs(program, &edges);
    for cycle in order::cycles(&needs) {
        diagnostics.push(cycle_problem(program, &edges, &order::way_round(&needs, &cycle)));
        silence(program, &slices, &cycle);
    }
    let ordered = order::components(&needs).into_iter().flatten();
    program.strata = ordered
        .filter(|node| program.types.get((node / 2) as usize).is_some_and(has_values))
        .map(
            |node| {
                if node % 2 == 0 { Stratum::Set(TypeId(node / 2)) } else { Stratum::Impl(TypeId(node / 2)) }
            },
        )
        .collect();
    transient_strata(program, uses, effects, &slices, diagnostics);
}

/// What `impl`s about history make is seen by them, and by nothing of the lasting graph: they have
/// an order of their own, in which the lasting objects are known. A cycle is an error there, too.
fn transient_strata(
    program: &Program,
    uses: &[(BodyId, Vec<Use>)],
    effects: &[Effects],
    slices: &Holders,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let bodies = || {
        uses.iter().zip(effects).filter_map(|((id, _), of)| {
            let BodyId::Impl(index) = id else { return None };
            Some((program.impls.get(*index as usize)?, of))
        })
    };
    let mut edges: Vec<Edge> = Vec::new();
    let mut made: Vec<TypeId> = Vec::new();
    let mut add = |of: &Effects, owner: TypeId, made: &mut Vec<TypeId>| {
        for (ty, at) in &of.creates {
            edges.push(Edge { from: set(*ty), to: impls(owner), why: Why::Makes(*at) });
            if !made.contains(ty) {
                made.push(*ty);
            }
        }
        for (ty, at) in &of.reads {
            edges.push(Edge { from: impls(owner), to: set(*ty), why: Why::Reads(*at) });
        }
    };
    for (def, of) in bodies().filter(|(def, _)| def.transient) {
        for owner in slices.of(def.ty) {
            add(of, owner, &mut made);
        }
    }
    // The `impl`s of entities that are made on the way run on the way, too.
    let mut at = 0;
    while let Some(&entity) = made.get(at) {
        at += 1;
        for (_, of) in bodies().filter(|(def, _)| !def.transient && def.ty == entity) {
            add(of, entity, &mut made);
        }
    }
    if made.is_empty() {
        return;
    }
    edges.extend(made.iter().map(|&ty| Edge { from: impls(ty), to: set(ty), why: Why::Members }));
    let needs = needs(program, &edges);
    for cycle in order::cycles(&needs) {
        diagnostics.push(cycle_problem(program, &edges, &order::way_round(&needs, &cycle)));
    }
}

/// For each node those that it needs, each once and sorted.
fn needs(program: &Program, edges: &[Edge]) -> Vec<Vec<u32>> {
    let mut needs: Vec<Vec<u32>> = vec![Vec::new(); program.types.len() * 2];
    for edge in edges {
        let of = &mut needs[edge.from as usize];
        if !of.contains(&edge.to) {
            of.push(edge.to);
        }
    }
    needs.iter_mut().for_each(|of| of.sort_unstable());
    needs
}

/// What fills an `assigned` field needs the objects that it reads. Instances it may read freely:
/// those that lack a value are there all the same, and what has one is data.
fn assigned_edges(
    program: &Program,
    slices: &Holders,
    owner: TypeId,
    slot: Slot,
    of: &Effects,
    edges: &mut Vec<Edge>,
) {
    let field = program.record(owner).and_then(|r| r.fields.get(usize::from(slot)));
    if field.is_none_or(|f| f.kind != FieldKind::Assigned) {
        return;
    }
    let is_slice = |ty: TypeId| program.record(ty).is_some_and(|r| r.kind == RecordKind::Slice);
    for holder in slices.of(owner) {
        for (ty, at) in of.reads.iter().filter(|(ty, _)| !is_slice(*ty)) {
            edges.push(Edge { from: set(holder), to: set(*ty), why: Why::Reads(*at) });
        }
    }
}

/// Takes what the `impl`s of a cycle do out of them: there is no order to run them in, and that
/// has been said.
fn silence(program: &mut Program, slices: &Holders, cycle: &[u32]) {
    for def in &mut program.impls {
        if !def.transient && slices.of(def.ty).into_iter().any(|owner| cycle.contains(&impls(owner))) {
            def.when = None;
            def.body.root.kind = HirKind::Error;
            def.creates.clear();
            def.reads.clear();
        }
    }
}

/// Whether values of a type are known by type and key.
fn has_values(def: &TypeDef) -> bool {
    matches!(def, TypeDef::Record(r) if !matches!(r.kind, RecordKind::Struct | RecordKind::Plain))
}

fn sorted(all: &[(TypeId, At)]) -> Vec<TypeId> {
    let mut ids: Vec<TypeId> = all.iter().map(|(ty, _)| *ty).collect();
    ids.sort_unstable();
    ids
}

fn cycle_problem(program: &Program, edges: &[Edge], way: &[u32]) -> Diagnostic {
    let name = |node: u32| super::show::type_name(program, TypeId(node / 2));
    let mut labels = Vec::new();
    for (i, from) in way.iter().enumerate() {
        let Some(to) = way.get(i + 1).or(way.first()) else { continue };
        let Some(edge) = edges.iter().find(|e| e.from == *from && e.to == *to) else { continue };
        match edge.why {
            Why::Members => {}
            Why::Makes(at) => {
                labels.push((at, format!("from `{}` this makes `{}`", name(*to), name(*from)), false))
            }
            Why::Reads(at) => {
                labels.push((at, format!("for `{}` this reads `{}`", name(*from), name(*to)), true))
            }
        }
    }
    // What reads can most likely be written in another way.
    labels.sort_by_key(|(.., reads)| !reads);
    let mut types: Vec<&str> = way.iter().map(|node| name(*node)).collect();
    types.sort_unstable();
    types.dedup();
    let message = match types.as_slice() {
        [one] => format!("what `{one}` there is would have to be known before it is made"),
        several => {
            let all = several.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(", ");
            format!("{all} cannot be ordered: what reads one of them makes another that it depends on")
        }
    };
    let mut labels = labels.into_iter();
    let first = labels.next();
    let place = first.as_ref().map_or_else(
        || Place::File(crate::base::FileId::new("")),
        |((file, span), ..)| Place::span(*file, *span),
    );
    let mut problem = Diagnostic::new(codes::STRATA_CYCLE, place, message);
    if let Some((_, text, _)) = first {
        problem = problem.at(text);
    }
    for ((file, span), text, _) in labels {
        problem = problem.label(Place::span(file, span), text);
    }
    problem.help(
        "read data (slices) instead of objects, or make the object in the `impl` that knows what it needs",
    )
}

/// The slices that hold values of structs and unions.
struct Holders {
    /// For each type, the records and unions whose stored fields hold it.
    direct: Vec<Vec<TypeId>>,
    roots: Vec<bool>,
}

impl Holders {
    fn new(program: &Program) -> Self {
        let mut direct: Vec<Vec<TypeId>> = vec![Vec::new(); program.types.len()];
        let mut roots = vec![false; program.types.len()];
        for (at, def) in program.types.iter().enumerate() {
            let id = TypeId(at as u32);
            let mut hold = |ty: &Type| {
                each_nested(program, ty, &mut |inner| {
                    if let Some(of) = direct.get_mut(inner.0 as usize)
                        && !of.contains(&id)
                    {
                        of.push(id);
                    }
                });
            };
            match def {
                TypeDef::Record(record) => {
                    record.fields.iter().filter(|f| f.kind.is_stored()).for_each(|f| hold(&f.ty));
                    roots[at] = has_values(def);
                }
                TypeDef::Union(union) => {
                    union.variants.iter().filter_map(|v| v.payload.as_ref()).for_each(hold)
                }
                TypeDef::Enum(_) => {}
            }
        }
        Holders { direct, roots }
    }

    /// The type itself, or of a struct or union each type with values of its own that holds it.
    fn of(&self, ty: TypeId) -> Vec<TypeId> {
        let (mut seen, mut open, mut found) = (vec![ty], vec![ty], Vec::new());
        while let Some(at) = open.pop() {
            if self.roots.get(at.0 as usize) == Some(&true) {
                found.push(at);
                continue;
            }
            for holder in self.direct.get(at.0 as usize).into_iter().flatten() {
                if !seen.contains(holder) {
                    seen.push(*holder);
                    open.push(*holder);
                }
            }
        }
        found.sort_unstable();
        found
    }
}

/// Calls `f` for each struct and union that values of a type hold directly.
fn each_nested(program: &Program, ty: &Type, f: &mut impl FnMut(TypeId)) {
    match ty {
        Type::Record(id) if program.types.get(id.0 as usize).is_some_and(|def| !has_values(def)) => f(*id),
        Type::Union(id) | Type::Variant(id, _) => f(*id),
        Type::Alias(_, t)
        | Type::Refined(t, _)
        | Type::Optional(t)
        | Type::List(t)
        | Type::Set(t)
        | Type::Map(_, t)
        | Type::Secret(t)
        | Type::Later(t) => each_nested(program, t, f),
        Type::OneOf(all) => all.iter().for_each(|t| each_nested(program, t, f)),
        _ => {}
    }
}
