//! Codes G08xx.

use super::{Code, CodeInfo, Severity};

table! {}
