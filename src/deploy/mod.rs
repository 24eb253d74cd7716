//! The plan, and its execution.
