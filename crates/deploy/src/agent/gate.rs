//! Which runs a host lets in: it keeps the last one that it accepted of each ledger, and an agent
//! works for no other.
//!
//! In a folder of its own there is a file for each ledger and target with that run, a lock that
//! is held while it changes, and a locked file for each agent at work, named by its process, so
//! that a later run can end it: then no effect of an earlier run can land.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecow::EcoString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::handler::{Clock, Fault, Fence};

use super::message::Introduced;

/// How long an agent of an earlier run may take to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether it has.
const GLANCE: Duration = Duration::from_millis(10);

/// The run that was accepted last, of one ledger on one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Accepted {
    identity: EcoString,
    lineage: EcoString,
    project: EcoString,
    fence: Fence,
}

/// The gate for one ledger on one target.
pub(super) struct Gate {
    folder: PathBuf,
    name: String,
    identity: EcoString,
    lineage: EcoString,
    project: EcoString,
    fence: Fence,
    /// Held, and there, while this agent is let in.
    badge: Option<Badge>,
}

struct Badge {
    path: PathBuf,
    _lock: File,
}

impl Drop for Badge {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The folder where this user's gates are. It is root's own with `sudo`, whose home differs from
/// system to system.
pub(super) fn folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(state) = absolute("XDG_STATE_HOME") {
        return Some(state.join("gops/agent"));
    }
    if rustix::process::geteuid().is_root() {
        return Some("/var/lib/gops/agent".into());
    }
    absolute("HOME").map(|home| home.join(".local/state/gops/agent"))
}

impl Gate {
    /// The gate for a run; nothing is made.
    pub(super) fn new(folder: &Path, hello: &Introduced) -> Self {
        let hash = Sha256::digest(format!("{}\n{}", hello.lineage, hello.identity));
        Gate {
            folder: folder.to_owned(),
            name: hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect(),
            identity: hello.identity.clone(),
            lineage: hello.lineage.clone(),
            project: hello.project.clone(),
            fence: hello.fence.clone(),
            badge: None,
        }
    }

    fn path(&self, end: &str) -> PathBuf {
        self.folder.join(format!("{}.{end}", self.name))
    }

    /// The run that was accepted last.
    pub(super) fn known(&self) -> Result<Option<Fence>, Fault> {
        Ok(read(&self.path("json"))?.map(|accepted| accepted.fence))
    }

    /// The lineages of other ledgers of the project that were used with this target.
    pub(super) fn others(&self) -> Result<Vec<EcoString>, Fault> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Ok(Vec::new()) };
        let mut others = Vec::new();
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let other = read(&path)?.filter(|accepted| {
                accepted.identity == self.identity
                    && accepted.project == self.project
                    && accepted.lineage != self.lineage
            });
            others.extend(other.map(|accepted| accepted.lineage));
        }
        others.sort();
        Ok(others)
    }

    /// Accepts the run, if it is the one that was accepted last or a later one, and ends the
    /// agents of earlier ones. Yields the run that was accepted before.
    pub(super) fn enter(&mut self, clock: &dyn Clock) -> Result<Option<Fence>, Fault> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|e| failed(&self.folder, &e))?;
        let path = self.path("lock");
        let turn = open(&path)?;
        turn.lock().map_err(|e| failed(&path, &e))?;
        let before = self.known()?;
        if before.as_ref().is_some_and(|known| !known.admits(&self.fence)) {
            return Ok(before);
        }
        if self.badge.is_none() {
            self.end_others(clock)?;
            self.accept()?;
        }
        Ok(before)
    }

    /// Whether the run is still the last one that was accepted: asked before each effect.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.badge.is_none() {
            return Err(Fault::new("the host has not accepted this run"));
        }
        match self.known()? {
            Some(known) if known.epoch == self.fence.epoch && known.nonce == self.fence.nonce => Ok(()),
            _ => {
                let fault = Fault::new("a later run has been accepted by the host");
                Err(fault.help("another deployer is at work: nothing more is done there by this one"))
            }
        }
    }

    fn badge_name(&self) -> String {
        format!("{}.{}.", self.name, self.fence.nonce)
    }

    /// Ends the agents of other runs of this ledger, and waits until they are gone.
    fn end_others(&self, clock: &dyn Clock) -> Result<(), Fault> {
        let entries = std::fs::read_dir(&self.folder).map_err(|e| failed(&self.folder, &e))?;
        for entry in entries {
            let entry = entry.map_err(|e| failed(&self.folder, &e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = name.strip_prefix(&self.name).and_then(|rest| rest.strip_prefix('.'));
            let Some((nonce, process)) = ours.and_then(|rest| rest.split_once('.')) else { continue };
            if nonce == self.fence.nonce.as_str() {
                continue;
            }
            end(&entry.path(), process.parse().ok(), clock)?;
            let _ = std::fs::remove_file(entry.path());
        }
        Ok(())
    }

    /// Writes down that the run is accepted, durably, and that this agent works for it.
    fn accept(&mut self) -> Result<(), Fault> {
        let path = self.folder.join(format!("{}{}", self.badge_name(), std::process::id()));
        let lock = open(&path)?;
        lock.lock().map_err(|e| failed(&path, &e))?;
        let badge = Badge { path, _lock: lock };
        let accepted = Accepted {
            identity: self.identity.clone(),
            lineage: self.lineage.clone(),
            project: self.project.clone(),
            fence: self.fence.clone(),
        };
        let (path, new) = (self.path("json"), self.path("new"));
        let bytes = serde_json::to_vec(&accepted).unwrap_or_default();
        let write = || {
            let mut file = options().truncate(true).open(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|e| failed(&path, &e))?;
        self.badge = Some(badge);
        Ok(())
    }
}

/// Ends the agent that holds a badge, if it still lives. Its number is that of no other process as
/// long as the badge is locked.
fn end(badge: &Path, process: Option<i32>, clock: &dyn Clock) -> Result<(), Fault> {
    let held = match File::open(badge) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(badge, &error)),
    };
    let mut waited = Duration::ZERO;
    loop {
        match held.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(failed(badge, &error)),
            Err(TryLockError::WouldBlock) if waited >= PATIENCE => {
                let fault = Fault::new("an agent of an earlier run is at work on the host and does not end");
                return Err(fault.help("see what it waits for (`ps -ef | grep 'gops agent'`)").again());
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if let (true, Some(process)) = (waited.is_zero(), process.and_then(rustix::process::Pid::from_raw)) {
            // One of another user's cannot be ended, and is waited for.
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        }
        clock.sleep(GLANCE);
        waited += GLANCE;
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn open(path: &Path) -> Result<File, Fault> {
    options().truncate(false).open(path).map_err(|e| failed(path, &e))
}

fn read(path: &Path) -> Result<Option<Accepted>, Fault> {
    match std::fs::read(path) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(accepted) => Ok(Some(accepted)),
            Err(error) => Err(failed(path, &std::io::Error::other(error))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, &error)),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Fault {
    let fault =
        Fault::new(format!("the host cannot keep which run it accepts: `{}`: {error}", path.display()));
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            fault.help("make room there and run it again; nothing was done there")
        }
        _ => fault.help("mend that on the host and run it again; nothing was done there"),
    }
}
