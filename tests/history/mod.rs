//! Element history: the fold of versions against a reference model, and the known ways to get it
//! wrong, each a test.

mod earlier;
mod known;
mod laws;
mod moves;
mod reading;
mod reference;
mod sharing;
mod transient;
