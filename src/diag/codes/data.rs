//! Codes G02xx.

use super::{Code, CodeInfo, Severity};

table! {}
