//! Codes G07xx.

use super::{Code, CodeInfo, Severity};

table! {}
