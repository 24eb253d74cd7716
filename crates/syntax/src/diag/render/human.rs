//! Diagnostics for people, drawn by ariadne.
//!
//! ariadne gets texts that [`Excerpt`] made and indexes in characters: its byte indexes put
//! the place of a second file at the wrong column. It prints a marker where the name of a file
//! belongs, which is then replaced, with what follows, by the place in the real file.

use ariadne::{Cache, Color, Config, IndexType, Label, Report, ReportKind, Source};
use rustc_hash::FxHashMap;

use super::excerpt::{Excerpt, visible};
use super::{HiddenSpans, Shown, Texts, severity_word};
use crate::base::FileId;
use crate::diag::{Diagnostic, Place, Severity};

/// Stands around the number of a file; never left in a text or a message by [`visible`].
const MARKER: char = '\u{1}';

pub(super) fn render(diagnostics: &[Diagnostic], texts: &Texts<'_>, color: bool) -> String {
    let mut painter = Painter { texts, color, whole: FxHashMap::default() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        painter.draw(diagnostic, &mut out);
        out.push('\n');
    }
    out
}

struct Painter<'a> {
    texts: &'a Texts<'a>,
    color: bool,
    /// Files that are drawn from one text in every report.
    whole: FxHashMap<FileId, Option<Drawing>>,
}

struct Drawing {
    excerpt: Excerpt,
    source: Source<String>,
}

impl Drawing {
    fn new(mut excerpt: Excerpt) -> Self {
        let source = Source::from(std::mem::take(&mut excerpt.text));
        Drawing { excerpt, source }
    }
}

/// A label with its place, and its message as it is drawn.
struct Mark<'a> {
    at: Shown,
    /// Whether it stands for a whole file, of which no line is shown.
    whole: bool,
    message: String,
    primary: bool,
    diagnostic: &'a Diagnostic,
}

impl Painter<'_> {
    fn draw(&mut self, diagnostic: &Diagnostic, out: &mut String) {
        let marks: Vec<Mark<'_>> = diagnostic.labels.iter().map(|l| self.mark(diagnostic, l)).collect();
        let groups = group(&marks);
        for group in &groups {
            if group.iter().all(|m| m.whole) {
                continue;
            }
            self.prepare(group[0].at.file, hidden(diagnostic, group[0].at.file));
        }
        let drawings: Vec<Choice<'_>> = groups.iter().map(|group| self.choose(group, diagnostic)).collect();
        out.push_str(&self.headline(diagnostic));
        let mut report = self.report(&groups, &drawings);
        let mut order = 0;
        for (number, group) in groups.iter().enumerate() {
            for mark in group {
                let range = drawings[number].get().excerpt.range(&mark.at);
                let label = Label::new((number, range)).with_message(&mark.message);
                report.add_label(label.with_order(order).with_color(color_of(mark)));
                order += 1;
            }
        }
        if let Some(help) = help(diagnostic) {
            report.set_help(help);
        }
        let mut drawn = Vec::new();
        // Writing to memory does not fail.
        let _ = report.finish().write(Drawings(&drawings), &mut drawn);
        place_names(&String::from_utf8_lossy(&drawn), &groups, out);
    }

    fn mark<'d>(&self, diagnostic: &'d Diagnostic, label: &crate::diag::Label) -> Mark<'d> {
        // Without a message nothing would be drawn below the line, and without colour the place be lost.
        let message = if label.message.is_empty() { "here" } else { &label.message };
        let message = message.chars().map(visible).collect();
        let whole = matches!(label.place, Place::File(_));
        Mark { at: self.texts.show(label.place), whole, message, primary: label.primary, diagnostic }
    }

    /// `error[G0101]: message`; ariadne would colour its own also where no colour is wanted.
    fn headline(&self, diagnostic: &Diagnostic) -> String {
        let word = severity_word(diagnostic.severity);
        let id = diagnostic.code.id();
        let (on, off) = if self.color { (on(diagnostic.severity), "\x1b[0m") } else { ("", "") };
        format!("{on}{word}[{id}]{off}: {}\n", clean(&diagnostic.message))
    }

    fn report(
        &self,
        groups: &[Vec<&Mark<'_>>],
        drawings: &[Choice<'_>],
    ) -> ariadne::ReportBuilder<'static, (usize, std::ops::Range<usize>)> {
        let mark = groups.first().and_then(|g| primary(g));
        let span = mark.map_or(0..0, |mark| drawings[0].get().excerpt.range(&mark.at));
        let config = Config::default()
            .with_color(self.color)
            .with_index_type(IndexType::Char)
            .with_label_attach(ariadne::LabelAttach::Start);
        Report::build(ReportKind::Error, (0, span)).with_config(config)
    }

    /// Makes the drawing of a whole file, once.
    fn prepare(&mut self, file: FileId, hidden: HiddenSpans<'_>) {
        let texts = self.texts;
        self.whole.entry(file).or_insert_with(|| match texts.get(file) {
            Some(text) => Excerpt::whole(&text, hidden).map(Drawing::new),
            None => Some(Drawing::new(Excerpt::empty())),
        });
    }

    fn choose(&self, group: &[&Mark<'_>], diagnostic: &Diagnostic) -> Choice<'_> {
        let file = group[0].at.file;
        if group.iter().all(|m| m.whole) {
            return Choice::Part(Box::new(Drawing::new(Excerpt::empty())));
        }
        if let Some(Some(drawing)) = self.whole.get(&file) {
            return Choice::Whole(drawing);
        }
        let places: Vec<&Shown> = group.iter().map(|m| &m.at).collect();
        let hidden = hidden(diagnostic, file);
        let text = self.texts.get(file);
        let excerpt = text.map_or_else(Excerpt::empty, |t| Excerpt::around(&t, hidden, &places));
        Choice::Part(Box::new(Drawing::new(excerpt)))
    }
}

/// What must not be shown of a file: the same for every diagnostic that points into it.
fn hidden(diagnostic: &Diagnostic, file: FileId) -> HiddenSpans<'_> {
    diagnostic.hidden(file).unwrap_or_default()
}

/// The drawing of a whole file, or one made for this report.
enum Choice<'a> {
    Whole(&'a Drawing),
    Part(Box<Drawing>),
}

impl Choice<'_> {
    fn get(&self) -> &Drawing {
        match self {
            Choice::Whole(drawing) => drawing,
            Choice::Part(drawing) => drawing,
        }
    }
}

