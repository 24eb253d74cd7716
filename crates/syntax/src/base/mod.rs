//! What every layer stands on: names, files, spans, edits, and the [`System`] through which
//! anything outside the process is read.

pub mod canonical;
mod edited;
pub mod id;
mod name;
pub mod quantity;
mod span;
mod system;

pub use edited::Edited;
pub use name::Name;
pub use span::{FileId, FileSpan, LineColumn, LineIndex, Span, TextEdit};
pub use system::{DiskSystem, Entry, EntryKind, MemorySystem, System, SystemError};
