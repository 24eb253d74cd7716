//! What kind of value a type wants, `any`, and `as`.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::Name;
use crate::base::quantity::{parse_duration, parse_size};
use crate::diag::codes::eval as codes;
use crate::diag::{DataPart, Place, did_you_mean};
use crate::model::schema::{RecordDef, UnionDef};
use crate::model::{Hir, Program, Type, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::collections::{set_of, sorted_entries};
use super::deferred::masked;
use super::machine::{Eval, Machine, This};
use super::print::{shown, variant_name};
use super::strings::key_text;
use super::value::{Record, Reference, Value};

/// Whether a value is of a type, refinements aside and without any conversion.
pub fn fits(program: &Program, value: &Value, ty: &Type) -> bool {
    match (ty, value) {
        (Type::Alias(_, inner) | Type::Refined(inner, _), _) => fits(program, value, inner),
        (Type::Any | Type::Error, _) | (Type::Null, Value::Null) => true,
        (Type::Optional(inner), _) => matches!(value, Value::Null) || fits(program, value, inner),
        (Type::Secret(inner) | Type::Later(inner), _) => {
            matches!(value, Value::Deferred(_)) || fits(program, value, inner)
        }
        (Type::OneOf(types), _) => types.iter().any(|t| fits(program, value, t)),
        (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Float, Value::Float(_))
        | (Type::Str, Value::Str(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Size, Value::Size(_))
        | (Type::Range, Value::Range(_))
        | (Type::File, Value::File(_)) => true,
        (Type::FileMode, Value::Int(mode)) => (0..=0o7777).contains(mode),
        (Type::StrLit(wanted), Value::Str(text)) => wanted == text,
        (Type::IntLit(wanted), Value::Int(v)) => wanted == v,
        (Type::Enum(wanted), Value::Enum(ty, _)) => wanted == ty,
        (Type::Record(wanted) | Type::Ref(wanted), Value::Record(record)) => *wanted == record.ty,
        (Type::Record(wanted) | Type::Ref(wanted), Value::Ref(reference)) => *wanted == reference.ty,
        (Type::Union(wanted), Value::Variant(ty, ..)) => wanted == ty,
        (Type::Variant(wanted, variants), Value::Variant(ty, v, _)) => wanted == ty && variants.contains(v),
        (Type::List(inner), Value::List(items)) => items.iter().all(|v| fits(program, v, inner)),
        (Type::Set(inner), Value::Set(items)) => items.iter().all(|v| fits(program, v, inner)),
        (Type::Map(key, inner), Value::Map(entries)) => {
            entries.iter().all(|(k, v)| fits(program, k, key) && fits(program, v, inner))
        }
        (Type::Anon(types), Value::Anon(fields)) => types.iter().all(|(name, ty)| {
            let found = fields.iter().find(|(n, _)| n == name);
            fits(program, found.map_or(&Value::Null, |(_, v)| v), ty)
        }),
        _ => false,
    }
}

/// A value as `any` has it: records and unions are maps of their data names without their null
/// fields, an enum is its name, a set is a list.
pub fn to_any(program: &Program, value: &Value) -> Value {
    match value {
        Value::Enum(ty, variant) => Value::Str(variant_name(program, *ty, *variant)),
        Value::List(items) | Value::Set(items) => {
            Value::List(items.iter().map(|v| to_any(program, v)).collect())
        }
        Value::Map(entries) => {
            let text = |k: &Value| Value::Str(key_text(program, k));
            let pairs = entries.iter().map(|(k, v)| (text(k), to_any(program, v)));
            text_map(pairs.collect())
        }
        Value::Anon(fields) => {
            let given = fields.iter().filter(|(_, v)| !matches!(v, Value::Null));
            text_map(given.map(|(name, v)| (text(name.as_str()), to_any(program, v))).collect())
        }
        Value::Record(record) => text_map(record_entries(program, record)),
        Value::Variant(ty, variant, payload) => {
            let mut entries = payload.as_ref().map(|r| record_entries(program, r)).unwrap_or_default();
            if let Some(TypeDef::Union(def)) = program.types.get(ty.0 as usize) {
                entries.push((text(def.tag.as_str()), Value::Str(variant_name(program, *ty, *variant))));
            }
            text_map(entries)
        }
        other => other.clone(),
    }
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

fn record_entries(program: &Program, record: &Record) -> Vec<(Value, Value)> {
    let Some(TypeDef::Record(def)) = program.types.get(record.ty.0 as usize) else { return Vec::new() };
    let mut entries = Vec::with_capacity(def.stored);
    for (slot, (field, value)) in def.fields.iter().zip(&record.fields).enumerate() {
        match value {
            Value::Null => {}
            Value::Map(rest) if def.rest == Some(slot as u16) => {
                entries.extend(rest.iter().map(|(k, v)| (k.clone(), to_any(program, v))));
            }
            value => entries.push((Value::Str(field.data_name.clone()), to_any(program, value))),
        }
    }
    entries
}

/// A map of text keys, of which none stands twice.
fn text_map(mut entries: Vec<(Value, Value)>) -> Value {
    entries.sort_by(|a, b| match (&a.0, &b.0) {
        (Value::Str(a), Value::Str(b)) => a.as_bytes().cmp(b.as_bytes()),
        _ => std::cmp::Ordering::Equal,
    });
    entries.dedup_by(|a, b| a.0 == b.0);
    Value::Map(entries.into())
}

/// What has entries, as a map: a map, a record literal, a struct. None for null and all else.
pub fn to_map(program: &Program, value: &Value) -> Option<Value> {
    match value {
        Value::Map(_) => Some(value.clone()),
        Value::Anon(fields) => {
            Some(text_map(fields.iter().map(|(name, v)| (text(name.as_str()), v.clone())).collect()))
        }
        Value::Record(_) => Some(to_any(program, value)),
        _ => None,
    }
}

/// The permission bits that a text spells: `0644`, `644`, `0o644`.
pub fn file_mode(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
        return None;
    }
    i64::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777)
}

/// Why a value is none of a type: where in it, and what is wrong there.
#[derive(Clone, Debug)]
pub(super) struct Misfit {
    path: String,
    /// The same as steps, the outermost last.
    steps: Vec<Step>,
    message: String,
    help: Option<String>,
}

/// A step into a value of `any`.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// To the value of a key.
    Key(EcoString),
    /// To an item of a list.
    Item(usize),
}

