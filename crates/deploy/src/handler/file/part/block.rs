//! A block of lines between two marker lines.
//!
//! The first of them carries the mark, so the block stays ours when an editor replaces the file,
//! which takes the attributes of a file along.

use ecow::{EcoString, eco_format};
use regex::bytes::Regex;

use crate::handler::Fault;

use super::body::{BEGIN, Body, END};
use super::mark::ShortMark;
use super::words::Words;

/// What the marker lines of a block look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence<'a> {
    pub name: &'a str,
    /// What a comment starts with.
    pub comment: &'a str,
    /// What it ends with.
    pub comment_end: &'a str,
}

/// A block as it is to be.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    pub fence: Fence<'a>,
    pub content: Words<'a>,
    /// What finds the line below which it is put.
    pub below: Option<Regex>,
}

/// A block that is there.
pub(super) struct Found {
    /// Its lines, the markers among them.
    pub lines: std::ops::Range<usize>,
    pub content: EcoString,
    pub mark: Option<ShortMark>,
}

impl Fence<'_> {
    fn begin(&self) -> String {
        format!("{}{BEGIN}{}", self.comment, self.name)
    }

    fn end(&self) -> String {
        let end = format!("{}{END}{} {}", self.comment, self.name, self.comment_end);
        end.trim_end().to_owned()
    }

    /// What stands behind the name in a line that begins the block.
    fn begins<'t>(&self, text: &'t [u8]) -> Option<&'t str> {
        let rest = std::str::from_utf8(text.trim_ascii()).ok()?.strip_prefix(&self.begin())?;
        let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
        Some(rest.trim_end().strip_suffix(self.comment_end).unwrap_or(rest).trim())
    }

    /// Whether a line of the text would be taken for a marker.
    pub(super) fn stands_in(&self, content: &str) -> bool {
        content.lines().any(|line| self.begins(line.as_bytes()).is_some() || line.trim() == self.end())
    }

    /// Finds the block.
    pub(super) fn find(&self, body: &Body<'_>) -> Result<Option<Found>, Fault> {
        let mut begins = body.texts().enumerate().filter_map(|(at, text)| Some((at, self.begins(text)?)));
        let Some((start, rest)) = begins.next() else { return Ok(None) };
        let broken = |what: &str| {
            Fault::new(format!("the markers of the block `{}` are damaged: {what}", self.name))
                .help("mend them by hand, or take what is left of the block away")
        };
        if begins.next().is_some() {
            return Err(broken("it begins twice"));
        }
        let end = self.end();
        let ends = |text: &[u8]| text.trim_ascii() == end.as_bytes();
        let length = body.texts().skip(start).position(ends).ok_or_else(|| broken("it has no end"))?;
        let content: Vec<&[u8]> = body.texts().skip(start + 1).take(length.saturating_sub(1)).collect();
        let mut text = EcoString::new();
        for line in content {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        Ok(Some(Found { lines: start..start + length + 1, content: text, mark: ShortMark::parse(rest) }))
    }
}

/// A text whose last line has an end, as it stands in a file.
pub(super) fn lines_of(content: &str) -> EcoString {
    let content = content.replace("\r\n", "\n");
    if content.is_empty() || content.ends_with('\n') { content.into() } else { eco_format!("{content}\n") }
}

/// The file with the block, which carries this mark.
pub(super) fn put(
    bytes: &[u8],
    known: Option<Fence<'_>>,
    block: &Block<'_>,
    mark: Option<&ShortMark>,
) -> Result<Vec<u8>, Fault> {
    let body = Body::of(bytes);
    let mut found = block.fence.find(&body)?;
    if let (None, Some(known)) = (&found, known) {
        found = known.find(&body)?;
    }
    let place = match found {
        Some(found) => found.lines,
        None => {
            let at = body.place(block.below.as_ref());
            at..at
        }
    };
    let mark = mark.map(|mark| format!(" {mark}")).unwrap_or_default();
    let begin = format!("{}{mark} {}", block.fence.begin(), block.fence.comment_end);
    let end = block.fence.end();
    let content = block.content.opened()?;
    if block.fence.stands_in(content) {
        return Err(Fault::new("the content holds a marker line of its own block"));
    }
    let content = lines_of(content);
    let mut lines: Vec<&[u8]> = vec![begin.trim_end().as_bytes()];
    lines.extend(content.lines().map(str::as_bytes));
    lines.push(end.as_bytes());
    Ok(body.splice(place, &lines))
}

/// The file without the block.
pub(super) fn take(bytes: &[u8], fence: Fence<'_>) -> Result<Vec<u8>, Fault> {
    let body = Body::of(bytes);
    Ok(match fence.find(&body)? {
        Some(found) => body.splice(found.lines, &[]),
        None => bytes.to_vec(),
    })
}
