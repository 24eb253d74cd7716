//! Hosts that are reached over ssh: a real sshd on a port of the loopback, run by whoever runs the
//! tests, with keys and a home of its own. Where there is none, the tests say so.

// What is left out is for who runs it.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::text;

const MODEL: &str = r#"
use std::files::CopyFile
use std::files::Directory
use std::files::TextFile
use std::host::Host
use std::net::Port
use std::time::Positive

slice Machine in "slices/machines" {
    key name: string
    port: Port
    identity_file: string
    host_key: string
    login_timeout: Positive?
    texts: map<string, string> = {}
    copied: bool = false
}

impl Machine {
    let host = Host {
        name
        transport: ssh { address: "127.0.0.1", port, identity_file, host_key, login_timeout }
    }
    Directory { host, path: "/notes" }
    for note in texts.entries() {
        TextFile { host, path: "/notes/${note.key}", content: note.value }
    }
    if copied {
        let logo = file("/logo.bin")
        CopyFile { host, path: "/notes/logo", source: logo.path, sha256: logo.sha256 }
    }
}
"#;

/// An sshd of the tests' own.
pub(super) struct Sshd {
    folder: PathBuf,
    pub(super) port: u16,
    process: Option<Child>,
    /// What is done before it starts, in a view of the file system of its own; nothing where it has none.
    pub(super) before: Option<String>,
}

pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether hosts can be had here; says so if not.
pub(super) fn can() -> bool {
    let missing: Vec<&str> =
        ["sshd", "ssh", "ssh-keygen"].into_iter().filter(|name| program(name).is_none()).collect();
    if !missing.is_empty() {
        println!("left out: there is no {} here (Debian: openssh-server)", missing.join(", "));
    }
    missing.is_empty()
}

pub(super) fn keygen(path: &Path) -> String {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", text(&made));
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    public.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

impl Sshd {
    pub(super) fn new(folder: &Path, user_key: &str) -> Self {
        let mut sshd = Sshd::prepare(folder, user_key);
        sshd.start();
        sshd
    }

    /// One that is not started yet.
    pub(super) fn prepare(folder: &Path, user_key: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        keygen(&folder.join("host"));
        std::fs::write(folder.join("authorized"), format!("{user_key}\n")).unwrap();
        // Free a moment ago, which is as sure as it gets.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\n\
             AuthorizedKeysFile {home}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nPrintMotd no\n\
             SetEnv HOME={home} XDG_STATE_HOME={home}/state XDG_CACHE_HOME={home}/../cache\n"
        );
        std::fs::write(folder.join("config"), config).unwrap();
        Sshd { folder: folder.to_owned(), port, process: None, before: None }
    }

    pub(super) fn start(&mut self) {
        // Where root runs it, it wants this folder, which the service's start makes.
        let _ = std::fs::create_dir_all("/run/sshd");
        let mut command = match &self.before {
            None => Command::new(program("sshd").unwrap()),
            Some(before) => {
                let mut command = Command::new("unshare");
                let script = format!("set -e; {before}\nexec \"$0\" \"$@\"");
                command.args(["-m", "--", "sh", "-c", &script]).arg(program("sshd").unwrap());
                command
            }
        };
        command.arg("-D").arg("-f").arg(self.folder.join("config")).arg("-E").arg(self.folder.join("log"));
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("sshd: {status}: {}", self.log());
            }
            std::thread::yield_now();
        }
        self.process = Some(child);
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends it with all its connections, at once.
    pub(super) fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let below = descendants(process.id());
        let _ = process.kill();
        let _ = process.wait();
        let ids = below.iter().map(u32::to_string);
        let _ = Command::new("kill").arg("-9").args(ids).stderr(Stdio::null()).status();
    }

    pub(super) fn host_key(&self) -> String {
        let public = std::fs::read_to_string(self.folder.join("host.pub")).unwrap();
        public.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The processes below one.
fn descendants(of: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        parents.extend(parent.map(|parent: u32| (id, parent)));
    }
    let mut found = vec![of];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(id, _)| *id));
        at += 1;
    }
    found.split_off(1)
}

