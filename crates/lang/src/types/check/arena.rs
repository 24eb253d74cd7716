//! Keeps values alive that are made while a model is checked, and gives references to them.

use std::cell::OnceCell;

/// Values that live as long as the arena. Adding one walks over those that are there: it is for
/// a few values.
#[derive(Default)]
pub(super) struct Arena<T> {
    first: OnceCell<Box<Link<T>>>,
}

struct Link<T> {
    value: T,
    next: OnceCell<Box<Link<T>>>,
}

impl<T> Arena<T> {
    pub fn new() -> Self {
        Arena { first: OnceCell::new() }
    }

    /// Keeps a value.
    pub fn keep(&self, value: T) -> &T {
        let mut end = &self.first;
        while let Some(link) = end.get() {
            end = &link.next;
        }
        &end.get_or_init(|| Box::new(Link { value, next: OnceCell::new() })).value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_where_they_are() {
        let arena = Arena::new();
        let first = arena.keep(1);
        let second = arena.keep(2);
        assert_eq!((*first, *second), (1, 2));
    }
}
