//! A Merkle tree of fixed shape: leaves in 256 buckets, buckets under one root.
//!
//! One changed leaf costs the hash of its bucket (32 bytes for each leaf in it) and of the root
//! (32 bytes for each bucket).

use std::sync::{Arc, OnceLock};

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

/// Where a leaf stands: the first eight bytes of the hash of its id, the first of which is the
/// number of its bucket. A bucket is in this order, and what shares a place in that of the ids:
/// it is compared without a look at the leaves, which lie all over the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u64);

impl Place {
    pub fn of(id: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(id.as_bytes()).0;
        Place(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    fn bucket(self) -> usize {
        (self.0 >> 56) as usize
    }
}

#[derive(Clone, Debug)]
pub(super) struct Tree<L> {
    buckets: Box<[Bucket<L>]>,
    len: usize,
}

/// Leaves by place. Shared between copies of a tree, with its hashes, until one of them changes.
#[derive(Clone, Debug)]
struct Bucket<L>(Arc<Shared<L>>);

#[derive(Clone, Debug)]
struct Shared<L> {
    leaves: Vec<(Place, L)>,
    /// Empty: to be computed.
    roots: OnceLock<Roots>,
}

const BUCKETS: usize = 256;

fn search<L: Leaf>(leaves: &[(Place, L)], place: Place, id: &str) -> Result<usize, usize> {
    leaves.binary_search_by(|(p, leaf)| p.cmp(&place).then_with(|| leaf.id().cmp(id)))
}

impl<L: Leaf> Tree<L> {
    pub fn new() -> Self {
        let bucket = |_| Bucket(Arc::new(Shared { leaves: Vec::new(), roots: OnceLock::new() }));
        Tree { buckets: (0..BUCKETS).map(bucket).collect(), len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, id: &str) -> Option<&L> {
        let place = Place::of(id);
        let leaves = self.buckets.get(place.bucket())?.leaves();
        leaves.get(search(leaves, place, id).ok()?).map(|(_, leaf)| leaf)
    }

    /// Puts a leaf in, in the place of one with its id, which is given back.
    pub fn insert(&mut self, place: Place, leaf: L) -> Option<L> {
        let leaves = self.buckets.get_mut(place.bucket())?.change();
        match search(leaves, place, leaf.id()) {
            Ok(at) => leaves.get_mut(at).map(|(_, old)| std::mem::replace(old, leaf)),
            Err(at) => {
                leaves.insert(at, (place, leaf));
                self.len += 1;
                None
            }
        }
    }

    /// Puts many leaves in, at the cost of sorting them: one after the other each would move half
    /// of its bucket. Gives back those that were there, or came earlier, under the same ids.
    pub fn extend(&mut self, new: impl IntoIterator<Item = (Place, L)>) -> Vec<L> {
        let mut touched = [false; BUCKETS];
        for (place, leaf) in new {
            let number = place.bucket();
            if let (Some(bucket), Some(touched)) = (self.buckets.get_mut(number), touched.get_mut(number)) {
                bucket.change().push((place, leaf));
                *touched = true;
            }
        }
        let mut replaced = Vec::new();
        let touched = self.buckets.iter_mut().zip(touched).filter(|(_, touched)| *touched);
        for (bucket, _) in touched {
            let leaves = bucket.change();
            // Stable, so that of two with one id the later one stands behind.
            leaves.sort_by(|(p, a), (q, b)| p.cmp(q).then_with(|| a.id().cmp(b.id())));
            leaves.dedup_by(|later, kept| {
                let same = later.0 == kept.0 && later.1.id() == kept.1.id();
                if same {
                    std::mem::swap(later, kept);
                    replaced.push(later.1.clone());
                }
                same
            });
        }
        self.len = self.buckets.iter().map(|bucket| bucket.leaves().len()).sum();
        replaced
    }

    /// Takes a leaf out.
    pub fn remove(&mut self, id: &str) -> Option<L> {
        let place = Place::of(id);
        let bucket = self.buckets.get_mut(place.bucket())?;
        let at = search(bucket.leaves(), place, id).ok()?;
        self.len -= 1;
        Some(bucket.change().remove(at).1)
    }

    /// The two roots, after hashing the buckets that changed.
    pub fn roots(&self) -> Roots {
        let buckets: Vec<Roots> = self.buckets.iter().map(Bucket::roots).collect();
        let root = |of: fn(&Roots) -> &Digest| {
            let parts = buckets.iter().map(|b| of(b).0.as_slice());
            Digest::of_parts(std::iter::once(b"R".as_slice()).chain(parts))
        };
        Roots { whole: root(|b| &b.whole), desired: root(|b| &b.desired) }
    }

    /// All leaves, bucket after bucket.
    pub fn iter(&self) -> impl Iterator<Item = &L> + Clone {
        self.buckets.iter().flat_map(|bucket| bucket.leaves().iter().map(|(_, leaf)| leaf))
    }

    /// All leaves by id.
    pub fn sorted(&self) -> Vec<&L> {
        let mut all: Vec<(&str, &L)> = Vec::with_capacity(self.len);
        all.extend(self.iter().map(|leaf| (leaf.id(), leaf)));
        sort_by_text(all)
    }

    /// Pairs of leaves that differ between two trees, with one missing where only the other
    /// tree has the id, by id. Buckets with equal hashes are not looked into.
    pub fn differing<'a>(old: &'a Self, new: &'a Self) -> Vec<(Option<&'a L>, Option<&'a L>)> {
        let mut found = Vec::new();
        for (old, new) in old.buckets.iter().zip(&new.buckets) {
            if Arc::ptr_eq(&old.0, &new.0) || old.roots() == new.roots() {
                continue;
            }
            merge(old.leaves(), new.leaves(), &mut found);
        }
        found.sort_by(|a, b| pair_id(a).cmp(pair_id(b)));
        found
    }
}

fn pair_id<'a, L: Leaf>(pair: &(Option<&'a L>, Option<&'a L>)) -> &'a str {
    pair.0.or(pair.1).map_or("", Leaf::id)
}

fn merge<'a, L: Leaf>(
    old: &'a [(Place, L)],
    new: &'a [(Place, L)],
    found: &mut Vec<(Option<&'a L>, Option<&'a L>)>,
) {
    use std::cmp::Ordering;
    let mut old = old.iter().peekable();
    let mut new = new.iter().peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some((p, a)), Some((q, b))) => p.cmp(q).then_with(|| a.id().cmp(b.id())),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let pair = match order {
            Ordering::Less => (old.next(), None),
            Ordering::Greater => (None, new.next()),
            Ordering::Equal => (old.next(), new.next()),
        };
        let listed =
            |leaf: Option<&'a (Place, L)>| leaf.map(|(_, leaf)| leaf).filter(|l| l.whole().is_some());
        let pair = (listed(pair.0), listed(pair.1));
        if pair.0.and_then(Leaf::whole) != pair.1.and_then(Leaf::whole) {
            found.push(pair);
        }
    }
}

