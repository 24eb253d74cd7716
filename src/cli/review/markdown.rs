//! For a comment in a pull request.
//!
//! Totals first, deletions next, then by instance; what is more than a screenful is folded. The
//! first line is an HTML comment that says whose report it is, so that a bot finds the comment
//! that it made and writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::change;
use super::{Report, Subject, why};
use crate::diag::render::Totals;
use crate::graph::diff::{Change, Kind};
use crate::graph::{GraphValue, id};
use crate::handler::Cost;
use crate::project::review::{Item, What, root_of};

/// About as many lines are shown before the rest is folded.
const SCREENFUL: usize = 40;
/// With more resources than this, a table says how many of each type become what.
const MANY: usize = 100;
/// So many that change in the very same way are told of together, and so many of them by name.
const ALIKE: usize = 10;
const EXAMPLES: usize = 3;
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
    if review.items.len() > MANY {
        let _ = write!(out, "\n{}", by_type(&review.items));
    }
    let of = |whats: &[What]| -> Vec<&Item> {
        review.items.iter().filter(|item| whats.contains(&item.what)).collect()
    };
    let (gone, left, refused) = (of(&[What::Delete, What::Replace]), of(&[What::Leave]), of(&[What::Refuse]));
    let rest = of(&[What::Move, What::Change, What::Create, What::Transient]);
    let mut page = Page { out, lines: 0, left_out: 0 };
    page.section("Deletions", deletions(&gone));
    page.section("Refused", deletions(&refused));
    page.section("Not deleted", deletions(&left));
    let (same, rest) = alike(rest);
    // One line of it says more than all that comes after: it is not folded for what stood before.
    page.lines = 0;
    page.section("The same for many", same);
    page.section("By instance", by_instance(&rest));
    let targets = review.targets.iter().map(|t| Entry {
        text: format!("- {} changes\n{}", code(&id::shown(t.id())), fields(&t.changes, "  ")),
        count: 1,
    });
    page.section("Targets", targets.collect());
    page.section("Warnings", warnings(report.warnings));
    page.end(&report.subject)
}

/// What whoever merges this has to know as well; most readers see no other output.
fn warnings(said: &str) -> Vec<Entry> {
    said.lines().map(|line| Entry { text: format!("- {}\n", code(line)), count: 0 }).collect()
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

/// From so many bytes on an entry is long.
const LONG: usize = 8000;

/// A list item with what belongs to it.
struct Entry {
    text: String,
    /// How many resources it is about.
    count: usize,
}

impl Entry {
    /// No single one takes the room of all: of a long one the end is left out, from where its texts
    /// begin or, if need be, before.
    fn shortened(mut self) -> Self {
        if self.text.len() <= LONG {
            return self;
        }
        let mut kept = 0;
        for line in self.text.split_inclusive('\n') {
            if kept + line.len() > LONG || line.contains("```") || line.contains("<details>") {
                break;
            }
            kept += line.len();
        }
        self.text.truncate(kept);
        self.text += "  - and more, which is too long for a comment\n";
        self
    }

    /// How many lines are to be seen, before anybody unfolds anything.
    fn lines(&self) -> usize {
        self.text.lines().take_while(|line| !line.contains("<details>")).count()
    }
}

/// Text that grows, and folds what comes after a screenful.
struct Page {
    out: String,
    lines: usize,
    /// How many resources found no room. Once there is one, all that come later are among them: a
    /// list with holes would look whole.
    left_out: usize,
}

impl Page {
    /// A heading with entries below it.
    fn section(&mut self, title: &str, entries: Vec<Entry>) {
        let mut entries: Vec<Entry> = entries.into_iter().map(Entry::shortened).collect();
        let mut room = LONGEST.saturating_sub(self.out.len());
        let fits = |entry: &&Entry| {
            let fits = entry.text.len() <= room;
            room = room.saturating_sub(entry.text.len());
            fits
        };
        let count = if self.left_out > 0 { 0 } else { entries.iter().take_while(fits).count() };
        self.left_out += entries.drain(count..).map(|entry| entry.count).sum::<usize>();
        if entries.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "\n#### {title}\n");
        let room = SCREENFUL.saturating_sub(self.lines);
        let mut used = 0;
        let mut fits = |entry: &Entry| {
            used += entry.lines();
            used <= room
        };
        // A fold around two lines hides more than it saves.
        let shown = entries.iter().take_while(|e| fits(e)).count();
        let (shown, folded) = match entries.len() - shown {
            0..3 if self.lines < SCREENFUL => entries.split_at(entries.len()),
            _ => entries.split_at(shown),
        };
        for entry in shown {
            self.lines += entry.lines();
            self.out += &entry.text;
        }
        if !folded.is_empty() {
            let more = if shown.is_empty() { " entries" } else { " more" };
            let _ = writeln!(self.out, "\n<details><summary>{}{more}</summary>\n", folded.len());
            folded.iter().for_each(|entry| self.out += &entry.text);
            self.out += "\n</details>\n";
        }
    }

    fn end(mut self, subject: &Subject<'_>) -> String {
        if self.left_out > 0 {
            let env = subject.env.map(|env| format!(" --env {env}")).unwrap_or_default();
            let _ = writeln!(
                self.out,
                "\n**{} more resource{} not listed here, for a comment has only so much room. All of them: {}.",
                self.left_out,
                if self.left_out == 1 { "** is" } else { "s** are" },
                code(&format!("gops compile --base {}{env}", subject.base))
            );
        }
        self.out
    }
}

