//! Nodes and targets, and how each is written and hashed on its own.

use ecow::EcoString;

use super::canonical::Writer;
use super::digest::Digest;
use super::id;
use super::tree::Place;
use super::value::GraphValue;

/// What a node names as its target if it is deployed on the machine that deploys. It stands
/// in no list of targets.
pub const LOCAL: &str = "local";

/// Whether something is to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It is.
    Present,
    /// An earlier project made it, and this one does not.
    Absent,
    /// It exists while something is taken down or changed over.
    Transient,
}

impl State {
    /// As the document has it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Present => "present",
            State::Absent => "absent",
            State::Transient => "transient",
        }
    }
}

/// What is done about drift.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Drift {
    /// It is mended.
    #[default]
    Repair,
    /// It is reported.
    Report,
    /// These fields are not looked at, by their paths: `mode`, `ports[name=x].port`. Sorted.
    Ignore(Vec<EcoString>),
}

impl Drift {
    /// Whether one of these paths names a field, or something that it lies in.
    pub fn covers(ignored: &[EcoString], field: &str) -> bool {
        ignored.iter().any(|path| {
            let mut field = steps(field);
            steps(path).all(|step| field.next() == Some(step))
        })
    }
}

/// The steps of a path: `spec.words[0]` and `spec["words"][0]` have the same three.
fn steps(path: &str) -> impl Iterator<Item = EcoString> + '_ {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if rest.is_empty() {
            return None;
        }
        let Some(inside) = rest.strip_prefix('[') else {
            let (step, behind) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
            rest = behind;
            return Some(step.into());
        };
        if inside.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(inside).into_iter::<String>();
            if let Some(Ok(step)) = values.next() {
                let behind = inside.get(values.byte_offset()..).unwrap_or_default();
                rest = behind.strip_prefix(']').unwrap_or(behind);
                return Some(step.into());
            }
        }
        let (step, behind) = inside.split_once(']').unwrap_or((inside, ""));
        rest = behind;
        Some(step.into())
    })
}

/// Something that must be there first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Require {
    /// The node.
    pub id: EcoString,
    /// The reason, for people: `parent directory`.
    pub why: EcoString,
}

impl Require {
    /// Puts requirements in the document's order, with one entry an id: of several reasons the
    /// first one given stays, so give them in the order of the reference: fields that refer,
    /// the nearest managed directory, `after`, later values, needs.
    pub fn normalise(requires: &mut Vec<Require>) {
        requires.sort_by(|a, b| a.id.cmp(&b.id));
        requires.dedup_by(|b, a| a.id == b.id);
    }
}

/// What made a node. Of several makers the least by file, line, column and model place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Origin {
    /// The instance file with line and column: `slices/sites/a.yaml:3:5`.
    pub instance: EcoString,
    /// The element: `shop::Site[name=a].pages[path=/x]`.
    pub element: EcoString,
    /// The constructor in the model: `model/web.gops:31:9`.
    pub model: EcoString,
}

/// A resource of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id, with the full path of its type.
    pub id: EcoString,
    /// The full path of its type.
    pub type_: EcoString,
    /// The handler that deploys it.
    pub handler: EcoString,
    /// The id of its target, or [`LOCAL`].
    pub target: EcoString,
    /// Whether it is to exist.
    pub state: State,
    /// For a transient node the ids that it is there for, sorted; else empty.
    pub until: Vec<EcoString>,
    /// Its fields, keys among them: a [`GraphValue::Map`].
    pub fields: GraphValue,
    /// What must be there first, sorted, one entry an id.
    pub requires: Vec<Require>,
    /// Never deleted or replaced.
    pub protect: bool,
    /// May take over what exists.
    pub adopt: bool,
    /// Released, not deleted, when dropped.
    pub keep: bool,
    /// How long to wait until it is ready, in nanoseconds.
    pub timeout: Option<i64>,
    /// What is done about drift.
    pub drift: Drift,
    /// What made it.
    pub origin: Origin,
}

impl Node {
    /// A resource of this machine that is to exist, and of which nothing else is said. Its type is
    /// read from its id.
    pub fn new(id: EcoString, handler: &str, fields: GraphValue) -> Self {
        let type_ = id.split('[').next().unwrap_or_default().into();
        Node {
            id,
            type_,
            handler: handler.into(),
            target: LOCAL.into(),
            state: State::Present,
            until: Vec::new(),
            fields,
            requires: Vec::new(),
            protect: false,
            adopt: false,
            keep: false,
            timeout: None,
            drift: Drift::Repair,
            origin: Origin::default(),
        }
    }
}

/// Where nodes are deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub id: EcoString,
    /// The full path of its type.
    pub type_: EcoString,
    /// Its fields, keys among them: a [`GraphValue::Map`].
    pub fields: GraphValue,
    /// What made it.
    pub origin: Origin,
}

