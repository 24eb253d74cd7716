//! For a comment in a pull request.
//!
//! Totals first, deletions next, then by instance; what is more than a screenful is folded. The
//! first line is an HTML comment that says whose report it is, so that a bot finds the comment
//! that it made and writes it anew.

use std::fmt::Write as _;

use super::super::change;
use super::{Report, Subject, why};
use crate::diag::render::Totals;
use crate::graph::diff::Change;
use crate::graph::{GraphValue, id};
use crate::handler::Cost;
use crate::project::review::{Item, What, root_of};

/// About as many lines are shown before the rest is folded.
const SCREENFUL: usize = 40;
/// GitHub takes 65,536 characters, GitLab a million.
const LONGEST: usize = 60_000;

pub(super) fn report(report: &Report<'_>) -> String {
    let review = report.review;
    let mut out = head(&report.subject, &super::totals(review));
    let _ = writeln!(out, "\n{}", compared(report));
    if let Some(exceeded) = report.exceeded {
        let _ = writeln!(
            out,
            "\n> [!CAUTION]\n> This deletes or replaces {}, and may do so with {}. If that is meant, write at the end of \
             `gops.toml`:\n> ```toml\n> {}\n> ```",
            exceeded.deletions,
            exceeded.limit,
            exceeded.approval.replace('\n', "\n> ")
        );
    }
    let (gone, rest): (Vec<&Item>, Vec<&Item>) =
        review.items.iter().partition(|i| matches!(i.what, What::Delete | What::Replace));
    let mut page = Page { out, lines: 0, left_out: 0 };
    if !gone.is_empty() {
        page.section("Deletions", gone.iter().map(|item| deletion(item)).collect());
    }
    let groups = by_instance(&rest);
    if !groups.is_empty() {
        page.section("By instance", groups);
    }
    if !review.targets.is_empty() {
        let targets = review
            .targets
            .iter()
            .map(|t| format!("- {} changes\n{}", code(&id::shown(t.id())), fields(&t.changes, "  ")));
        page.section("Targets", targets.collect());
    }
    page.end()
}

/// The report of a change that has no diff.
pub(super) fn without(subject: &Subject<'_>, why: &str, totals: Totals) -> String {
    let title = if totals.errors > 0 { totals.to_string() } else { "no diff".to_owned() };
    head(subject, &title) + &format!("\n{why}\n")
}

fn head(subject: &Subject<'_>, title: &str) -> String {
    let env = subject.env.map(|e| format!(" {e}")).unwrap_or_default();
    // Both are words: nothing in them ends the comment.
    let marker = format!("<!-- gops review: {}{env} -->", subject.project);
    let of = subject.env.map(|e| format!(" ({e})")).unwrap_or_default();
    format!("{marker}\n### {}{of}: {title}\n", plain(subject.project))
}

fn compared(report: &Report<'_>) -> String {
    let subject = &report.subject;
    let id = subject.short().map(|id| format!(" (`{id}`)")).unwrap_or_default();
    let (old, new) = (report.review.old.resources, report.review.new.resources);
    let now = match old == new {
        true => format!("{new} resources"),
        false => format!("{old} → {new} resources"),
    };
    let note = subject.note.map(|n| format!(" {n}.")).unwrap_or_default();
    format!("Compared with {}{id}: {now}.{note}", code(subject.base))
}

/// Text that grows, and folds what comes after a screenful.
struct Page {
    out: String,
    lines: usize,
    left_out: usize,
}

impl Page {
    /// A heading with entries below it, each a list item with what belongs to it.
    fn section(&mut self, title: &str, entries: Vec<String>) {
        let _ = writeln!(self.out, "\n#### {title}\n");
        let room = SCREENFUL.saturating_sub(self.lines);
        let mut used = 0;
        let mut fits = |entry: &String| {
            used += entry.lines().count();
            used <= room
        };
        // A fold around two lines hides more than it saves.
        let shown = entries.iter().take_while(|e| fits(e)).count();
        let (shown, folded) = match entries.len() - shown {
            0..3 if self.lines < SCREENFUL => entries.split_at(entries.len()),
            _ => entries.split_at(shown),
        };
        for entry in shown {
            self.lines += entry.lines().count();
            self.push(entry);
        }
        if !folded.is_empty() {
            let more = if shown.is_empty() { "" } else { " more" };
            let _ = writeln!(self.out, "\n<details><summary>{}{more}</summary>\n", folded.len());
            for entry in folded {
                self.push(entry);
            }
            self.out += "\n</details>\n";
        }
    }

