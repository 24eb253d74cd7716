//! Which nodes come before which: order, cycles, layers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::codes::graph::DEPENDENCY_CYCLE;
use crate::diag::{Diagnostic, Place};

use super::id;
use super::node::{SealedNode, State};
use super::{Graph, GraphBuilder};

/// What each node requires, by number. Nodes are numbered in the order of their ids, so that
/// the numbers order as the ids do.
#[derive(Clone, Debug, Default)]
pub struct Dependencies {
    ids: Vec<EcoString>,
    /// Where the requirements of each node start in `edges`; one more than there are nodes.
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Dependencies {
    /// The requirements of these nodes among each other: each with its id and the ids that it
    /// requires. An id that no node has is left out: that references lead somewhere is checked
    /// where they are made.
    pub fn new<'a, R>(nodes: impl IntoIterator<Item = (&'a EcoString, R)>) -> Self
    where
        R: IntoIterator<Item = &'a EcoString>,
    {
        let mut nodes: Vec<_> = nodes.into_iter().collect();
        nodes.sort_by(|a, b| a.0.cmp(b.0));
        nodes.dedup_by(|b, a| a.0 == b.0);
        let ids: Vec<EcoString> = nodes.iter().map(|(id, _)| (*id).clone()).collect();
        let numbers: FxHashMap<&str, u32> = ids.iter().zip(0..).map(|(id, n)| (id.as_str(), n)).collect();
        let mut starts = Vec::with_capacity(ids.len() + 1);
        let mut edges = Vec::new();
        starts.push(0);
        for (_, requires) in nodes {
            let mut numbered: Vec<u32> =
                requires.into_iter().filter_map(|id| numbers.get(id.as_str()).copied()).collect();
            // In one order, however they were given: which of two circles is reported hangs on it.
            numbered.sort_unstable();
            numbered.dedup();
            edges.append(&mut numbered);
            starts.push(edges.len() as u32);
        }
        Dependencies { ids, starts, edges }
    }

    /// Those of a graph's nodes. With `absent`, those of absent nodes too; what made these was
    /// compiled at other times, so that they can form cycles without anybody's fault.
    pub fn of_graph(graph: &Graph, absent: bool) -> Self {
        let nodes = graph.nodes.iter().filter(|n| absent || n.state != State::Absent);
        Self::new(nodes.map(|n| (&n.id, n.requires.iter().map(|r| &r.id))))
    }

    /// Those of a graph's nodes; see [`Dependencies::of_graph`].
    pub fn of_builder(graph: &GraphBuilder, absent: bool) -> Self {
        let nodes = graph.iter().filter(|n| absent || n.state != State::Absent);
        Self::new(nodes.map(|n| (&n.id, n.requires.iter())))
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of a node.
    pub fn id(&self, node: u32) -> &EcoString {
        static NONE: EcoString = EcoString::new();
        self.ids.get(node as usize).unwrap_or(&NONE)
    }

    /// The number of an id.
    pub fn number(&self, id: &str) -> Option<u32> {
        self.ids.binary_search_by(|i| i.as_str().cmp(id)).ok().map(|n| n as u32)
    }

    /// The nodes that a node requires.
    pub fn requires(&self, node: u32) -> &[u32] {
        let node = node as usize;
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(&from), Some(&to)) => self.edges.get(from as usize..to as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The same the other way round: what a node is required by stands in its place.
    pub fn reversed(&self) -> Self {
        let mut counts = vec![0u32; self.len() + 1];
        for &edge in &self.edges {
            if let Some(count) = counts.get_mut(edge as usize + 1) {
                *count += 1;
            }
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        let starts = counts.clone();
        let mut edges = vec![0; self.edges.len()];
        for user in 0..self.len() as u32 {
            for &used in self.requires(user) {
                let next = &mut counts[used as usize];
                edges[*next as usize] = user;
                *next += 1;
            }
        }
        Dependencies { ids: self.ids.clone(), starts, edges }
    }

    /// All nodes, each after what it requires; of those that could come next always the least
    /// by id. Nodes on a cycle, and what requires them, are missing.
    pub fn order(&self) -> Vec<u32> {
        let users = self.reversed();
        let mut open: Vec<u32> = (0..self.len() as u32).map(|n| self.requires(n).len() as u32).collect();
        let ready = (0..self.len() as u32).filter(|&n| self.requires(n).is_empty());
        let mut ready: BinaryHeap<Reverse<u32>> = ready.map(Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for &user in users.requires(node) {
                let Some(count) = open.get_mut(user as usize) else { continue };
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(user));
                }
            }
        }
        order
    }

    /// How many nodes can be ordered.
    fn count_ordered(&self) -> usize {
        let users = self.reversed();
        let mut open: Vec<u32> = (0..self.len() as u32).map(|n| self.requires(n).len() as u32).collect();
        let mut ready: Vec<u32> = (0..self.len() as u32).filter(|&n| self.requires(n).is_empty()).collect();
        let mut count = 0;
        while let Some(node) = ready.pop() {
            count += 1;
            for &user in users.requires(node) {
                let Some(count) = open.get_mut(user as usize) else { continue };
                *count -= 1;
                if *count == 0 {
                    ready.push(user);
                }
            }
        }
        count
    }

    /// The cycles: from each group of nodes that require each other a shortest one through the
    /// group's least id. Each node of a cycle requires the next, the last one the first.
    pub fn cycles(&self) -> Vec<Vec<u32>> {
        if self.count_ordered() == self.len() {
            return Vec::new();
        }
        let mut cycles = Vec::new();
        for group in self.groups() {
            // Shortest from the least: what stands in the report does not depend on chance.
            let Some(&least) = group.iter().min() else { continue };
            if let Some(cycle) = shortest_cycle(least, |&n| self.requires(n).to_vec()) {
                cycles.push(cycle);
            }
        }
        cycles.sort();
        cycles
    }

    /// The strongly connected components with a cycle in them (Tarjan, without recursion).
    fn groups(&self) -> Vec<Vec<u32>> {
        const UNSEEN: u32 = u32::MAX;
        let mut index = vec![UNSEEN; self.len()];
        let mut low = vec![0u32; self.len()];
        let mut on_stack = vec![false; self.len()];
        let mut stack = Vec::new();
        let mut groups = Vec::new();
        let mut next = 0;
        for root in 0..self.len() {
            if index[root] != UNSEEN {
                continue;
            }
            // A node and how many of its requirements were followed.
            let mut path = vec![(root, 0)];
            while let Some(&mut (node, ref mut followed)) = path.last_mut() {
                if *followed == 0 {
                    index[node] = next;
                    low[node] = next;
                    next += 1;
                    stack.push(node);
                    on_stack[node] = true;
                }
                if let Some(&used) = self.requires(node as u32).get(*followed) {
                    *followed += 1;
                    let used = used as usize;
                    if index[used] == UNSEEN {
                        path.push((used, 0));
                    } else if on_stack[used] {
                        low[node] = low[node].min(index[used]);
                    }
                    continue;
                }
                path.pop();
                if let Some(&(user, _)) = path.last() {
                    low[user] = low[user].min(low[node]);
                }
                if low[node] == index[node] {
                    let from = stack.iter().rposition(|&n| n == node).unwrap_or(stack.len());
                    let group: Vec<u32> = stack.drain(from..).map(|n| n as u32).collect();
                    for &member in &group {
                        on_stack[member as usize] = false;
                    }
                    if group.len() > 1 || self.requires(node as u32).contains(&(node as u32)) {
                        groups.push(group);
                    }
                }
            }
        }
        groups
    }

    /// The layer of each node: 0 for what requires nothing, else one more than the highest of
    /// what it requires. Within a cycle one edge counts for nothing.
    pub fn layers(&self) -> Vec<u32> {
        let mut layers = vec![0; self.len()];
        let order = self.order();
        let mut done: Vec<bool> = vec![false; self.len()];
        // What is on a cycle follows in the order of the ids.
        let rest: Vec<u32> = {
            let ordered: FxHashSet<u32> = order.iter().copied().collect();
            (0..self.len() as u32).filter(|n| !ordered.contains(n)).collect()
        };
        for node in order.into_iter().chain(rest) {
            let below = self.requires(node).iter().filter(|&&n| done[n as usize]);
            layers[node as usize] = below.map(|&n| layers[n as usize] + 1).max().unwrap_or(0);
            done[node as usize] = true;
        }
        layers
    }
}

