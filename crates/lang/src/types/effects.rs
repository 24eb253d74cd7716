//! What bodies need of one another: no function needs itself, derived fields go up or down but
//! not in circles, and what a body reads it reads for whoever uses it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::check::uses::{BodyId, Origin, Use, UseKind};
use crate::base::{FileId, Span};
use crate::diag::{Diagnostic, Place, codes::types as codes};
use crate::model::order;
use crate::model::schema::Slot;
use crate::model::{FieldKind, Program, TypeId};

/// A place in a model.
pub(super) type At = (FileId, Span);

/// What a body reads and makes, also through what it uses, and where in it.
#[derive(Clone, Default, Debug)]
pub(super) struct Effects {
    /// Types whose objects are read, with the first place.
    pub reads: Vec<(TypeId, At)>,
    /// Types whose objects are made.
    pub creates: Vec<(TypeId, At)>,
}

/// All bodies with what each needs.
struct Graph<'a> {
    program: &'a Program,
    ids: Vec<BodyId>,
    numbers: FxHashMap<BodyId, u32>,
    /// Of each body, what it evaluates: which, of which element, and where.
    edges: Vec<Vec<(u32, Origin, At)>>,
    uses: &'a [(BodyId, Vec<Use>)],
}

/// The effects of every body, by its number in `uses`, and the bodies that need themselves; what
/// breaks the rules is added to the diagnostics.
pub(super) fn effects(
    program: &Program,
    uses: &[(BodyId, Vec<Use>)],
    untyped: &FxHashSet<BodyId>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Effects>, Vec<BodyId>) {
    let graph = Graph::new(program, uses);
    let needs: Vec<Vec<u32>> = graph.edges.iter().map(|e| e.iter().map(|(to, ..)| *to).collect()).collect();
    let mut endless = Vec::new();
    for cycle in order::cycles(&needs) {
        let ids = || cycle.iter().filter_map(|b| graph.ids.get(*b as usize)).copied();
        if cycle.iter().any(|b| graph.ids.get(*b as usize).is_some_and(|id| untyped.contains(id))) {
            endless.extend(ids());
            continue;
        }
        let said = diagnostics.len();
        graph.cycle(&needs, &cycle, diagnostics);
        if diagnostics.len() > said {
            endless.extend(ids());
        }
    }
    let effects = graph.closure(&needs);
    graph.refuse_reads(&effects, diagnostics);
    (effects, endless)
}

impl<'a> Graph<'a> {
    fn new(program: &'a Program, uses: &'a [(BodyId, Vec<Use>)]) -> Self {
        let ids: Vec<BodyId> = uses.iter().map(|(id, _)| *id).collect();
        let numbers: FxHashMap<BodyId, u32> =
            ids.iter().enumerate().map(|(at, id)| (*id, at as u32)).collect();
        let mut graph = Graph { program, ids, numbers, edges: Vec::with_capacity(uses.len()), uses };
        for (_, uses) in uses {
            let mut edges = Vec::new();
            for used in uses {
                graph.edges_of(used, &mut edges);
            }
            graph.edges.push(edges);
        }
        graph
    }

    fn edges_of(&self, used: &Use, edges: &mut Vec<(u32, Origin, At)>) {
        let at = (used.file, used.span);
        let mut to = |id: BodyId, from: Origin| {
            if let Some(&number) = self.numbers.get(&id) {
                edges.push((number, from, at));
            }
        };
        match &used.kind {
            UseKind::Body(id, from) => to(*id, *from),
            UseKind::Defaults(ty, slots) => {
                slots.iter().for_each(|slot| to(BodyId::Value(*ty, *slot), Origin::Other));
            }
            UseKind::Reads(_) | UseKind::Creates(_) => {}
        }
    }

    /// Reads and makings, of what is needed first; within a cycle until nothing is added.
    fn closure(&self, needs: &[Vec<u32>]) -> Vec<Effects> {
        let mut effects: Vec<Effects> = vec![Effects::default(); self.ids.len()];
        for component in order::components(needs) {
            let mut grew = true;
            while grew {
                grew = false;
                for &body in &component {
                    let of = self.direct_and_used(body, &effects);
                    if let Some(slot) = effects.get_mut(body as usize) {
                        let more = of.reads.len() > slot.reads.len() || of.creates.len() > slot.creates.len();
                        grew |= more && component.len() > 1;
                        *slot = of;
                    }
                }
            }
        }
        effects
    }

