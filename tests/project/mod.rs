//! A project as a whole: incremental equals cold, and nothing depends on an order.

mod incremental;
mod mutated;
mod order;
mod read_back;
mod shop;
mod switching;
