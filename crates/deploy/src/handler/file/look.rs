//! Observing files.

use std::fmt::Write as _;
use std::io::Read as _;
use std::rc::Rc;

use ecow::EcoString;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, Statx};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::base::id::{self, KeyValue};
use crate::graph::{GraphValue, Node, Secret};
use crate::handler::{Actual, Fault, Look, Mark, Marked, PrintKey, Printer, Recorded, Seen, Session, Token};

use super::principal::Principals;
use super::reach::{Folder, Reach, Unreached, open_below, refused, said, stat, stat_open};
use super::record::{Last, wanted_sha256};
use super::remove::entries;
use super::spec::{Content as Wanted, Kind, Spec, claim};
use super::stamp::{file_type, permissions, same, stamp, stamp_at};
use super::write::missing_parent;

/// The attribute that holds the mark.
pub(super) const MARK: &str = "user.gops";

/// Texts up to this size are kept to be shown in a plan; larger ones by their digest.
const LARGEST_TEXT: u64 = 1 << 20;

/// Looks at the files of one batch.
pub(super) struct Looker<'s> {
    session: &'s Session<'s>,
    reach: Reach,
    principals: Principals,
}

impl<'s> Looker<'s> {
    pub(super) fn new(session: &'s Session<'s>) -> Result<Self, Fault> {
        Ok(Looker { session, reach: Reach::new(&session.root)?, principals: Principals::default() })
    }

    /// What is there.
    pub(super) fn look(&mut self, look: &Look<'_>) -> Result<Seen, Fault> {
        let spec = match look.node {
            Some(node) => Some(Spec::read(node).map_err(|problems| first(&problems))?),
            None => None,
        };
        let last = look.recorded.map(Last::read).transpose()?;
        let intended = look.intended.map(Last::read).transpose()?;
        let path = match (&spec, &last) {
            (Some(spec), _) => spec.path.to_owned(),
            (None, Some(last)) => last.path()?.to_owned(),
            (None, None) => return Err(Fault::new("neither a node nor a record says what to look at")),
        };
        let (folder, name) = match self.reach.parent(&path) {
            Ok(found) => found,
            Err(Unreached::Missing { nearest, missing, empty }) => {
                let seen = absent(look.recorded, &nearest, &path)?;
                // What can be said now needs not wait for the middle of a deploy.
                return match empty || look.node.is_none_or(|node| may_be_made(node, &missing)) {
                    true => Ok(seen),
                    false => Err(missing_parent(&self.session.root, &missing)),
                };
            }
            Err(Unreached::Fault(fault)) => return Err(fault),
        };
        let about = match stat(&folder, name) {
            Ok(about) => about,
            Err(Errno::NOENT) => return absent(look.recorded, &folder, &path),
            Err(error) => return Err(refused(&path, error)),
        };
        if !look.closely {
            let known = look.recorded.map_or("", |r| r.stamp.as_str());
            return Ok(if stamp(&about) == known { Seen::AsRecorded } else { Seen::Unsure });
        }
        let kind = Kind::of(look.kind).ok_or_else(|| Fault::new(format!("no such type `{}`", look.kind)))?;
        let found = Found {
            path: &path,
            kind,
            about,
            spec: spec.as_ref(),
            last: last.as_ref(),
            intended: intended.as_ref(),
            tokens: [look.recorded.and_then(|r| r.token.as_ref()), look.token],
            entries: look.entries,
        };
        found.actual(self, &folder, name).map(|actual| Seen::Present(Box::new(actual)))
    }
}

/// Whether something that a node waits for makes a folder that is not there yet: a `Directory`, or
/// something of which this handler knows nothing.
fn may_be_made(node: &Node, missing: &str) -> bool {
    node.requires.iter().filter_map(|require| id::parse(&require.id).ok()).any(|id| {
        let is_in =
            |path: &str| path.strip_prefix(missing).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        match id.type_path.strip_prefix("std::") {
            Some("files::Directory") => matches!(id.get("path"), Some(KeyValue::Str(path)) if is_in(path)),
            Some(_) => false,
            None => true,
        }
    })
}

