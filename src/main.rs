//! The program.

use std::process::ExitCode;

/// Half the time of a compile would be spent in the allocator of glibc.
#[global_allocator]
static ALLOCATOR: gops::cli::Allocator = gops::cli::Allocator;

fn main() -> ExitCode {
    gops::cli::main()
}
