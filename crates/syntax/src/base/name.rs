//! Interned identifiers.

use std::fmt;
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;

/// An identifier of a model: the name of a field, a type, a module, a local.
///
/// Names compare by number, which is fast and depends on the order in which they were first
/// seen. Whatever is shown or written is therefore ordered by [`Name::as_str`], never by the
/// name itself; `Name` has no `Ord` for that reason.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u32);

static NUMBERS: LazyLock<RwLock<FxHashMap<&'static str, u32>>> = LazyLock::new(RwLock::default);
/// By number; read without a lock.
static TEXTS: boxcar::Vec<&'static str> = boxcar::Vec::new();

impl Name {
    /// The name with this text. Texts live as long as the process: only identifiers of models
    /// and declared data names belong here, never values.
    pub fn new(text: &str) -> Self {
        if let Ok(numbers) = NUMBERS.read()
            && let Some(&number) = numbers.get(text)
        {
            return Name(number);
        }
        let mut numbers = NUMBERS.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(&number) = numbers.get(text) {
            return Name(number);
        }
        let text: &'static str = Box::leak(text.into());
        let number = TEXTS.push(text) as u32;
        numbers.insert(text, number);
        Name(number)
    }

    /// The text of the name.
    pub fn as_str(self) -> &'static str {
        TEXTS.get(self.0 as usize).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Name::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_name() {
        assert_eq!(Name::new("port"), Name::new("port"));
        assert_ne!(Name::new("port"), Name::new("ports"));
        assert_eq!(Name::new("port").as_str(), "port");
    }
}
