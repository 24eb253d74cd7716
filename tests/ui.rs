//! What people see: `tests/ui/*.md`, a mistake each, with the exact text that is shown.
//!
//! And what the registry of codes promises: a case here for each code, and a page whose
//! failing example fails and whose fixed one does not.

use gops::diag::Code;

use crate::harness::checking::Project;
use crate::harness::literate::{self, Block, Document, File, Part};

/// The files of a case, and the block with what is shown.
fn read(document: &Document) -> Result<(Vec<File>, &Block), String> {
    let mut files = Vec::new();
    let mut out = None;
    for block in document.blocks() {
        if block.words == ["text", "out"] {
            if out.replace(block).is_some() {
                return Err(document.says(block.line, "a second ```text out block: a case has one"));
            }
        } else {
            files.push(literate::file(block).map_err(|e| document.says(block.line, e))?);
        }
    }
    let missing = || document.says(1, "no ```text out block: add an empty one and run with UPDATE=1");
    Ok((files, out.ok_or_else(missing)?))
}

fn case(document: &Document) -> Result<Option<String>, String> {
    let (files, out) = read(document)?;
    let mut project = Project::new(&files, None);
    let found = project.check();
    let shown = project.show(&found);
    // What ends with an empty line would look odd in a block.
    let shown = if shown.is_empty() { "no problem\n".to_owned() } else { format!("{}\n", shown.trim_end()) };
    if shown == out.text {
        return Ok(None);
    }
    if literate::updates() {
        return Ok(Some(document.with(&[(out, shown)])));
    }
    let what = format!("what is shown differs (UPDATE=1 writes it):\n{}", literate::diff(&out.text, &shown));
    Err(document.says(out.line, what))
}

#[test]
fn ui() {
    literate::run("ui", case);
}

/// Codes without a case: the hundreds of problems that G0113 comes after would hide it (its page
/// gives it), G0809 is about symbolic links and permissions, which files of cases do not have, and
/// G0817 about an option of the command line, G0821 about a fault of gops. Those of
/// [`ELSEWHERE`] are not among them either.
const WITHOUT_CASE: [&str; 4] = ["G0113", "G0809", "G0817", "G0821"];

/// Codes about another version of the project, or about what a command writes: transcripts in
/// tests/cli show them.
const ELSEWHERE: [&str; 12] = [
    "G0827", "G1001", "G1020", "G1042", "G1043", "G1044", "G1060", "G1061", "G1062", "G1063", "G1064",
    "G1065",
];

#[test]
fn every_code_has_a_case() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui");
    let mut texts = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let document = Document::parse(&name, &std::fs::read_to_string(&path).unwrap()).unwrap();
        document.blocks().filter(|b| b.words == ["text", "out"]).for_each(|b| texts.push_str(&b.text));
    }
    let missing: Vec<Code> = Code::all()
        .filter(|c| !WITHOUT_CASE.contains(&c.id()) && !ELSEWHERE.contains(&c.id()))
        .filter(|c| !texts.contains(&format!("[{}]", c.id())))
        .collect();
    if literate::updates() {
        missing.iter().for_each(|code| begin(*code));
        return;
    }
    let missing: Vec<String> = missing.iter().map(|c| format!("{} {}", c.id(), c.info().name)).collect();
    assert!(
        missing.is_empty(),
        "no case in tests/ui shows these codes (UPDATE=1 makes one of each page's example):\n  {}\n",
        missing.join("\n  ")
    );
}

