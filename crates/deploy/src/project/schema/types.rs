//! Types as schemas.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refine;
use crate::model::hir::{Body, Hir, HirKind};
use crate::model::schema::{FieldDef, FieldKind, RecordDef, TypeDef, UnionDef, VariantDef};
use crate::model::{Program, Type, TypeId};
use crate::syntax::ast::UnaryOp;
use crate::types::show;

/// `ENC[AES256_GCM,…]`: a value that sops encrypted.
const ENCRYPTED: &str = r"^ENC\[";
const DURATION: &str = r"^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$";
const SIZE: &str = r"^-?[0-9]+(\.[0-9]+)?([KMGTPE]i?)?B$";

/// Where a record stands in data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It is an instance file.
    Instance,
    /// It is a nested value.
    Nested,
    /// It is a value of a map, whose key gives its key.
    InMap,
}

/// The schemas that others refer to, by name.
pub struct Definitions<'p> {
    program: &'p Program,
    made: BTreeMap<String, Value>,
}

impl<'p> Definitions<'p> {
    pub fn new(program: &'p Program) -> Self {
        Definitions { program, made: BTreeMap::new() }
    }

    pub fn finish(self) -> Value {
        Value::Object(self.made.into_iter().collect())
    }

    /// A reference to the definition of a record.
    pub fn record(&mut self, id: TypeId, place: Use) -> Value {
        let Some(record) = self.program.record(id) else { return json!(true) };
        let suffix = if place == Use::InMap { " (in a map)" } else { "" };
        self.define(format!("{}{suffix}", record.decl.path), |all| all.object(record, place, None))
    }

    /// Makes a definition, once; it may refer to itself.
    fn define(&mut self, name: String, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.made.contains_key(&name) {
            self.made.insert(name.clone(), json!(true));
            let schema = make(self);
            self.made.insert(name.clone(), schema);
        }
        // A name is a path of identifiers, and may have a blank.
        json!({ "$ref": format!("#/definitions/{}", name.replace(' ', "%20")) })
    }

    /// The fields of a record, with the tag of the variant that carries it.
    fn object(&mut self, record: &RecordDef, place: Use, tag: Option<(&str, &VariantDef)>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        if let Some((name, variant)) = tag {
            properties.insert(name.to_owned(), tag_value(variant));
            required.push(json!(name));
        }
        for (at, field) in record.fields.iter().enumerate().filter(|(_, f)| f.kind.is_stored()) {
            if field.kind == FieldKind::Rest {
                continue;
            }
            properties.insert(field.data_name.to_string(), self.field(field));
            for old in &field.was {
                let text = format!("deprecated: write `{}`", field.data_name);
                properties
                    .insert(old.to_string(), json!({ "doNotSuggest": true, "deprecationMessage": text }));
            }
            // An old name will do for the new one.
            if field.was.is_empty() && is_required(record, at, field, place) {
                required.push(json!(field.data_name.as_str()));
            }
        }
        if place == Use::Instance && record.fields.iter().any(|f| has_secret(&f.ty, self.program, 0)) {
            properties.insert("sops".into(), json!({ "type": "object", "doNotSuggest": true }));
        }
        let rest = record.rest.and_then(|slot| record.fields.get(slot as usize));
        let additional = match rest.map(|f| f.ty.bare()) {
            Some(Type::Map(_, value)) => self.ty(value),
            _ => json!(false),
        };
        let mut schema = Map::new();
        described(&mut schema, &record.decl.docs, record.decl.deprecated.as_deref());
        schema.insert("type".into(), json!("object"));
        schema.insert("properties".into(), Value::Object(properties));
        schema.insert("required".into(), Value::Array(required));
        schema.insert("additionalProperties".into(), additional);
        Value::Object(schema)
    }

    fn field(&mut self, field: &FieldDef) -> Value {
        let mut schema = Map::new();
        let shown = format!("{}: {}", field.data_name, show(self.program, &field.ty));
        let docs = match field.docs.is_empty() {
            true => shown,
            false => format!("{}\n\n{shown}", field.docs),
        };
        described(&mut schema, &docs, field.deprecated.as_deref());
        let given = field.value.as_ref().filter(|_| field.kind == FieldKind::Plain);
        if let Some(default) = given.and_then(|b| constant(b, self.program)) {
            schema.insert("default".into(), default);
        }
        beside(schema, self.ty(&field.ty))
    }

