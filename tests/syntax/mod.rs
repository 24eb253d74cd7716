//! Text to trees, and back.

mod accepts;
mod corpus;
mod ebnf;
mod formats;
mod grammar;
mod laws;
mod limits;
mod mistakes;
mod rules;
mod sources;
