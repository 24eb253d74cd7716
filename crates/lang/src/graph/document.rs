//! The graph as a whole, read and checked: what a deployer, a diff and a drawing work on.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashSet;

use super::digest::Digest;
use super::id;
use super::node::{Drift, Node, Origin, Require, State, Target};
use super::read::{Json, ReadError, read_json};
use super::sealed::{Allow, FORMAT, GraphBuilder, Header, Move, Source};
use super::value::GraphValue;

/// A resource graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// What is said of the whole.
    pub header: Header,
    /// The digest of the whole document.
    pub digest: Digest,
    /// The digest of what is to exist.
    pub desired: Digest,
    /// The targets that nodes name, by id.
    pub targets: Vec<Target>,
    /// The resources, by id.
    pub nodes: Vec<Node>,
}

/// Why bytes are no graph that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// It is no graph document.
    #[error("this is no resource graph: {0}")]
    Read(#[from] ReadError),
    /// It is of another version.
    #[error("the graph is of format {found}, and this program knows format {FORMAT} alone")]
    Format {
        /// What it says.
        found: i64,
    },
    /// What it says of itself is not so.
    #[error("the graph's {which} is {actual}, and the document says {said}: it was changed, or cut off")]
    Digest {
        /// `digest` or `desired`.
        which: &'static str,
        /// What the document says.
        said: EcoString,
        /// What it is.
        actual: Digest,
    },
    /// Two nodes, or two targets, have one id.
    #[error("`{id}` stands in the graph twice")]
    Twice {
        /// The id.
        id: EcoString,
    },
}

impl Graph {
    /// A graph of these nodes and of those of these targets that they name.
    pub fn new(header: Header, targets: Vec<Target>, nodes: Vec<Node>) -> Result<Self, GraphError> {
        let zero = Digest([0; 32]);
        let mut graph = Graph { header, digest: zero, desired: zero, targets, nodes };
        graph.normalise();
        graph.refuse_twins()?;
        let named: FxHashSet<&str> = graph.nodes.iter().map(|n| n.target.as_str()).collect();
        graph.targets.retain(|t| named.contains(t.id.as_str()));
        let sealed = graph.seal();
        graph.desired = sealed.desired();
        graph.digest = sealed.digest();
        Ok(graph)
    }

    /// Reads a document and checks both of its digests. White space and the order of keys do
    /// not matter; anything that the format does not know is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, GraphError> {
        let mut members = Members::new(read_json(bytes)?, "the graph")?;
        match members.take("format")? {
            Json::Int(FORMAT) => {}
            Json::Int(found) => return Err(GraphError::Format { found }),
            _ => return Err(members.wrong("format").into()),
        }
        let said_digest = members.string("digest")?;
        let said_desired = members.string("desired")?;
        let header = Header {
            project: members.string("project")?,
            env: members.optional_string("env")?,
            source: members.take("source").and_then(source)?,
            allow: members.list("allow", approval)?,
            moves: members.list("moves", one_move)?,
        };
        let targets = members.list("targets", target)?;
        let nodes = members.list("nodes", node)?;
        members.end()?;
        let named = targets.len();
        let graph = Graph::new(header, targets, nodes)?;
        if graph.targets.len() != named {
            let problem = "a target is listed that no node names".to_owned();
            return Err(ReadError::shape(problem).into());
        }
        let said = [("desired", said_desired, graph.desired), ("digest", said_digest, graph.digest)];
        for (which, said, actual) in said {
            if Digest::parse(&said) != Some(actual) {
                return Err(GraphError::Digest { which, said, actual });
            }
        }
        Ok(graph)
    }

    /// The document, in canonical JSON.
    pub fn to_canonical_json(&self) -> Vec<u8> {
        self.seal().to_canonical_json()
    }

    /// The same as canonical bytes, node by node.
    pub fn seal(&self) -> GraphBuilder {
        let mut builder = GraphBuilder::new(self.header.clone());
        let scratch = &mut Vec::new();
        for target in &self.targets {
            builder.upsert_target(Arc::new(target.seal(scratch)));
        }
        for node in &self.nodes {
            builder.upsert(Arc::new(node.seal(scratch)));
        }
        builder
    }

    /// The node with this full id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        let at = self.nodes.binary_search_by(|n| n.id.as_str().cmp(id)).ok()?;
        self.nodes.get(at)
    }

    /// The target with this full id.
    pub fn target(&self, id: &str) -> Option<&Target> {
        let at = self.targets.binary_search_by(|t| t.id.as_str().cmp(id)).ok()?;
        self.targets.get(at)
    }

    fn normalise(&mut self) {
        self.header.allow.sort_by(|a, b| (&a.base, a.deletions).cmp(&(&b.base, b.deletions)));
        self.header.moves.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        self.targets.sort_by(|a, b| a.id.cmp(&b.id));
        self.nodes.sort_by(|a, b| a.id.cmp(&b.id));
        for node in &mut self.nodes {
            Require::normalise(&mut node.requires);
            node.until.sort();
            node.until.dedup();
        }
    }

    fn refuse_twins(&self) -> Result<(), GraphError> {
        let nodes = self.nodes.windows(2).find_map(|w| match w {
            [a, b] if a.id == b.id => Some(&a.id),
            _ => None,
        });
        let targets = self.targets.windows(2).find_map(|w| match w {
            [a, b] if a.id == b.id => Some(&a.id),
            _ => None,
        });
        match nodes.or(targets) {
            Some(id) => Err(GraphError::Twice { id: id.clone() }),
            None => Ok(()),
        }
    }
}

