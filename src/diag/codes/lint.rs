//! Codes G09xx.

use super::{Code, CodeInfo, Severity};

table! {}
