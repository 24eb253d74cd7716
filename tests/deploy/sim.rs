//! Random lives of the deployer on simulated targets.
//!
//! `gops sim --seed N` replays one and makes it small if it fails; `GOPS_SEEDS=100000` here, or
//! `gops sim --seeds 100000` with a release build, goes through many.

use gops::deploy::sim::{self, Case, Stats};

use super::count;

#[test]
fn two_thousand_lives_end_well() {
    let seeds = count("GOPS_SEEDS", 2000);
    let stats = lives(seeds, "", sim::case);
    // What was not cut off, and had no effects, would show nothing.
    assert!(stats.crashes > seeds / 4 && stats.effects > 4 * seeds, "{stats:?}");
}

#[test]
fn a_ledger_that_is_lost_or_old_is_rebuilt_from_the_marks() {
    let seeds = count("GOPS_LOST_SEEDS", 500);
    let stats = lives(seeds, " --lost", sim::losing);
    assert!(stats.effects > 4 * seeds, "{stats:?}");
}

/// Lives them, on both processors.
fn lives(seeds: u64, flag: &str, case: fn(u64) -> Case) -> Stats {
    let threads = 2;
    let part = |of: u64| {
        let mut stats = Stats::default();
        for seed in (of..seeds).step_by(threads) {
            match sim::live(&case(seed)) {
                Ok(more) => stats.add(more),
                Err(violation) => {
                    panic!("seed {seed}: {violation}; `gops sim{flag} --seed {seed}` makes it small")
                }
            }
        }
        stats
    };
    let mut stats = Stats::default();
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads as u64).map(|of| scope.spawn(move || part(of))).collect();
        for part in parts {
            stats.add(part.join().unwrap());
        }
    });
    stats
}

