//! Codes G04xx.

use super::{Code, CodeInfo, Severity};

table! {
    TYPE_MISMATCH = "G0401" Error "type-mismatch", "a value of one type where another is expected";
    UNKNOWN_FIELD = "G0402" Error "unknown-field", "a field that a type does not have";
    MISSING_FIELD = "G0403" Error "missing-field", "a constructor that leaves out a required field";
    UNKNOWN_METHOD = "G0404" Error "unknown-method", "a function that values of a type do not have";
    MAY_BE_NULL = "G0405" Error "may-be-null", "an optional value used as if it were there";
    AMBIGUOUS_VARIANT = "G0406" Error "ambiguous-variant", "a bare name that is a variant and something else";
    UNKNOWN_VARIANT = "G0407" Error "unknown-variant", "a variant that an enum or union does not have";
    NOTHING_IN_COMMON = "G0408" Error "nothing-in-common", "branches or elements whose types have nothing in common";
    NOT_EXHAUSTIVE = "G0409" Error "not-exhaustive", "a `match` that leaves values without an arm";
    UNREACHABLE_ARM = "G0410" Warning "unreachable-arm", "a pattern that no value is left for";
    BAD_OPERANDS = "G0411" Error "bad-operands", "an operator between values that it is not for";
    NEVER = "G0412" Error "never", "a test that can never be true";
    BAD_CALL = "G0413" Error "bad-call", "a call with wrong arguments";
    BAD_INDEX = "G0414" Error "bad-index", "`[…]` on something without such elements";
    WRONG_KEY = "G0415" Error "wrong-key", "a reference whose keys are not those of its type";
    NOT_AN_OBJECT = "G0416" Error "not-an-object", "a type where one with objects of its own is wanted";
    CONSTRUCTOR_NOT_HERE = "G0417" Error "constructor-not-here", "an object made outside of an `impl`";
    NOT_CONSTRUCTIBLE = "G0418" Error "not-constructible", "`T { … }` of a type that is not made of fields";
    MODIFIER_NOT_HERE = "G0419" Error "modifier-not-here", "`after`, `protect` and the like without a constructor";
    MARK_DECIDES = "G0420" Error "mark-decides", "a secret, or a value known only later, that decides something";
    MARK_NOT_DECLARED = "G0421" Error "mark-not-declared", "a secret or later value where the type does not say so";
    NEEDS_TYPE = "G0422" Error "needs-type", "a type that cannot be found out from the value";
    LAMBDA_NOT_HERE = "G0423" Error "lambda-not-here", "a function value that is no argument of a builtin";
    SHADOWED_LOCAL = "G0424" Error "shadowed-local", "a local with the name of another local";
    NOT_READABLE = "G0425" Error "not-readable", "a default, refinement or constant that reads what is not there yet";
    NO_PARENT = "G0426" Error "no-parent", "`parent` of something that nothing holds";
    NO_VALUE = "G0427" Error "no-value", "a block whose last line is no expression";
    NOT_ITERABLE = "G0428" Error "not-iterable", "a `for` through something without elements";
    NOT_A_KEY = "G0429" Error "not-a-key", "a key of a map that is no string, int or enum";
    NO_TEXT = "G0430" Error "no-text", "a value in a string that has no text of its own";
    BAD_REGEX = "G0431" Error "bad-regex", "a regular expression that cannot be read";
    FILE_PATH = "G0432" Error "file-path", "a relative path of `file()` where there is no folder";
    TEMPLATE = "G0433" Error "template", "a template that cannot be found";
    HISTORY_NOT_HERE = "G0434" Error "history-not-here", "a question about history where it has no answer";
    NO_EFFECT = "G0435" Warning "no-effect", "a statement that makes nothing";
    BAD_BLAME = "G0436" Error "bad-blame", "`at` something that does not stand in data";
    TWICE = "G0437" Error "literal-field-twice", "a field or key that is given twice";
    BAD_SPREAD = "G0438" Error "bad-spread", "`...` of something without fields";
    BAD_PATH = "G0439" Error "bad-path", "`drift ignore` of something that is no path";
    ONLY_IN_TESTS = "G0440" Error "only-in-tests", "a statement of tests outside of one";
    NOT_AN_OUTPUT = "G0441" Error "not-an-output", "`given` for something that is no output";
    RECURSION = "G0442" Error "recursion", "a function, default or refinement that needs itself";
    DERIVED_CYCLE = "G0443" Error "derived-cycle", "derived fields that need one another in a circle";
    STRATA_CYCLE = "G0444" Error "strata-cycle", "types whose objects would have to be known before they are made";
}
