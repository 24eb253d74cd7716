//! Text to trees, and back.

mod accepts;
mod limits;
mod mistakes;
