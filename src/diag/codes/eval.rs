//! Codes G06xx.

use super::{Code, CodeInfo, Severity};

table! {}
