//! What the ledger remembers of a file: its fields, the content by its digest.

use ecow::EcoString;

use crate::graph::GraphValue;
use crate::handler::{Fault, Recorded};

use super::look::sha256;
use super::spec::{Content, Spec, print_of};

/// The remembered fields, read back.
pub(super) struct Last(GraphValue);

impl Last {
    pub(super) fn read(recorded: &Recorded) -> Result<Self, Fault> {
        let fields = GraphValue::parse(recorded.fields.as_bytes());
        fields.map(Last).map_err(|e| Fault::new(format!("the ledger's record of a file is damaged: {e}")))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(GraphValue::as_str)
    }

    pub(super) fn path(&self) -> Result<&str, Fault> {
        let path = self.text("path").filter(|path| super::path::problem(path).is_none());
        path.ok_or_else(|| Fault::new("the ledger's record of a file has no path"))
    }

    pub(super) fn sha256(&self) -> Option<&str> {
        self.text("sha256")
    }

    /// The name of the secret that is in it, if there is one.
    pub(super) fn secret(&self) -> Option<&str> {
        self.text("secret")
    }

    /// The keyed hash of the secret that is in it.
    pub(super) fn print(&self) -> Option<&str> {
        self.text("print")
    }

    /// Whether this value was applied to a field.
    pub(super) fn has(&self, field: &str, value: &GraphValue) -> bool {
        self.0.get(field) == Some(value)
    }

    pub(super) fn to(&self) -> Option<&str> {
        self.text("to")
    }
}

/// The digest of the content that a file is to have, in hex.
pub(super) fn wanted_sha256(spec: &Spec<'_>) -> Option<EcoString> {
    match spec.content {
        Content::Text(text) => Some(sha256(text.as_bytes())),
        Content::Project { sha256, .. } => Some(sha256.into()),
        // A plain digest of a secret could be guessed from.
        Content::Entries | Content::Link(_) | Content::Secret(_) | Content::Later { .. } => None,
    }
}

/// What is remembered once a file is as wanted.
pub(super) fn remember(spec: &Spec<'_>) -> EcoString {
    let mut fields: Vec<(EcoString, GraphValue)> = vec![("path".into(), GraphValue::Str(spec.path.into()))];
    let mut put = |name: &str, text: &str| fields.push((name.into(), GraphValue::Str(text.into())));
    if let Some(owner) = spec.owner {
        put("owner", owner);
    }
    if let Some(group) = spec.group {
        put("group", group);
    }
    if let Content::Link(to) = spec.content {
        put("to", to);
    }
    if let Content::Secret(secret) = spec.content {
        put("secret", &secret.name());
        if let Some(print) = print_of(secret) {
            put("print", &print);
        }
    }
    if let Some(sha256) = wanted_sha256(spec) {
        put("sha256", &sha256);
    }
    if let Some(mode) = spec.mode {
        fields.push(("mode".into(), GraphValue::Int(mode.into())));
    }
    json(&GraphValue::map(fields))
}

/// The outputs of a file.
pub(super) fn outputs(spec: &Spec<'_>) -> EcoString {
    let sha256 = wanted_sha256(spec).map(|sha256| ("sha256".into(), GraphValue::Str(sha256)));
    json(&GraphValue::map(sha256.into_iter().collect()))
}

/// What has no outputs.
pub(super) fn no_outputs() -> EcoString {
    json(&GraphValue::Map(Vec::new()))
}

fn json(value: &GraphValue) -> EcoString {
    // Canonical JSON is UTF-8.
    String::from_utf8(value.to_json()).unwrap_or_default().into()
}
