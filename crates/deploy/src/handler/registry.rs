//! The list of handlers: the one place that knows them by name.

use super::Handler;

/// The handlers of a program.
pub struct Registry {
    handlers: Vec<Box<dyn Handler>>,
}

impl Registry {
    /// All that this program has.
    pub fn standard() -> Self {
        Registry {
            handlers: vec![
                #[cfg(feature = "file")]
                Box::new(super::file::FileHandler),
            ],
        }
    }

    /// These, for tests and simulations.
    pub fn of(handlers: Vec<Box<dyn Handler>>) -> Self {
        Registry { handlers }
    }

    /// The handler with this name.
    pub fn get(&self, name: &str) -> Option<&dyn Handler> {
        self.handlers.iter().find(|h| h.name() == name).map(|h| &**h)
    }

    /// The names, in the order of the list.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.handlers.iter().map(|h| h.name())
    }
}
