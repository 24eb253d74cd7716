//! Codes G10xx.

use super::{Code, CodeInfo, Severity};

table! {
    EARLIER = "G1001" Warning "earlier-version", "something is wrong with an earlier version";
    FILLS_NOWHERE = "G1040" Error "fills-nowhere", "a function that fills `assigned` fields, in something else";
    GIVEN_OUT_TWICE = "G1041" Error "given-out-twice", "a value that two assigned fields have, and one alone may";
}