/// How many of each type become what: what a long list does not show.
fn by_type(items: &[Item]) -> String {
    let mut types: BTreeMap<&str, [usize; What::ALL.len()]> = BTreeMap::new();
    for item in items {
        let counts = types.entry(type_of(item)).or_default();
        let at = What::ALL.iter().position(|what| *what == item.what);
        if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
            *count += 1;
        }
    }
    let used: Vec<usize> =
        (0..What::ALL.len()).filter(|&at| types.values().any(|counts| counts[at] > 0)).collect();
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let verbs = used.iter().map(|&at| What::ALL[at].verb().to_owned());
    let mut out = row(std::iter::once(String::new()).chain(verbs).collect());
    out += &row(std::iter::once("---").chain(used.iter().map(|_| "--:")).map(str::to_owned).collect());
    for (name, counts) in types {
        let cell = |&at: &usize| if counts[at] == 0 { String::new() } else { counts[at].to_string() };
        out += &row(std::iter::once(code(name)).chain(used.iter().map(cell)).collect());
    }
    out
}

/// `TextFile` of `std::files::TextFile[path=/x]`.
fn type_of(item: &Item) -> &str {
    let short = id::short(item.id());
    short.split('[').next().unwrap_or(short)
}

/// What goes: each by itself, or, where it is many, by what is gone.
fn deletions(gone: &[&Item]) -> Vec<Entry> {
    if gone.len() <= SCREENFUL {
        return gone.iter().map(|item| Entry { text: deletion(item), count: 1 }).collect();
    }
    let mut causes: BTreeMap<(What, String), Vec<&Item>> = BTreeMap::new();
    for &item in gone {
        causes.entry((item.what, why(item, code).unwrap_or_default())).or_default().push(item);
    }
    let entry = |((what, why), items): ((What, String), Vec<&Item>)| match items.as_slice() {
        [one] => Entry { text: deletion(one), count: 1 },
        _ if what == What::Replace => {
            Entry { text: items.iter().map(|item| deletion(item)).collect(), count: items.len() }
        }
        _ => {
            let mut list = String::new();
            for item in &items {
                let _ = write!(list, "  - {}", code(&id::shown(item.id())));
                if let Some(origin) = item.origin().filter(|o| !o.instance.is_empty()) {
                    let _ = write!(list, " ({})", code(&origin.instance));
                }
                list.push('\n');
            }
            let head = format!("- **{} {}** — {why}\n", what.verb(), items.len());
            let text = match items.len() > ALIKE {
                true => format!("{head}  <details><summary>which</summary>\n\n{list}\n  </details>\n"),
                false => head + &list,
            };
            Entry { text, count: items.len() }
        }
    };
    causes.into_iter().map(entry).collect()
}

/// Takes out what changes in the very same way: one line says more of a thousand files with a new
/// mode than a thousand lines do.
fn alike(items: Vec<&Item>) -> (Vec<Entry>, Vec<&Item>) {
    let key = |item: &Item| {
        let same = item.what == What::Change && !item.entry.changes.is_empty();
        same.then(|| (type_of(item).to_owned(), item.cost, changes(item, "  ")))
    };
    let mut groups: BTreeMap<(String, Option<Cost>, String), Vec<&Item>> = BTreeMap::new();
    for (key, item) in items.iter().filter_map(|item| Some((key(item)?, *item))) {
        groups.entry(key).or_default().push(item);
    }
    groups.retain(|_, items| items.len() >= ALIKE);
    let rest =
        items.into_iter().filter(|item| key(item).is_none_or(|key| !groups.contains_key(&key))).collect();
    let entry = |((name, cost, changes), items): ((String, Option<Cost>, String), Vec<&Item>)| {
        let how = if cost == Some(Cost::Restart) { ", by a restart" } else { "" };
        let mut text = format!("- change {} {}{how}\n{changes}", items.len(), code(&name));
        let some: Vec<String> = items.iter().take(EXAMPLES).map(|item| code(&id::shown(item.id()))).collect();
        let _ = writeln!(text, "  - among them {}", some.join(", "));
        Entry { text, count: items.len() }
    };
    (groups.into_iter().map(entry).collect(), rest)
}

fn deletion(item: &Item) -> String {
    let mut line = format!("- **{}** {}", item.what.verb(), code(&id::shown(item.id())));
    if let Some(old) = item.entry.old.as_ref().filter(|_| item.entry.kind == Kind::Moved) {
        let _ = write!(line, ", which was {}", code(&id::shown(&old.id)));
    }
    if let Some(why) = why(item, code) {
        let _ = write!(line, " — {why}");
    }
    if let Some(origin) = item.origin().filter(|o| !o.instance.is_empty()) {
        let _ = write!(line, " ({})", code(&origin.instance));
    }
    line + "\n" + &changes(item, "  ")
}

/// What else changes, by the instance that causes it.
fn by_instance(items: &[&Item]) -> Vec<Entry> {
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
    let entry =
        |(root, items): (String, Vec<&Item>)| Entry { text: group(&root, &items), count: items.len() };
    groups.into_iter().map(entry).collect()
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
        if let Some(old) = item.entry.old.as_ref().filter(|_| item.entry.kind == Kind::Moved) {
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
        What::Delete | What::Leave | What::Create | What::Transient => String::new(),
        What::Replace | What::Refuse | What::Move | What::Change => fields(&item.entry.changes, indent),
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
    if let Some((id, comes)) = change::order(change) {
        let word = if comes { "comes after" } else { "no longer comes after" };
        return format!("{indent}- {word} {}\n", code(&id::shown(id)));
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
