//! Where a value came from in the data. Worked out from the expression when there is something
//! to say, so that values carry nothing: an expression that is a path of fields of an element
//! leads to that element's node.

use std::sync::Arc;

use crate::base::FileId;
use crate::diag::{DataPart, Place};
use crate::model::hir::{Clause, MapEntry, Part};
use crate::model::{Hir, HirKind};

use super::machine::{Frame, Machine, This};
use super::value::{Element, Record, Value};
use super::world::{Instance, InstanceElement};

/// How far the way back is followed.
const FAR: u32 = 32;

/// Where something is in the data.
#[derive(Clone, Debug)]
enum Traced {
    /// A struct that was read from data.
    Element(Element),
    /// A value, by its node; and the value itself, if it is a reference that leads further.
    Node(Option<(FileId, u32)>, Option<Value>),
}

/// The place of an element: its node; if it is not in the data, that of what holds it, below the
/// start of the file.
pub(super) fn element_place(instance: &Instance, index: u32) -> Place {
    let element = instance.elements.get(index as usize);
    let holders = std::iter::successors(element, |e| instance.elements.get(e.parent? as usize));
    let place = element.and_then(|e| e.place);
    let place = place.or_else(|| holders.filter_map(|e| e.place).find(|(_, node)| *node != 0));
    node_place(place, DataPart::Value).unwrap_or(Place::File(instance.id.file))
}

/// The place of a stored field of an element, if it stands in the data.
pub(super) fn field_place(element: &InstanceElement, slot: u16, part: DataPart) -> Option<Place> {
    node_place(element.fields.get(slot as usize).copied().flatten(), part)
}

fn node_place(node: Option<(FileId, u32)>, part: DataPart) -> Option<Place> {
    node.map(|(file, node)| Place::Data { file, node, part })
}

