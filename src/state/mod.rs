//! The ledger of what was made.
