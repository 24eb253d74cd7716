//! The graph of what a simulated project says.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::{EcoString, eco_format};

use crate::graph::{
    Drift, GraphBuilder, GraphValue, Header, LOCAL, Later, Move, Node, Origin, Require, State, Target as Host,
};
use crate::handler::Root;
use crate::state::Place;

use super::super::planning::parts::{as_part, owner};
use super::super::target::{Target, Targets};
use super::super::{Scope, Select};
use super::case::{Faults, Kind, Spec};
use super::chance::TARGETS;

/// The full path of a type.
fn type_path(kind: Kind) -> &'static str {
    match kind {
        Kind::Thing => "fake::Thing",
        Kind::Bare => "fake::Bare",
        Kind::Floating => "fake::Floating",
        Kind::Box => "fake::Box",
        Kind::Crowd => "fake::Crowd",
    }
}

/// The id of something.
fn id(spec: &Spec) -> EcoString {
    named(spec.kind, spec.name)
}

fn named(kind: Kind, name: u8) -> EcoString {
    eco_format!("{}[name=n{name}]", type_path(kind))
}

/// What something that passes is there for: what has the name, or had it, whatever its type was.
fn until(name: u8, by_name: &BTreeMap<u8, &Spec>) -> Vec<EcoString> {
    match by_name.get(&name) {
        Some(spec) => vec![id(spec)],
        None => {
            let mut ids: Vec<EcoString> = KINDS.iter().map(|kind| named(*kind, name)).collect();
            ids.sort();
            ids
        }
    }
}

const KINDS: [Kind; 5] = [Kind::Thing, Kind::Bare, Kind::Floating, Kind::Box, Kind::Crowd];

/// The id of a target.
pub fn target_id(target: u8) -> EcoString {
    match target {
        0 => LOCAL.into(),
        other => eco_format!("fake::Host[name=t{other}]"),
    }
}

/// What a target is.
pub fn identity(target: u8) -> EcoString {
    eco_format!("machine{target}")
}

/// What something goes on as.
pub fn moved_to(specs: &[Spec], was: &EcoString) -> Option<EcoString> {
    let moved = |spec: &&Spec| spec.was.is_some_and(|name| named(spec.kind, name) == owner(was));
    specs.iter().find(moved).map(|spec| as_part(&id(spec), was))
}

/// What a run is for.
pub fn scope(faults: &Faults) -> Scope {
    Scope {
        targets: faults.target.map(|target| [target_id(target)].into()),
        only: faults.only.clone().map(|names| Arc::new(Names(names)) as Arc<dyn Select>),
    }
}

/// Selects by names.
#[derive(Debug)]
struct Names(Vec<u8>);

impl Select for Names {
    fn selects(&self, id: &str) -> bool {
        self.0.iter().any(|name| id.ends_with(&format!("[name=n{name}]")))
    }
}

/// The targets of a simulation.
pub fn targets() -> Targets {
    let target = |at| Target {
        place: Place { target: target_id(at), identity: identity(at), reach: EcoString::new() },
        root: Root { folder: None, allowed: vec!["/".into()] },
        waits_for: None,
    };
    Targets::only((0..TARGETS).map(target).collect())
}

/// What a project says, as nodes.
pub fn nodes(specs: &[Spec]) -> Vec<Node> {
    let by_name: BTreeMap<u8, &Spec> = specs.iter().map(|spec| (spec.name, spec)).collect();
    specs.iter().map(|spec| node(spec, &by_name)).collect()
}

