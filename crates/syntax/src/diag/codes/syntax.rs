//! Codes G01xx.

use super::{Code, CodeInfo, Severity};

table! {
    UNEXPECTED_CHARACTER = "G0101" Error "unexpected-character", "a character that begins nothing";
    UNCLOSED_STRING = "G0102" Error "unclosed-string", "a string or an interpolation without end";
    BAD_ESCAPE = "G0103" Error "bad-escape", "an escape that is not known";
    BAD_NUMBER = "G0104" Error "bad-number", "a number that cannot be read or does not fit";
    BAD_UNIT = "G0105" Error "bad-unit", "a duration or a size with a wrong unit";
    UNCLOSED_DELIMITER = "G0106" Error "unclosed-delimiter", "a bracket that nothing closes";
    STRAY_DELIMITER = "G0107" Error "stray-delimiter", "a bracket that closes nothing";
    TOO_DEEP = "G0108" Error "too-deep", "brackets or operators nested too deep";
    UNEXPECTED_TOKEN = "G0109" Error "unexpected-token", "something else belongs at this place";
    CHAINED_COMPARISON = "G0110" Error "chained-comparison", "a comparison of a comparison";
    MISPLACED_MODIFIER = "G0111" Error "misplaced-modifier", "`after`, `protect` and their like without a constructor";
    PLAIN_STRING = "G0112" Error "plain-string", "an interpolation in a string that must stand for itself";
    TOO_MANY = "G0113" Error "too-many-errors", "so much is wrong that the rest is not shown";
    CHECK_WITHOUT_MESSAGE = "G0114" Error "check-without-message", "a check that does not say what is wrong";
    SUFFIX_ORDER = "G0115" Error "suffix-order", "what follows the type of a field, in a wrong order";
    BRACE_IN_HEAD = "G0116" Error "brace-in-head", "a brace literal in the head of a block";
    LOST_DOCUMENTATION = "G0117" Warning "lost-documentation", "a `///` comment that documents nothing";
    MERGE_CONFLICT = "G0140" Error "merge-conflict", "a merge of two versions that was not finished";
}
