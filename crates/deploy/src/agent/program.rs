//! This program as a file, to be copied to hosts: what speaks on a host is the same gops, byte for
//! byte.

use std::fs::File;
use std::io::Read as _;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use crate::handler::Fault;

/// The running program's file, whatever stands at its path by now.
const SELF: &str = "/proc/self/exe";

/// This program.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// In hex.
    pub sha256: String,
    pub size: u64,
}

impl Program {
    /// Reads and hashes it, once.
    pub(super) fn this() -> Result<&'static Program, Fault> {
        static THIS: OnceLock<Result<Program, Fault>> = OnceLock::new();
        THIS.get_or_init(Program::read).as_ref().map_err(Clone::clone)
    }

    /// Its bytes.
    pub(super) fn open() -> std::io::Result<File> {
        File::open(SELF)
    }

    fn read() -> Result<Program, Fault> {
        let hash = || {
            let mut file = Program::open()?;
            let mut hash = Sha256::new();
            let mut buffer = vec![0; 1 << 18];
            let mut size = 0;
            loop {
                let read = file.read(&mut buffer)?;
                let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
                hash.update(bytes);
                size += bytes.len() as u64;
            }
            let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Program { sha256, size })
        };
        hash().map_err(|e: std::io::Error| {
            let fault = Fault::new(format!("gops cannot read its own file, to copy it to hosts: {e}"));
            fault.help("it needs /proc")
        })
    }
}
