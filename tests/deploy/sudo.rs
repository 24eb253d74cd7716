//! `become: sudo`: the real `sudo` on a host over ssh, for a user who is not root. The user, and what
//! sudo lets it do, are there in a view of the file system of that sshd alone, which takes root to make;
//! where that cannot be had, the tests say so.

// What is left out is for who runs it.
#![allow(clippy::print_stdout)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use gops::handler::SystemRandom;
use gops::state::{SqliteStore, Store as _};

use super::ssh::{Sshd, can, gops, keygen, program};
use super::text;

const MODEL: &str = r#"
use std::files::FileLine
use std::files::TextFile
use std::host::Become
use std::host::Host
use std::net::Port

slice Machine in "slices/machines" {
    key name: string
    port: Port
    identity_file: string
    host_key: string
    become: Become
    mine: Become?
    others: Become?
    text: string
}

impl Machine {
    let host = Host {
        name
        transport: ssh { address: "127.0.0.1", port, user: "gopsuser", identity_file, host_key }
        become
    }
    TextFile { host, path: "/home/note", content: text, become: mine }
    TextFile { host, path: "/etc/motd", content: text, mode: 0o600, become: others }
    FileLine { host, path: "/etc/hosts", name: "a", line: "192.0.2.1 ${text}", become: others }
}
"#;

/// The user who logs in, on that host alone.
const USER: u32 = 61_234;

/// What lets that user be root.
const ALLOWED: &str = "gopsuser ALL=(root) NOPASSWD: ALL";

/// A project and a host.
struct Lab {
    _folder: tempfile::TempDir,
    at: PathBuf,
    sshd: Sshd,
}

/// Whether such a host can be had here; says so if not.
fn can_sudo() -> bool {
    if !can() {
        return false;
    }
    let missing: Vec<&str> = ["sudo", "unshare"].into_iter().filter(|name| program(name).is_none()).collect();
    if !missing.is_empty() {
        println!("left out: there is no {} here (Debian: sudo util-linux)", missing.join(", "));
        return false;
    }
    let made = Command::new("unshare").args(["-m", "--", "mount", "--make-rprivate", "/"]).output();
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    let may = is_root && made.is_ok_and(|output| output.status.success());
    if !may {
        println!("left out: it takes root to make a host with another user here");
    }
    may
}

