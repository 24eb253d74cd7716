//! A project as a whole: incremental equals cold, and nothing depends on an order.

mod incremental;
mod mutated;
mod narrow;
pub mod order;
mod read_back;
pub mod shop;
mod switching;
