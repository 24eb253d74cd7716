//! A real Debian host in a virtual machine, which `.ci/vm` makes: systemd, an ssh server, and `sudo` for
//! the user who logs in. Left out where nobody has made one: it takes minutes.

// What is left out, and how long it took, is for who runs it.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::ssh::gops;
use super::text;

const MODEL: &str = r#"
use std::files::CopyFile
use std::files::Directory
use std::files::FileLine
use std::files::Symlink
use std::files::TextFile
use std::host::Become
use std::host::Host
use std::net::Port

slice Machine in "machines" {
    key name: string
    port: Port
    user: string
    identity_file: string
    host_key: string
    become: Become = sudo
    setting: string
    password: secret<string>?
    small: string?
    floors: int = 0
    notes: int = 0
}

impl Machine {
    let host = Host {
        name
        transport: ssh { address: "127.0.0.1", port, user, identity_file, host_key }
        become
    }
    let logo = file("/logo.bin")
    Directory { host, path: "/etc/gops-vm", owner: "root", group: "adm", mode: 0o750 }
    TextFile { host, path: "/etc/gops-vm/conf", content: setting, owner: "root", group: "adm", mode: 0o640 }
    CopyFile { host, path: "/etc/gops-vm/logo", source: logo.path, sha256: logo.sha256, owner: "daemon", mode: 0o604 }
    Symlink { host, path: "/etc/gops-vm/link", to: "conf" }
    FileLine { host, path: "/etc/hosts", name: "vm", line: "192.0.2.1 ${setting}" }
    TextFile { host, path: "/home/${user}/note", content: setting, become: none }
    for floor in range(0, floors) {
        let path = range(0, floor + 1).fold("/srv", (path, level) => "${path}/floor${level}")
        Directory { host, path }
        for note in range(0, notes) {
            TextFile { host, path: "${path}/note${note}", content: "${setting} ${floor} ${note}" }
        }
    }
}

impl Machine when password != null {
    TextFile { host: Host[name: name], path: "/etc/gops-vm/password", content: "is ${password}\n", mode: 0o400 }
}

impl Machine when small != null {
    TextFile { host: Host[name: name], path: "/mnt/small/file", content: small ?? "" }
}
"#;

/// How long the machine may take until it lets somebody in, in minutes, where it is emulated.
const BOOT: u64 = 15;