fn node(spec: &Spec, by_name: &BTreeMap<u8, &Spec>) -> Node {
    let text = |text: EcoString| GraphValue::Str(text);
    let mut fields: Vec<(EcoString, GraphValue)> = vec![
        ("name".into(), text(eco_format!("n{}", spec.name))),
        ("value".into(), text(eco_format!("v{}", spec.value))),
        ("extra".into(), text(eco_format!("e{}", spec.extra))),
        ("shape".into(), text(eco_format!("s{}", spec.shape))),
    ];
    if spec.kind == Kind::Floating {
        fields.push(("slot".into(), text(eco_format!("{}", spec.slot))));
    }
    if spec.kind == Kind::Crowd {
        let names = spec.parts.iter().map(|part| text(eco_format!("p{part}")));
        fields.push(("parts".into(), GraphValue::List(names.collect())));
    }
    if let Some(holder) = spec.inside {
        fields.push(("inside".into(), text(eco_format!("n{holder}"))));
    }
    let input = spec.input.and_then(|name| by_name.get(&name));
    if let Some(producer) = input {
        let field = if spec.deep { "shape" } else { "value" };
        let output = Later::Output { id: id(producer), output: "out".into() };
        let value = GraphValue::Later(output);
        fields.iter_mut().filter(|(name, _)| name == field).for_each(|field| field.1 = value.clone());
    }
    let names = spec.requires.iter().chain(&spec.inside).chain(&spec.input);
    let requires = names.filter_map(|name| by_name.get(name));
    let mut requires: Vec<Require> =
        requires.map(|spec| Require { id: id(spec), why: "after".into() }).collect();
    Require::normalise(&mut requires);
    Node {
        id: id(spec),
        type_: type_path(spec.kind).into(),
        handler: "fake".into(),
        target: target_id(spec.target),
        state: if spec.until.is_some() { State::Transient } else { State::Present },
        until: spec.until.map(|name| until(name, by_name)).unwrap_or_default(),
        fields: GraphValue::map(fields),
        requires,
        protect: spec.protect,
        adopt: spec.adopt,
        keep: spec.keep,
        timeout: Some(20_000_000_000),
        drift: Drift::Repair,
        origin: Origin::default(),
    }
}

/// The nodes with those that consist of parts as these.
pub fn expanded(nodes: Vec<Node>) -> Vec<Node> {
    nodes.into_iter().flat_map(|node| parts_of(&node).unwrap_or_else(|| vec![node])).collect()
}

fn parts_of(node: &Node) -> Option<Vec<Node>> {
    let Some(GraphValue::List(names)) = node.fields.get("parts") else { return None };
    let part = |name: &EcoString| {
        let fields = node.fields.entries().unwrap_or_default().iter().filter(|(name, _)| name != "parts");
        let fields = fields.cloned().chain([("part".into(), GraphValue::Str(name.clone()))]);
        let id = eco_format!("{}#{name}", node.id);
        Node { id, fields: GraphValue::map(fields.collect()), ..node.clone() }
    };
    Some(names.iter().filter_map(|name| Some(part(&name.as_str()?.into()))).collect())
}

/// What a field that uses an output waits for: the name of the field, and the id of the producer.
pub fn waits_for(node: &Node) -> Option<(&EcoString, &EcoString)> {
    node.fields.entries()?.iter().find_map(|(name, value)| match value {
        GraphValue::Later(Later::Output { id, .. }) => Some((name, id)),
        _ => None,
    })
}

/// The same nodes as they are to be in the end, with what their producers then yield.
pub fn settled(specs: &[Spec]) -> Vec<Node> {
    let mut nodes = nodes(specs);
    let mut values: BTreeMap<EcoString, EcoString> = BTreeMap::new();
    // Who uses an output has a greater name than who yields it, so one round does not do for all.
    for _ in 0..nodes.len() {
        for node in &mut nodes {
            if let Some((field, producer)) = waits_for(node)
                && let Some(value) = values.get(producer)
            {
                let known = (field.clone(), GraphValue::Str(eco_format!("out-{value}")));
                let fields = node.fields.entries().unwrap_or_default().iter();
                let fields = fields.map(|f| if f.0 == known.0 { known.clone() } else { f.clone() });
                node.fields = GraphValue::map(fields.collect());
            }
            if let Some(value) = node.fields.get("value").and_then(GraphValue::as_str) {
                values.insert(node.id.clone(), value.into());
            }
        }
    }
    nodes
}

/// What a project says, as a graph.
pub fn graph(specs: &[Spec]) -> GraphBuilder {
    let lasting = specs.iter().filter(|spec| spec.until.is_none());
    let mut moves: Vec<Move> =
        lasting.filter_map(|spec| Some(Move { from: named(spec.kind, spec.was?), to: id(spec) })).collect();
    moves.sort_by(|a, b| a.from.cmp(&b.from));
    let mut builder = GraphBuilder::new(Header { project: "sim".into(), moves, ..Header::default() });
    let scratch = &mut Vec::new();
    for target in 1..TARGETS {
        let host = Host {
            id: target_id(target),
            type_: "fake::Host".into(),
            fields: GraphValue::map(Vec::new()),
            origin: Origin::default(),
        };
        builder.upsert_target(Arc::new(host.seal(scratch)));
    }
    for node in nodes(specs) {
        builder.upsert(Arc::new(node.seal(scratch)));
    }
    builder
}
