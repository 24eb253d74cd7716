//! Values of the graph and what changes in them, as people read them.

use std::fmt::Write as _;

use super::ui::{Stream, Ui};
use crate::graph::diff::{Change, Diff, Entry, Kind, Object, Step};
use crate::graph::value::{Later, Secret};
use crate::graph::{GraphValue, Node, id};

/// A longer value is cut.
const LONG: usize = 100;

/// A value in one line.
pub(crate) fn value(value: &GraphValue) -> String {
    let mut text = whole(value);
    if let Some((end, _)) = text.char_indices().nth(LONG) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn whole(value: &GraphValue) -> String {
    match value {
        GraphValue::Null => "null".to_owned(),
        GraphValue::Bool(value) => value.to_string(),
        GraphValue::Int(_) | GraphValue::Float(_) | GraphValue::Str(_) => json(value),
        GraphValue::List(items) => {
            let items: Vec<String> = items.iter().map(whole).collect();
            format!("[{}]", items.join(", "))
        }
        GraphValue::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(k, v)| format!("{k}: {}", whole(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        GraphValue::Ref(target) => id::shown(target).into_owned(),
        GraphValue::Secret(Secret::Source { source, .. }) => format!("(secret {source})"),
        GraphValue::Secret(Secret::Call(_) | Secret::Known(_)) => "(secret)".to_owned(),
        GraphValue::Later(Later::Output { id, output }) => {
            format!("({output} of {}, known later)", id::shown(id))
        }
        GraphValue::Later(Later::Call(_)) => "(known later)".to_owned(),
    }
}

fn json(value: &GraphValue) -> String {
    String::from_utf8_lossy(&value.to_json()).into_owned()
}

/// The bits of a mode are read in octal.
fn number(of: &GraphValue, octal: bool) -> String {
    match of {
        GraphValue::Int(bits) if octal && *bits >= 0 => format!("0o{bits:03o}"),
        of => value(of),
    }
}

/// What happens to something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It goes.
    Delete,
    /// It goes and comes again.
    Replace,
    /// It changes.
    Change,
    /// It gets another id.
    Move,
    /// It comes.
    Create,
    /// Nothing, but something is to be said.
    Say,
    /// It cannot be done.
    Refuse,
}

/// What stands before an id.
pub(crate) fn sign(sign: Sign, ui: &Ui) -> String {
    match sign {
        Sign::Delete => ui.red("-", Stream::Out),
        Sign::Replace => ui.red("±", Stream::Out),
        Sign::Change => ui.yellow("~", Stream::Out),
        Sign::Move => ui.yellow(">", Stream::Out),
        Sign::Create => ui.green("+", Stream::Out),
        Sign::Say => ui.faint("=", Stream::Out),
        Sign::Refuse => ui.red("!", Stream::Out),
    }
}

/// One field that changes: `mode: 0o644 -> 0o600`, or, of a text of several lines, the lines.
pub(crate) fn field(
    name: &str,
    old: Option<&GraphValue>,
    new: Option<&GraphValue>,
    indent: &str,
    octal: bool,
    ui: &Ui,
) -> String {
    if let (Some(GraphValue::Str(old)), Some(GraphValue::Str(new))) = (old, new)
        && (old.contains('\n') || new.contains('\n'))
    {
        return lines(name, old, new, indent, ui);
    }
    // Where one was and another one is to be, which of them it is says little.
    if let (Some(GraphValue::Secret(was)), Some(GraphValue::Secret(_))) = (old, new)
        && was.is_hidden()
    {
        return format!("{indent}{name}: (secret changed)\n");
    }
    if let (None, Some(waiting)) = (old, new)
        && waiting.has_later()
    {
        return format!("{indent}{name}: may change {}\n", value(waiting));
    }
    let (before, after) = sides(old, new, octal);
    format!("{indent}{name}: {before} -> {after}\n")
}

/// Both sides of a field, each in one line.
pub(crate) fn sides(old: Option<&GraphValue>, new: Option<&GraphValue>, octal: bool) -> (String, String) {
    let show = |v: Option<&GraphValue>| v.map_or_else(|| "(nothing)".to_owned(), |v| number(v, octal));
    let (before, after) = (show(old), show(new));
    // Two secrets look alike: that one changed is all that may be said.
    let after = if before == after { "(another)".to_owned() } else { after };
    (before, after)
}

fn lines(name: &str, old: &str, new: &str, indent: &str, ui: &Ui) -> String {
    let mut out = format!("{indent}{name}:\n");
    for (sign, text) in diff_lines(old, new) {
        let sign = match sign {
            '-' => ui.red("-", Stream::Out),
            '+' => ui.green("+", Stream::Out),
            _ => " ".to_owned(),
        };
        let _ = writeln!(out, "{indent}  {sign} {text}");
    }
    out
}

/// The lines that differ, each with `-` or `+`, and one of context.
pub(crate) fn diff_lines(old: &str, new: &str) -> Vec<(char, String)> {
    let mut lines = Vec::new();
    let diff = similar::TextDiff::from_lines(old, new);
    for group in diff.grouped_ops(1) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches(['\n', '\r']);
            let sign = match change.tag() {
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
                similar::ChangeTag::Equal => ' ',
            };
            let end = if change.missing_newline() { "  (no newline at the end)" } else { "" };
            lines.push((sign, format!("{}{end}", visible(text))));
        }
    }
    lines
}

