//! Text of models to a tree and its errors: lexer, token trees, parser, formatter. Pure.
pub mod ast;