/// All of a node but its fields, borrowed: what [`SealedNode::new`] takes.
#[derive(Clone, Copy, Debug)]
pub struct NodeHead<'a> {
    /// See [`Node::id`]; the type is read from it.
    pub id: &'a EcoString,
    /// See [`Node::handler`].
    pub handler: &'a str,
    /// See [`Node::target`].
    pub target: &'a EcoString,
    /// See [`Node::state`].
    pub state: State,
    /// See [`Node::until`].
    pub until: &'a [EcoString],
    /// See [`Node::requires`] and [`Require::normalise`].
    pub requires: &'a [Require],
    /// See [`Node::protect`].
    pub protect: bool,
    /// See [`Node::adopt`].
    pub adopt: bool,
    /// See [`Node::keep`].
    pub keep: bool,
    /// See [`Node::timeout`].
    pub timeout: Option<i64>,
    /// See [`Node::drift`].
    pub drift: &'a Drift,
    /// See [`Node::origin`].
    pub origin: &'a Origin,
}

/// A node as it is kept while there are many: its canonical bytes, their hashes, and the few
/// parts that are asked for without reading them again.
#[derive(Clone, Debug)]
pub struct SealedNode {
    /// Its id.
    pub id: EcoString,
    /// The id of its target, or [`LOCAL`].
    pub target: EcoString,
    /// Whether it is to exist.
    pub state: State,
    /// The ids that it requires, sorted.
    pub requires: Box<[EcoString]>,
    /// The node as it stands in the document.
    pub bytes: Box<[u8]>,
    /// The hash of the whole node: of `desired` and of the bytes that it leaves out.
    pub hash: Digest,
    /// The hash of `bytes` without the member `origin` and without `why` in `requires`.
    pub desired: Digest,
    pub(super) place: Place,
    /// Of its id, then of each id that it requires.
    pub(super) hashes: Box<[u64]>,
}

/// A target as it is kept while there are many.
#[derive(Clone, Debug)]
pub struct SealedTarget {
    /// Its id.
    pub id: EcoString,
    /// The target as it stands in the document.
    pub bytes: Box<[u8]>,
    /// The hash of the whole target: of `desired` and of the bytes that it leaves out.
    pub hash: Digest,
    /// The hash of `bytes` without the member `origin`.
    pub desired: Digest,
    pub(super) place: Place,
}

impl SealedNode {
    /// Writes and hashes a node. `fields` writes the map of its fields, keys sorted; `scratch`
    /// is emptied and used, so that one buffer serves many nodes.
    pub fn new(head: &NodeHead<'_>, scratch: &mut Vec<u8>, fields: impl FnOnce(&mut Writer<'_>)) -> Self {
        scratch.clear();
        let mut holes = Vec::with_capacity(1 + head.requires.len());
        write_node(head, &mut Writer::new(scratch), &mut holes, fields);
        let (desired, hash) = split_hashes(scratch, &holes);
        SealedNode {
            id: head.id.clone(),
            target: head.target.clone(),
            state: head.state,
            requires: head.requires.iter().map(|r| r.id.clone()).collect(),
            bytes: scratch.as_slice().into(),
            hash,
            desired,
            place: Place::of(head.id),
            hashes: std::iter::once(head.id).chain(head.requires.iter().map(|r| &r.id)).map(quick).collect(),
        }
    }
}

impl SealedTarget {
    /// Writes and hashes a target; see [`SealedNode::new`].
    pub fn new(
        id: &EcoString,
        origin: &Origin,
        scratch: &mut Vec<u8>,
        fields: impl FnOnce(&mut Writer<'_>),
    ) -> Self {
        scratch.clear();
        let mut holes = Vec::with_capacity(1);
        let out = &mut Writer::new(scratch);
        out.begin_map();
        out.member("fields");
        fields(out);
        out.member("id");
        out.str(id);
        write_origin(origin, out, &mut holes);
        out.member("type");
        out.str(id::type_path(id));
        out.end_map();
        let (desired, hash) = split_hashes(scratch, &holes);
        SealedTarget { id: id.clone(), bytes: scratch.as_slice().into(), hash, desired, place: Place::of(id) }
    }
}

impl Node {
    /// All but the fields.
    pub fn head(&self) -> NodeHead<'_> {
        NodeHead {
            id: &self.id,
            handler: &self.handler,
            target: &self.target,
            state: self.state,
            until: &self.until,
            requires: &self.requires,
            protect: self.protect,
            adopt: self.adopt,
            keep: self.keep,
            timeout: self.timeout,
            drift: &self.drift,
            origin: &self.origin,
        }
    }

    /// The node as it stands in the document.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let fields = |out: &mut Writer<'_>| self.fields.write(out);
        write_node(&self.head(), &mut Writer::new(&mut out), &mut Vec::new(), fields);
        out
    }

    /// Writes and hashes it.
    pub fn seal(&self, scratch: &mut Vec<u8>) -> SealedNode {
        SealedNode::new(&self.head(), scratch, |out| self.fields.write(out))
    }
}

