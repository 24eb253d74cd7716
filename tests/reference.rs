//! The reference is generated from the program: `docs/reference/cli.md` from the command line,
//! `docs/reference/diagnostics.md` from the registry of codes, `docs/reference/stdlib.md` from the
//! prelude and the standard library, `docs/reference/language.md` from the literate tests of the
//! language. `UPDATE=1` writes them.

use std::fmt::Write as _;

use gops::diag::render::severity_word;
use gops::diag::{Code, REGISTRY};

use crate::harness::literate;

const GENERATED: &str = "<!-- Generated: `UPDATE=1 cargo test --test all reference` writes this file. -->\n";

#[track_caller]
fn is_current(name: &str, text: &str) {
    let path = format!("{}/docs/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if there == text {
        return;
    }
    if literate::updates() {
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{path}: {e}"));
        return;
    }
    panic!("docs/reference/{name} is not current (UPDATE=1 writes it):\n{}", literate::diff(&there, text));
}

/// What `--help` says, without the global options but once.
fn cli() -> String {
    let mut out = format!("# The command line\n\n{GENERATED}\n");
    let mut command = gops::cli::command().term_width(100).color(clap::ColorChoice::Never);
    command.build();
    let _ = write!(out, "```text\n{}```\n", help(&mut command));
    let shown = command.get_subcommands().filter(|c| !c.is_hide_set());
    let subcommands: Vec<String> = shown.map(|c| c.get_name().to_owned()).collect();
    for name in subcommands.iter().filter(|n| *n != "help") {
        let sub = command.find_subcommand_mut(name).expect("a name of the list");
        let text = help(sub);
        let (start, end) = global_options(&text);
        let _ = write!(out, "\n## gops {name}\n\n```text\n{}{}```\n", &text[..start], &text[end..]);
    }
    out
}

fn help(command: &mut clap::Command) -> String {
    let text = command.render_long_help().to_string();
    text.lines().map(|l| format!("{}\n", l.trim_end())).collect()
}

/// Where a text has them: they are the same everywhere.
fn global_options(text: &str) -> (usize, usize) {
    let Some(start) = text.find("Global options:\n") else { return (0, 0) };
    let after = text[start..].find("\n\nExamples:").map_or(text.len(), |at| start + at + 2);
    (start, after)
}

const LAYERS: [&str; 10] = [
    "G01xx: models do not parse",
    "G02xx: YAML and JSON documents",
    "G03xx: names and declarations",
    "G04xx: types of models",
    "G05xx: instances and their schema",
    "G06xx: evaluation",
    "G07xx: the graph",
    "G08xx: gops.toml, files and folders",
    "G09xx: lints",
    "G10xx: history, and what is written back",
];

fn diagnostics() -> String {
    let mut out = format!("# Diagnostics\n\n{GENERATED}\n`gops explain CODE` prints what is written here.\n");
    assert_eq!(LAYERS.len(), REGISTRY.len(), "a layer of codes has no title");
    for (title, table) in LAYERS.iter().zip(REGISTRY) {
        if table.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {title}\n\n| code | name | | |\n|---|---|---|---|\n");
        for info in *table {
            let anchor = format!("{}-{}", info.id.to_lowercase(), info.name);
            let word = severity_word(info.severity);
            let summary = info.summary.replace('|', "\\|");
            let _ = writeln!(out, "| [{}](#{anchor}) | {} | {word} | {summary} |", info.id, info.name);
        }
    }
    for code in Code::all() {
        // The headings of a page, two levels down.
        let mut fenced = false;
        out.push('\n');
        for line in code.info().page.lines() {
            fenced ^= line.starts_with("```");
            let deeper = if line.starts_with('#') && !fenced { "##" } else { "" };
            let _ = writeln!(out, "{deeper}{line}");
        }
    }
    out
}

#[test]
fn reference_of_the_command_line() {
    is_current("cli.md", &cli());
}

#[test]
fn reference_of_diagnostics() {
    is_current("diagnostics.md", &diagnostics());
}

/// The literate tests as one text: each says what holds, and its examples are run.
fn language() -> String {
    let folder = format!("{}/tests/lang", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut out = format!("# The language\n\n{GENERATED}");
    out += "\nEvery example here is compiled by the tests, the mistakes in it at the lines whose comments name\n\
            them. The grammar is [`grammar/gops.ebnf`](../../grammar/gops.ebnf).\n";
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "md")) {
        out.push('\n');
        let mut fenced = false;
        for line in std::fs::read_to_string(file).unwrap().lines() {
            fenced ^= line.starts_with("```");
            let deeper = if line.starts_with('#') && !fenced { "#" } else { "" };
            let _ = writeln!(out, "{deeper}{line}");
        }
    }
    out
}

/// The prelude, then each module of the standard library with its items as they are declared.
fn library() -> String {
    let mut out = format!("# The standard library\n\n{GENERATED}");
    out += "\n## The prelude\n\nFunctions that every module sees, called as methods: `xs.len()`. Those with a receiver may be\n\
            called as functions too: `len(xs)`. Single capitals stand for types, `seq<T>` for a list or a set;\n\
            `a?` may be left out.\n\n| function | what it does | example |\n|---|---|---|\n";
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for row in gops::model::prelude::BUILTINS {
        let _ = writeln!(out, "| `{}` | {} | `{}` |", cell(row.signature), cell(row.docs), cell(row.example));
    }
    for (name, text) in gops::project::stdlib::modules() {
        let module = name.trim_end_matches(".gops");
        let parse = gops::syntax::parse(gops::base::FileId::new(&format!("std:{name}")), text);
        assert!(parse.diagnostics.is_empty(), "{name}");
        let _ = write!(out, "\n## std::{module}\n\n{}\n", parse.module.docs.lines.join("\n"));
        for item in &parse.module.items {
            use gops::syntax::ast::ItemKind;
            if matches!(item.kind, ItemKind::Use(_) | ItemKind::Test(_)) {
                continue;
            }
            assert!(!item.docs.lines.is_empty(), "{name}: an item without documentation");
            let _ = write!(
                out,
                "\n{}\n\n```gops\n{}\n```\n",
                item.docs.lines.join("\n"),
                &text[item.span.range()]
            );
        }
    }
    out
}

#[test]
fn reference_of_the_language() {
    is_current("language.md", &language());
}

#[test]
fn reference_of_the_library() {
    is_current("stdlib.md", &library());
}
