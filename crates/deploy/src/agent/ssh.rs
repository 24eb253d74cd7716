//! Over the system's `ssh`: one process a host, which starts this very program there as its agent,
//! after copying it if the host does not have it yet.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ecow::{EcoString, eco_format};
use rustix::process::{Pid, Signal, kill_process};

use crate::graph::GraphValue;
use crate::handler::{Fault, Rights, SystemRandom, Token};

use super::link::{Connect, Pipes, Stage};
use super::process::{Ended, Process};
use super::program::Program;

/// How long a host may take to answer at all, if it is given that long.
const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may happen while a connection is made, if the host says nothing else.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of a program is sent before that counts as a sign of life.
const PIECE: u64 = 1 << 18;
/// How much a login shell may print before the script runs.
const NOISE: usize = 64 << 10;

/// For how many minutes a copy of another version is kept that nobody uses.
const UNUSED: u32 = 60;
/// What names the folder of a copy looks like, for `sh` and `find`: a digest begins so.
const DIGEST: &str = "[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*";

/// What the script says; each is the start of a line.
const HOST: &str = "gops-host ";
const WANTS: &str = "gops-wants";
const HAS: &str = "gops-has";

/// How a host is reached by ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    address: EcoString,
    port: u16,
    user: Option<EcoString>,
    identity_file: Option<EcoString>,
    host_key: Option<EcoString>,
    /// How long nothing may happen while a connection is made.
    patience: Duration,
    /// With which rights is done there what does not say it itself.
    rights: Rights,
    /// Whether something may be under way there that was begun as root.
    unfinished: bool,
    /// `admin@10.0.0.1:22`, in backticks.
    name: String,
}

impl Ssh {
    /// Reads the fields of a transport and of `become`.
    pub(super) fn read(transport: &GraphValue, become_: Option<&GraphValue>) -> Result<Self, Fault> {
        if transport.is_marked() {
            return Err(Fault::new("how it is reached is known only after a deploy"));
        }
        let text = |name: &str| transport.get(name).and_then(GraphValue::as_str).map(EcoString::from);
        let Some(address) = text("address").filter(|address| is_plain(address)) else {
            return Err(
                Fault::new("its `address` is none").help("a name or an IP address: `address: web1.example`")
            );
        };
        let port = transport.get("port").and_then(GraphValue::as_int).unwrap_or(22);
        let port = u16::try_from(port).map_err(|_| Fault::new(format!("there is no port {port}")))?;
        let (user, identity_file, host_key) = (text("user"), text("identity_file"), text("host_key"));
        if let Some(key) = host_key.as_deref().filter(|key| !is_key(key)) {
            return Err(Fault::new(format!("its `host_key` is no public key: `{key}`"))
                .help("a kind and a key, as in `ssh-keyscan HOST`: `ssh-ed25519 AAAA…`"));
        }
        let who = user.as_ref().map_or_else(EcoString::new, |user| eco_format!("{user}@"));
        let name = format!("`{who}{address}:{port}`");
        let rights = become_.and_then(GraphValue::as_str).and_then(Rights::read).unwrap_or_default();
        let patience = transport.get("login_timeout").and_then(GraphValue::as_int);
        let patience = patience.and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
        let patience = patience.map_or(PATIENCE, Duration::from_nanos);
        Ok(Ssh { address, port, user, identity_file, host_key, patience, rights, unfinished: false, name })
    }

    /// The same where an earlier run may have begun something as root, as the ledger knows.
    pub fn unfinished(mut self, unfinished: bool) -> Self {
        self.unfinished = unfinished;
        self
    }

    /// How long it may take to answer at all: whole seconds, as ssh has them.
    fn until_answered(&self) -> Duration {
        Duration::from_secs(self.patience.min(CONNECT).as_secs().max(1))
    }

    /// How long nothing may come: ssh has the first word on a host that does not answer at all.
    fn until_silent(&self) -> Duration {
        self.patience.max(self.until_answered() + Duration::from_secs(1))
    }

