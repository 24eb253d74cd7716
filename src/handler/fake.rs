//! A handler in memory with injected faults, for tests of the engine.
