//! What is asked of an agent, and what it answers: the requests of `Handler` in a form that
//! travels. A node goes as the canonical JSON that the graph has of it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::io;

use ecow::EcoString;
use serde::{Deserialize, Serialize};

use crate::graph::{GraphValue, Known, Node, Secret};
use crate::handler::{
    Apply, Delete, Done, Effect, Fault, Fence, Found, Greeting, Look, Readiness, Recorded, Rights, Root,
    Seen, Token,
};

use super::frame::{Frame, invalid};

/// The version of the protocol: a change of any type here that travels raises it.
pub(super) const VERSION: u32 = 5;

/// How many bytes of a file of the project travel at a time.
pub(super) const PIECE: u64 = 4 << 20;

/// What an agent says before everything else, with [`VERSION`] behind it: what a login shell
/// printed before that is skipped.
pub(super) const BANNER: &str = "gops-agent ";

/// A request.
#[derive(Serialize, Deserialize)]
pub(super) enum Ask<'a> {
    /// Which machine it is.
    Who { version: u32, root: Root },
    /// Hello.
    Hello(Introduced),
    /// `Handler::observe`
    Observe { handler: Cow<'a, str>, batch: Vec<Looked<'a>> },
    /// `Handler::ready`
    Ready { handler: Cow<'a, str>, batch: Vec<Looked<'a>> },
    /// `Handler::apply`
    Apply { handler: Cow<'a, str>, batch: Vec<Applied<'a>> },
    /// `Handler::discard`
    Discard { handler: Cow<'a, str>, batch: Vec<Applied<'a>> },
    /// `Handler::delete`
    Delete { handler: Cow<'a, str>, batch: Vec<Deleted<'a>> },
    /// `Handler::marked`
    Marked { handler: Cow<'a, str> },
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The identity.
    Who(EcoString),
    /// To a hello.
    Hello(Result<Greeting, Fault>),
    Seen(Vec<Result<Seen, Fault>>),
    Ready(Vec<Readiness>),
    Applied(Vec<Effect<Recorded>>),
    Discarded(Vec<Result<(), Fault>>),
    Deleted(Vec<Effect<Done>>),
    Marked(Option<Result<Vec<Found>, Fault>>),
    /// No answer yet: it takes this file of the project to go on, from this byte.
    Wants {
        path: String,
        from: u64,
    },
    /// The request was not understood.
    Refused(Fault),
}

/// A hello, and where the target's files are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Introduced {
    pub target: EcoString,
    pub identity: EcoString,
    pub lineage: EcoString,
    pub project: EcoString,
    pub fence: Fence,
    pub enter: bool,
    pub root: Root,
    /// With what secrets are hashed.
    pub key: Hidden<[u8; 32]>,
}

/// What travels and is not shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Hidden<T>(pub T);

impl<T> std::fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// [`Look`]
#[derive(Serialize, Deserialize)]
pub(super) struct Looked<'a> {
    kind: Cow<'a, str>,
    node: Option<String>,
    recorded: Option<Cow<'a, Recorded>>,
    intended: Option<Cow<'a, Recorded>>,
    token: Option<Cow<'a, Token>>,
    closely: bool,
    entries: bool,
}

/// [`Apply`]
#[derive(Serialize, Deserialize)]
pub(super) struct Applied<'a> {
    kind: Cow<'a, str>,
    node: Option<String>,
    /// The values of the secrets in the node, in their order, as JSON: the node's own has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<Hidden<String>>,
    recorded: Option<Cow<'a, Recorded>>,
    before: Option<Cow<'a, str>>,
    token: Cow<'a, Token>,
    mark: bool,
}

/// [`Delete`]
#[derive(Serialize, Deserialize)]
pub(super) struct Deleted<'a> {
    kind: Cow<'a, str>,
    recorded: Cow<'a, Recorded>,
    before: Cow<'a, str>,
    token: Cow<'a, Token>,
}

/// Something that travels in batches.
pub(super) trait Item {
    /// About how many bytes it has.
    fn size(&self) -> usize;
}

fn recorded_size(recorded: Option<&Recorded>) -> usize {
    recorded.map_or(0, |r| r.fields.len() + r.outputs.len() + 128)
}

fn write(node: Option<&Node>) -> Option<String> {
    node.map(|node| String::from_utf8(node.to_json()).unwrap_or_default())
}

fn read(node: Option<&String>) -> io::Result<Option<Node>> {
    node.map(|json| Node::parse(json.as_bytes()).map_err(|e| invalid(e.to_string()))).transpose()
}

/// The values of the secrets of a node that were opened.
fn secrets(node: &Node) -> Vec<Hidden<String>> {
    let mut found = Vec::new();
    if node.fields.has_secret() {
        let Ok(_) = node.fields.map_secrets(&mut |secret| {
            if let Secret::Known(known) = secret {
                found.push(Hidden(String::from_utf8(known.value.to_json()).unwrap_or_default()));
            }
            Ok::<_, Infallible>(GraphValue::Null)
        });
    }
    found
}

