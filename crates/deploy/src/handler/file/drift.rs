//! Drift that a model says to let be: the field stays as it is found, also when another field of
//! the file is mended or changed.

use crate::graph::{Drift, GraphValue, Node};

use super::record::{Last, wanted_sha256};
use super::spec::{Content, Spec};

/// The fields of a file that stay as they are found: what is wanted of them was applied before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LetBe {
    pub content: bool,
    pub mode: bool,
    pub owner: bool,
    pub group: bool,
}

impl LetBe {
    /// Those of a node.
    pub(super) fn of(node: &Node, spec: &Spec<'_>, last: Option<&Last>) -> Self {
        let (Drift::Ignore(ignored), Some(last)) = (&node.drift, last) else { return LetBe::default() };
        let covers = |field: &str| Drift::covers(ignored, field);
        let field =
            |name: &str| covers(name) && node.fields.get(name).is_some_and(|value| last.has(name, value));
        let same = |digest: Option<ecow::EcoString>| {
            digest.is_some_and(|digest| last.has("sha256", &GraphValue::Str(digest)))
        };
        let content = match spec.content {
            Content::Entries | Content::Later { .. } => false,
            Content::Link(_) => field("to"),
            Content::Text(_) => covers("content") && same(wanted_sha256(spec)),
            Content::Secret(secret) => {
                covers("content") && last.secret().is_some_and(|name| secret.name() == name)
            }
            Content::Project { .. } => (covers("sha256") || covers("source")) && same(wanted_sha256(spec)),
        };
        LetBe { content, mode: field("mode"), owner: field("owner"), group: field("group") }
    }

    /// A file as it is to be, with nothing said of what stays.
    pub(super) fn leave<'a>(self, spec: &Spec<'a>) -> Spec<'a> {
        Spec {
            mode: spec.mode.filter(|_| !self.mode),
            owner: spec.owner.filter(|_| !self.owner),
            group: spec.group.filter(|_| !self.group),
            ..*spec
        }
    }
}
