//! Identity of elements and the fold of versions.
