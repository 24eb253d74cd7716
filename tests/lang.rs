//! The language, as `tests/lang/*.md` say it: prose with models and data, the expected
//! problems in comments at their lines, and the expected graph.
//!
//! CONTRIBUTING.md describes the format.

use std::collections::BTreeMap;

use gops::base::{FileId, LineIndex};
use gops::diag::render::{Sources, severity_word};
use gops::diag::{Diagnostic, Place};
use gops::handler::{Cost, Registry};
use gops::project::review::{Item, Review, What};

use crate::harness::checking::Project;
use crate::harness::expected::{self, Expectation, Lines, Listed};
use crate::harness::literate::{self, Block, Document, File, Part};
use crate::harness::nodes;

/// The file of a ```gops block that names none.
const MAIN: &str = "model/main.gops";

/// What stands below one heading of the second level, with what stands above the first.
#[derive(Clone, Default)]
struct Section {
    title: String,
    files: BTreeMap<String, Text>,
    expectations: Vec<Expectation>,
    listed: Vec<Listed>,
    graphs: Vec<Block>,
    env: Option<String>,
    /// Files that were otherwise, or that were not there.
    before: BTreeMap<String, Vec<u8>>,
    /// What has become of the resources since then.
    changes: Vec<Block>,
    /// Symbolic links.
    links: Vec<String>,
}

/// A file that grows block by block.
#[derive(Clone, Default)]
struct Text {
    bytes: Vec<u8>,
    /// The line of the document for each line of the file.
    lines: Lines,
    /// Whether it stands above the first section: the first block of a section replaces it.
    shared: bool,
}

fn sections(document: &Document) -> Result<Vec<Section>, String> {
    let mut shared = Section::default();
    let mut sections: Vec<Section> = Vec::new();
    for part in &document.parts {
        match part {
            Part::Heading(1, title) => shared.title.clone_from(title),
            Part::Heading(2, title) => sections.push(Section { title: title.clone(), ..shared.clone() }),
            Part::Heading(..) => {}
            Part::Block(block) => {
                let in_preamble = sections.is_empty();
                let section = sections.last_mut().unwrap_or(&mut shared);
                add(section, block, in_preamble).map_err(|e| document.says(block.line, e))?;
            }
        }
    }
    // A document without sections is one.
    if sections.is_empty() {
        sections.push(shared);
    }
    Ok(sections)
}

fn add(section: &mut Section, block: &Block, shared: bool) -> Result<(), String> {
    match block.language() {
        "graph" => {
            section.graphs.push(block.clone());
            return Ok(());
        }
        "expect" => {
            let path = block.arguments().next().ok_or("say which file: ```expect slices/a.json")?;
            section.listed.extend(expected::listed(path, block)?);
            return Ok(());
        }
        "changes" => {
            section.changes.push(block.clone());
            return Ok(());
        }
        "link" => {
            section.links.push(block.arguments().next().ok_or("say where: ```link conf/a")?.to_owned());
            return Ok(());
        }
        // Shown to the reader, and nothing else.
        "text" | "console" => return Ok(()),
        _ => {}
    }
    if let Some(env) = block.option("env") {
        section.env = Some(env.to_owned());
    }
    let mut block = block.clone();
    if block.language() == "gops" && block.arguments().next().is_none() {
        block.words.insert(1, MAIN.to_owned());
    }
    let earlier = block.words.iter().position(|word| word == "before");
    earlier.map(|at| block.words.remove(at));
    let File { path, bytes } = literate::file(&block)?;
    if earlier.is_some() {
        section.before.insert(path, bytes);
        return Ok(());
    }
    if block.option("repeat").is_none() {
        section.expectations.extend(expected::in_comments(&path, &block)?);
    }
    let text = section.files.entry(path).or_default();
    if text.shared && !shared {
        *text = Text::default();
    }
    text.shared = shared;
    text.lines.push(bytes.iter().filter(|&&b| b == b'\n').count(), block.line);
    text.bytes.extend(bytes);
    Ok(())
}

/// The files of every case.
pub fn projects() -> Vec<Vec<File>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let documents = texts.map(|text| Document::parse("a case", &text).unwrap());
    let sections = documents.flat_map(|document| sections(&document).unwrap());
    let files = |section: Section| {
        section.files.into_iter().map(|(path, text)| File { path, bytes: text.bytes }).collect()
    };
    sections.map(files).filter(|files: &Vec<File>| !files.is_empty()).collect()
}

fn case(document: &Document) -> Result<Option<String>, String> {
    let mut wrong = String::new();
    for section in sections(document)? {
        for what in check(document, &section) {
            wrong += &format!("{what}\n");
        }
    }
    if wrong.is_empty() { Ok(None) } else { Err(wrong) }
}

fn check(document: &Document, section: &Section) -> Vec<String> {
    let files: Vec<File> =
        section.files.iter().map(|(path, t)| File { path: path.clone(), bytes: t.bytes.clone() }).collect();
    let mut project = Project::with_links(&files, &section.links, section.env.as_deref());
    let mut found = project.check();
    // A project that is wrong says the same in its tests.
    for outcome in project.session.test(None) {
        let new: Vec<Diagnostic> = outcome.diagnostics.into_iter().filter(|d| !found.contains(d)).collect();
        found.extend(new);
    }
    let mut wrong = compare(document, section, &project, &found);
    if wrong.is_empty() && !section.graphs.is_empty() {
        wrong.extend(graphs(document, section, &mut project));
    }
    if wrong.is_empty() && !section.changes.is_empty() {
        wrong.extend(changes(document, section, files, &mut project));
    }
    wrong
}