    fn direct_and_used(&self, body: u32, effects: &[Effects]) -> Effects {
        let mut found = Effects::default();
        let Some((_, uses)) = self.uses.get(body as usize) else { return found };
        for used in uses {
            let at = (used.file, used.span);
            match used.kind {
                UseKind::Reads(ty) => add(&mut found.reads, ty, at),
                UseKind::Creates(ty) => add(&mut found.creates, ty, at),
                _ => {}
            }
        }
        for (to, _, at) in self.edges.get(body as usize).into_iter().flatten() {
            let Some(used) = effects.get(*to as usize) else { continue };
            used.reads.iter().for_each(|(ty, _)| add(&mut found.reads, *ty, *at));
            used.creates.iter().for_each(|(ty, _)| add(&mut found.creates, *ty, *at));
        }
        found
    }

    // Cycles.

    fn is_derived(&self, body: u32) -> bool {
        match self.ids.get(body as usize) {
            Some(BodyId::Value(ty, slot)) => {
                let field = self.program.record(*ty).and_then(|r| r.fields.get(*slot as usize));
                field.is_some_and(|f| f.kind == FieldKind::Derived)
            }
            _ => false,
        }
    }

    fn cycle(&self, needs: &[Vec<u32>], cycle: &[u32], diagnostics: &mut Vec<Diagnostic>) {
        let inside = |to: u32| cycle.binary_search(&to).is_ok();
        if !cycle.iter().all(|b| self.is_derived(*b)) {
            diagnostics.push(self.recursion(needs, cycle));
            return;
        }
        let steps = cycle.iter().flat_map(|b| self.edges[*b as usize].iter().map(move |e| (*b, e)));
        let steps: Vec<(u32, u32, Origin, At)> = steps
            .filter(|(_, (to, ..))| inside(*to))
            .map(|(from, (to, origin, at))| (from, *to, *origin, *at))
            .collect();
        let up = steps.iter().find(|s| s.2 == Origin::Up);
        let down = steps.iter().find(|s| s.2 == Origin::Down);
        let other = steps.iter().find(|s| matches!(s.2, Origin::Other | Origin::Own));
        let problem = if let Some(step) = other {
            self.derived_cycle(
                needs,
                cycle,
                step.3,
                "this is another value, whose own fields may need this one",
            )
        } else if let (Some(up), Some(down)) = (up, down) {
            let (file, span) = down.3;
            self.derived_cycle(needs, cycle, up.3, "this step goes to the parent")
                .label(Place::span(file, span), "this one goes to nested values")
        } else {
            // Steps within one value must not go in a circle.
            let mut here: Vec<Vec<u32>> = vec![Vec::new(); needs.len()];
            for (from, to, origin, _) in &steps {
                if *origin == Origin::Here {
                    here[*from as usize].push(*to);
                }
            }
            let Some(round) = order::cycles(&here).into_iter().next() else { return };
            let first = round.first().copied().unwrap_or_default();
            let at = steps.iter().find(|s| s.0 == first && s.2 == Origin::Here).map(|s| s.3);
            let Some(at) = at else { return };
            self.derived_cycle(&here, &round, at, "this is needed first")
        };
        diagnostics.push(problem.help("all steps of a circle must go to `parent`, or all to nested values"));
    }

    fn derived_cycle(&self, needs: &[Vec<u32>], cycle: &[u32], at: At, label: &str) -> Diagnostic {
        let names: Vec<String> = order::way_round(needs, cycle).iter().map(|b| self.name(*b)).collect();
        let message = match names.as_slice() {
            [one] => format!("{one} needs itself"),
            _ => format!("{} need one another", names.join(", ")),
        };
        let (file, span) = at;
        let mut problem = Diagnostic::new(codes::DERIVED_CYCLE, Place::span(file, span), message).at(label);
        for &body in cycle {
            if let Some(place) = self.place(body) {
                problem = problem.label(place, format!("{} is declared here", self.name(body)));
            }
        }
        problem
    }

