//! Secrets that are written: encrypted by sops, and what that gives is looked at before it is believed.

use serde_json::{Map, Value, json};

use crate::base::FileId;
use crate::data::edit::Format;
use crate::data::{Document, Limits, NodeKind, Parsed, encrypted_type};
use crate::project::update::{Seal, SealError, Step};
use crate::secret::{Sops, SopsError};

/// The `sops` of whoever runs this.
pub(crate) struct Sealing(pub Sops);

impl Seal for Sealing {
    fn seal(&self, path: &str, now: Option<&[u8]>, way: &[Step], secret: &str) -> Result<Vec<u8>, SealError> {
        let before = now.map(|now| parse(path, now));
        let sealed = match (now, &before) {
            (Some(now), Some(Parsed { document: Some(document), .. })) => {
                let (index, value) = place(document, way, secret).ok_or_else(|| unlike(path))?;
                self.0.set(path, now, &index, &value.to_string())
            }
            (Some(_), _) => return Err(unlike(path)),
            // JSON is YAML too.
            (None, _) => self.0.encrypt(path, &nested(way, secret.into()).to_string()),
        };
        let sealed = sealed.map_err(|error| SealError {
            message: error.to_string(),
            help: match error {
                SopsError::NotInstalled => {
                    "install sops (https://getsops.io), with a key in `.sops.yaml`; a secret is never written in plain"
                }
                _ => "look at the `creation_rules` in `.sops.yaml`, and whether its key is at hand",
            }
            .to_owned(),
        })?;
        let before = before.and_then(|parsed| parsed.document);
        look(&sealed, path, before.as_ref(), way, secret)?;
        Ok(sealed)
    }
}

fn parse(path: &str, bytes: &[u8]) -> Parsed {
    Format::of(path).unwrap_or(Format::Yaml).parse(FileId::new(path), bytes, &Limits::default())
}

fn unlike(path: &str) -> SealError {
    SealError {
        message: format!("`{path}` is not laid out like the file that it belongs to"),
        help: "encrypt the value with sops by hand".to_owned(),
    }
}

/// What a way leads through, with a value at its end.
fn nested(way: &[Step], value: Value) -> Value {
    way.iter().rev().fold(value, |inner, step| match step {
        Step::Key(key) => json!({ key.as_str(): inner }),
        Step::Element(identity) => json!([element(identity, inner)]),
    })
}

/// An element of a list: its identity, and what is to stand in it.
fn element(identity: &[(ecow::EcoString, Value)], inner: Value) -> Value {
    let own = identity.iter().map(|(name, value)| (name.to_string(), value.clone()));
    let mut fields: Map<String, Value> = own.collect();
    if let Value::Object(inner) = inner {
        fields.extend(inner);
    }
    Value::Object(fields)
}

/// The place of the first thing on a way that is not there yet, as `sops set` calls it, and what is to be
/// put there. None if something else stands on the way.
fn place(document: &Document, way: &[Step], secret: &str) -> Option<(String, Value)> {
    let mut index = String::new();
    let mut at = Document::ROOT;
    for (number, step) in way.iter().enumerate() {
        let rest = way.get(number + 1..).unwrap_or_default();
        let next = match (step, document.value(at)) {
            (Step::Key(key), NodeKind::Mapping(_)) => {
                index += &format!("[{}]", json!(key.as_str()));
                let Some(next) = document.get(at, key) else {
                    return Some(match rest {
                        // sops takes no list as a value, and makes one for its first element.
                        [Step::Element(identity), rest @ ..] => {
                            (index + "[0]", element(identity, nested(rest, secret.into())))
                        }
                        rest => (index, nested(rest, secret.into())),
                    });
                };
                next
            }
            (Step::Element(identity), NodeKind::Sequence(count)) => {
                let found =
                    document.children(at).zip(0_u32..).find(|(item, _)| is(document, *item, identity));
                let Some((next, number)) = found else {
                    return Some((
                        format!("{index}[{count}]"),
                        element(identity, nested(rest, secret.into())),
                    ));
                };
                index += &format!("[{number}]");
                next
            }
            _ => return None,
        };
        at = next;
    }
    // It is there already: it is not for this to change it.
    None
}