    fn command(&self, known_hosts: Option<&KnownHosts>, program: &Program) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-T", "-x", "-a", "-p"]).arg(self.port.to_string());
        let mut option = |option: &str| {
            command.args(["-o", option]);
        };
        for plain in [
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            "UpdateHostKeys=no",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "ClearAllForwardings=yes",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
            // A shared connection was made with whatever key was good enough for it.
            "ControlMaster=no",
            "ControlPath=none",
        ] {
            option(plain);
        }
        option(&format!("ConnectTimeout={}", self.until_answered().as_secs()));
        if let Some(known) = known_hosts {
            option(&format!("UserKnownHostsFile={}", known.0.display()));
            option("GlobalKnownHostsFile=/dev/null");
            option(&format!("HostKeyAlias={ALIAS}"));
        }
        if let Some(file) = &self.identity_file {
            option("IdentitiesOnly=yes");
            command.args(["-i", file]);
        }
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        command.arg("--").arg(self.address.as_str()).arg(script(program));
        command.env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// What the host's key stands under in the file that is made for one connection.
const ALIAS: &str = "gops-host";

/// Whether a text can be nothing but an address for ssh.
fn is_plain(address: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_' | '%');
    !address.is_empty() && !address.starts_with('-') && address.chars().all(plain)
}

/// Whether a text is one public key: a second line would be a second key.
fn is_key(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let kind = words.next().is_some_and(|kind| kind.contains('-') && !kind.starts_with(['#', '@']));
    kind && words.next().is_some_and(|key| key.starts_with("AAAA")) && !text.contains(['\n', '\r'])
}

/// What runs on the host, in one line without single quotes, so that any login shell hands it to
/// `sh`. A copy is used only if it is whole, and it gets its name only once its digest is right.
///
/// Each use of a copy touches it. When a new one has come, those that nobody has used for a while go:
/// an agent that runs keeps its program, and two versions that take turns keep both copies.
fn script(program: &Program) -> String {
    let Program { sha256, size } = program;
    format!(
        "exec sh -c '\
umask 077; c=\"${{XDG_CACHE_HOME:-$HOME/.cache}}/gops\"; d=\"$c/{sha256}\"; b=\"$d/gops\"; t=\"$d/part.$$\"; \
echo \"{HOST}$(uname -sm)\"; \
if [ \"$(wc -c 2>/dev/null <\"$b\")\" != {size} ]; then echo {WANTS}; \
mkdir -p \"$d\" && head -c {size} >\"$t\" && \
if [ \"$(sha256sum <\"$t\" | cut -c 1-64)\" != {sha256} ]; then echo \"what arrived is not what was sent\" >&2; false; fi && \
chmod 700 \"$t\" && mv -f \"$t\" \"$b\" || {{ rm -f \"$t\"; exit 71; }}; \
find \"$c\" -type f -path \"$c/{DIGEST}/*\" ! -path \"$d/gops\" -mmin +{UNUSED} \
-exec sh -c \"rm -f \\\"\\$1\\\"; rmdir \\\"\\${{1%/*}}\\\"\" old {{}} \\; 2>/dev/null; fi; touch -c \"$b\"; \
echo {HAS}; exec \"$b\" agent'"
    )
}

/// A file with the host's key alone, there as long as the connection is made.
struct KnownHosts(PathBuf);

impl KnownHosts {
    fn new(key: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("gops-known-host-{}", Token::new(&SystemRandom)));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let known = KnownHosts(path);
        writeln!(file, "{ALIAS} {key}")?;
        Ok(known)
    }
}

impl Drop for KnownHosts {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Connect for Ssh {
    fn host(&self) -> &str {
        &self.name
    }

    fn rights(&self) -> Rights {
        self.rights
    }

    fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    fn connect(&self) -> Result<Pipes, Fault> {
        let program = Program::this()?;
        let failed = |what: &str, e: io::Error| Fault::new(format!("{}: cannot {what}: {e}", self.name));
        let known = self.host_key.as_deref().map(KnownHosts::new).transpose();
        let known = known.map_err(|e| failed("write down its host key", e))?;
        let mut child = self.command(known.as_ref(), program).spawn().map_err(|error| {
            failed("start `ssh`", error).help("install the OpenSSH client: `apt install openssh-client`")
        })?;
        let (Some(mut to), Some(from), Some(complaints)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Fault::new("ssh has no pipes"));
        };
        let mut ssh = Process::new(child, complaints);
        let mut from = BufReader::new(from);
        let watch = Watch::new(&ssh, self.until_silent());
        if let Err((point, cause)) = start(&mut from, &mut to, program, &watch) {
            drop((from, to));
            let (late, ended) = (watch.end(), ssh.end());
            return Err(if late { self.silent() } else { self.failed(point, cause.as_deref(), ended) });
        }
        if watch.end() {
            drop((from, to, ssh.end()));
            return Err(self.silent());
        }
        drop(known);
        let this = self.clone();
        let why = move |stage| match stage {
            Stage::Starting => this.failed(Point::Agent, None, ssh.end()),
            Stage::Speaking => this.broke_off(&ssh.end()),
        };
        Ok(Pipes { input: Box::new(from), output: Box::new(to), why: Box::new(why) })
    }
}

/// Where a connection that was not made ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// Nothing came from the host.
    Login,
    /// It cannot run this program.
    Kind,
    /// The program could not be copied there.
    Copy,
    /// It could not be started.
    Agent,
}

/// Waits for the host's shell, and copies the program if it is wanted.
fn start(
    from: &mut BufReader<ChildStdout>,
    to: &mut impl Write,
    program: &Program,
    watch: &Watch,
) -> Result<(), (Point, Option<String>)> {
    let mut noise = NOISE;
    let mut line = || {
        let mut line = String::new();
        let read = from.by_ref().take(noise as u64).read_line(&mut line).ok()?;
        noise = noise.saturating_sub(read);
        line.ends_with('\n').then(|| line.trim_end().to_owned())
    };
    let kind = loop {
        let line = line().ok_or((Point::Login, None))?;
        watch.is_alive();
        if let Some(kind) = line.strip_prefix(HOST) {
            break kind.to_owned();
        }
    };
    let ours = format!("Linux {}", std::env::consts::ARCH);
    if kind != ours {
        return Err((Point::Kind, Some(format!("it is `{kind}`, and this gops is for `{ours}`"))));
    }
    let mut said = line().ok_or((Point::Copy, None))?;
    if said == WANTS {
        let mut copy = || {
            let (mut file, mut left) = (Program::open()?, program.size);
            while left > 0 {
                let sent = io::copy(&mut (&mut file).take(left.min(PIECE)), to)?;
                left -= if sent == 0 { left } else { sent };
                watch.is_alive();
            }
            to.flush()
        };
        // Where it fails at the other end, that has said why.
        let _ = copy();
        said = line().ok_or((Point::Copy, None))?;
    }
    if said == HAS { Ok(()) } else { Err((Point::Copy, Some(said))) }
}