/// The first of several problems, as a fault: validation has reported them all before.
pub(super) fn first(problems: &[crate::handler::Problem]) -> Fault {
    match problems.first() {
        Some(problem) => Fault { help: problem.help.clone(), ..Fault::new(problem.message.clone()) },
        None => Fault::new("the node is not valid"),
    }
}

/// Nothing is there: certain only on the file system that had it.
pub(super) fn absent(recorded: Option<&Recorded>, folder: &Folder, path: &str) -> Result<Seen, Fault> {
    match recorded {
        Some(recorded) if !recorded.physical.is_empty() && recorded.physical != folder.filesystem => {
            Err(Fault::new(format!("`{path}` is not there, and neither is the file system that had it"))
                .help("mount it, and run this again"))
        }
        _ => Ok(Seen::Absent),
    }
}

/// Something that is there.
struct Found<'a> {
    path: &'a str,
    kind: Kind,
    about: Statx,
    spec: Option<&'a Spec<'a>>,
    last: Option<&'a Last>,
    intended: Option<&'a Last>,
    /// Those that it may have as its mark.
    tokens: [Option<&'a Token>; 2],
    /// Whether to say what is in a directory.
    entries: bool,
}

impl Found<'_> {
    fn actual(&self, looker: &mut Looker<'_>, folder: &Rc<Folder>, name: &str) -> Result<Actual, Fault> {
        if file_type(&self.about) != self.kind.file_type() {
            return self.of_another_kind(folder, name);
        }
        match self.kind {
            Kind::Link => self.link(looker, folder, name),
            Kind::Directory | Kind::Text | Kind::Copy => self.opened(looker, folder, name),
        }
    }

    /// Fatal where something is to be made; else a fact: what was made is not there any more.
    fn of_another_kind(&self, folder: &Folder, name: &str) -> Result<Actual, Fault> {
        let noun = match file_type(&self.about) {
            FileType::Directory => "a directory",
            FileType::RegularFile => "a file",
            FileType::Symlink => "a symbolic link",
            _ => "no file, directory or link",
        };
        if self.spec.is_none() {
            let fields = GraphValue::map(vec![("type".into(), GraphValue::Str(noun.into()))]);
            return Ok(Actual {
                fields,
                marked: Marked::Not,
                as_recorded: false,
                as_intended: false,
                stamp: stamp(&self.about),
                physical: folder.filesystem.clone(),
            });
        }
        if file_type(&self.about) == FileType::Symlink {
            let to = rustix::fs::readlinkat(&folder.fd, name, Vec::new()).unwrap_or_default();
            let to = to.to_string_lossy().into_owned();
            return Err(Fault::new(format!("`{}` is a symbolic link to `{to}`", self.path))
                .help("gops follows no links: take it away, or write the path that it leads to"));
        }
        Err(Fault::new(format!("`{}` is {noun}, and a {} is wanted there", self.path, self.kind.noun()))
            .help("move it away, or write another path"))
    }

    fn link(&self, looker: &mut Looker<'_>, folder: &Folder, name: &str) -> Result<Actual, Fault> {
        let to = rustix::fs::readlinkat(&folder.fd, name, Vec::new());
        let to = to.map_err(|e| refused(self.path, e))?.to_string_lossy().into_owned();
        let is = |last: &Last| last.to() == Some(to.as_str());
        let same = [self.last.is_some_and(is), self.intended.is_some_and(is)];
        let content = vec![("to".into(), GraphValue::Str(to.as_str().into()))];
        let marked = self.link_mark(&looker.session.lineage);
        Ok(self.seen(looker, folder, &self.about, content, marked, same))
    }

    /// A link has no attributes of its own. Its mark is in the time of its last change, which says
    /// of a mark whether it is this one; others cannot be read from it.
    fn link_mark(&self, lineage: &str) -> Marked {
        let marks = self.tokens.into_iter().flatten();
        let mut marks = marks.map(|token| Mark { lineage: lineage.into(), token: token.clone() });
        let nanoseconds = self.about.stx_mtime.tv_nsec;
        marks.find(|mark| link_nanoseconds(mark) == nanoseconds).map_or(Marked::Cannot, Marked::By)
    }

    fn opened(&self, looker: &mut Looker<'_>, folder: &Folder, name: &str) -> Result<Actual, Fault> {
        let mut flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if self.kind == Kind::Directory {
            flags |= OFlags::DIRECTORY;
        }
        let file = open_below(&folder.fd, name, flags).map_err(|e| refused(self.path, e))?;
        let about = stat_open(&file).map_err(|e| refused(self.path, e))?;
        let marked = mark_of(&file).map_err(|e| refused(self.path, e))?;
        if self.kind == Kind::Directory {
            let fields = if self.entries { self.entries(folder, name)? } else { Vec::new() };
            return Ok(self.seen(
                looker,
                folder,
                &about,
                fields,
                marked,
                [self.last.is_some(), self.intended.is_some()],
            ));
        }
        self.refuse_shared(&about, &marked, &looker.session.lineage)?;
        let key = self.holds_secret().then_some(&looker.session.key);
        let content =
            Content::read(file, &about, key).map_err(|e| Fault::new(format!("`{}`: {e}", self.path)))?;
        let is = |last: &Last| match last.secret() {
            Some(_) => last.print().is_some() && last.print() == content.print.as_deref(),
            None => last.sha256() == Some(content.sha256.as_str()),
        };
        let same = [self.last.is_some_and(is), self.intended.is_some_and(is)];
        let wanted = self.spec.and_then(wanted_sha256);
        let fields = if key.is_some() { content.hidden(wanted) } else { content.fields(self.kind) };
        Ok(self.seen(looker, folder, &about, fields, marked, same))
    }

    /// The claims of what is in a directory.
    fn entries(&self, folder: &Folder, name: &str) -> Result<Vec<(EcoString, GraphValue)>, Fault> {
        let names = entries(folder, name).map_err(|e| refused(self.path, e))?;
        let base = self.path.trim_end_matches('/');
        let claim = |name: &String| GraphValue::Str(claim(&format!("{base}/{name}")));
        Ok(vec![("entries".into(), GraphValue::List(names.iter().map(claim).collect()))])
    }

    /// Whether what is there may be a secret, or is to be one: nothing of it is told but by the key.
    fn holds_secret(&self) -> bool {
        let was = [self.last, self.intended].into_iter().flatten().any(|last| last.secret().is_some());
        was || self
            .spec
            .is_some_and(|spec| matches!(spec.content, Wanted::Secret(_) | Wanted::Later { secret: true }))
    }

    /// A file that has another name, which may be somebody else's, is not written.
    fn refuse_shared(&self, about: &Statx, marked: &Marked, lineage: &str) -> Result<(), Fault> {
        let ours = matches!(marked, Marked::By(mark) if mark.lineage == lineage);
        if about.stx_nlink < 2 || ours || self.spec.is_none() {
            return Ok(());
        }
        Err(Fault::new(format!("`{}` is a hard link: the same file has another name", self.path))
            .help("take the link away, so that gops changes no file of somebody else"))
    }

    fn seen(
        &self,
        looker: &mut Looker<'_>,
        folder: &Folder,
        about: &Statx,
        mut fields: Vec<(EcoString, GraphValue)>,
        marked: Marked,
        [as_recorded, as_intended]: [bool; 2],
    ) -> Actual {
        let owner = looker.principals.spell_user(about.stx_uid, self.spec.and_then(|s| s.owner));
        let group = looker.principals.spell_group(about.stx_gid, self.spec.and_then(|s| s.group));
        fields.push(("owner".into(), GraphValue::Str(owner.into())));
        fields.push(("group".into(), GraphValue::Str(group.into())));
        if self.kind != Kind::Link {
            fields.push(("mode".into(), GraphValue::Int(permissions(about).into())));
        }
        let unmoved = same(about, &stamp(&self.about));
        Actual {
            fields: GraphValue::map(fields),
            marked,
            as_recorded,
            as_intended,
            // Somebody is changing it right now: such a stamp fits nothing.
            stamp: if unmoved { stamp_at(about, looker.session.clock.now()) } else { EcoString::new() },
            physical: folder.filesystem.clone(),
        }
    }
}