/// The program without what debuggers want: it goes over the wire.
pub(super) fn gops() -> &'static Path {
    static SMALL: OnceLock<PathBuf> = OnceLock::new();
    SMALL.get_or_init(|| {
        let whole = Path::new(env!("CARGO_BIN_EXE_gops"));
        let small = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gops-over-ssh");
        let at = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
        if at(&small) < at(whole) {
            let new = small.with_extension("new");
            let _ = std::fs::copy(whole, &new).unwrap();
            let _ = Command::new("strip").arg(&new).status();
            std::fs::rename(&new, &small).unwrap();
        }
        small
    })
}

/// What one machine is to have.
#[derive(Clone, Default)]
pub(super) struct Machine {
    pub(super) texts: BTreeMap<String, String>,
    copied: bool,
    /// Instead of its own.
    host_key: Option<String>,
    /// How long it may say nothing at first.
    timeout: Option<&'static str>,
}

/// A project, its ledger, the folder that stands for `/`, and hosts.
pub(super) struct Fleet {
    _folder: tempfile::TempDir,
    pub(super) at: PathBuf,
    hosts: BTreeMap<String, Sshd>,
}

impl Fleet {
    pub(super) fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        for name in ["project/model", "root", "state", "hosts"] {
            std::fs::create_dir_all(at.join(name)).unwrap();
        }
        let config = "name = \"fleet\"\nid = \"fleet\"\nedition = \"2026\"\n";
        std::fs::write(at.join("project/gops.toml"), config).unwrap();
        std::fs::write(at.join("project/model/main.gops"), MODEL).unwrap();
        std::fs::write(at.join("project/logo.bin"), [0, 255, 10, 13, 0]).unwrap();
        let key = keygen(&at.join("key"));
        let host = |name: &&str| ((*name).to_owned(), Sshd::new(&at.join("hosts").join(name), &key));
        let hosts = names.iter().map(host).collect();
        Fleet { _folder: folder, at, hosts }
    }

    /// Makes the project say this.
    pub(super) fn say(&self, machines: &BTreeMap<&str, Machine>) {
        let folder = self.at.join("project/slices/machines");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        for (name, machine) in machines {
            let host = &self.hosts[*name];
            let key = machine.host_key.clone().unwrap_or_else(|| host.host_key());
            let mut yaml =
                format!("name: {name}\nport: {}\nhost_key: {key}\ncopied: {}\n", host.port, machine.copied);
            let _ = writeln!(yaml, "identity_file: {}/key", self.at.display());
            if let Some(timeout) = machine.timeout {
                let _ = writeln!(yaml, "login_timeout: {timeout}");
            }
            if !machine.texts.is_empty() {
                yaml += "texts:\n";
            }
            for (note, text) in &machine.texts {
                let _ = writeln!(yaml, "  {note}: \"{text}\"");
            }
            std::fs::write(folder.join(format!("{name}.yaml")), yaml).unwrap();
        }
    }

    fn command(&self, command: &str) -> Command {
        let mut gops = Command::new(gops());
        gops.arg("-C").arg(self.at.join("project")).args(["--no-progress", command, "--root"]);
        gops.arg(self.at.join("root")).arg("--state").arg(self.at.join("state"));
        if command == "deploy" {
            gops.arg("--yes");
        }
        // Nothing of whoever runs the tests: no agent, no keys, no known hosts.
        gops.env("HOME", &self.at).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
        gops
    }

    pub(super) fn run(&self, command: &str) -> Output {
        self.command(command).output().unwrap()
    }

    fn recover(&self) -> Output {
        let mut gops = Command::new(gops());
        gops.arg("-C").arg(self.at.join("project")).args(["state", "recover", "--yes", "--root"]);
        gops.arg(self.at.join("root")).arg("--state").arg(self.at.join("state"));
        gops.env("HOME", &self.at).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null()).output().unwrap()
    }

    pub(super) fn deploys(&self) -> String {
        let output = self.run("deploy");
        let logs: String = self.hosts.values().map(Sshd::log).collect();
        assert!(output.status.success(), "{}\n{logs}", text(&output));
        text(&output)
    }

    /// What a host has in `/notes`.
    pub(super) fn notes(&self, name: &str) -> BTreeMap<String, String> {
        let Ok(entries) = std::fs::read_dir(self.at.join("root").join(name).join("notes")) else {
            return BTreeMap::new();
        };
        let note = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.unwrap();
            let bytes = std::fs::read(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), String::from_utf8_lossy(&bytes).into_owned())
        };
        entries.map(note).collect()
    }
}

