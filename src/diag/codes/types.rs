//! Codes G04xx.

use super::{Code, CodeInfo, Severity};

table! {}
