//! Where ledgers lie, and the locks beside them.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use sha2::{Digest as _, Sha256};

use crate::handler::{PrintKey, Random, Timestamp};

use super::store::{Holder, LockError, StoreError};

/// What tells projects apart: the `id` of gops.toml; else the name and the project's first
/// commit; else, outside Git, the name and the folder.
pub fn project_id(id: Option<&str>, name: &str, first_commit: Option<&str>, root: &Path) -> EcoString {
    if let Some(id) = id {
        return folder_name(id);
    }
    let root = real(root);
    let distinct = match first_commit {
        Some(commit) => commit.as_bytes().to_vec(),
        None => root.as_os_str().as_encoded_bytes().to_vec(),
    };
    let hash = super::journal::hex(&Sha256::digest(distinct));
    eco_format!("{}-{}", folder_name(name), hash.get(..12).unwrap_or_default())
}

/// The path that a folder has, or will have once it is made.
fn real(folder: &Path) -> PathBuf {
    let folder = &std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut there = folder.ancestors();
    let made = there.find_map(|above| Some((above, above.canonicalize().ok()?)));
    let real = made.and_then(|(above, real)| Some(real.join(folder.strip_prefix(above).ok()?)));
    // Of parts, because to join nothing would leave a `/` at the end.
    real.as_deref().unwrap_or(folder).components().collect()
}

/// A text as the name of one folder: what could leave the folder or confuse a shell is replaced.
fn folder_name(text: &str) -> EcoString {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let safe: EcoString = text.chars().map(|c| if keep(c) { c } else { '_' }).collect();
    if safe.is_empty() || safe.starts_with('.') { eco_format!("_{safe}") } else { safe }
}

/// The folder of a ledger: `DIR/PROJECT[/ENVIRONMENT]`, where DIR is the one given, else
/// `$XDG_STATE_HOME/gops`, else `~/.local/state/gops`.
pub fn ledger_folder(
    state: Option<&Path>,
    project: &str,
    environment: Option<&str>,
) -> Result<PathBuf, StoreError> {
    let mut folder = match state {
        Some(state) => state.to_owned(),
        None => state_home().ok_or(StoreError::Homeless)?.join("gops"),
    };
    folder.push(folder_name(project).as_str());
    if let Some(environment) = environment {
        folder.push(folder_name(environment).as_str());
    }
    Ok(folder)
}

fn state_home() -> Option<PathBuf> {
    // The XDG specification has a relative path ignored.
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
}

/// Makes the folder of a ledger, for its owner alone, and refuses one where locks do not work.
pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(StoreError::file("make", folder))?;
    let file = File::open(folder).map_err(StoreError::file("open", folder))?;
    let kind = rustix::fs::fstatfs(&file).map_err(|e| StoreError::file("look at", folder)(e.into()))?;
    match network(kind.f_type as u64) {
        Some(kind) => Err(StoreError::Network { path: folder.display().to_string(), kind }),
        None => Ok(()),
    }
}

/// The file beside a ledger with the key of its hashes of secrets: who has the ledger alone, or
/// what was exported of it, can try out nothing.
const KEY: &str = "secrets.key";

/// The key with which a ledger hashes secrets. Where there is none yet it is made, and kept if
/// `keep` says so.
pub fn print_key(folder: &Path, random: &dyn Random, keep: bool) -> Result<PrintKey, StoreError> {
    let path = folder.join(KEY);
    match std::fs::read(&path) {
        // One that is damaged is like none: then all secrets are applied once more.
        Ok(bytes) => {
            if let Ok(bytes) = bytes.try_into() {
                return Ok(PrintKey::new(bytes));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::file("read", &path)(error)),
    }
    let mut bytes = [0; 32];
    for half in bytes.chunks_mut(16) {
        half.copy_from_slice(random.next().to_le_bytes().get(..half.len()).unwrap_or_default());
    }
    if keep {
        let beside = folder.join("secrets.key.new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options.open(&beside).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        written.map_err(StoreError::file("write", &beside))?;
        std::fs::rename(&beside, &path).map_err(StoreError::file("write", &path))?;
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(StoreError::file("sync", folder))?;
    }
    Ok(PrintKey::new(bytes))
}

/// The network file systems of Linux, by their magic numbers (statfs(2)).
fn network(magic: u64) -> Option<&'static str> {
    Some(match magic & 0xffff_ffff {
        0x6969 => "NFS",
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => "SMB",
        0x0102_1997 => "9p",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7461_636f => "OCFS2",
        _ => return None,
    })
}

/// A file that somebody's deploy is at work. The lock belongs to the open file, not to the
/// process: closing another descriptor of it does not drop it, and a child that inherits it
/// keeps it; so a free lock means that no worker lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // To close the file would do, were there not moments in which a child that is being started
        // has it still open.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(path: &Path, holder: &Holder) -> Result<Self, LockError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(StoreError::file("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { holder: read(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(StoreError::file("lock", path)(error).into()),
        }
        let text = format!("{}\n{}\n{}\n", holder.process, holder.machine, holder.since.0);
        let written = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(StoreError::file("write", path))?;
        let lock = Lock { file, path: path.to_owned() };
        lock.confirm()?;
        Ok(lock)
    }

    /// Refuses to go on if the file at the path is not the one that is locked: then somebody
    /// else can hold a lock at the same path.
    pub(super) fn confirm(&self) -> Result<(), StoreError> {
        same_file(&self.file, &self.path)
    }
}