impl Target {
    /// Writes and hashes it.
    pub fn seal(&self, scratch: &mut Vec<u8>) -> SealedTarget {
        SealedTarget::new(&self.id, &self.origin, scratch, |out| self.fields.write(out))
    }
}

/// A hash for tables that last no longer than the process.
fn quick(id: &EcoString) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = rustc_hash::FxHasher::default();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Bytes of the document that say nothing of what is to exist.
type Hole = std::ops::Range<usize>;

/// The hash without the holes, and that of all: each byte is hashed once.
fn split_hashes(bytes: &[u8], holes: &[Hole]) -> (Digest, Digest) {
    let part = |range: Hole| bytes.get(range).unwrap_or_default();
    let ends = holes.iter().map(|hole| hole.start).chain([bytes.len()]);
    let starts = std::iter::once(0).chain(holes.iter().map(|hole| hole.end));
    let desired = Digest::of_parts(starts.zip(ends).map(|(start, end)| part(start..end)));
    let left_out = holes.iter().map(|hole| part(hole.clone()));
    let whole = Digest::of_parts(std::iter::once(desired.0.as_slice()).chain(left_out));
    (desired, whole)
}

fn write_node(
    head: &NodeHead<'_>,
    out: &mut Writer<'_>,
    holes: &mut Vec<Hole>,
    fields: impl FnOnce(&mut Writer<'_>),
) {
    // What most nodes say word for word is written at once: there are many nodes.
    if !head.adopt && *head.drift == Drift::Repair {
        out.raw_start(b"{\"adopt\":false,\"drift\":\"repair\",\"fields\":");
    } else {
        out.begin_map();
        out.member("adopt");
        out.bool(head.adopt);
        out.member("drift");
        write_drift(head.drift, out);
        out.member("fields");
    }
    fields(out);
    out.member("handler");
    out.str(head.handler);
    out.member("id");
    out.str(head.id);
    out.raw_part(if head.keep { b",\"keep\":true" } else { b",\"keep\":false" });
    write_origin(head.origin, out, holes);
    out.raw_part(match head.protect {
        true => b",\"protect\":true,\"requires\":",
        false => b",\"protect\":false,\"requires\":",
    });
    write_requires(head.requires, out, holes);
    out.member("state");
    out.str(head.state.as_str());
    out.member("target");
    out.str(head.target);
    match head.timeout {
        Some(timeout) => {
            out.member("timeout");
            out.int(timeout);
            out.member("type");
        }
        None => out.raw_part(b",\"timeout\":null,\"type\":"),
    }
    out.str(id::type_path(head.id));
    if head.state == State::Transient {
        out.member("until");
        write_strings(head.until, out);
    }
    out.end_map();
}

fn write_strings(texts: &[EcoString], out: &mut Writer<'_>) {
    out.begin_list();
    for text in texts {
        out.str(text);
    }
    out.end_list();
}

fn write_drift(drift: &Drift, out: &mut Writer<'_>) {
    match drift {
        Drift::Repair => out.str("repair"),
        Drift::Report => out.str("report"),
        Drift::Ignore(paths) => {
            out.begin_map();
            out.member("ignore");
            write_strings(paths, out);
            out.end_map();
        }
    }
}

fn write_origin(origin: &Origin, out: &mut Writer<'_>, holes: &mut Vec<Hole>) {
    let start = out.position();
    out.raw_part(b",\"origin\":{\"element\":");
    out.str(&origin.element);
    out.raw_part(b",\"instance\":");
    out.str(&origin.instance);
    out.raw_part(b",\"model\":");
    out.str(&origin.model);
    out.end_map();
    holes.push(start..out.position());
}

fn write_requires(requires: &[Require], out: &mut Writer<'_>, holes: &mut Vec<Hole>) {
    out.begin_list();
    for require in requires {
        out.raw_start(b"{\"id\":");
        out.str(&require.id);
        let start = out.position();
        out.raw_part(b",\"why\":");
        out.str(&require.why);
        holes.push(start..out.position());
        out.end_map();
    }
    out.end_list();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_what_lies_in_it() {
        let covers = |path: &str, field: &str| Drift::covers(&[path.into()], field);
        for (path, field) in [
            ("mode", "mode"),
            ("values", "values.a.b"),
            ("values[a]", "values.a.b"),
            ("values[a].b", "values.a.b"),
            ("values[\"a.b\"]", "values[\"a.b\"].c"),
            ("ports[name=x].port", "ports[name=x].port"),
        ] {
            assert!(covers(path, field), "{path} {field}");
        }
        for (path, field) in [("mode", "model"), ("values.a", "values"), ("values[a.b]", "values.a.b")] {
            assert!(!covers(path, field), "{path} {field}");
        }
    }
}
