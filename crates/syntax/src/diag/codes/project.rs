//! Codes G08xx.

use super::{Code, CodeInfo, Severity};

table! {
    CONFIG_SYNTAX = "G0801" Error "config-syntax", "gops.toml is not TOML";
    CONFIG_UNKNOWN_KEY = "G0802" Error "config-unknown-key", "a key that gops.toml does not have";
    CONFIG_VALUE = "G0803" Error "config-value", "a value that a key of gops.toml cannot have";
    CONFIG_MISSING_KEY = "G0804" Error "config-missing-key", "gops.toml lacks a key that it must have";
    STRAY_FILE = "G0805" Warning "stray-file", "a file in a slice's folder that is no instance";
    OVERLAY_WITHOUT_BASE = "G0806" Error "overlay-without-base", "an overlay whose base file is not there";
    NEAR_MISS = "G0807" Warning "near-miss", "a path that almost fits a slice's pattern";
    TWO_SLICES = "G0808" Error "two-slices", "one file that two slices read";
    UNREADABLE = "G0809" Error "unreadable-file", "a file that cannot be read";
    DUPLICATE_INSTANCE = "G0810" Error "duplicate-instance", "two instances of a slice with one key";
    SINGLETON = "G0811" Error "singleton", "a slice without a key with more than one instance";
    DANGLING_REFERENCE = "G0812" Error "dangling-reference", "a reference to an instance that is not there";
    NOT_UNIQUE = "G0813" Error "not-unique", "a value that must be unique stands twice";
    NO_MODEL = "G0814" Error "no-model", "a project without a model file";
    INVALID_RESOURCE = "G0815" Error "invalid-resource", "a resource that its handler refuses";
    MODEL_PATH = "G0816" Error "model-path", "a model file whose path cannot be a module's name";
    ENVIRONMENT = "G0817" Error "environment", "an environment that was not chosen, or is not declared";
    NOT_ACYCLIC = "G0818" Error "not-acyclic", "references that go in a circle, where the model forbids it";
    DIFFERENT_OBJECTS = "G0819" Error "different-objects", "one object that is made twice, with different fields";
    DIFFERENT_POLICY = "G0820" Error "different-policy", "one object that is made twice, with a different timeout or drift";
    UNEXPLAINED = "G0821" Error "unexplained", "something was left out and no mistake is known: a fault of gops";
    TOO_MANY_DELETIONS = "G0827" Error "too-many-deletions", "a change that deletes more than the guard allows";
    MISSING_FOLDER = "G0828" Warning "missing-folder", "a slice whose folder is not there, and another is that may be meant";
}
