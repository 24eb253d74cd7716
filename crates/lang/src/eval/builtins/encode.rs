//! Documents as text, and text as other text.

use ecow::EcoString;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table};

use crate::base::FileId;
use crate::base::quantity::{show_duration, show_size};
use crate::data::{Document, Limits, Node, NodeKind, Parsed, parse_json, parse_yaml, print};
use crate::eval::print::text;
use crate::eval::strings::{Visitor, visit, visit_key, write_json};
use crate::eval::value::{Deferred, Reference, Value};
use crate::model::Program;

use super::{Args, Cx, Done, Fault, digest, wrong, wrong_help};

fn utf8(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|_| Fault::Kinds)
}

pub(super) fn to_json(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut bytes = Vec::new();
    if !write_json(&mut bytes, cx.program, args.get(0)) {
        return Err(Fault::Kinds);
    }
    cx.string(utf8(bytes)?)
}

pub(super) fn to_json_pretty(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let width = args.int(1)?;
    if !(0..=16).contains(&width) {
        return wrong(format!("JSON is indented by 0 to 16 spaces, not {width}"));
    }
    let mut bytes = Vec::new();
    if !write_json(&mut bytes, cx.program, args.get(0)) {
        return Err(Fault::Kinds);
    }
    let pretty = laid_out(cx, &utf8(bytes)?, width as usize)?;
    cx.string(pretty)
}

/// Canonical JSON over several lines.
fn laid_out(cx: &mut Cx<'_>, json: &str, width: usize) -> Result<String, Fault> {
    let mut out = String::with_capacity(json.len() * 2);
    let mut level = 0;
    let mut in_string = false;
    let mut chars = json.chars().peekable();
    let line = |cx: &mut Cx<'_>, out: &mut String, level: usize| {
        cx.charge(1, level * width)?;
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', level * width));
        Ok::<(), Fault>(())
    };
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' if in_string => out.extend(chars.next()),
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' | '[' => {
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    level += 1;
                    line(cx, &mut out, level)?;
                }
            }
            '}' | ']' => {
                // It belongs on a line of its own, one level out.
                out.pop();
                level = level.saturating_sub(1);
                line(cx, &mut out, level)?;
                out.push(c);
            }
            ',' => line(cx, &mut out, level)?,
            ':' => out.push(' '),
            _ => {}
        }
    }
    Ok(out)
}

/// What a document holds, as a value of `any`.
fn parsed(cx: &mut Cx<'_>, parsed: Parsed, what: &str) -> Done {
    if let Some(problem) = parsed.diagnostics.into_iter().find(|d| d.is_error()) {
        let help = problem.help.unwrap_or_else(|| problem.message.clone());
        return wrong_help(format!("this is no {what}: {}", problem.message), help);
    }
    match parsed.document {
        Some(document) => {
            cx.charge(document.nodes.len(), document.nodes.len() * size_of::<Value>() * 2)?;
            node(&document, Document::ROOT)
        }
        None => wrong(format!("this is no {what}")),
    }
}

/// The value of a document, or of a part of it, as `any`; what has no value is null.
pub fn any_of_document(document: &Document, at: u32) -> Value {
    match document.value(at) {
        NodeKind::Encrypted(_) | NodeKind::BigInt(_) | NodeKind::Invalid => Value::Null,
        NodeKind::Sequence(_) => {
            Value::List(document.children(at).map(|child| any_of_document(document, child)).collect())
        }
        NodeKind::Mapping(_) => {
            let entries = document.entries(at);
            let mut entries: Vec<_> = entries
                .map(|(key, child)| (Value::Str(key.clone()), any_of_document(document, child)))
                .collect();
            entries.sort_by(|(a, _), (b, _)| match (a, b) {
                (Value::Str(a), Value::Str(b)) => a.as_bytes().cmp(b.as_bytes()),
                _ => std::cmp::Ordering::Equal,
            });
            Value::Map(entries.into())
        }
        _ => node(document, at).unwrap_or_default(),
    }
}

fn node(document: &Document, at: u32) -> Done {
    Ok(match document.value(at) {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(v) => Value::Bool(*v),
        NodeKind::Int(v) => Value::Int(*v),
        NodeKind::Float(v) if v.is_finite() => Value::Float(v + 0.0),
        NodeKind::Float(_) => return wrong("a float is finite, and this text has one that is not"),
        NodeKind::BigInt(v) => return wrong(format!("the int {v} does not fit into 64 bits")),
        NodeKind::Str(v) => Value::Str(v.clone()),
        NodeKind::Encrypted(_) => return wrong("a value in this text is encrypted"),
        NodeKind::Invalid => return Err(Fault::Kinds),
        NodeKind::Sequence(_) => {
            let items: Result<Vec<_>, _> = document.children(at).map(|child| node(document, child)).collect();
            Value::List(items?.into())
        }
        NodeKind::Mapping(_) => {
            let mut entries = Vec::new();
            for (key, child) in document.entries(at) {
                entries.push((Value::Str(key.clone()), node(document, child)?));
            }
            sorted_map(entries)
        }
    })
}