impl<L: Leaf> Bucket<L> {
    fn leaves(&self) -> &[(Place, L)] {
        &self.0.leaves
    }

    /// The leaves, to be changed: the hashes go.
    fn change(&mut self) -> &mut Vec<(Place, L)> {
        let shared = Arc::make_mut(&mut self.0);
        shared.roots = OnceLock::new();
        &mut shared.leaves
    }

    fn roots(&self) -> Roots {
        *self.0.roots.get_or_init(|| {
            let hash = |of: fn(&L) -> Option<&Digest>| {
                let parts = self.leaves().iter().filter_map(|(_, leaf)| of(leaf)).map(|d| d.0.as_slice());
                Digest::of_parts(std::iter::once(b"B".as_slice()).chain(parts))
            };
            Roots { whole: hash(L::whole), desired: hash(L::desired) }
        })
    }
}

/// Sorts by text. Texts that start alike, as ids do, are not compared from their start again and
/// again: all of a range skip what they share, are sorted by the next eight bytes, which stand
/// beside each other in memory, and what is equal in these goes on from there.
fn sort_by_text<T: Copy>(items: Vec<(&str, T)>) -> Vec<T> {
    const FEW: usize = 12;
    let mut keyed: Vec<(u64, &str, T)> = items.into_iter().map(|(text, item)| (0, text, item)).collect();
    let mut open = vec![(0..keyed.len(), 0)];
    while let Some((range, shared)) = open.pop() {
        let start = range.start;
        let Some(part) = keyed.get_mut(range) else { continue };
        if part.len() <= FEW {
            part.sort_unstable_by(|a, b| a.1.cmp(b.1));
            continue;
        }
        let shared = shared + common(part, shared);
        for (key, text, _) in part.iter_mut() {
            *key = next_bytes(text, shared);
        }
        part.sort_unstable_by_key(|(key, ..)| *key);
        let mut from = start;
        for same in part.chunk_by(|a, b| a.0 == b.0) {
            let range = from..from + same.len();
            from = range.end;
            if range.len() > 1 {
                open.push((range, shared + 8));
            }
        }
    }
    keyed.into_iter().map(|(.., item)| item).collect()
}

