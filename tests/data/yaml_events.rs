//! The events of the YAML test suite as trees: an independent reading of the core schema.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::tree::Tree;

/// The documents of a list of events.
pub fn documents(events: &str) -> Vec<Tree> {
    let mut reader =
        Reader { lines: events.lines().map(str::trim_start).collect(), next: 0, anchors: BTreeMap::new() };
    let mut documents = Vec::new();
    while let Some(line) = reader.line() {
        if line.starts_with("+DOC") {
            reader.anchors.clear();
            documents.push(reader.node());
        }
    }
    documents
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    next: usize,
    anchors: BTreeMap<&'a str, Tree>,
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> Option<&'a str> {
        self.next += 1;
        self.lines.get(self.next - 1).copied()
    }

    fn node(&mut self) -> Tree {
        let line = self.line().expect("a node");
        let (event, rest) = line.split_at(4);
        let mut rest = rest.trim_start_matches(' ');
        if event == "=ALI" {
            return self.anchors[&rest[1..]].clone();
        }
        for style in ["[]", "{}"] {
            rest = rest.strip_prefix(style).unwrap_or(rest).trim_start_matches(' ');
        }
        let anchor = rest.strip_prefix('&').map(|r| r.split_once(' ').unwrap_or((r, "")));
        rest = anchor.map_or(rest, |(_, rest)| rest);
        let tag = rest.strip_prefix('<').map(|r| r.split_once('>').unwrap());
        rest = tag.map_or(rest, |(_, rest)| rest.trim_start_matches(' '));
        let tree = match event {
            "=VAL" => scalar(rest, tag.map(|(tag, _)| tag)),
            "+SEQ" => {
                let mut items = Vec::new();
                while self.lines[self.next] != "-SEQ" {
                    items.push(self.node());
                }
                self.next += 1;
                Tree::List(items)
            }
            "+MAP" => {
                let mut entries = Vec::new();
                while self.lines[self.next] != "-MAP" {
                    let key = match self.node() {
                        Tree::Str(key) => key,
                        Tree::Int(key) => key.to_string(),
                        key => panic!("gops refuses the key {key:?}"),
                    };
                    entries.push((key, self.node()));
                }
                self.next += 1;
                Tree::map(entries)
            }
            _ => panic!("{line}"),
        };
        if let Some((anchor, _)) = anchor {
            self.anchors.insert(anchor, tree.clone());
        }
        tree
    }
}

fn scalar(text: &str, tag: Option<&str>) -> Tree {
    let (style, text) = text.split_at(1);
    let text = unescape(text);
    match tag {
        Some("!" | "tag:yaml.org,2002:str") => Tree::Str(text),
        Some("tag:yaml.org,2002:null") => Tree::Null,
        Some(_) => resolve(text),
        None if style == ":" => resolve(text),
        None => Tree::Str(text),
    }
}

/// <https://yaml.org/spec/1.2.2/#1032-tag-resolution>, word for word.
fn resolve(text: String) -> Tree {
    static INT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[-+]?[0-9]+$").unwrap());
    static OCT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^0o[0-7]+$").unwrap());
    static HEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^0x[0-9a-fA-F]+$").unwrap());
    static FLOAT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$").unwrap());
    static INF: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[-+]?(\.inf|\.Inf|\.INF)$").unwrap());
    static NAN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(\.nan|\.NaN|\.NAN)$").unwrap());
    match text.as_str() {
        "null" | "Null" | "NULL" | "~" | "" => Tree::Null,
        "true" | "True" | "TRUE" => Tree::Bool(true),
        "false" | "False" | "FALSE" => Tree::Bool(false),
        s if INT.is_match(s) => s.parse().map_or_else(|_| Tree::BigInt(s.to_owned()), Tree::Int),
        s if OCT.is_match(s) => Tree::Int(i64::from_str_radix(&s[2..], 8).unwrap()),
        s if HEX.is_match(s) => Tree::Int(i64::from_str_radix(&s[2..], 16).unwrap()),
        s if FLOAT.is_match(s) => Tree::float(s.parse().unwrap()),
        s if INF.is_match(s) => {
            Tree::float(if s.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY })
        }
        s if NAN.is_match(s) => Tree::float(f64::NAN),
        _ => Tree::Str(text),
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match (c, if c == '\\' { chars.next() } else { None }) {
            (_, None) => c,
            (_, Some('n')) => '\n',
            (_, Some('t')) => '\t',
            (_, Some('r')) => '\r',
            (_, Some('b')) => '\u{8}',
            (_, Some('\\')) => '\\',
            (_, Some(other)) => panic!("\\{other}"),
        });
    }
    out
}