impl Machine<'_> {
    /// Where the value of an expression stands in the data.
    pub fn data_place(&self, hir: &Hir) -> Option<Place> {
        match self.trace(hir, &self.frame, self.callers.len(), FAR)? {
            Traced::Element(element) => {
                let instance = self.instance_of(element)?;
                let place = instance.elements.get(element.index as usize)?.place;
                node_place(place, DataPart::Value)
            }
            Traced::Node(node, _) => node_place(node, DataPart::Value),
        }
    }

    /// The element that an expression stands for.
    pub fn traced_element(&self, hir: &Hir) -> Option<Element> {
        match self.trace(hir, &self.frame, self.callers.len(), FAR)? {
            Traced::Element(element) => Some(element),
            Traced::Node(_, value) => self.element_of(&value?),
        }
    }

    /// The element that a value is, or refers to.
    pub fn element_of(&self, value: &Value) -> Option<Element> {
        match value {
            Value::Record(record) | Value::Variant(_, _, Some(record)) => record.element,
            Value::Ref(reference) => {
                let instance = self.world.instance(reference.ty, &reference.key)?;
                instance.elements.first()?.record.element
            }
            _ => None,
        }
    }

    /// `level` is the number of frames below `frame` in `callers`.
    fn trace(&self, hir: &Hir, frame: &Frame<'_>, level: usize, far: u32) -> Option<Traced> {
        let far = far.checked_sub(1)?;
        match &hir.kind {
            HirKind::SelfValue => match &frame.this {
                This::Record(record) => record.element.map(Traced::Element),
                This::Value(value) => self.element_of(value).map(Traced::Element),
                _ => None,
            },
            HirKind::Parent(base) => {
                let element = self.as_element(self.trace(base, frame, level, far)?)?;
                let parent = self.instance_of(element)?.elements.get(element.index as usize)?.parent?;
                Some(Traced::Element(Element { index: parent, ..element }))
            }
            HirKind::Field { base, slot, .. } => {
                let element = self.as_element(self.trace(base, frame, level, far)?)?;
                self.trace_field(element, *slot)
            }
            HirKind::SharedField { base, name } => {
                let element = self.as_element(self.trace(base, frame, level, far)?)?;
                let instance = self.instance_of(element)?;
                let ty = instance.elements.get(element.index as usize)?.record.ty;
                let (slot, _) = self.program.record(ty)?.field(*name)?;
                self.trace_field(element, slot)
            }
            HirKind::Local(local) => self.trace_local(*local, frame, level, far),
            HirKind::Payload(base)
            | HirKind::Tag(base)
            | HirKind::ToFloat(base)
            | HirKind::ToSet(base)
            | HirKind::ToAny(base)
            | HirKind::Refine(base, _)
            | HirKind::As(base, _)
            | HirKind::Unary(_, base)
            | HirKind::Matches { value: base, .. }
            | HirKind::Is(base, _)
            | HirKind::Index { base, .. }
            | HirKind::SliceOf { base, .. }
            | HirKind::Keyed { base, .. }
            | HirKind::OrNull(base)
            | HirKind::Get { base, .. } => self.trace(base, frame, level, far).map(Traced::without_value),
            HirKind::IfSome { base, body, .. } => {
                self.trace(body, frame, level, far).or_else(|| self.trace(base, frame, level, far))
            }
            HirKind::Binary(_, a, b) => {
                self.trace(a, frame, level, far).or_else(|| self.trace(b, frame, level, far))
            }
            HirKind::Builtin { args, .. } => args
                .iter()
                .flatten()
                .find_map(|arg| self.trace(arg, frame, level, far))
                .map(Traced::without_value),
            HirKind::Call { args, .. } | HirKind::Ref { keys: args, .. } | HirKind::List(args) => {
                args.iter().find_map(|arg| self.trace(arg, frame, level, far)).map(Traced::without_value)
            }
            HirKind::Interpolate(parts) => parts.iter().find_map(|part| match part {
                Part::Value { value, .. } => self.trace(value, frame, level, far).map(Traced::without_value),
                Part::Text(_) => None,
            }),
            HirKind::Comprehension { value, .. } => {
                self.trace(value, frame, level, far).map(Traced::without_value)
            }
            _ => None,
        }
    }

    fn trace_field(&self, element: Element, slot: u16) -> Option<Traced> {
        let instance = self.instance_of(element)?;
        let found = instance.elements.get(element.index as usize)?;
        match found.record.fields.get(slot as usize) {
            Some(Value::Record(record) | Value::Variant(_, _, Some(record))) if record.element.is_some() => {
                record.element.map(Traced::Element)
            }
            Some(value) => {
                let node = found.fields.get(slot as usize).copied().flatten();
                Some(Traced::Node(node, Some(value.clone())))
            }
            None => self.trace_derived(&found.record, slot),
        }
    }

    /// A derived field that was computed from something in the data.
    fn trace_derived(&self, record: &Arc<Record>, slot: u16) -> Option<Traced> {
        let body = self.program.record(record.ty)?.fields.get(slot as usize)?.value.as_ref()?;
        let this = This::Record(record.clone());
        let frame = Frame { root: Some(&body.root), file: body.file, base: usize::MAX, this, call: None };
        self.trace(&body.root, &frame, 0, 4).map(Traced::without_value)
    }

    fn as_element(&self, traced: Traced) -> Option<Element> {
        match traced {
            Traced::Element(element) => Some(element),
            Traced::Node(_, value) => self.element_of(&value?),
        }
    }

    fn trace_local(&self, local: u32, frame: &Frame<'_>, level: usize, far: u32) -> Option<Traced> {
        let value = frame.base.checked_add(local as usize).and_then(|at| self.stack.get(at));
        if let Some(element) = value.and_then(|v| self.element_of(v)) {
            return Some(Traced::Element(element));
        }
        if let Some((_, args)) = &frame.call
            && let Some(arg) = args.get(local as usize)
        {
            let below = level.checked_sub(1)?;
            return self.trace(arg, self.callers.get(below)?, below, far);
        }
        let bound = binding(frame.root?, local, 256)?;
        self.trace(bound, frame, level, far).map(Traced::without_value)
    }
}

