//! Secrets: opening what sops and age encrypted, and telling whether one changed.
//!
//! What is opened stays in memory, and nothing here shows it: not in a `Debug`, not in an error,
//! not in an argument, not in a file. Opening needs no program beside this one; encrypting, which
//! `gops update` does, asks `sops`.
//!
//! The primitives are those of the RustCrypto crates; what is read here is the two formats.

#[cfg(feature = "secret")]
mod age;
#[cfg(feature = "secret")]
mod base64;
#[cfg(feature = "secret")]
mod bech32;
mod encrypt;
mod error;
#[cfg(feature = "secret")]
mod identity;
#[cfg(feature = "secret")]
mod open;
mod plain;
mod print;
#[cfg(feature = "secret")]
mod sops;
#[cfg(feature = "secret")]
mod ssh;
mod vault;

#[cfg(all(test, feature = "secret"))]
mod tests;

pub use encrypt::{Sops, SopsError};
pub use error::SecretError;
#[cfg(feature = "secret")]
pub use identity::Identities;
pub use plain::Plain;
pub use print::{PrintKey, Printer};
pub use vault::Vault;