/// A folder that everybody may look into.
fn open(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        for name in ["", "project/model", "state", "root/web1/etc", "root/web1/home", "hosts/cache", "etc"] {
            open(&at.join(name));
        }
        std::fs::write(at.join("root/web1/etc/hosts"), "127.0.0.1 localhost\n").unwrap();
        let config = "name = \"fleet\"\nid = \"fleet\"\nedition = \"2026\"\n";
        std::fs::write(at.join("project/gops.toml"), config).unwrap();
        std::fs::write(at.join("project/model/main.gops"), MODEL).unwrap();
        let key = keygen(&at.join("key"));
        let sshd = Sshd::prepare(&at.join("hosts/web1"), &key);
        for mine in ["root/web1/home", "hosts/web1", "hosts/cache"] {
            chown(at.join(mine), Some(USER), Some(USER)).unwrap();
        }
        Lab { _folder: folder, at, sshd }
    }

    /// Starts the host with these rules for sudo.
    fn start(&mut self, sudoers: &str) {
        let etc = self.at.join("etc");
        let put = |name: &str, mode: u32, text: &str| {
            let path = etc.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        };
        let with = |name: &str, line: &str| {
            let text = std::fs::read_to_string(Path::new("/etc").join(name)).unwrap();
            format!("{}\n{line}\n", text.trim_end())
        };
        let home = self.at.join("hosts/web1");
        let user = format!("gopsuser:x:{USER}:{USER}::{}:/bin/sh", home.display());
        put("passwd", 0o644, &with("passwd", &user));
        put("group", 0o644, &with("group", &format!("gopsuser:x:{USER}:")));
        put("shadow", 0o600, &with("shadow", "gopsuser:*:19000:0:99999:7:::"));
        // What root's agent keeps is not to stay on the machine that runs the tests.
        put("environment", 0o644, &format!("XDG_STATE_HOME={}/kept\n", etc.display()));
        let keep = format!("Defaults env_reset, env_file={}/environment\n", etc.display());
        put("sudoers", 0o440, &format!("{keep}{sudoers}\n"));
        let mount = |name: &str| format!("mount --bind {0}/{name} /etc/{name};", etc.display());
        let mounts = ["passwd", "group", "shadow", "sudoers"].map(mount);
        self.sshd.kill();
        self.sshd.before = Some(format!("mount --make-rprivate /; {}", mounts.concat()));
        self.sshd.start();
    }

    /// Makes the project say this: what the host says of rights, what its two kinds of resources say,
    /// and what is in them.
    fn say(&self, machine: Option<(&str, &str, &str, &str)>) {
        let folder = self.at.join("project/slices/machines");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let Some((host, mine, others, text)) = machine else { return };
        let (port, key, at) = (self.sshd.port, self.sshd.host_key(), self.at.display());
        let yaml = format!(
            "name: web1\nport: {port}\nhost_key: {key}\nidentity_file: {at}/key\nbecome: {host}\nmine: {mine}\n\
             others: {others}\ntext: {text}\n",
        );
        std::fs::write(folder.join("web1.yaml"), yaml).unwrap();
    }

    fn run(&self, command: &str) -> Output {
        self.command(command).output().unwrap()
    }

    fn command(&self, command: &str) -> Command {
        let mut gops = Command::new(gops());
        gops.arg("-C").arg(self.at.join("project")).args(["--no-progress", command, "--root"]);
        gops.arg(self.at.join("root")).arg("--state").arg(self.at.join("state"));
        if command == "deploy" {
            gops.arg("--yes");
        }
        gops.env("HOME", &self.at).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
        gops
    }

    /// Deploys, and is killed as soon as something has begun; says whether that is still open.
    fn is_killed_at_work(&self) -> bool {
        let mut command = self.command("deploy");
        let mut gops = command.arg("--json").stdout(Stdio::piped()).spawn().unwrap();
        let mut events = BufReader::new(gops.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(events.any(|line| line.contains("\"event\":\"begun\"")));
        gops.kill().unwrap();
        let _ = gops.wait().unwrap();
        let mut store = SqliteStore::open(&self.at.join("state/fleet"), &SystemRandom).unwrap();
        !store.load().unwrap().intents.is_empty()
    }

    fn deploys(&self) -> String {
        let output = self.run("deploy");
        assert!(output.status.success(), "{}\n{}", text(&output), self.sshd.log());
        text(&output)
    }

    /// The content and the owner of what is there.
    fn file(&self, path: &str) -> Option<(String, u32)> {
        let path = self.at.join("root/web1").join(path);
        Some((std::fs::read_to_string(&path).ok()?, path.metadata().ok()?.uid()))
    }

    /// The user's file is the user's, and the others are root's.
    fn has(&self, text: &str) {
        assert_eq!(self.file("home/note"), Some((text.to_owned(), USER)));
        assert_eq!(self.file("etc/motd"), Some((text.to_owned(), 0)));
        let hosts = format!("127.0.0.1 localhost\n192.0.2.1 {text}\n");
        assert_eq!(self.file("etc/hosts"), Some((hosts, 0)));
    }
}

#[test]
fn root_does_what_needs_it_and_the_user_all_else() {
    if !can_sudo() {
        return;
    }
    let mut lab = Lab::new();
    lab.start(ALLOWED);
    // The resources say it, then the host does, with one that needs no root.
    for (host, mine, others, content) in [("none", "null", "sudo", "one"), ("sudo", "none", "null", "two")] {
        lab.say(Some((host, mine, others, content)));
        let plan = lab.run("plan");
        assert!(plan.status.success(), "{}", text(&plan));
        lab.deploys();
        lab.has(content);
        let again = lab.deploys();
        assert!(again.contains("Nothing to do"), "{again}");
    }
    // Root looks at what only root may read, and mends it.
    std::fs::write(lab.at.join("root/web1/etc/motd"), "by hand").unwrap();
    let plan = text(&lab.run("plan"));
    assert!(plan.contains("1 to change"), "{plan}");
    lab.deploys();
    lab.has("two");
    // What leaves the project is taken away with the rights that it was made with, as the ledger knows.
    lab.say(Some(("none", "null", "sudo", "three")));
    lab.deploys();
    lab.say(None);
    lab.deploys();
    assert_eq!((lab.file("home/note"), lab.file("etc/motd")), (None, None));
    assert_eq!(lab.file("etc/hosts"), Some(("127.0.0.1 localhost\n".to_owned(), 0)));
    assert!(lab.deploys().contains("Nothing to do"));
}

