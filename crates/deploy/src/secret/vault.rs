//! Where the secrets of a project are, by the names that the graph has for them: the path of a
//! file, `#`, and a JSON pointer; with the hash of what stands there, if that is encrypted.

use std::fmt;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::base::{FileId, System};
use crate::data::{Document, Limits, NodeKind, parse_json, parse_yaml_documents};

use super::Plain;
use super::error::SecretError;
#[cfg(feature = "secret")]
use super::identity::Identities;
#[cfg(feature = "secret")]
use super::open::Opener;

/// The secrets of a project, and of what it was before.
pub struct Vault {
    systems: Vec<Arc<dyn System>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    #[cfg(feature = "secret")]
    opener: Opener,
    /// By path and the digest of the bytes.
    files: FxHashMap<(String, [u8; 32]), Arc<Content>>,
    opened: FxHashMap<(String, [u8; 32]), Result<Arc<Opened>, SecretError>>,
}

/// A file, read.
enum Content {
    /// The documents in it.
    Documents(Vec<Document>),
    /// Encrypted as a whole.
    #[cfg(feature = "secret")]
    Age(Arc<[u8]>),
    /// Neither: its text.
    Text(Plain),
}

/// Its encrypted values, by pointer.
type Opened = IndexMap<String, Plain>;

impl Vault {
    /// The secrets of a project.
    pub fn new(project: Arc<dyn System>) -> Self {
        Vault { systems: vec![project], state: Mutex::default() }
    }

    /// The same with these keys and no others.
    #[cfg(feature = "secret")]
    pub fn with(mut self, identities: Identities) -> Self {
        let state = self.state.get_mut().unwrap_or_else(|p| p.into_inner());
        state.opener = Opener::with(identities);
        self
    }

    /// What is not there any more is also looked for here.
    pub fn add(&mut self, earlier: Arc<dyn System>) {
        self.systems.push(earlier);
    }

    /// The value that the graph calls by this name. Without a hash it stands plain.
    pub fn value(&self, source: &str, sha256: Option<&str>) -> Result<Plain, SecretError> {
        let mut state = self.state.lock().unwrap_or_else(|p| p.into_inner());
        let mut last = None;
        for system in &self.systems {
            match find(&mut state, &**system, source, sha256) {
                Ok(plain) => return Ok(plain),
                // A later one may have it; what the project itself says of it is what people want to know,
                // unless the value is elsewhere and does not open.
                Err(error) => {
                    last = last.filter(|known: &SecretError| known.is_of_value() || !error.is_of_value());
                    last = last.or(Some(error));
                }
            }
        }
        Err(last.unwrap_or_else(|| SecretError::Missing { file: source.to_owned(), pointer: String::new() }))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

fn find(
    state: &mut State,
    system: &dyn System,
    source: &str,
    sha256: Option<&str>,
) -> Result<Plain, SecretError> {
    let (file, pointer, bytes) = split(system, source)?;
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let key = (file.to_owned(), digest);
    let content =
        state.files.entry(key.clone()).or_insert_with(|| Arc::new(Content::read(file, &bytes))).clone();
    let missing = || SecretError::Missing { file: file.to_owned(), pointer: pointer.to_owned() };
    let changed = || SecretError::Changed { file: file.to_owned() };
    match &*content {
        Content::Text(plain) if pointer.is_empty() => Ok(plain.clone()),
        Content::Text(_) => Err(missing()),
        #[cfg(feature = "secret")]
        Content::Age(bytes) => {
            if sha256.is_some_and(|sha256| sha256 != hex(&digest)) {
                return Err(changed());
            }
            state.opener.age(file, bytes)
        }
        Content::Documents(documents) => {
            let (document, node) = documents
                .iter()
                .find_map(|document| Some((document, at(document, pointer)?)))
                .ok_or_else(missing)?;
            match document.value(node) {
                NodeKind::Encrypted(encrypted) => {
                    if sha256.is_none_or(|sha256| sha256 != hex(&Sha256::digest(encrypted.text.as_bytes()))) {
                        return Err(changed());
                    }
                    let opened = match state.opened.get(&key) {
                        Some(opened) => opened.clone(),
                        None => {
                            let opened = open(state, file, document).map(Arc::new);
                            state.opened.insert(key, opened.clone());
                            opened
                        }
                    };
                    opened?.get(pointer).cloned().ok_or_else(missing)
                }
                _ if sha256.is_some() => Err(changed()),
                NodeKind::Str(text) => Ok(Plain::Str(text.to_string())),
                NodeKind::Int(value) => Ok(Plain::Int(*value)),
                NodeKind::Float(value) => Ok(Plain::Float(*value)),
                NodeKind::Bool(value) => Ok(Plain::Bool(*value)),
                _ => Err(missing()),
            }
        }
    }
}

#[cfg(feature = "secret")]
fn open(state: &mut State, file: &str, document: &Document) -> Result<Opened, SecretError> {
    state.opener.sops(file, document)
}

#[cfg(not(feature = "secret"))]
fn open(_: &mut State, file: &str, _: &Document) -> Result<Opened, SecretError> {
    let what = "this gops was built without the feature `secret`".to_owned();
    Err(SecretError::Unknown { file: file.to_owned(), what })
}

/// The file, the pointer and the bytes behind a name. Paths and keys may have a `#` themselves:
/// it is a file that is there.
fn split<'s>(system: &dyn System, source: &'s str) -> Result<(&'s str, &'s str, Arc<[u8]>), SecretError> {
    let ways = source.match_indices('#').map(|(at, _)| (&source[..at], &source[at + 1..]));
    let mut first = None;
    for (file, pointer) in ways.filter(|(_, pointer)| pointer.is_empty() || pointer.starts_with('/')) {
        match system.read(file) {
            Ok(bytes) => return Ok((file, pointer, bytes)),
            Err(error) => {
                let unread = SecretError::Unread { file: file.to_owned(), what: error.to_string() };
                first = first.or(Some(unread));
            }
        }
    }
    Err(first.unwrap_or_else(|| SecretError::Missing { file: source.to_owned(), pointer: String::new() }))
}

impl Content {
    fn read(file: &str, bytes: &Arc<[u8]>) -> Self {
        #[cfg(feature = "secret")]
        if super::open::is_age(bytes) {
            return Content::Age(bytes.clone());
        }
        let (id, limits) = (FileId::new(file), Limits::default());
        let parsed = match file.rsplit('.').next() {
            Some("json") => vec![parse_json(id, bytes, &limits)],
            Some("yaml" | "yml") => parse_yaml_documents(id, bytes, &limits),
            _ => return Content::Text(Plain::Str(String::from_utf8_lossy(bytes).into_owned())),
        };
        Content::Documents(parsed.into_iter().filter_map(|parsed| parsed.document).collect())
    }
}

/// The node that a JSON pointer (RFC 6901) leads to.
fn at(document: &Document, pointer: &str) -> Option<u32> {
    let parts = pointer.split('/').skip(1);
    parts.map(|part| part.replace("~1", "/").replace("~0", "~")).try_fold(Document::ROOT, |node, part| {
        match document.value(node) {
            NodeKind::Mapping(_) => document.get(node, &part),
            NodeKind::Sequence(_) => document.children(node).nth(part.parse().ok()?),
            _ => None,
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
