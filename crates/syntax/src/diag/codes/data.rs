//! Codes G02xx.

use super::{Code, CodeInfo, Severity};

table! {
    YAML_SYNTAX = "G0201" Error "yaml-syntax", "a YAML file does not parse";
    JSON_SYNTAX = "G0202" Error "json-syntax", "a JSON file does not parse";
    NOT_UTF8 = "G0203" Error "not-utf8", "a file is not UTF-8";
    CONTROL_CHARACTER = "G0204" Error "control-character", "a character that must be escaped stands as it is";
    TAB_INDENTATION = "G0205" Error "tab-indentation", "YAML is indented with a tab";
    DUPLICATE_KEY = "G0206" Error "duplicate-key", "a mapping has a key twice";
    KEY_NOT_STRING = "G0207" Error "key-not-string", "a key of a mapping is no string";
    SEVERAL_DOCUMENTS = "G0208" Error "several-documents", "a YAML file holds more than one document";
    UNKNOWN_TAG = "G0209" Error "unknown-tag", "a YAML tag that gops does not know";
    TAG_MISMATCH = "G0210" Error "tag-mismatch", "a value does not fit its YAML tag";
    UNKNOWN_ALIAS = "G0211" Error "unknown-alias", "a YAML alias has no value";
    MERGE_KIND = "G0212" Error "merge-kind", "a merge key names something else than mappings";
    NUMBER_RANGE = "G0213" Error "number-range", "a number is beyond the range of a float";
    YAML_VERSION = "G0214" Error "yaml-version", "a file says that it is written in an older YAML";
    TOO_LARGE = "G0215" Error "too-large", "a file has too many bytes";
    TOO_DEEP = "G0216" Error "document-too-deep", "lists and mappings nest too deep";
    TOO_MANY_NODES = "G0217" Error "too-many-values", "a document has too many values";
    ALIAS_EXPANSION = "G0218" Error "alias-expansion", "aliases make too many values";
    OTHER_SLICE = "G0240" Error "other-slice", "a file that looks like an instance of another slice";
    LEADING_ZERO = "G0241" Warning "leading-zero", "a decimal number that older readers of YAML take for octal";
}
