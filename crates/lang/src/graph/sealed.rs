//! Many nodes, few changes: the graph while it is made and kept up to date.

use std::io;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use super::canonical::Writer;
use super::digest::Digest;
use super::node::{LOCAL, SealedNode, SealedTarget, State};
use super::tree::{Leaf, Tree};

/// The version of the document's format.
pub const FORMAT: i64 = 1;

/// What the document says of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Header {
    /// The project's name.
    pub project: EcoString,
    /// The environment, if the project has any.
    pub env: Option<EcoString>,
    /// What was compiled.
    pub source: Source,
    /// The approvals of `[[guard.allow]]`, in the order of `base`.
    pub allow: Vec<Allow>,
    /// The moves, in the order of `from`.
    pub moves: Vec<Move>,
}

/// What was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Source {
    /// HEAD's full id, with `+` behind it if a file that was read differs; none outside Git.
    pub revision: Option<EcoString>,
    /// The hash of the model: `sha256:…`.
    pub model: EcoString,
    /// The hash of the data: `sha256:…`.
    pub data: EcoString,
}

/// An approval: so many deletions are fine if what is deployed is `base`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The `desired` digest of the last started generation.
    pub base: EcoString,
    /// How many.
    pub deletions: u32,
}

/// An object that goes under another id now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The old id.
    pub from: EcoString,
    /// The new one.
    pub to: EcoString,
}

/// A graph as canonical bytes, node by node. A copy is cheap: 256 buckets, each shared until
/// one side changes it.
#[derive(Clone, Debug)]
pub struct GraphBuilder {
    header: Header,
    nodes: Tree<Arc<SealedNode>>,
    targets: Tree<TargetLeaf>,
    /// By target; those that no node names are not in it.
    users: FxHashMap<EcoString, Users>,
    /// How many nodes of each type are to exist, by its full path.
    types: FxHashMap<EcoString, usize>,
}

impl Leaf for Arc<SealedNode> {
    fn id(&self) -> &str {
        &self.id
    }
    fn whole(&self) -> Option<&Digest> {
        Some(&self.hash)
    }
    fn desired(&self) -> Option<&Digest> {
        (self.state == State::Present).then_some(&self.desired)
    }
}

/// How many nodes name a target.
#[derive(Clone, Copy, Debug, Default)]
struct Users {
    all: u32,
    present: u32,
}

impl Users {
    /// Whether the target is part of the document, and of what is to exist.
    fn listed(self) -> (bool, bool) {
        (self.all > 0, self.present > 0)
    }
}

/// A target, with users as they were when it was last listed or left out.
#[derive(Clone, Debug)]
struct TargetLeaf {
    target: Arc<SealedTarget>,
    users: Users,
}

impl Leaf for TargetLeaf {
    fn id(&self) -> &str {
        &self.target.id
    }
    fn whole(&self) -> Option<&Digest> {
        self.users.listed().0.then_some(&self.target.hash)
    }
    fn desired(&self) -> Option<&Digest> {
        self.users.listed().1.then_some(&self.target.desired)
    }
}

/// What differs between two graphs, by id: what was there, what is there.
pub(super) type Differing<'a, T> = Vec<(Option<&'a T>, Option<&'a T>)>;

impl GraphBuilder {
    /// A graph without nodes.
    pub fn new(header: Header) -> Self {
        GraphBuilder {
            header,
            nodes: Tree::new(),
            targets: Tree::new(),
            users: FxHashMap::default(),
            types: FxHashMap::default(),
        }
    }

    /// What is said of the whole.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Says something else of the whole.
    pub fn set_header(&mut self, header: Header) {
        self.header = header;
    }

    /// Puts a node in, in the place of one with its id.
    pub fn upsert(&mut self, node: Arc<SealedNode>) {
        self.count(&node, 1);
        if let Some(old) = self.nodes.insert(node.place, node) {
            self.count(&old, -1);
        }
    }

    /// Puts many nodes in, each in the place of one with its id.
    pub fn extend(&mut self, nodes: Vec<Arc<SealedNode>>) {
        nodes.iter().for_each(|node| self.count(node, 1));
        let replaced = self.nodes.extend(nodes.into_iter().map(|node| (node.place, node)));
        replaced.iter().for_each(|node| self.count(node, -1));
    }

