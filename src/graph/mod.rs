//! The resource graph: ids, dependencies, canonical JSON, digests, drawings.