type Cast = Eval<Result<Value, Misfit>>;

fn misfit(message: impl Into<String>) -> Cast {
    Ok(Err(Misfit::new(message, None)))
}

impl<'w> Machine<'w> {
    /// `x as T`.
    pub fn cast(&mut self, hir: &'w Hir, value: &'w Hir, ty: &'w Type) -> Eval {
        let made = self.eval(value)?;
        self.walk(hir, &made)?;
        match self.fit(hir, &made, ty)? {
            Ok(value) => self.made(hir, value),
            Err(misfit) => {
                let message = match misfit.path.as_str() {
                    "" => misfit.message,
                    path => format!("`{}`: {}", path.trim_start_matches('.'), misfit.message),
                };
                let model = self.problem(codes::CAST, hir, message.clone());
                let mut problem = match self.part_place(value, &misfit.steps) {
                    Some(place) => crate::diag::Diagnostic::new(codes::CAST, place, message)
                        .label(self.place(hir.node), "this `as` needs it to be so"),
                    None => model,
                };
                problem.help = misfit.help;
                Err(self.report(problem))
            }
        }
    }

    /// Where a part of a value stands in the data; the whole value where its parts are not known.
    fn part_place(&self, value: &Hir, steps: &[Step]) -> Option<Place> {
        let whole = self.data_place(value)?;
        let Place::Data { file, node, .. } = whole else { return Some(whole) };
        let part = self.world.descend(file, node, steps);
        Some(part.map_or(whole, |node| Place::Data { file, node, part: DataPart::Value }))
    }

