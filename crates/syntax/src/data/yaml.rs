//! YAML 1.2, and the merge key of 1.1.
//!
//! granit-parser reads the syntax, and is named nowhere but here and in
//! `errors`. What its events mean, which scalars are strings, which
//! keys a mapping may have, what an alias costs, is decided here.

mod errors;
mod gap;
mod opener;
mod slip;

use std::borrow::Cow;

use ecow::EcoString;
use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle, Tag};

use crate::base::{FileId, Span};
use crate::diag::codes::data as codes;
use crate::diag::{Diagnostic, Place, did_you_mean};

use gap::Gap;

use super::builder::{Builder, Stop};
use super::scalar::{self, OutOfRange};
use super::text::{self, Text, quote};
use super::{Document, Limits, NodeKind, Parsed, Spans};

/// Parses a file of one YAML document. A second one is an error.
pub fn parse_yaml(file: FileId, bytes: &[u8], limits: &Limits) -> Parsed {
    let text = match text::decode(file, bytes, limits) {
        Ok(text) => text,
        Err(error) => return Parsed::failed(error),
    };
    let mut reader = Reader::new(file, text, *limits);
    let Some(parsed) = reader.document() else { return nothing(text) };
    let mut parsed = parsed.or_conflict(file, text.text);
    if let Some(second) = reader.next_start() {
        let error = Diagnostic::new(codes::SEVERAL_DOCUMENTS, Place::span(file, second), "a second document starts here")
            .help("a file holds one instance: move the second document to a file of its own, or declare the slice with `each`");
        parsed.diagnostics.push(error);
    }
    parsed
}

/// Parses a YAML file of any number of documents, for slices that are declared `each`. What is
/// wrong with one leaves the others readable. The limits hold for the file as a whole.
pub fn parse_yaml_documents(file: FileId, bytes: &[u8], limits: &Limits) -> Vec<Parsed> {
    let text = match text::decode(file, bytes, limits) {
        Ok(text) => text,
        Err(error) => return vec![Parsed::failed(error)],
    };
    let mut reader = Reader::new(file, text, *limits);
    std::iter::from_fn(|| reader.document()).map(|parsed| parsed.or_conflict(file, text.text)).collect()
}

/// The document of a text without one.
fn nothing(text: Text<'_>) -> Parsed {
    let at = Span::at(text.base + text.text.len());
    Parsed {
        document: Some(Document::scalar(NodeKind::Null)),
        spans: Spans { values: vec![at], keys: vec![at] },
        diagnostics: Vec::new(),
        empty: true,
    }
}

struct Reader<'a> {
    file: FileId,
    text: Text<'a>,
    limits: Limits,
    parser: Parser<'a, StrInput<'a>>,
    /// The start of a document that has been read already.
    started: Option<Start>,
    /// Where in the text the last document ended.
    after: usize,
    ended: bool,
}

/// Where a document starts, and which version it says it is written in.
struct Start {
    span: Span,
    /// Where in the text its content can start.
    end: usize,
    version: Option<(u32, u32)>,
}

impl<'a> Reader<'a> {
    fn new(file: FileId, text: Text<'a>, limits: Limits) -> Self {
        let mut options = granit_parser::options! {
            strict_indentation: true,
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            flow_nesting_limit: limits.depth.saturating_add(1),
            block_nesting_limit: limits.depth.saturating_add(1),
        };
        options.set_emit_comments(false);
        let parser = Parser::new_from_str_with_options(text.text, options);
        Reader { file, text, limits, parser, started: None, after: 0, ended: false }
    }

