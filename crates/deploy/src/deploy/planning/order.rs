//! What comes before what, and what therefore is not done.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::plan::Cause;

/// Steps and what comes before what.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Order {
    /// For each step those that come before it, and whether they must: a soft edge is dropped
    /// where it would close a cycle.
    before: Vec<Vec<(usize, Strength)>>,
    /// For each step why it is not done, if that is known from the start.
    broken: Vec<Option<Cause>>,
    /// Steps of which all are done or none.
    wholes: Vec<Vec<usize>>,
}

/// How much an edge counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deploy) enum Strength {
    /// Always.
    Hard,
    /// Unless it closes a cycle.
    Soft,
}

/// Steps in order.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Ordered {
    /// The steps that are done, each after those before it; of those that could come next the
    /// one with the least number.
    pub steps: Vec<usize>,
    /// For each step those that come before it.
    pub before: Vec<Vec<usize>>,
    /// Why the others are not done.
    pub broken: BTreeMap<usize, Cause>,
    /// The soft edges that were dropped: the second does not wait for the first.
    pub dropped: Vec<(usize, usize)>,
}

impl Order {
    /// No edges among so many steps.
    pub(in crate::deploy) fn new(steps: usize) -> Self {
        Order { before: vec![Vec::new(); steps], broken: vec![None; steps], wholes: Vec::new() }
    }

    /// `first` comes before `then`.
    pub(in crate::deploy) fn edge(&mut self, first: usize, then: usize, strength: Strength) {
        if first != then
            && let Some(before) = self.before.get_mut(then)
        {
            before.push((first, strength));
        }
    }

    /// This step is not done. The first cause given stays.
    pub(in crate::deploy) fn break_step(&mut self, step: usize, cause: Cause) {
        if let Some(broken) = self.broken.get_mut(step) {
            broken.get_or_insert(cause);
        }
    }

    /// Of these steps all are done or none.
    pub(in crate::deploy) fn whole(&mut self, steps: &[usize]) {
        self.wholes.push(steps.to_vec());
    }

    /// Puts the steps in order. `name` says why what comes after a broken step is not done.
    pub(in crate::deploy) fn resolve(mut self, name: impl Fn(usize, &Cause) -> Cause) -> Ordered {
        let mut ordered = Ordered::default();
        let order = self.sort(&mut ordered.dropped);
        self.inherit(&order, &name);
        while self.break_wholes() {
            self.inherit(&order, &name);
        }
        for step in order {
            match self.broken.get_mut(step).and_then(Option::take) {
                Some(cause) => {
                    ordered.broken.insert(step, cause);
                }
                None => ordered.steps.push(step),
            }
        }
        ordered.before =
            self.before.into_iter().map(|before| before.into_iter().map(|(b, _)| b).collect()).collect();
        ordered
    }

    /// Breaks what comes after broken steps.
    fn inherit(&mut self, order: &[usize], name: &impl Fn(usize, &Cause) -> Cause) {
        for &step in order {
            let causes = self.before.get(step).into_iter().flatten();
            let inherited =
                causes.filter_map(|(before, _)| Some((*before, self.broken.get(*before)?.clone()?)));
            if let Some((before, cause)) = inherited.min_by_key(|(before, _)| *before) {
                let cause = name(before, &cause);
                self.break_step(step, cause);
            }
        }
    }

    /// Breaks the other steps of what is done as a whole or not at all; whether there were any.
    fn break_wholes(&mut self) -> bool {
        let mut any = false;
        for whole in std::mem::take(&mut self.wholes) {
            let is_broken = |step: &usize| self.broken.get(*step).is_some_and(Option::is_some);
            match whole.iter().find(|step| is_broken(step)).and_then(|step| self.broken.get(*step)?.clone()) {
                Some(cause) => {
                    any |= !whole.iter().all(is_broken);
                    whole.iter().for_each(|step| self.break_step(*step, cause.clone()));
                }
                None => self.wholes.push(whole),
            }
        }
        any
    }

    /// A topological order. Where there is none, soft edges are dropped, the least first.
    fn sort(&mut self, dropped: &mut Vec<(usize, usize)>) -> Vec<usize> {
        loop {
            let order = self.try_sort();
            if order.len() == self.before.len() {
                return order;
            }
            let placed: std::collections::BTreeSet<usize> = order.iter().copied().collect();
            let stuck = (0..self.before.len()).filter(|step| !placed.contains(step));
            let soft = stuck.filter_map(|step| {
                let is_soft = |(before, strength): &&(usize, Strength)| {
                    *strength == Strength::Soft && !placed.contains(before)
                };
                let first = self.before.get(step)?.iter().filter(is_soft).map(|(before, _)| *before).min()?;
                Some((first, step))
            });
            match soft.min() {
                Some((first, then)) => {
                    if let Some(before) = self.before.get_mut(then) {
                        before.retain(|edge| *edge != (first, Strength::Soft));
                    }
                    dropped.push((first, then));
                }
                None => {
                    // Hard edges make no cycle unless a graph or a ledger was tampered with.
                    let cause = Cause { id: Default::default(), what: "requirements form a cycle".into() };
                    let stuck: Vec<usize> =
                        (0..self.before.len()).filter(|step| !placed.contains(step)).collect();
                    for step in stuck {
                        self.break_step(step, cause.clone());
                        if let Some(before) = self.before.get_mut(step) {
                            before.clear();
                        }
                    }
                }
            }
        }
    }

    fn try_sort(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.before.iter().map(Vec::len).collect();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); open.len()];
        for (step, before) in self.before.iter().enumerate() {
            for (first, _) in before {
                if let Some(after) = after.get_mut(*first) {
                    after.push(step);
                }
            }
        }
        let mut next: BinaryHeap<Reverse<usize>> =
            (0..open.len()).filter(|&step| open[step] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(open.len());
        while let Some(Reverse(step)) = next.pop() {
            order.push(step);
            for &then in &after[step] {
                open[then] -= 1;
                if open[then] == 0 {
                    next.push(Reverse(then));
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(order: Order) -> Ordered {
        order.resolve(|step, cause| Cause { id: step.to_string().into(), what: cause.what.clone() })
    }

    #[test]
    fn the_least_of_those_that_may_comes_next() {
        let mut order = Order::new(4);
        order.edge(3, 0, Strength::Hard);
        order.edge(2, 1, Strength::Hard);
        assert_eq!(resolve(order).steps, [2, 1, 3, 0]);
    }

    #[test]
    fn what_comes_after_a_broken_step_is_broken() {
        let mut order = Order::new(4);
        order.edge(0, 1, Strength::Hard);
        order.edge(1, 2, Strength::Soft);
        order.break_step(0, Cause { id: "x".into(), what: "failed".into() });
        let ordered = resolve(order);
        assert_eq!(ordered.steps, [3]);
        assert_eq!(ordered.broken.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(ordered.broken[&2].id, "1");
    }

    #[test]
    fn a_soft_edge_is_dropped_for_a_hard_one() {
        let mut order = Order::new(2);
        order.edge(0, 1, Strength::Hard);
        order.edge(1, 0, Strength::Soft);
        let ordered = resolve(order);
        assert_eq!(ordered.steps, [0, 1]);
        assert_eq!(ordered.dropped, [(1, 0)]);
    }

    #[test]
    fn a_cycle_of_hard_edges_ends() {
        let mut order = Order::new(3);
        order.edge(0, 1, Strength::Hard);
        order.edge(1, 0, Strength::Hard);
        let ordered = resolve(order);
        assert_eq!(ordered.steps, [2]);
        assert_eq!(ordered.broken.len(), 2);
    }
}
