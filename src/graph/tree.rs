//! A Merkle tree of fixed shape: leaves in 256 buckets, buckets under one root.
//!
//! One changed leaf costs the hash of its bucket (32 bytes for each leaf in it) and of the root
//! (32 bytes for each bucket).

use std::sync::Arc;

use super::digest::Digest;

/// Two hashes of one thing: of all of it, and of what is to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Roots {
    pub whole: Digest,
    pub desired: Digest,
}

pub(super) trait Leaf: Clone {
    fn id(&self) -> &str;
    /// None: the leaf is not part of the document.
    fn whole(&self) -> Option<&Digest>;
    /// None: the leaf is not of what is to exist.
    fn desired(&self) -> Option<&Digest>;
}

#[derive(Clone, Debug)]
pub(super) struct Tree<L> {
    buckets: Box<[Bucket<L>]>,
    len: usize,
}

/// Leaves sorted by id. Shared between copies of a tree until one of them changes.
#[derive(Clone, Debug)]
struct Bucket<L> {
    leaves: Arc<Vec<L>>,
    /// None: to be computed.
    roots: Option<Roots>,
}

const BUCKETS: usize = 256;

impl<L: Leaf> Tree<L> {
    pub fn new() -> Self {
        let bucket = || Bucket { leaves: Arc::default(), roots: None };
        Tree { buckets: (0..BUCKETS).map(|_| bucket()).collect(), len: 0 }
    }

    /// The bucket of an id: the first byte of its hash.
    fn bucket(id: &str) -> usize {
        let [first, ..] = Digest::of(id.as_bytes()).0;
        usize::from(first)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, id: &str) -> Option<&L> {
        let leaves = &self.buckets.get(Self::bucket(id))?.leaves;
        let at = leaves.binary_search_by(|leaf| leaf.id().cmp(id)).ok()?;
        leaves.get(at)
    }

    /// Changes the leaf of this id, or puts in or takes out one: `change` is given what is there
    /// and says what is to be there.
    pub fn update(&mut self, id: &str, change: impl FnOnce(Option<&L>) -> Option<L>) {
        let Some(bucket) = self.buckets.get_mut(Self::bucket(id)) else { return };
        bucket.roots = None;
        let leaves = Arc::make_mut(&mut bucket.leaves);
        match leaves.binary_search_by(|leaf| leaf.id().cmp(id)) {
            Ok(at) => match change(leaves.get(at)) {
                Some(new) => {
                    if let Some(leaf) = leaves.get_mut(at) {
                        *leaf = new;
                    }
                }
                None => {
                    leaves.remove(at);
                    self.len -= 1;
                }
            },
            Err(at) => {
                if let Some(new) = change(None) {
                    leaves.insert(at, new);
                    self.len += 1;
                }
            }
        }
    }

    /// The two roots, after hashing the buckets that changed.
    pub fn roots(&mut self) -> Roots {
        let buckets: Vec<Roots> = self.buckets.iter_mut().map(Bucket::roots).collect();
        let root = |of: fn(&Roots) -> &Digest| {
            let parts = buckets.iter().map(|b| of(b).0.as_slice());
            Digest::of_parts(std::iter::once(b"R".as_slice()).chain(parts))
        };
        Roots { whole: root(|b| &b.whole), desired: root(|b| &b.desired) }
    }

    /// All leaves, bucket after bucket.
    pub fn iter(&self) -> impl Iterator<Item = &L> {
        self.buckets.iter().flat_map(|bucket| bucket.leaves.iter())
    }

    /// All leaves by id.
    pub fn sorted(&self) -> Vec<&L> {
        let mut all = Vec::with_capacity(self.len);
        all.extend(self.iter());
        // Stable: it makes use of the sorted runs that the buckets are.
        all.sort_by(|a, b| a.id().cmp(b.id()));
        all
    }

    /// Pairs of leaves that differ between two trees, with one missing where only the other
    /// tree has the id, by id. Buckets with equal hashes are not looked into.
    pub fn differing<'a>(old: &'a mut Self, new: &'a mut Self) -> Vec<(Option<&'a L>, Option<&'a L>)> {
        old.roots();
        new.roots();
        let mut found = Vec::new();
        for (old, new) in old.buckets.iter().zip(&new.buckets) {
            if Arc::ptr_eq(&old.leaves, &new.leaves) || old.roots == new.roots {
                continue;
            }
            merge(&old.leaves, &new.leaves, &mut found);
        }
        found.sort_by(|a, b| pair_id(a).cmp(pair_id(b)));
        found
    }
}

fn pair_id<'a, L: Leaf>(pair: &(Option<&'a L>, Option<&'a L>)) -> &'a str {
    pair.0.or(pair.1).map_or("", Leaf::id)
}

fn merge<'a, L: Leaf>(old: &'a [L], new: &'a [L], found: &mut Vec<(Option<&'a L>, Option<&'a L>)>) {
    use std::cmp::Ordering;
    let mut old = old.iter().peekable();
    let mut new = new.iter().peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(a), Some(b)) => a.id().cmp(b.id()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let pair = match order {
            Ordering::Less => (old.next(), None),
            Ordering::Greater => (None, new.next()),
            Ordering::Equal => (old.next(), new.next()),
        };
        if pair.0.and_then(Leaf::whole) != pair.1.and_then(Leaf::whole) {
            let part = |leaf: Option<&'a L>| leaf.filter(|l| l.whole().is_some());
            found.push((part(pair.0), part(pair.1)));
        }
    }
}

impl<L: Leaf> Bucket<L> {
    fn roots(&mut self) -> Roots {
        if let Some(roots) = self.roots {
            return roots;
        }
        let hash = |of: fn(&L) -> Option<&Digest>| {
            let parts = self.leaves.iter().filter_map(of).map(|d| d.0.as_slice());
            Digest::of_parts(std::iter::once(b"B".as_slice()).chain(parts))
        };
        *self.roots.insert(Roots { whole: hash(L::whole), desired: hash(L::desired) })
    }
}
