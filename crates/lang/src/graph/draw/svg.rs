//! SVG, laid out here.

use std::fmt::Write as _;

use super::layout::{BOX, HEADING, Rect, layout};
use super::{Drawn, Picture};
use crate::graph::State;

/// The advance of a character of the monospace font at 12 pixels.
const ADVANCE: f64 = 7.25;
/// Left and right of the text in a box.
const PADDING: f64 = 8.0;
/// How many characters of the keys a box shows; the tool tip shows all.
const LONGEST: usize = 48;

const STYLE: &str = "
  svg { color-scheme: light dark; background: #fff; }
  text { font: 12px ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; }
  .title { font-weight: bold; font-size: 15px; }
  .legend, .type { fill: #59636e; }
  .group rect { fill: #f6f8fa; stroke: #d1d9e0; }
  .group text { font-weight: bold; }
  .node rect { fill: #fff; stroke: #818b98; }
  .node:hover rect { stroke: #0969da; stroke-width: 2; }
  .absent rect { stroke-dasharray: 5 4; }
  .absent text { fill: #818b98; text-decoration: line-through; }
  .transient rect { stroke-dasharray: 2 3; }
  .focus rect { stroke: #0969da; stroke-width: 2.5; }
  .arrow { fill: none; stroke: #818b98; }
  .arrow:hover { stroke: #0969da; stroke-width: 3; }
  #head path { fill: #818b98; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; }
    text { fill: #f0f6fc; }
    .legend, .type { fill: #9198a1; }
    .group rect { fill: #151b23; stroke: #3d444d; }
    .node rect { fill: #0d1117; stroke: #656c76; }
    .node:hover rect, .focus rect, .arrow:hover { stroke: #4493f8; }
    .absent text { fill: #656c76; }
    .arrow { stroke: #656c76; }
    #head path { fill: #656c76; }
  }
";

/// The picture as SVG: text that can be searched, and the full ids, origins and reasons as tool
/// tips.
pub fn svg(picture: &Picture) -> String {
    let labels: Vec<String> = picture.nodes.iter().map(|n| shortened(&n.keys)).collect();
    let widths: Vec<f64> = picture.nodes.iter().zip(&labels).map(|(n, label)| box_width(n, label)).collect();
    let headings: Vec<f64> = picture.groups.iter().map(|g| text_width(&shortened(g))).collect();
    let layout = layout(picture, &widths, &headings);
    let width = layout.width.max(420.0);
    let height = layout.height;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>",
        text(&picture.title)
    );
    out.push_str(
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0.5 8 4 0 7.5z\"/></marker></defs>\n",
    );
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"16\" y=\"28\">{}</text>\n\
         <text class=\"legend\" x=\"{:.0}\" y=\"28\">{}, each to the right of what it requires</text>",
        text(&picture.title),
        16.0 + text_width(&picture.title) * 1.3 + 16.0,
        counted(picture.len()),
    );
    for (name, place) in picture.groups.iter().zip(&layout.blocks) {
        group(&mut out, name, place);
    }
    for (node, arrows) in picture.nodes.iter().zip(&layout.arrows) {
        for (arrow, points) in node.requires.iter().zip(arrows) {
            let to = picture.nodes.get(arrow.to).map_or("", |n| &n.id);
            let tip = format!("{}\nrequires {to}\n{}", node.id, arrow.why);
            let _ = writeln!(
                out,
                "<path class=\"arrow\" marker-end=\"url(#head)\" d=\"{}\"><title>{}</title></path>",
                curve(points),
                text(&tip)
            );
        }
    }
    for ((node, label), place) in picture.nodes.iter().zip(&labels).zip(&layout.boxes) {
        node_box(&mut out, node, label, place);
    }
    out.push_str("</svg>\n");
    out
}

fn counted(nodes: usize) -> String {
    match nodes {
        0 => "no resources".to_owned(),
        1 => "1 resource".to_owned(),
        n => format!("{n} resources"),
    }
}

fn group(out: &mut String, name: &str, place: &Rect) {
    let _ = writeln!(
        out,
        "<g class=\"group\"><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"8\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        text(name),
        place.x,
        place.y,
        place.width,
        place.height,
        place.x + 16.0,
        place.y + HEADING - 6.0,
        text(&shortened(name))
    );
}

fn node_box(out: &mut String, node: &Drawn, label: &str, place: &Rect) {
    let state = match node.state {
        State::Present => "",
        State::Absent => " absent",
        State::Transient => " transient",
    };
    let focus = if node.focus { " focus" } else { "" };
    let tip = format!("{}\n{}", node.id, node.origin);
    let _ = writeln!(
        out,
        "<g class=\"node{state}{focus}\"><title>{}</title>\
         <rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BOX}\" rx=\"5\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\"><tspan class=\"type\">{}</tspan> {}</text></g>",
        text(tip.trim_end()),
        place.x,
        place.y,
        place.width,
        place.x + PADDING,
        place.y + 16.0,
        text(&node.type_),
        text(label)
    );
}

fn box_width(node: &Drawn, label: &str) -> f64 {
    text_width(&node.type_) + ADVANCE + text_width(label) + 2.0 * PADDING
}

fn text_width(text: &str) -> f64 {
    // What is wider than Latin is mostly twice as wide.
    text.chars().map(|c| if u32::from(c) < 0x1100 { ADVANCE } else { 2.0 * ADVANCE }).sum()
}

/// A text of bearable length: the end tells more than the start.
fn shortened(keys: &str) -> String {
    let count = keys.chars().count();
    if count <= LONGEST {
        return keys.to_owned();
    }
    let start: String = keys.chars().take(LONGEST / 3).collect();
    let end: String = keys.chars().skip(count - (LONGEST - LONGEST / 3 - 1)).collect();
    format!("{start}…{end}")
}

/// A smooth line through the points, level where it enters and leaves.
fn curve(points: &[(f64, f64)]) -> String {
    let mut out = String::new();
    let mut last: Option<(f64, f64)> = None;
    for &(x, y) in points {
        match last {
            None => {
                let _ = write!(out, "M{x:.1} {y:.1}");
            }
            Some((_, before)) if (before - y).abs() < 0.05 => {
                let _ = write!(out, "H{x:.1}");
            }
            Some((from, before)) => {
                // An arrow that goes to the right, to another block, swings out on both sides.
                let reach = if x < from { (from - x) / 2.0 } else { 40.0 + (x - from) / 8.0 };
                let _ = write!(out, "C{:.1} {before:.1} {:.1} {y:.1} {x:.1} {y:.1}", from - reach, x + reach);
            }
        }
        last = Some((x, y));
    }
    out
}

/// Text for XML, which has no way to write most control characters.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
