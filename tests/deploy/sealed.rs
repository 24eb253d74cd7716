//! Secrets on a host over ssh, with the real sshd: encrypted by the real sops for a real age key, out of the
//! files as they are and out of what was activated, and from generations that the ledger keeps. Then every
//! byte that gops wrote or said, here and there, is searched for them.

// What could not be looked at is for who runs it.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use regex::bytes::Regex;

use super::secrets::{CANARY, below, can_trace, fixture, forms};
use super::ssh::{Sshd, can, gops, keygen};
use super::text;

const MODEL: &str = r#"
use std::files::FileBlock
use std::files::TextFile
use std::host::Host
use std::host::Transport
use std::net::Port

slice App in "apps" {
    key name: string
    port: Port
    identity_file: string
    host_key: string
    password: secret<string>
}

impl App {
    let host = Host { name, transport: ssh { address: "127.0.0.1", port, identity_file, host_key } }
    TextFile { host, path: "/app.conf", content: "password=${password}\n", mode: 0o600 }
    FileBlock { host, path: "/shared", name: "app", content: "token ${password}", create: 0o600 }
}

// What it takes to say goodbye is what it had.
impl App when deleted(self) {
    let transport = Transport.ssh {
        address: "127.0.0.1"
        port: previous(self.port) ?? 22
        identity_file: previous(self.identity_file)
        host_key: previous(self.host_key)
    }
    TextFile {
        host: Host { name: "goodbye", transport }
        path: "/goodbye"
        content: "logged out with ${previous(self.password) ?? ""}\n"
        mode: 0o600
    }
}
"#;

struct Lab {
    _folder: tempfile::TempDir,
    at: PathBuf,
    sshd: Sshd,
    /// Whether what is deployed is what was activated.
    active: bool,
    traces: bool,
    runs: usize,
}

impl Lab {
    fn new(active: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        for name in
            ["project/model", "project/apps", "root/a", "root/goodbye", "state", "home", "tmp", "said"]
        {
            std::fs::create_dir_all(at.join(name)).unwrap();
        }
        let history = if active { "history = \"active\"\n" } else { "" };
        let config = format!("name = \"lab\"\nid = \"lab\"\nedition = \"2026\"\n{history}");
        std::fs::write(at.join("project/gops.toml"), config).unwrap();
        std::fs::write(at.join("project/model/main.gops"), MODEL).unwrap();
        let key = keygen(&at.join("key"));
        let sshd = Sshd::new(&at.join("hosts/a"), &key);
        Lab { _folder: folder, at, sshd, active, traces: can_trace(), runs: 0 }
    }

    /// The instance has what is encrypted in this fixture, or is gone.
    fn say(&mut self, encrypted: Option<&str>) {
        let apps = self.at.join("project/apps");
        let (plain, sealed) = (apps.join("a.yaml"), apps.join("a.sops.yaml"));
        match encrypted {
            Some(encrypted) => {
                let (port, key, at) = (self.sshd.port, self.sshd.host_key(), self.at.display());
                let yaml = format!("name: a\nport: {port}\nidentity_file: {at}/key\nhost_key: {key}\n");
                std::fs::write(plain, yaml).unwrap();
                std::fs::copy(fixture(encrypted), sealed).unwrap();
            }
            None => {
                std::fs::remove_file(plain).unwrap();
                std::fs::remove_file(sealed).unwrap();
            }
        }
        if self.active {
            // What activates needs no key.
            let (code, said) = self.gops(&["sync"], None);
            assert_eq!(code, 0, "{said}");
        }
    }

    /// Runs gops; keeps all that it said, and what it started.
    fn gops(&mut self, arguments: &[&str], key: Option<&str>) -> (i32, String) {
        self.runs += 1;
        let said = |end: &str| self.at.join(format!("said/{}.{end}", self.runs));
        let mut command = match self.traces {
            true => {
                let mut strace = Command::new("strace");
                strace
                    .args(["-f", "-qq", "-v", "-s", "1000000", "-e", "trace=execve", "-o"])
                    .arg(said("calls"));
                strace.arg(gops());
                strace
            }
            false => Command::new(gops()),
        };
        command.arg("-C").arg(self.at.join("project")).args(arguments);
        if arguments[0] != "sync" {
            command.arg("--state").arg(self.at.join("state"));
            if arguments[0] != "history" {
                command.arg("--root").arg(self.at.join("root"));
            }
        }
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.at.join("home")).env("TMPDIR", self.at.join("tmp"));
        if let Some(key) = key {
            command.env("SOPS_AGE_KEY_FILE", fixture(key));
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        std::fs::write(said("output"), [&*output.stdout, &*output.stderr].concat()).unwrap();
        (output.status.code().unwrap_or(-1), text(&output))
    }

    fn does(&mut self, arguments: &[&str], key: Option<&str>) -> String {
        let (code, said) = self.gops(arguments, key);
        assert_eq!(code, 0, "{arguments:?}: {said}\n{}", self.sshd.log());
        said
    }

