//! Text to trees, and back.

mod accepts;
