//! What docs/ci.md tells people to put into their jobs is run in a real repository, as a job sees
//! it: a clone, detached, with the variables that the service sets. What talks to the service's
//! API cannot run here; the shell must at least be able to read it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A script of the page: a block, or what a job of a block runs.
struct Script {
    /// The line of the page.
    line: usize,
    text: String,
}

/// Every `sh` block, every `run:` and every item of `script:` and `after_script:`.
fn scripts(page: &str) -> Vec<Script> {
    let mut found = Vec::new();
    let lines: Vec<&str> = page.lines().collect();
    let mut block = None;
    let mut at = 0;
    while at < lines.len() {
        let text = lines[at].trim_start();
        let indent = lines[at].len() - text.len();
        match (block, text.strip_prefix("```")) {
            (None, Some(language)) => block = Some(language.split(' ').next().unwrap_or_default()),
            (Some(_), Some(_)) => block = None,
            (Some("sh"), None) => found.push(Script { line: at + 1, text: text.to_owned() }),
            (Some("yaml"), None) => {
                let item = text.trim_start_matches("- ");
                let run = item.strip_prefix("run: ");
                let run = run.or_else(|| Some(item).filter(|i| i.starts_with("gops ") || *i == "|"));
                match run {
                    Some("|") => {
                        let inside = |l: &&&str| l.len() - l.trim_start().len() > indent;
                        let body: Vec<&str> = lines[at + 1..].iter().take_while(inside).copied().collect();
                        found.push(Script { line: at + 1, text: body.join("\n") });
                        at += body.len();
                    }
                    Some(run) => found.push(Script { line: at + 1, text: run.to_owned() }),
                    None => {}
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

struct Place {
    _temporary: tempfile::TempDir,
    home: PathBuf,
}

impl Place {
    fn sh(&self, folder: &Path, script: &str) -> Output {
        let bin = Path::new(env!("CARGO_BIN_EXE_gops")).parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let base = ["rev-parse", "-q", "--verify", "origin/main"];
        let base = Command::new("git").arg("-C").arg(folder).args(base).output().unwrap();
        let base = String::from_utf8_lossy(&base.stdout).trim().to_owned();
        Command::new("sh")
            .args(["-ec", script])
            .current_dir(folder)
            .env_clear()
            .envs([
                ("PATH", path.as_str()),
                ("GITHUB_BASE_REF", "main"),
                ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
            ])
            .env("HOME", &self.home)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn works(&self, folder: &Path, script: &str) -> String {
        let output = self.sh(folder, script);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{script}\n{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

/// Two repositories: what the service has, and what a job has checked out of it.
fn clone() -> (Place, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let home = temporary.path().join("home");
    let (server, job) = (temporary.path().join("server"), temporary.path().join("job"));
    for folder in [&home, &server] {
        std::fs::create_dir(folder).unwrap();
    }
    let place = Place { _temporary: temporary, home };
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/network/.");
    place.works(
        &server,
        &format!(
            "git config --global user.name t; git config --global user.email t@example.org
             cp -r {examples} .; git init -q -b main; git add -A; git commit -qm first
             git checkout -q -b topic; git rm -q slices/vlans/voice.yaml
             sed -i 's/, voice//' slices/switches/*.yaml; git commit -qam 'no phones'
             git checkout -q main; git clone -q . ../job"
        ),
    );
    place.works(&job, "git checkout -q --detach origin/topic");
    (place, job)
}

#[test]
fn what_the_page_says_works() {
    let page = include_str!("../docs/ci.md");
    let (place, job) = clone();
    let mut ran = 0;
    for Script { line, text } in scripts(page) {
        let read = place.sh(&job, &format!("cat <<'END' | sh -n\n{text}\nEND"));
        assert!(read.status.success(), "docs/ci.md:{line}: {}", String::from_utf8_lossy(&read.stderr));
        if !text.starts_with("gops ") {
            continue;
        }
        ran += 1;
        if text.contains("--env prod") {
            place.works(&job, "printf '[environments]\\nprod = {}\\n' >> gops.toml");
        }
        if text.starts_with("gops sync") {
            activated(&place, &job, &text);
            continue;
        }
        let output = place.sh(&job, &text);
        let expected = if text.contains("--exit-code") { 2 } else { 0 };
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected), "docs/ci.md:{line}: {text}\n{said}");
        if let Some((_, file)) = text.split_once("> ") {
            let report = std::fs::read_to_string(job.join(file)).unwrap();
            let marker =
                format!("<!-- gops review: network{} -->", if file == "prod.md" { " prod" } else { "" });
            assert!(report.starts_with(&marker), "docs/ci.md:{line}: {report}");
            let gone =
                "**delete** `TextFile[path=/srv/network/vlans/voice.conf]` — `Vlan[name=voice]` is gone";
            assert!(file == "prod.md" || report.contains(gone), "docs/ci.md:{line}: {report}");
        }
    }
    assert!(ran >= 9, "only {ran} commands of the page were found");
}

/// What the page says of activation: 2 while something is not activated, 0 once it is, 1 at a mistake,
/// and nothing is ever written.
fn activated(place: &Place, job: &Path, text: &str) {
    let ends = |expected: i32, says: &str| {
        let before = place.works(job, "git status --porcelain -uall");
        let output = place.sh(job, text);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(expected), "{said}");
        assert!(said.contains(says), "{said}");
        assert_eq!(place.works(job, "git status --porcelain -uall"), before);
    };
    place.works(job, "sed -i '1i history = \"active\"' gops.toml");
    ends(2, "would activate: ");
    place.works(job, "gops sync && git add -A && git commit -qm active");
    ends(0, "all is active");
    place.works(job, "sed -i 's/^name: .*/&\\nextra: 1/' slices/switches/*.yaml");
    ends(1, "`extra`");
    place.works(job, "git reset -q --hard HEAD~1");
}

#[test]
fn the_report_is_the_same_every_time() {
    let (place, job) = clone();
    let report = || place.works(&job, "gops compile --base origin/main --format markdown");
    assert_eq!(report(), report());
}