/// Lives that once failed, made small, each with what it showed.
const ONCE_FAILED: &[(&str, &str)] = &[
    (
        "what is let go of keeps nothing that it uses",
        r#"{"turns":[{"wanted":[{"name":5,"kind":"Thing","slot":2}],"faults":{"pause":5}},
            {"events":[{"Hand":{"target":1,"claim":"thing:n3","does":"Mark"}}],"wanted":[{"name":0,
            "kind":"Box","target":1,"slot":2},{"name":1,"kind":"Thing","target":1,"slot":3,"inside":0},
            {"name":2,"kind":"Box","target":1,"input":1},
            {"name":3,"kind":"Thing","target":1,"requires":[2]},
            {"name":4,"kind":"Floating","slot":3,"requires":[3],"protect":true}]}]}"#,
    ),
    (
        "a box stays for the parts in it of which nobody knows what they belong to",
        r#"{"turns":[{"wanted":[{"name":2,"kind":"Box","slot":1},
            {"name":4,"kind":"Crowd","inside":2,"parts":[1,2]}]},
            {"wanted":[{"name":0,"kind":"Thing","slot":1},{"name":4,"kind":"Crowd","input":0}]}]}"#,
    ),
    (
        "what takes the place of what is let go of finds that there",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Floating","target":1,"slot":2,"keep":true},
            {"name":4,"kind":"Floating","target":1,"slot":3}]},
            {"wanted":[{"name":4,"kind":"Floating","target":1,"slot":2},
            {"name":21,"kind":"Thing"}],"faults":{"crash":10}}]}"#,
    ),
    (
        "what is let go of and taken up in one run yields in that run",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Thing","shape":1,"slot":1,"keep":true},
            {"name":1,"kind":"Bare","slot":1}]},
            {"wanted":[{"name":0,"kind":"Bare","shape":1,"slot":1,"was":1},
            {"name":4,"kind":"Crowd","input":0},
            {"name":5,"kind":"Thing","target":1,"slot":1,"requires":[4]}]}]}"#,
    ),
    (
        "what moves looks at where it is to go",
        r#"{"turns":[{"events":[{"Hand":{"target":0,"claim":"thing:n1","does":"Mark"}}],"wanted":[{"name":3,
            "kind":"Bare","slot":2},{"name":5,"kind":"Floating","slot":13,"input":3,"keep":true}]},
            {"wanted":[{"name":1,"kind":"Bare","slot":2,"was":3}],"faults":{"target":1}}]}"#,
    ),
    (
        "what was in doubt and is gone is made anew as gops's own",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Crowd","slot":2,"parts":[1]},
            {"name":4,"kind":"Crowd","slot":3,"parts":[0,1]},{"name":5,"kind":"Floating","slot":1},
            {"name":21,"kind":"Bare","requires":[4],"until":5}],"faults":{"mishaps":{"3":"Late"}}},
            {"events":["Land"],"wanted":[]},
            {"events":[{"RestoreTarget":[0,0]}],"wanted":[{"name":5,"kind":"Crowd","slot":2,"parts":[1]},
            {"name":21,"kind":"Bare","until":5}]}]}"#,
    ),
    (
        "what is let go of blocks nobody",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Thing","slot":2}]},
            {"wanted":[{"name":0,"kind":"Thing","slot":2},
            {"name":3,"kind":"Crowd","slot":1,"input":0,"parts":[1],"keep":true}]},
            {"wanted":[{"name":0,"kind":"Bare","slot":3},{"name":3,"kind":"Crowd","slot":1,"input":0},
            {"name":4,"kind":"Crowd","slot":2,"requires":[3],"parts":[2]}],"faults":{"crash":5}}]}"#,
    ),
    (
        "what waits for its parts waits on if what these depend on cannot be done after all",
        r#"{"turns":[{"wanted":[{"name":4,"kind":"Floating","slot":3,"protect":true}]},
            {"wanted":[{"name":2,"kind":"Box","slot":3},
            {"name":3,"kind":"Floating","slot":3,"inside":2}]},
            {"wanted":[{"name":3,"kind":"Floating","slot":3},
            {"name":5,"kind":"Crowd","slot":2,"input":3,"parts":[1,2]}]}]}"#,
    ),
    (
        "an effect on a part that nobody could look at is said of it",
        r#"{"turns":[{"wanted":[{"name":1,"kind":"Crowd","parts":[0,2]}],"faults":{"store":[3,false]}},
            {"wanted":[{"name":1,"kind":"Crowd"}],"faults":{"down":[0],"folded":[1]}}]}"#,
    ),
    (
        "what is in a box that stays for a part goes by itself",
        r#"{"turns":[{"wanted":[{"name":1,"kind":"Thing"},{"name":3,"kind":"Box","value":2},
            {"name":4,"kind":"Thing","inside":3}]},
            {"wanted":[{"name":2,"kind":"Box","slot":2},{"name":3,"kind":"Box","value":2},
            {"name":5,"kind":"Crowd","slot":3,"requires":[3],"parts":[2]}],"faults":{"schedule":983,
            "dies":2}},
            {"wanted":[{"name":1,"kind":"Thing","shape":1},
            {"name":5,"kind":"Crowd","slot":3,"input":1}]}]}"#,
    ),
    (
        "parts stay as long as nobody knows whose they are, whatever the model says of keeping",
        r#"{"turns":[{"wanted":[{"name":4,"kind":"Crowd","slot":1,"parts":[0,1,2],"keep":true}]},
            {"wanted":[{"name":4,"kind":"Crowd","extra":1,"slot":3,"parts":[0,1,2]}],
            "faults":{"mishaps":{"2":"Late"}}},
            {"wanted":[{"name":4,"kind":"Crowd","slot":3}],"faults":{"down":[0],"folded":[4]}}]}"#,
    ),
    (
        "what an old ledger has elsewhere under an id, and what is now on another target, are both known",
        r#"{"turns":[{"wanted":[{"name":2,"kind":"Floating","slot":13}]},
            {"wanted":[{"name":2,"kind":"Floating","target":1,"slot":13}]},
            {"events":[{"Recover":{"copy":1,"down":[1]}}],
            "wanted":[{"name":2,"kind":"Floating","target":1,"slot":13}]}]}"#,
    ),
    (
        "things of two kinds with one name are two things when a ledger is rebuilt",
        r#"{"turns":[{"wanted":[{"name":5,"kind":"Box","slot":2}]},
            {"wanted":[{"name":5,"kind":"Thing","slot":2}],"faults":{"mishaps":{"0":"NoEffect"}}},
            {"events":[{"Recover":{"down":[0,1],"unmounted":[1]}}],"wanted":[]}]}"#,
    ),
    (
        "a copy from before its ledger was rebuilt changes nothing, though it can count as far as that",
        r#"{"turns":[{"wanted":[]},{"wanted":[{"name":20,"kind":"Bare","until":4}]},{"wanted":[]},
            {"events":[{"Recover":{"copy":1}}],"wanted":[{"name":21,"kind":"Thing"}]},
            {"events":[{"OldLedger":3}],"wanted":[{"name":21,"kind":"Thing","until":5}]}]}"#,
    ),
    (
        "what is found where something of another type is wanted is taken back as what it is",
        r#"{"turns":[{"wanted":[{"name":4,"kind":"Thing","slot":3}]},
            {"events":[{"Recover":{}}],"wanted":[{"name":4,"kind":"Bare","extra":1,"slot":2}]}]}"#,
    ),
    (
        "what passes is taken back as that",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Bare","slot":2},{"name":21,"kind":"Thing"}]},
            {"events":[{"Recover":{}}],"wanted":[{"name":0,"kind":"Bare","slot":2},
            {"name":4,"kind":"Floating","slot":11,"requires":[0]},{"name":21,"kind":"Thing","until":4}]}]}"#,
    ),
    (
        "parts are taken back as parts of what is wanted",
        r#"{"turns":[{"wanted":[{"name":3,"kind":"Floating","slot":3},{"name":4,"kind":"Crowd","parts":[0]}]},
            {"events":[{"Recover":{"copy":0}}],"wanted":[{"name":3,"kind":"Floating","slot":3},
            {"name":4,"kind":"Crowd","slot":3,"input":3,"parts":[0]}]}]}"#,
    ),
    (
        "what is taken back as something that can have no mark is known, whatever was heard of it",
        r#"{"turns":[{"wanted":[{"name":4,"kind":"Thing","slot":3,"keep":true}]},{"wanted":[]},
            {"wanted":[{"name":4,"kind":"Bare"}],"faults":{"mishaps":{"0":"LostAnswer"}}}]}"#,
    ),
    (
        "what is made anew under another name stays for those who use it and are not part of the run",
        r#"{"turns":[{"wanted":[{"name":4,"kind":"Floating","target":1,"slot":2},
            {"name":5,"kind":"Thing","slot":3,"requires":[4]}]},
            {"wanted":[{"name":1,"kind":"Floating","target":1,"shape":1,"slot":2}],"faults":{"target":1}}]}"#,
    ),
    (
        "asked again, a handler does not take what somebody wrote meanwhile for its own",
        r#"{"turns":[{"wanted":[{"name":1,"kind":"Thing","slot":1},{"name":2,"kind":"Thing","slot":3},
            {"name":5,"kind":"Crowd","parts":[1,2]},{"name":21,"kind":"Thing","until":1}],
            "faults":{"mishaps":{"3":"LostAnswerAgain"},
            "meanwhile":{"5":{"target":0,"claim":"thing:n2","does":"Edit"}}}}]}"#,
    ),
    (
        "who does not get to another place keeps what it is in",
        r#"{"turns":[{"wanted":[{"name":1,"kind":"Bare","slot":3,"protect":true}]},
            {"wanted":[{"name":0,"kind":"Box","slot":1},{"name":1,"kind":"Thing","slot":2,"inside":0}]},
            {"wanted":[{"name":1,"kind":"Thing","slot":2}]}]}"#,
    ),
    (
        "what is made anew under another name waits for those who used it before",
        r#"{"turns":[{"wanted":[{"name":2,"kind":"Floating","slot":3},
            {"name":5,"kind":"Thing","shape":1,"requires":[2]}]},
            {"wanted":[{"name":0,"kind":"Thing","shape":1,"was":5},
            {"name":5,"kind":"Floating","shape":1,"slot":3}]}]}"#,
    ),
    (
        "what is left of a user that is made anew goes before what it uses",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Thing","target":1,"slot":2},
            {"name":1,"kind":"Thing","target":1,"shape":1,"requires":[0]},
            {"name":5,"kind":"Box","target":1,"requires":[1],"protect":true}]},
            {"wanted":[{"name":5,"kind":"Thing","target":1,"was":1}]}]}"#,
    ),
    (
        "a target that is older than an old ledger cannot tell that it is one",
        r#"{"turns":[{"wanted":[{"name":20,"kind":"Thing"}]},{"wanted":[]},
            {"events":[{"RestoreTarget":[0,1]}],"wanted":[]},
            {"events":[{"OldLedger":2}],"wanted":[{"name":5,"kind":"Thing","slot":3}]}]}"#,
    ),
    (
        "what has moved and cannot be looked at gives nothing under its new id",
        r#"{"turns":[{"wanted":[{"name":4,"kind":"Box","target":1,"slot":3},
            {"name":5,"kind":"Thing","input":4,"deep":true}]},
            {"wanted":[{"name":1,"kind":"Box","target":1,"slot":3,"was":4},
            {"name":5,"kind":"Thing","input":1,"deep":true}],"faults":{"unmounted":[1]}}]}"#,
    ),
    (
        "a run for one target says nothing of what became of an effect on another",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Thing"}]},{"wanted":[],"faults":{"store":[1,true]}},
            {"wanted":[{"name":0,"kind":"Thing","target":1}],"faults":{"target":1}}]}"#,
    ),
    (
        "what was lost is in nothing any more, and keeps nothing there",
        r#"{"turns":[{"wanted":[{"name":2,"kind":"Box"}]},{"wanted":[{"name":2,"kind":"Box"},
            {"name":3,"kind":"Thing","slot":2,"inside":2}]},{"events":[{"RestoreTarget":[0,1]}],
            "wanted":[{"name":3,"kind":"Thing","slot":2}]}]}"#,
    ),
    (
        "what is let go of with what holds it is let go of at once",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Box","keep":true},{"name":2,"kind":"Bare","target":1,"slot":1},
            {"name":4,"kind":"Thing","slot":2,"inside":0,"requires":[2],"keep":true}]}]}"#,
    ),
    (
        "what was lost with a restored target is made elsewhere, by half: the intent is read there",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Floating","slot":1}]},{"events":[{"RestoreTarget":[0,0]}],
            "wanted":[{"name":0,"kind":"Floating"},{"name":1,"kind":"Bare","slot":3}],
            "faults":{"mishaps":{"1":"Half"}}}]}"#,
    ),
    (
        "what goes on under another id is not taken down, and nothing passes for that",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Floating"}]},{"wanted":[{"name":4,"kind":"Floating"},
            {"name":20,"kind":"Thing","until":0}]}]}"#,
    ),
    (
        "what cannot be brought to where it has moved is named",
        r#"{"turns":[{"wanted":[{"name":2,"kind":"Thing","target":1}]},
            {"events":[{"Hand":{"target":1,"claim":"thing:n4","does":"Put"}}],
            "wanted":[{"name":4,"kind":"Thing","target":1,"was":2}]}]}"#,
    ),
    (
        "what a run with a scope needs and leaves out has to be where it is wanted, not where it was",
        r#"{"turns":[{"wanted":[{"name":1,"kind":"Thing","target":1,"keep":true}]},
            {"wanted":[{"name":1,"kind":"Thing"},{"name":3,"kind":"Thing","target":1,"requires":[1]}],
            "faults":{"target":1}}]}"#,
    ),
    (
        "what came back with a target where an effect was under way can have no mark, and stays unknown",
        r#"{"turns":[{"wanted":[{"name":1,"kind":"Bare"},{"name":3,"kind":"Box","target":1}]},
            {"wanted":[{"name":1,"kind":"Bare","shape":1},{"name":2,"kind":"Floating","target":1},
            {"name":4,"kind":"Thing"},{"name":5,"kind":"Floating","slot":3}],"faults":{"mishaps":{"5":"Late"}}},
            {"events":[{"RestoreTarget":[0,1]}],"wanted":[]}]}"#,
    ),
    (
        "what a change yields whose answer was lost is not known, and asked for before it is used",
        r#"{"turns":[{"wanted":[{"name":1,"kind":"Floating","shape":1}]},
            {"wanted":[{"name":1,"kind":"Floating","value":2,"shape":1},
            {"name":5,"kind":"Floating","slot":10,"input":1}],"faults":{"mishaps":{"0":"LostAnswer"}}}]}"#,
    ),
    (
        "what was made on one target is not looked for on the other, to which a run is confined",
        r#"{"turns":[{"wanted":[{"name":0,"kind":"Thing"},{"name":2,"kind":"Thing","slot":2},
            {"name":5,"kind":"Thing","slot":2}],"faults":{"dies":2}},
            {"wanted":[{"name":0,"kind":"Thing","target":1}],"faults":{"target":1}}]}"#,
    ),
    (
        "what an effect is under way with is not let go before that is accounted for",
        r#"{"turns":[{"wanted":[{"name":5,"kind":"Box","slot":2,"keep":true}]},
            {"wanted":[{"name":5,"kind":"Box","shape":1,"slot":2}],"faults":{"mishaps":{"0":"Half"}}},
            {"wanted":[{"name":3,"kind":"Thing"}],"faults":{"unmounted":[0,1]}}]}"#,
    ),
    (
        "who waits for a replacement of which one half cannot be done waits on",
        r#"{"turns":[{"wanted":[{"name":4,"kind":"Floating","target":1},
            {"name":5,"kind":"Thing","target":1,"slot":3,"requires":[4],"protect":true}]},
            {"wanted":[{"name":4,"kind":"Floating","target":1,"slot":2},
            {"name":5,"kind":"Bare","slot":1,"input":4}]}]}"#,
    ),
];

#[test]
fn what_once_failed_does_not_fail_again() {
    for (what, text) in ONCE_FAILED {
        let case = Case::parse(text).unwrap();
        assert_eq!(sim::live(&case).err(), None, "{what}");
    }
}

#[test]
fn a_life_is_written_down_and_read_back() {
    for seed in 0..50 {
        let case = sim::case(seed);
        assert_eq!(Case::parse(&case.text()).unwrap(), case);
    }
}