/// A map of text keys, of which none stands twice.
fn sorted_map(mut entries: Vec<(Value, Value)>) -> Value {
    let key = |v: &(Value, Value)| match &v.0 {
        Value::Str(text) => text.clone(),
        _ => EcoString::new(),
    };
    entries.sort_by_cached_key(key);
    Value::Map(entries.into())
}

/// The name that a text has in the places of its diagnostics, which are not shown.
fn nowhere() -> FileId {
    FileId::new("(text)")
}

pub(super) fn from_json(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len() / 4, 0)?;
    let document = parse_json(nowhere(), text.as_bytes(), &Limits::default());
    parsed(cx, document, "JSON")
}

pub(super) fn from_yaml(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len() / 4, 0)?;
    let document = parse_yaml(nowhere(), text.as_bytes(), &Limits::default());
    parsed(cx, document, "YAML")
}

pub(super) fn to_yaml(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = yaml(cx, args.get(0))?;
    cx.string(text)
}

pub(super) fn to_yaml_stream(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut out = String::new();
    for item in args.seq(cx, 0)?.iter() {
        let text = yaml(cx, item)?;
        cx.charge(1, text.len())?;
        out.push_str("---\n");
        out.push_str(&text);
    }
    cx.string(out)
}

fn yaml(cx: &mut Cx<'_>, value: &Value) -> Result<String, Fault> {
    let mut builder =
        Builder { program: cx.program, nodes: Vec::new(), open: Vec::new(), key: None, plain: true };
    visit(cx.program, value, &mut builder);
    if !builder.plain {
        return Err(Fault::Kinds);
    }
    let document = Document { nodes: builder.nodes };
    match print::to_yaml(&document) {
        Ok(text) => Ok(text),
        Err(error) => wrong(error.to_string()),
    }
}

/// Makes a document of a value.
struct Builder<'a> {
    program: &'a Program,
    nodes: Vec<Node>,
    open: Vec<usize>,
    key: Option<EcoString>,
    plain: bool,
}

impl Builder<'_> {
    fn push(&mut self, value: NodeKind) {
        if let Some(open) = self.open.last().and_then(|at| self.nodes.get_mut(*at)) {
            match &mut open.value {
                NodeKind::Sequence(n) | NodeKind::Mapping(n) => *n += 1,
                _ => {}
            }
        }
        let end = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { key: self.key.take(), value, octal: false, padded: false, end });
    }

    fn begin(&mut self, value: NodeKind) {
        self.push(value);
        self.open.push(self.nodes.len() - 1);
    }

    fn end(&mut self) {
        let end = self.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|at| self.nodes.get_mut(at)) {
            node.end = end;
        }
    }
}

impl Visitor for Builder<'_> {
    fn null(&mut self) {
        self.push(NodeKind::Null);
    }
    fn bool(&mut self, value: bool) {
        self.push(NodeKind::Bool(value));
    }
    fn int(&mut self, value: i64) {
        self.push(NodeKind::Int(value));
    }
    fn float(&mut self, value: f64) {
        self.push(NodeKind::Float(value));
    }
    fn str(&mut self, value: &str) {
        self.push(NodeKind::Str(value.into()));
    }
    fn duration(&mut self, value: i64) {
        self.push(NodeKind::Str(show_duration(value).into()));
    }
    fn size(&mut self, value: i64) {
        self.push(NodeKind::Str(show_size(value).into()));
    }
    fn reference(&mut self, reference: &Reference) {
        visit_key(self.program, reference, self);
    }
    fn deferred(&mut self, _: &Deferred) {
        self.plain = false;
    }
    fn wrong(&mut self) {
        self.plain = false;
    }
    fn begin_list(&mut self) {
        self.begin(NodeKind::Sequence(0));
    }
    fn end_list(&mut self) {
        self.end();
    }
    fn begin_map(&mut self) {
        self.begin(NodeKind::Mapping(0));
    }
    fn key(&mut self, key: &str) {
        self.key = Some(key.into());
    }
    fn end_map(&mut self) {
        self.end();
    }
}

/// Any value as `any` has it: with the data names, as maps and lists.
fn any(cx: &Cx<'_>, value: &Value) -> Value {
    crate::eval::convert::to_any(cx.program, value)
}

