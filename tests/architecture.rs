//! Holds the source to ARCHITECTURE.md: which layer uses which, and what a layer may not do.
//!
//! Each rule is a function from the files to what breaks it, and has a test that gives it
//! files that do, so that a rule that can no longer fail is seen.

#[path = "architecture/scan.rs"]
mod scan;

use std::path::Path as FilePath;

use scan::Path;

/// A file of the source, by its path in the `src/` of its crate.
struct Source {
    /// That `src/`.
    folder: String,
    path: String,
    text: String,
    paths: Vec<Path>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Source {
            folder: "src".to_owned(),
            path: path.to_owned(),
            text: text.to_owned(),
            paths: scan::paths(text),
        }
    }

    /// The path from the root of the repository.
    fn file(&self) -> String {
        format!("{}/{}", self.folder, self.path)
    }

    /// `base` for `base/span.rs`, `lib` for `lib.rs`.
    fn layer(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Whether only tests compile the file.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The paths that a released program contains.
    fn code(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().filter(|p| !p.test && !self.is_test())
    }

    fn breaks(&self, path: &Path, what: impl std::fmt::Display) -> String {
        format!("{}:{}: {what}", self.file(), path.line)
    }
}

/// Each layer, from the bottom, with the layers beside the ones before it that it may use
/// (`Below`: all of them).
enum Uses {
    Below,
    Only(&'static [&'static str]),
}
use Uses::{Below, Only};

const LAYERS: &[(&str, Uses)] = &[
    ("base", Below),
    ("diag", Below),
    ("syntax", Only(&["base", "diag"])),
    ("data", Only(&["base", "diag"])),
    ("db", Below),
    ("model", Below),
    ("types", Below),
    ("eval", Below),
    ("history", Below),
    ("graph", Below),
    ("git", Only(&["base", "diag"])),
    ("secret", Only(&["base", "diag", "data"])),
    ("handler", Below),
    ("agent", Only(&["base", "diag", "graph", "handler"])),
    ("project", Below),
    ("ide", Below),
    ("lsp", Only(&["base", "diag", "ide"])),
    ("state", Below),
    ("deploy", Below),
    ("cli", Below),
    ("main", Only(&["cli"])),
];

/// Uses that stand above in the list and are still none of a layer's business.
const NEVER: &[(&str, &[&str])] = &[
    ("project", &["agent"]),
    ("ide", &["agent"]),
    ("state", &["ide", "lsp", "agent"]),
    ("deploy", &["ide", "lsp"]),
];

/// The layers that are a function of their inputs.
const PURE: &[&str] = &["base", "diag", "syntax", "data", "db", "model", "types", "eval", "history", "graph"];

fn position(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|(name, _)| *name == layer)
}

fn may_use(user: &str, used: &str) -> bool {
    let (Some(from), Some(to)) = (position(user), position(used)) else { return false };
    let never = NEVER.iter().any(|(layer, list)| *layer == user && list.contains(&used));
    let listed = match LAYERS[from].1 {
        Below => to < from,
        Only(list) => list.contains(&used),
    };
    user == used || (listed && !never)
}

/// The layer that a path of `source` names, by `crate::`, `gops::` in the program, or enough
/// `super::`.
fn layer_of<'a>(source: &Source, path: &'a Path) -> Option<&'a str> {
    let names = &path.names;
    let supers = names.iter().take_while(|n| *n == "super").count();
    let folders = source.path.matches('/').count();
    let depth = if source.path.ends_with("mod.rs") { folders } else { folders + 1 };
    let at = match names.first()?.as_str() {
        "crate" => 1,
        "gops" if source.path == "main.rs" => 1,
        "super" if supers >= depth + path.inline => supers,
        _ => return None,
    };
    names.get(at).map(String::as_str).filter(|n| *n != "self")
}

/// A plan is a function: who makes it knows nothing of those who carry it out.
fn planning(sources: &[Source]) -> Vec<String> {
    find(sources, |source, path| {
        let name = path.names.iter().find(|name| !["super", "crate", "deploy"].contains(&name.as_str()))?;
        let above =
            source.path.starts_with("deploy/planning/") && ["engine", "run", "sim"].contains(&name.as_str());
        above.then(|| format!("planning does not use `{name}`"))
    })
}