    /// The schema of a value of this type.
    pub fn ty(&mut self, ty: &Type) -> Value {
        match ty {
            Type::Error | Type::Never | Type::Any | Type::Range | Type::File | Type::Anon(_) => json!(true),
            Type::Null => json!({ "type": "null" }),
            Type::Bool => json!({ "type": "boolean" }),
            Type::Int => json!({ "type": "integer" }),
            Type::Float => json!({ "type": "number" }),
            Type::Str => json!({ "type": "string" }),
            Type::Duration => json!({ "type": "string", "pattern": DURATION, "examples": ["30s", "1h30m"] }),
            Type::Size => json!({ "type": "string", "pattern": SIZE, "examples": ["512MiB", "20GB"] }),
            Type::FileMode => json!({ "anyOf": [
                { "type": "string", "pattern": "^(0o)?[0-7]{1,5}$", "examples": ["0644"] },
                { "type": "integer", "minimum": 0, "maximum": 0o7777 },
            ]}),
            Type::StrLit(text) => json!({ "const": text.as_str() }),
            Type::IntLit(value) => json!({ "const": value }),
            Type::Enum(id) => self.enumeration(*id),
            Type::Record(id) | Type::Ref(id) => self.record_or_key(*id),
            Type::Union(id) | Type::Variant(id, _) => self.union(*id),
            Type::OneOf(all) => self.alternatives(all),
            Type::Optional(inner) => json!({ "anyOf": [self.ty(inner), { "type": "null" }] }),
            Type::List(item) => json!({ "type": "array", "items": self.ty(item) }),
            Type::Set(item) => json!({ "type": "array", "items": self.ty(item), "uniqueItems": true }),
            Type::Map(key, value) => self.map(key, value),
            Type::Secret(inner) => {
                json!({ "anyOf": [self.ty(inner), { "type": "string", "pattern": ENCRYPTED }] })
            }
            Type::Later(inner) | Type::Alias(_, inner) => self.ty(inner),
            Type::Refined(inner, id) => {
                let refinement = self.program.refinement(*id);
                let schema = self.ty(inner);
                refine::narrow(schema, &refinement.body.root, self.program)
            }
        }
    }

    fn enumeration(&mut self, id: TypeId) -> Value {
        let Some(def) = self.program.enumeration(id) else { return json!(true) };
        self.define(def.decl.path.to_string(), |_| {
            let mut schema = Map::new();
            described(&mut schema, &def.decl.docs, def.decl.deprecated.as_deref());
            let names: Vec<&str> = def.variants.iter().map(|v| v.data_name.as_str()).collect();
            let docs: Vec<&str> = def.variants.iter().map(|v| v.docs.as_str()).collect();
            schema.insert("enum".into(), json!(names));
            schema.insert("enumDescriptions".into(), json!(docs));
            Value::Object(schema)
        })
    }

    /// A struct stands in data as it is; a slice as its key.
    fn record_or_key(&mut self, id: TypeId) -> Value {
        use crate::syntax::ast::RecordKind::{Plain, Struct};
        let Some(record) = self.program.record(id) else { return json!(true) };
        if matches!(record.kind, Struct | Plain) {
            return self.record(id, Use::Nested);
        }
        let name = record.decl.name;
        self.define(format!("{} (its key)", record.decl.path), |all| match record.keys.as_slice() {
            [key] => {
                let mut schema = Map::new();
                described(&mut schema, &format!("The `{}` of a {name}.", key.name), None);
                beside(schema, all.ty(&key.ty))
            }
            keys => {
                let properties: Map<String, Value> =
                    keys.iter().map(|k| (k.name.to_string(), all.ty(&k.ty))).collect();
                let text = format!("The keys of a {name}.");
                json!({ "description": text, "type": "object", "properties": properties })
            }
        })
    }

    fn union(&mut self, id: TypeId) -> Value {
        let Some(def) = self.program.union(id) else { return json!(true) };
        self.define(def.decl.path.to_string(), |all| all.variants(def))
    }

    fn variants(&mut self, def: &UnionDef) -> Value {
        let tag = def.tag.as_str();
        let variants: Vec<Value> = def
            .variants
            .iter()
            .map(|variant| {
                let payload = variant.payload.as_ref().and_then(Type::record);
                match payload.and_then(|id| self.program.record(id)) {
                    Some(record) => self.object(record, Use::InMap, Some((tag, variant))),
                    None => json!({
                        "type": "object",
                        "properties": { tag: tag_value(variant) },
                        "required": [tag],
                        "additionalProperties": false,
                    }),
                }
            })
            .collect();
        let mut schema = Map::new();
        described(&mut schema, &def.decl.docs, def.decl.deprecated.as_deref());
        schema.insert("anyOf".into(), Value::Array(variants));
        Value::Object(schema)
    }

    /// Literals read better as an `enum`.
    fn alternatives(&mut self, all: &[Type]) -> Value {
        let literal = |ty: &Type| match ty.bare() {
            Type::StrLit(text) => Some(json!(text.as_str())),
            Type::IntLit(value) => Some(json!(value)),
            _ => None,
        };
        match all.iter().map(literal).collect::<Option<Vec<Value>>>() {
            Some(literals) => json!({ "enum": literals }),
            None => json!({ "anyOf": all.iter().map(|ty| self.ty(ty)).collect::<Vec<_>>() }),
        }
    }

