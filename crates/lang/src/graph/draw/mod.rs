//! Drawings of a graph: for Graphviz, for Mermaid, and as SVG.
//!
//! Nodes stand in groups, one for each target; an arrow goes from a node to what it requires.

mod dot;
mod layout;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;

use super::Graph;
use super::id;
use super::node::{LOCAL, State};
use super::order::Dependencies;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// What of a graph is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The project's name, and the environment's.
    title: String,
    /// By target, then by id.
    nodes: Vec<Drawn>,
    /// The targets' short ids, each of some node.
    groups: Vec<String>,
}

/// A node of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Drawn {
    id: EcoString,
    /// The last part of its type's path.
    type_: String,
    /// Its keys, without those that say again which target it is on.
    keys: String,
    /// What made it, in a line.
    origin: String,
    group: usize,
    state: State,
    focus: bool,
    /// What it requires of what is drawn.
    requires: Vec<Arrow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Arrow {
    /// An index into the nodes.
    to: usize,
    why: EcoString,
}

/// Which nodes are drawn around one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    /// The full ids in the middle; that of a target stands for all that is deployed on it.
    pub ids: Vec<EcoString>,
    /// How many steps are followed, both to what is required and to what requires it.
    pub depth: usize,
}

impl Drawn {
    /// Type and keys, with something between them if there are keys.
    fn label(&self, between: &str, part: impl Fn(&str) -> String) -> String {
        match self.keys.as_str() {
            "" => part(&self.type_),
            keys => format!("{}{between}{}", part(&self.type_), part(keys)),
        }
    }
}

impl Picture {
    /// Draws all of a graph, or what is around some nodes of it.
    pub fn new(graph: &Graph, focus: Option<&Focus>) -> Self {
        let shown = focus.map(|focus| around(graph, focus));
        let is_shown = |id: &EcoString| shown.as_ref().is_none_or(|shown| shown.contains(id));
        let mut nodes: Vec<_> = graph.nodes.iter().filter(|n| is_shown(&n.id)).collect();
        nodes.sort_by(|a, b| (&a.target, &a.id).cmp(&(&b.target, &b.id)));
        let numbers: BTreeMap<&EcoString, usize> = nodes.iter().zip(0..).map(|(n, at)| (&n.id, at)).collect();
        let mut groups: Vec<&EcoString> = nodes.iter().map(|n| &n.target).collect();
        groups.dedup();
        let drawn = |node: &&super::Node| {
            let short = id::short(&node.id);
            let arrows = node.requires.iter().filter_map(|r| {
                let to = *numbers.get(&r.id)?;
                Some(Arrow { to, why: r.why.clone() })
            });
            Drawn {
                id: node.id.clone(),
                type_: id::type_path(short).to_owned(),
                keys: keys(&node.id, &node.target),
                origin: origin(&node.origin),
                group: groups.binary_search(&&node.target).unwrap_or(0),
                state: node.state,
                focus: focus.is_some_and(|f| f.ids.contains(&node.id)),
                requires: arrows.collect(),
            }
        };
        let title = match &graph.header.env {
            Some(env) => format!("{} ({env})", graph.header.project),
            None => graph.header.project.to_string(),
        };
        let named = |target: &&EcoString| match target.as_str() {
            LOCAL => "this machine".to_owned(),
            target => id::short(target).to_owned(),
        };
        Picture {
            title,
            nodes: nodes.iter().map(drawn).collect(),
            groups: groups.iter().map(named).collect(),
        }
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The nodes of a group, with their indexes.
    fn group(&self, group: usize) -> impl Iterator<Item = (usize, &Drawn)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.group == group)
    }
}

/// The nodes that a focus shows.
fn around(graph: &Graph, focus: &Focus) -> BTreeSet<EcoString> {
    let down = Dependencies::of_graph(graph, true);
    let up = down.reversed();
    let on_target = graph.nodes.iter().filter(|n| focus.ids.contains(&n.target)).map(|n| &n.id);
    let start: BTreeSet<u32> = focus.ids.iter().chain(on_target).filter_map(|id| down.number(id)).collect();
    let mut shown = start.clone();
    for edges in [&down, &up] {
        // Each way on its own: what else stands in a folder is not near to a file in it.
        let mut seen = start.clone();
        let mut front: Vec<u32> = start.iter().copied().collect();
        for _ in 0..focus.depth {
            let next = front.iter().flat_map(|&n| edges.requires(n)).copied();
            front = next.filter(|&n| seen.insert(n)).collect();
        }
        shown.extend(seen);
    }
    shown.into_iter().map(|n| down.id(n).clone()).collect()
}

fn origin(origin: &super::Origin) -> String {
    let parts = [&origin.instance, &origin.element, &origin.model];
    let parts: Vec<&str> = parts.into_iter().map(EcoString::as_str).filter(|p| !p.is_empty()).collect();
    parts.join("  ")
}

/// `path=/etc/motd` of `TextFile[host=h1,path=/etc/motd]` on `Host[name=h1]`; a single key goes
/// without its name.
fn keys(id: &str, target: &str) -> String {
    let body = |id: &str| -> Option<String> { Some(id.split_once('[')?.1.strip_suffix(']')?.to_owned()) };
    let Ok(parsed) = id::parse(id) else { return body(id).unwrap_or_default() };
    let is_here = target == LOCAL;
    let target = id::parse(target).map(|t| t.keys).unwrap_or_default();
    let is_target = |value: &id::KeyValue| match (value, target.as_slice()) {
        (id::KeyValue::Null, _) => is_here,
        (id::KeyValue::Keys(keys), _) => *keys == target,
        (value, [(_, only)]) => value == only,
        _ => false,
    };
    let mut keys = parsed.keys.clone();
    if let Some(at) = keys.iter().position(|(_, value)| is_target(value))
        && keys.len() > 1
    {
        keys.remove(at);
    }
    match keys.as_slice() {
        [(_, id::KeyValue::Str(text))] => text.clone(),
        _ => body(&id::Id { type_path: String::new(), keys }.to_string()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
