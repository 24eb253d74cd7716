//! Codes G10xx.

use super::{Code, CodeInfo, Severity};

table! {
    EARLIER = "G1001" Warning "earlier-version", "something is wrong with an earlier version";
    NO_HISTORY_OF = "G1002" Error "no-history-of", "a question about the history of something that has none";
    NO_EARLIER_VALUE = "G1003" Error "no-earlier-value", "`previous` of something that is no field";
    LEFT_OUT = "G1004" Warning "transient-left-out", "a transient object that cannot be made";
    NO_IDENTITY = "G1005" Error "moved-no-identity", "`moved` from or to something without an identity";
    MOVE_CLASH = "G1006" Error "move-clash", "a `moved` onto something that has a life of its own";
    BROKEN_BASE = "G1020" Warning "broken-base", "the base of a change does not compile, so what changes is not known";
    FILLS_NOWHERE = "G1040" Error "fills-nowhere", "a function that fills `assigned` fields, in something else";
    GIVEN_OUT_TWICE = "G1041" Error "given-out-twice", "a value that two assigned fields have, and one alone may";
    NOT_FILLED = "G1042" Error "not-filled", "an assigned field that needs a value that is not there";
    NOT_WRITTEN = "G1043" Error "not-written", "a value that cannot be written into its file";
    LOCK = "G1044" Error "damaged-lock", "an assigned.lock that cannot be read";
    PENDING = "G1050" Error "migration-pending", "a document that a migration has not been applied to";
    MIGRATION = "G1051" Error "bad-migration", "a migration of which nothing says when it is pending, or a name that two have";
    MOVE_REMOVED = "G1060" Warning "move-removed", "a `moved` line that is removed before every deployer carried it out";
    RECEIPT = "G1061" Warning "damaged-receipt", "a receipt that cannot be read";
    STORE = "G1062" Error "damaged-store", "a file of the active store that is not as `gops sync` wrote it";
    BRANCHES = "G1063" Error "two-branches", "an instance that two branches activated";
    NOT_ACTIVE = "G1064" Error "not-active", "a project with an active store, in which nothing was activated";
    NO_DEPLOYERS = "G1065" Error "no-deployers", "a question about what is settled, in a project that names no deployers";
}
