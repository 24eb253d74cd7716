//! The state of reading one instance, and which type is read how.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::{FileId, Name};
use crate::data::{EncryptedType, NodeKind};
use crate::diag::{Diagnostic, Place};
use crate::eval::value::{Deferred, DeferredExpr, Element, InstanceId, Reference, Value};
use crate::eval::world::{Instance, InstanceElement, PendingReference};
use crate::model::ty::RefineId;
use crate::model::{Program, RecordDef, Type, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::layers::{Layers, Src};
use super::records::Bound;
use super::shapes::Shapes;
use super::{Ask, InstanceSource, ReadInstance, problems};

/// Reads one instance.
pub struct Reader<'a> {
    pub program: &'a Program,
    pub shapes: &'a Shapes,
    pub ask: &'a dyn Ask,
    pub id: InstanceId,
    pub elements: Vec<Option<InstanceElement>>,
    pub diagnostics: Vec<Diagnostic>,
    pub references: Vec<PendingReference>,
    pub errors: usize,
    /// Keys that the path of the file gives to the next record.
    pub bound: Vec<Bound>,
    /// The key of the map whose value the next record is.
    pub map_key: Option<EcoString>,
}

/// What is known of the place that a value is read for.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The field in the model.
    pub field: Place,
    /// The field's name in data.
    pub name: &'a str,
    /// The element that holds it: index, and none for the root itself.
    pub parent: Option<u32>,
    /// Whether it is one of several in a list, set or map, so that its keys are its identity.
    pub listed: bool,
    /// Whether it is a secret, which may be encrypted and is not told.
    pub secret: bool,
    /// The alias by which its type is declared.
    pub alias: Option<Name>,
}

impl<'a> Reader<'a> {
    pub fn new(
        program: &'a Program,
        shapes: &'a Shapes,
        ask: &'a dyn Ask,
        source: &InstanceSource<'a>,
    ) -> Self {
        let file = source.documents.first().map_or_else(|| FileId::new(""), |(doc, _)| doc.file);
        Reader {
            program,
            shapes,
            ask,
            id: InstanceId { file, item: source.item },
            elements: Vec::new(),
            diagnostics: Vec::new(),
            references: Vec::new(),
            errors: 0,
            bound: source.bindings.to_vec(),
            map_key: None,
        }
    }

    pub fn instance(mut self, slice: TypeId, source: &InstanceSource<'a>) -> ReadInstance {
        let mut layers: Option<Layers<'a>> = None;
        for &(doc, node) in &source.documents {
            let src = Src { doc, node };
            match &mut layers {
                None => layers = Some(Layers::one(src)),
                Some(layers) => layers.push(src),
            }
        }
        let (Some(layers), Some(record)) = (layers, self.program.record(slice)) else {
            return ReadInstance::default();
        };
        let instance = self.root(record, &layers);
        ReadInstance { instance, diagnostics: self.diagnostics, references: self.references }
    }

    fn root(&mut self, record: &'a RecordDef, layers: &Layers<'a>) -> Option<Arc<Instance>> {
        let declared = Place::Model { file: record.decl.file, node: record.decl.node.0 };
        for src in layers.all().filter(|src| !src.is_mapping()) {
            // What is invalid has been reported.
            match src.kind() {
                NodeKind::Invalid => self.errors += 1,
                _ => self.report(problems::not_an_instance(record, src, declared)),
            }
        }
        if layers.all().any(|src| !src.is_mapping()) {
            return None;
        }
        let context =
            Context { field: declared, name: "", parent: None, listed: false, secret: false, alias: None };
        let root = self.record(record, layers, context, None);
        if self.errors > 1
            && let Some(other) = self.other_slice(record, layers.first())
        {
            let broken = |d: &Diagnostic| d.code == crate::diag::codes::instance::DEPRECATED_DATA;
            self.diagnostics.retain(broken);
            self.references.clear();
            self.report(problems::other_slice(record, other, layers.first()));
            return None;
        }
        let key: Arc<[Value]> = record.keys.iter().map(|k| key_value(&root.fields, &k.path)).collect();
        let unfit = record.keys.iter().any(|k| matches!(k.ty, Type::Error));
        if unfit || key.iter().any(|v| matches!(v, Value::Wrong)) {
            return None;
        }
        // No more room than is needed: nearly all instances have one element.
        let mut elements = Vec::with_capacity(self.elements.iter().flatten().count());
        elements.extend(std::mem::take(&mut self.elements).into_iter().flatten());
        let broken = self.errors > 0;
        Some(Arc::new(Instance { id: self.id, ty: record.decl.id, key, elements, broken }))
    }