/// Makes a case of the failing example of a code's page.
fn begin(code: Code) {
    let Ok(document) = Document::parse("a page", code.info().page) else { return };
    let mut text = format!("# {}\n", capitalised(code.info().summary));
    let mut section = String::new();
    for part in &document.parts {
        match part {
            Part::Heading(_, title) => section.clone_from(title),
            Part::Block(block) if section == "Fails" => {
                text += &format!("\n```{}\n{}```\n", block.words.join(" "), block.text);
            }
            Part::Block(_) => {}
        }
    }
    text += "\n```text out\n```\n";
    let document = Document::parse("a page", &text).expect("it was parsed before");
    let Ok((files, out)) = read(&document) else { return };
    let mut project = Project::new(&files, None);
    let found = project.check();
    if !found.iter().any(|d| d.code == code) {
        return;
    }
    let shown = format!("{}\n", project.show(&found).trim_end());
    let text = document.with(&[(out, shown)]);
    let path = format!("{}/tests/ui/{}-{}.md", env!("CARGO_MANIFEST_DIR"), code.id(), code.info().name);
    std::fs::write(&path, text).unwrap_or_else(|e| panic!("{path}: {e}"));
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

#[test]
fn codes_are_well_formed() {
    let all: Vec<Code> = Code::all().collect();
    let mut names: Vec<&str> = all.iter().map(|c| c.info().name).collect();
    names.sort_unstable();
    let twice: Vec<&[&str]> = names.windows(2).filter(|w| w[0] == w[1]).collect();
    assert!(twice.is_empty(), "two codes of one name: {twice:?}");
    for pair in all.windows(2) {
        assert!(pair[0].id() < pair[1].id(), "{} stands before {}", pair[0].id(), pair[1].id());
    }
    for code in all {
        let info = code.info();
        let digits =
            info.id.strip_prefix('G').is_some_and(|d| d.len() == 4 && d.bytes().all(|b| b.is_ascii_digit()));
        assert!(digits, "{}: an id is G and four digits", info.id);
        let kebab = info.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(kebab, "{}: `{}`: a name is of small letters, digits and `-`", info.id, info.name);
    }
}

/// The files of the two examples of a page.
fn page(code: Code) -> Result<(Vec<File>, Vec<File>), String> {
    let info = code.info();
    let path = format!("crates/syntax/src/diag/pages/{}.md", info.id);
    let document = Document::parse(&path, info.page)?;
    let title = format!("# {} {}", info.id, info.name);
    if info.page.lines().next() != Some(&title) {
        return Err(document.says(1, format!("a page starts with `{title}`")));
    }
    let (mut section, mut fails, mut fixed) = (String::new(), Vec::new(), Vec::new());
    for part in &document.parts {
        match part {
            Part::Heading(_, text) => section.clone_from(text),
            Part::Block(block) => match section.as_str() {
                "Fails" => fails.push(literate::file(block).map_err(|e| document.says(block.line, e))?),
                "Fixed" => fixed.push(literate::file(block).map_err(|e| document.says(block.line, e))?),
                _ => {}
            },
        }
    }
    if fails.is_empty() || fixed.is_empty() {
        return Err(document.says(1, "a page has an example below `## Fails` and one below `## Fixed`"));
    }
    Ok((fails, fixed))
}

fn examples(code: Code) -> Result<(), String> {
    let (fails, fixed) = page(code)?;
    let path = format!("crates/syntax/src/diag/pages/{}.md", code.id());
    let mut project = Project::new(&fails, None);
    let found = project.check();
    if !found.iter().any(|d| d.code == code) {
        return Err(format!(
            "{path}: what is below `## Fails` does not give {}:\n{}",
            code.id(),
            project.show(&found)
        ));
    }
    let mut project = Project::new(&fixed, None);
    let found = project.check();
    if !found.is_empty() {
        return Err(format!("{path}: what is below `## Fixed` is not clean:\n{}", project.show(&found)));
    }
    Ok(())
}

#[test]
fn pages() {
    let wanted = std::env::var("CASE").unwrap_or_default();
    // A file that is no UTF-8, one of many MiB, a symbolic link and a command line cannot stand on a
    // page, nor can what is a fault of gops.
    let without_example = ["G0203", "G0215", "G0217", "G0809", "G0817", "G0821"];
    let codes = Code::all().filter(|c| !without_example.contains(&c.id()) && !ELSEWHERE.contains(&c.id()));
    let codes = codes.filter(|c| c.id().contains(&wanted));
    let failed: Vec<String> = codes.filter_map(|code| examples(code).err()).collect();
    assert!(failed.is_empty(), "\n{}\n{} pages are not right\n", failed.join("\n"), failed.len());
}
