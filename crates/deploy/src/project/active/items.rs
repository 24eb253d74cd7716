//! One of several instances in a file: its text alone, and the file of several again.

use std::fmt::Write as _;

use ecow::EcoString;

use crate::data::print::{json_scalar, quoted, yaml_scalar};
use crate::data::{Document, NodeKind};

/// Nothing is nested deeper: the parsers refuse it.
const DEEPEST: u32 = 200;

/// The item of a list at a node, in flow style: one line for each of its fields, so that a
/// reviewer sees which one changed. None of what was refused when it was read.
pub(super) fn text(document: &Document, node: u32, json: bool) -> Option<EcoString> {
    let mut writer = Writer { document, json, out: String::new() };
    writer.value(node, 0)?;
    Some(writer.out.into())
}

struct Writer<'a> {
    document: &'a Document,
    json: bool,
    out: String,
}

impl Writer<'_> {
    fn value(&mut self, node: u32, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        let value = self.document.value(node);
        let (open, close) = match value {
            NodeKind::Mapping(_) => ('{', '}'),
            NodeKind::Sequence(_) => ('[', ']'),
            NodeKind::Int(bits) if self.document.node(node).octal && *bits >= 0 => {
                let _ = write!(self.out, "0o{bits:o}");
                return Some(());
            }
            NodeKind::Float(_) if !self.json => {
                self.out.push_str(&yaml_scalar(value).ok()?);
                return Some(());
            }
            NodeKind::BigInt(text) => {
                self.out.push_str(text);
                return Some(());
            }
            scalar => {
                self.out.push_str(&json_scalar(scalar).ok()?);
                return Some(());
            }
        };
        self.out.push(open);
        for (number, child) in self.document.children(node).enumerate() {
            if number > 0 {
                self.out.push_str(if depth == 0 { ",\n " } else { ", " });
            }
            if let Some(key) = self.document.key(child) {
                self.out.push_str(&quoted(key));
                self.out.push_str(": ");
            }
            self.value(child, depth + 1)?;
        }
        self.out.push(close);
        Some(())
    }
}

/// A file of these items, each with its line: they start there as far as that can be.
pub(super) fn file(mut items: Vec<(u32, &EcoString)>) -> String {
    items.sort();
    let mut out = String::from("[");
    let mut at = 1;
    for (number, (line, text)) in items.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        while at < *line {
            out.push('\n');
            at += 1;
        }
        out.push_str(text);
        at += text.matches('\n').count() as u32;
    }
    out.push_str("]\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::data::{Limits, parse_json, parse_yaml};

    fn yaml(text: &str) -> Document {
        parse_yaml(FileId::new("a.yaml"), text.as_bytes(), &Limits::default()).document.unwrap()
    }

    #[test]
    fn what_is_taken_apart_and_put_together_reads_the_same() {
        let list = "- {name: a, mode: 0o644, big: 99999999999999999999, odd: \"<<\", x: [.inf, 1.0, 'it''s']}\n\
                    - name: b\n  text: |\n    two\n    lines\n  \"yes\": {deep: [{}, [], null, \"5\", \"\\u2028 - # :\"]}\n- c\n";
        let document = yaml(list);
        let items: Vec<u32> = document.children(Document::ROOT).collect();
        let texts: Vec<EcoString> = items.iter().map(|&n| text(&document, n, false).unwrap()).collect();
        let placed = texts.iter().zip([1, 40, 2]).map(|(text, line)| (line, text)).collect();
        let again = file(placed);
        let read = yaml(&again);
        let children: Vec<u32> = read.children(Document::ROOT).collect();
        assert_eq!(children.len(), 3);
        // In the order of their lines.
        for (node, expected) in children.iter().zip([0, 2, 1]) {
            let one = text(&read, *node, false).unwrap();
            assert_eq!(one, texts[expected], "{again}");
        }
        assert!(again.lines().nth(39).is_some_and(|line| line.starts_with("{\"name\": \"b\"")), "{again}");
    }

    #[test]
    fn json_stays_json() {
        let parse = |text: &str| parse_json(FileId::new("a.json"), text.as_bytes(), &Limits::default());
        let document = parse(r#"[{"a": 1.5, "b": "\u0001 \"", "c": [true, null]}]"#).document.unwrap();
        let one = text(&document, 1, true).unwrap();
        assert_eq!(parse(&file(vec![(3, &one)])).document, Some(document));
    }
}