/// How many bytes from `from` on all of these texts share.
fn common<T>(texts: &[(u64, &str, T)], from: usize) -> usize {
    let Some((_, first, _)) = texts.first() else { return 0 };
    let first = first.as_bytes().get(from..).unwrap_or_default();
    texts.iter().fold(first.len(), |shared, (_, text, _)| {
        let text = text.as_bytes().get(from..).unwrap_or_default();
        first.iter().zip(text).take(shared).take_while(|(a, b)| a == b).count()
    })
}

/// The next eight bytes as a number that orders as they do. Behind the end stand zeros, which no
/// id has.
fn next_bytes(text: &str, from: usize) -> u64 {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => rest.iter().enumerate().fold(0, |key, (at, &byte)| key | u64::from(byte) << (56 - 8 * at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Named(String, Digest);

    impl Leaf for Named {
        fn id(&self) -> &str {
            &self.0
        }
        fn whole(&self) -> Option<&Digest> {
            Some(&self.1)
        }
        fn desired(&self) -> Option<&Digest> {
            None
        }
    }

    fn named(id: &str, version: usize) -> (Place, Named) {
        (Place::of(id), Named(id.to_owned(), Digest::of(format!("{id} {version}").as_bytes())))
    }

    proptest! {
        #[test]
        fn many_at_once_are_as_one_by_one(ids in proptest::collection::vec("[a-e]{1,2}", 0..60), at in 0usize..60) {
            let leaves: Vec<_> = ids.iter().enumerate().map(|(i, id)| named(id, i)).collect();
            let (first, second) = leaves.split_at(at.min(leaves.len()));
            let mut single = Tree::new();
            let mut replaced: Vec<Named> =
                leaves.iter().cloned().filter_map(|(place, leaf)| single.insert(place, leaf)).collect();
            let mut many = Tree::new();
            let mut again = many.extend(first.to_vec());
            let before = (many.clone(), many.roots());
            again.extend(many.extend(second.to_vec()));
            prop_assert_eq!(many.roots(), single.roots());
            prop_assert_eq!(many.len(), single.len());
            prop_assert_eq!(many.sorted(), single.sorted());
            // A copy stays as it was.
            prop_assert_eq!(before.0.roots(), before.1);
            let key = |n: &Named| n.1.0;
            replaced.sort_by_key(key);
            again.sort_by_key(key);
            prop_assert_eq!(again, replaced);
        }

        #[test]
        fn texts_are_sorted(texts in proptest::collection::hash_set("(a{0,9}|aaaaaaaaaab)[ab]{0,12}", 0..80)) {
            let texts: Vec<String> = texts.into_iter().collect();
            let mut expected: Vec<&str> = texts.iter().map(String::as_str).collect();
            expected.sort_unstable();
            prop_assert_eq!(sort_by_text(texts.iter().map(|t| (t.as_str(), t.as_str())).collect()), expected);
        }
    }
}
