//! Deploys of graphs that are built here.

mod engine;
mod files;

use ecow::{EcoString, eco_format};

use crate::graph::{Drift, Graph, GraphBuilder, GraphValue, Header, LOCAL, Node, Origin, Require, State};

/// A node of the standard library's files, or of another handler.
fn node(type_: &str, handler: &str, key: (&str, &str), fields: Vec<(&str, GraphValue)>) -> Node {
    let mut fields: Vec<(EcoString, GraphValue)> = fields.into_iter().map(|(k, v)| (k.into(), v)).collect();
    fields.push((key.0.into(), text(key.1)));
    Node {
        id: eco_format!("{type_}[{}={}]", key.0, key.1),
        type_: type_.into(),
        handler: handler.into(),
        target: LOCAL.into(),
        state: State::Present,
        until: Vec::new(),
        fields: GraphValue::map(fields),
        requires: Vec::new(),
        protect: false,
        adopt: false,
        keep: false,
        timeout: None,
        drift: Drift::Repair,
        origin: Origin::default(),
    }
}

fn text(text: &str) -> GraphValue {
    GraphValue::Str(text.into())
}

fn requiring(mut node: Node, ids: &[&str]) -> Node {
    let require = |id: &&str| Require { id: EcoString::from(*id), why: "after".into() };
    node.requires.extend(ids.iter().map(require));
    node
}

fn graph(nodes: Vec<Node>) -> GraphBuilder {
    Graph::new(Header { project: "test".into(), ..Header::default() }, Vec::new(), nodes).unwrap().seal()
}
