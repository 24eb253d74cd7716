//! Codes G03xx.

use super::{Code, CodeInfo, Severity};

table! {
    UNKNOWN_NAME = "G0301" Error "unknown-name", "a name that means nothing where it stands";
    UNKNOWN_MODULE = "G0302" Error "unknown-module", "a path that leads to no module";
    DUPLICATE_NAME = "G0303" Error "duplicate-name", "a name that is declared or imported twice";
    RESERVED_NAME = "G0304" Error "reserved-name", "a declaration under the name of one of the language's types";
    ALIAS_CYCLE = "G0305" Error "alias-cycle", "an alias that stands for itself";
    INCLUDE = "G0306" Error "include", "`...X` of what is no struct, or of what includes itself";
    TYPE_ARGUMENTS = "G0307" Error "type-arguments", "a wrong number of types between `<` and `>`";
    WRONG_TYPE_ARGUMENT = "G0308" Error "wrong-type-argument", "a type between `<` and `>` that cannot stand there";
    ALTERNATIVES_OVERLAP = "G0309" Error "alternatives-overlap", "alternatives of `A | B` that data cannot tell apart";
    NO_IDENTITY = "G0310" Error "no-identity", "elements of a slice that nothing tells from one another";
    KEY_TYPE = "G0311" Error "key-type", "a key of a type that cannot be one, or with a path that leads nowhere";
    NO_KEY = "G0312" Error "no-key", "an entity or a resource without a key";
    NOT_IN_DATA = "G0313" Error "not-in-data", "a field of a slice whose values cannot stand in a file";
    SOURCE = "G0314" Error "slice-source", "a slice whose instances have no proper place";
    OVERLAPPING_SOURCES = "G0315" Error "overlapping-sources", "two slices that would read the same files";
    PLACEHOLDER = "G0316" Error "placeholder", "a placeholder in a slice's path that names no proper key";
    HANDLER = "G0317" Error "handler", "a resource without `handled by`, or something else with it";
    TARGET = "G0318" Error "target", "a resource with several targets";
    MISPLACED_FIELD = "G0319" Error "misplaced-field", "`key`, `output` or `assigned` where it cannot stand";
    DATA_NAME = "G0320" Error "data-name", "a name in data that means two things";
    RELATION = "G0321" Error "relation", "an inverse, closure or `acyclic` that does not follow references";
    REST_FIELD = "G0322" Error "rest-field", "`...rest` of a wrong type, or twice";
    UNIQUE = "G0323" Error "unique", "`unique` where it cannot hold";
    ENDLESS = "G0324" Error "endless-struct", "a struct that needs a value of itself";
    PAYLOAD = "G0325" Error "payload", "a variant that carries no struct, or one that hides the tag";
    WRONG_KIND = "G0326" Error "wrong-kind", "a type of the wrong kind for where it stands";
    DEPRECATED = "G0327" Warning "deprecated", "something that its author asks not to use any more";
    LIMIT = "G0328" Error "declaration-limit", "a declaration that is larger than gops reads";
}
