//! Graphviz.

use std::fmt::Write as _;

use super::{Drawn, Picture};
use crate::graph::State;

/// The picture in the language of Graphviz.
pub fn dot(picture: &Picture) -> String {
    let mut out = String::from("digraph gops {\n");
    let _ = writeln!(out, "  label={};", quoted(&picture.title));
    out.push_str(
        "  rankdir=RL;\n  newrank=true;\n  fontname=\"sans-serif\";\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=\"#f6f8fa\", color=\"#8c959f\", \
         fontname=\"monospace\", fontsize=10];\n  edge [color=\"#6e7781\", arrowsize=0.7];\n",
    );
    for (number, name) in picture.groups.iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label={};", quoted(name));
        out.push_str("    style=rounded;\n    color=\"#afb8c1\";\n");
        for (at, node) in picture.group(number) {
            let _ = writeln!(out, "    n{at} [{}];", attributes(node));
        }
        out.push_str("  }\n");
    }
    for (at, node) in picture.nodes.iter().enumerate() {
        for arrow in &node.requires {
            let _ = writeln!(out, "  n{at} -> n{} [tooltip={}];", arrow.to, quoted(&arrow.why));
        }
    }
    out.push_str("}\n");
    out
}

fn attributes(node: &Drawn) -> String {
    let label = node.label("\n", str::to_owned);
    let tooltip = format!("{}\n{}", node.id, node.origin);
    let mut out = format!("label={}, tooltip={}", quoted(&label), quoted(tooltip.trim_end()));
    match node.state {
        State::Present => {}
        State::Absent => out.push_str(", style=\"rounded,dashed\", fontcolor=\"#6e7781\""),
        State::Transient => out.push_str(", style=\"rounded,dotted\""),
    }
    if node.focus {
        out.push_str(", penwidth=2, color=\"#0969da\"");
    }
    out
}

/// A string of Graphviz: there `\` starts escapes of its own.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
