//! A value that must not be shown.

use std::fmt;

/// A value that was opened. Its `Debug` does not tell it.
#[derive(Clone, PartialEq)]
pub enum Plain {
    /// A text.
    Str(String),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

impl Plain {
    /// The bytes that sops' message authentication code is over.
    #[cfg(feature = "secret")]
    pub(super) fn signed(&self) -> String {
        match self {
            Plain::Str(text) => text.clone(),
            Plain::Int(value) => value.to_string(),
            Plain::Float(value) => value.to_string(),
            Plain::Bool(true) => "True".to_owned(),
            Plain::Bool(false) => "False".to_owned(),
        }
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}
