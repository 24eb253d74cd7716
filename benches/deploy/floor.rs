//! The floor of a first deploy: a plain program that makes the same files as durably as can be done in
//! batches. It writes temporary files, syncs the file system once, renames, and syncs once more.
//!
//! `rustc -O floor.rs && ./floor N FOLDER`: N files into FOLDER, which is empty.

use std::ffi::c_int;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

unsafe extern "C" {
    fn syncfs(fd: c_int) -> c_int;
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let n: usize = arguments.next().and_then(|n| n.parse().ok()).expect("how many files");
    let folder = arguments.next().expect("a folder");
    let folder = Path::new(&folder);
    let open = File::open(folder)?;
    // SAFETY: a system call about a folder that is open.
    let sync = || match unsafe { syncfs(open.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    };
    for i in 0..n {
        let mode = if i % 2 == 0 { 0o600 } else { 0o644 };
        let options = OpenOptions::new().write(true).create_new(true).mode(mode).clone();
        let mut file = options.open(folder.join(format!(".f{i:06}.new")))?;
        let port = 10_000 + i % 50_000;
        let text = format!("# managed file {i}\nname = service-{i}\nport = {port}\nenv = prod\n");
        file.write_all(text.as_bytes())?;
    }
    sync()?;
    for i in 0..n {
        std::fs::rename(folder.join(format!(".f{i:06}.new")), folder.join(format!("f{i:06}.conf")))?;
    }
    sync()
}
