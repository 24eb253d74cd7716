//! Every crash point of every small life: all graphs of a few resources up to symmetry, small
//! edits, and one or two crashes at each step at which anything differs.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::canon::State;
use super::case::{Case, Faults, Kind, Spec, Turn};
use super::lab::{Cut, Lab, Projection};
use super::{Stats, Violation};

/// What was gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Graphs, up to symmetry.
    pub graphs: u64,
    /// Edits of them.
    pub edits: u64,
    /// States in which a run is cut off, or one that resumes one, but for names that chance gave.
    pub crashes: u64,
    /// All runs and steps.
    pub stats: Stats,
}

/// Goes through all graphs of up to so many resources, with up to so many crashes in a row, on all
/// processors; says the life that fails, and how.
pub fn exhaustive(resources: u8, crashes: u32) -> Result<Extent, (Case, Violation)> {
    let all: Vec<(u8, u32)> =
        (1..=resources).flat_map(|of| graphs(of).into_iter().map(move |edges| (of, edges))).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut extent = Extent::default();
        while let Some(&(of, edges)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(failed) = graph(&specs(of, edges), crashes, &mut extent) {
                next.store(all.len(), Ordering::Relaxed);
                return Err(failed);
            }
        }
        Ok(extent)
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let done: Vec<Result<Extent, _>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut extent = Extent::default();
    for one in done {
        let Extent { graphs, edits, crashes, stats } = one?;
        extent.graphs += graphs;
        extent.edits += edits;
        extent.crashes += crashes;
        extent.stats.add(stats);
    }
    Ok(extent)
}

/// Goes through one graph.
fn graph(all: &[Spec], crashes: u32, extent: &mut Extent) -> Result<(), (Case, Violation)> {
    extent.graphs += 1;
    let edits = edits(all);
    let lives =
        [(Vec::new(), all.to_vec())].into_iter().chain(edits.into_iter().map(|to| (all.to_vec(), to)));
    for (from, to) in lives.chain(fed(all)).chain(crowds(all)) {
        extent.edits += 1;
        Life { from: &from, to: &to, crashes }.all(extent)?;
    }
    Ok(())
}

/// The pairs of resources, each of which may be an edge from the later to the earlier one.
fn pairs(resources: u8) -> Vec<(u8, u8)> {
    (0..resources).flat_map(|b| (0..b).map(move |a| (a, b))).collect()
}

/// Graphs without circles, as sets of pairs; of those that differ in the names alone the least.
fn graphs(resources: u8) -> Vec<u32> {
    let pairs = pairs(resources);
    let orders = orders(resources);
    let mut seen = BTreeSet::new();
    let canonical = |edges: u32| {
        let has = |a: u8, b: u8| {
            let at = pairs.iter().position(|pair| *pair == (a, b));
            at.is_some_and(|at| edges & (1 << at) != 0)
        };
        let renamed = |order: &Vec<u8>| {
            let name = |of: u8| order.get(usize::from(of)).copied().unwrap_or(of);
            let mut all: Vec<(u8, u8)> =
                pairs.iter().filter(|(a, b)| has(*a, *b)).map(|(a, b)| (name(*a), name(*b))).collect();
            all.sort();
            all
        };
        orders.iter().map(renamed).min().unwrap_or_default()
    };
    (0..1u32 << pairs.len()).filter(|edges| seen.insert(canonical(*edges))).collect()
}

/// All orders of so many.
fn orders(of: u8) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    for number in 0..of {
        all = all
            .into_iter()
            .flat_map(|order: Vec<u8>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, number);
                    order
                })
            })
            .collect();
    }
    all
}

/// The resources of a graph: the first can be made anew elsewhere before it goes, the others not.
fn specs(resources: u8, edges: u32) -> Vec<Spec> {
    let pairs = pairs(resources);
    let required = |b: u8| {
        let has = pairs.iter().enumerate().filter(move |(at, (_, to))| *to == b && edges & (1 << at) != 0);
        has.map(|(_, (a, _))| *a).collect()
    };
    let kind = |name: u8| if name == 0 { Kind::Floating } else { Kind::Thing };
    (0..resources)
        .map(|name| Spec { name, kind: kind(name), requires: required(name), ..Spec::default() })
        .collect()
}

/// A name that no resource of a graph has.
const OTHER: u8 = 9;

