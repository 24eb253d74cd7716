//! Codes G06xx.

use super::{Code, CodeInfo, Severity};

table! {
    OVERFLOW = "G0601" Error "overflow", "a number does not fit";
    DIVISION_BY_ZERO = "G0602" Error "division-by-zero", "division by zero";
    MISSING_INDEX = "G0603" Error "missing-index", "a list or string has no element with this index";
    MISSING_KEY = "G0604" Error "missing-key", "a map or list has no element with this key";
    CAST = "G0605" Error "cast-failed", "a value of `any` is not of the type that `as` names";
    REFINEMENT = "G0606" Error "refinement-not-met", "a value that a model made does not satisfy its type";
    CHECK = "G0607" Error "check-failed", "a `check` does not hold";
    DUPLICATE_KEY = "G0608" Error "duplicate-map-key", "a map that a model made has a key twice";
    BAD_ARGUMENT = "G0609" Error "bad-argument", "a builtin cannot do anything with this argument";
    FILE = "G0610" Error "unreadable-named-file", "what `file()` or `files()` names cannot be read";
    BUDGET = "G0611" Error "budget-exceeded", "an evaluation takes more than it may";
    NO_PARENT = "G0612" Error "parent-of-made", "a value that a model made has no `parent`";
    EXPECT = "G0613" Error "expectation-failed", "what a test expects is not so";
    EXPECT_ERROR = "G0614" Error "no-such-error", "a test expects a problem that nothing says";
    NO_HISTORY = "G0615" Error "no-history", "`state(x)` of something that was never there";
    MAP_KEY = "G0680" Error "map-key-disagrees", "a map that a model made holds a struct under another key than its own";
}
