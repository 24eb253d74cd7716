//! Secrets leave nothing behind: a deploy with canaries in the place of secrets, and then every byte
//! that gops wrote, said or started anything with is searched for them.

// What could not be looked at is for who runs it.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use regex::bytes::Regex;
use sha2::{Digest as _, Sha256};

/// What is common to all of them.
pub(super) const CANARY: &str = "canary-KqzWvXjy-";

const MODEL: &str = r#"
use std::files::FileBlock
use std::files::FileLine
use std::files::IniKeys
use std::files::JsonKeys
use std::files::TextFile

slice App in "apps" {
    key name: string
    password: secret<string>
    pin: secret<string>
    wait: duration = 90s
    folder: string = "/srv"
}

impl App {
    TextFile { path: "${folder}/${name}.password", content: password, mode: 0o600 }
    TextFile {
        path: "${folder}/${name}.conf"
        content: "user=${name} wait=${wait}\npassword=${password}\nbase64=${password.base64()}\n"
        mode: 0o600
    }
    TextFile { path: "${folder}/${name}.pin", content: pin, mode: 0o600 }
    FileBlock { path: "${folder}/shared", name, content: "token ${password}", create: 0o600 }
    FileLine { path: "${folder}/lines", name, line: "pin ${pin}", create: 0o600 }
    JsonKeys { path: "${folder}/keys.json", values: { port: 80 }, secrets: { auth: { password: password }, pins: [pin] }, create: 0o600 }
    IniKeys { path: "${folder}/keys.ini", values: {}, secrets: { auth: { password: password } }, create: 0o600 }
}
"#;

const FILES: [(&str, &str); 3] = [
    ("srv/a.conf", "user=a wait=1m30s\npassword=PASSWORD\nbase64=BASE64\n"),
    ("srv/a.password", "PASSWORD"),
    ("srv/a.pin", "PIN"),
];

/// Of files with parts what stands in them.
const PARTS: [(&str, &str); 4] = [
    ("srv/shared", "\ntoken PASSWORD\n# gops end a\n"),
    ("srv/lines", "pin PIN\n"),
    (
        "srv/keys.json",
        "{\n  \"port\": 80,\n  \"auth\": {\"password\": \"PASSWORD\"},\n  \"pins\": [\"PIN\"]\n}\n",
    ),
    ("srv/keys.ini", "[auth]\npassword = PASSWORD\n"),
];

struct Lab {
    _folder: tempfile::TempDir,
    at: PathBuf,
    needles: Vec<(String, Vec<u8>)>,
    search: OnceLock<Regex>,
    traces: bool,
    runs: usize,
}

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/secrets").join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number =
            chunk.iter().chain([&0, &0]).take(3).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        for at in 0..=chunk.len() {
            out.push(DIGITS[(number >> (18 - 6 * at) & 63) as usize] as char);
        }
    }
    out
}

/// All that a text may look like where somebody let it slip.
pub(super) fn forms(text: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = text.as_bytes();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let mut forms = vec![
        ("plain".to_owned(), bytes.to_vec()),
        ("reversed".to_owned(), reversed),
        ("hex".to_owned(), hex(bytes).into_bytes()),
        ("HEX".to_owned(), hex(bytes).to_uppercase().into_bytes()),
        ("sha256".to_owned(), hex(&Sha256::digest(bytes)).into_bytes()),
        ("raw sha256".to_owned(), Sha256::digest(bytes).to_vec()),
        ("short sha256".to_owned(), hex(&Sha256::digest(bytes)).as_bytes()[..16].to_vec()),
    ];
    // Wherever it begins in what is encoded, the digits in the middle are the same.
    for shift in 0..3 {
        let padded = [&b"\0\0"[..shift], bytes].concat();
        let digits = base64(&padded).into_bytes();
        forms.push((format!("base64 at {shift}"), digits[4..digits.len() - 4].to_vec()));
    }
    forms
}

impl Lab {
    fn new(traces: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        for name in ["project/model", "project/apps", "root/srv", "state", "home", "tmp", "said"] {
            std::fs::create_dir_all(at.join(name)).unwrap();
        }
        std::fs::write(at.join("project/gops.toml"), "name = \"lab\"\nid = \"lab\"\nedition = \"2026\"\n")
            .unwrap();
        std::fs::write(at.join("project/model/main.gops"), MODEL).unwrap();
        let needles = forms(CANARY.trim_end_matches('-'));
        let mut lab = Lab { _folder: folder, at, needles, search: OnceLock::new(), traces, runs: 0 };
        for number in 1..=4 {
            for (_, content) in FILES.iter().chain(&PARTS) {
                let canary = format!("{CANARY}{number}");
                let content = fill(content, &canary, &canary);
                lab.needles.extend(forms(&content));
            }
        }
        lab
    }

