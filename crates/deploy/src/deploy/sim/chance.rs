//! A life from a seed.

use std::collections::{BTreeMap, BTreeSet};

use crate::handler::{Random as _, SeededRandom};

use super::case::{Case, Does, Faults, Goes, Hand, Happens, Kind, Loss, Spec, Turn};

/// How many names there are.
const NAMES: u8 = 6;

/// The names of what passes.
const PASSING: [u8; 2] = [20, 21];

/// How many targets there are.
pub const TARGETS: u8 = 2;

/// Draws numbers.
pub struct Chance(SeededRandom);

impl Chance {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Chance(SeededRandom::new(seed))
    }

    /// A number below `limit`.
    pub fn below(&self, limit: u64) -> u64 {
        (self.0.next() as u64).checked_rem(limit).unwrap_or(0)
    }

    fn small(&self, limit: u8) -> u8 {
        self.below(limit.into()) as u8
    }

    fn one_in(&self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// The life of a seed.
pub fn case(seed: u64) -> Case {
    let chance = Chance::new(seed);
    let mut turns = Vec::new();
    let mut wanted: Vec<Spec> = Vec::new();
    for turn in 0..2 + chance.below(5) as usize {
        wanted = next(&chance, &wanted);
        let events = match turn {
            0 => Vec::new(),
            _ => (0..chance.below(3)).map(|_| happens(&chance, turn)).collect(),
        };
        let faults = if chance.one_in(3) { Faults::default() } else { faults(&chance) };
        turns.push(Turn { events, wanted: wanted.clone(), faults });
    }
    let loose = match chance.one_in(4) {
        true => (0..TARGETS).filter(|_| chance.one_in(2)).collect(),
        false => Vec::new(),
    };
    Case { turns, loose }
}

/// The life of a seed, and in it ledgers are lost and rebuilt.
pub fn losing(seed: u64) -> Case {
    let mut case = case(seed);
    // What keeps no run out keeps no ledger's name either: see `Happens::LostLedger`.
    case.loose.clear();
    let chance = Chance::new(!seed);
    let turns = case.turns.len() as u64;
    for _ in 0..1 + chance.below(2) {
        let at = 1 + chance.below(turns - 1) as usize;
        let targets = |of: u64| (0..TARGETS).filter(|_| chance.one_in(of)).collect();
        let copy = chance.one_in(2).then(|| chance.below(at as u64) as usize);
        let loss = Loss { copy, down: targets(8), unmounted: targets(12) };
        if let Some(turn) = case.turns.get_mut(at) {
            let place = chance.below(turn.events.len() as u64 + 1) as usize;
            turn.events.insert(place, Happens::Recover(loss));
        }
    }
    case
}

/// What a project says after some edits.
fn next(chance: &Chance, before: &[Spec]) -> Vec<Spec> {
    let mut specs: BTreeMap<u8, Spec> = before.iter().map(|s| (s.name, s.clone())).collect();
    for name in 0..NAMES {
        match (specs.contains_key(&name), chance.below(10)) {
            (true, 0..=1) => {
                specs.remove(&name);
            }
            (true, 2..=4) => {
                if let Some(spec) = specs.get_mut(&name) {
                    edit(chance, spec);
                }
            }
            (true, 5) | (false, 0..=5) => {
                specs.insert(name, fresh(chance, name));
            }
            _ => {}
        }
    }
    for name in PASSING {
        match (specs.contains_key(&name), chance.below(8)) {
            (true, 0) => {
                specs.remove(&name);
            }
            (false, 0..=1) => {
                specs.insert(name, passing(chance, name));
            }
            _ => {}
        }
    }
    if chance.one_in(4) {
        rename(chance, &mut specs);
    }
    sound(specs)
}

/// Something goes on under another name.
fn rename(chance: &Chance, specs: &mut BTreeMap<u8, Spec>) {
    let (from, to) = (chance.small(NAMES), chance.small(NAMES));
    if specs.contains_key(&to) {
        return;
    }
    let Some(mut spec) = specs.remove(&from) else { return };
    spec.name = to;
    spec.was = Some(from);
    specs.insert(to, spec);
    let name = |name: &mut u8| {
        if *name == from {
            *name = to;
        }
    };
    for spec in specs.values_mut() {
        spec.requires.iter_mut().for_each(name);
        spec.inside.iter_mut().for_each(name);
        spec.input.iter_mut().for_each(name);
    }
}

/// Something that is there while something else is taken down or changed over.
fn passing(chance: &Chance, name: u8) -> Spec {
    let until = chance.small(NAMES);
    let requires = if until > 0 && chance.one_in(3) { vec![chance.small(until)] } else { Vec::new() };
    let kind = if chance.one_in(4) { Kind::Bare } else { Kind::Thing };
    Spec { name, kind, until: Some(until), requires, value: chance.small(2), ..Spec::default() }
}

fn fresh(chance: &Chance, name: u8) -> Spec {
    const KINDS: [Kind; 10] = [
        Kind::Thing,
        Kind::Thing,
        Kind::Thing,
        Kind::Bare,
        Kind::Floating,
        Kind::Floating,
        Kind::Box,
        Kind::Thing,
        Kind::Crowd,
        Kind::Crowd,
    ];
    let kind = KINDS.get(chance.below(10) as usize).copied().unwrap_or_default();
    Spec {
        name,
        kind,
        target: if chance.one_in(4) { 1 } else { 0 },
        value: chance.small(3),
        extra: chance.small(2),
        shape: chance.small(2),
        slot: chance.small(4),
        inside: (kind != Kind::Box && chance.one_in(3)).then(|| chance.small(NAMES)),
        requires: (0..chance.below(3)).map(|_| chance.small(NAMES)).collect(),
        protect: chance.one_in(14),
        keep: chance.one_in(14),
        adopt: chance.one_in(5),
        input: chance.one_in(4).then(|| chance.small(NAMES)),
        deep: chance.one_in(3),
        parts: parts(chance),
        ..Spec::default()
    }
}

/// The names of the parts of something.
fn parts(chance: &Chance) -> Vec<u8> {
    (0..3).filter(|_| chance.one_in(2)).collect()
}

fn edit(chance: &Chance, spec: &mut Spec) {
    match chance.below(11) {
        0 | 1 => spec.value = chance.small(3),
        2 => spec.extra = chance.small(2),
        3 => spec.shape = chance.small(2),
        4 => spec.slot = chance.small(4),
        5 => spec.requires = (0..chance.below(3)).map(|_| chance.small(NAMES)).collect(),
        6 => spec.inside = (spec.kind != Kind::Box && chance.one_in(2)).then(|| chance.small(NAMES)),
        7 => spec.target = chance.small(TARGETS),
        9 => spec.parts = parts(chance),
        8 => spec.input = chance.one_in(2).then(|| chance.small(NAMES)),
        _ => {
            spec.protect = false;
            spec.adopt = chance.one_in(2);
        }
    }
}

/// Takes out what no compiler lets pass: what is not there, what is required in a circle, and two
/// that want one place.
pub fn sound(mut specs: BTreeMap<u8, Spec>) -> Vec<Spec> {
    let boxes: BTreeMap<u8, u8> =
        specs.values().filter(|s| s.kind == Kind::Box).map(|s| (s.name, s.target)).collect();
    let names: BTreeSet<u8> = specs.keys().copied().collect();
    // What something was is not there any more, unless it moved on itself; nothing was two things.
    let moved: BTreeSet<(Kind, u8)> =
        specs.values().filter(|s| s.was.is_some()).map(|s| (s.kind, s.name)).collect();
    let kinds: BTreeMap<u8, Kind> = specs.values().map(|s| (s.name, s.kind)).collect();
    let mut were = BTreeSet::new();
    let mut slots = BTreeSet::new();
    for spec in specs.values_mut() {
        match spec.kind {
            // No output says what makes its parts anew.
            Kind::Crowd => spec.deep = false,
            _ => spec.parts = Vec::new(),
        }
        // Who is in a box requires it, so only in this order is there no circle. Of those that there are
        // one is taken, so that boxes are not empty most of the time.
        spec.inside = spec.inside.and_then(|holder| {
            let fits = boxes.iter().filter(|(name, target)| **name < spec.name && **target == spec.target);
            let fitting: Vec<u8> = fits.map(|(name, _)| *name).collect();
            let exact = fitting.contains(&holder).then_some(holder);
            exact.or_else(|| fitting.get(usize::from(holder) % fitting.len().max(1)).copied())
        });
        spec.was = spec.was.filter(|was| {
            let free = kinds.get(was) != Some(&spec.kind) || moved.contains(&(spec.kind, *was));
            *was != spec.name && free && were.insert((spec.kind, *was))
        });
        // What passes requires nothing that uses what it is there for.
        let below = spec.until.unwrap_or(spec.name);
        spec.requires.retain(|name| *name < below && names.contains(name));
        let yields = |name: &u8| kinds.get(name).is_some_and(|kind| *kind != Kind::Crowd);
        spec.input = spec.input.filter(|name| *name < below && yields(name));
        spec.requires.sort();
        spec.requires.dedup();
        while spec.kind == Kind::Floating && !slots.insert((spec.target, spec.inside, spec.slot)) {
            spec.slot += 10;
        }
    }
    specs.into_values().collect()
}

fn hand(chance: &Chance) -> Hand {
    let name = chance.small(NAMES);
    let claim = match chance.below(7) {
        6 => format!("part:n{name}.p{}", chance.small(3)),
        0 => format!("slot:{}", chance.small(4)),
        1 => format!("box:n{name}"),
        2 => format!("box:n{}/thing:n{name}", chance.small(NAMES)),
        _ => format!("thing:n{name}"),
    };
    let does = match chance.below(8) {
        0..=2 => Does::Edit,
        3..=4 => Does::Put,
        5 => Does::Mark,
        _ => Does::Remove,
    };
    Hand { target: if chance.one_in(4) { 1 } else { 0 }, claim, does }
}

fn happens(chance: &Chance, turn: usize) -> Happens {
    let earlier = chance.below(turn as u64) as usize;
    match chance.below(12) {
        0..=2 => Happens::Land,
        3..=7 => Happens::Hand(hand(chance)),
        8 => Happens::RestoreTarget(chance.small(TARGETS), earlier),
        9 => Happens::OldLedger(earlier),
        10 => Happens::LostLedger,
        _ => Happens::Plan,
    }
}

fn faults(chance: &Chance) -> Faults {
    const GOES: [Goes; 7] = [
        Goes::NoEffect,
        Goes::Again,
        Goes::LostAnswer,
        Goes::LostAnswerAgain,
        Goes::LostRequest,
        Goes::Late,
        Goes::Half,
    ];
    let some = |of: u64| chance.one_in(of);
    let targets = |of: u64| (0..TARGETS).filter(|_| chance.one_in(of)).collect();
    let goes = || GOES.get(chance.below(7) as usize).copied().unwrap_or(Goes::NoEffect);
    let names = || (0..NAMES).chain(PASSING);
    Faults {
        schedule: if some(2) { 1 + chance.below(1000) } else { 0 },
        crash: some(3).then(|| chance.below(30) as u32),
        dies: some(6).then(|| chance.below(8) as u32),
        store: some(6).then(|| (chance.below(5) as u32, some(2))),
        mishaps: (0..chance.below(4)).map(|_| (chance.below(8) as u32, goes())).collect(),
        meanwhile: (0..chance.below(2)).map(|_| (chance.below(6) as u32, hand(chance))).collect(),
        down: targets(12),
        impostors: targets(20),
        unmounted: targets(20),
        folded: (0..NAMES).filter(|_| chance.one_in(25)).collect(),
        unready: (0..NAMES).filter(|_| chance.one_in(25)).collect(),
        only: some(8).then(|| names().filter(|_| chance.one_in(2)).collect()),
        target: some(12).then(|| chance.small(TARGETS)),
        pause: some(8).then(|| chance.below(20) as u32),
    }
}