/// Whether an item of a list has an identity, readable.
fn is(document: &Document, item: u32, identity: &[(ecow::EcoString, Value)]) -> bool {
    identity.iter().all(|(name, wanted)| {
        document.get(item, name).is_some_and(|node| match document.value(node) {
            NodeKind::Str(text) => wanted.as_str() == Some(text.as_str()),
            NodeKind::Int(number) => wanted.as_i64() == Some(*number),
            NodeKind::Bool(value) => wanted.as_bool() == Some(*value),
            _ => false,
        })
    })
}

/// Looks at what sops made: the value is there and encrypted, what tells its element from others is
/// readable, and all that was there before still is.
fn look(
    sealed: &[u8],
    path: &str,
    before: Option<&Document>,
    way: &[Step],
    secret: &str,
) -> Result<(), SealError> {
    let names: Vec<&str> =
        way.iter().filter_map(|s| if let Step::Key(k) = s { Some(&**k) } else { None }).collect();
    let name = names.join(".");
    let parsed = parse(path, sealed);
    let Some(document) = parsed.document.filter(|_| parsed.diagnostics.is_empty()) else {
        return Err(SealError {
            message: "what sops made of the file cannot be read".to_owned(),
            help: "encrypt the value with sops by hand".to_owned(),
        });
    };
    let mut at = Document::ROOT;
    for step in way {
        let next = match step {
            Step::Key(key) => document.get(at, key),
            Step::Element(identity) => {
                let found = document.children(at).find(|item| is(&document, *item, identity));
                if found.is_none() {
                    let keys: Vec<String> = identity.iter().map(|(name, _)| format!("`{name}`")).collect();
                    return Err(SealError {
                        message: format!(
                            "sops encrypted {} too, by which the element is found",
                            keys.join(" and ")
                        ),
                        help: format!(
                            "let the rules in `.sops.yaml` encrypt what is secret alone: `encrypted_regex: ^({})$`",
                            names.last().copied().unwrap_or_default()
                        ),
                    });
                }
                found
            }
        };
        let Some(next) = next else { return Err(plain(&name)) };
        at = next;
    }
    let is_sealed = match document.value(at) {
        NodeKind::Encrypted(_) => true,
        NodeKind::Str(text) => encrypted_type(text).is_some(),
        _ => false,
    };
    if !is_sealed || String::from_utf8_lossy(sealed).contains(secret) {
        return Err(plain(&name));
    }
    match before {
        Some(before) if !holds(before, Document::ROOT, &document, Document::ROOT) => Err(SealError {
            message: "sops changed more than the value in the file".to_owned(),
            help: "encrypt the value with sops by hand".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn plain(name: &str) -> SealError {
    SealError {
        message: format!("sops left `{name}` in plain"),
        help: "the rules in `.sops.yaml` leave this field out: `encrypted_regex` or the like".to_owned(),
    }
}

/// Whether a document has all that another one had, but for what sops says of itself.
fn holds(before: &Document, old: u32, after: &Document, new: u32) -> bool {
    match (before.value(old), after.value(new)) {
        (NodeKind::Mapping(_), NodeKind::Mapping(_)) => before.children(old).all(|child| {
            let Some(key) = before.key(child) else { return false };
            (old == Document::ROOT && key == "sops")
                || after.get(new, key).is_some_and(|other| holds(before, child, after, other))
        }),
        (NodeKind::Sequence(count), NodeKind::Sequence(more)) => {
            let mut pairs = before.children(old).zip(after.children(new));
            count <= more && pairs.all(|(old, new)| holds(before, old, after, new))
        }
        (before, after) => before == after,
    }
}