    /// The next document, or nothing at the end.
    fn document(&mut self) -> Option<Parsed> {
        let mut builder = Builder::new(self.file, self.limits, self.text.text.len());
        let start = match self.started.take().map_or_else(|| self.start(), |start| Ok(Some(start))) {
            Ok(start) => start?,
            Err(stop) => return Some(self.give_up(builder, stop)),
        };
        if let Some((major, minor)) = start.version
            && (major, minor) < (1, 2)
        {
            let message =
                format!("the document says that it is YAML {major}.{minor}, and gops reads YAML 1.2");
            let error = builder.error(codes::YAML_VERSION, start.span, message);
            builder.diagnostics.push(error.help(
                "remove the `%YAML` line; mind that `yes`, `no`, `0777` and dates are read differently by 1.2",
            ));
        }
        let mut tree = Tree {
            text: self.text.text,
            base: self.text.base,
            last: start.end,
            builder,
            frames: Vec::with_capacity(8),
            skipping: 0,
            names: Vec::new(),
            empty: false,
        };
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::DocumentEnd, span))) => {
                    self.after = place(&span, 0).end as usize;
                    break;
                }
                Some(Ok((event, span))) => {
                    if let Err(stop) = tree.event(event, &span) {
                        return Some(self.give_up(tree.builder, stop));
                    }
                }
                Some(Err(error)) => {
                    let error = errors::diagnostic(self.file, self.text, &error, self.limits.depth);
                    return Some(self.give_up(tree.builder, Box::new(error)));
                }
                None => {
                    self.ended = true;
                    break;
                }
            }
        }
        self.limits.nodes = self.limits.nodes.saturating_sub(tree.builder.nodes.len());
        self.limits.alias_nodes = self.limits.alias_nodes.saturating_sub(tree.builder.alias_nodes);
        let empty = tree.empty;
        Some(Parsed { empty, ..tree.builder.finish() })
    }

    /// Where the next document starts, if there is one. It is read next.
    fn next_start(&mut self) -> Option<Span> {
        match self.start() {
            Ok(start) => self.started = start,
            // It does not even start well; that it is there is what matters.
            Err(stop) => {
                return stop.labels.first().map(|label| match label.place {
                    Place::Span(at) => at.span,
                    _ => Span::default(),
                });
            }
        }
        self.started.as_ref().map(|start| start.span)
    }

    fn start(&mut self) -> Result<Option<Start>, Stop> {
        if self.ended {
            return Ok(None);
        }
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::DocumentStart(explicit, version), span))) => {
                    let version = version.map(|v| (v.major, v.minor));
                    let span = place(&span, self.text.base);
                    let end = if explicit { span.end as usize - self.text.base } else { self.after };
                    return Ok(Some(Start { span, end, version }));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    return Err(Box::new(errors::diagnostic(
                        self.file,
                        self.text,
                        &error,
                        self.limits.depth,
                    )));
                }
                None => {
                    self.ended = true;
                    return Ok(None);
                }
            }
        }
    }

    /// Ends a document early, and goes to the next one.
    fn give_up(&mut self, builder: Builder, stop: Stop) -> Parsed {
        self.limits.nodes = self.limits.nodes.saturating_sub(builder.nodes.len());
        self.limits.alias_nodes = self.limits.alias_nodes.saturating_sub(builder.alias_nodes);
        self.ended = !matches!(self.parser.proceed_next_document(), Ok(true));
        builder.stopped(*stop)
    }
}

/// The bytes of the file that a span of the parser covers.
pub(super) fn place(span: &granit_parser::Span, base: usize) -> Span {
    let range = span.byte_range().unwrap_or_default();
    Span::new(base + range.start, base + range.end.max(range.start))
}

/// Makes a tree of the events of one document.
struct Tree<'a> {
    text: &'a str,
    base: usize,
    /// Where in the text the last key, scalar or bracket ended.
    last: usize,
    builder: Builder,
    frames: Vec<Frame>,
    /// How many containers are open in a key that is none and is passed over.
    skipping: u32,
    /// The names of the anchors, for suggestions.
    names: Vec<Cow<'a, str>>,
    empty: bool,
}

#[derive(Clone, Copy)]
struct Frame {
    mapping: bool,
    flow: bool,
    /// Whether the next node of a mapping is a key.
    wants_key: bool,
}

