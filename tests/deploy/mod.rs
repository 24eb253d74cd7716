//! The real program on a real disk, with what happens to programs and disks: it is killed at any
//! moment, and any write, sync, rename or removal fails.

mod assigned;
mod broken;
mod disk;
mod kill;
#[cfg(feature = "secret")]
mod sealed;
#[cfg(feature = "secret")]
mod secrets;
mod sim;
mod ssh;
mod sudo;
#[cfg(feature = "secret")]
mod vm;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use gops::handler::SystemRandom;
use gops::state::{SqliteStore, Store as _};

const MODEL: &str = "\
use std::files::Directory
use std::files::TextFile
use std::files::Symlink

slice Note in \"slices/notes\" {
    key name: string
    text: string
    linked: bool = false
}

impl Note {
    Directory { path: \"/notes\" }
    TextFile { path: \"/notes/${name}\", content: text }
}

impl Note when linked {
    Symlink { path: \"/notes/${name}.link\", to: name }
}
";

/// What a project says: by name a text, and whether there is a link.
type Notes = BTreeMap<String, (String, bool)>;

/// A project, its ledger, and the folder that stands for `/`.
struct Lab {
    _folder: tempfile::TempDir,
    project: PathBuf,
    root: PathBuf,
    state: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let lab = Lab { project: at("project"), root: at("root"), state: at("state"), _folder: folder };
        std::fs::write(lab.project.join("gops.toml"), "name = \"lab\"\nid = \"lab\"\nedition = \"2026\"\n")
            .unwrap();
        std::fs::create_dir_all(lab.project.join("model")).unwrap();
        std::fs::write(lab.project.join("model/main.gops"), MODEL).unwrap();
        lab
    }

    /// Makes the project say this.
    fn say(&self, notes: &Notes) {
        let folder = self.project.join("slices/notes");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        for (name, (text, linked)) in notes {
            let yaml = format!("name: {name}\ntext: {text}\nlinked: {linked}\n");
            std::fs::write(folder.join(format!("{name}.yaml")), yaml).unwrap();
        }
    }

    /// The arguments of a command, after the program.
    fn arguments(&self, command: &str) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut all =
            vec!["-C".to_owned(), path(&self.project), "--no-progress".to_owned(), command.to_owned()];
        all.extend(["--root".to_owned(), path(&self.root), "--state".to_owned(), path(&self.state)]);
        if command == "deploy" {
            all.push("--yes".to_owned());
        }
        all
    }

    fn deploy(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gops"));
        command.args(self.arguments("deploy")).stdin(Stdio::null()).output().unwrap()
    }

    /// A deploy to the end does everything, one more has nothing to do, and everything is as the
    /// project says, with nothing beside it.
    fn converges(&self, notes: &Notes, after: &str) {
        let output = self.deploy();
        assert!(output.status.success(), "after {after}: {}", text(&output));
        let again = self.deploy();
        assert!(
            again.status.success() && text(&again).contains("Nothing to do"),
            "after {after}: {}",
            text(&again)
        );
        assert_eq!(self.disk(), wanted(notes), "after {after}");
        // One row each: nothing was made twice.
        let rows = self.claims().0;
        assert_eq!(rows.len(), wanted(notes).len(), "after {after}: {rows:?}");
    }

    /// Nothing is there that the ledger does not know, but what an effect under way has beside
    /// its place.
    fn no_orphans(&self, after: &str) {
        let (rows, intents) = self.claims();
        let known: BTreeSet<&String> = rows.iter().chain(&intents).collect();
        for path in self.disk().into_keys() {
            let name = path.rsplit('/').next().unwrap_or_default();
            let under_way = name.starts_with(".gops-") && !intents.is_empty();
            assert!(under_way || known.contains(&path), "after {after}: {path} is orphaned");
        }
    }

    /// The paths that rows have, and those that open intents have.
    fn claims(&self) -> (Vec<String>, Vec<String>) {
        // The next process would do what SQLite does with the log of a dead one.
        let mut store = SqliteStore::open(&self.state.join("lab"), &SystemRandom).unwrap();
        let ledger = store.load().unwrap();
        let path = |claim: &ecow::EcoString| claim.trim_start_matches("path:").to_owned();
        let rows = ledger.rows.values().flat_map(|row| row.claims.iter().map(path)).collect();
        let intents = ledger.intents.values().flat_map(|intent| intent.row.claims.iter().map(path)).collect();
        (rows, intents)
    }

    /// Everything below the root: the content of files, the ends of links.
    fn disk(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let name = format!("/{}", path.strip_prefix(&self.root).unwrap().display());
                let content = match path.symlink_metadata().unwrap().file_type() {
                    kind if kind.is_dir() => {
                        folders.push(path);
                        String::new()
                    }
                    kind if kind.is_symlink() => path.read_link().unwrap().display().to_string(),
                    _ => std::fs::read_to_string(&path).unwrap(),
                };
                found.insert(name, content);
            }
        }
        found
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What is to be on the disk.
fn wanted(notes: &Notes) -> BTreeMap<String, String> {
    let mut wanted = BTreeMap::new();
    for (name, (text, linked)) in notes {
        wanted.insert("/notes".to_owned(), String::new());
        wanted.insert(format!("/notes/{name}"), text.clone());
        if *linked {
            wanted.insert(format!("/notes/{name}.link"), name.clone());
        }
    }
    wanted
}

/// Numbers that follow from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Other notes than before: some stay, some change, some go, some are new.
    fn notes(&mut self, before: &Notes, of: u64) -> Notes {
        let mut notes = Notes::new();
        for number in 0..of {
            let name = format!("n{number}");
            match (self.below(4), before.get(&name)) {
                (0, _) => {}
                (1, Some(same)) => {
                    notes.insert(name, same.clone());
                }
                _ => {
                    notes.insert(name, (format!("text {}", self.below(1000)), self.below(3) == 0));
                }
            }
        }
        notes
    }
}

/// A count from the environment, for long runs.
fn count(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}
