//! Codes G07xx.

use super::{Code, CodeInfo, Severity};

table! {
    DEPENDENCY_CYCLE = "G0701" Error "dependency-cycle", "resources require each other in a circle";
    CLAIM_CLASH = "G0702" Error "claim-clash", "two resources hold one thing on one target";
}
