//! Mermaid, which many forges draw in Markdown.

use std::fmt::Write as _;

use super::Picture;
use crate::graph::State;

/// The picture as a flow chart of Mermaid.
pub fn mermaid(picture: &Picture) -> String {
    let mut out = String::new();
    if !picture.title.is_empty() {
        let _ = writeln!(out, "---\ntitle: {}\n---", serde_json::Value::from(picture.title.as_str()));
    }
    out.push_str("flowchart RL\n");
    for (number, name) in picture.groups.iter().enumerate() {
        let _ = writeln!(out, "  subgraph g{number}[\"{}\"]", escaped(name));
        for (at, node) in picture.group(number) {
            let label = node.label("<br/>", escaped);
            let _ = writeln!(out, "    n{at}[\"{label}\"]");
        }
        out.push_str("  end\n");
    }
    for (at, node) in picture.nodes.iter().enumerate() {
        for arrow in &node.requires {
            let _ = writeln!(out, "  n{at} --> n{}", arrow.to);
        }
    }
    out.push_str("  classDef absent stroke-dasharray:5 4,opacity:0.6\n");
    out.push_str("  classDef transient stroke-dasharray:2 3\n");
    out.push_str("  classDef focus stroke-width:3px\n");
    for (at, node) in picture.nodes.iter().enumerate() {
        let classes = [
            (node.state == State::Absent, "absent"),
            (node.state == State::Transient, "transient"),
            (node.focus, "focus"),
        ];
        for (_, class) in classes.into_iter().filter(|(is, _)| *is) {
            let _ = writeln!(out, "  class n{at} {class}");
        }
    }
    out
}

/// Text in a label: everything that Mermaid, Markdown or HTML could read as more than text
/// stands as a character's number.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || " /.:=,_-@+()".contains(c) => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}