    fn push(&mut self, entry: &str) {
        if self.out.len() + entry.len() > LONGEST {
            self.left_out += 1;
        } else {
            self.out += entry;
        }
    }

    fn end(mut self) -> String {
        if self.left_out > 0 {
            let _ = writeln!(
                self.out,
                "\n{} more entries are too long for a comment: `gops compile --base` shows them.",
                self.left_out
            );
        }
        self.out
    }
}

fn deletion(item: &Item) -> String {
    let mut line = format!(
        "- **{}** {}",
        if item.what == What::Replace { "replace" } else { "delete" },
        code(&id::shown(item.id()))
    );
    if let Some(why) = why(item, code) {
        let _ = write!(line, " — {why}");
    }
    if let Some(origin) = item.origin().filter(|o| !o.instance.is_empty()) {
        let _ = write!(line, " ({})", code(&origin.instance));
    }
    line + "\n" + &changes(item, "  ")
}

/// What else changes, by the instance that causes it.
fn by_instance(items: &[&Item]) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&Item>)> = Vec::new();
    let mut sorted = items.to_vec();
    let root = |item: &Item| item.origin().map_or("", |o| root_of(&o.element)).to_owned();
    sorted.sort_by_cached_key(|item| (root(item), item.what, item.id().to_owned()));
    for item in sorted {
        let root = root(item);
        match groups.last_mut().filter(|(last, _)| *last == root) {
            Some((_, group)) => group.push(item),
            None => groups.push((root, vec![item])),
        }
    }
    groups.into_iter().map(|(root, items)| group(&root, &items)).collect()
}

fn group(root: &str, items: &[&Item]) -> String {
    let file = items.iter().find_map(|i| i.origin()).map(|o| file_of(&o.instance)).unwrap_or_default();
    let mut out = match root.is_empty() {
        true => "- the model\n".to_owned(),
        false => format!("- **{}** in {}\n", code(&id::shown(root)), code(file)),
    };
    for item in items {
        let verb = match (item.what, item.cost) {
            (What::Change, Some(Cost::Restart)) => "change, by a restart,",
            (What::Transient, _) => "on the way only:",
            (what, _) => what.verb(),
        };
        let _ = write!(out, "  - {verb} {}", code(&id::shown(item.id())));
        if let Some(old) = item.entry.old.as_ref().filter(|_| item.what == What::Move) {
            let _ = write!(out, ", which was {}", code(&id::shown(&old.id)));
        }
        if let Some(until) = super::until(item, code) {
            let _ = write!(out, ", {until}");
        }
        out.push('\n');
        out += &changes(item, "    ");
    }
    out
}

/// `slices/a.yaml` of `slices/a.yaml:3:5`.
fn file_of(place: &str) -> &str {
    place.rsplitn(3, ':').last().unwrap_or(place)
}

fn changes(item: &Item, indent: &str) -> String {
    match item.what {
        What::Delete | What::Create | What::Transient => String::new(),
        What::Replace | What::Move | What::Change => fields(&item.entry.changes, indent),
    }
}

fn fields(changes: &[Change], indent: &str) -> String {
    changes.iter().filter(|c| !c.is_quiet()).map(|c| field(c, indent)).collect()
}

fn field(change: &Change, indent: &str) -> String {
    let name = change.field().unwrap_or_else(|| change.path.clone()).to_string();
    if let (Some(GraphValue::Str(old)), Some(GraphValue::Str(new))) = (&change.old, &change.new)
        && (old.contains('\n') || new.contains('\n'))
    {
        return format!("{indent}- {}\n{}", code(&name), text_diff(old, new, &format!("{indent}  ")));
    }
    let octal = name == "mode";
    let (old, new) = change::sides(change.old.as_ref(), change.new.as_ref(), octal);
    format!("{indent}- {}: {} → {}\n", code(&name), code(&old), code(&new))
}

/// A block in the language `diff`, which GitHub, GitLab and Forgejo colour.
fn text_diff(old: &str, new: &str, indent: &str) -> String {
    let lines = change::diff_lines(old, new);
    let longest =
        lines.iter().flat_map(|(_, text)| text.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let mut out = format!("{indent}{fence}diff\n");
    for (sign, text) in &lines {
        let _ = writeln!(out, "{indent}{sign}{text}");
    }
    out + &format!("{indent}{fence}\n")
}

/// A code span that holds any text.
fn code(text: &str) -> String {
    let text = change::visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    if longest == 0 {
        return format!("`{text}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}

/// A name outside of a code span.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')).collect()
}