pub(super) fn to_toml(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let Value::Map(entries) = any(cx, args.get(0)) else {
        return wrong("a TOML document is a mapping");
    };
    let mut document = DocumentMut::new();
    fill(cx, document.as_table_mut(), &entries, 0)?;
    cx.string(document.to_string())
}

/// More levels than any document has that people write.
const TOML_DEPTH: usize = 80;

fn fill(cx: &Cx<'_>, table: &mut Table, entries: &[(Value, Value)], depth: usize) -> Result<(), Fault> {
    if depth > TOML_DEPTH {
        return Err(Fault::Budget);
    }
    table.set_implicit(
        depth > 0 && entries.iter().all(|(_, v)| matches!(v, Value::Map(_))) && !entries.is_empty(),
    );
    for (key, value) in entries {
        let name = key_name(cx, key);
        let item = match value {
            Value::Map(inner) => {
                let mut below = Table::new();
                fill(cx, &mut below, inner, depth + 1)?;
                Item::Table(below)
            }
            Value::List(items) if !items.is_empty() && items.iter().all(|v| matches!(v, Value::Map(_))) => {
                let mut tables = ArrayOfTables::new();
                for item in items.iter() {
                    let Value::Map(inner) = item else { continue };
                    let mut below = Table::new();
                    fill(cx, &mut below, inner, depth + 1)?;
                    below.set_implicit(false);
                    tables.push(below);
                }
                Item::ArrayOfTables(tables)
            }
            value => Item::Value(toml_value(cx, &name, value, depth)?),
        };
        table.insert(&name, item);
    }
    Ok(())
}

fn key_name(cx: &Cx<'_>, key: &Value) -> EcoString {
    crate::eval::strings::key_text(cx.program, key)
}

fn toml_value(cx: &Cx<'_>, name: &str, value: &Value, depth: usize) -> Result<toml_edit::Value, Fault> {
    if depth > TOML_DEPTH {
        return Err(Fault::Budget);
    }
    Ok(match value {
        Value::Bool(v) => (*v).into(),
        Value::Int(v) => (*v).into(),
        Value::Float(v) => (*v).into(),
        Value::Null => {
            let help = "leave the field out: `.compact()` drops the null entries of a map or list";
            return wrong_help(format!("`{name}` is null, and TOML has no null"), help);
        }
        Value::List(items) => {
            let mut array = Array::new();
            for item in items.iter() {
                array.push(toml_value(cx, name, item, depth + 1)?);
            }
            array.into()
        }
        Value::Map(entries) => {
            let mut table = InlineTable::new();
            for (key, value) in entries.iter() {
                let key = key_name(cx, key);
                table.insert(&key, toml_value(cx, &key, value, depth + 1)?);
            }
            table.into()
        }
        other => scalar_text(cx, other)?.into(),
    })
}

/// A scalar as an interpolation has it.
fn scalar_text(cx: &Cx<'_>, value: &Value) -> Result<String, Fault> {
    let mut out = String::new();
    if text(&mut out, cx.program, value) { Ok(out) } else { Err(Fault::Kinds) }
}

pub(super) fn from_toml(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len(), 0)?;
    let document: DocumentMut = match text.parse() {
        Ok(document) => document,
        Err(error) => {
            let error: toml_edit::TomlError = error;
            return wrong(format!("this is no TOML: {}", error.message().trim()));
        }
    };
    cx.charge(text.len(), text.len() * 8)?;
    from_table(document.as_table())
}

fn from_table(table: &Table) -> Done {
    let mut entries = Vec::with_capacity(table.len());
    for (key, item) in table {
        entries.push((Value::Str(key.into()), from_item(item)?));
    }
    Ok(sorted_map(entries))
}

fn from_item(item: &Item) -> Done {
    match item {
        Item::None => Ok(Value::Null),
        Item::Value(value) => from_value(value),
        Item::Table(table) => from_table(table),
        Item::ArrayOfTables(tables) => {
            let items: Result<Vec<_>, _> = tables.iter().map(from_table).collect();
            Ok(Value::List(items?.into()))
        }
    }
}

fn from_value(value: &toml_edit::Value) -> Done {
    Ok(match value {
        toml_edit::Value::String(v) => Value::Str(v.value().into()),
        toml_edit::Value::Integer(v) => Value::Int(*v.value()),
        toml_edit::Value::Float(v) if v.value().is_finite() => Value::Float(v.value() + 0.0),
        toml_edit::Value::Float(_) => return wrong("a float is finite, and this text has one that is not"),
        toml_edit::Value::Boolean(v) => Value::Bool(*v.value()),
        toml_edit::Value::Datetime(v) => Value::Str(v.value().to_string().into()),
        toml_edit::Value::Array(array) => {
            let items: Result<Vec<_>, _> = array.iter().map(from_value).collect();
            Value::List(items?.into())
        }
        toml_edit::Value::InlineTable(table) => {
            let mut entries = Vec::with_capacity(table.len());
            for (key, value) in table {
                entries.push((Value::Str(key.into()), from_value(value)?));
            }
            sorted_map(entries)
        }
    })
}