/// A shortest way from `start` back to it.
fn shortest_cycle<T: Clone + Eq + std::hash::Hash>(start: T, next: impl Fn(&T) -> Vec<T>) -> Option<Vec<T>> {
    let mut came_from: FxHashMap<T, T> = FxHashMap::default();
    let mut queue = std::collections::VecDeque::from([start.clone()]);
    while let Some(node) = queue.pop_front() {
        for used in next(&node) {
            if used == start {
                let mut cycle = vec![node];
                while let Some(before) = cycle.last().and_then(|n| came_from.get(n)) {
                    cycle.push(before.clone());
                }
                cycle.reverse();
                return Some(cycle);
            }
            if !came_from.contains_key(&used) {
                came_from.insert(used.clone(), node.clone());
                queue.push_back(used);
            }
        }
    }
    None
}

/// Whether there is certainly no cycle among what is to exist of these nodes: no says nothing, and
/// [`Dependencies::cycles`] does. Looks at hashes of the ids alone, and is the quickest way through
/// nodes that have none.
pub fn are_acyclic<'a>(nodes: impl Iterator<Item = &'a SealedNode> + Clone) -> bool {
    let live = nodes.filter(|n| n.state != State::Absent);
    let mut numbers: FxHashMap<u64, u32> =
        FxHashMap::with_capacity_and_hasher(live.size_hint().1.unwrap_or(0), Default::default());
    for (node, number) in live.clone().zip(0..) {
        let own = node.hashes.first().copied().unwrap_or_default();
        if numbers.insert(own, number).is_some() {
            return false;
        }
    }
    let mut starts = Vec::with_capacity(numbers.len() + 1);
    let mut edges = Vec::with_capacity(numbers.len());
    starts.push(0);
    for node in live {
        // An id that is not there may look like one that is: an edge too many hides nothing.
        edges.extend(node.hashes.iter().skip(1).filter_map(|hash| numbers.get(hash).copied()));
        starts.push(edges.len() as u32);
    }
    // Without ids: nobody asks for them.
    let graph = Dependencies { ids: Vec::new(), starts, edges };
    graph.count_ordered() == graph.len()
}