/// The layers of other crates are named as those of one's own: `crate::base`.
fn crates_by_name(sources: &[Source]) -> Vec<String> {
    find(sources, |source, path| {
        let named = path.names.first().is_some_and(|n| n.starts_with("gops_"));
        (named && source.layer() != "lib").then(|| format!("`{}`: write `crate::…`", path.text()))
    })
}

fn edges(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|s| s.layer() != "lib") {
        for path in &source.paths {
            let Some(used) = layer_of(source, path) else { continue };
            if !may_use(source.layer(), used) {
                broken.push(source.breaks(path, format!("`{}` may not use `{used}`", source.layer())));
            }
        }
    }
    broken
}

/// The folders of the crates are the layers.
fn folders(sources: &[Source]) -> Vec<String> {
    let known = |s: &&Source| s.layer() != "lib" && position(s.layer()).is_none();
    sources.iter().filter(known).map(|s| format!("{}: `{}` is no layer", s.file(), s.layer())).collect()
}

/// Nothing from `base` to `graph` reads or writes but what implements `System`; nothing there
/// knows the time, the environment or chance.
fn no_input_or_output(sources: &[Source]) -> Vec<String> {
    const OUTSIDE: &[&[&str]] = &[
        &["std", "fs"],
        &["std", "env"],
        &["std", "net"],
        &["std", "os"],
        &["std", "process"],
        &["std", "io", "stdin"],
        &["std", "io", "stdout"],
        &["std", "io", "stderr"],
        &["std", "time", "SystemTime"],
        &["std", "time", "Instant"],
        &["SystemTime"],
        &["Instant"],
        &["fs"],
        &["rustix"],
        &["rusqlite"],
        &["notify"],
        &["rand"],
        &["getrandom"],
        &["tempfile"],
        &["ignore", "WalkBuilder"],
        &["ignore", "Walk"],
    ];
    find(sources, |source, path| {
        let outside = OUTSIDE
            .iter()
            .any(|o| path.names.len() >= o.len() && path.names.iter().zip(*o).all(|(a, b)| a == b));
        // Addresses are values; it is sockets that reach out.
        let address = path.names.last().is_some_and(|n| n.ends_with("Addr") || n == "AddrParseError");
        let address = address && path.names.get(1).is_some_and(|n| n == "net");
        let is_field = path.names.len() == 1 && path.names[0] == "fs";
        let implements = source.layer() == "base" && source.text.contains("impl System for");
        (PURE.contains(&source.layer()) && outside && !is_field && !address && !implements).then(|| {
            format!("`{}` reaches outside of the process: only what implements `System` may", path.text())
        })
    })
}

/// Nothing from `base` to `graph` panics on purpose. What cannot fail says so with `expect`.
fn no_panics(sources: &[Source]) -> Vec<String> {
    find(sources, |source, path| {
        let name = path.names.last().map_or("", String::as_str);
        let panics = (path.method && name == "unwrap")
            || (path.bang && ["panic", "todo", "unimplemented"].contains(&name));
        (PURE.contains(&source.layer()) && panics)
            .then(|| format!("`{name}`: return an error, or say in `expect` why it cannot happen"))
    })
}

fn printing(sources: &[Source]) -> Vec<String> {
    const MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];
    find(sources, |source, path| {
        let name = path.names.last().map_or("", String::as_str);
        let allowed = source.path == "cli/ui.rs" || ["lsp", "agent"].contains(&source.layer());
        let prints = path.bang && MACROS.contains(&name);
        let stream = path.names.len() > 1 && ["stdout", "stderr"].contains(&name);
        (!allowed && (prints || stream)).then(|| format!("`{}`: only cli/ui.rs prints", path.text()))
    })
}

