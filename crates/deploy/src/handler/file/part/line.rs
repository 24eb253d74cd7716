//! One line of a file.

use regex::bytes::Regex;

use crate::handler::{Fault, PrintKey};

use super::body::Body;
use super::words::{Words, has_print};

/// A line as it is to be.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub line: Words<'a>,
    /// What finds the line that it takes the place of.
    pub matches: Option<Regex>,
    /// What finds the line below which it is put.
    pub below: Option<Regex>,
}

/// The lines that gops wrote or was about to write.
pub(super) struct Written<'a> {
    pub lines: Vec<&'a str>,
    /// The entries of those that were secrets.
    pub secret: Vec<&'a str>,
    pub key: &'a PrintKey,
}

impl Written<'_> {
    fn is_secret(&self, text: &[u8]) -> bool {
        let print = self.key.print(text);
        self.secret.iter().any(|entry| has_print(entry, &print))
    }
}

/// Finds the line that a part is: one of those that gops wrote or was about to write, else the
/// one that is wanted, else the one whose place that takes.
pub(super) fn find<'a>(
    body: &Body<'a>,
    known: &Written<'_>,
    wanted: Option<&Line<'_>>,
) -> Option<(usize, &'a [u8])> {
    let is = |line: &str| body.position(|text| text == line.as_bytes());
    let mut at = known.lines.iter().filter_map(|line| is(line)).next();
    if at.is_none() && !known.secret.is_empty() {
        at = body.position(|text| known.is_secret(text));
    }
    if at.is_none()
        && let Some(line) = wanted.and_then(|line| line.line.known())
    {
        at = is(line);
    }
    if at.is_none()
        && let Some(matches) = wanted.and_then(|line| line.matches.as_ref())
    {
        at = body.position(|text| matches.is_match(text));
    }
    at.and_then(|at| Some((at, body.texts().nth(at)?)))
}

/// The file with the line.
pub(super) fn put(bytes: &[u8], known: &Written<'_>, line: &Line<'_>) -> Result<Vec<u8>, Fault> {
    let body = Body::of(bytes);
    let wanted = line.line.opened()?.as_bytes();
    Ok(match find(&body, known, Some(line)) {
        Some((_, found)) if found == wanted => bytes.to_vec(),
        // Somebody has written what is wanted already: the old one goes.
        Some((at, _)) if body.position(|text| text == wanted).is_some() => body.splice(at..at + 1, &[]),
        Some((at, _)) => body.splice(at..at + 1, &[wanted]),
        None => {
            let at = body.place(line.below.as_ref());
            body.splice(at..at, &[wanted])
        }
    })
}

/// The file without the line.
pub(super) fn take(bytes: &[u8], known: &Written<'_>) -> Vec<u8> {
    let body = Body::of(bytes);
    match find(&body, known, None) {
        Some((at, _)) => body.splice(at..at + 1, &[]),
        None => bytes.to_vec(),
    }
}
