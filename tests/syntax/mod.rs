//! Text to trees, and back.

mod accepts;
mod ebnf;
mod formats;
mod grammar;
mod limits;
mod mistakes;
mod rules;
mod sources;
