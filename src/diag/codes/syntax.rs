//! Codes G01xx.

use super::{Code, CodeInfo, Severity};

table! {}