impl<'a> Tree<'a> {
    fn event(&mut self, event: Event<'a>, span: &granit_parser::Span) -> Result<(), Stop> {
        let at = place(span, self.base);
        let end = at.end as usize - self.base;
        if self.skipping > 0 {
            self.last = self.last.max(end);
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => self.skipping += 1,
                Event::SequenceEnd | Event::MappingEnd => self.skipping -= 1,
                _ => {}
            }
            return Ok(());
        }
        let is_key = self.frames.last_mut().is_some_and(|frame| {
            let wanted = frame.wants_key;
            if event.is_node() || matches!(event, Event::UnresolvedAlias(_)) {
                frame.wants_key = frame.mapping && !wanted;
            }
            wanted
        });
        let block = matches!(
            event,
            Event::SequenceStart(StructureStyle::Block, ..) | Event::MappingStart(StructureStyle::Block, ..)
        );
        let ends_block = matches!(event, Event::SequenceEnd | Event::MappingEnd)
            && self.frames.last().is_some_and(|frame| !frame.flow);
        match event {
            Event::Scalar(text, style, anchor, tag) if is_key => {
                let tag = tag.map(|tag| Tagged { tag, span: tag_place(span, self.base, at) });
                self.key(&text, style, anchor, tag.as_ref(), at);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| Tagged { tag, span: tag_place(span, self.base, at) });
                let at = self.scalar_place(style, at);
                self.empty |= self.frames.is_empty() && at.is_empty() && anchor == 0 && tag.is_none();
                let value = self.value(&text, style, tag.as_ref(), at);
                let node = self.builder.scalar(value, at)?;
                if text.starts_with("0o") {
                    self.builder.octal(node);
                } else if scalar::is_octal_elsewhere(&text) {
                    self.builder.padded(node);
                }
                self.define(anchor, node);
                self.last = self.last.max(at.end as usize - self.base);
                return Ok(());
            }
            Event::Alias(id) if is_key => self.alias_key(id, at),
            Event::Alias(id) => self.builder.alias(id, at)?,
            Event::UnresolvedAlias(name) => {
                self.unknown_alias(&name, at);
                if is_key {
                    self.refuse_entry(at);
                } else {
                    self.builder.scalar(NodeKind::Invalid, at)?;
                }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if is_key => {
                let error = self.builder.error(
                    codes::KEY_NOT_STRING,
                    at,
                    "a key is a string, not a list or a mapping",
                );
                self.report(error.help("write a string as the key, in quotes if it holds `[`, `{` or `? `"));
                self.refuse_entry(at);
                self.skipping = 1;
            }
            Event::SequenceStart(style, anchor, tag) => {
                let at = self.sequence_place(style, at);
                self.container(NodeKind::Sequence(0), style, tag, span, at)?;
                self.define(anchor, self.builder.next() - 1);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.container(NodeKind::Mapping(0), style, tag, span, at)?;
                self.define(anchor, self.builder.next() - 1);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let flow = self.frames.pop().is_some_and(|frame| frame.flow);
                self.builder.close(flow.then_some(at.end as usize))?;
            }
            Event::Anchor(_, name) => {
                self.names.push(name);
                return Ok(());
            }
            _ => {}
        }
        if block {
            self.last = self.last.max(self.builder.start_of_last() - self.base);
        } else if !ends_block {
            self.last = self.last.max(end);
        }
        Ok(())
    }

    /// The place of a scalar: of a block with its header and without the line breaks that end
    /// it, of an omitted value right behind what it belongs to.
    fn scalar_place(&self, style: ScalarStyle, at: Span) -> Span {
        let gap = Gap::new(self.text, self.last);
        let (start, end) = (at.start as usize - self.base, at.end as usize - self.base);
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let content = self.text.get(start..end).unwrap_or_default();
                let trimmed = start + content.trim_end_matches(['\n', '\r', ' ']).len();
                let header = gap.find(b"|>").unwrap_or(start..start);
                let end = if trimmed == start { header.end } else { trimmed };
                Span::new(self.base + header.start, self.base + end.max(header.start))
            }
            ScalarStyle::Plain if at.is_empty() => {
                let indicator = self.frames.last().map(|frame| if frame.mapping { b':' } else { b'-' });
                Span::at(self.base + gap.value_start(indicator))
            }
            _ => at,
        }
    }

    /// The place of a list, from its first dash on.
    fn sequence_place(&self, style: StructureStyle, at: Span) -> Span {
        let start = at.start as usize - self.base;
        if style == StructureStyle::Flow || self.text.as_bytes().get(start) == Some(&b'-') {
            return at;
        }
        let dash = Gap::new(self.text, self.last).find(b"-").filter(|dash| dash.start < start);
        dash.map_or(at, |dash| Span { start: (self.base + dash.start) as u32, end: at.end })
    }

    fn report(&mut self, error: Diagnostic) {
        self.builder.diagnostics.push(error);
    }

    fn define(&mut self, anchor: usize, node: u32) {
        if anchor != 0 {
            self.builder.anchors.define(anchor, node);
        }
    }

    fn container(
        &mut self,
        kind: NodeKind,
        style: StructureStyle,
        tag: Option<Cow<'a, Tag>>,
        span: &granit_parser::Span,
        at: Span,
    ) -> Result<(), Stop> {
        let mapping = matches!(kind, NodeKind::Mapping(_));
        if let Some(tag) = tag {
            let tagged = Tagged { tag, span: tag_place(span, self.base, at) };
            match (tagged.kind(), mapping) {
                (Kind::None, _) | (Kind::Core("map"), true) | (Kind::Core("seq"), false) => {}
                (Kind::Unknown, _) => self.unknown_tag(&tagged),
                (Kind::Core(_), _) => self.tag_mismatch(&tagged, kind.describe()),
            }
        }
        self.builder.open(kind, at)?;
        self.frames.push(Frame { mapping, flow: style == StructureStyle::Flow, wants_key: mapping });
        Ok(())
    }

    fn value(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tagged<'_>>, at: Span) -> NodeKind {
        let found = match tag {
            None if style == ScalarStyle::Plain => scalar::resolve(text),
            None => Ok(scalar::string(text)),
            Some(tag) => match tag.scalar(text) {
                Ok(Some(value)) => Ok(value),
                Ok(None) => {
                    match tag.kind() {
                        Kind::Unknown => self.unknown_tag(tag),
                        _ => self.tag_mismatch(tag, &quote(text)),
                    }
                    Ok(NodeKind::Invalid)
                }
                Err(OutOfRange) => Err(OutOfRange),
            },
        };
        found.unwrap_or_else(|OutOfRange| {
            let error = self.builder.out_of_range(text, at);
            self.report(error);
            NodeKind::Invalid
        })
    }

    /// Reads the key of the next entry.
    fn key(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tagged<'_>>, at: Span) {
        let plain = style == ScalarStyle::Plain && tag.is_none();
        if plain && text == "<<" {
            self.builder.merge_next();
            self.builder.key(text.into(), at);
            return;
        }
        let key = if plain && !may_be_other_than_string(text) {
            EcoString::from(text)
        } else {
            let value = self.value(text, style, tag, at);
            match self.key_of(&value, text, at) {
                Some(key) => key,
                None => return self.refuse_entry(at),
            }
        };
        if anchor != 0 {
            self.builder.anchors.define_key(anchor, key.clone(), at);
        }
        self.builder.key(key, at);
    }

    /// The key that a scalar makes. An integer is its text, if that is the only way to write it:
    /// `010` and `0x8` could as well be meant as text.
    fn key_of(&mut self, value: &NodeKind, text: &str, at: Span) -> Option<EcoString> {
        let (message, help) = match value {
            NodeKind::Str(key) => return Some(key.clone()),
            NodeKind::Int(_) | NodeKind::BigInt(_) if scalar::is_canonical_integer(text) => {
                return Some(text.into());
            }
            NodeKind::Int(value) => (
                format!("the key {} could be the number {value} or a text", quote(text)),
                format!("write `{value}`, or `\"{text}\"` if it is a text"),
            ),
            NodeKind::Invalid => return None,
            NodeKind::Null if text.is_empty() || at.is_empty() => {
                ("a key is missing here".to_owned(), "write a key before the `:`".to_owned())
            }
            other => (format!("a key is a string, not {}", other.describe()), format!("write `\"{text}\"`")),
        };
        let error = self.builder.error(codes::KEY_NOT_STRING, at, message);
        self.report(error.help(help));
        None
    }

    fn alias_key(&mut self, id: usize, at: Span) {
        let value = self.builder.alias_scalar(id).cloned();
        let key = match value {
            Some(NodeKind::Int(value)) => Some(ecow::eco_format!("{value}")),
            Some(value) => self.key_of(&value, "", at),
            None => None,
        };
        match key {
            Some(key) => self.builder.key(key, at),
            None => self.refuse_entry(at),
        }
    }

    /// Lets the entry whose key has just been read go once its mapping ends.
    fn refuse_entry(&mut self, at: Span) {
        self.builder.refuse_next();
        self.builder.key(EcoString::new(), at);
    }

    fn unknown_alias(&mut self, name: &str, at: Span) {
        let message = format!("no anchor `&{name}` stands before this alias");
        let error = self.builder.error(codes::UNKNOWN_ALIAS, at, message);
        let names = self.names.iter().map(|name| name.as_ref());
        let help = did_you_mean(name, names).unwrap_or_else(|| {
            format!("write `&{name}` before the value that is meant, or put quotes around a text that starts with `*`")
        });
        self.report(error.help(help));
    }

    fn unknown_tag(&mut self, tag: &Tagged<'_>) {
        let message = format!("the tag {} means nothing to gops", quote(&tag.tag.original()));
        let error = self.builder.error(codes::UNKNOWN_TAG, tag.span, message);
        self.report(error.help("remove it; the tags of the core schema are `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`"));
    }

    fn tag_mismatch(&mut self, tag: &Tagged<'_>, found: &str) {
        let message = format!("the tag {} does not fit {found}", quote(&tag.tag.original()));
        let error = self.builder.error(codes::TAG_MISMATCH, tag.span, message);
        self.report(error.help("remove the tag, or write a value of that kind"));
    }
}

