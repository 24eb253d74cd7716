//! Reading: fields, elements, references.

use std::sync::Arc;

use crate::base::Name;
use crate::diag::{Diagnostic, codes::eval as codes};
use crate::model::hir::Folder;
use crate::model::schema::Slot;
use crate::model::{FieldKind, Hir, HirKind, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::deferred::operation;
use super::files::folder_of;
use super::machine::{Eval, Machine, This};
use super::print;
use super::value::{Deferred, DeferredExpr, Element, Key, Object, Record, Reference, Value};
use super::world::PendingReference;

/// How many records that were read by reference are kept at hand.
const RECENT: usize = 8;

impl<'w> Machine<'w> {
    /// `self` as a value. An instance or object is a reference to it, so that it compares and is
    /// stored as one.
    pub fn self_value(&mut self, hir: &Hir) -> Eval {
        match &self.frame.this {
            This::Record(record) => {
                let record = record.clone();
                self.record_value(hir, record)
            }
            This::Object(object) => Ok(Value::Ref(object.reference.clone())),
            This::Value(value) => Ok(value.clone()),
            This::Partial { .. } | This::None => Err(self.unexpected(hir)),
        }
    }

    /// An element as a value.
    fn record_value(&mut self, hir: &Hir, record: Arc<Record>) -> Eval {
        match self.program.types.get(record.ty.0 as usize) {
            Some(TypeDef::Record(def)) if def.kind == RecordKind::Slice => {
                Ok(Value::Ref(self.instance_reference(hir, &record)?))
            }
            _ => Ok(Value::Record(record)),
        }
    }

    /// The reference to an instance, made once for the one that the run is about.
    fn instance_reference(&mut self, hir: &Hir, record: &Record) -> Eval<Arc<Reference>> {
        let own = record.element.map(|e| e.instance) == self.instance.as_ref().map(|i| i.id);
        if own && let Some(reference) = &self.instance_ref {
            return Ok(reference.clone());
        }
        let instance = record.element.and_then(|e| self.instance_of(e));
        let key = match instance {
            Some(instance) => instance.key.clone(),
            None => self.key_of(record.ty, &record.fields).ok_or_else(|| self.silent(hir))?,
        };
        let reference = Arc::new(Reference { ty: record.ty, key });
        if own {
            self.instance_ref = Some(reference.clone());
        }
        Ok(reference)
    }

    /// The key of a record, from its fields.
    pub fn key_of(&self, ty: TypeId, fields: &[Value]) -> Option<Key> {
        let def = self.program.record(ty)?;
        let mut key = Vec::with_capacity(def.keys.len());
        for part in &def.keys {
            let (first, rest) = part.path.split_first()?;
            let mut value = fields.get(*first as usize)?;
            for slot in rest {
                let (Value::Record(record) | Value::Variant(_, _, Some(record))) = value else { return None };
                value = record.fields.get(*slot as usize)?;
            }
            if matches!(value, Value::Wrong | Value::Deferred(_)) {
                return None;
            }
            key.push(value.clone());
        }
        Some(key.into())
    }

    /// The record that an expression stands for, where one is at hand: without making a
    /// reference of an instance first.
    pub fn record_at(&mut self, hir: &'w Hir) -> Eval<Option<Arc<Record>>> {
        match &hir.kind {
            HirKind::SelfValue => match &self.frame.this {
                This::Record(record) => Ok(Some(record.clone())),
                This::Value(Value::Variant(_, _, Some(record)) | Value::Record(record)) => {
                    Ok(Some(record.clone()))
                }
                _ => Ok(None),
            },
            HirKind::Parent(base) => {
                let child = match self.record_at(base)? {
                    Some(child) => child,
                    None => match self.eval(base)? {
                        Value::Record(record) | Value::Variant(_, _, Some(record)) => record,
                        // `self` in the `impl` of a union, of a variant that carries nothing.
                        Value::Variant(_, _, None) => {
                            return self.parent_of(hir, self.subject.element).map(Some);
                        }
                        _ => return Err(self.no_parent(hir)),
                    },
                };
                self.parent_of(hir, child.element).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn parent_of(&mut self, hir: &Hir, child: Option<Element>) -> Eval<Arc<Record>> {
        let found = child.and_then(|element| {
            let instance = self.instance_of(element)?;
            let parent = instance.elements.get(element.index as usize)?.parent?;
            Some(instance.elements.get(parent as usize)?.record.clone())
        });
        found.ok_or_else(|| self.no_parent(hir))
    }

    #[cold]
    fn no_parent(&mut self, hir: &Hir) -> super::machine::Stop {
        let problem = self.problem(codes::NO_PARENT, hir, "this value has no `parent`");
        let problem = problem.at("made by the model, not read from an instance");
        self.report(
            problem.help("only elements of instances have one: give the value what it needs as a field"),
        )
    }

    /// `parent` as a value.
    pub fn parent(&mut self, hir: &'w Hir, _base: &'w Hir) -> Eval {
        match self.record_at(hir)? {
            Some(record) => self.record_value(hir, record),
            None => Err(self.unexpected(hir)),
        }
    }

    /// A field by its slot.
    pub fn field(&mut self, hir: &'w Hir, base: &'w Hir, ty: TypeId, slot: Slot) -> Eval {
        // The common case, `self.f`, without a reference to anything.
        if let HirKind::SelfValue = base.kind {
            let found = match &self.frame.this {
                This::Record(record) => record.fields.get(slot as usize),
                This::Object(object) => object.fields.get(slot as usize),
                This::Partial { start, stored } if (slot as usize) < *stored => {
                    self.stack.get(start + slot as usize)
                }
                _ => None,
            };
            match found {
                Some(Value::Wrong) => return Err(self.silent(hir)),
                Some(value) => return Ok(value.clone()),
                None => {}
            }
            if let This::Object(object) = &self.frame.this {
                let object = object.clone();
                return self.field_of_object(hir, &object, slot);
            }
        }
        if let Some(record) = self.record_at(base)? {
            return self.field_of_record(hir, &record, slot);
        }
        let value = self.eval(base)?;
        self.field_of(hir, value, ty, slot)
    }

    /// A field of a value.
    pub fn field_of(&mut self, hir: &Hir, value: Value, ty: TypeId, slot: Slot) -> Eval {
        match value {
            Value::Record(record) | Value::Variant(_, _, Some(record)) => {
                self.field_of_record(hir, &record, slot)
            }
            Value::Ref(reference) => self.field_of_reference(hir, &reference, slot),
            Value::Deferred(_) => {
                let field = self.program.record(ty).and_then(|r| r.fields.get(slot as usize));
                let name = field.map(|f| f.data_name.clone()).unwrap_or_default();
                self.made(hir, operation("field", vec![value, Value::Str(name)]))
            }
            _ => Err(self.unexpected(hir)),
        }
    }

    fn field_of_record(&mut self, hir: &Hir, record: &Arc<Record>, slot: Slot) -> Eval {
        match record.fields.get(slot as usize) {
            Some(Value::Wrong) => return Err(self.silent(hir)),
            Some(value) => return Ok(value.clone()),
            None => {}
        }
        match self.field_kind(record.ty, slot) {
            Some(FieldKind::Derived) => self.derived_of_record(hir, record, slot),
            Some(FieldKind::Relation(relation)) => {
                let owner = self.instance_reference(hir, record)?;
                Ok(self.related(relation, &owner))
            }
            _ => Err(self.unexpected(hir)),
        }
    }

    fn field_of_object(&mut self, hir: &Hir, object: &Arc<Object>, slot: Slot) -> Eval {
        match object.fields.get(slot as usize) {
            Some(Value::Wrong) => return Err(self.silent(hir)),
            Some(value) => return Ok(value.clone()),
            None => {}
        }
        match self.field_kind(object.reference.ty, slot) {
            Some(FieldKind::Derived) => self.derived_of_object(object, slot),
            Some(FieldKind::Relation(relation)) => Ok(self.related(relation, &object.reference)),
            Some(FieldKind::Output) => Ok(self.output(&object.reference, slot)),
            _ => Err(self.unexpected(hir)),
        }
    }

    /// A field of an instance or object by reference. A key, an output and a relation need no
    /// look-up.
    fn field_of_reference(&mut self, hir: &Hir, reference: &Arc<Reference>, slot: Slot) -> Eval {
        if let Some(key) = self.plan.slot(reference.ty, slot).key
            && let Some(value) = reference.key.get(key as usize)
        {
            return Ok(value.clone());
        }
        match self.field_kind(reference.ty, slot) {
            Some(FieldKind::Output) => return Ok(self.output(reference, slot)),
            Some(FieldKind::Relation(relation)) => return Ok(self.related(relation, reference)),
            _ => {}
        }
        if self.program.record(reference.ty).is_some_and(|r| r.kind == RecordKind::Slice) {
            let record = self.instance_record(hir, reference)?;
            return self.field_of_record(hir, &record, slot);
        }
        let object = self.object_by(hir, reference)?;
        self.field_of_object(hir, &object, slot)
    }

    /// The root of an instance by reference.
    fn instance_record(&mut self, hir: &Hir, reference: &Arc<Reference>) -> Eval<Arc<Record>> {
        if let Some((_, record)) = self.recent.iter().find(|(r, _)| Arc::ptr_eq(r, reference)) {
            return Ok(record.clone());
        }
        let found = self.world.instance(reference.ty, &reference.key);
        let record = found.and_then(|i| i.elements.first().map(|e| e.record.clone()));
        let record = record.ok_or_else(|| self.silent(hir))?;
        if self.recent.len() >= RECENT {
            self.recent.remove(0);
        }
        self.recent.push((reference.clone(), record.clone()));
        Ok(record)
    }

    /// An object by reference: one that this run made, else one of the world.
    fn object_by(&mut self, hir: &Hir, reference: &Arc<Reference>) -> Eval<Arc<Object>> {
        if let Some(at) = self.own_object(reference)
            && let Some(object) = self.out.objects.get(at)
        {
            return Ok(object.clone());
        }
        self.world.object(reference).ok_or_else(|| self.silent(hir))
    }

    /// The index of an object that this run made.
    fn own_object(&mut self, reference: &Arc<Reference>) -> Option<usize> {
        let (index, entered) = &mut self.made;
        for (at, object) in self.out.objects.iter().enumerate().skip(*entered) {
            index.entry(object.reference.clone()).or_insert(at as u32);
        }
        *entered = self.out.objects.len();
        index.get(reference).map(|at| *at as usize)
    }

    fn field_kind(&self, ty: TypeId, slot: Slot) -> Option<FieldKind> {
        self.program.record(ty)?.fields.get(slot as usize).map(|f| f.kind)
    }

    fn related(&self, relation: u32, owner: &Reference) -> Value {
        let values = self.world.related(relation, owner);
        match self.program.relations.get(relation as usize) {
            Some(def) if def.list => Value::List(values),
            _ => Value::Set(values),
        }
    }

    fn output(&self, object: &Arc<Reference>, slot: Slot) -> Value {
        if let Some(given) = self.world.output(object, slot) {
            return given;
        }
        let field = self.program.record(object.ty).and_then(|r| r.fields.get(slot as usize));
        let (name, secret) = match field {
            Some(field) => (field.name, super::plan::says_secret(&field.ty)),
            None => (Name::new(""), false),
        };
        let expr = DeferredExpr::Output { object: object.clone(), field: name };
        Value::Deferred(Arc::new(Deferred { secret, later: true, expr }))
    }

    /// A field that all variants, or all alternatives, share.
    pub fn shared_field(&mut self, hir: &'w Hir, base: &'w Hir, name: Name) -> Eval {
        let value = match self.record_at(base)? {
            Some(record) => Value::Record(record),
            None => self.eval(base)?,
        };
        let ty = match &value {
            Value::Record(record) | Value::Variant(_, _, Some(record)) => record.ty,
            Value::Ref(reference) => reference.ty,
            Value::Anon(_) | Value::Map(_) | Value::File(_) => return self.entry(hir, &value, name.as_str()),
            Value::Deferred(_) => {
                return self.made(hir, operation("field", vec![value, Value::Str(name.as_str().into())]));
            }
            _ => return Err(self.unexpected(hir)),
        };
        match self.program.record(ty).and_then(|def| def.field(name)) {
            Some((slot, _)) => self.field_of(hir, value, ty, slot),
            None => Err(self.unexpected(hir)),
        }
    }

    /// What a union's value carries.
    pub fn payload(&mut self, hir: &'w Hir, base: &'w Hir) -> Eval {
        match self.eval(base)? {
            Value::Variant(_, _, Some(record)) => Ok(Value::Record(record)),
            value @ (Value::Record(_) | Value::Deferred(_)) => Ok(value),
            _ => Err(self.unexpected(hir)),
        }
    }

    /// The tag of a union's value.
    pub fn tag(&mut self, hir: &'w Hir, base: &'w Hir) -> Eval {
        match self.eval(base)? {
            Value::Variant(ty, variant, _) => Ok(Value::Str(print::variant_name(self.program, ty, variant))),
            _ => Err(self.unexpected(hir)),
        }
    }

    pub fn unless_wrong(&mut self, hir: &Hir, value: Value) -> Eval {
        match value {
            Value::Wrong => Err(self.silent(hir)),
            value => Ok(value),
        }
    }

    fn key_values(&mut self, keys: &'w [Hir]) -> Eval<Key> {
        if let [only] = keys {
            let value = self.eval(only)?;
            return Ok(Arc::from([value]));
        }
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(self.eval(key)?);
        }
        Ok(values.into())
    }

    /// `T[k]`. Whether it exists is checked at the end.
    pub fn reference(&mut self, hir: &'w Hir, ty: TypeId, keys: &'w [Hir]) -> Eval {
        let key = self.key_values(keys)?;
        if key.iter().any(|k| matches!(k, Value::Deferred(_) | Value::Wrong)) {
            return Err(self.unexpected(hir));
        }
        let reference = Arc::new(Reference { ty, key });
        let place = self.place(hir.node);
        let data = match self.traces {
            true => keys.first().and_then(|key| self.data_place(key)),
            false => None,
        };
        self.out.references.push(PendingReference { reference: reference.clone(), place, data });
        Ok(Value::Ref(reference))
    }

    /// `T[k]?`: null if there is none.
    pub fn lookup(&mut self, ty: TypeId, keys: &'w [Hir]) -> Eval {
        let key = self.key_values(keys)?;
        let slice = self.program.record(ty).is_some_and(|r| r.kind == RecordKind::Slice);
        let reference = Reference { ty, key };
        let exists = if slice {
            self.world.instance(ty, &reference.key).is_some()
        } else {
            self.world.object(&reference).is_some()
        };
        Ok(if exists { Value::Ref(Arc::new(reference)) } else { Value::Null })
    }

    /// The folder of the instance that `self` is a part of. What a model makes is a part of that
    /// for which the run is.
    fn own_folder(&self) -> Option<&'static str> {
        let element = match &self.frame.this {
            This::Record(record) => record.element,
            This::Value(value) => self.element_of(value),
            _ => None,
        };
        element.map(folder_of_element).or(self.subject.folder)
    }

    /// `file(p)` and `files(p)`.
    pub fn file(&mut self, hir: &'w Hir, path: &'w Hir, many: bool, folder: &'w Folder) -> Eval {
        let Value::Str(asked) = self.eval(path)? else { return Err(self.unexpected(hir)) };
        self.charge(hir, 100, 0)?;
        let folder = match folder {
            Folder::This => self.own_folder(),
            Folder::Of(value) => {
                let value = self.eval(value)?;
                self.element_of(&value).map(folder_of_element)
            }
            Folder::Module => Some(folder_of(self.frame.file.path())),
            Folder::Root => None,
        };
        let read = match super::files::locate(folder, &asked) {
            Ok(at) if many => super::files::read_all(self.world, &at, &asked),
            Ok(at) => super::files::read_one(self.world, &at, &asked),
            Err(message) => Err(message),
        };
        match read {
            Ok(value) => Ok(value),
            Err(message) => {
                let problem: Diagnostic = self.problem_with(codes::FILE, hir, path, message);
                let problem = problem.help(FILE_HELP);
                Err(self.report(problem))
            }
        }
    }
}

fn folder_of_element(element: Element) -> &'static str {
    folder_of(element.instance.file.path())
}

const FILE_HELP: &str = "a path starts at the folder of the instance, or with `/` at the project's root";
