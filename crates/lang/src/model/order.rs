//! The order of things that need each other, and the cycles among them.

/// Strongly connected components of a graph, those that are needed first. `needs[i]` lists what
/// `i` needs; numbers that are out of range are left out. Within a component the members stand in
/// ascending order. Linear, and with a stack of its own.
pub fn components(needs: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut search = Search {
        needs,
        index: vec![UNSEEN; needs.len()],
        low: vec![0; needs.len()],
        on_stack: vec![false; needs.len()],
        stack: Vec::new(),
        next: 0,
        found: Vec::new(),
    };
    for root in 0..needs.len() {
        if search.index[root] == UNSEEN {
            search.visit(root);
        }
    }
    search.found
}

/// Those components that are cycles: more than one member, or one that needs itself.
pub fn cycles(needs: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let is_cycle = |c: &Vec<u32>| c.len() > 1 || c.first().is_some_and(|&m| needs_itself(needs, m));
    components(needs).into_iter().filter(is_cycle).collect()
}

/// A shortest way round within a component, from its first member back to it, for a message.
pub fn way_round(needs: &[Vec<u32>], component: &[u32]) -> Vec<u32> {
    let Some(&start) = component.first() else { return Vec::new() };
    let mut came_from: Vec<Option<u32>> = vec![None; needs.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for &next in needs.get(at as usize).into_iter().flatten() {
            if next == start {
                let mut way = vec![at];
                while let Some(&last) = way.last()
                    && last != start
                    && let Some(Some(before)) = came_from.get(last as usize)
                {
                    way.push(*before);
                }
                way.reverse();
                return way;
            }
            if component.binary_search(&next).is_ok() && came_from[next as usize].is_none() {
                came_from[next as usize] = Some(at);
                queue.push_back(next);
            }
        }
    }
    vec![start]
}

fn needs_itself(needs: &[Vec<u32>], member: u32) -> bool {
    needs.get(member as usize).is_some_and(|n| n.contains(&member))
}

const UNSEEN: u32 = u32::MAX;

/// Tarjan's algorithm.
struct Search<'a> {
    needs: &'a [Vec<u32>],
    index: Vec<u32>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<u32>,
    next: u32,
    found: Vec<Vec<u32>>,
}

impl Search<'_> {
    fn visit(&mut self, root: usize) {
        let mut calls = vec![(root, 0_usize)];
        self.enter(root);
        while let Some(&mut (at, ref mut edge)) = calls.last_mut() {
            match self.needs[at].get(*edge).map(|&n| n as usize) {
                Some(next) => {
                    *edge += 1;
                    if next >= self.needs.len() {
                        continue;
                    }
                    if self.index[next] == UNSEEN {
                        self.enter(next);
                        calls.push((next, 0));
                    } else if self.on_stack[next] {
                        self.low[at] = self.low[at].min(self.index[next]);
                    }
                }
                None => {
                    calls.pop();
                    if let Some(&(above, _)) = calls.last() {
                        self.low[above] = self.low[above].min(self.low[at]);
                    }
                    self.leave(at);
                }
            }
        }
    }

    fn enter(&mut self, at: usize) {
        self.index[at] = self.next;
        self.low[at] = self.next;
        self.next += 1;
        self.stack.push(at as u32);
        self.on_stack[at] = true;
    }

    fn leave(&mut self, at: usize) {
        if self.low[at] != self.index[at] {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack[member as usize] = false;
            component.push(member);
            if member as usize == at {
                break;
            }
        }
        component.sort_unstable();
        self.found.push(component);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_comes_first() {
        let needs = vec![vec![1, 2], vec![2], vec![], vec![0]];
        assert_eq!(components(&needs), [vec![2], vec![1], vec![0], vec![3]]);
        assert!(cycles(&needs).is_empty());
    }

    #[test]
    fn cycles_are_found_with_a_way_round() {
        let needs = vec![vec![1], vec![2, 3], vec![0], vec![], vec![4]];
        assert_eq!(cycles(&needs), [vec![0, 1, 2], vec![4]]);
        assert_eq!(way_round(&needs, &[0, 1, 2]), [0, 1, 2]);
        assert_eq!(way_round(&needs, &[4]), [4]);
    }

    #[test]
    fn long_chains_need_no_stack() {
        let n = 200_000;
        let needs: Vec<Vec<u32>> = (0..n).map(|i| vec![(i + 1) % n]).collect();
        assert_eq!(cycles(&needs).len(), 1);
    }
}