/// Whether the open file is still what its path names.
pub(super) fn same_file(file: &File, path: &Path) -> Result<(), StoreError> {
    let open = file.metadata().map_err(StoreError::file("look at", path))?;
    match std::fs::symlink_metadata(path) {
        Ok(named) if (named.dev(), named.ino()) == (open.dev(), open.ino()) => Ok(()),
        _ => Err(StoreError::Displaced { path: path.display().to_string() }),
    }
}

/// Who holds the lock of the ledger in a folder, found out without touching it: whoever tried it
/// would be in the way of a deploy that begins just then.
pub fn holder(folder: &Path) -> Option<Option<Holder>> {
    let mut file = File::open(folder.join("ledger.lock")).ok()?;
    let about = file.metadata().ok()?;
    let held = match std::fs::read_to_string("/proc/locks") {
        Ok(locks) => is_locked(&locks, about.ino()),
        // A lock that is shared lets other readers in, and lasts no longer than this line.
        Err(_) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
    };
    held.then(|| read(&mut file))
}

/// Whether `/proc/locks` has an exclusive lock of a file with this number. The device is not asked
/// for: what it says there is not what `stat` says on file systems without one of their own.
fn is_locked(locks: &str, inode: u64) -> bool {
    let of_file = |place: &str| place.rsplit(':').next().is_some_and(|found| found.parse() == Ok(inode));
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words.as_slice(), [_, "FLOCK" | "OFDLCK", _, "WRITE", _, place, ..] if of_file(place))
    })
}

/// Who holds the lock, as its file says.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let process = lines.next()?.parse().ok()?;
    let machine = lines.next()?.into();
    let since = Timestamp(lines.next()?.parse().ok()?);
    Some(Holder { process, machine, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_name_before_and_after_it_is_made() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a/b");
        let before = project_id(None, "shop", None, &folder);
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(project_id(None, "shop", None, &folder), before);
        std::os::unix::fs::symlink(&folder, above.path().join("link")).unwrap();
        assert_eq!(project_id(None, "shop", None, &above.path().join("link")), before);
        assert_eq!(project_id(None, "shop", None, &above.path().join("link/../b")), before);
    }

    #[test]
    fn a_project_id_is_one_safe_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(project_id(Some("shop"), "x", None, folder.path()), "shop");
        assert_eq!(project_id(Some("../../etc"), "x", None, folder.path()), "_.._.._etc");
        let outside = project_id(None, "shop", None, folder.path());
        let inside = project_id(None, "shop", Some("abc"), folder.path());
        assert!(outside.starts_with("shop-") && inside.starts_with("shop-") && outside != inside);
    }

    #[test]
    fn locks_are_read_as_the_kernel_writes_them() {
        let locks = "1: POSIX  ADVISORY  WRITE 12 08:01:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 13 00:2f:99 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 14 00:2f:55 0 EOF\n3: FLOCK  ADVISORY  READ  15 00:2f:98 0 EOF\n";
        assert!(is_locked(locks, 99));
        for inode in [77, 55, 98, 9] {
            assert!(!is_locked(locks, inode), "{inode}");
        }
    }

    #[test]
    fn the_key_of_hashes_stays_once_it_is_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let random = crate::handler::SeededRandom::new(1);
        let passing = print_key(folder.path(), &random, false).unwrap();
        let kept = print_key(folder.path(), &random, true).unwrap();
        assert!(passing != kept);
        assert!(print_key(folder.path(), &random, false).unwrap() == kept);
        let mode = std::fs::metadata(folder.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_second_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.lock");
        let holder = Holder { process: 7, machine: "h1".into(), since: Timestamp(5) };
        assert!(super::holder(folder.path()).is_none());
        let lock = Lock::take(&path, &holder).unwrap();
        assert_eq!(super::holder(folder.path()), Some(Some(holder.clone())));
        match Lock::take(&path, &Holder { process: 8, ..holder.clone() }) {
            Err(LockError::Held { holder: Some(found) }) => assert_eq!(found, holder),
            other => panic!("{other:?}"),
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(lock.confirm(), Err(StoreError::Displaced { .. })));
        drop(Lock::take(&path, &holder).unwrap());
        assert!(super::holder(folder.path()).is_none(), "what its file says is of somebody who has left");
    }
}
