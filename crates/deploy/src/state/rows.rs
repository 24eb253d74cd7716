//! The rows of a ledger, by key.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use super::{Row, RowKey};

/// The rows of a ledger, by key: a sorted map. A row stands in a box of its own, since the leaves of a
/// tree that is filled in order stay half empty: there is a hundred thousand of them after a first deploy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows(BTreeMap<RowKey, Box<Row>>);

impl Rows {
    /// The row of a key.
    pub fn get(&self, key: &RowKey) -> Option<&Row> {
        self.0.get(key).map(|row| &**row)
    }

    /// The row of a key, to be changed; its key is not.
    pub fn get_mut(&mut self, key: &RowKey) -> Option<&mut Row> {
        self.0.get_mut(key).map(|row| &mut **row)
    }

    /// Whether there is a row of this key.
    pub fn contains_key(&self, key: &RowKey) -> bool {
        self.0.contains_key(key)
    }

    /// Puts a row in, in the place of the one with its key.
    pub fn insert(&mut self, row: Row) {
        self.0.insert(row.key.clone(), Box::new(row));
    }

    /// Takes the row of a key out.
    pub fn remove(&mut self, key: &RowKey) -> Option<Row> {
        self.0.remove(key).map(|row| *row)
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &RowKey> {
        self.0.keys()
    }

    /// All rows, by key.
    pub fn values(&self) -> impl Iterator<Item = &Row> {
        self.0.values().map(|row| &**row)
    }

    /// The rows of these keys, in order.
    pub fn range(&self, keys: impl RangeBounds<RowKey>) -> impl Iterator<Item = (&RowKey, &Row)> {
        self.0.range(keys).map(|(key, row)| (key, &**row))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Box<Row>> for Rows {
    /// All at once: row after row would leave each leaf of the tree half empty.
    fn from_iter<I: IntoIterator<Item = Box<Row>>>(rows: I) -> Self {
        Rows(rows.into_iter().map(|row| (row.key.clone(), row)).collect())
    }
}
