//! Codes G09xx.

use super::{Code, CodeInfo, Severity};

table! {
    NAMING = "G0901" Warning "naming", "a name that is not written as others of its kind are";
    UNKNOWN_LINT = "G0902" Warning "unknown-lint", "a comment that silences a lint which does not exist";
}
