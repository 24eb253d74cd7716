//! A new entry in a mapping of a file that people wrote.
//!
//! Several places would do: behind the entry that was asked for, at the end, behind any other,
//! at the start. They are tried in this order, and the first is taken after which the file says
//! what it said before, and the new entry beside it. If there is none the change is refused.

use ecow::EcoString;

use crate::base::{Span, TextEdit};

use super::edit::{Format, Refused, Source, Whole};
use super::layout::{Lines, flow_text};
use super::print::{self};
use super::{Document, Node, NodeKind, Parsed, Spans};

/// An entry that a mapping is to get.
#[derive(Clone, PartialEq, Debug)]
pub struct Insertion {
    /// The mapping.
    pub mapping: u32,
    /// The key, which it does not have yet.
    pub key: EcoString,
    /// The value.
    pub value: Document,
    /// The entry behind which it is best put; without it, the last.
    pub after: Option<u32>,
}

/// The replacements that insert an entry and change nothing else, in the order of the file.
pub fn insert(source: Source<'_>, insertion: &Insertion) -> Result<Vec<TextEdit>, Refused> {
    let whole = Whole::read(source)?;
    match whole.chosen()?.1.sops() {
        Some(_) => Err(Refused::Encrypted),
        None => insert_into(&whole, source, insertion),
    }
}

/// The same, where it is known that the entry is none of those that sops sealed in the file.
pub fn insert_unsealed(source: Source<'_>, insertion: &Insertion) -> Result<Vec<TextEdit>, Refused> {
    insert_into(&Whole::read(source)?, source, insertion)
}

fn insert_into(
    whole: &Whole<'_>,
    source: Source<'_>,
    insertion: &Insertion,
) -> Result<Vec<TextEdit>, Refused> {
    let (parsed, document) = whole.chosen()?;
    if !matches!(document.value(insertion.mapping), NodeKind::Mapping(_))
        || document.get(insertion.mapping, &insertion.key).is_some()
    {
        return Err(Refused::NoSuchPlace);
    }
    let entry = Entry::new(source.format, insertion)?;
    let inserter = Inserter { source, parsed, document, lines: Lines::new(source.bytes), entry };
    for place in inserter.places(insertion) {
        let Some(edits) = inserter.edits(insertion.mapping, place) else { continue };
        let wanted = inserter.wanted(insertion, place);
        if whole.becomes(&edits, &wanted) {
            return Ok(edits);
        }
    }
    Err(Refused::NoPlace)
}

/// Where in a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    /// Behind this entry.
    After(u32),
    /// Before the first one, or into an empty mapping.
    Start,
}

/// The parts of the text of an entry.
struct Entry {
    key: String,
    value: String,
}

impl Entry {
    fn new(format: Format, insertion: &Insertion) -> Result<Self, Refused> {
        let key = match format {
            Format::Yaml => print::yaml_string(&insertion.key),
            Format::Json => print::quoted(&insertion.key),
        };
        Ok(Entry { key, value: flow_text(format, &insertion.value)? })
    }

    fn text(&self, colon: &str) -> String {
        format!("{}{colon}{}", self.key, self.value)
    }
}

struct Inserter<'a> {
    source: Source<'a>,
    parsed: &'a Parsed,
    document: &'a Document,
    lines: Lines<'a>,
    entry: Entry,
}