/// Ends a process that gives no sign of life for too long while a connection is made.
struct Watch {
    alive: Sender<()>,
    watcher: JoinHandle<bool>,
}

impl Watch {
    fn new(process: &Process, patience: Duration) -> Self {
        let (alive, signs) = channel();
        let process = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        let watcher = std::thread::spawn(move || {
            loop {
                match signs.recv_timeout(patience) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Disconnected) => return false,
                    Err(RecvTimeoutError::Timeout) => break,
                }
            }
            // Nobody has waited for it yet, so the number is still its own.
            process.is_some_and(|process| kill_process(process, Signal::KILL).is_ok())
        });
        Watch { alive, watcher }
    }

    fn is_alive(&self) {
        // A watcher that is gone has ended what it watched.
        let _ = self.alive.send(());
    }

    /// Stops watching; says whether the process was ended.
    fn end(self) -> bool {
        drop(self.alive);
        self.watcher.join().unwrap_or(false)
    }
}

impl Ssh {
    fn failed(&self, point: Point, cause: Option<&str>, ended: Ended) -> Fault {
        let name = &self.name;
        let why = cause.or_else(|| ended.last()).unwrap_or("it does not say why");
        match point {
            Point::Login if ended.code == Some(255) || ended.code.is_none() => self.no_login(&ended),
            Point::Login => Fault::new(format!("{name} lets nobody run commands: {why}"))
                .help("its user needs a login shell that runs `sh`"),
            Point::Kind => Fault::new(format!("{name} cannot run this gops: {why}"))
                .help("deploy with a gops that was built for that kind of machine"),
            Point::Copy if ended.has(&["No space left", "quota exceeded"]) => {
                Fault::new(format!("{name} has no room for gops in `~/.cache/gops`: {why}"))
                    .help("make room there and run it again; nothing was done there")
            }
            Point::Copy => Fault::new(format!("gops could not be copied to {name}: {why}"))
                .help("its user needs a home folder that can be written to, and `sha256sum`, `head` and `wc`"),
            Point::Agent => Fault::new(format!("gops does not start on {name}: {why}"))
                .help("its home folder may be mounted `noexec`, or its C library be older than this gops was built for"),
        }
    }

    /// It was waited for, and did not go on.
    fn silent(&self) -> Fault {
        Fault::new(format!("{} has not said anything for {:?} while it was logged in to", self.name, self.until_silent()))
            .help("see that a login there gets through, as `ssh HOST true` does, or give it a longer `login_timeout`")
    }

    /// ssh itself did not get in.
    fn no_login(&self, ended: &Ended) -> Fault {
        let name = &self.name;
        let why = ended.last().unwrap_or("ssh does not say why");
        if ended.has(&[
            "Host key verification failed",
            "HOST IDENTIFICATION HAS CHANGED",
            "host key is known",
        ]) {
            let given = if self.host_key.is_some() { "`host_key`" } else { "`known_hosts`" };
            return Fault::new(format!("{name} has another host key than {given} says, or one that it does not say"))
                .help(format!(
                    "compare with `ssh-keyscan -p {} {}`, over a way that you trust, before you write the new one",
                    self.port, self.address
                ));
        }
        if ended.has(&["Permission denied", "Too many authentication failures", "no such identity"]) {
            let with = self.identity_file.as_ref().map_or_else(String::new, |file| format!(" in `{file}`"));
            return Fault::new(format!("{name} refuses the key{with}: {why}")).help(
                "add the public key to the user's `~/.ssh/authorized_keys` there, or name another `user` or `identity_file`",
            );
        }
        if ended.has(&["Could not resolve"]) {
            return Fault::new(format!("{name}: its name is unknown: {why}")).help("mend `address`");
        }
        if ended.has(&["timed out"]) {
            let waited = self.until_answered();
            return Fault::new(format!("{name} has not answered for {waited:?}: {why}"))
                .help("see that it is up, that ssh listens there, and that nothing on the way swallows it")
                .again();
        }
        Fault::new(format!("{name} cannot be reached: {why}"))
            .help("see that it is up and that ssh listens there, and run it again")
            .again()
    }

    fn broke_off(&self, ended: &Ended) -> Fault {
        let why = ended.last().map_or_else(String::new, |why| format!(": {why}"));
        Fault::new(format!("the connection to {} broke off{why}", self.name))
            .help("run it again: it is looked up then what was done there")
            .again()
    }
}