impl GraphBuilder {
    /// The cycles among what is to exist, as [`Dependencies::cycles`] finds them. Quick if there
    /// are none, as nearly always.
    pub fn cycles(&self) -> Vec<Vec<EcoString>> {
        if are_acyclic(self.iter().map(|node| &**node)) {
            return Vec::new();
        }
        let dependencies = Dependencies::of_builder(self, false);
        let ids = |cycle: Vec<u32>| cycle.into_iter().map(|n| dependencies.id(n).clone()).collect();
        dependencies.cycles().into_iter().map(ids).collect()
    }

    /// The cycle that a node is on, if it is on one: a shortest one, from its least id on. After
    /// an edit it is enough to ask for the nodes that came or changed.
    pub fn cycle_through(&self, id: &EcoString) -> Option<Vec<EcoString>> {
        let live = |id: &EcoString| self.get(id).filter(|n| n.state != State::Absent);
        let mut cycle =
            shortest_cycle(id.clone(), |id| live(id).map_or(Vec::new(), |n| n.requires.to_vec()))?;
        let least = cycle.iter().enumerate().min_by_key(|&(_, id)| id).map_or(0, |(at, _)| at);
        cycle.rotate_left(least);
        Some(cycle)
    }
}

/// Why one node of a cycle requires the next, and where that stands.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The reason: `after`, ``field `host` ``, `parent directory`.
    pub why: EcoString,
    /// What says so in the model.
    pub model: Place,
    /// What caused it in the data.
    pub data: Option<Place>,
}