#[test]
fn what_root_had_begun_is_looked_up_and_done_to_the_end() {
    if !can_sudo() {
        return;
    }
    let mut lab = Lab::new();
    lab.start(ALLOWED);
    let mut tries = 0..40;
    let last = loop {
        let content = format!("try {}", tries.next().expect("it was never killed at work"));
        lab.say(Some(("sudo", "none", "null", &content)));
        if lab.is_killed_at_work() {
            break content;
        }
    };
    let plan = lab.run("plan");
    assert!(plan.status.success(), "{}", text(&plan));
    lab.deploys();
    lab.has(&last);
    assert!(lab.deploys().contains("Nothing to do"));
    // The same where the host says meanwhile that nothing needs root there.
    for round in tries {
        lab.say(Some(("sudo", "none", "null", &format!("try {round}"))));
        if lab.is_killed_at_work() {
            break;
        }
    }
    lab.say(Some(("none", "null", "sudo", "end")));
    lab.deploys();
    lab.has("end");
    assert!(lab.deploys().contains("Nothing to do"));
}

#[test]
fn root_is_not_asked_where_nothing_needs_it() {
    if !can_sudo() {
        return;
    }
    let mut lab = Lab::new();
    // Nobody may use sudo, and that is no matter.
    lab.start("root ALL=(ALL) ALL");
    for mine in ["root/web1/etc", "root/web1/etc/hosts"] {
        chown(lab.at.join(mine), Some(USER), Some(USER)).unwrap();
    }
    lab.say(Some(("sudo", "none", "none", "one")));
    lab.deploys();
    assert_eq!(lab.file("etc/motd"), Some(("one".to_owned(), USER)));
    assert!(!lab.at.join("etc/kept").exists(), "root's agent was there");
}

#[test]
fn where_sudo_is_refused_all_else_is_done_and_it_says_what_to_allow() {
    if !can_sudo() {
        return;
    }
    let mut lab = Lab::new();
    // A host without sudo: its user finds only what gops needs.
    let bin = lab.at.join("bin");
    open(&bin);
    for name in "sh uname wc head sha256sum cut chmod mv rm rmdir find touch mkdir".split_whitespace() {
        symlink(program(name).unwrap(), bin.join(name)).unwrap();
    }
    let config = lab.at.join("hosts/web1/config");
    let usual = std::fs::read_to_string(&config).unwrap();
    let without = usual.replace("SetEnv ", &format!("SetEnv PATH={} ", bin.display()));
    let tries = [
        (&without, ALLOWED, "there is no `sudo`", "apt install sudo"),
        (&usual, "gopsuser ALL=(root) ALL", "asks `gopsuser` for a password", "gopsuser ALL=(root) NOPASSWD"),
        (&usual, "root ALL=(ALL) ALL", "`sudo` ", "visudo -f /etc/sudoers.d/gops"),
        (&usual, "gopsuser ALL=(root) NOPASSWD: /bin/true", "`sudo` ", "visudo -f /etc/sudoers.d/gops"),
    ];
    for (round, (host, sudoers, problem, help)) in tries.into_iter().enumerate() {
        let content = format!("one of {round}");
        std::fs::write(&config, host).unwrap();
        lab.start(sudoers);
        // Whoever says it, the host or the resources.
        let (host, mine, others) = [("none", "null", "sudo"), ("sudo", "none", "null")][round % 2];
        lab.say(Some((host, mine, others, &content)));
        let output = lab.run("deploy");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        let name = format!("`gopsuser@127.0.0.1:{}`", lab.sshd.port);
        let line = said.lines().find(|line| line.contains(&name) && line.contains(problem));
        assert!(line.is_some() && said.contains(help), "{problem}: {said}");
        assert_eq!(lab.file("home/note"), Some((content, USER)), "{said}");
        assert_eq!(lab.file("etc/motd"), None, "{said}");
    }
    // Once it may, the next run goes on from there.
    std::fs::write(&config, &usual).unwrap();
    lab.start(ALLOWED);
    lab.deploys();
    lab.has("one of 3");
}