pub(super) fn to_ini(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let Value::Map(entries) = any(cx, args.get(0)) else {
        return wrong("an INI file is a mapping");
    };
    let mut out = String::new();
    for (key, value) in entries.iter().filter(|(_, v)| !matches!(v, Value::Map(_))) {
        ini_entry(cx, &mut out, &key_name(cx, key), value)?;
    }
    for (key, value) in entries.iter() {
        let Value::Map(section) = value else { continue };
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("[{}]\n", one_line(&key_name(cx, key))?));
        for (key, value) in section.iter() {
            ini_entry(cx, &mut out, &key_name(cx, key), value)?;
        }
    }
    cx.string(out)
}

fn ini_entry(cx: &Cx<'_>, out: &mut String, key: &str, value: &Value) -> Result<(), Fault> {
    match value {
        Value::List(items) => items.iter().try_for_each(|item| ini_entry(cx, out, key, item)),
        Value::Map(_) => {
            wrong(format!("`{key}` is a mapping in a section, and an INI file has but one level of them"))
        }
        Value::Null => wrong_help(
            format!("`{key}` is null, and an INI file has no null"),
            "leave the field out: `.compact()` drops the null entries of a map or list",
        ),
        value => {
            out.push_str(&format!("{} = {}\n", one_line(key)?, one_line(&scalar_text(cx, value)?)?));
            Ok(())
        }
    }
}

fn one_line(text: &str) -> Result<&str, Fault> {
    if text.contains(['\n', '\r']) {
        return wrong_help(format!("{text:?} has a line break"), "an entry of an INI file is one line");
    }
    Ok(text)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base 64 with padding (RFC 4648, section 4).
pub(super) fn base64(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let mut out = String::with_capacity(text.len().div_ceil(3) * 4);
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = word >> (18 - 6 * at) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            out.push(if at as usize <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    cx.string(out)
}

/// The bytes of base 64, with its padding and nothing else.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut bits) = (0u32, 0);
    for byte in digits.bytes() {
        word = word << 6 | ALPHABET.iter().position(|a| *a == byte)? as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits & 0xff) as u8);
        }
    }
    // What is left over is zero, or two texts would mean the same.
    let clean = word & ((1 << bits) - 1) == 0;
    (clean && padding == (4 - digits.len() % 4) % 4 && padding < 3).then_some(out)
}

pub(super) fn is_base64(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len(), 0)?;
    Ok(Value::Bool(decode_base64(text).is_some()))
}

pub(super) fn from_base64(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len(), 0)?;
    decoded(cx, decode_base64(text), "base 64")
}

fn decoded(cx: &mut Cx<'_>, bytes: Option<Vec<u8>>, what: &str) -> Done {
    match bytes.map(String::from_utf8) {
        Some(Ok(text)) => cx.string(text),
        Some(Err(_)) => wrong(format!("the bytes of this {what} are not UTF-8 text")),
        None => wrong(format!("this is no {what}")),
    }
}

pub(super) fn hex(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.string(digest::hex(text.as_bytes()))
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

pub(super) fn from_hex(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let pair = |pair: &[u8]| match pair {
        [a, b] => Some(nibble(*a)? << 4 | nibble(*b)?),
        _ => None,
    };
    let bytes = text.as_bytes().chunks(2).map(pair).collect();
    decoded(cx, bytes, "text in hexadecimal digits")
}

pub(super) fn url_encoded(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut out = String::new();
    for byte in args.str(0)?.bytes() {
        // The unreserved characters of RFC 3986, section 2.3.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    cx.string(out)
}

pub(super) fn url_decoded(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut bytes = Some(Vec::new());
    let mut rest = args.str(0)?.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => match (rest.next().and_then(nibble), rest.next().and_then(nibble)) {
                (Some(a), Some(b)) => Some(a << 4 | b),
                _ => None,
            },
            byte => Some(byte),
        };
        match (bytes.as_mut(), byte) {
            (Some(bytes), Some(byte)) => bytes.push(byte),
            _ => bytes = None,
        }
    }
    decoded(cx, bytes, "text with `%` escapes")
}

pub(super) fn kind(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Str(crate::eval::convert::kind(args.get(0))))
}
