//! YAML and JSON documents with a span for every node, within limits.