impl super::SealedNode {
    /// Reads the node back from its bytes. It fails only for one that was not made by
    /// [`SealedNode::new`](super::SealedNode::new) with a map for its fields.
    pub fn read(&self) -> Result<Node, ReadError> {
        node(read_json(&self.bytes)?)
    }
}

impl Node {
    /// Reads a node as it stands in the document.
    pub fn parse(json: &[u8]) -> Result<Self, ReadError> {
        node(read_json(json)?)
    }
}

impl super::SealedTarget {
    /// Reads the target back from its bytes; see [`SealedNode::read`](super::SealedNode::read).
    pub fn read(&self) -> Result<Target, ReadError> {
        target(read_json(&self.bytes)?)
    }
}

impl GraphBuilder {
    /// The graph with everything in it read.
    pub fn to_graph(&mut self) -> Result<Graph, ReadError> {
        let nodes = self.sorted().into_iter().map(|n| n.read()).collect::<Result<_, _>>()?;
        let targets = self.sorted_targets().into_iter().map(|t| t.read()).collect::<Result<_, _>>()?;
        let (digest, desired) = (self.digest(), self.desired());
        Ok(Graph { header: self.header().clone(), digest, desired, targets, nodes })
    }
}

/// The members of one map, each taken once; what is left at the end is unknown.
struct Members {
    of: EcoString,
    members: Vec<(EcoString, Option<Json>)>,
}

impl Members {
    fn new(json: Json, of: &str) -> Result<Self, ReadError> {
        let Json::Map(entries) = json else {
            return Err(ReadError::shape(format!("{of} is no map")));
        };
        let members = entries.into_iter().map(|(k, v)| (k, Some(v))).collect();
        Ok(Members { of: of.into(), members })
    }

    fn wrong(&self, name: &str) -> ReadError {
        ReadError::shape(format!("`{name}` of {} has the wrong type", self.of))
    }

    fn find(&mut self, name: &str) -> Option<Json> {
        self.members.iter_mut().find(|(k, _)| k == name).and_then(|(_, value)| value.take())
    }

    fn take(&mut self, name: &str) -> Result<Json, ReadError> {
        self.find(name).ok_or_else(|| ReadError::shape(format!("{} has no `{name}`", self.of)))
    }

    fn string(&mut self, name: &str) -> Result<EcoString, ReadError> {
        match self.take(name)? {
            Json::Str(text) => Ok(text),
            _ => Err(self.wrong(name)),
        }
    }

    fn optional_string(&mut self, name: &str) -> Result<Option<EcoString>, ReadError> {
        match self.take(name)? {
            Json::Null => Ok(None),
            Json::Str(text) => Ok(Some(text)),
            _ => Err(self.wrong(name)),
        }
    }

    fn bool(&mut self, name: &str) -> Result<bool, ReadError> {
        match self.take(name)? {
            Json::Bool(value) => Ok(value),
            _ => Err(self.wrong(name)),
        }
    }

    fn list<T>(&mut self, name: &str, item: fn(Json) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
        match self.take(name)? {
            Json::List(items) => items.into_iter().map(item).collect(),
            _ => Err(self.wrong(name)),
        }
    }