    /// The instance has this pin in plain, and what is encrypted in this fixture.
    fn say(&self, pin: &str, encrypted: &str) {
        std::fs::write(self.at.join("project/apps/a.yaml"), format!("name: a\npin: {pin}\n")).unwrap();
        std::fs::copy(fixture(encrypted), self.at.join("project/apps/a.sops.yaml")).unwrap();
    }

    /// Runs gops; keeps all that it said, and what it called.
    fn gops(&mut self, arguments: &[&str], key: Option<&str>) -> (i32, String) {
        self.runs += 1;
        let mut command = match self.traces {
            true => {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-y", "-qq", "-v", "-s", "1000000", "-o"]);
                strace.arg(self.at.join(format!("said/{}.calls", self.runs)));
                strace.args([
                    "-e",
                    "trace=execve,write,pwrite64,writev,pwritev,sendto,sendmsg,openat,renameat2",
                ]);
                strace.arg(env!("CARGO_BIN_EXE_gops"));
                strace
            }
            false => Command::new(env!("CARGO_BIN_EXE_gops")),
        };
        command.arg("-C").arg(self.at.join("project")).args(arguments);
        if ["plan", "deploy"].contains(&arguments[0]) {
            command.arg("--root").arg(self.at.join("root")).arg("--state").arg(self.at.join("state"));
        }
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.at.join("home")).env("TMPDIR", self.at.join("tmp"));
        if let Some(key) = key {
            command.env("SOPS_AGE_KEY_FILE", fixture(key));
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        std::fs::write(self.at.join(format!("said/{}.output", self.runs)), &said).unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    /// The files are as the secrets say.
    fn deployed(&self, password: &str, pin: &str) {
        for (path, content) in FILES {
            let found = std::fs::read_to_string(self.at.join("root").join(path)).unwrap();
            assert!(found == fill(content, password, pin), "{path} is something else");
        }
        for (path, content) in PARTS {
            let found = std::fs::read_to_string(self.at.join("root").join(path)).unwrap();
            assert!(found.ends_with(&fill(content, password, pin)), "{path} is something else: {found}");
        }
    }

    /// Nothing has a canary but what it was read from and what was to have it.
    fn search(&self) {
        let mut files = Vec::new();
        for name in ["project", "state", "home", "tmp", "said"] {
            below(&self.at.join(name), &mut files);
        }
        assert!(files.iter().any(|path| path.ends_with("ledger.db")), "{files:?}");
        for path in files.iter().filter(|path| !path.ends_with("project/apps/a.yaml")) {
            let bytes = std::fs::read(path).unwrap();
            match path.extension().is_some_and(|extension| extension == "calls") {
                true => self.search_calls(&String::from_utf8_lossy(&bytes)),
                false => self.search_in(&bytes, &path.display().to_string()),
            }
        }
    }

    /// What was written to the files that are to have the secrets may hold them, and nothing else.
    fn search_calls(&self, calls: &str) {
        let root = format!("<{}/", self.at.join("root").display());
        for call in calls.lines() {
            let writes = ["write(", "pwrite64(", "writev("].iter().any(|name| call.contains(name));
            if !(writes && call.contains(&root)) {
                self.search_in(call.as_bytes(), "a system call");
            }
        }
    }

    fn search_in(&self, bytes: &[u8], place: &str) {
        let Some(found) = self.needles().find(bytes) else { return };
        let form = self.needles.iter().find(|(_, needle)| needle == found.as_bytes());
        let form = form.map_or("something", |(form, _)| form);
        panic!("{place} has a canary, as {form}: {}", String::from_utf8_lossy(bytes));
    }

    /// All that is looked for at once.
    fn needles(&self) -> &Regex {
        self.search.get_or_init(|| {
            let escaped =
                |needle: &[u8]| needle.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
            let all: Vec<String> = self.needles.iter().map(|(_, needle)| escaped(needle)).collect();
            Regex::new(&format!("(?-u){}", all.join("|"))).unwrap()
        })
    }
}

fn fill(content: &str, password: &str, pin: &str) -> String {
    let filled = content.replace("PASSWORD", password).replace("PIN", pin);
    filled.replace("BASE64", &base64_padded(password))
}

fn base64_padded(text: &str) -> String {
    let mut digits = base64(text.as_bytes());
    while !digits.len().is_multiple_of(4) {
        digits.push('=');
    }
    digits
}

pub(super) fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { below(&path, files) } else { files.push(path) }
    }
}

pub(super) fn can_trace() -> bool {
    let run = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    run.is_ok_and(|output| output.status.success())
}

