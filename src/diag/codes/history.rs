//! Codes G10xx.

use super::{Code, CodeInfo, Severity};

table! {
    EARLIER = "G1001" Warning "earlier-version", "something is wrong with an earlier version";
}