/// A virtual machine with a disk of its own on top of the image.
struct Vm {
    image: PathBuf,
    /// What it writes, and what its console says.
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Vm {
    fn new(image: PathBuf, folder: &Path) -> Self {
        let disk = folder.join("disk.qcow2");
        let made = Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
            .args([&image.join("disk.img"), &disk])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", text(&made));
        // Free a moment ago, which is as sure as it gets.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Vm { image, folder: folder.to_owned(), port, process: None }
    }

    /// Turns it on, and waits until it lets its user in.
    fn boot(&mut self) {
        let began = Instant::now();
        let mut qemu = Command::new("qemu-system-x86_64");
        // Emulated, if nothing else is said: that there is a /dev/kvm does not mean that it works.
        let accelerator = std::env::var("GOPS_VM_ACCEL").unwrap_or_else(|_| "tcg,thread=multi".to_owned());
        qemu.args(["-accel", &accelerator, "-cpu", "max", "-smp", "2", "-m", "768"]);
        qemu.args(["-display", "none", "-monitor", "none", "-no-reboot", "-append"]);
        qemu.arg("root=/dev/vda rw console=ttyS0 quiet");
        qemu.arg("-serial").arg(format!("file:{}/console", self.folder.display()));
        qemu.arg("-kernel").arg(self.image.join("kernel")).arg("-initrd").arg(self.image.join("initrd"));
        qemu.arg("-drive").arg(format!("file={}/disk.qcow2,if=virtio", self.folder.display()));
        qemu.arg("-netdev").arg(format!("user,id=net,hostfwd=tcp:127.0.0.1:{}-:22", self.port));
        qemu.args(["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"]);
        let errors = std::fs::File::create(self.folder.join("qemu")).unwrap();
        let child = qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().unwrap();
        self.process = Some(child);
        loop {
            if self.run("admin", "true").status.success() {
                break;
            }
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let said = |name: &str| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            assert!(ended.is_none(), "qemu: {}", said("qemu"));
            assert!(
                began.elapsed() < Duration::from_secs(BOOT * 60),
                "it does not boot: {}",
                said("console")
            );
        }
        println!("on after {:?}", began.elapsed());
    }

    /// Takes its power away.
    fn cut(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Runs something there, as one of its users.
    fn run(&self, user: &str, command: &str) -> Output {
        let mut ssh = Command::new("ssh");
        ssh.args(["-T", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o"]);
        ssh.args(["UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10"]);
        ssh.args(["-o", "IdentitiesOnly=yes", "-o", "ConnectionAttempts=5"]);
        ssh.arg("-i").arg(self.image.join("key")).arg("-p").arg(self.port.to_string());
        ssh.arg(format!("{user}@127.0.0.1")).arg(command).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command of root's prints there.
    fn root(&self, command: &str) -> String {
        let output = self.run("admin", &format!("sudo -n sh -c '{command}'"));
        assert!(output.status.success(), "{command}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Mode, owner, group and content of a file.
    fn file(&self, path: &str) -> String {
        self.root(&format!("stat -c \"%a %U %G\" {path}; cat {path}"))
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.cut();
    }
}

/// What the machine is to have.
#[derive(Clone)]
struct Machine {
    user: &'static str,
    setting: &'static str,
    /// The file with its password, if it has one.
    sealed: Option<&'static str>,
    small: Option<String>,
    /// How many folders stand in each other, and how many files are in each.
    tower: (u32, u32),
}

struct Lab {
    _folder: tempfile::TempDir,
    at: PathBuf,
    vm: Vm,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/secrets").join(name)
}

impl Lab {
    fn new(image: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        for name in ["project/model", "project/machines", "state", "vm"] {
            std::fs::create_dir_all(at.join(name)).unwrap();
        }
        let config = "name = \"vm\"\nid = \"vm\"\nedition = \"2026\"\n";
        std::fs::write(at.join("project/gops.toml"), config).unwrap();
        std::fs::write(at.join("project/model/main.gops"), MODEL).unwrap();
        std::fs::write(at.join("project/logo.bin"), [0, 255, 10, 13, 0]).unwrap();
        let vm = Vm::new(image, &at.join("vm"));
        Lab { _folder: folder, at, vm }
    }

    /// Makes the project say this, of machines by their names.
    fn say(&self, machines: &[(&str, &Machine)]) {
        let folder = self.at.join("project/machines");
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        let host = std::fs::read_to_string(self.vm.image.join("host.pub")).unwrap();
        let host: Vec<&str> = host.split_whitespace().take(2).collect();
        for (name, machine) in machines {
            let mut yaml = format!("name: {name}\nport: {}\nhost_key: {}\n", self.vm.port, host.join(" "));
            let key = self.vm.image.join("key");
            let _ = writeln!(yaml, "user: {}\nidentity_file: {}", machine.user, key.display());
            let _ = writeln!(yaml, "setting: {}", machine.setting);
            let _ = writeln!(yaml, "floors: {}\nnotes: {}", machine.tower.0, machine.tower.1);
            if let Some(small) = &machine.small {
                let _ = writeln!(yaml, "small: {small}");
            }
            if let Some(sealed) = machine.sealed {
                std::fs::copy(fixture(sealed), folder.join(format!("{name}.sops.yaml"))).unwrap();
            }
            std::fs::write(folder.join(format!("{name}.yaml")), yaml).unwrap();
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut gops = Command::new(gops());
        gops.arg("-C").arg(self.at.join("project")).arg("--no-progress").args(arguments);
        gops.arg("--state").arg(self.at.join("state"));
        gops.env("HOME", &self.at).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
        gops.env("SOPS_AGE_KEY_FILE", fixture("keys/age-1"));
        gops
    }

    fn gops(&self, arguments: &[&str]) -> (i32, String) {
        let began = Instant::now();
        let output = self.command(arguments).output().unwrap();
        let code = output.status.code().unwrap_or(-1);
        println!("{arguments:?} ended with {code} after {:?}", began.elapsed());
        (code, text(&output))
    }

    fn deploys(&self) -> String {
        let (code, said) = self.gops(&["deploy", "--yes"]);
        assert_eq!(code, 0, "{said}");
        said
    }

    fn has_nothing_to_do(&self) {
        let said = self.deploys();
        assert!(said.contains("Nothing to do"), "{said}");
    }

    /// Nothing half done lies about.
    fn has_no_leftovers(&self) {
        assert_eq!(self.vm.root("find / -xdev -name \".gops-*\""), "");
    }
}

/// The machine's image, if somebody made one.
fn image() -> Option<PathBuf> {
    let image = std::env::var_os("GOPS_VM").map(PathBuf::from).filter(|path| path.join("ready").exists());
    if image.is_none() {
        println!("left out: GOPS_VM names no image (`.ci/vm` makes one)");
    }
    image
}

const PLAIN: Machine = Machine { user: "admin", setting: "one", sealed: None, small: None, tower: (0, 0) };

#[test]
fn a_debian_host_is_deployed_to_with_sudo() {
    let Some(image) = image() else { return };
    let mut lab = Lab::new(image);
    lab.vm.boot();
    let mut machine = Machine { sealed: Some("canary/one.sops.yaml"), ..PLAIN };
    lab.say(&[("debian", &machine)]);
    everything_is_as_it_should_be(&lab);
    drift_is_mended(&lab);
    a_full_disk_is_said_and_waited_for(&lab, &mut machine);
    power_is_lost_while_it_makes(&mut lab, &mut machine);
    power_is_lost_while_it_takes_away(&mut lab, &mut machine);
    everything_goes(&lab);
}

/// What root has and what the user has, each with owner, mode and content, and the secret nowhere else.
fn everything_is_as_it_should_be(lab: &Lab) {
    let (code, said) = lab.gops(&["plan"]);
    assert!(code == 0 && said.contains("7 to create"), "{said}");
    lab.deploys();
    lab.has_nothing_to_do();
    assert_eq!(lab.vm.file("/etc/gops-vm/conf"), "640 root adm\none");
    assert_eq!(
        lab.vm.root("stat -c \"%a %U %G\" /etc/gops-vm /etc/gops-vm/logo"),
        "750 root adm\n604 daemon root\n"
    );
    assert_eq!(lab.vm.root("wc -c </etc/gops-vm/logo; cat /etc/gops-vm/link"), "5\none");
    assert_eq!(lab.vm.file("/etc/gops-vm/password"), "400 root root\nis canary-KqzWvXjy-1\n");
    assert_eq!(lab.vm.file("/home/admin/note"), "644 admin admin\none");
    assert!(lab.vm.file("/etc/hosts").contains("\n192.0.2.1 one\n"));
    // The secret is in its file alone: not in what root's agent keeps, nor in what the other does.
    let found =
        lab.vm.root("grep -rl \"canary-Kqz[W]vXjy\" /etc /home /root /var /tmp /run 2>/dev/null || true");
    assert_eq!(found, "/etc/gops-vm/password\n");
    lab.has_no_leftovers();
}

/// Drift is seen, told without the secret, and mended.
fn drift_is_mended(lab: &Lab) {
    lab.vm.root(
        "echo by hand >/etc/gops-vm/conf; chown nobody /etc/gops-vm/logo; chmod 644 /etc/gops-vm/password",
    );
    lab.vm.root(
        "echo canary-KqzWvXjy-9 >/etc/gops-vm/password; rm /etc/gops-vm/link; touch /etc/gops-vm/foreign",
    );
    let (code, said) = lab.gops(&["drift", "--exit-code"]);
    assert!(code == 2 && said.contains("by hand") && said.contains("/etc/gops-vm/foreign"), "{said}");
    assert!(said.contains("Symlink") && said.contains("nobody") && !said.contains("canary"), "{said}");
    lab.deploys();
    assert_eq!(lab.vm.file("/etc/gops-vm/conf"), "640 root adm\none");
    assert_eq!(lab.vm.file("/etc/gops-vm/password"), "400 root root\nis canary-KqzWvXjy-1\n");
    lab.vm.root("rm /etc/gops-vm/foreign");
}

/// A disk that is full: what does not fit fails and says so, the rest is done, and once there is
/// room the next run goes on.
fn a_full_disk_is_said_and_waited_for(lab: &Lab, machine: &mut Machine) {
    lab.vm.root("mkdir /mnt/small; mount -t tmpfs -o size=64k tmpfs /mnt/small");
    machine.setting = "two";
    machine.small = Some("x".repeat(200_000));
    lab.say(&[("debian", machine)]);
    let (code, said) = lab.gops(&["deploy", "--yes"]);
    assert!(code == 3 && said.contains("`/mnt/small/file`: no space left on device"), "{said}");
    assert!(said.contains("make room"), "{said}");
    assert_eq!(lab.vm.root("ls -A /mnt/small"), "");
    assert_eq!(lab.vm.file("/etc/gops-vm/conf"), "640 root adm\ntwo");
    lab.vm.root("mount -o remount,size=1m /mnt/small");
    lab.deploys();
    assert_eq!(lab.vm.root("wc -c </mnt/small/file"), "200000\n");
    machine.small = None;
    lab.say(&[("debian", machine)]);
    lab.deploys();
    assert_eq!(lab.vm.root("ls -A /mnt/small; umount /mnt/small"), "");
}

/// It loses its power in the middle of a deploy; once it is on again, the next run does the rest.
fn power_is_lost_while_it_makes(lab: &mut Lab, machine: &mut Machine) {
    machine.tower = (10, 30);
    lab.say(&[("debian", machine)]);
    lab.cut_after(100);
    let (code, said) = lab.gops(&["deploy", "--yes"]);
    assert!(code == 1 && said.contains("cannot be reached"), "{said}");
    lab.vm.boot();
    lab.deploys();
    lab.has_nothing_to_do();
    assert_eq!(lab.vm.root("find /srv -type f | wc -l; find /srv/floor0 -type d | wc -l"), "300\n10\n");
    let wrong = "grep -rL \"^two [0-9]* [0-9]*$\" /srv | wc -l";
    assert_eq!(lab.vm.root(wrong), "0\n");
    lab.has_no_leftovers();
}

/// The same while things are taken away.
fn power_is_lost_while_it_takes_away(lab: &mut Lab, machine: &mut Machine) {
    machine.tower = (0, 0);
    lab.say(&[("debian", machine)]);
    lab.cut_after(150);
    lab.vm.boot();
    lab.deploys();
    lab.has_nothing_to_do();
    assert_eq!(lab.vm.root("ls -A /srv"), "");
    lab.has_no_leftovers();
}

/// Everything goes that was made, and nothing else.
fn everything_goes(lab: &Lab) {
    lab.say(&[]);
    lab.deploys();
    lab.has_nothing_to_do();
    assert_eq!(lab.vm.root("ls -d /etc/gops-vm /home/admin/note 2>/dev/null || true"), "");
    assert_eq!(lab.vm.file("/etc/hosts"), "644 root root\n127.0.0.1 localhost gops-vm\n");
    lab.has_no_leftovers();
}

impl Lab {
    /// Deploys, and takes the power away once so many effects have ended.
    fn cut_after(&mut self, effects: usize) {
        let began = Instant::now();
        let mut command = self.command(&["deploy", "--yes", "--json"]);
        let mut gops = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut events = BufReader::new(gops.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ended = |line: &String| line.contains("\"event\":\"ended\"");
        let mut seen = Vec::new();
        while seen.len() < effects {
            match events.next() {
                Some(line) if ended(&line) => seen.push(line),
                Some(_) => {}
                None => {
                    panic!("it came to its end after {seen:#?}: {}", text(&gops.wait_with_output().unwrap()))
                }
            }
        }
        self.vm.cut();
        let rest: Vec<String> = events.collect();
        let output = gops.wait_with_output().unwrap();
        println!(
            "cut after {effects} effects: ended with {:?} after {:?}",
            output.status.code(),
            began.elapsed()
        );
        let end = rest.last().cloned().unwrap_or_default();
        assert!(!output.status.success() && end.contains("\"event\":\"end\""), "{end}\n{}", text(&output));
    }
}