    fn map(&mut self, key: &Type, value: &Type) -> Value {
        let element = match value.bare() {
            Type::Record(id) if self.is_keyed_struct(*id) => self.record(*id, Use::InMap),
            _ => self.ty(value),
        };
        let mut schema = json!({ "type": "object", "additionalProperties": element });
        match key.bare() {
            Type::Int => schema["propertyNames"] = json!({ "pattern": "^-?[0-9]+$" }),
            Type::Enum(_) => schema["propertyNames"] = self.ty(key),
            _ => {}
        }
        schema
    }

    fn is_keyed_struct(&self, id: TypeId) -> bool {
        use crate::syntax::ast::RecordKind::Struct;
        self.program.record(id).is_some_and(|r| r.kind == Struct && r.keys.len() == 1)
    }
}

/// What is said of a value, and its type. Beside a `$ref` nothing else would be read.
fn beside(mut schema: Map<String, Value>, ty: Value) -> Value {
    match ty {
        Value::Object(ty) if !ty.contains_key("$ref") => {
            for (key, value) in ty {
                schema.entry(key).or_insert(value);
            }
        }
        Value::Bool(_) => {}
        ty => {
            schema.insert("allOf".into(), json!([ty]));
        }
    }
    Value::Object(schema)
}

fn tag_value(variant: &VariantDef) -> Value {
    let mut schema = Map::new();
    described(&mut schema, &variant.docs, variant.deprecated.as_deref());
    schema.insert("const".into(), json!(variant.data_name.as_str()));
    Value::Object(schema)
}

/// Whether data must have the field.
fn is_required(record: &RecordDef, slot: usize, field: &FieldDef, place: Use) -> bool {
    let is_key = record.keys.iter().any(|k| k.path.first().is_some_and(|&s| s as usize == slot));
    let from_elsewhere = match place {
        // The path of a file may say it.
        Use::Instance => {
            let placeholder = format!("{{{}}}", field.data_name);
            record.source.as_ref().is_some_and(|s| s.path.contains(&placeholder))
        }
        // The key of the map, or nothing at all in a single value of a union, which is no list.
        Use::InMap => is_key && record.keys.len() == 1,
        Use::Nested => false,
    };
    let given = field.value.is_some() || field.kind == FieldKind::Assigned || field.ty.is_nullable();
    !given && !from_elsewhere
}

fn described(schema: &mut Map<String, Value>, docs: &str, deprecated: Option<&str>) {
    if !docs.is_empty() {
        schema.insert("description".into(), json!(docs));
    }
    if let Some(why) = deprecated {
        schema.insert("deprecationMessage".into(), json!(why));
    }
}

/// How deep types are looked through for a secret.
const DEEP: usize = 16;

fn has_secret(ty: &Type, program: &Program, depth: usize) -> bool {
    if depth > DEEP {
        return true;
    }
    let inner = |ty: &Type| has_secret(ty, program, depth + 1);
    match ty {
        Type::Secret(_) => true,
        Type::Alias(_, t) | Type::Refined(t, _) | Type::Optional(t) | Type::List(t) | Type::Set(t) => {
            inner(t)
        }
        Type::Map(_, value) => inner(value),
        Type::OneOf(all) => all.iter().any(inner),
        Type::Record(id) => program.record(*id).is_some_and(|r| r.fields.iter().any(|f| inner(&f.ty))),
        Type::Union(id) => match program.ty(*id) {
            TypeDef::Union(u) => u.variants.iter().filter_map(|v| v.payload.as_ref()).any(inner),
            _ => false,
        },
        _ => false,
    }
}

/// The value of a default that is written down, as data has it.
fn constant(body: &Body, program: &Program) -> Option<Value> {
    literal(&body.root, program)
}

fn literal(hir: &Hir, program: &Program) -> Option<Value> {
    Some(match &hir.kind {
        HirKind::Null => Value::Null,
        HirKind::Bool(value) => json!(value),
        HirKind::Int(value) => json!(value),
        HirKind::Float(value) => json!(value),
        HirKind::Str(text) => json!(text.as_str()),
        HirKind::Enum(id, variant) => {
            let def = program.enumeration(*id)?;
            json!(def.variants.get(*variant as usize)?.data_name.as_str())
        }
        HirKind::Unary(UnaryOp::Neg, inner) => match literal(inner, program)? {
            Value::Number(n) => json!(n.as_i64()?.checked_neg()?),
            _ => return None,
        },
        HirKind::List(items) => {
            Value::Array(items.iter().map(|i| literal(i, program)).collect::<Option<_>>()?)
        }
        HirKind::Map(entries) if entries.is_empty() => json!({}),
        HirKind::Refine(inner, _)
        | HirKind::ToSet(inner)
        | HirKind::ToAny(inner)
        | HirKind::ToFloat(inner) => literal(inner, program)?,
        _ => return None,
    })
}