    /// A value of `any` as a value of a type, or why it is none.
    fn fit(&mut self, hir: &'w Hir, value: &Value, ty: &'w Type) -> Cast {
        match (ty, value) {
            (Type::Alias(_, inner), _) => self.fit(hir, value, inner),
            (_, Value::Wrong) => Err(self.silent(hir)),
            (Type::Any | Type::Error, _) | (_, Value::Deferred(_)) => Ok(Ok(value.clone())),
            (Type::Refined(inner, id), _) => {
                let value = match self.fit(hir, value, inner)? {
                    Ok(value) => value,
                    misfit => return Ok(misfit),
                };
                if self.holds(*id, &value)? {
                    return Ok(Ok(value));
                }
                let text = self.program.refinements.get(id.0 as usize).map(|r| r.text.clone());
                let shown = shown(self.program, &value);
                misfit(format!("{shown} does not satisfy `where {}`", text.unwrap_or_default()))
            }
            (Type::Optional(_) | Type::Null, Value::Null) => Ok(Ok(Value::Null)),
            (Type::Optional(inner) | Type::Later(inner), _) => self.fit(hir, value, inner),
            (Type::Secret(inner), _) => match self.fit(hir, value, inner)? {
                Ok(value) => Ok(Ok(masked(value, ty))),
                // What was found is not for everybody's eyes.
                Err(misfit) => {
                    let wanted = crate::types::show::show(self.program, inner);
                    let message = format!("expected `{wanted}`, found another value, which is not shown");
                    Ok(Err(Misfit { message, help: None, ..misfit }))
                }
            },
            (Type::OneOf(types), _) => {
                for ty in types.iter() {
                    if let Ok(value) = self.fit(hir, value, ty)? {
                        return Ok(Ok(value));
                    }
                }
                self.wrong_kind(value, ty)
            }
            (Type::List(inner), Value::List(items) | Value::Set(items)) => {
                Ok(self.fit_items(hir, items, inner)?.map(|v| Value::List(v.into())))
            }
            (Type::Set(inner), Value::List(items) | Value::Set(items)) => {
                let plan = self.plan;
                Ok(self.fit_items(hir, items, inner)?.map(|v| set_of(plan, v)))
            }
            (Type::Map(key, inner), Value::Map(entries)) => self.fit_map(hir, entries, key, inner),
            (Type::Anon(types), Value::Map(_) | Value::Anon(_)) => self.fit_anon(hir, value, types),
            (Type::Record(id) | Type::Ref(id), _) if !fits(self.program, value, ty) => {
                self.fit_record(hir, value, *id)
            }
            (Type::Union(id), Value::Map(entries)) => self.fit_union(hir, entries, *id, None),
            (Type::Variant(id, variants), Value::Map(entries)) => {
                self.fit_union(hir, entries, *id, Some(variants))
            }
            (_, value) if fits(self.program, value, ty) => Ok(Ok(value.clone())),
            (ty, value) => self.fit_scalar(value, ty),
        }
    }