pub(super) fn texts(texts: &[(&str, &str)]) -> Machine {
    let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Machine { texts: texts.collect(), ..Machine::default() }
}

#[test]
fn a_host_is_deployed_to_and_kept_as_the_project_says() {
    if !can() {
        return;
    }
    let fleet = Fleet::new(&["web1"]);
    // An agent of another version, and half of this one from a copy that broke off long ago.
    let cache = fleet.at.join("hosts/cache/gops");
    std::fs::create_dir_all(cache.join("0000")).unwrap();
    std::fs::write(cache.join("0000/gops"), "#!/bin/sh\necho wrong version >&2; exit 1\n").unwrap();
    let mut machine = texts(&[("a", "one"), ("b", "two")]);
    machine.copied = true;
    fleet.say(&[("web1", machine.clone())].into());

    let plan = fleet.run("plan");
    assert!(plan.status.success() && text(&plan).contains("4 to create"), "{}", text(&plan));
    assert!(!fleet.at.join("root/web1").exists(), "a plan writes nothing");
    let copies = || std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(copies().len(), 2);
    let ours = copies().into_iter().find(|path| !path.ends_with("0000")).unwrap().join("gops");
    assert_eq!(std::fs::read(&ours).unwrap(), std::fs::read(gops()).unwrap());

    fleet.deploys();
    let logo = String::from_utf8_lossy(&[0, 255, 10, 13, 0]).into_owned();
    let wanted = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(fleet.notes("web1"), wanted(&[("a", "one"), ("b", "two"), ("logo", &logo)]));
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
    let copied = inode(&ours);
    assert!(fleet.deploys().contains("Nothing to do"));

    machine = texts(&[("a", "other"), ("c", "three")]);
    fleet.say(&[("web1", machine.clone())].into());
    fleet.deploys();
    assert_eq!(fleet.notes("web1"), wanted(&[("a", "other"), ("c", "three")]));

    // Drift is seen there, and mended. A copy that is not whole is made anew.
    std::fs::write(fleet.at.join("root/web1/notes/a"), "by hand").unwrap();
    assert_eq!(inode(&ours), copied, "it was copied once");
    std::fs::remove_file(&ours).unwrap();
    std::fs::write(&ours, "half").unwrap();
    fleet.deploys();
    assert_eq!(fleet.notes("web1"), wanted(&[("a", "other"), ("c", "three")]));
    assert_eq!(std::fs::read(&ours).unwrap(), std::fs::read(gops()).unwrap());

    // The machine leaves the project: what it had goes, by what the ledger knows of the way to it.
    fleet.say(&BTreeMap::new());
    fleet.deploys();
    assert!(!fleet.at.join("root/web1/notes").exists());
    assert!(fleet.deploys().contains("Nothing to do"));
    // No agent is left, and nothing in the home but what is meant to be.
    let agents = fleet.at.join("hosts/web1/state/gops/agent");
    let until = Instant::now() + Duration::from_secs(20);
    while std::fs::read_dir(&agents).unwrap().count() != 2 {
        assert!(Instant::now() < until, "{:?}", std::fs::read_dir(&agents).unwrap().collect::<Vec<_>>());
    }
}