/// Small edits: everything goes; one goes, changes or is made anew; one goes and another changes; one
/// goes under another name; something passes while one goes or changes.
fn edits(all: &[Spec]) -> Vec<Vec<Spec>> {
    let mut edits = vec![Vec::new()];
    let without = |gone: u8| -> Vec<Spec> {
        let mut left: Vec<Spec> = all.iter().filter(|spec| spec.name != gone).cloned().collect();
        left.iter_mut().for_each(|spec| spec.requires.retain(|name| *name != gone));
        left
    };
    let with = |specs: &[Spec], name: u8, change: fn(&mut Spec)| -> Vec<Spec> {
        let mut specs = specs.to_vec();
        specs.iter_mut().filter(|spec| spec.name == name).for_each(change);
        specs
    };
    for one in all {
        edits.push(without(one.name));
        edits.push(with(all, one.name, |spec| spec.value = 1));
        edits.push(with(all, one.name, |spec| spec.shape = 1));
        let renamed = all.iter().map(|spec| {
            let mut spec = spec.clone();
            spec.requires.iter_mut().filter(|name| **name == one.name).for_each(|name| *name = OTHER);
            if spec.name == one.name {
                (spec.name, spec.was) = (OTHER, Some(one.name));
            }
            spec
        });
        edits.push(renamed.collect());
        let passing = Spec { name: OTHER, until: Some(one.name), ..Spec::default() };
        edits.push(without(one.name).into_iter().chain([passing.clone()]).collect());
        edits.push(with(all, one.name, |spec| spec.value = 1).into_iter().chain([passing]).collect());
        if one.kind == Kind::Floating {
            edits.push(with(all, one.name, |spec| spec.slot = 1));
        }
        for other in all.iter().filter(|other| other.name != one.name) {
            edits.push(with(&without(one.name), other.name, |spec| spec.value = 1));
        }
    }
    edits
}

/// What uses one takes its value from that, at once or as an edit; then that one changes.
fn fed(all: &[Spec]) -> Vec<(Vec<Spec>, Vec<Spec>)> {
    let mut lives = Vec::new();
    for one in all.iter().map(|spec| spec.name) {
        let mut users = all.to_vec();
        let takes = users.iter_mut().filter(|spec| spec.requires.contains(&one));
        let mut any = false;
        takes.for_each(|spec| (spec.input, spec.deep, any) = (Some(one), spec.name % 2 == 0, true));
        if !any {
            continue;
        }
        let mut changed = users.clone();
        changed.iter_mut().filter(|spec| spec.name == one).for_each(|spec| spec.value = 1);
        lives.extend([(Vec::new(), users.clone()), (all.to_vec(), users.clone()), (users, changed)]);
    }
    lives
}

/// One consists of parts, of which one goes and another comes.
fn crowds(all: &[Spec]) -> Vec<(Vec<Spec>, Vec<Spec>)> {
    let with = |name: u8, parts: [u8; 2]| -> Vec<Spec> {
        let crowd = |spec: &Spec| Spec { kind: Kind::Crowd, parts: parts.to_vec(), ..spec.clone() };
        all.iter().map(|spec| if spec.name == name { crowd(spec) } else { spec.clone() }).collect()
    };
    let lives = all.iter().map(|one| {
        let (first, then) = (with(one.name, [0, 1]), with(one.name, [1, 2]));
        [(Vec::new(), first.clone()), (first.clone(), then), (first, Vec::new())]
    });
    lives.flatten().collect()
}

/// One edit of one graph, with all ways in which it is cut off.
struct Life<'a> {
    from: &'a [Spec],
    to: &'a [Spec],
    crashes: u32,
}

/// What is known of a life already.
#[derive(Default)]
struct Known {
    /// The states in which it was cut off, from which it was resumed.
    cut: BTreeSet<State>,
    /// The states from which the next run was cut off, too, with how often more.
    explored: BTreeSet<(u32, State)>,
    /// What leads to where it is to end.
    healed: BTreeSet<(State, bool)>,
}

/// A search through a life.
struct Search<'a> {
    end: Projection,
    known: Known,
    /// How it was cut off on the way to here.
    cuts: Vec<Faults>,
    extent: &'a mut Extent,
}