    fn fit_scalar(&self, value: &Value, ty: &Type) -> Cast {
        let found = match (ty, value) {
            (Type::Float, Value::Int(v)) => Some(Value::Float(*v as f64)),
            (Type::FileMode, Value::Str(text)) => file_mode(text).map(Value::Int),
            (Type::Duration, Value::Str(text)) => match parse_duration(text) {
                Ok(v) => Some(Value::Duration(v)),
                Err(error) => return misfit(format!("`{text}` is no duration: {error}")),
            },
            (Type::Size, Value::Str(text)) => match parse_size(text) {
                Ok(v) => Some(Value::Size(v)),
                Err(error) => return misfit(format!("`{text}` is no size: {error}")),
            },
            (Type::Enum(id), Value::Str(text)) => match self.program.types.get(id.0 as usize) {
                Some(TypeDef::Enum(def)) => {
                    let at = def.variants.iter().position(|v| v.data_name == *text);
                    let Some(at) = at else {
                        let names = def.variants.iter().map(|v| v.data_name.as_str());
                        let help = did_you_mean(text, names.clone()).unwrap_or_else(|| {
                            format!("it is one of {}", names.collect::<Vec<_>>().join(", "))
                        });
                        let message = format!("`{text}` is no `{}`", def.decl.name);
                        return Ok(Err(Misfit::new(message, Some(help))));
                    };
                    Some(Value::Enum(*id, at as u16))
                }
                _ => None,
            },
            _ => None,
        };
        match found {
            Some(value) => Ok(Ok(value)),
            None => self.wrong_kind(value, ty),
        }
    }

    fn wrong_kind(&self, value: &Value, ty: &Type) -> Cast {
        let shown = shown(self.program, value);
        let wanted = crate::types::show::show(self.program, ty);
        let help = format!("write a value of the type `{wanted}`; `is` asks a model's value for its type");
        Ok(Err(Misfit::new(format!("expected `{wanted}`, found {shown}"), Some(help))))
    }