#[test]
fn a_host_that_cannot_be_used_fails_alone_and_says_why() {
    if !can() {
        return;
    }
    let mut fleet = Fleet::new(&["good", "impostor", "stranger", "down", "full"]);
    let other = keygen(&fleet.at.join("other"));
    std::fs::write(fleet.at.join("hosts/stranger/authorized"), format!("{other}\n")).unwrap();
    fleet.hosts.get_mut("down").unwrap().kill();
    let mut machines: BTreeMap<&str, Machine> =
        ["good", "stranger", "down", "full"].map(|name| (name, texts(&[("a", "x")]))).into();
    machines.insert("impostor", Machine { host_key: Some(other), ..texts(&[("a", "x")]) });
    // Nothing can be written to its home, as to that of a full disk.
    let config = fleet.at.join("hosts/full/config");
    let text_of = std::fs::read_to_string(&config).unwrap();
    let cache = format!("XDG_CACHE_HOME={}/hosts/full/../cache", fleet.at.display());
    std::fs::write(&config, text_of.replace(&cache, "XDG_CACHE_HOME=/proc/none")).unwrap();
    let full = fleet.hosts.get_mut("full").unwrap();
    full.kill();
    full.start();
    fleet.say(&machines);

    let output = fleet.run("deploy");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert_eq!(fleet.notes("good").len(), 1);
    let said = text(&output);
    let port = |name: &str| format!("127.0.0.1:{}`", fleet.hosts[name].port);
    for (name, problem, help) in [
        ("impostor", "has another host key than `host_key` says", "ssh-keyscan"),
        ("stranger", "refuses the key", "authorized_keys"),
        ("down", "cannot be reached: ", "see that it is up"),
        ("full", "gops could not be copied to", "home folder"),
    ] {
        assert_eq!(fleet.notes(name), BTreeMap::new());
        let line = said.lines().find(|line| line.contains(&port(name)));
        assert!(line.is_some_and(|line| line.contains(problem)), "{name}: {line:?} in {said}");
        assert!(said.contains(help), "{name}: {said}");
    }

    // Once they can be used, the next run goes on from there.
    machines.insert("impostor", texts(&[("a", "x")]));
    machines.remove("full");
    fleet.hosts.get_mut("down").unwrap().start();
    std::fs::copy(fleet.at.join("hosts/good/authorized"), fleet.at.join("hosts/stranger/authorized"))
        .unwrap();
    fleet.say(&machines);
    fleet.deploys();
    for name in machines.keys() {
        assert_eq!(fleet.notes(name).len(), 1, "{name}");
    }
}

#[test]
fn a_host_that_says_nothing_is_given_up_and_keeps_no_other_waiting() {
    if !can() {
        return;
    }
    let mut fleet = Fleet::new(&["good", "mute", "stuck"]);
    // Something listens there, and never says what it is.
    let mute = fleet.hosts.get_mut("mute").unwrap();
    mute.kill();
    let _listener = TcpListener::bind(("127.0.0.1", mute.port)).unwrap();
    // The key is good, and then nothing comes: a shell that waits for a folder that is not there.
    let stuck = fleet.hosts.get_mut("stuck").unwrap();
    stuck.kill();
    let config = fleet.at.join("hosts/stuck/config");
    let usual = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{usual}ForceCommand sleep 1000\n")).unwrap();
    let stuck = fleet.hosts.get_mut("stuck").unwrap();
    stuck.start();
    let machine = texts(&[("a", "x")]);
    let hasty = Machine { timeout: Some("2s"), ..machine.clone() };
    fleet.say(&[("good", machine.clone()), ("mute", hasty.clone()), ("stuck", hasty)].into());

    let output = fleet.run("deploy");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(fleet.notes("good").len(), 1);
    for (name, problem, help) in [
        ("mute", "has not answered for 2s: ", "see that it is up, that ssh listens there"),
        ("stuck", "has not said anything for 3s while it was logged in to", "`ssh HOST true`"),
    ] {
        let host = format!("127.0.0.1:{}`", fleet.hosts[name].port);
        let line = said.lines().find(|line| line.contains(&host));
        assert!(line.is_some_and(|line| line.contains(problem)), "{name}: {line:?} in {said}");
        assert!(said.contains(help), "{name}: {said}");
    }

    // Once it lets people in, the next run goes on from there.
    std::fs::write(&config, usual).unwrap();
    let stuck = fleet.hosts.get_mut("stuck").unwrap();
    stuck.kill();
    stuck.start();
    fleet.say(&["good", "stuck"].map(|name| (name, machine.clone())).into());
    fleet.deploys();
    assert_eq!(fleet.notes("stuck").len(), 1);
}

