//! Observing parts of files.

use ecow::{EcoString, eco_format};
use rustix::fs::Statx;

use crate::graph::GraphValue;
use crate::handler::file::look::{absent, first};
use crate::handler::file::path::split;
use crate::handler::file::reach::{Reach, Unreached, stat};
use crate::handler::file::stamp::{file_type, stamp, stamp_at};
use crate::handler::{Actual, Fault, Look, Mark, Marked, Seen, Session, Timestamp, Token};

use super::mark::ShortMark;
use super::open::{At, Files, Opened, no_file};
use super::record::Known;
use super::spec::{Kind, PartSpec};
use super::state::{About, State};

/// Looks at the parts of one batch.
pub(in crate::handler::file) struct PartLooker<'s> {
    session: &'s Session<'s>,
    reach: Reach,
    files: Files,
}

impl<'s> PartLooker<'s> {
    pub(in crate::handler::file) fn new(session: &'s Session<'s>) -> Result<Self, Fault> {
        Ok(PartLooker { session, reach: Reach::new(&session.root)?, files: Files::default() })
    }

    /// What is there.
    pub(in crate::handler::file) fn look(&mut self, look: &Look<'_>) -> Result<Seen, Fault> {
        let spec = match look.node {
            Some(node) => Some(PartSpec::read(node).map_err(|problems| first(&problems))?),
            None => None,
        };
        let last = look.recorded.map(Known::read).transpose()?;
        let intended = look.intended.map(Known::read).transpose()?;
        let path = spec.as_ref().map(|spec| spec.path).or(last.as_ref().map(Known::path));
        let path = path.ok_or_else(|| Fault::new("neither a node nor a record says what to look at"))?;
        let kind = Kind::of(look.kind).ok_or_else(|| Fault::new(format!("no such type `{}`", look.kind)))?;
        let about = About {
            kind,
            spec: spec.as_ref(),
            last: last.as_ref(),
            intended: intended.as_ref(),
            key: &self.session.key,
        };
        if !look.closely
            && let Some(seen) = self.glance(look, path)?
        {
            return Ok(seen);
        }
        let opened = match self.files.at(&mut self.reach, path)? {
            At::File(opened) => opened,
            At::Nothing { folder, .. } => return absent(look.recorded, &folder, path),
            At::Other { folder, about } if spec.is_some() => {
                return Err(no_file(path, &folder, split(path).1, &about));
            }
            // What was made is not there any more.
            At::Other { folder, about } => {
                return Ok(Seen::Present(Box::new(other(&about, folder.filesystem.clone()))));
            }
        };
        if !look.closely {
            return Ok(Seen::Unsure);
        }
        if spec.is_some() {
            opened.refuse_shared(path)?;
        }
        let in_file = |fault: Fault| Fault { message: format!("`{path}`: {}", fault.message), ..fault };
        let Some(state) = about.find(&opened.bytes).map_err(in_file)? else {
            return absent(look.recorded, &opened.folder, path);
        };
        let recorded = look.recorded.and_then(|recorded| recorded.token.as_ref());
        let marked = self.marked(&state, &opened, recorded, look.token);
        Ok(Seen::Present(Box::new(Actual {
            stamp: part_stamp(&state.print, &opened.about, self.session.clock.now()),
            fields: state.fields,
            marked,
            as_recorded: state.as_recorded,
            as_intended: state.as_intended,
            physical: opened.folder.filesystem.clone(),
        })))
    }

    /// Whether the file is what it was when the part was last looked at, without reading it;
    /// nothing if there is no file.
    fn glance(&mut self, look: &Look<'_>, path: &str) -> Result<Option<Seen>, Fault> {
        let (folder, name) = match self.reach.parent(path) {
            Ok(found) => found,
            Err(Unreached::Missing { .. }) => return Ok(None),
            Err(Unreached::Fault(fault)) => return Err(fault),
        };
        let Ok(about) = stat(&folder, name) else { return Ok(None) };
        let known = look.recorded.map_or("", |recorded| file_stamp(&recorded.stamp));
        Ok(Some(if stamp(&about) == known { Seen::AsRecorded } else { Seen::Unsure }))
    }

    /// What a part says of who made it. A block carries its mark. A line and a key cannot: what
    /// has just been made is known by an attribute of the file, which says what became of an
    /// effect that was interrupted; later a line is ours as long as it is what was written.
    fn marked(
        &self,
        state: &State,
        opened: &Opened,
        recorded: Option<&Token>,
        open: Option<&Token>,
    ) -> Marked {
        let lineage = &self.session.lineage;
        if let Some(mark) = &state.mark {
            return mark.as_ref().map_or(Marked::Not, |mark| mark.read(lineage, &[recorded, open]));
        }
        let by = |token: &Token| Marked::By(Mark { lineage: lineage.clone(), token: token.clone() });
        let is_open = |token: &&Token| opened.marks.contains(&ShortMark::of(lineage, token));
        if let Some(token) = open.filter(is_open) {
            return by(token);
        }
        recorded.filter(|_| state.as_recorded).map_or(Marked::Cannot, by)
    }
}

/// What is in the place of a file that had parts.
fn other(about: &Statx, physical: EcoString) -> Actual {
    let noun = match file_type(about) {
        rustix::fs::FileType::Directory => "a directory",
        rustix::fs::FileType::Symlink => "a symbolic link",
        _ => "no file, directory or link",
    };
    Actual {
        fields: GraphValue::map(vec![("type".into(), GraphValue::Str(noun.into()))]),
        marked: Marked::Not,
        as_recorded: false,
        as_intended: false,
        stamp: stamp(about),
        physical,
    }
}

/// The stamp of a part: of what it is, and of the file that it is in.
pub(super) fn part_stamp(print: &str, about: &Statx, now: Timestamp) -> EcoString {
    eco_format!("{print};{}", stamp_at(about, now))
}

fn file_stamp(stamp: &str) -> &str {
    stamp.split_once(';').map_or("", |(_, file)| file)
}

/// Whether a part is what a stamp says, whatever became of the rest of the file.
pub(super) fn same_part(print: Option<&str>, known: Option<&str>) -> bool {
    print == known.map(|known| known.split_once(';').map_or(known, |(print, _)| print))
}