    fn fit_items(&mut self, hir: &'w Hir, items: &[Value], ty: &'w Type) -> Eval<Result<Vec<Value>, Misfit>> {
        let mut made = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            self.step(hir)?;
            match self.fit(hir, item, ty)? {
                Ok(value) => made.push(value),
                Err(misfit) => return Ok(Err(misfit.at(&format!("[{at}]"), Step::Item(at)))),
            }
        }
        Ok(Ok(made))
    }

    fn fit_map(&mut self, hir: &'w Hir, entries: &[(Value, Value)], key: &'w Type, ty: &'w Type) -> Cast {
        let mut made = Vec::with_capacity(entries.len());
        for (k, v) in entries {
            self.step(hir)?;
            let name = key_text(self.program, k);
            let k = match (key.bare(), k) {
                (Type::Int | Type::IntLit(_), Value::Str(text)) => {
                    text.parse().map(Value::Int).unwrap_or_else(|_| k.clone())
                }
                _ => k.clone(),
            };
            let key = match self.fit(hir, &k, key)? {
                Ok(key) => key,
                Err(misfit) => return Ok(Err(misfit.at(&format!(".{name}"), Step::Key(name)))),
            };
            match self.fit(hir, v, ty)? {
                Ok(value) => made.push((key, value)),
                Err(misfit) => return Ok(Err(misfit.at(&format!(".{name}"), Step::Key(name)))),
            }
        }
        match sorted_entries(self.plan, made) {
            Ok(map) => Ok(Ok(map)),
            Err(key) => misfit(format!("the key {} is there twice", shown(self.program, &key))),
        }
    }

    fn fit_anon(&mut self, hir: &'w Hir, value: &Value, types: &'w Arc<[(Name, Type)]>) -> Cast {
        let mut made = Vec::with_capacity(types.len());
        for (name, ty) in types.iter() {
            let found = find_text(value, name.as_str()).unwrap_or_default();
            match self.fit(hir, &found, ty)? {
                Ok(value) => made.push((*name, value)),
                Err(misfit) => {
                    return Ok(Err(misfit.at(&format!(".{name}"), Step::Key(name.as_str().into()))));
                }
            }
        }
        Ok(Ok(Value::Anon(made.into())))
    }

    fn fit_union(
        &mut self,
        hir: &'w Hir,
        entries: &[(Value, Value)],
        id: TypeId,
        only: Option<&[u16]>,
    ) -> Cast {
        let program = self.program;
        let Some(TypeDef::Union(def)) = program.types.get(id.0 as usize) else {
            return Err(self.unexpected(hir));
        };
        let (variant, rest) = match union_tag(def, entries) {
            Ok(found) => found,
            Err(misfit) => return Ok(Err(misfit)),
        };
        if only.is_some_and(|only| !only.contains(&variant)) {
            let name = variant_name(program, id, variant);
            return misfit(format!("the variant `{name}` is not wanted here"));
        }
        let payload = def.variants.get(variant as usize).and_then(|v| v.payload.as_ref());
        match payload.and_then(Type::record) {
            Some(ty) => match self.fit_record(hir, &Value::Map(rest.into()), ty)? {
                Ok(Value::Record(record)) => Ok(Ok(Value::Variant(id, variant, Some(record)))),
                Ok(_) => Err(self.unexpected(hir)),
                Err(misfit) => Ok(Err(misfit)),
            },
            None => match rest.first() {
                Some((k, _)) => misfit(format!("`{}` is not expected here", key_text(program, k))),
                None => Ok(Ok(Value::Variant(id, variant, None))),
            },
        }
    }

    fn fit_record(&mut self, hir: &'w Hir, value: &Value, id: TypeId) -> Cast {
        let program = self.program;
        let Some(TypeDef::Record(def)) = program.types.get(id.0 as usize) else {
            return Err(self.unexpected(hir));
        };
        if !matches!(def.kind, RecordKind::Struct | RecordKind::Plain) {
            return self.fit_reference(hir, value, id, def);
        }
        let entries = match value {
            Value::Map(entries) => entries.clone(),
            Value::Anon(_) => match to_map(program, value) {
                Some(Value::Map(entries)) => entries,
                _ => return Err(self.unexpected(hir)),
            },
            _ => {
                let shown = shown(program, value);
                return misfit(format!("expected `{}`, found {shown}", def.decl.name));
            }
        };
        let start = self.stack.len();
        let made = self.fit_fields(hir, &entries, def, start);
        let made = match made {
            Ok(Ok(())) => {
                let fields = self.stack.drain(start..).collect();
                Ok(Ok(Value::Record(Arc::new(Record { ty: id, fields, element: None }))))
            }
            Ok(Err(misfit)) => Ok(Err(misfit)),
            Err(stop) => Err(stop),
        };
        self.stack.truncate(start);
        made
    }

    fn fit_fields(
        &mut self,
        hir: &'w Hir,
        entries: &[(Value, Value)],
        def: &'w RecordDef,
        start: usize,
    ) -> Eval<Result<(), Misfit>> {
        if let Some(misfit) = unknown_field(def, entries) {
            return Ok(Err(misfit));
        }
        for (slot, field) in def.fields.iter().take(def.stored).enumerate() {
            self.step(hir)?;
            let given = if def.rest == Some(slot as u16) {
                Some(Value::Map(entries.iter().filter(|(k, _)| !declares(def, k)).cloned().collect()))
            } else {
                find_entry_text(entries, &field.data_name)
            };
            let value = match (given, &field.value) {
                (Some(given), _) if !matches!(given, Value::Null) || field.value.is_none() => {
                    match self.fit(hir, &given, &field.ty)? {
                        Ok(value) => value,
                        Err(misfit) => {
                            let step = Step::Key(field.data_name.clone());
                            return Ok(Err(misfit.at(&format!(".{}", field.data_name), step)));
                        }
                    }
                }
                (_, Some(body)) => self.default_body(body, This::Partial { start, stored: slot })?,
                (_, None) if field.ty.is_nullable() => Value::Null,
                (_, None) => {
                    let message = format!("the field `{}` is missing", field.data_name);
                    return Ok(Err(Misfit::new(message, Some(format!("write `{}: …`", field.data_name)))));
                }
            };
            self.stack.push(value);
        }
        Ok(Ok(()))
    }

    /// A reference is its key: a scalar, or a mapping of several.
    fn fit_reference(&mut self, hir: &'w Hir, value: &Value, id: TypeId, def: &'w RecordDef) -> Cast {
        let mut key = Vec::with_capacity(def.keys.len());
        for part in &def.keys {
            let given = match (def.keys.len(), value) {
                (1, Value::Map(_)) | (1, Value::Null) => None,
                (1, scalar) => Some(scalar.clone()),
                (_, map) => find_text(map, &part.name),
            };
            let Some(given) = given else {
                let shown = shown(self.program, value);
                return misfit(format!("expected the key of a `{}`, found {shown}", def.decl.name));
            };
            match self.fit(hir, &given, &part.ty)? {
                Ok(value) => key.push(value),
                Err(misfit) => return Ok(Err(misfit)),
            }
        }
        let reference = Arc::new(Reference { ty: id, key: key.into() });
        let place = self.place(hir.node);
        let pending = super::world::PendingReference { reference: reference.clone(), place, data: None };
        self.out.references.push(pending);
        Ok(Ok(Value::Ref(reference)))
    }
}

