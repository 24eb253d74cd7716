//! Models with mistakes, each at its line.
