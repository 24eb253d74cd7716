//! The examples: checked, formatted, deployed into an empty folder, changed, and deployed again.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is done to an example, and what the plan then says.
struct Change {
    file: &'static str,
    /// What is replaced, and by what; None: the file is removed.
    edit: Option<(&'static str, &'static str)>,
    /// Lines of the plan, in order.
    plan: &'static [&'static str],
}

struct Example {
    name: &'static str,
    changes: &'static [Change],
}

const EXAMPLES: &[Example] = &[
    Example {
        name: "sites",
        changes: &[
            Change {
                file: "slices/sites/blog.yaml",
                edit: Some(("  - path: /about.html\n    body: |\n      <h1>About us</h1>\n", "")),
                plan: &["- TextFile[host=web1,path=/srv/www/blog/about.html]"],
            },
            Change {
                file: "slices/sites/wiki.yaml",
                edit: Some(("on: web2", "on: web1\nport: 8081")),
                plan: &[
                    "- Directory[host=web2,path=/srv/www/wiki]",
                    "- TextFile[host=web2,path=/srv/www/wiki/site.conf]",
                    "~ TextFile[host=web1,path=/etc/motd]",
                    "~ TextFile[host=web2,path=/etc/motd]",
                    "+ Directory[host=web1,path=/srv/www/wiki]",
                    "+ TextFile[host=web1,path=/srv/www/wiki/site.conf]",
                ],
            },
            Change {
                file: "slices/sites/shop.yaml",
                edit: None,
                plan: &[
                    "- Directory[host=web1,path=/srv/www/shop]",
                    "- TextFile[host=web1,path=/srv/www/shop/cert.pem]",
                    "- TextFile[host=web1,path=/srv/www/shop/index.html]",
                    "- TextFile[host=web1,path=/srv/www/shop/site.conf]",
                    "~ TextFile[host=web1,path=/etc/motd]",
                ],
            },
        ],
    },
    Example { name: "fs", changes: &[Change { file: "slices/trees/docs.json", edit: None, plan: &["- "] }] },
    Example {
        name: "parts",
        changes: &[
            Change {
                file: "slices/services/web.yaml",
                edit: Some(("log-driver: journald", "log-driver: local")),
                plan: &["~ JsonKeys"],
            },
            Change { file: "slices/services/mail.yaml", edit: None, plan: &["- "] },
        ],
    },
    Example {
        name: "network",
        changes: &[Change { file: "slices/vlans/voice.yaml", edit: Some(("id: 40", "id: 41")), plan: &[] }],
    },
];

/// A copy of an example with a folder to deploy into.
struct Copy {
    _temporary: tempfile::TempDir,
    project: PathBuf,
    root: PathBuf,
    state: PathBuf,
}

impl Copy {
    fn of(name: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let project = temporary.path().join("project");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        super::console::copy(&from, &project).unwrap();
        let (root, state) = (temporary.path().join("root"), temporary.path().join("state"));
        Copy { _temporary: temporary, project, root, state }
    }

    /// Runs gops: its standard output, and whether it ended with 0.
    fn gops(&self, arguments: &[&str]) -> (String, bool) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gops"));
        command.arg("-C").arg(&self.project).args(arguments).env("HOME", &self.state);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let problems = String::from_utf8_lossy(&output.stderr).into_owned();
        (text + &problems, output.status.success())
    }

    #[track_caller]
    fn deploy(&self) -> String {
        let (root, state) = (self.root.display().to_string(), self.state.display().to_string());
        let (text, fine) = self.gops(&["deploy", "--yes", "--root", &root, "--state", &state]);
        assert!(fine, "{text}");
        text
    }

    /// What approves the next deploy, if the guard refuses it.
    fn refused_by_guard(&self) -> Option<String> {
        let (root, state) = (self.root.display().to_string(), self.state.display().to_string());
        let (text, fine) = self.gops(&["deploy", "--yes", "--root", &root, "--state", &state]);
        if fine {
            return None;
        }
        let (_, help) = text.split_once("help:").expect("the guard says what to do");
        let words: Vec<&str> = help.split(['`', ' ', '\n', ',']).filter(|w| !w.is_empty()).collect();
        let after = |name: &str| words.iter().skip_while(|w| **w != name).nth(2).copied().unwrap();
        Some(format!("[[guard.allow]]\nbase = {}\ndeletions = {}\n", after("base"), after("deletions")))
    }

    /// Every file below the root.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match path.is_dir() && !path.is_symlink() {
                    true => walk(&path, root, found),
                    false => found.push(path.strip_prefix(root).unwrap().display().to_string()),
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.root, &self.root, &mut found);
        found.sort();
        found
    }
}

#[test]
fn examples_are_clean() {
    for example in EXAMPLES {
        let copy = Copy::of(example.name);
        for arguments in [&["check"][..], &["fmt", "--check"], &["test"], &["schema"]] {
            let (text, fine) = copy.gops(arguments);
            assert!(fine, "{}: gops {}:\n{text}", example.name, arguments.join(" "));
            assert!(arguments != ["check"] || text.contains("no errors"), "{}: {text}", example.name);
        }
        let compiled = || copy.gops(&["compile", "-o", "-"]).0;
        assert_eq!(compiled(), compiled(), "{}: two compiles differ", example.name);
    }
}

#[test]
fn every_example_is_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().join("gops.toml").is_file())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    there.sort();
    let mut here: Vec<&str> = EXAMPLES.iter().map(|e| e.name).collect();
    here.sort_unstable();
    assert_eq!(there, here);
}

#[test]
fn examples_are_deployed_and_changed() {
    for example in EXAMPLES {
        let copy = Copy::of(example.name);
        let made = copy.deploy();
        assert!(made.contains("to create") && !copy.files().is_empty(), "{}: {made}", example.name);
        assert!(
            copy.deploy().starts_with("Nothing to do"),
            "{}: the second run does something",
            example.name
        );
        for change in example.changes {
            apply(&copy, change);
            let told = copy.deploy();
            let lines: Vec<&str> = told.lines().filter(|l| l.starts_with(['-', '~', '+', '±'])).collect();
            if change.plan.len() > 1 {
                assert_eq!(lines, change.plan, "{}: {}", example.name, change.file);
            }
            assert!(lines.iter().any(|l| l.starts_with(['-', '~'])), "{}: {told}", change.file);
            assert!(
                copy.deploy().starts_with("Nothing to do"),
                "{}: {}: not settled",
                example.name,
                change.file
            );
        }
        removes_all(&copy, example.name);
    }
}

fn apply(copy: &Copy, change: &Change) {
    let path = copy.project.join(change.file);
    match change.edit {
        None => std::fs::remove_file(&path).unwrap(),
        Some((old, new)) => {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(old), "{} does not hold {old:?}", change.file);
            std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
        }
    }
}

/// Without instances no file is left.
fn removes_all(copy: &Copy, name: &str) {
    std::fs::remove_dir_all(copy.project.join("slices")).unwrap();
    // The guard is there to stop just this: it says what approves it.
    if let Some(approval) = copy.refused_by_guard() {
        let config = copy.project.join("gops.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{text}\n{approval}")).unwrap();
    }
    copy.deploy();
    assert_eq!(copy.files(), Vec::<String>::new(), "{name}: something is left behind");
}
