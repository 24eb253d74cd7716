//! Codes G09xx.

use super::{Code, CodeInfo, Severity};

table! {
    NAMING = "G0901" Warning "naming", "a name that is not written as others of its kind are";
    UNKNOWN_LINT = "G0902" Warning "unknown-lint", "a comment that silences a lint which does not exist";
    UNUSED_IMPORT = "G0950" Warning "unused-import", "a `use` of something that is not used";
    UNUSED_LOCAL = "G0951" Warning "unused-local", "a local that is not used";
    SHADOWED_NAME = "G0952" Warning "shadowed-name", "a local with the name of a field or an item";
    PLACEHOLDER = "G0955" Warning "plain-placeholder", "a name in a string that looks as if it stood for its value";
}