/// Libraries that stand behind one part of the program, so that they can be replaced.
const BEHIND: &[(&str, &[&str])] = &[
    ("tokio", &["handler/", "deploy/", "cli/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("miette", &["handler/", "state/", "deploy/", "cli/"]),
    ("ariadne", &["diag/render/human.rs"]),
    ("granit_parser", &["data/yaml.rs", "data/yaml/"]),
    ("jsonc_parser", &["data/json.rs", "data/json/"]),
    ("chumsky", &["syntax/"]),
    ("logos", &["syntax/"]),
    ("rusqlite", &["state/"]),
    ("notify", &["cli/"]),
    ("lsp_server", &["lsp/"]),
    ("lsp_types", &["lsp/"]),
    ("gen_lsp_types", &["lsp/"]),
    ("salsa", &["db/", "model/", "types/", "eval/", "history/", "project/", "ide/"]),
];

fn libraries(sources: &[Source]) -> Vec<String> {
    find(sources, |source, path| {
        let first = path.names.first()?;
        let (_, places) = BEHIND.iter().find(|(library, _)| library == first)?;
        // A lone name is a library only where it is one: `state` may have a field `clap`.
        let is_path = path.names.len() > 1;
        (is_path && !places.iter().any(|p| source.path.starts_with(p)))
            .then(|| format!("`{}`: `{first}` stands behind {}", path.text(), places.join(", ")))
    })
}

fn salsa_inputs(sources: &[Source]) -> Vec<String> {
    find(sources, |source, path| {
        (path.text() == "salsa::input" && source.layer() != "db")
            .then(|| "`salsa::input`: the inputs of the incremental database are in `db`".to_owned())
    })
}

/// A handler is a folder of `handler/`; only the registry, and the handler itself, names it. The
/// simulator drives the world of the one that is in memory.
fn handlers(sources: &[Source]) -> Vec<String> {
    let folder =
        |s: &Source| s.path.strip_prefix("handler/")?.split_once('/').map(|(name, _)| name.to_owned());
    let mut names: Vec<String> = sources.iter().filter_map(folder).collect();
    names.sort();
    names.dedup();
    find(sources, |source, path| {
        let own = folder(source);
        let named = names.iter().find(|n| {
            let after_handler = path.names.windows(2).any(|w| w[0] == "handler" && w[1] == **n);
            let beside = source.layer() == "handler" && path.names.len() > 1 && path.names.contains(n);
            after_handler || beside
        })?;
        let simulated = named == "fake" && source.path.starts_with("deploy/sim/");
        (source.path != "handler/registry.rs" && !simulated && own.as_deref() != Some(named))
            .then(|| format!("`{}`: only handler/registry.rs knows handlers by name", path.text()))
    })
}

fn names(sources: &[Source]) -> Vec<String> {
    const VAGUE: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
    let vague = |s: &&Source| s.path.split(['/', '.']).any(|part| VAGUE.contains(&part));
    sources.iter().filter(vague).map(|s| format!("{}: the name does not say what it is", s.file())).collect()
}

/// The longest that a file may become before it has to be split.
const TOO_LONG: usize = 1000;
/// From here on it is named, so that somebody thinks of it.
const LONG: usize = 600;

fn lengths(sources: &[Source]) -> Vec<String> {
    let lines = |s: &Source| s.text.lines().count();
    let long = sources.iter().filter(|s| lines(s) > TOO_LONG);
    long.map(|s| format!("{}: {} lines: split it", s.file(), lines(s))).collect()
}

/// What `rule` says of each path of each file that is not a test's.
fn find(sources: &[Source], rule: impl Fn(&Source, &Path) -> Option<String>) -> Vec<String> {
    let of = |source| {
        let rule = &rule;
        Source::code(source).filter_map(move |path| Some(source.breaks(path, rule(source, path)?)))
    };
    sources.iter().flat_map(of).collect()
}

type Rule = (&'static str, fn(&[Source]) -> Vec<String>);

const RULES: &[Rule] = &[
    ("the direction of use", edges),
    ("crates by name", crates_by_name),
    ("planning", planning),
    ("the folders", folders),
    ("no input or output", no_input_or_output),
    ("no panics", no_panics),
    ("printing", printing),
    ("libraries behind one part", libraries),
    ("salsa inputs", salsa_inputs),
    ("handlers by name", handlers),
    ("names", names),
    ("lengths", lengths),
];

/// The `src/` of each crate.
const FOLDERS: &[&str] = &["src", "crates/deploy/src", "crates/lang/src", "crates/syntax/src"];

fn read(root: &FilePath, folder: &str, prefix: &str, sources: &mut Vec<Source>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(root.join(folder).join(prefix)).unwrap().map(|e| e.unwrap()).collect();
    entries.sort_by_key(|e| e.file_name());
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            read(root, folder, &format!("{path}/"), sources);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            sources.push(Source { folder: folder.to_owned(), ..Source::new(&path, &text) });
        }
    }
}

#[test]
#[allow(clippy::print_stdout)] // a report, beside the test
fn the_source_keeps_the_architecture() {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        let before = sources.len();
        read(FilePath::new(env!("CARGO_MANIFEST_DIR")), folder, "", &mut sources);
        assert!(sources.len() > before + 2, "the source was not found");
    }
    let crates = std::fs::read_dir(FilePath::new(env!("CARGO_MANIFEST_DIR")).join("crates")).unwrap().count();
    assert_eq!(crates + 1, FOLDERS.len(), "a crate is not looked at");
    let broken: Vec<String> = RULES
        .iter()
        .flat_map(|(name, rule)| rule(&sources).into_iter().map(move |what| format!("{what}   ({name})")))
        .collect();
    for source in &sources {
        let lines = source.text.lines().count();
        if lines > LONG {
            println!("long: {} has {lines} lines", source.file());
        }
    }
    assert!(broken.is_empty(), "ARCHITECTURE.md says otherwise:\n  {}\n", broken.join("\n  "));
}