impl Misfit {
    fn new(message: impl Into<String>, help: Option<String>) -> Self {
        Misfit { path: String::new(), steps: Vec::new(), message: message.into(), help }
    }

    /// The same, seen from one level further out.
    fn at(mut self, text: &str, step: Step) -> Self {
        self.path.insert_str(0, text);
        self.steps.push(step);
        self
    }
}

fn declares(def: &RecordDef, key: &Value) -> bool {
    let Value::Str(name) = key else { return false };
    let mut slots = def.fields.iter().take(def.stored).enumerate();
    slots.any(|(slot, f)| f.data_name == *name && def.rest != Some(slot as u16))
}

fn unknown_field(def: &RecordDef, entries: &[(Value, Value)]) -> Option<Misfit> {
    if def.rest.is_some() {
        return None;
    }
    let (key, _) = entries.iter().find(|(k, _)| !declares(def, k))?;
    let Value::Str(name) = key else { return None };
    let names = def.fields.iter().take(def.stored).map(|f| f.data_name.as_str());
    let help = did_you_mean(name, names);
    let mut misfit = Misfit::new(format!("`{}` has no field `{name}`", def.decl.name), help);
    misfit.steps.push(Step::Key(name.clone()));
    Some(misfit)
}

fn find_entry_text(entries: &[(Value, Value)], name: &str) -> Option<Value> {
    entries.iter().find(|(k, _)| matches!(k, Value::Str(k) if k == name)).map(|(_, v)| v.clone())
}

fn find_text(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Map(entries) => find_entry_text(entries, name),
        Value::Anon(fields) => fields.iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| v.clone()),
        _ => None,
    }
}

/// The variant that a mapping says, and what is left for its payload.
type Tagged = (u16, Vec<(Value, Value)>);

fn union_tag(def: &UnionDef, entries: &[(Value, Value)]) -> Result<Tagged, Misfit> {
    let plain = |message: String, help| Misfit::new(message, help);
    let tag = def.tag.as_str();
    let names = || def.variants.iter().map(|v| v.data_name.as_str());
    let Some(Value::Str(name)) = find_entry_text(entries, tag) else {
        let all = names().collect::<Vec<_>>().join(", ");
        return Err(plain(format!("`{tag}` is missing"), Some(format!("it is one of {all}"))));
    };
    let Some(at) = def.variants.iter().position(|v| v.data_name == name) else {
        return Err(plain(format!("`{name}` is no `{}`", def.decl.name), did_you_mean(&name, names())));
    };
    let rest = entries.iter().filter(|(k, _)| !matches!(k, Value::Str(k) if k == tag)).cloned().collect();
    Ok((at as u16, rest))
}

/// What kind of value it is, as `kind()` says.
pub fn kind(value: &Value) -> EcoString {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) | Value::Enum(..) => "string",
        Value::Duration(_) => "duration",
        Value::Size(_) => "size",
        Value::List(_) | Value::Set(_) => "list",
        _ => "map",
    }
    .into()
}
