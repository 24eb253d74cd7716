//! The published JSON Schema of the document.

/// The schema, as it stands in `docs/graph.schema.json`.
pub const SCHEMA: &str = include_str!("../../../../../docs/graph.schema.json");

#[cfg(test)]
mod tests;