/// The marks file by file: that of the primary one first, then as they come. Within a file by
/// line; on one line from the right, which is how ariadne draws without crossing lines.
fn group<'m, 'd>(marks: &'m [Mark<'d>]) -> Vec<Vec<&'m Mark<'d>>> {
    let mut groups: Vec<Vec<&Mark<'_>>> = Vec::new();
    let (first, rest): (Vec<&Mark<'_>>, Vec<&Mark<'_>>) = marks.iter().partition(|m| m.primary);
    for mark in first.into_iter().chain(rest) {
        match groups.iter_mut().find(|g| g[0].at.file == mark.at.file) {
            Some(group) => group.push(mark),
            None => groups.push(vec![mark]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|m| (m.at.start.line, std::cmp::Reverse(m.at.start.column)));
    }
    groups
}

fn help(diagnostic: &Diagnostic) -> Option<String> {
    let title = || diagnostic.fixes.first().map(|fix| fix.title.clone());
    diagnostic.help.clone().or_else(title).map(|help| clean(&help))
}

/// Several lines are fine here; what would move the cursor is not.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect()
}

/// The mark that says where a group is.
fn primary<'m, 'd>(group: &[&'m Mark<'d>]) -> Option<&'m Mark<'d>> {
    let first = || group.iter().min_by_key(|m| (m.at.start.line, m.at.start.column));
    group.iter().find(|m| m.primary).or_else(first).copied()
}

/// What turns the colour of a severity on, as ariadne writes it.
fn on(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "\x1b[31m",
        Severity::Warning => "\x1b[33m",
        Severity::Info => "\x1b[36m",
    }
}

fn color_of_severity(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Info => Color::Cyan,
    }
}

fn color_of(mark: &Mark<'_>) -> Color {
    if mark.primary { color_of_severity(mark.diagnostic.severity) } else { Color::Blue }
}

/// Writes the places over their markers, no headline, and no line with blanks at its end.
fn place_names(drawn: &str, groups: &[Vec<&Mark<'_>>], out: &mut String) {
    // Within a group that stands for a whole file, of which no line is shown.
    let mut left_out = false;
    for line in drawn.lines().skip(1) {
        left_out &= !(line.contains(MARKER) || line.contains("│ Help: ") || line.ends_with('╯'));
        if left_out {
            continue;
        }
        let mut parts = line.split(MARKER);
        out.push_str(parts.next().unwrap_or_default());
        if let (Some(number), Some(rest)) = (parts.next(), parts.next()) {
            let group = number.parse().ok().and_then(|n: usize| groups.get(n));
            left_out = group.is_some_and(|g| g.iter().all(|m| m.whole));
            if let Some(mark) = group.and_then(|g| primary(g)) {
                match left_out {
                    true => out.push_str(&mark.at.path),
                    false => out.push_str(&mark.at.to_string()),
                }
            }
            // `:LINE:COLUMN` of the drawing goes.
            out.push_str(rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()));
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
        if left_out {
            let group = line.split(MARKER).nth(1).and_then(|n| groups.get(n.parse::<usize>().ok()?));
            whole_file(line, group.map_or(&[], Vec::as_slice), out);
        }
    }
}

/// What is said of a whole file, in the margin of the line that names it.
fn whole_file(header: &str, group: &[&Mark<'_>], out: &mut String) {
    let margin = " ".repeat(header.chars().take_while(|c| *c == ' ').count());
    for mark in group.iter().filter(|m| m.message != "here") {
        out.push_str(&format!("{margin}│ {}\n", mark.message));
    }
    out.push_str(&format!("{margin}│\n"));
}

/// What ariadne reads: files by number.
struct Drawings<'a>(&'a [Choice<'a>]);

impl Cache<usize> for Drawings<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &usize) -> Result<&Source<String>, impl std::fmt::Debug> {
        self.0.get(*id).map(|c| &c.get().source).ok_or("no such file")
    }

    fn display<'a>(&self, id: &'a usize) -> Option<impl std::fmt::Display + 'a> {
        Some(format!("{MARKER}{id}{MARKER}"))
    }
}
