//! What an earlier graph had and this one has not.

use std::sync::Arc;

use super::node::{SealedNode, State};
use super::sealed::GraphBuilder;

impl GraphBuilder {
    /// Puts in, as absent, what an earlier graph has as present and this one has under no state
    /// and has moved from no id: each with the origin, the target and the requirements that it
    /// had there. What is in this graph stays as it is, so give the newest of several earlier
    /// graphs first. Says how many there are.
    ///
    /// The cost is that of what differs.
    pub fn add_absent(&mut self, earlier: &mut GraphBuilder) -> usize {
        let moved: Vec<_> = self.header().moves.iter().map(|m| m.from.clone()).collect();
        let counts = |n: &SealedNode| n.state == State::Present && !moved.contains(&n.id);
        let gone: Vec<_> = if earlier.len() * 8 < self.len() {
            // A part of a graph: no bucket is equal.
            earlier.iter().map(|n| &**n).filter(|n| self.get(&n.id).is_none() && counts(n)).cloned().collect()
        } else {
            let (nodes, _) = GraphBuilder::differing(earlier, self);
            let gone = nodes.into_iter().filter_map(|(old, new)| old.filter(|_| new.is_none()));
            gone.filter(|n| counts(n)).cloned().collect()
        };
        let mut scratch = Vec::new();
        let mut added = 0;
        for sealed in gone {
            // What this program has sealed, it can read.
            let Ok(mut node) = sealed.read() else { continue };
            node.state = State::Absent;
            if let Some(target) = earlier.target(&node.target)
                && self.target(&node.target).is_none()
            {
                self.upsert_target(target.clone());
            }
            self.upsert(Arc::new(node.seal(&mut scratch)));
            added += 1;
        }
        added
    }
}