#[test]
fn a_needle_is_found_in_any_form() {
    let lab = Lab::new(false);
    for text in [
        "x canary-KqzWvXjy y".to_owned(),
        base64(b"password=canary-KqzWvXjy-1"),
        base64(b"assword=canary-KqzWvXjy-1"),
        base64(b"ssword=canary-KqzWvXjy-1"),
        hex(b"xcanary-KqzWvXjy"),
        "1-yjXvWzqK-yranac".to_owned(),
        hex(&Sha256::digest(b"canary-KqzWvXjy-1")),
    ] {
        let found = std::panic::catch_unwind(|| lab.search_in(text.as_bytes(), "it"));
        assert!(found.is_err(), "{text}");
    }
    lab.search_in(b"canary", "it");
}

#[test]
fn secrets_are_applied_and_leave_nothing_behind() {
    let traces = can_trace();
    if !traces {
        println!("system calls are not looked at: strace is not installed, or may not trace here");
    }
    let mut lab = Lab::new(traces);
    let (first, second) = (format!("{CANARY}1"), format!("{CANARY}2"));
    let (pin, other_pin) = (format!("{CANARY}3"), format!("{CANARY}4"));
    let key = Some("keys/age-1");

    // What needs no key needs none.
    lab.say(&pin, "canary/one.sops.yaml");
    for arguments in [&["check"][..], &["compile", "-o", "graph.json"], &["plan"], &["plan", "--json"]] {
        let (code, said) = lab.gops(arguments, None);
        assert_eq!(code, 0, "{arguments:?}: {said}");
    }
    // Without the key what is encrypted is left, and said by its file; all else is done.
    let (code, said) = lab.gops(&["deploy", "--yes"], None);
    assert!(code != 0 && said.contains("no key is there to open `apps/a.sops.yaml`"), "{said}");
    assert!(said.contains("2 created"), "{said}");
    let (code, said) = lab.gops(&["deploy", "--yes"], Some("keys/age-2"));
    assert!(code != 0 && said.contains("none of the keys opens `apps/a.sops.yaml`"), "{said}");
    let (code, said) = lab.gops(&["deploy", "--yes"], key);
    assert_eq!(code, 0, "{said}");
    lab.deployed(&first, &pin);

    // Nothing to do needs no key.
    let (code, said) = lab.gops(&["deploy", "--yes"], None);
    assert!(code == 0 && said.contains("Nothing to do"), "{said}");

    // A plain one changes, which the graph does not tell; then an encrypted one.
    lab.say(&other_pin, "canary/one.sops.yaml");
    let (_, said) = lab.gops(&["plan"], None);
    assert!(said.contains("content: (secret changed)") && said.contains("3 to change"), "{said}");
    lab.say(&other_pin, "canary/two.sops.yaml");
    let (_, said) = lab.gops(&["plan"], None);
    assert!(said.contains("7 to change"), "{said}");
    let (code, said) = lab.gops(&["deploy", "--yes", "--json"], key);
    assert_eq!(code, 0, "{said}");
    lab.deployed(&second, &other_pin);

    // Somebody writes into a file; it is mended, and what stood there is not told.
    std::fs::write(lab.at.join("root/srv/a.password"), format!("{first} of old")).unwrap();
    let (_, said) = lab.gops(&["plan"], None);
    assert!(said.contains("content: (secret changed)"), "{said}");
    let (code, said) = lab.gops(&["deploy", "--yes"], key);
    assert_eq!(code, 0, "{said}");
    lab.deployed(&second, &other_pin);

    // What was damaged is refused by name.
    lab.say(&pin, "canary/damaged.sops.yaml");
    let (code, said) = lab.gops(&["deploy", "--yes"], key);
    let expected =
        "`apps/a.sops.yaml` is damaged: the value at `/password` was changed or put there from elsewhere";
    assert!(code != 0 && said.contains(expected), "{said}");

    // A place where nothing can be made, and then nothing is wanted any more.
    lab.say(&pin, "canary/one.sops.yaml");
    let instance = lab.at.join("project/apps/a.yaml");
    std::fs::write(&instance, format!("name: a\npin: {pin}\nfolder: /none\n")).unwrap();
    let (code, said) = lab.gops(&["deploy", "--yes"], key);
    assert!(code != 0 && said.contains("the directory `/none` does not exist"), "{said}");
    std::fs::remove_file(&instance).unwrap();
    std::fs::remove_file(lab.at.join("project/apps/a.sops.yaml")).unwrap();
    let (code, said) = lab.gops(&["deploy", "--yes"], None);
    assert_eq!(code, 0, "{said}");
    assert_eq!(std::fs::read_dir(lab.at.join("root/srv")).unwrap().count(), 0, "{said}");
    lab.search();
}
