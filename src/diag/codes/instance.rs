//! Codes G05xx.

use super::{Code, CodeInfo, Severity};

table! {}
