//! A project as a whole: incremental equals cold, and nothing depends on an order.

mod incremental;
mod order;
mod shop;