/// Whether the core schema may read a plain scalar as something else than a string.
fn may_be_other_than_string(text: &str) -> bool {
    !matches!(text.as_bytes().first(), Some(b) if !matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F'))
}

struct Tagged<'a> {
    tag: Cow<'a, Tag>,
    span: Span,
}

enum Kind<'a> {
    /// `!`: a string, sequence or mapping as written.
    None,
    /// The name of a tag of the core schema.
    Core(&'a str),
    Unknown,
}

impl Tagged<'_> {
    fn kind(&self) -> Kind<'_> {
        match self.tag.core_suffix() {
            Some(name) => Kind::Core(name),
            None if self.tag.original() == "!" => Kind::None,
            None => Kind::Unknown,
        }
    }

    /// The scalar that a text with this tag is, if it can be one.
    fn scalar(&self, text: &str) -> Result<Option<NodeKind>, OutOfRange> {
        Ok(match self.kind() {
            Kind::None | Kind::Core("str") => Some(scalar::string(text)),
            Kind::Core("null") => scalar::null(text),
            Kind::Core("bool") => scalar::bool(text),
            Kind::Core("int") => {
                scalar::number(text)?.filter(|value| matches!(value, NodeKind::Int(_) | NodeKind::BigInt(_)))
            }
            Kind::Core("float") => match scalar::number(text)? {
                Some(NodeKind::Int(value)) => Some(NodeKind::Float(value as f64)),
                Some(NodeKind::BigInt(digits)) => digits.parse().ok().map(NodeKind::Float),
                value => value,
            },
            Kind::Core(_) | Kind::Unknown => None,
        })
    }
}

fn tag_place(span: &granit_parser::Span, base: usize, otherwise: Span) -> Span {
    span.tag_span().map_or(otherwise, |tag| place(&tag, base))
}
