//! What the tests that are Markdown files stand on. CONTRIBUTING.md describes the formats.

pub mod checking;
pub mod expected;
pub mod literate;
pub mod nodes;