impl Traced {
    /// Something made of what was found: the same place, but not the same value.
    fn without_value(self) -> Self {
        match self {
            Traced::Node(node, _) => Traced::Node(node, None),
            element => element,
        }
    }
}

/// What a local is bound to, or what it goes through.
fn binding(root: &Hir, local: u32, depth: u32) -> Option<&Hir> {
    let depth = depth.checked_sub(1)?;
    let within = |hir: &&Hir| binding(hir, local, depth).is_some();
    let inside = |hir| binding(hir, local, depth);
    match &root.kind {
        HirKind::Let { local: bound, value } if *bound == local => Some(value),
        HirKind::For { locals, over, .. } if locals.contains(&local) => Some(over),
        HirKind::Let { value, .. } => inside(value),
        HirKind::For { over, body, .. } => inside(over).or_else(|| inside(body)),
        HirKind::IfSome { base, local: bound, body } => {
            if *bound == local {
                Some(base)
            } else {
                inside(base).or_else(|| inside(body))
            }
        }
        HirKind::Comprehension { clauses, key, value } => clauses
            .iter()
            .find_map(|clause| match clause {
                Clause::For { locals, over } if locals.contains(&local) => Some(over),
                Clause::Let { local: bound, value } if *bound == local => Some(value),
                Clause::For { over: hir, .. } | Clause::If(hir) | Clause::Let { value: hir, .. } => {
                    inside(hir)
                }
            })
            .or_else(|| key.as_deref().and_then(inside))
            .or_else(|| inside(value)),
        HirKind::Builtin { args, .. } => {
            let bound = args.iter().flatten().find(|arg| match &arg.kind {
                HirKind::Lambda { params, .. } => params.contains(&local),
                _ => false,
            });
            match bound {
                Some(_) => args.first().and_then(Option::as_ref),
                None => args.iter().flatten().find(within).and_then(inside),
            }
        }
        HirKind::Lambda { body, .. } => inside(body),
        HirKind::Block { stmts, value } => {
            stmts.iter().find_map(inside).or_else(|| value.as_deref().and_then(inside))
        }
        HirKind::If { condition, then, otherwise } => {
            inside(condition).or_else(|| inside(then)).or_else(|| otherwise.as_deref().and_then(inside))
        }
        HirKind::Match { subject, arms } => {
            inside(subject).or_else(|| arms.iter().find_map(|(_, body)| inside(body)))
        }
        HirKind::Interpolate(parts) => parts.iter().find_map(|part| match part {
            Part::Value { value, .. } => inside(value),
            Part::Text(_) => None,
        }),
        HirKind::Construct(construct) => {
            construct.fields.iter().map(|(_, v)| v).chain(&construct.after).find_map(inside)
        }
        HirKind::Struct { fields, .. } => fields.iter().find_map(|(_, v)| inside(v)),
        HirKind::Variant { payload: Some(payload), .. } => inside(payload),
        HirKind::Binary(_, a, b) => inside(a).or_else(|| inside(b)),
        HirKind::List(items) | HirKind::Call { args: items, .. } | HirKind::Ref { keys: items, .. } => {
            items.iter().find_map(inside)
        }
        HirKind::Map(entries) => entries.iter().find_map(|entry| match entry {
            MapEntry::Pair(key, value) => inside(key).or_else(|| inside(value)),
            MapEntry::Spread(value) => inside(value),
        }),
        HirKind::Field { base, .. }
        | HirKind::SharedField { base, .. }
        | HirKind::Payload(base)
        | HirKind::OrNull(base)
        | HirKind::Unary(_, base)
        | HirKind::ToAny(base)
        | HirKind::ToSet(base)
        | HirKind::ToFloat(base)
        | HirKind::Refine(base, _)
        | HirKind::As(base, _) => inside(base),
        _ => None,
    }
}
