//! How a text is laid out: lines, indentation, comments, the spelling of values on one line.

use super::edit::Format;
use super::print::{self, PrintError};
use super::{Document, NodeKind};

/// The lines of a text.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
}

impl<'a> Lines<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Lines { bytes }
    }

    /// The text between two places.
    pub fn text(&self, start: usize, end: usize) -> Option<&'a str> {
        std::str::from_utf8(self.bytes.get(start..end)?).ok()
    }

    /// Where the line of a place starts.
    pub fn line_start(&self, at: usize) -> usize {
        let before = self.bytes.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
        // The mark at the start of a file is no indentation.
        if start == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") { 3.min(at) } else { start }
    }

    /// Where the line of a place ends: its line break, or the end of the file.
    pub fn line_end(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        Some(rest.iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(self.bytes.len(), |n| at + n))
    }

    /// Where the next line starts; the end of the file if there is none.
    fn next_line(&self, at: usize) -> usize {
        let Some(end) = self.line_end(at) else { return self.bytes.len() };
        match self.bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => end + 2,
            Some([_, ..]) => end + 1,
            _ => end,
        }
    }

    /// Whether a line starts at a place.
    pub fn starts_line(&self, at: usize) -> bool {
        at > 0 && matches!(self.bytes.get(at - 1), Some(b'\n' | b'\r'))
    }

    /// How many characters stand before a place on its line.
    pub fn column(&self, at: usize) -> usize {
        self.text(self.line_start(at), at).map_or(0, |text| text.chars().count())
    }

    /// The white space that the line of a place starts with.
    pub fn indent(&self, at: usize) -> &'a str {
        let start = self.line_start(at);
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.text(start, start + length).unwrap_or_default()
    }

    /// Whether nothing but white space stands before a place on its line.
    pub fn is_first_on_line(&self, at: usize) -> bool {
        let start = self.line_start(at);
        start > 0 && start + self.indent(at).len() == at
    }

    /// The line break of the text: that of its first line.
    pub fn newline(&self) -> &'static str {
        match self.bytes.iter().position(|b| *b == b'\n') {
            Some(at) if at > 0 && self.bytes.get(at - 1) == Some(&b'\r') => "\r\n",
            _ => "\n",
        }
    }

    /// By what the text is indented: the first white space that a line starts with.
    pub fn unit(&self) -> &'a str {
        let mut at = 0;
        while at < self.bytes.len() {
            let indent = self.indent(at);
            if !indent.is_empty() {
                return indent;
            }
            let next = self.next_line(at);
            if next <= at {
                break;
            }
            at = next;
        }
        "  "
    }

    /// The start of the line behind what ends at a place, and behind comments below it that are
    /// indented deeper than `column`: they belong to it. Behind a list that starts at the column
    /// of its key itself, so do items that were made comments. The end of the file if no line
    /// follows.
    pub fn after_deeper_comments(&self, end: usize, column: usize, list: bool) -> usize {
        let mut found = self.next_line(end);
        let mut at = found;
        while at < self.bytes.len() {
            let indent = self.indent(at).len();
            match self.bytes.get(at + indent) {
                Some(b'#') if indent > column || (list && indent == column && self.is_item(at + indent)) => {
                    at = self.next_line(at);
                    found = at;
                }
                // Blank lines between two comments do not part them.
                Some(b'\n' | b'\r') => {
                    let next = self.next_line(at);
                    if next <= at {
                        break;
                    }
                    at = next;
                }
                _ => break,
            }
        }
        found
    }

    /// Whether a comment is an item of a list that was made one.
    fn is_item(&self, comment: usize) -> bool {
        let rest = self.bytes.get(comment..).unwrap_or_default();
        rest.starts_with(b"# - ") || rest.starts_with(b"#- ")
    }

    /// The comma that follows a place, before `limit`, with white space and comments between.
    pub fn comma_after(&self, end: usize, limit: usize) -> Option<usize> {
        let mut at = end;
        while at < limit {
            match self.bytes.get(at)? {
                b',' => return Some(at),
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                b'#' => at = self.line_end(at)?,
                _ => return None,
            }
        }
        None
    }

    /// Whether a closing bracket is the next thing, behind white space and comments.
    pub fn is_closed_next(&self, from: usize) -> bool {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                b'#' => at = self.line_end(at).unwrap_or(self.bytes.len()),
                byte => return matches!(byte, b'}' | b']'),
            }
        }
        false
    }
}

/// A document on one line, as it stands within another one.
pub fn flow_text(format: Format, document: &Document) -> Result<String, PrintError> {
    let mut out = String::new();
    write(&mut out, format, document, Document::ROOT)?;
    Ok(out)
}

fn write(out: &mut String, format: Format, document: &Document, node: u32) -> Result<(), PrintError> {
    let (open, close) = match document.value(node) {
        NodeKind::Sequence(_) => ('[', ']'),
        NodeKind::Mapping(_) => ('{', '}'),
        value => {
            out.push_str(&match format {
                Format::Yaml => print::yaml_scalar(value)?,
                Format::Json => print::json_scalar(value)?,
            });
            return Ok(());
        }
    };
    out.push(open);
    for (at, child) in document.children(node).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if let Some(key) = document.key(child) {
            out.push_str(&match format {
                Format::Yaml => print::yaml_string(key),
                Format::Json => print::quoted(key),
            });
            out.push_str(": ");
        }
        write(out, format, document, child)?;
    }
    out.push(close);
    Ok(())
}
