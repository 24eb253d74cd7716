//! The lines that a merge leaves in a file where it could not tell which side is right.

use crate::base::{FileId, Span};

use super::{Diagnostic, Place, codes};

/// Where the marks of an unfinished merge stand in a text.
#[derive(Debug)]
pub struct Conflict {
    first: Span,
    /// How many there are.
    count: usize,
    /// What is neither of our side nor outside of a conflict: whole lines, without their ends.
    theirs: Vec<Span>,
}

/// Looks for lines `<<<<<<< …`, `=======` and `>>>>>>> …`, in this order.
pub fn find(text: &str) -> Option<Conflict> {
    let mut found: Option<Conflict> = None;
    let mut side = Side::None;
    let mut start = 0;
    let mut open = Vec::new();
    for line in text.split_inclusive('\n') {
        let span = Span::new(start, start + line.trim_end_matches(['\n', '\r']).len());
        start += line.len();
        let mark = Mark::of(text.get(span.range()).unwrap_or_default());
        side = match (side, mark) {
            (Side::None, Some(Mark::Ours)) => {
                open = vec![span];
                Side::Ours
            }
            (Side::Ours, Some(Mark::Base)) | (Side::Ours, Some(Mark::Theirs)) => {
                open.push(span);
                Side::Other
            }
            (Side::Other, Some(Mark::End)) => {
                open.push(span);
                let first = open.first().copied().unwrap_or(span);
                let all = found.get_or_insert(Conflict { first, count: 0, theirs: Vec::new() });
                all.count += 1;
                all.theirs.append(&mut open);
                Side::None
            }
            (Side::Other, _) => {
                open.push(span);
                Side::Other
            }
            (side, _) => side,
        };
    }
    found
}

impl Conflict {
    /// The text with our side of each conflict; what is taken out is white space, so that all
    /// else stands where it stood.
    pub fn ours(&self, text: &str) -> String {
        let mut ours = text.as_bytes().to_vec();
        for span in &self.theirs {
            if let Some(bytes) = ours.get_mut(span.range()) {
                bytes.fill(b' ');
            }
        }
        // Whole lines were replaced, so what is left is text.
        String::from_utf8(ours).unwrap_or_default()
    }

    /// What is wrong with a file that has such marks.
    pub fn diagnostic(&self, file: FileId) -> Diagnostic {
        let message = match self.count {
            1 => "a merge conflict stands in this file".to_owned(),
            count => format!("{count} merge conflicts stand in this file"),
        };
        Diagnostic::new(codes::syntax::MERGE_CONFLICT, Place::span(file, self.first), message)
            .at(if self.count == 1 { "it begins here" } else { "the first begins here" })
            .help("keep one side or join the two, and take out the lines `<<<<<<<`, `=======` and `>>>>>>>`")
    }
}

#[derive(Clone, Copy)]
enum Side {
    None,
    Ours,
    Other,
}

#[derive(Clone, Copy)]
enum Mark {
    Ours,
    Base,
    Theirs,
    End,
}

impl Mark {
    fn of(line: &str) -> Option<Mark> {
        let named = |rest: &str| rest.is_empty() || rest.starts_with(' ');
        let mark = |sign: &str| line.strip_prefix(sign).is_some_and(named);
        match line.as_bytes().first()? {
            b'<' if mark("<<<<<<<") => Some(Mark::Ours),
            b'|' if mark("|||||||") => Some(Mark::Base),
            b'=' if mark("=======") => Some(Mark::Theirs),
            b'>' if mark(">>>>>>>") => Some(Mark::End),
            _ => None,
        }
    }
}