#[test]
fn ten_hosts_are_deployed_to_in_one_run() {
    if !can() {
        return;
    }
    let names: Vec<String> = (0..10).map(|n| format!("h{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fleet = Fleet::new(&names);
    let pairs = [("a", "1"), ("b", "2"), ("c", "3")];
    // The first brings the copy that all of these have in common.
    fleet.say(&[(names[0], texts(&pairs))].into());
    fleet.deploys();
    fleet.say(&names.iter().map(|name| (*name, texts(&pairs))).collect());
    fleet.deploys();
    for name in &names {
        assert_eq!(fleet.notes(name).len(), 3, "{name}");
    }
    assert!(fleet.deploys().contains("Nothing to do"));
}

#[test]
fn a_lost_ledger_is_rebuilt_from_the_marks_on_hosts() {
    if !can() {
        return;
    }
    let mut fleet = Fleet::new(&["web1", "web2"]);
    let both = |machine: &Machine| [("web1", machine.clone()), ("web2", machine.clone())].into();
    let mut machine = texts(&[("a", "one"), ("b", "two")]);
    machine.copied = true;
    fleet.say(&both(&machine));
    fleet.deploys();
    // Somebody has a file of their own there, and the project no longer wants one of its own.
    let own = fleet.at.join("root/web1/notes/own");
    std::fs::write(&own, "mine").unwrap();
    std::fs::remove_dir_all(fleet.at.join("state")).unwrap();
    machine.texts.remove("b");
    fleet.say(&both(&machine));

    let refused = fleet.run("deploy");
    assert!(
        !refused.status.success() && text(&refused).contains("deploy::lost_ledger"),
        "{}",
        text(&refused)
    );
    fleet.hosts.get_mut("web2").unwrap().kill();
    let recovered = fleet.recover();
    let said = text(&recovered);
    assert!(recovered.status.success(), "{said}");
    assert!(said.contains("4 resources are taken back into the ledger"), "{said}");
    let at = |path: &str| format!("TextFile[claim=\"path:/notes/{path}\",on=\"std::host::Host[name=web1]\"]");
    for id in ["Directory[host=web1,path=/notes]", "TextFile[host=web1,path=/notes/a]", "logo]", &at("b")] {
        assert!(said.contains(id), "{id}: {said}");
    }
    assert!(!said.contains("own"), "{said}");
    assert!(
        said.contains("what is on Host[name=web2] is not: ") && said.contains("run this again"),
        "{said}"
    );
    assert_eq!(fleet.notes("web1").len(), 4, "nothing is touched");

    // Until the other one has been asked, too, nothing is deployed.
    fleet.hosts.get_mut("web2").unwrap().start();
    let refused = fleet.run("deploy");
    assert!(!refused.status.success() && text(&refused).contains("deploy::old_ledger"), "{}", text(&refused));
    let said = text(&fleet.recover());
    assert!(said.contains("4 resources are taken back into the ledger"), "{said}");
    assert!(text(&fleet.recover()).contains("there is nothing on the targets that the ledger does not know"));
    let said = fleet.deploys();
    assert!(said.contains("2 deleted"), "{said}");
    assert_eq!(fleet.notes("web1").into_keys().collect::<Vec<_>>(), ["a", "logo", "own"]);
    assert_eq!(fleet.notes("web2").into_keys().collect::<Vec<_>>(), ["a", "logo"]);
    assert!(fleet.deploys().contains("Nothing to do"));
}

#[test]
fn copies_that_nobody_uses_any_more_go_when_a_new_one_comes() {
    if !can() {
        return;
    }
    let fleet = Fleet::new(&["web1"]);
    let cache = fleet.at.join("hosts/cache/gops");
    let put = |folder: &str, name: &str, hours: u64| {
        std::fs::create_dir_all(cache.join(folder)).unwrap();
        let file = std::fs::File::create(cache.join(folder).join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
    };
    let (unused, used, broken) = ("0".repeat(64), "1".repeat(64), "2".repeat(64));
    put(&unused, "gops", 2);
    put(&used, "gops", 0);
    put(&broken, "part.17", 2);
    put("notes", "mine", 2);
    put(&"3".repeat(64), "mine.txt", 0);
    fleet.say(&[("web1", texts(&[("a", "x")]))].into());
    fleet.deploys();
    let names = || {
        let entries = std::fs::read_dir(&cache).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    assert!(!names().contains(&unused) && !names().contains(&broken), "{:?}", names());
    assert!(names().contains(&used) && cache.join("notes/mine").exists(), "{:?}", names());
    assert_eq!(names().len(), 4, "{:?}", names());
    // Only a new copy is a reason to look, and its own is never old.
    put(&unused, "gops", 2);
    fleet.deploys();
    assert!(names().contains(&unused));
}

/// An agent that the test speaks to itself.
struct Agent(Child);

impl Agent {
    fn new(state: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gops"));
        command.arg("agent").env("XDG_STATE_HOME", state).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut banner = [0; 13];
        child.stdout.as_mut().unwrap().read_exact(&mut banner).unwrap();
        assert_eq!(&banner, b"gops-agent 5\n");
        Agent(child)
    }

    fn ask(&mut self, json: &str) -> String {
        let to = self.0.stdin.as_mut().unwrap();
        to.write_all(&u32::try_from(json.len()).unwrap().to_be_bytes()).unwrap();
        to.write_all(b"M").unwrap();
        to.write_all(json.as_bytes()).unwrap();
        to.flush().unwrap();
        let from = self.0.stdout.as_mut().unwrap();
        let mut head = [0; 5];
        from.read_exact(&mut head).unwrap();
        let mut bytes = vec![0; u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize];
        from.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn enter(&mut self, root: &Path, epoch: u64) -> String {
        let root = format!(r#"{{"folder":"{}","allowed":["/"]}}"#, root.display());
        let who = self.ask(&format!(r#"{{"Who":{{"version":5,"root":{root}}}}}"#));
        let identity = who.strip_prefix(r#"{"Who":"#).unwrap().strip_suffix('}').unwrap();
        let key = [0_u8; 32];
        self.ask(&format!(
            r#"{{"Hello":{{"target":"t","identity":{identity},"lineage":"l","project":"p","enter":true,
            "fence":{{"epoch":{epoch},"nonce":"{epoch:032x}","serial":1}},"root":{root},"key":{key:?}}}}}"#
        ))
    }
}

#[test]
fn an_agent_of_an_earlier_run_is_ended_by_a_later_one() {
    let folder = tempfile::tempdir().unwrap();
    let (state, root) = (folder.path().join("state"), folder.path().join("root"));
    let mut first = Agent::new(&state);
    assert!(first.enter(&root, 1).contains(r#""fence":null"#));
    let mut second = Agent::new(&state);
    assert!(second.enter(&root, 2).contains(r#""epoch":1"#));
    // Ended by the signal, though its input is open.
    let ended = first.0.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(15));
    // One more of the first run is not let in, and the one at work is left alone.
    let mut late = Agent::new(&state);
    assert!(late.enter(&root, 1).contains(r#""epoch":2"#));
    let refused = late.ask(r#"{"Delete":{"handler":"file","batch":[]}}"#);
    assert!(refused.contains("Deleted"), "{refused}");
    assert!(second.enter(&root, 2).contains(r#""epoch":2"#));
    // An agent ends with its input.
    for mut agent in [second, late] {
        drop(agent.0.stdin.take());
        assert!(agent.0.wait().unwrap().success());
    }
}
