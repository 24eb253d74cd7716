//! Entries that are written into files that people wrote, byte by byte.
//!
//! `tests/data/write_back/NAME.yaml` is a file, `NAME.edit` what is inserted where, and
//! `NAME.out.yaml` what becomes of it; `NAME.refused` says why nothing does. `UPDATE=1` writes
//! the outcomes, for a person to read.

use std::fmt::Write as _;
use std::path::Path;

use gops::data::edit::{Format, Source, apply};
use gops::data::insert::{Insertion, insert};
use gops::data::{Document, Limits, NodeKind, Parsed, parse_json, parse_yaml_documents};

use super::file;

struct Edit {
    at: String,
    key: String,
    value: Document,
    after: Option<String>,
    document: usize,
}

fn edit(text: &str) -> Edit {
    let line = |name: &str| {
        let prefix = format!("{name}: ");
        text.lines().find_map(|l| l.strip_prefix(&prefix)).map(str::to_owned)
    };
    let value = parse_json(file(), line("value").unwrap().as_bytes(), &Limits::default());
    Edit {
        at: line("at").unwrap_or_default(),
        key: line("key").unwrap(),
        value: value.document.unwrap(),
        after: line("after"),
        document: line("document").map_or(0, |n| n.parse().unwrap()),
    }
}

fn parse(format: Format, bytes: &[u8]) -> Vec<Parsed> {
    match format {
        Format::Yaml => parse_yaml_documents(file(), bytes, &Limits::default()),
        Format::Json => vec![parse_json(file(), bytes, &Limits::default())],
    }
}

/// The node at the end of a path of keys and numbers.
fn find(document: &Document, path: &str) -> u32 {
    path.split('/').filter(|p| !p.is_empty()).fold(Document::ROOT, |node, part| match document.value(node) {
        NodeKind::Sequence(_) => document.children(node).nth(part.parse().unwrap()).unwrap(),
        _ => document.get(node, part).unwrap_or_else(|| panic!("no {part} in {path}")),
    })
}

/// What is to be inserted in a file; the outcome, or why there is none.
fn outcome(format: Format, bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, String> {
    let parsed = parse(format, bytes);
    let document = parsed[edit.document].document.as_ref().expect("the file parses");
    let mapping = find(document, &edit.at);
    let after = edit.after.as_ref().map(|key| document.get(mapping, key).expect("the neighbour is there"));
    let insertion = Insertion { mapping, key: edit.key.as_str().into(), value: edit.value.clone(), after };
    let limits = Limits::default();
    let source = Source { file: file(), format, bytes, limits: &limits, document: edit.document };
    let edits = insert(source, &insertion).map_err(|refused| refused.to_string())?;
    assert!(edits.iter().all(|edit| edit.span.is_empty()), "only inserted: {edits:?}");
    let changed = apply(bytes, &edits).unwrap();
    // Said by the definition of an insertion, not by the code that looks at it too.
    let after = parse(format, &changed);
    assert_eq!(after.len(), parsed.len());
    for (number, (before, after)) in parsed.iter().zip(&after).enumerate() {
        let (before, after) = (before.document.as_ref().unwrap(), after.document.as_ref().unwrap());
        if number == edit.document {
            let mapping = find(after, &edit.at);
            let entry = after.get(mapping, &edit.key).expect("the entry is there");
            assert_eq!(without(after, entry, mapping), *before);
        } else {
            assert_eq!(before, after);
        }
    }
    Ok(changed)
}

/// A document without an entry of a mapping.
fn without(document: &Document, entry: u32, mapping: u32) -> Document {
    let end = document.node(entry).end;
    let mut nodes = document.nodes.clone();
    nodes.drain(entry as usize..end as usize);
    for node in &mut nodes {
        if node.end >= end {
            node.end -= end - entry;
        }
    }
    if let NodeKind::Mapping(count) = &mut nodes[mapping as usize].value {
        *count -= 1;
    }
    Document { nodes }
}

#[test]
fn files_that_people_wrote_keep_every_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/write_back");
    let update = std::env::var_os("UPDATE").is_some();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".edit").map(str::to_owned))
        .collect();
    names.sort();
    let mut failed = String::new();
    let (mut yaml, mut refused) = (0, 0);
    for name in &names {
        let at = |end: &str| folder.join(format!("{name}{end}"));
        let (format, extension) =
            if at(".yaml").exists() { (Format::Yaml, "yaml") } else { (Format::Json, "json") };
        yaml += usize::from(format == Format::Yaml);
        let bytes = std::fs::read(at(&format!(".{extension}"))).unwrap();
        let edit = edit(&std::fs::read_to_string(at(".edit")).unwrap());
        let (end, made) = match outcome(format, &bytes, &edit) {
            Ok(changed) => (format!(".out.{extension}"), changed),
            Err(why) => {
                refused += 1;
                (".refused".to_owned(), format!("{why}\n").into_bytes())
            }
        };
        if update {
            std::fs::write(at(&end), &made).unwrap();
        }
        match std::fs::read(at(&end)) {
            Ok(wanted) if wanted == made => {}
            Ok(wanted) => {
                let (wanted, made) = (String::from_utf8_lossy(&wanted), String::from_utf8_lossy(&made));
                let _ = writeln!(failed, "{name}: wanted {wanted:?}\n   and got {made:?}");
            }
            Err(_) => {
                let _ = writeln!(failed, "{name}{end} is missing: {:?}", String::from_utf8_lossy(&made));
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
    assert!(yaml >= 60, "{yaml} files of YAML");
    assert!(refused < 8, "{refused} refused");
}