/// Fields with these values in the places of the secrets that were opened.
fn opened<'s>(
    fields: &GraphValue,
    values: &mut impl Iterator<Item = &'s Hidden<String>>,
    key: [u8; 32],
) -> io::Result<GraphValue> {
    fields.map_secrets(&mut |secret| {
        let Some(name) = secret.was_known() else { return Ok(GraphValue::Secret(secret.clone())) };
        let json = values.next().ok_or_else(|| invalid("a secret is missing".to_owned()))?;
        let value =
            GraphValue::parse(json.0.as_bytes()).map_err(|_| invalid("a secret is damaged".to_owned()))?;
        Ok(GraphValue::Secret(Secret::Known(Box::new(Known {
            value: Box::new(value),
            name: name.clone(),
            key,
        }))))
    })
}

impl<'a> Looked<'a> {
    pub(super) fn of(look: &Look<'a>) -> Self {
        Looked {
            kind: look.kind.into(),
            node: write(look.node),
            recorded: look.recorded.map(Cow::Borrowed),
            intended: look.intended.map(Cow::Borrowed),
            token: look.token.map(Cow::Borrowed),
            closely: look.closely,
            entries: look.entries,
        }
    }

    pub(super) fn node(&self) -> io::Result<Option<Node>> {
        read(self.node.as_ref())
    }

    pub(super) fn look<'b>(&'b self, node: Option<&'b Node>) -> Look<'b> {
        Look {
            kind: &self.kind,
            node,
            recorded: self.recorded.as_deref(),
            intended: self.intended.as_deref(),
            token: self.token.as_deref(),
            closely: self.closely,
            entries: self.entries,
        }
    }
}

impl Item for Looked<'_> {
    fn size(&self) -> usize {
        let recorded = recorded_size(self.recorded.as_deref()) + recorded_size(self.intended.as_deref());
        self.node.as_ref().map_or(0, String::len) + recorded + 128
    }
}

impl<'a> Applied<'a> {
    pub(super) fn of(apply: &Apply<'a>) -> Self {
        Applied {
            kind: apply.kind.into(),
            node: write(apply.node),
            secrets: apply.node.map(secrets).unwrap_or_default(),
            recorded: apply.recorded.map(Cow::Borrowed),
            before: apply.before.map(Cow::Borrowed),
            token: Cow::Borrowed(apply.token),
            mark: apply.mark,
        }
    }

    /// The node, its secrets opened; `key` is what hashes them here.
    pub(super) fn node(&self, key: [u8; 32]) -> io::Result<Option<Node>> {
        let Some(mut node) = read(self.node.as_ref())? else { return Ok(None) };
        if !self.secrets.is_empty() {
            node.fields = opened(&node.fields, &mut self.secrets.iter(), key)?;
        }
        Ok(Some(node))
    }

    pub(super) fn apply<'b>(&'b self, node: Option<&'b Node>) -> Apply<'b> {
        Apply {
            kind: &self.kind,
            node,
            recorded: self.recorded.as_deref(),
            before: self.before.as_deref(),
            token: &self.token,
            mark: self.mark,
        }
    }
}

impl Item for Applied<'_> {
    fn size(&self) -> usize {
        let secrets: usize = self.secrets.iter().map(|secret| secret.0.len()).sum();
        self.node.as_ref().map_or(0, String::len) + secrets + recorded_size(self.recorded.as_deref()) + 128
    }
}

impl<'a> Deleted<'a> {
    pub(super) fn of(delete: &Delete<'a>) -> Self {
        Deleted {
            kind: delete.kind.into(),
            recorded: Cow::Borrowed(delete.recorded),
            before: delete.before.into(),
            token: Cow::Borrowed(delete.token),
        }
    }

    pub(super) fn delete(&self) -> Delete<'_> {
        Delete { kind: &self.kind, recorded: &self.recorded, before: &self.before, token: &self.token }
    }
}

impl Item for Deleted<'_> {
    fn size(&self) -> usize {
        recorded_size(Some(&self.recorded)) + 128
    }
}

/// What the JSON of an [`Answer::Wants`] begins with: who passes answers on reads no more of them.
pub(super) const WANTS: &[u8] = b"{\"Wants\"";

/// A request as a frame, for the agent with these rights.
pub(super) fn request(rights: Rights, ask: &Ask<'_>) -> io::Result<Frame> {
    match (frame(ask)?, rights) {
        (Frame::Message(bytes), Rights::Root) => Ok(Frame::Root(bytes)),
        (frame, _) => Ok(frame),
    }
}

/// A message as a frame.
pub(super) fn frame(message: &impl Serialize) -> io::Result<Frame> {
    serde_json::to_vec(message).map(Frame::Message).map_err(|e| invalid(e.to_string()))
}

/// The message of a frame.
pub(super) fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(|e| invalid(e.to_string()))
}