impl Inserter<'_> {
    fn spans(&self) -> &Spans {
        &self.parsed.spans
    }

    /// The entries that are written in the mapping itself, not merged into it.
    fn written(&self, mapping: u32) -> Vec<u32> {
        let whole = self.spans().value(mapping);
        let inside = |span: Span| whole.start <= span.start && span.end <= whole.end;
        let mut last = 0;
        let in_order = |child: &u32| {
            let start = self.spans().key(*child).start;
            let is = inside(self.spans().key(*child)) && start >= last;
            last = last.max(start);
            is
        };
        self.document.children(mapping).filter(in_order).collect()
    }

    fn places(&self, insertion: &Insertion) -> Vec<At> {
        let written = self.written(insertion.mapping);
        let asked = insertion.after.filter(|after| written.contains(after));
        let mut places: Vec<At> = asked.into_iter().map(At::After).collect();
        places.extend(written.iter().rev().map(|&child| At::After(child)));
        places.push(At::Start);
        let mut seen = Vec::with_capacity(places.len());
        places.retain(|place| {
            !seen.contains(place) && {
                seen.push(*place);
                true
            }
        });
        // Each try reads the whole file.
        const MOST_TRIES: usize = 8;
        places.truncate(MOST_TRIES);
        places
    }

    /// The document with the entry.
    fn wanted(&self, insertion: &Insertion, place: At) -> Document {
        let at = match place {
            At::After(child) => self.document.node(child).end,
            At::Start => insertion.mapping + 1,
        };
        let mut value = insertion.value.nodes.clone();
        let more = value.len() as u32;
        value.iter_mut().for_each(|node| node.end += at);
        if let Some(first) = value.first_mut() {
            first.key = Some(insertion.key.clone());
        }
        let mut nodes: Vec<Node> = self.document.nodes.clone();
        for (number, node) in (0..).zip(&mut nodes) {
            // Who ends behind the new entry, and who holds it.
            if node.end > at || (node.end == at && number <= insertion.mapping) {
                node.end += more;
            }
        }
        if let Some(NodeKind::Mapping(count)) =
            nodes.get_mut(insertion.mapping as usize).map(|node| &mut node.value)
        {
            *count += 1;
        }
        let at = (at as usize).min(nodes.len());
        nodes.splice(at..at, value);
        Document { nodes }
    }

    fn edits(&self, mapping: u32, place: At) -> Option<Vec<TextEdit>> {
        let span = self.spans().value(mapping);
        let is_flow = self.source.bytes.get(span.start as usize) == Some(&b'{');
        match (is_flow, place) {
            (true, At::Start) => self.into_flow_start(mapping, span),
            (true, At::After(child)) => self.into_flow(mapping, span, child),
            (false, At::Start) => self.into_block_start(mapping),
            (false, At::After(child)) => self.into_block(mapping, child),
        }
    }

    fn edit(&self, at: usize, text: String) -> TextEdit {
        TextEdit { file: self.source.file, span: Span::at(at), text }
    }

    // Block style.

    /// A line of its own behind an entry and the comments that belong to it.
    fn into_block(&self, mapping: u32, child: u32) -> Option<Vec<TextEdit>> {
        let first = self.document.children(mapping).next()?;
        let column = self.lines.column(self.spans().key(first).start as usize);
        let end = self.spans().value(child).end.max(self.spans().key(child).end) as usize;
        let list = matches!(self.document.value(child), NodeKind::Sequence(_));
        let line = self.lines.after_deeper_comments(end, column, list);
        let text = format!("{}{}", " ".repeat(column), self.entry.text(": "));
        let newline = self.lines.newline();
        Some(vec![match self.lines.starts_line(line) {
            true => self.edit(line, format!("{text}{newline}")),
            // The file ends without a newline, and stays so.
            false => self.edit(line, format!("{newline}{text}")),
        }])
    }

    fn into_block_start(&self, mapping: u32) -> Option<Vec<TextEdit>> {
        let first = self.document.children(mapping).next()?;
        let at = self.spans().key(first).start as usize;
        let indent = " ".repeat(self.lines.column(at));
        let text = format!("{}{}{indent}", self.entry.text(": "), self.lines.newline());
        Some(vec![self.edit(at, text)])
    }

    // Flow style, and JSON.

    fn into_flow_start(&self, mapping: u32, span: Span) -> Option<Vec<TextEdit>> {
        let open = span.start as usize + 1;
        if let Some(first) = self.document.children(mapping).next() {
            let at = self.spans().key(first).start as usize;
            let between = self.lines.text(open, at)?;
            let text = match between.contains('\n') {
                true => {
                    format!("{},{}{}", self.entry.text(": "), self.lines.newline(), self.lines.indent(at))
                }
                false => format!("{}, ", self.entry.text(": ")),
            };
            return Some(vec![self.edit(at, text)]);
        }
        let close = (span.end as usize).checked_sub(1)?;
        let inside = self.lines.text(open, close)?;
        let entry = self.entry.text(": ");
        Some(vec![if inside.contains('\n') {
            let outer = self.lines.indent(close);
            let unit = self.lines.unit();
            self.edit(open, format!("{}{outer}{unit}{entry}", self.lines.newline()))
        } else if inside.is_empty() {
            self.edit(open, entry)
        } else {
            self.edit(open, format!(" {entry}"))
        }])
    }

    fn into_flow(&self, mapping: u32, span: Span, child: u32) -> Option<Vec<TextEdit>> {
        let key = self.spans().key(child);
        let end = self.spans().value(child).end.max(key.end) as usize;
        let colon = self.flow_colon(child);
        let entry = self.entry.text(&colon);
        if !self.lines.is_first_on_line(key.start as usize) {
            return Some(vec![
                self.edit(end, format!(",{}{entry}", self.flow_space(mapping, child, &colon))),
            ]);
        }
        // One entry a line: the new one gets a line too, and comments stay where they are.
        let indent = self.lines.indent(key.start as usize);
        let newline = self.lines.newline();
        let comma = self.lines.comma_after(end, span.end as usize);
        let behind = comma.map_or(end, |comma| comma + 1);
        let line = self.lines.line_end(behind)?;
        if line >= span.end as usize {
            // The bracket closes on the same line.
            return Some(vec![self.edit(end, format!(",{newline}{indent}{entry}"))]);
        }
        Some(match comma {
            Some(_) => {
                let last = self.lines.is_closed_next(behind);
                let comma = if last && self.source.format == Format::Json { "" } else { "," };
                vec![self.edit(line, format!("{newline}{indent}{entry}{comma}"))]
            }
            None => {
                vec![self.edit(end, ",".to_owned()), self.edit(line, format!("{newline}{indent}{entry}"))]
            }
        })
    }

    /// The colon as it stands in a neighbour.
    fn flow_colon(&self, child: u32) -> String {
        let (key, value) = (self.spans().key(child), self.spans().value(child));
        let between = self.lines.text(key.end as usize, value.start as usize).unwrap_or(": ");
        let compact = between == ":" && self.source.format == Format::Json;
        if compact { ":".to_owned() } else { ": ".to_owned() }
    }

    /// What stands behind the commas of a mapping on one line.
    fn flow_space(&self, mapping: u32, child: u32, colon: &str) -> &'static str {
        let written = self.written(mapping);
        let at = written.iter().position(|c| *c == child).unwrap_or(0);
        let pair = match (at.checked_sub(1).and_then(|b| written.get(b)), written.get(at + 1)) {
            (_, Some(next)) => Some((child, *next)),
            (Some(before), None) => Some((*before, child)),
            (None, None) => None,
        };
        let between = pair.and_then(|(a, b)| {
            self.lines.text(self.spans().value(a).end as usize, self.spans().key(b).start as usize)
        });
        match between.and_then(|text| text.split_once(',')) {
            Some((_, "")) => "",
            Some(_) => " ",
            None if colon == ":" => "",
            None => " ",
        }
    }
}