    fn end(self) -> Result<(), ReadError> {
        match self.members.iter().find(|(_, value)| value.is_some()) {
            Some((name, _)) => Err(ReadError::shape(format!("{} has an unknown member `{name}`", self.of))),
            None => Ok(()),
        }
    }
}

fn string(json: Json) -> Result<EcoString, ReadError> {
    match json {
        Json::Str(text) => Ok(text),
        _ => Err(ReadError::shape("a list of strings holds something else".to_owned())),
    }
}

fn source(json: Json) -> Result<Source, ReadError> {
    let mut members = Members::new(json, "`source`")?;
    let source = Source {
        revision: members.optional_string("revision")?,
        model: members.string("model")?,
        data: members.string("data")?,
    };
    members.end()?;
    Ok(source)
}

fn approval(json: Json) -> Result<Allow, ReadError> {
    let mut members = Members::new(json, "an entry of `allow`")?;
    let base = members.string("base")?;
    let deletions = match members.take("deletions")? {
        Json::Int(value) => u32::try_from(value).map_err(|_| members.wrong("deletions"))?,
        _ => return Err(members.wrong("deletions")),
    };
    members.end()?;
    Ok(Allow { base, deletions })
}

fn one_move(json: Json) -> Result<Move, ReadError> {
    let mut members = Members::new(json, "an entry of `moves`")?;
    let one = Move { from: members.string("from")?, to: members.string("to")? };
    members.end()?;
    Ok(one)
}

/// Starts on a node or target: its id, type and fields.
fn object(json: Json, kind: &str) -> Result<(Members, EcoString, EcoString, GraphValue), ReadError> {
    let mut members = Members::new(json, kind)?;
    let id = members.string("id")?;
    members.of = ecow::eco_format!("`{id}`");
    let type_ = members.string("type")?;
    if id::type_path(&id) != type_ {
        return Err(members.wrong("type"));
    }
    let fields = match GraphValue::from_json(members.take("fields")?)? {
        fields @ GraphValue::Map(_) => fields,
        _ => return Err(members.wrong("fields")),
    };
    Ok((members, id, type_, fields))
}

fn target(json: Json) -> Result<Target, ReadError> {
    let (mut members, id, type_, fields) = object(json, "a target")?;
    let origin = members.take("origin").and_then(origin)?;
    members.end()?;
    Ok(Target { id, type_, fields, origin })
}

fn node(json: Json) -> Result<Node, ReadError> {
    let (mut members, id, type_, fields) = object(json, "a node")?;
    let state = match members.string("state")?.as_str() {
        "present" => State::Present,
        "absent" => State::Absent,
        "transient" => State::Transient,
        _ => return Err(members.wrong("state")),
    };
    let until = match state {
        State::Transient => members.list("until", string)?,
        _ => Vec::new(),
    };
    let timeout = match members.take("timeout")? {
        Json::Null => None,
        Json::Int(value) => Some(value),
        _ => return Err(members.wrong("timeout")),
    };
    let drift = match members.take("drift").and_then(drift)? {
        Some(drift) => drift,
        None => return Err(members.wrong("drift")),
    };
    let node = Node {
        id,
        type_,
        handler: members.string("handler")?,
        target: members.string("target")?,
        state,
        until,
        fields,
        requires: members.list("requires", require)?,
        protect: members.bool("protect")?,
        adopt: members.bool("adopt")?,
        keep: members.bool("keep")?,
        timeout,
        drift,
        origin: members.take("origin").and_then(origin)?,
    };
    members.end()?;
    Ok(node)
}

fn require(json: Json) -> Result<Require, ReadError> {
    let mut members = Members::new(json, "an entry of `requires`")?;
    let require = Require { id: members.string("id")?, why: members.string("why")? };
    members.end()?;
    Ok(require)
}

fn origin(json: Json) -> Result<Origin, ReadError> {
    let mut members = Members::new(json, "`origin`")?;
    let origin = Origin {
        instance: members.string("instance")?,
        element: members.string("element")?,
        model: members.string("model")?,
    };
    members.end()?;
    Ok(origin)
}

fn drift(json: Json) -> Result<Option<Drift>, ReadError> {
    Ok(match json {
        Json::Str(text) if text == "repair" => Some(Drift::Repair),
        Json::Str(text) if text == "report" => Some(Drift::Report),
        Json::Map(_) => {
            let mut members = Members::new(json, "`drift`")?;
            let paths = members.list("ignore", string)?;
            members.end()?;
            Some(Drift::Ignore(paths))
        }
        _ => None,
    })
}