    /// Takes a node out; says which it was.
    pub fn remove(&mut self, id: &str) -> Option<Arc<SealedNode>> {
        let old = self.nodes.remove(id)?;
        self.count(&old, -1);
        Some(old)
    }

    /// Puts a target in, in the place of one with its id. It stands in the document while a
    /// node names it, so all that there are can be given, at any time.
    pub fn upsert_target(&mut self, target: Arc<SealedTarget>) {
        let users = self.users.get(&target.id).copied().unwrap_or_default();
        self.targets.insert(target.place, TargetLeaf { target, users });
    }

    /// The target with this id, whether a node names it or not.
    pub fn target(&self, id: &str) -> Option<&Arc<SealedTarget>> {
        self.targets.get(id).map(|leaf| &leaf.target)
    }

    /// Takes a target out.
    pub fn remove_target(&mut self, id: &str) {
        self.targets.remove(id);
    }

    /// Counts a node for its type and its target, or, with -1, no more.
    fn count(&mut self, node: &SealedNode, change: i32) {
        if node.state == State::Present {
            let ty = super::id::type_path(&node.id);
            match self.types.get_mut(ty) {
                Some(1) if change < 0 => _ = self.types.remove(ty),
                Some(count) => *count = count.saturating_add_signed(change as isize),
                None => _ = self.types.insert(ty.into(), 1),
            }
        }
        if node.target == LOCAL {
            return;
        }
        let users = match self.users.get_mut(&node.target) {
            Some(users) => users,
            None => self.users.entry(node.target.clone()).or_default(),
        };
        let before = *users;
        users.all = users.all.saturating_add_signed(change);
        if node.state == State::Present {
            users.present = users.present.saturating_add_signed(change);
        }
        let now = *users;
        if now.all == 0 {
            self.users.remove(&node.target);
        }
        if before.listed() != now.listed()
            && let Some(leaf) = self.targets.get(&node.target).cloned()
        {
            self.targets.insert(leaf.target.place, TargetLeaf { users: now, ..leaf });
        }
    }