/// What each rule must refuse, and what it must let pass.
mod rules_can_fail {
    use super::*;

    #[test]
    fn crates_are_not_named() {
        refuses(crates_by_name, "deploy/run.rs", "use gops_syntax::base::Name;");
        passes(crates_by_name, "deploy/run.rs", "use crate::base::Name;");
        passes(crates_by_name, "lib.rs", "pub use gops_syntax::{base, diag};");
    }

    #[track_caller]
    fn refuses(rule: fn(&[Source]) -> Vec<String>, path: &str, text: &str) {
        let broken = rule(&[Source::new(path, text)]);
        assert_eq!(broken.len(), 1, "{path}: {text}: {broken:?}");
        assert!(broken[0].starts_with(&format!("src/{path}:")), "{broken:?}");
    }

    #[track_caller]
    fn passes(rule: fn(&[Source]) -> Vec<String>, path: &str, text: &str) {
        assert_eq!(rule(&[Source::new(path, text)]), Vec::<String>::new(), "{path}: {text}");
    }

    #[test]
    fn planning_knows_no_engine() {
        refuses(planning, "deploy/planning/survey.rs", "use super::super::engine::task::Task;");
        refuses(planning, "deploy/planning/survey.rs", "use crate::deploy::run::Mode;");
        passes(planning, "deploy/planning/survey.rs", "use super::super::target::Targets;");
        passes(planning, "deploy/engine/doing.rs", "use super::super::engine::task::Task;");
    }

    #[test]
    fn direction() {
        refuses(edges, "base/span.rs", "use crate::diag::Code;");
        refuses(edges, "syntax/lexer.rs", "fn f() { crate::data::parse(); }");
        refuses(edges, "data/mod.rs", "use crate::{base::Span, syntax::ast};");
        refuses(edges, "graph/id.rs", "use super::super::deploy::Plan;");
        refuses(edges, "project/mod.rs", "mod tests { use super::super::cli::ui; }");
        refuses(edges, "lsp/mod.rs", "use crate::project::Session;");
        refuses(edges, "git/mod.rs", "use crate::data::Document;");
        refuses(edges, "deploy/plan.rs", "use crate::ide::Hover;");
        refuses(edges, "types/mod.rs", "use crate::elsewhere::X;");
        refuses(edges, "main.rs", "fn main() { gops::deploy::run() }");
        passes(
            edges,
            "graph/id.rs",
            "use crate::{base, eval::Value}; use super::X; mod tests { use super::super::Y; }",
        );
        passes(edges, "main.rs", "fn main() { gops::cli::main() }");
        passes(
            edges,
            "cli/ui.rs",
            "// crate::nothing\nuse crate::deploy::Plan; const X: &str = \"crate::nothing\";",
        );
    }

    #[test]
    fn layout() {
        refuses(folders, "tools/mod.rs", "");
        passes(folders, "base/mod.rs", "");
        refuses(names, "eval/utils.rs", "");
        refuses(names, "common/mod.rs", "");
        passes(names, "eval/commonality.rs", "");
        refuses(lengths, "base/long.rs", &"\n".repeat(TOO_LONG + 1));
        passes(lengths, "base/long.rs", &"\n".repeat(TOO_LONG));
    }