/// A file's content must not move the cursor.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{FFFD}' } else { c }).collect()
}

/// What differs between two graphs: deletions first, then moves and changes field by field, then
/// creations, then totals.
pub(crate) fn diff(diff: &Diff, ui: &Ui) -> String {
    let mut out = String::new();
    for kind in [Kind::Deleted, Kind::Moved, Kind::Changed, Kind::Created] {
        for entry in diff.nodes.iter().filter(|e| e.kind == kind) {
            out += &node(entry, ui);
        }
    }
    for target in diff.targets.iter().filter(|e| e.kind == Kind::Changed) {
        let _ = writeln!(out, "{} {}", sign(Sign::Change, ui), id::shown(target.id()));
        out += &changed(&target.changes, ui);
    }
    if out.is_empty() {
        return "no change in the graph\n".to_owned();
    }
    let count = |kind| diff.count(kind);
    let parts = [
        (count(Kind::Deleted), "to delete"),
        (count(Kind::Moved), "to move"),
        (count(Kind::Changed), "to change"),
        (count(Kind::Created), "to create"),
    ];
    out + &list(&parts) + "\n"
}

/// `1 to delete, 2 to create`, without what is none.
pub(crate) fn list(parts: &[(usize, &str)]) -> String {
    let parts = parts.iter().filter(|(n, _)| *n > 0);
    parts.map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
}

fn node(entry: &Entry<Node>, ui: &Ui) -> String {
    let short = id::shown(entry.id());
    match entry.kind {
        Kind::Deleted => format!("{} {short}\n", sign(Sign::Delete, ui)),
        Kind::Created => format!("{} {short}\n", sign(Sign::Create, ui)),
        Kind::Moved => {
            let from = entry.old.as_ref().map_or_else(Default::default, |old| id::shown(old.id()));
            let head = format!("{} {from}\n    becomes {short}\n", sign(Sign::Move, ui));
            head + &changed(&entry.changes, ui)
        }
        Kind::Changed | Kind::Quiet => {
            format!("{} {short}\n", sign(Sign::Change, ui)) + &changed(&entry.changes, ui)
        }
    }
}

pub(crate) fn changed(changes: &[Change], ui: &Ui) -> String {
    let shown = changes.iter().filter(|c| !c.is_quiet());
    let line = |change: &Change| {
        if let Some((id, comes)) = order(change) {
            let word = if comes { "comes after" } else { "no longer comes after" };
            return format!("    {word} {}\n", id::shown(id));
        }
        let name = change.field().unwrap_or_else(|| change.path.clone()).to_string();
        let octal = name == "mode";
        field(&name, change.old.as_ref(), change.new.as_ref(), "    ", octal, ui)
    };
    shown.map(line).collect()
}

/// What comes before it now, or does not any more, if that is what changes: nothing of it is on the target.
pub(crate) fn order(change: &Change) -> Option<(&str, bool)> {
    match change.path.0.as_slice() {
        [Step::Key(part), Step::Key(id)] if part == "requires" => Some((id, change.new.is_some())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::ColorChoice;

    use super::*;

    fn plain() -> Ui {
        Ui::new(ColorChoice::Never, false, 0, false)
    }

    fn text(text: &str) -> GraphValue {
        GraphValue::Str(text.into())
    }

    #[test]
    fn a_value_is_a_line() {
        let map = GraphValue::map(vec![
            ("a".into(), GraphValue::List(vec![GraphValue::Int(1), GraphValue::Null])),
            ("b".into(), GraphValue::Ref("std::host::Host[name=h]".into())),
        ]);
        assert_eq!(value(&map), "{a: [1, null], b: Host[name=h]}");
        assert_eq!(value(&text(&"x".repeat(200))).chars().count(), LONG + 1);
    }

    #[test]
    fn a_changed_field_shows_both_sides() {
        let shown = |name, old: &GraphValue, new: &GraphValue| {
            field(name, Some(old), Some(new), "  ", name == "mode", &plain())
        };
        assert_eq!(
            shown("mode", &GraphValue::Int(0o644), &GraphValue::Int(0o600)),
            "  mode: 0o644 -> 0o600\n"
        );
        assert_eq!(shown("n", &text("a"), &text("b")), "  n: \"a\" -> \"b\"\n");
        assert_eq!(field("n", None, Some(&text("b")), "", false, &plain()), "n: (nothing) -> \"b\"\n");
        let secret = |sha: &str| {
            GraphValue::Secret(Secret::Source {
                source: "Site[name=a].token".into(),
                sha256: Some(sha.into()),
            })
        };
        let changed = shown("token", &secret("1"), &secret("2"));
        assert_eq!(changed, "  token: (secret Site[name=a].token) -> (another)\n");
    }

    #[test]
    fn a_text_shows_its_lines() {
        let old = text("a\nb\nc\nd\ne\n");
        let new = text("a\nb\nX\u{1b}[2J\nd\ne");
        let shown = field("content", Some(&old), Some(&new), "", false, &plain());
        insta::assert_snapshot!(shown, @r"
        content:
            b
          - c
          + X�[2J
            d
          - e
          + e  (no newline at the end)
        ");
    }
}