    fn refuses(&mut self, arguments: &[&str], key: Option<&str>, why: &str) {
        let (code, said) = self.gops(arguments, key);
        assert!(code != 0 && said.contains(why), "{arguments:?}: {why}: {said}");
    }

    /// What the host has is of this secret.
    fn has(&self, number: u32) {
        let read = |name: &str| std::fs::read_to_string(self.at.join("root/a").join(name)).unwrap();
        assert!(read("app.conf") == format!("password={CANARY}{number}\n"), "it is of another secret");
        assert!(read("shared").contains(&format!("\ntoken {CANARY}{number}\n")), "it is of another secret");
        for name in ["app.conf", "shared"] {
            let about = self.at.join("root/a").join(name).metadata().unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o7777, 0o600);
        }
    }

    /// Nothing has a canary but the files that are to have it: not the project with what was activated,
    /// the ledger, what was said and started, nor what is kept on the host.
    fn search(&self) {
        let mut needles = forms(CANARY.trim_end_matches('-'));
        for number in 1..=2 {
            for content in ["password=X\n", "token X", "token X\n", "logged out with X\n", "X"] {
                needles.extend(forms(content.replace('X', &format!("{CANARY}{number}")).as_str()));
            }
        }
        let escaped = |needle: &[u8]| needle.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        let all: Vec<String> = needles.iter().map(|(_, needle)| escaped(needle)).collect();
        let any = Regex::new(&format!("(?-u){}", all.join("|"))).unwrap();
        let mut files = Vec::new();
        for name in ["project", "state", "home", "tmp", "said", "hosts"] {
            below(&self.at.join(name), &mut files);
        }
        for expected in ["ledger.db", "1.output", "hosts/a/log"] {
            assert!(files.iter().any(|path| path.ends_with(expected)), "{expected}: {files:?}");
        }
        // The program has no secrets, and is large.
        for path in files.iter().filter(|path| !path.ends_with("gops")) {
            let bytes = std::fs::read(path).unwrap();
            if let Some(found) = any.find(&bytes) {
                let form = needles.iter().find(|(_, needle)| needle == found.as_bytes());
                panic!("{} has a canary, as {:?}", path.display(), form.map(|(form, _)| form));
            }
        }
    }
}

fn secrets_come_and_go(active: bool) {
    if !can() {
        return;
    }
    let mut lab = Lab::new(active);
    if !lab.traces {
        println!("what is started is not looked at: strace is not installed, or may not trace here");
    }
    let key = Some("keys/age-1");
    let file = "`apps/a.sops.yaml`";
    lab.say(Some("canary/one.sops.yaml"));
    lab.does(&["plan"], None);
    lab.refuses(&["deploy", "--yes"], None, &format!("no key is there to open {file}"));
    lab.refuses(&["deploy", "--yes"], Some("keys/age-2"), &format!("none of the keys opens {file}"));
    lab.does(&["deploy", "--yes"], key);
    lab.has(1);
    // What has nothing to apply needs no key.
    assert!(lab.does(&["deploy", "--yes"], None).contains("Nothing to do"));

    lab.say(Some("canary/two.sops.yaml"));
    lab.does(&["deploy", "--yes", "--json"], key);
    lab.has(2);

    // Somebody puts an old one back: it is told that it is another, and mended.
    std::fs::write(lab.at.join("root/a/app.conf"), format!("password={CANARY}1\n")).unwrap();
    let (code, said) = lab.gops(&["drift", "--exit-code"], None);
    assert!(code == 2 && said.contains("(secret) -> (another)"), "{said}");
    lab.does(&["deploy", "--yes"], key);
    lab.has(2);

    // What was deployed first is in the ledger, encrypted as it stood; it takes the key, and no files.
    let history = lab.does(&["history"], None);
    let first = history.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u32>().ok()).min();
    let first = first.expect(&history).to_string();
    lab.refuses(&["rollback", &first, "--yes"], None, &format!("no key is there to open {file}"));
    lab.has(2);
    lab.does(&["rollback", &first, "--yes"], key);
    lab.has(1);
    lab.does(&["deploy", "--yes"], key);
    lab.has(2);

    // It leaves, with its file: what says goodbye needs the password that it had.
    lab.say(None);
    lab.refuses(&["deploy", "--yes"], None, &format!("no key is there to open {file}"));
    lab.does(&["deploy", "--yes"], key);
    for name in ["a", "goodbye"] {
        assert_eq!(std::fs::read_dir(lab.at.join("root").join(name)).unwrap().count(), 0, "{name}");
    }
    assert!(lab.does(&["deploy", "--yes"], None).contains("Nothing to do"));
    lab.search();
}

#[test]
fn secrets_come_and_go_on_a_host() {
    secrets_come_and_go(false);
}

#[test]
fn secrets_that_were_activated_come_and_go_on_a_host() {
    secrets_come_and_go(true);
}
