//! Codes G03xx.

use super::{Code, CodeInfo, Severity};

table! {
    UNKNOWN_NAME = "G0301" Error "unknown-name", "a name that means nothing where it stands";
    UNKNOWN_MODULE = "G0302" Error "unknown-module", "a path that leads to no module";
}