    #[test]
    fn purity() {
        for text in [
            "use std::fs::read;",
            "use std::net::TcpStream;",
            "fn f() { std::env::var(\"X\"); }",
            "use std::time::{Duration, Instant};",
            "fn f() { let now = SystemTime::now(); }",
            "fn f() { fs::read(\"x\"); }",
            "fn f() { rustix::fs::open(); }",
        ] {
            refuses(no_input_or_output, "eval/mod.rs", text);
        }
        refuses(no_input_or_output, "base/name.rs", "use std::fs::read;");
        passes(no_input_or_output, "base/disk.rs", "use std::fs::read; impl System for Disk {}");
        passes(no_input_or_output, "deploy/mod.rs", "use std::fs::read;");
        passes(
            no_input_or_output,
            "eval/mod.rs",
            "use std::time::Duration; use std::net::{IpAddr, AddrParseError}; #[cfg(test)] mod tests { use std::fs::read; }",
        );

        refuses(no_panics, "types/mod.rs", "fn f() { x.unwrap(); }");
        refuses(no_panics, "graph/mod.rs", "fn f() { panic!(\"no\"); }");
        passes(no_panics, "types/mod.rs", "fn f() { x.unwrap_or(1); x.expect(\"an index of this table\"); }");
        passes(no_panics, "types/mod.rs", "#[test] fn f() { x.unwrap(); panic!() }");
        passes(no_panics, "types/check/tests.rs", "fn f() { x.unwrap(); }");
        passes(no_panics, "cli/mod.rs", "fn f() { x.unwrap(); }");
    }

    #[test]
    fn output() {
        refuses(printing, "deploy/mod.rs", "fn f() { println!(\"x\"); }");
        refuses(printing, "cli/check.rs", "fn f() { eprintln!(\"x\"); }");
        refuses(printing, "cli/check.rs", "fn f() { std::io::stdout().lock(); }");
        passes(printing, "cli/ui.rs", "fn f() { println!(\"x\"); std::io::stdout(); }");
        passes(printing, "lsp/mod.rs", "fn f() { eprintln!(\"x\"); }");
    }

    #[test]
    fn what_stands_behind_what() {
        refuses(libraries, "eval/mod.rs", "use tokio::task;");
        refuses(libraries, "syntax/mod.rs", "#[salsa::tracked] fn f() {}");
        refuses(libraries, "graph/mod.rs", "use salsa::Database;");
        refuses(libraries, "handler/mod.rs", "fn f(db: &dyn salsa::Database) {}");
        refuses(libraries, "deploy/mod.rs", "use clap::Parser;");
        refuses(libraries, "data/write.rs", "use granit_parser::Parser;");
        passes(libraries, "data/yaml.rs", "use granit_parser::Parser;");
        passes(libraries, "handler/ssh/mod.rs", "use tokio::task;");

        refuses(salsa_inputs, "model/mod.rs", "#[salsa::input] struct File {}");
        passes(salsa_inputs, "db/mod.rs", "#[salsa::input] struct File {}");
        passes(salsa_inputs, "model/mod.rs", "#[salsa::tracked] fn f() {}");
    }

    #[test]
    fn handlers_are_known_to_the_registry_alone() {
        let file =
            || Source::new("handler/file/mod.rs", "use crate::handler::Handler; use super::file::write;");
        let broken = |path, text| handlers(&[file(), Source::new(path, text)]).len();
        assert_eq!(broken("deploy/mod.rs", "use crate::handler::file::FileHandler;"), 1);
        assert_eq!(broken("handler/mod.rs", "fn f() { file::FileHandler::new(); }"), 1);
        assert_eq!(broken("handler/ssh/mod.rs", "use super::super::file::write;"), 1);
        assert_eq!(broken("handler/mod.rs", "pub mod file; pub mod registry;"), 0);
        assert_eq!(broken("handler/registry.rs", "use super::file::FileHandler;"), 0);
        assert_eq!(broken("deploy/mod.rs", "use crate::handler::{Handler, registry}; let file = 1;"), 0);
    }
}
