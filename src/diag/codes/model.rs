//! Codes G03xx.

use super::{Code, CodeInfo, Severity};

table! {}