/// The error of a cycle: one label an edge. `edge` is asked for each, by the ids of the user and
/// the used.
pub fn cycle_error(
    cycle: &[EcoString],
    edge: &mut dyn FnMut(&EcoString, &EcoString) -> Edge,
) -> Option<Diagnostic> {
    let (first, others) = cycle.split_first()?;
    let through: Vec<String> = others.iter().map(|id| format!("`{}`", id::shown(id))).collect();
    let message = match through.as_slice() {
        [] => format!("`{}` requires itself", id::shown(first)),
        _ => format!("`{}` requires itself, through {}", id::shown(first), through.join(", then ")),
    };
    let mut diagnostic: Option<Diagnostic> = None;
    let used = others.iter().chain(std::iter::once(first));
    for (user, used) in cycle.iter().zip(used) {
        let edge = edge(user, used);
        let text = format!("`{}` requires `{}`: {}", id::shown(user), id::shown(used), edge.why);
        let mut with = match diagnostic {
            None => Diagnostic::new(DEPENDENCY_CYCLE, edge.model, &message).at(text),
            Some(diagnostic) => diagnostic.label(edge.model, text),
        };
        if let Some(data) = edge.data {
            with = with.label(data, format!("`{}` comes from here", id::shown(user)));
        }
        diagnostic = Some(with);
    }
    diagnostic.map(|d| d.help("take one of the `after`s or references out: something has to be first"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dependencies(nodes: &[(&str, &[&str])]) -> Dependencies {
        let nodes: Vec<(EcoString, Vec<EcoString>)> =
            nodes.iter().map(|(id, r)| ((*id).into(), r.iter().map(|r| (*r).into()).collect())).collect();
        Dependencies::new(nodes.iter().map(|(id, r)| (id, r)))
    }

    fn ids(of: &Dependencies, nodes: &[u32]) -> String {
        nodes.iter().map(|&n| of.id(n).as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn order_layers_and_cycles() {
        let fine = dependencies(&[("a", &["c", "x"]), ("b", &[]), ("c", &["b"]), ("d", &[])]);
        assert_eq!(ids(&fine, &fine.order()), "b c a d");
        assert_eq!(fine.layers(), [2, 0, 1, 0]);
        assert!(fine.cycles().is_empty());
        let users = fine.reversed();
        assert_eq!(ids(&users, users.requires(1)), "c");
        assert_eq!(ids(&users, users.requires(2)), "a");
        let cyclic = dependencies(&[
            ("a", &["b"]),
            ("b", &["c", "d"]),
            ("c", &["a"]),
            ("d", &["a"]),
            ("e", &["e"]),
            ("f", &["a"]),
            ("g", &[]),
        ]);
        let cycles: Vec<_> = cyclic.cycles().iter().map(|c| ids(&cyclic, c)).collect();
        assert_eq!(cycles, ["a b c", "e"]);
        assert_eq!(ids(&cyclic, &cyclic.order()), "g");
        assert_eq!(cyclic.layers().len(), 7);
    }

    #[test]
    fn long_chains_need_no_stack() {
        let ids: Vec<EcoString> = (0..200_000).map(|n| ecow::eco_format!("{n:06}")).collect();
        let next = |n: usize| ids.get((n + 1) % ids.len()).into_iter();
        let ring = Dependencies::new(ids.iter().enumerate().map(|(n, id)| (id, next(n))));
        assert_eq!(ring.cycles().len(), 1);
        assert_eq!(ring.cycles()[0].len(), ids.len());
    }

    fn on_a_cycle(requires: &[Vec<EcoString>], node: usize) -> bool {
        let next = |n: usize| requires[n].iter().map(|id| id.parse::<usize>().unwrap());
        let mut open: Vec<usize> = next(node).collect();
        let mut seen = FxHashSet::default();
        while let Some(n) = open.pop() {
            if n == node {
                return true;
            }
            if seen.insert(n) {
                open.extend(next(n));
            }
        }
        false
    }

    proptest! {
        #[test]
        fn order_and_cycles_agree(edges in proptest::collection::vec((0..8usize, 0..8usize), 0..14)) {
            let ids: Vec<EcoString> = (0..8).map(|n| ecow::eco_format!("{n}")).collect();
            let requires: Vec<Vec<EcoString>> = (0..8)
                .map(|n| edges.iter().filter(|e| e.0 == n).map(|e| ids[e.1].clone()).collect())
                .collect();
            let graph = Dependencies::new(ids.iter().zip(&requires));
            let order = graph.order();
            let mut seen = FxHashSet::default();
            for &node in &order {
                prop_assert!(graph.requires(node).iter().all(|n| seen.contains(n)));
                seen.insert(node);
            }
            let cycles = graph.cycles();
            prop_assert_eq!(cycles.is_empty(), order.len() == graph.len());
            let nodes = ids.iter().zip(&requires).map(|(id, requires)| {
                crate::graph::tests::bare(id, &requires.iter().map(EcoString::as_str).collect::<Vec<_>>())
            });
            let full = crate::graph::Graph::new(Default::default(), Vec::new(), nodes.collect()).unwrap();
            let named: Vec<Vec<EcoString>> =
                cycles.iter().map(|c| c.iter().map(|&n| graph.id(n).clone()).collect()).collect();
            prop_assert_eq!(full.seal().cycles(), named);
            for (at, id) in ids.iter().enumerate() {
                let on_one = full.seal().cycle_through(id);
                prop_assert_eq!(on_one.is_some(), on_a_cycle(&requires, at), "{}", id);
            }
            for cycle in &cycles {
                for (at, &node) in cycle.iter().enumerate() {
                    prop_assert!(graph.requires(node).contains(&cycle[(at + 1) % cycle.len()]));
                }
            }
            for (node, layer) in graph.layers().into_iter().enumerate() {
                if cycles.is_empty() {
                    let below = graph.requires(node as u32).iter().map(|&n| graph.layers()[n as usize] + 1).max();
                    prop_assert_eq!(layer, below.unwrap_or(0));
                }
            }
        }
    }
}
