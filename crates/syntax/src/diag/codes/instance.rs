//! Codes G05xx.

use super::{Code, CodeInfo, Severity};

table! {
    NOT_AN_INSTANCE = "G0501" Error "not-an-instance", "a file that holds no mapping";
    WRONG_TYPE = "G0502" Error "wrong-data-type", "a value of another type than its field's";
    UNKNOWN_FIELD = "G0503" Error "unknown-data-field", "an entry that is no field";
    MISSING_FIELD = "G0504" Error "missing-data-field", "a field that must be given and is not";
    REFINEMENT = "G0505" Error "refused-value", "a value that a refinement refuses";
    UNKNOWN_VARIANT = "G0506" Error "unknown-data-variant", "a string that is no value of an enum, or no tag of a union";
    NO_TAG = "G0507" Error "missing-tag", "a union's mapping without its tag";
    DUPLICATE_ELEMENT = "G0508" Error "duplicate-element", "two elements of a list, set or map with one key";
    REPEATED = "G0509" Error "repeated-value", "a value that a set has twice";
    UNASSIGNED = "G0510" Error "unassigned", "an assigned field that has no value yet";
    OLD_NAME = "G0511" Warning "old-name", "a field under a name that it no longer has";
    DEPRECATED_DATA = "G0512" Warning "deprecated-data", "a field or value that is not to be used any more";
    ENCRYPTED = "G0513" Error "encrypted-plain", "an encrypted value where nothing is secret";
    NOTHING_TO_REMOVE = "G0514" Error "nothing-to-remove", "an overlay that removes what is not there";
    PATH_KEY = "G0515" Error "path-key", "a key that the path and the data give differently, or that the path cannot give";
    GIVEN_TWICE = "G0516" Error "given-twice", "a field that stands in the data twice, under two names or in two files";
    MISPLACED_REMOVE = "G0517" Error "misplaced-remove", "`$remove` where there is nothing to take out";
    NO_BASE = "G0518" Error "no-base", "an item of an overlay that the base file does not have";
}