    /// The slice that has nearly all fields of an instance of which its own has nearly none.
    fn other_slice(&self, record: &RecordDef, src: Src<'a>) -> Option<&'a RecordDef> {
        let keys: Vec<&EcoString> = src.children().filter_map(Src::key).collect();
        let known = |record: &RecordDef| {
            let fields = record.fields.get(..record.stored).unwrap_or_default();
            keys.iter().filter(|key| fields.iter().any(|f| f.data_name == ***key)).count()
        };
        let own = known(record);
        if keys.len() < 3 || own * 2 >= keys.len() || record.rest.is_some() {
            return None;
        }
        let others =
            self.program.slices().filter(|other| other.decl.id != record.decl.id && other.rest.is_none());
        let (fields, best) = others.map(|other| (known(other), other)).max_by_key(|(fields, _)| *fields)?;
        (fields >= own + 2 && fields + 1 >= keys.len()).then_some(best)
    }

    /// Whether a node stands in another file than the base.
    pub fn is_overlay(&self, src: Src<'a>) -> bool {
        src.doc.file != self.id.file
    }

    pub fn report(&mut self, problem: Diagnostic) {
        self.errors += usize::from(problem.is_error());
        self.diagnostics.push(problem);
    }

    /// A value of a type. What is wrong has been reported and is [`Value::Wrong`].
    pub fn value(&mut self, ty: &Type, layers: &Layers<'a>, context: Context<'a>) -> Value {
        let src = layers.last();
        if matches!(src.kind(), NodeKind::Invalid) {
            self.errors += 1;
            return Value::Wrong;
        }
        if matches!(src.kind(), NodeKind::Encrypted(_)) && !context.secret && !may_be_secret(ty) {
            self.report(problems::encrypted_plain(src, context.field));
            return Value::Wrong;
        }
        match ty {
            Type::Alias(name, inner) => {
                let alias = context.alias.or(Some(*name));
                self.value(inner, layers, Context { alias, ..context })
            }
            Type::Refined(inner, refinement) => {
                let value = self.value(inner, layers, context);
                self.refine(*refinement, ty, value, src, context)
            }
            Type::Optional(_) if src.is_null() => Value::Null,
            Type::Optional(inner) => self.value(inner, layers, context),
            Type::Secret(inner) => self.secret(inner, layers, context),
            // No data is known only later.
            Type::Later(inner) => self.value(inner, layers, context),
            Type::OneOf(alternatives) => self.one_of(ty, alternatives, layers, context),
            Type::List(item) => self.list(ty, item, layers, context),
            Type::Set(item) => self.set(ty, item, layers, context),
            Type::Map(key, value) => self.map(ty, key, value, layers, context),
            Type::Record(id) | Type::Ref(id) => match self.program.record(*id) {
                Some(record) if is_nested(record) => match src.is_mapping() || src.node == u32::MAX {
                    true => Value::Record(self.record(record, layers, context, None)),
                    false => self.wrong(ty, src, context),
                },
                Some(record) => self.reference(record, ty, layers, context),
                None => Value::Wrong,
            },
            Type::Union(id) | Type::Variant(id, _) => self.union(*id, ty, layers, context),
            Type::Any => self.any(layers, context),
            Type::Error | Type::Never => {
                self.errors += 1;
                Value::Wrong
            }
            _ => self.scalar(ty, src, context),
        }
    }

    /// Reports a value of a wrong type.
    pub fn wrong(&mut self, ty: &Type, src: Src<'a>, context: Context<'a>) -> Value {
        let problem = problems::wrong_type(self.program, ty, src, context);
        self.report(problem);
        Value::Wrong
    }

    pub fn refine(
        &mut self,
        id: RefineId,
        ty: &Type,
        value: Value,
        src: Src<'a>,
        context: Context<'a>,
    ) -> Value {
        if matches!(value, Value::Wrong | Value::Deferred(_)) {
            return value;
        }
        let fast = self.shapes.fast.get(id.0 as usize).and_then(|f| f.holds(self.program, &value));
        let holds = match fast {
            Some(holds) => Ok(holds),
            None => self.ask.holds(id, &value),
        };
        match holds {
            Ok(true) => value,
            Ok(false) => {
                let problem = problems::refinement(self.program, id, ty, &value, src, context);
                self.report(problem);
                Value::Wrong
            }
            Err(diagnostics) => {
                diagnostics.into_iter().for_each(|d| self.report(d));
                Value::Wrong
            }
        }
    }

    /// As [`Reader::refine`], with all refinements of a type, for a value that is not read from
    /// a node of its own.
    pub fn refine_all(&mut self, ty: &Type, value: Value, src: Src<'a>, context: Context<'a>) -> Value {
        match ty {
            Type::Alias(_, inner) | Type::Optional(inner) => self.refine_all(inner, value, src, context),
            Type::Refined(inner, id) => {
                let value = self.refine_all(inner, value, src, context);
                self.refine(*id, ty, value, src, context)
            }
            _ => value,
        }
    }

    /// A secret: typed like any other value, then known by its place alone.
    fn secret(&mut self, inner: &Type, layers: &Layers<'a>, context: Context<'a>) -> Value {
        let src = layers.last();
        let cipher = match src.kind() {
            NodeKind::Encrypted(encrypted) => {
                if !fits_encrypted(inner, encrypted.ty) {
                    return self.wrong(inner, src, context);
                }
                Some(digest(&encrypted.text))
            }
            _ => {
                let context = Context { secret: true, ..context };
                if matches!(self.value(inner, layers, context), Value::Wrong) {
                    return Value::Wrong;
                }
                None
            }
        };
        let expr = DeferredExpr::Secret { file: src.doc.file, pointer: pointer(src), cipher };
        Value::Deferred(Arc::new(Deferred { secret: true, later: false, expr }))
    }

    /// Of several types the one whose kind of data this is.
    fn one_of(
        &mut self,
        ty: &Type,
        alternatives: &[Type],
        layers: &Layers<'a>,
        context: Context<'a>,
    ) -> Value {
        let src = layers.last();
        let fitting: Vec<&Type> = alternatives.iter().filter(|t| self.accepts(t, src)).collect();
        match fitting.as_slice() {
            [one] => self.value(one, layers, context),
            // `T | secret<T>`: what stands plain in the data is plain.
            [first, ..] => {
                let plain = fitting.iter().find(|t| !matches!(t.bare(), Type::Secret(_)));
                self.value(plain.unwrap_or(first), layers, context)
            }
            [] => self.wrong(ty, src, context),
        }
    }

    fn accepts(&self, ty: &Type, src: Src<'a>) -> bool {
        match (ty.bare(), src.kind()) {
            (Type::Any | Type::Error, _) | (Type::Optional(_) | Type::Null, NodeKind::Null) => true,
            (Type::Secret(_), NodeKind::Encrypted(_)) => true,
            (Type::Secret(inner) | Type::Optional(inner) | Type::Later(inner), _) => self.accepts(inner, src),
            (Type::OneOf(all), _) => all.iter().any(|t| self.accepts(t, src)),
            (Type::StrLit(text), NodeKind::Str(written)) => text == written,
            (Type::IntLit(number), NodeKind::Int(written)) => number == written,
            (Type::Bool, NodeKind::Bool(_))
            | (Type::Int, NodeKind::Int(_) | NodeKind::BigInt(_))
            | (Type::FileMode, NodeKind::Int(_) | NodeKind::Str(_)) => true,
            (Type::Float, NodeKind::Float(_) | NodeKind::Int(_)) => true,
            (Type::Str | Type::Duration | Type::Size | Type::Enum(_), NodeKind::Str(_)) => true,
            (Type::List(_) | Type::Set(_), NodeKind::Sequence(_)) => true,
            (Type::Map(..) | Type::Union(_) | Type::Variant(..), NodeKind::Mapping(_)) => true,
            (Type::Record(id) | Type::Ref(id), kind) => match (self.program.record(*id), kind) {
                (Some(record), NodeKind::Mapping(_)) => is_nested(record) || record.keys.len() != 1,
                (Some(record), _) if !is_nested(record) && record.keys.len() == 1 => {
                    record.keys.first().is_some_and(|k| self.accepts(&k.ty, src))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// A reference to an instance, by its key.
    fn reference(
        &mut self,
        record: &'a RecordDef,
        ty: &Type,
        layers: &Layers<'a>,
        context: Context<'a>,
    ) -> Value {
        let src = layers.last();
        let before = self.errors;
        let key: Vec<Value> = match record.keys.as_slice() {
            [] => Vec::new(),
            [one] if !src.is_mapping() => vec![self.value(&one.ty, layers, context)],
            [_] => return self.wrong(ty, src, context),
            several => {
                if !src.is_mapping() {
                    return self.wrong(ty, src, context);
                }
                let mut key = Vec::with_capacity(several.len());
                for def in several {
                    key.push(match src.get(&def.name) {
                        Some(part) => self.value(&def.ty, &Layers::one(part), context),
                        None if def.ty.is_nullable() => Value::Null,
                        None => {
                            self.report(problems::missing_key(record, &def.name, src, context.field));
                            Value::Wrong
                        }
                    });
                }
                let unknown = src
                    .children()
                    .find(|c| c.key().is_some_and(|k| several.iter().all(|def| def.name != *k)));
                if let Some(unknown) = unknown {
                    self.report(problems::unknown_key(record, unknown, context.field));
                }
                key
            }
        };
        if self.errors > before || key.iter().any(|v| matches!(v, Value::Wrong)) {
            return Value::Wrong;
        }
        let reference = Arc::new(Reference { ty: record.decl.id, key: key.into() });
        self.references.push(PendingReference {
            reference: reference.clone(),
            place: context.field,
            data: Some(src.head()),
        });
        Value::Ref(reference)
    }

    /// The element under construction at an index.
    pub fn element(&self, index: u32) -> Element {
        Element { instance: self.id, index }
    }
}

/// Whether a value of the type may be encrypted, or more has to be known to tell.
fn may_be_secret(ty: &Type) -> bool {
    use Type::{Alias, Error, Later, Never, OneOf, Optional, Refined, Secret};
    matches!(ty, Secret(_) | Optional(_) | Alias(..) | Refined(..) | Later(_) | OneOf(_) | Error | Never)
}

/// Whether a record is nested data, and not referred to by its key.
pub fn is_nested(record: &RecordDef) -> bool {
    matches!(record.kind, RecordKind::Struct | RecordKind::Plain)
}

/// The value that a path of slots leads to.
pub fn key_value(fields: &[Value], path: &[u16]) -> Value {
    match (path.split_first(), path.len()) {
        (Some((&first, _)), 1) => fields.get(first as usize).cloned().unwrap_or(Value::Wrong),
        (Some((&first, rest)), _) => match fields.get(first as usize) {
            Some(Value::Record(record)) => key_value(&record.fields, rest),
            _ => Value::Wrong,
        },
        (None, _) => Value::Wrong,
    }
}

fn fits_encrypted(ty: &Type, encrypted: EncryptedType) -> bool {
    match ty.bare() {
        Type::Any | Type::Error => true,
        Type::Optional(inner) | Type::Secret(inner) => fits_encrypted(inner, encrypted),
        Type::OneOf(all) => all.iter().any(|t| fits_encrypted(t, encrypted)),
        Type::Int | Type::IntLit(_) => encrypted == EncryptedType::Int,
        Type::Float => matches!(encrypted, EncryptedType::Float | EncryptedType::Int),
        Type::Bool => encrypted == EncryptedType::Bool,
        Type::Str | Type::StrLit(_) | Type::Duration | Type::Size | Type::Enum(_) | Type::FileMode => {
            matches!(encrypted, EncryptedType::Str | EncryptedType::Bytes)
        }
        _ => false,
    }
}

fn digest(text: &str) -> EcoString {
    use sha2::Digest as _;
    let hex: String = sha2::Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    hex.into()
}

/// The way to a node as a JSON pointer (RFC 6901).
fn pointer(src: Src<'_>) -> EcoString {
    let document = src.doc.document;
    let mut out = EcoString::new();
    let mut at = 0;
    while at != src.node {
        let below = document.children(at).enumerate();
        let Some((index, child)) = below.take_while(|&(_, c)| c <= src.node).last() else { break };
        out.push('/');
        match document.key(child) {
            Some(key) => out.push_str(&key.as_str().replace('~', "~0").replace('/', "~1")),
            None => out.push_str(&index.to_string()),
        }
        at = child;
    }
    out
}

/// The kinds of records and unions that a type is made of, for elements.
pub fn as_struct<'p>(program: &'p Program, ty: &Type) -> Option<&'p TypeDef> {
    match ty.bare() {
        Type::Record(id) | Type::Union(id) | Type::Variant(id, _) => Some(program.ty(*id)),
        Type::Optional(inner) => as_struct(program, inner),
        _ => None,
    }
}