    /// The node with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<SealedNode>> {
        self.nodes.get(id)
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 0
    }

    /// All nodes, in no order that means something, but always the same.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SealedNode>> + Clone {
        self.nodes.iter()
    }

    /// How many nodes of each type are to exist, by its full path.
    pub fn types(&self) -> impl Iterator<Item = (&str, usize)> {
        self.types.iter().map(|(ty, count)| (ty.as_str(), *count))
    }

    /// All nodes by id.
    pub fn sorted(&self) -> Vec<&Arc<SealedNode>> {
        self.nodes.sorted()
    }

    /// The targets of the document by id.
    pub fn sorted_targets(&self) -> Vec<&Arc<SealedTarget>> {
        let listed = self.targets.sorted().into_iter().filter(|t| t.whole().is_some());
        listed.map(|t| &t.target).collect()
    }

    /// The digest of what is to exist.
    pub fn desired(&self) -> Digest {
        let nodes = self.nodes.roots().desired;
        let targets = self.targets.roots().desired;
        let mut json = Vec::with_capacity(256);
        let out = &mut Writer::new(&mut json);
        out.begin_map();
        out.member("format");
        out.int(FORMAT);
        out.member("nodes");
        out.str(&nodes.to_string());
        out.member("targets");
        out.str(&targets.to_string());
        out.end_map();
        Digest::of(&json)
    }

    /// The digest of the whole document.
    pub fn digest(&self) -> Digest {
        let desired = self.desired();
        self.digest_with(&desired)
    }

    /// The hash of the document without `digest`, with the root of its tree in the place of
    /// each of the two lists.
    fn digest_with(&self, desired: &Digest) -> Digest {
        let nodes = self.nodes.roots().whole.to_string();
        let targets = self.targets.roots().whole.to_string();
        let mut json = Vec::with_capacity(512);
        let out = &mut Writer::new(&mut json);
        self.write_up_to_nodes(None, desired, out);
        out.str(&nodes);
        self.write_up_to_targets(out);
        out.str(&targets);
        out.end_map();
        Digest::of(&json)
    }

    /// The document, in canonical JSON.
    pub fn to_canonical_json(&self) -> Vec<u8> {
        let bytes = self.nodes.iter().map(|n| n.bytes.len() + 1).sum::<usize>();
        let mut out = Vec::with_capacity(bytes + 4096);
        // Writing into a `Vec` cannot fail.
        let _ = self.write_to(&mut out);
        out
    }

    /// Writes the document, in canonical JSON, without holding all of it at once.
    pub fn write_to(&self, to: &mut dyn io::Write) -> io::Result<()> {
        let desired = self.desired();
        let digest = self.digest_with(&desired);
        let mut buffer = Vec::with_capacity(CHUNK + 4096);
        self.write_up_to_nodes(Some(&digest), &desired, &mut Writer::new(&mut buffer));
        buffer.push(b'[');
        write_items(self.nodes.sorted().into_iter().map(|n| &*n.bytes), &mut buffer, to)?;
        // With its bracket, so that the writer knows that something stands before.
        buffer.push(b']');
        self.write_up_to_targets(&mut Writer::continuing(&mut buffer));
        buffer.push(b'[');
        write_items(self.sorted_targets().into_iter().map(|t| &*t.bytes), &mut buffer, to)?;
        buffer.extend_from_slice(b"]}");
        to.write_all(&buffer)
    }

    fn write_up_to_nodes(&self, digest: Option<&Digest>, desired: &Digest, out: &mut Writer<'_>) {
        out.begin_map();
        out.member("allow");
        write_allow(&self.header.allow, out);
        out.member("desired");
        out.str(&desired.to_string());
        if let Some(digest) = digest {
            out.member("digest");
            out.str(&digest.to_string());
        }
        out.member("env");
        write_optional(self.header.env.as_ref(), out);
        out.member("format");
        out.int(FORMAT);
        out.member("moves");
        write_moves(&self.header.moves, out);
        out.member("nodes");
    }

    fn write_up_to_targets(&self, out: &mut Writer<'_>) {
        out.member("project");
        out.str(&self.header.project);
        out.member("source");
        write_source(&self.header.source, out);
        out.member("targets");
    }

    /// The nodes that differ, then the targets that differ.
    pub(super) fn differing<'a>(
        old: &'a Self,
        new: &'a Self,
    ) -> (Differing<'a, SealedNode>, Differing<'a, SealedTarget>) {
        let nodes = Tree::differing(&old.nodes, &new.nodes);
        let nodes = nodes.into_iter().map(|(a, b)| (a.map(|n| &**n), b.map(|n| &**n)));
        let targets = Tree::differing(&old.targets, &new.targets);
        let sealed = |leaf: Option<&'a TargetLeaf>| leaf.map(|t| &*t.target);
        let targets = targets.into_iter().map(|(a, b)| (sealed(a), sealed(b)));
        (nodes.collect(), targets.collect())
    }
}

/// How much is gathered before it is written.
const CHUNK: usize = 1 << 16;

fn write_items<'a>(
    items: impl Iterator<Item = &'a [u8]>,
    buffer: &mut Vec<u8>,
    to: &mut dyn io::Write,
) -> io::Result<()> {
    for (at, item) in items.enumerate() {
        if at > 0 {
            buffer.push(b',');
        }
        buffer.extend_from_slice(item);
        if buffer.len() >= CHUNK {
            to.write_all(buffer)?;
            buffer.clear();
        }
    }
    Ok(())
}

fn write_optional(text: Option<&EcoString>, out: &mut Writer<'_>) {
    match text {
        Some(text) => out.str(text),
        None => out.null(),
    }
}

fn write_allow(allow: &[Allow], out: &mut Writer<'_>) {
    out.begin_list();
    for approval in allow {
        out.begin_map();
        out.member("base");
        out.str(&approval.base);
        out.member("deletions");
        out.int(approval.deletions.into());
        out.end_map();
    }
    out.end_list();
}

fn write_moves(moves: &[Move], out: &mut Writer<'_>) {
    out.begin_list();
    for one in moves {
        out.begin_map();
        out.member("from");
        out.str(&one.from);
        out.member("to");
        out.str(&one.to);
        out.end_map();
    }
    out.end_list();
}

fn write_source(source: &Source, out: &mut Writer<'_>) {
    out.begin_map();
    out.member("data");
    out.str(&source.data);
    out.member("model");
    out.str(&source.model);
    out.member("revision");
    write_optional(source.revision.as_ref(), out);
    out.end_map();
}
