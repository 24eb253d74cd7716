//! A failing life, made small: whatever can be left out is.

use super::case::{Case, Faults, Spec, Turn};

/// The smallest life that still fails in the same way, as far as leaving out one thing at a time
/// finds it. `fails` says how a life fails, by the name of the invariant.
pub fn shrink(case: &Case, name: &str, fails: impl Fn(&Case) -> Option<String>) -> Case {
    let mut smallest = case.clone();
    // Each round leaves something out, or is the last.
    loop {
        let smaller = simpler(&smallest).into_iter().find(|c| fails(c).as_deref() == Some(name));
        match smaller {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

/// Lives that differ in one thing that is left out.
fn simpler(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    if !case.loose.is_empty() {
        all.push(Case { loose: Vec::new(), ..case.clone() });
    }
    for (at, turn) in case.turns.iter().enumerate() {
        let mut without = case.clone();
        without.turns.remove(at);
        all.push(without);
        for turn in simpler_turns(turn) {
            let mut instead = case.clone();
            instead.turns[at] = turn;
            all.push(instead);
        }
    }
    all
}

fn simpler_turns(turn: &Turn) -> Vec<Turn> {
    let mut all: Vec<Turn> =
        simpler_faults(&turn.faults).map(|faults| Turn { faults, ..turn.clone() }).collect();
    for at in 0..turn.events.len() {
        let mut fewer = turn.clone();
        fewer.events.remove(at);
        all.push(fewer);
    }
    for (at, spec) in turn.wanted.iter().enumerate() {
        let mut fewer = turn.clone();
        fewer.wanted.remove(at);
        for other in &mut fewer.wanted {
            other.requires.retain(|required| *required != spec.name);
            other.inside = other.inside.filter(|holder| *holder != spec.name);
            other.input = other.input.filter(|input| *input != spec.name);
        }
        all.push(fewer);
        for simpler in simpler_specs(spec) {
            let mut instead = turn.clone();
            instead.wanted[at] = simpler;
            all.push(instead);
        }
    }
    all
}

fn simpler_specs(spec: &Spec) -> Vec<Spec> {
    let plain = Spec { name: spec.name, kind: spec.kind, target: spec.target, ..Spec::default() };
    let all = [
        Spec { value: 0, ..spec.clone() },
        Spec { extra: 0, ..spec.clone() },
        Spec { shape: 0, ..spec.clone() },
        Spec { inside: None, ..spec.clone() },
        Spec { requires: Vec::new(), ..spec.clone() },
        Spec { input: None, ..spec.clone() },
        Spec { deep: false, ..spec.clone() },
        Spec { parts: Vec::new(), ..spec.clone() },
        Spec { until: None, ..spec.clone() },
        Spec { was: None, ..spec.clone() },
        Spec { protect: false, ..spec.clone() },
        Spec { keep: false, ..spec.clone() },
        Spec { adopt: false, ..spec.clone() },
        Spec { slot: spec.slot, parts: spec.parts.clone(), ..plain },
    ];
    all.into_iter().filter(|simpler| simpler != spec).collect()
}

fn simpler_faults(faults: &Faults) -> impl Iterator<Item = Faults> {
    let none = Faults::default();
    let mut all = vec![
        none.clone(),
        Faults { schedule: 0, ..faults.clone() },
        Faults { crash: None, ..faults.clone() },
        Faults { dies: None, ..faults.clone() },
        Faults { store: None, ..faults.clone() },
        Faults { down: Vec::new(), ..faults.clone() },
        Faults { impostors: Vec::new(), ..faults.clone() },
        Faults { unmounted: Vec::new(), ..faults.clone() },
        Faults { unready: Vec::new(), ..faults.clone() },
        Faults { folded: Vec::new(), ..faults.clone() },
        Faults { pause: None, ..faults.clone() },
        Faults { only: None, ..faults.clone() },
        Faults { target: None, ..faults.clone() },
    ];
    for number in faults.mishaps.keys() {
        let mut fewer = faults.clone();
        fewer.mishaps.remove(number);
        all.push(fewer);
    }
    for number in faults.meanwhile.keys() {
        let mut fewer = faults.clone();
        fewer.meanwhile.remove(number);
        all.push(fewer);
    }
    let faults = faults.clone();
    all.into_iter().filter(move |simpler| *simpler != faults)
}
