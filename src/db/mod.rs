//! Inputs of the incremental database and their durability.