/// A diagnostic as an annotation sees it.
struct Found<'a> {
    diagnostic: &'a Diagnostic,
    /// The line of the document; the first if the file is not in it.
    line: usize,
    place: String,
}

fn compare(document: &Document, section: &Section, project: &Project, found: &[Diagnostic]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut left: Vec<Found<'_>> = found.iter().map(|d| locate(section, project, d)).collect();
    let mut expectations = section.expectations.clone();
    for Listed { path, line, expectation } in &section.listed {
        match section.files.get(path).and_then(|t| t.lines.of_document(*line)) {
            Some(document_line) => expectations.push(expectation.clone().at(document_line)),
            None => {
                wrong.push(document.says(expectation.document_line, format!("there is no file `{path}`")))
            }
        }
    }
    for expectation in &expectations {
        let line = expectation.document_line;
        let matching = |f: &Found<'_>| f.line == line && expectation.matches(f.diagnostic);
        let is_note = |d: &Diagnostic| {
            notes(section, project, d).any(|(l, text)| l == line && text.contains(&expectation.text))
        };
        if expectation.is_note() {
            if !found.iter().any(is_note) {
                wrong.push(document.says(line, format!("no problem has a second label here: {expectation}")));
            }
        } else if let Some(at) = left.iter().position(matching) {
            left.remove(at);
        } else {
            wrong.push(document.says(line, format!("expected, and not found: {expectation}")));
        }
    }
    for Found { diagnostic, line, place } in left {
        let word = severity_word(diagnostic.severity);
        let id = diagnostic.code.id();
        wrong.push(
            document.says(line, format!("not expected: {word}: {id} {} ({place})", diagnostic.message)),
        );
        wrong.push(project.show(std::slice::from_ref(diagnostic)));
    }
    if !wrong.is_empty() {
        wrong.insert(0, document.says(1, format!("in \"{}\":", section.title)));
    }
    wrong
}

fn locate<'a>(section: &Section, project: &Project, diagnostic: &'a Diagnostic) -> Found<'a> {
    let label = diagnostic.labels.iter().find(|l| l.primary).or(diagnostic.labels.first());
    let (line, place) = label.map_or((1, "nowhere".to_owned()), |l| line_of(section, project, l.place));
    Found { diagnostic, line, place }
}

/// The second labels of a diagnostic: their lines in the document, and what they say.
fn notes<'a>(
    section: &'a Section,
    project: &'a Project,
    diagnostic: &'a Diagnostic,
) -> impl Iterator<Item = (usize, &'a str)> {
    let labels = diagnostic.labels.iter().filter(|l| !l.primary);
    labels.map(|l| (line_of(section, project, l.place).0, l.message.as_str()))
}

fn line_of(section: &Section, project: &Project, place: Place) -> (usize, String) {
    let file: FileId = place.file();
    let lines = section.files.get(file.path()).map(|t| &t.lines);
    let at_line = |line: usize| lines.and_then(|l| l.of_document(line)).unwrap_or(1);
    let Some(text) = project.text(file) else { return (at_line(1), file.path().to_owned()) };
    let offset = if let Place::Span(at) = place { at.span.start as usize } else { 0 };
    let at = LineIndex::new(&text).line_column(&text, offset);
    let place = format!("{}:{}:{}", file.path(), at.line, at.column);
    (at_line(at.line as usize), place)
}

fn graphs(document: &Document, section: &Section, project: &mut Project) -> Vec<String> {
    let mut compiled = project.session.compile();
    let Some(graph) = &mut compiled.graph else {
        return vec![document.says(section.graphs[0].line, "there is no graph")];
    };
    let json = graph.to_canonical_json();
    section.graphs.iter().flat_map(|block| nodes::compare(document, block, &json)).collect()
}

/// What becomes of the resources of the earlier project, a line each: what, which, at what cost.
fn changes(
    document: &Document,
    section: &Section,
    mut files: Vec<File>,
    project: &mut Project,
) -> Vec<String> {
    files
        .extend(section.before.iter().map(|(path, bytes)| File { path: path.clone(), bytes: bytes.clone() }));
    let mut earlier = Project::new(&files, section.env.as_deref());
    let old = earlier.session.compile();
    let (Some(mut old), Some(mut new)) = (old.graph, project.session.compile().graph) else {
        let said = earlier.show(&old.report.diagnostics);
        return vec![document.says(section.changes[0].line, format!("there are no two graphs\n{said}"))];
    };
    let review = Review::new(&mut old, &mut new, &Registry::standard(), &project.session).unwrap();
    let line = |item: &Item| {
        let cost = match item.cost.filter(|_| item.what == What::Change) {
            Some(Cost::Live) => " live",
            Some(Cost::Restart) => " restart",
            _ => "",
        };
        format!("{} {}{cost}\n", item.what.verb(), gops::base::id::shown(item.id()))
    };
    let shown: String = review.items.iter().map(line).collect();
    let differing = section.changes.iter().filter(|block| block.text != shown);
    differing.map(|block| document.says(block.line, literate::diff(&block.text, &shown))).collect()
}

#[test]

fn lang() {
    literate::run("lang", case);
}