/// The nanoseconds of the second in which a link with this mark says that it was last changed.
pub(super) fn link_nanoseconds(mark: &Mark) -> u32 {
    let digest = Sha256::digest(mark.to_string().as_bytes());
    let first = digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    // Less than a billion, so it fits.
    (first % 1_000_000_000) as u32
}

/// The mark of an open file.
pub(super) fn mark_of(file: &OwnedFd) -> Result<Marked, Errno> {
    let mut buffer = [0_u8; 256];
    match rustix::fs::fgetxattr(file, MARK, &mut buffer[..]) {
        Ok(length) => {
            let text = buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
            Ok(text.and_then(Mark::parse).map_or(Marked::Not, Marked::By))
        }
        Err(Errno::NODATA | Errno::RANGE) => Ok(Marked::Not),
        Err(Errno::OPNOTSUPP) => Ok(Marked::Cannot),
        Err(error) => Err(error),
    }
}

/// What is in a file.
struct Content {
    sha256: EcoString,
    /// Its keyed hash, if it may be a secret.
    print: Option<EcoString>,
    size: u64,
    text: Option<EcoString>,
}

impl Content {
    fn read(file: OwnedFd, about: &Statx, key: Option<&PrintKey>) -> Result<Self, String> {
        let mut file = std::fs::File::from(file);
        let mut hasher = Sha256::new();
        let mut printer = key.map(PrintKey::printer);
        let mut kept = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        let mut size = 0;
        loop {
            let length = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Errno::from_io_error(&error).map_or_else(|| error.to_string(), said));
                }
            };
            let part = buffer.get(..length).unwrap_or_default();
            hasher.update(part);
            printer.iter_mut().for_each(|printer| printer.update(part));
            size += length as u64;
            if about.stx_size <= LARGEST_TEXT && size <= LARGEST_TEXT {
                kept.extend_from_slice(part);
            }
        }
        let whole = kept.len() as u64 == size;
        let text = if whole { String::from_utf8(kept).ok().map(EcoString::from) } else { None };
        let print = printer.map(Printer::finish);
        Ok(Content { sha256: hex(&hasher.finalize()), print, size, text })
    }

    /// What may be told of a secret: that there is something, its keyed hash, and whether it is
    /// what a plain text wants.
    fn hidden(self, wanted: Option<EcoString>) -> Vec<(EcoString, GraphValue)> {
        let mut fields = vec![("content".into(), GraphValue::Secret(Secret::hidden()))];
        fields.extend(self.print.map(|print| ("print".into(), GraphValue::Str(print))));
        if wanted.as_ref() == Some(&self.sha256) {
            fields.push(("sha256".into(), GraphValue::Str(self.sha256)));
        }
        fields
    }

    fn fields(self, kind: Kind) -> Vec<(EcoString, GraphValue)> {
        let mut fields = vec![
            ("sha256".into(), GraphValue::Str(self.sha256)),
            ("size".into(), GraphValue::Int(i64::try_from(self.size).unwrap_or(i64::MAX))),
        ];
        if let (Kind::Text, Some(text)) = (kind, self.text) {
            fields.push(("content".into(), GraphValue::Str(text)));
        }
        fields
    }
}

/// The SHA-256 of bytes, in hex.
pub(super) fn sha256(bytes: &[u8]) -> EcoString {
    hex(&Sha256::digest(bytes))
}

/// Bytes as digits.
pub(super) fn hex(bytes: &[u8]) -> EcoString {
    let mut text = EcoString::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
