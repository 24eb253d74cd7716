//! Making records and objects: defaults, marks, refinements, what follows a constructor.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::id;
use crate::diag::{Place, codes::eval as codes};
use crate::model::hir::{Construct, Drift, DriftPath, DriftStep};
use crate::model::schema::{FieldDef, RecordDef, Slot};
use crate::model::{Body, FieldKind, Hir, HirKind, Type, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::budget;
use super::deferred::masked;
use super::machine::{Eval, Machine, Stop, This};
use super::print;
use super::value::{DriftPolicy, Object, Origin, Record, Reference, Value};
use super::weight::weigh;

/// The value of an expression that is one already: most defaults.
pub(super) fn literal(hir: &Hir) -> Option<Value> {
    Some(match &hir.kind {
        HirKind::Null => Value::Null,
        HirKind::Bool(v) => Value::Bool(*v),
        HirKind::Int(v) => Value::Int(*v),
        HirKind::Float(v) => Value::Float(*v),
        HirKind::Str(v) => Value::Str(v.clone()),
        HirKind::Duration(v) => Value::Duration(*v),
        HirKind::Size(v) => Value::Size(*v),
        HirKind::Enum(ty, variant) => Value::Enum(*ty, *variant),
        _ => return None,
    })
}

impl<'w> Machine<'w> {
    /// An entity or resource that exists from now on.
    pub fn construct(&mut self, hir: &'w Hir, construct: &'w Construct) -> Eval {
        let Some(TypeDef::Record(def)) = self.program.types.get(construct.ty.0 as usize) else {
            return Err(self.unexpected(hir));
        };
        if def.kind == RecordKind::Slice {
            return self.test_instance(hir, construct, def);
        }
        self.cost.objects += 1;
        if self.cost.objects > budget::RUN.objects {
            return Err(self.exhausted(hir));
        }
        let start = self.stack.len();
        let made = self.object(hir, construct, def, start);
        self.stack.truncate(start);
        let object = made?;
        let reference = object.reference.clone();
        if let Some(bench) = self.bench {
            bench.add_object(object);
        } else {
            self.out.objects.push(Arc::new(object));
            if let Some(slots) = &mut self.slots {
                slots.made();
            }
        }
        Ok(Value::Ref(reference))
    }

    fn object(
        &mut self,
        hir: &'w Hir,
        construct: &'w Construct,
        def: &'w RecordDef,
        start: usize,
    ) -> Eval<Object> {
        self.fields(hir, construct.ty, def, &construct.fields)?;
        self.rest(hir, construct, def, start)?;
        let fields = self.stack.get(start..).unwrap_or_default();
        let left = budget::RUN.bytes.saturating_sub(self.cost.bytes);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let bytes = fields.iter().map(|v| weigh(v, left).1).fold(0, usize::saturating_add);
        self.charge(hir, 0, bytes)?;
        let fields = self.stack.get(start..).unwrap_or_default();
        let Some(key) = self.key_of(construct.ty, fields) else { return Err(self.unexpected(hir)) };
        let fields = Arc::from_iter(self.stack.drain(start..));
        let reference = Arc::new(Reference { ty: construct.ty, key });
        let origin = Origin {
            element: self.subject.element,
            maker: self.subject.maker.as_ref().map(|m| (*m.reference).clone()),
            file: self.frame.file,
            node: hir.node,
        };
        let mut object = Object {
            reference,
            fields,
            after: Vec::new(),
            protect: construct.protect,
            adopt: construct.adopt,
            keep: construct.keep,
            timeout: None,
            drift: self.drift(construct.drift.as_ref())?,
            origin,
        };
        for after in &construct.after {
            let value = self.eval(after)?;
            self.add_after(after, &value, &mut object.after)?;
        }
        if let Some(timeout) = &construct.timeout {
            match self.eval(timeout)? {
                Value::Duration(nanoseconds) => object.timeout = Some(nanoseconds),
                _ => return Err(self.unexpected(timeout)),
            }
        }
        if let Some(maker) = &self.subject.maker {
            inherit(&mut object, maker, construct.drift.is_some());
        }
        Ok(object)
    }

    /// Pushes the stored fields of a record onto the stack: what is given, else the default. All
    /// of them are evaluated, so that each problem is said.
    pub fn fields(
        &mut self,
        hir: &'w Hir,
        ty: TypeId,
        def: &'w RecordDef,
        given: &'w [(Slot, Hir)],
    ) -> Eval<()> {
        let start = self.stack.len();
        let mut given = given.iter().peekable();
        let mut failed = false;
        for (slot, field) in def.fields.iter().take(def.stored).enumerate() {
            let written = given.next_if(|(s, _)| *s as usize == slot);
            let value = match written {
                Some((_, value)) => self.eval(value),
                None => self.default_of(hir, field, start, slot),
            };
            let value = match value {
                Ok(value) if self.plan.slot(ty, slot as Slot).secret => masked(value, &field.ty),
                Ok(value) => value,
                Err(Stop::Value) => {
                    failed = true;
                    Value::Wrong
                }
                Err(Stop::Run) => return Err(Stop::Run),
            };
            self.stack.push(value);
        }
        if failed { Err(Stop::Value) } else { Ok(()) }
    }

    /// What a field is that is not given: its default reads the fields before it, which are on
    /// the stack.
    fn default_of(&mut self, hir: &Hir, field: &'w FieldDef, start: usize, stored: usize) -> Eval {
        match &field.value {
            Some(body) if field.kind == FieldKind::Assigned => self.filled_in_test(body, start, stored),
            Some(body) => self.default_body(body, This::Partial { start, stored }),
            None if field.ty.is_nullable() => Ok(Value::Null),
            None if field.kind == FieldKind::Rest => Ok(Value::Map(Arc::from([]))),
            None => Err(self.unexpected(hir)),
        }
    }

    /// Evaluates a default.
    pub fn default_body(&mut self, body: &'w Body, this: This) -> Eval {
        match literal(&body.root) {
            Some(value) => Ok(value),
            None => self.run_body(body, this),
        }
    }

    /// Adds what belongs into the `...rest` field beside what is given to it.
    pub fn rest(&mut self, hir: &Hir, construct: &'w Construct, def: &RecordDef, start: usize) -> Eval<()> {
        let Some(slot) = def.rest else { return Ok(()) };
        for part in &construct.rest {
            let more = self.eval(part)?;
            let at = start + slot as usize;
            let have = self.stack.get(at).cloned().unwrap_or_default();
            let merged = match have {
                Value::Null => more,
                have => self.with_missing(hir, have, more)?,
            };
            if let Some(place) = self.stack.get_mut(at) {
                *place = merged;
            }
        }
        Ok(())
    }

    fn add_after(&mut self, hir: &'w Hir, value: &Value, after: &mut Vec<Arc<Reference>>) -> Eval<()> {
        match value {
            Value::Null => Ok(()),
            Value::Ref(reference) => {
                if !after.contains(reference) {
                    after.push(reference.clone());
                }
                Ok(())
            }
            Value::List(items) | Value::Set(items) => {
                items.iter().try_for_each(|item| self.add_after(hir, item, after))
            }
            Value::Map(entries) => entries.iter().try_for_each(|(_, item)| self.add_after(hir, item, after)),
            _ => Err(self.unexpected(hir)),
        }
    }

    fn drift(&mut self, drift: Option<&'w Drift>) -> Eval<DriftPolicy> {
        Ok(match drift {
            None | Some(Drift::Repair) => DriftPolicy::Repair,
            Some(Drift::Report) => DriftPolicy::Report,
            Some(Drift::Ignore(paths)) => {
                let mut texts = Vec::with_capacity(paths.len());
                for path in paths {
                    texts.push(self.drift_path(path)?);
                }
                DriftPolicy::Ignore(texts)
            }
        })
    }

    fn drift_path(&mut self, path: &'w DriftPath) -> Eval<EcoString> {
        let mut text = String::new();
        for step in &path.steps {
            match step {
                DriftStep::Field(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                DriftStep::Index(index) => {
                    text.push('[');
                    self.path_value(&mut text, index)?;
                    text.push(']');
                }
                DriftStep::Keyed(keys) => {
                    text.push('[');
                    for (at, (name, value)) in keys.iter().enumerate() {
                        if at > 0 {
                            text.push(',');
                        }
                        text.push_str(name);
                        text.push('=');
                        self.path_value(&mut text, value)?;
                    }
                    text.push(']');
                }
            }
        }
        Ok(text.into())
    }

    /// A value in a path, as in an id: plain if it reads as itself, else as a JSON string.
    fn path_value(&mut self, text: &mut String, hir: &'w Hir) -> Eval<()> {
        let value = self.eval(hir)?;
        let mut plain = String::new();
        if !print::text(&mut plain, self.program, &value) {
            return Err(self.unexpected(hir));
        }
        let quoted = matches!(value, Value::Str(_)) && !(id::is_plain(&plain) && id::reads_as_string(&plain));
        text.push_str(&if quoted { print::whole(self.program, &value) } else { plain });
        Ok(())
    }

    /// A struct.
    pub fn make_struct(&mut self, hir: &'w Hir, ty: TypeId, given: &'w [(Slot, Hir)]) -> Eval {
        let Some(TypeDef::Record(def)) = self.program.types.get(ty.0 as usize) else {
            return Err(self.unexpected(hir));
        };
        let start = self.stack.len();
        let made = self.fields(hir, ty, def, given);
        if let Err(stop) = made {
            self.stack.truncate(start);
            return Err(stop);
        }
        let fields: Box<[Value]> = self.stack.drain(start..).collect();
        self.made(hir, Value::Record(Arc::new(Record { ty, fields, element: None })))
    }

    /// A union's value.
    pub fn make_variant(&mut self, hir: &'w Hir, ty: TypeId, variant: u16, payload: Option<&'w Hir>) -> Eval {
        match payload {
            None => Ok(Value::Variant(ty, variant, None)),
            Some(payload) => match self.eval(payload)? {
                Value::Record(record) => Ok(Value::Variant(ty, variant, Some(record))),
                _ => Err(self.unexpected(hir)),
            },
        }
    }

    /// A value where a refined type is wanted.
    pub fn refined(&mut self, hir: &'w Hir, value: &'w Hir, ty: &'w Type) -> Eval {
        let made = self.eval(value)?;
        let made = match (ty.non_null().bare(), made) {
            (Type::FileMode, Value::Str(text)) => match super::convert::file_mode(&text) {
                Some(mode) => Value::Int(mode),
                None => return Err(self.no_file_mode(hir, value, &Value::Str(text))),
            },
            (Type::FileMode, Value::Int(mode)) if !(0..=0o7777).contains(&mode) => {
                return Err(self.no_file_mode(hir, value, &Value::Int(mode)));
            }
            (_, made) => made,
        };
        if let Some(unmet) = self.unmet(&made, ty)? {
            let shown = print::shown(self.program, &unmet.value);
            let refinement = self.program.refinement(unmet.refinement);
            let message = match refinement.alias {
                Some(alias) if refinement.text.chars().count() > 40 => format!("{shown} is no `{alias}`"),
                Some(alias) => format!("{shown} is no `{alias}`, `where {}`", refinement.text),
                None => format!("{shown} does not satisfy `where {}`", refinement.text),
            };
            let problem = self.problem_with(codes::REFINEMENT, hir, value, message);
            let place = Place::Model { file: refinement.body.file, node: refinement.body.root.node.0 };
            let wanted = super::instance::refinement_help(refinement);
            let help = match super::literals::is_literal(value) {
                true => wanted,
                false => format!(
                    "{wanted}; change what it is computed from, or say the same at the field that it comes from"
                ),
            };
            return Err(self.report(problem.label(place, "this does not hold of it").help(help)));
        }
        Ok(made)
    }

    #[cold]
    fn no_file_mode(&mut self, hir: &Hir, value: &Hir, made: &Value) -> Stop {
        let message = format!("{} is no file mode", print::shown(self.program, made));
        let problem = self.problem_with(codes::REFINEMENT, hir, value, message);
        self.report(
            problem.help("a file mode is from 0 to 0o7777, or its octal digits as a string: \"0644\""),
        )
    }
}

/// What was said of an entity holds for all that its `impl`s make.
fn inherit(object: &mut Object, maker: &Object, own_drift: bool) {
    for after in &maker.after {
        if !object.after.contains(after) {
            object.after.push(after.clone());
        }
    }
    object.protect |= maker.protect;
    object.adopt |= maker.adopt;
    object.keep |= maker.keep;
    object.timeout = object.timeout.or(maker.timeout);
    if !own_drift {
        object.drift = maker.drift.clone();
    }
}
