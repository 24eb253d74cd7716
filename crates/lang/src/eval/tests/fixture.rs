//! A small model, by hand: a slice `Site`, a target `Host`, a resource `File`.

use std::sync::Arc;

use crate::base::{FileId, Name};
use crate::eval::Plan;
use crate::eval::value::{Element, InstanceId, Record, Value};
use crate::eval::world::{Files, Instance, InstanceElement, ModelWorld};
use crate::model::hir::{Body, Construct, Hir, HirKind, Node, Part};
use crate::model::program::ImplDef;
use crate::model::schema::{Decl, FieldDef, FieldKind, KeyDef, RecordDef, Slot};
use crate::model::{Program, Type, TypeDef, TypeId};
use crate::syntax::ast::{Cost, RecordKind};

pub const FILE: TypeId = TypeId(0);
pub const HOST: TypeId = TypeId(1);
pub const SITE: TypeId = TypeId(2);

pub fn model_file() -> FileId {
    FileId::new("model/main.gops")
}

pub fn hir(kind: HirKind) -> Hir {
    Hir { node: Node(7), kind }
}

pub fn boxed(kind: HirKind) -> Box<Hir> {
    Box::new(hir(kind))
}

pub fn body(root: HirKind, locals: u32) -> Body {
    Body { file: model_file(), root: hir(root), locals }
}

pub fn this(slot: Slot) -> HirKind {
    HirKind::Field { base: boxed(HirKind::SelfValue), ty: SITE, slot }
}

pub fn text(text: &str) -> HirKind {
    HirKind::Str(text.into())
}

pub fn interpolated(parts: Vec<HirKind>) -> HirKind {
    let part = |kind| match kind {
        HirKind::Str(text) => Part::Text(text),
        kind => Part::Value { value: hir(kind), indent: None },
    };
    HirKind::Interpolate(parts.into_iter().map(part).collect())
}

pub fn construct(ty: TypeId, fields: Vec<(Slot, HirKind)>) -> HirKind {
    HirKind::Construct(Box::new(Construct {
        ty,
        fields: fields.into_iter().map(|(slot, kind)| (slot, hir(kind))).collect(),
        rest: Vec::new(),
        after: Vec::new(),
        protect: false,
        adopt: false,
        keep: false,
        timeout: None,
        drift: None,
    }))
}

pub fn field(name: &str, kind: FieldKind, ty: Type, value: Option<Body>) -> FieldDef {
    FieldDef {
        name: Name::new(name),
        data_name: name.into(),
        kind,
        ty,
        value,
        refined: false,
        cost: Cost::Live,
        was: Vec::new(),
        file: model_file(),
        node: Node(0),
        docs: Default::default(),
        deprecated: None,
    }
}

pub fn record(id: TypeId, name: &str, kind: RecordKind, fields: Vec<FieldDef>) -> TypeDef {
    let keys = fields.iter().enumerate().filter(|(_, f)| f.kind == FieldKind::Key);
    let keys = keys
        .map(|(slot, f)| KeyDef { path: vec![slot as Slot], name: f.data_name.clone(), ty: f.ty.clone() })
        .collect();
    let stored = fields.iter().filter(|f| f.kind.is_stored()).count();
    TypeDef::Record(RecordDef {
        decl: Decl {
            id,
            name: Name::new(name),
            path: format!("main::{name}").into(),
            file: model_file(),
            node: Node(0),
            docs: Default::default(),
            deprecated: None,
        },
        kind,
        fields,
        stored,
        keys,
        source: None,
        handler: None,
        target: None,
        rest: None,
        checks: Vec::new(),
        uniques: Vec::new(),
        relations: Vec::new(),
        holders: Vec::new(),
    })
}

pub fn optional(ty: Type) -> Type {
    Type::Optional(Arc::new(ty))
}

/// `File { key host: Host, key path: string, content: string, mode: int = 420, owner: string? }`,
/// `Host { key name: string }`, `Site { key name: string, port: int = 8080, let root = "/srv/${name}" }`.
pub fn program(impls: Vec<Body>) -> Program {
    let file = record(
        FILE,
        "File",
        RecordKind::Resource,
        vec![
            field("host", FieldKind::Key, Type::Record(HOST), None),
            field("path", FieldKind::Key, Type::Str, None),
            field("content", FieldKind::Plain, Type::Str, None),
            field("mode", FieldKind::Plain, Type::Int, Some(body(HirKind::Int(420), 0))),
            field("owner", FieldKind::Plain, optional(Type::Str), None),
            field("group", FieldKind::Plain, optional(Type::Str), None),
            field("note", FieldKind::Plain, optional(Type::Str), None),
            field("sha256", FieldKind::Output, Type::Str, None),
        ],
    );
    let host = record(HOST, "Host", RecordKind::Target, vec![field("name", FieldKind::Key, Type::Str, None)]);
    let root = body(interpolated(vec![text("/srv/"), this(0)]), 0);
    let site = record(
        SITE,
        "Site",
        RecordKind::Slice,
        vec![
            field("name", FieldKind::Key, Type::Str, None),
            field("port", FieldKind::Plain, Type::Int, Some(body(HirKind::Int(8080), 0))),
            field("token", FieldKind::Plain, Type::Secret(Arc::new(Type::Str)), None),
            field("root", FieldKind::Derived, Type::Str, Some(root)),
        ],
    );
    let impls = impls.into_iter().map(|body| ImplDef {
        ty: SITE,
        when: None,
        body,
        transient: false,
        creates: Vec::new(),
        reads: Vec::new(),
        node: Node(0),
    });
    Program { types: vec![file, host, site], impls: impls.collect(), ..Program::default() }
}

pub fn site(name: &str, port: i64) -> Arc<Instance> {
    let file = FileId::new("slices/a.yaml");
    let id = InstanceId { file, item: 0 };
    let fields = vec![Value::Str(name.into()), Value::Int(port), Value::Null];
    let element = Some(Element { instance: id, index: 0 });
    let record = Arc::new(Record { ty: SITE, fields: fields.into(), element });
    let root = InstanceElement {
        record,
        parent: None,
        variant: None,
        step: Default::default(),
        place: Some((file, 0)),
        fields: vec![Some((file, 1)), Some((file, 2)), None].into(),
        wrong: Vec::new(),
    };
    let key = Arc::from([Value::Str(name.into())]);
    Arc::new(Instance { id, ty: SITE, key, elements: vec![root], broken: false })
}

/// A world of a model alone.
pub fn world<'a>(program: &'a Program, plan: &'a Plan, files: Option<&'a dyn Files>) -> ModelWorld<'a> {
    ModelWorld { program, plan, environment: None, files }
}