    fn recursion(&self, needs: &[Vec<u32>], cycle: &[u32]) -> Diagnostic {
        let way = order::way_round(needs, cycle);
        let names: Vec<String> = way.iter().map(|b| self.name(*b)).collect();
        let message = match names.as_slice() {
            [one] => format!("{one} needs itself"),
            _ => format!("{} need one another", names.join(", ")),
        };
        let mut places = way.iter().enumerate().filter_map(|(i, from)| {
            let to = way.get(i + 1).or(way.first())?;
            let (_, _, at) = self.edges.get(*from as usize)?.iter().find(|(next, ..)| next == to)?;
            Some((*at, format!("here {} needs {}", self.name(*from), self.name(*to))))
        });
        let ((file, span), label) =
            places.next().unwrap_or(((FileId::new(""), Span::default()), String::new()));
        let mut problem = Diagnostic::new(codes::RECURSION, Place::span(file, span), message).at(label);
        for ((file, span), label) in places {
            problem = problem.label(Place::span(file, span), label);
        }
        problem.help(
            "go through lists with `map`, `filter` and `fold`, and through nested data with derived fields",
        )
    }

    fn name(&self, body: u32) -> String {
        match self.ids.get(body as usize) {
            Some(BodyId::Value(ty, slot)) => match self.field(*ty, *slot) {
                Some((record, field, true)) => format!("`{record}.{field}`"),
                Some((record, field, false)) => format!("the default of `{record}.{field}`"),
                None => "a field".to_owned(),
            },
            Some(BodyId::Function(index)) => {
                let function = self.program.functions.get(*index as usize);
                format!("`{}`", function.map_or("?", |f| f.name.as_str()))
            }
            Some(BodyId::Const(index)) => {
                let constant = self.program.consts.get(*index as usize);
                format!("`{}`", constant.map_or("?", |c| c.name.as_str()))
            }
            Some(BodyId::Refinement(id)) => {
                let refinement = self.program.refinements.get(id.0 as usize);
                format!("`where {}`", refinement.map_or("?", |r| r.text.as_str()))
            }
            Some(BodyId::Impl(_)) | None => "an `impl`".to_owned(),
        }
    }

    /// The names of a record and one of its fields, and whether that is derived.
    fn field(&self, ty: TypeId, slot: Slot) -> Option<(&'static str, &'static str, bool)> {
        let record = self.program.record(ty)?;
        let field = record.fields.get(slot as usize)?;
        Some((record.decl.name.as_str(), field.name.as_str(), field.kind == FieldKind::Derived))
    }

    fn place(&self, body: u32) -> Option<Place> {
        match self.ids.get(body as usize)? {
            BodyId::Value(ty, slot) => {
                let field = self.program.record(*ty)?.fields.get(*slot as usize)?;
                Some(Place::Model { file: field.file, node: field.node.0 })
            }
            BodyId::Function(index) => {
                let function = self.program.functions.get(*index as usize)?;
                Some(Place::Model { file: function.body.file, node: function.node.0 })
            }
            _ => None,
        }
    }

    // What must not read.

    /// Defaults, refinements and constants are evaluated before there is anything to read.
    fn refuse_reads(&self, effects: &[Effects], diagnostics: &mut Vec<Diagnostic>) {
        for (body, (_, uses)) in self.uses.iter().enumerate() {
            let Some(what) = self.reads_nothing(body as u32) else { continue };
            let direct = uses.iter().find_map(|used| match used.kind {
                UseKind::Reads(ty) => Some((ty, (used.file, used.span))),
                _ => None,
            });
            // What another one of them reads is said there.
            let through = self.edges[body].iter().filter(|(to, ..)| self.reads_nothing(*to).is_none());
            let used = through.filter_map(|(to, _, at)| {
                let (ty, _) = effects.get(*to as usize)?.reads.first()?;
                Some((*ty, *at))
            });
            let Some((ty, (file, span))) = direct.into_iter().chain(used).next() else { continue };
            let name = super::show::type_name(self.program, ty);
            let message = format!("{what} cannot read what `{name}` there is");
            let problem = Diagnostic::new(codes::NOT_READABLE, Place::span(file, span), message);
            diagnostics.push(problem.at("this reads it").help("derived fields (`let`) and `impl`s can"));
        }
    }

    /// What a body is, if it must not read any type.
    fn reads_nothing(&self, body: u32) -> Option<&'static str> {
        match self.ids.get(body as usize)? {
            BodyId::Value(ty, slot) => {
                let field = self.program.record(*ty)?.fields.get(*slot as usize)?;
                (!matches!(field.kind, FieldKind::Derived | FieldKind::Assigned)).then_some("a default")
            }
            BodyId::Refinement(_) => Some("a refinement"),
            BodyId::Const(_) => Some("a constant"),
            _ => None,
        }
    }
}

fn add(all: &mut Vec<(TypeId, At)>, ty: TypeId, at: At) {
    if !all.iter().any(|(t, _)| *t == ty) {
        all.push((ty, at));
    }
}
