//! Stamps: what tells cheaply that a file is as it was when it was last looked at.

use std::time::Duration;

use ecow::{EcoString, eco_format};
use rustix::fs::{FileType, Statx};

use crate::handler::Timestamp;

/// A change this soon before it was looked at may be followed by another one that the file's
/// time does not tell apart: the kernel's coarse clock ticks every 10 ms at the slowest.
const TICK: Duration = Duration::from_millis(20);

/// Says that the stamp was taken within a tick of the last change.
const FRESH: &str = " ~";

/// What a file is.
pub(super) fn file_type(about: &Statx) -> FileType {
    FileType::from_raw_mode(about.stx_mode.into())
}

/// The permission bits of a file.
pub(super) fn permissions(about: &Statx) -> u32 {
    u32::from(about.stx_mode) & 0o7777
}

/// The stamp of a file, whenever it was taken. A directory's says nothing of its entries, which
/// are others' business.
pub(super) fn stamp(about: &Statx) -> EcoString {
    let (inode, mode, user, group) = (about.stx_ino, permissions(about), about.stx_uid, about.stx_gid);
    let kind = match file_type(about) {
        FileType::Directory => return eco_format!("d {inode} {mode:o} {user} {group}"),
        FileType::RegularFile => 'f',
        FileType::Symlink => 'l',
        _ => 'o',
    };
    let (size, links, changed) = (about.stx_size, about.stx_nlink, changed(about).0);
    eco_format!("{kind} {inode} {mode:o} {user} {group} {size} {links} {changed}")
}

/// The stamp of a file that was looked at now.
pub(super) fn stamp_at(about: &Statx, now: Timestamp) -> EcoString {
    let mut text = stamp(about);
    if file_type(about) != FileType::Directory && now.since(changed(about)) < TICK {
        text.push_str(FRESH);
    }
    text
}

/// Whether a file is what a stamp says, as far as the stamp can tell.
pub(super) fn same(about: &Statx, known: &str) -> bool {
    stamp(about) == known.strip_suffix(FRESH).unwrap_or(known)
}

/// When the file or what is known of it was last changed.
fn changed(about: &Statx) -> Timestamp {
    Timestamp(
        about.stx_ctime.tv_sec.saturating_mul(1_000_000_000).saturating_add(about.stx_ctime.tv_nsec.into()),
    )
}