impl Life<'_> {
    fn all(&self, extent: &mut Extent) -> Result<(), (Case, Violation)> {
        let lab = Lab::new();
        lab.plain_run(self.from);
        let end = self.end(&lab)?;
        let mut search = Search { end, known: Known::default(), cuts: Vec::new(), extent };
        self.cut(&lab, self.crashes, &mut search)
    }

    /// Where the edit leads if nothing goes wrong: whatever the order of what may happen in any, and
    /// back again if it is taken back.
    fn end(&self, start: &Lab) -> Result<Projection, (Case, Violation)> {
        let failed = |rule: &str, what: String| (self.case(&[]), Violation::new(rule, what));
        let after = |schedule: u64| {
            let lab = start.copy();
            lab.scheduled_run(self.to, schedule);
            lab
        };
        let plain = after(0);
        let end = plain.projection();
        for schedule in 1..4 {
            let other = after(schedule).projection();
            if other != end {
                return Err(failed(
                    "I8",
                    format!("in another order it ends otherwise: {other:?}, not {end:?}"),
                ));
            }
        }
        let before = start.projection();
        // A move that is taken back by leaving out its line is another object.
        if self.to.iter().all(|spec| spec.was.is_none()) {
            plain.plain_run(self.from);
            let back = plain.projection();
            if back != before {
                return Err(failed(
                    "I9",
                    format!("there and back is not where it was: {back:?}, not {before:?}"),
                ));
            }
        }
        Ok(end)
    }

    /// Cuts the next run off in each state that it goes through, and goes on from there.
    fn cut(&self, start: &Lab, left: u32, search: &mut Search<'_>) -> Result<(), (Case, Violation)> {
        let failed = |violation| (self.case(&search.cuts), violation);
        let (cuts, stats) = start.cuts(self.to).map_err(failed)?;
        search.extent.stats.add(stats);
        for Cut { faults, lab, state } in cuts {
            search.cuts.push(faults);
            if search.known.cut.insert(state) {
                search.extent.crashes += 1;
                self.resume(&lab.copy(), search)?;
            }
            // The run that recovers is cut off, too.
            if left > 1 && search.known.explored.insert((left, state)) {
                self.cut(&lab, left - 1, search)?;
            }
            search.cuts.pop();
        }
        Ok(())
    }

    /// What was cut off is resumed, and ends where it would have ended.
    fn resume(&self, lab: &Lab, search: &mut Search<'_>) -> Result<(), (Case, Violation)> {
        let failed = |violation| (self.case(&search.cuts), violation);
        let known = lab.settles(self.to, &mut search.known.healed).map_err(failed)?;
        search.extent.stats.add(lab.stats());
        if known {
            return Ok(());
        }
        let resumed = lab.projection();
        if resumed != search.end {
            let end = &search.end;
            let what = format!("cut off and resumed it ends otherwise: {resumed:?}, not {end:?}");
            return Err((self.case(&search.cuts), Violation::new("I6", what)));
        }
        Ok(())
    }

    /// The life as one that can be replayed.
    fn case(&self, cuts: &[Faults]) -> Case {
        let first = Turn { wanted: self.from.to_vec(), ..Turn::default() };
        let cut =
            |faults: &Faults| Turn { wanted: self.to.to_vec(), faults: faults.clone(), ..Turn::default() };
        Case { turns: [first].into_iter().chain(cuts.iter().map(cut)).collect(), loose: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_graphs_up_to_symmetry() {
        let count = |resources| graphs(resources).len();
        assert_eq!([1, 2, 3, 4].map(count), [1, 2, 6, 31]);
    }

    #[test]
    fn what_is_kept_of_a_run_is_what_is_left_when_it_is_cut_off() {
        let all = specs(3, 0b101);
        let (nothing, edits) = (Vec::new(), edits(&all));
        let lives = edits.iter().map(|to| (&all, to)).chain([(&nothing, &all)]);
        let mut seen = 0;
        for (from, to) in lives {
            let lab = Lab::new();
            lab.plain_run(from);
            let (cuts, _) = lab.cuts(to).unwrap();
            for cut in cuts {
                let really = lab.copy();
                really.cut_run(to, &cut.faults);
                assert!(really.state() == cut.state && cut.lab.state() == cut.state, "{:?}", cut.faults);
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn every_crash_point_of_three_resources_heals() {
        let extent =
            exhaustive(3, 1).unwrap_or_else(|(case, violation)| panic!("{violation}: {}", case.text()));
        assert_eq!(extent.graphs, 9);
        assert!(extent.crashes > 1000, "{extent:?}");
    }
}
