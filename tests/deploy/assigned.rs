//! No two elements that are live or not settled have one assigned value (I24), in random lives of a
//! real project: three numbers for more notes than that, two deployers of which one may lag behind,
//! and branches that are merged.
//!
//! What is not settled is read from the disks of the deployers: each note deploys a file with its
//! number. `GOPS_LIVES=200` plays more lives.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{count, text};

const NUMBERS: usize = 3;

const CONFIG: &str = "\
name = \"lab\"
id = \"lab\"
edition = \"2026\"
history = \"active\"

[deployers]
home = {}
away = {}
";

/// `who` tells apart what has one name, one after the other, and stays over a rename.
const MODEL: &str = "\
use std::files::TextFile

slice Note in \"notes\" {
    key name: string
    who: int
    assigned id: int = free_int(1..=3, used: [n.id for n in all(Note)])
}

impl Note { TextFile { path: \"/${name}\", content: \"${who} ${id}\" } }
";

const DEPLOYERS: [&str; 2] = ["home", "away"];

/// What happens to the project.
#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Remove(u8),
    Rename(u8, Renaming),
    Update,
    /// Activates what the sources say, with an update before or as it is.
    Sync(bool),
    Deploy(u8),
    Prune,
    /// Everything that it takes to settle what was deleted.
    Settle,
    /// Two branches do this, each for itself, and are merged.
    Branches(Box<[Step; 2]>),
}

/// How a note gets another name.
#[derive(Clone, Copy, Debug)]
enum Renaming {
    /// `gops slice move`.
    Command,
    /// By hand, with a `moved` line.
    Moved,
    /// By hand without one; the number stays in the file.
    Kept,
    /// By hand without one, and without the number.
    Anew,
}

fn step() -> impl Strategy<Value = Step> {
    let renaming = prop_oneof![
        Just(Renaming::Command),
        Just(Renaming::Moved),
        Just(Renaming::Kept),
        Just(Renaming::Anew)
    ];
    let in_branch = prop_oneof![
        (0..4_u8).prop_map(Step::Add),
        any::<u8>().prop_map(Step::Remove),
        any::<u8>().prop_map(Step::Remove)
    ];
    prop_oneof![
        6 => (0..4_u8).prop_map(Step::Add),
        4 => any::<u8>().prop_map(Step::Remove),
        2 => (any::<u8>(), renaming).prop_map(|(which, how)| Step::Rename(which, how)),
        3 => Just(Step::Update),
        3 => any::<bool>().prop_map(Step::Sync),
        4 => (0..2_u8).prop_map(Step::Deploy),
        3 => Just(Step::Prune),
        1 => Just(Step::Settle),
        1 => (in_branch.clone(), in_branch).prop_map(|(a, b)| Step::Branches(Box::new([a, b]))),
    ]
}

/// A note in the sources or on a disk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Note {
    name: String,
    who: u32,
    id: Option<i64>,
}

/// What must have come up in all lives together: else they show nothing.
#[derive(Default)]
struct Seen {
    /// A number was not given out because of something that is gone.
    withheld: Cell<u32>,
    /// A number went from one note to another.
    reused: Cell<u32>,
    /// Two branches had given out one number.
    twice: Cell<u32>,
}

fn more(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

struct Life<'a> {
    folder: tempfile::TempDir,
    seen: &'a Seen,
    /// Numbers notes and the names that no other one has had.
    next: u32,
    /// Who had a number last.
    given: BTreeMap<i64, u32>,
    /// Names that a `moved` line leads away from.
    left: BTreeSet<String>,
}

impl<'a> Life<'a> {
    fn new(seen: &'a Seen) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let life = Life { folder, seen, next: 0, given: BTreeMap::new(), left: BTreeSet::new() };
        for folder in ["model", "notes"] {
            std::fs::create_dir_all(life.project().join(folder)).unwrap();
        }
        std::fs::write(life.project().join("gops.toml"), CONFIG).unwrap();
        std::fs::write(life.project().join("model/main.gops"), MODEL).unwrap();
        // People keep the lines of both branches.
        std::fs::write(life.project().join(".gitattributes"), "assigned.lock merge=union\n").unwrap();
        life.git(&["init", "-q", "-b", "main"]);
        life
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn root(&self, deployer: &str) -> PathBuf {
        self.folder.path().join(deployer)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.project().join(format!("notes/{name}.yaml"))
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let identity = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];
        Command::new(program)
            .args(arguments)
            .current_dir(self.project())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(identity.map(|name| (name, "lab")))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn git(&self, arguments: &[&str]) {
        let output = self.run("git", arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output));
    }

    fn gops(&self, arguments: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_gops"), arguments)
    }

    fn succeeds(&self, arguments: &[&str]) {
        let output = self.gops(arguments);
        assert!(output.status.success(), "gops {arguments:?}: {}", text(&output));
    }

    /// What the sources say.
    fn live(&self) -> Vec<Note> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.project().join("notes")).into_iter().flatten() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let id = field("id:").map(|id| id.parse().unwrap());
            let who = field("who:").unwrap().parse().unwrap();
            found.push(Note { name: field("name:").unwrap().to_owned(), who, id });
        }
        found.sort();
        found
    }

    /// What stands on the disk of a deployer.
    fn deployed(&self, deployer: &str) -> Vec<Note> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.root(deployer)).into_iter().flatten() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let (who, id) = text.split_once(' ').unwrap();
            let name = entry.file_name().into_string().unwrap();
            found.push(Note { name, who: who.parse().unwrap(), id: Some(id.parse().unwrap()) });
        }
        found
    }

    fn write(&self, note: &Note) {
        let id = note.id.map_or(String::new(), |id| format!("id: {id}\n"));
        let text = format!("name: {}\nwho: {}\n{id}", note.name, note.who);
        std::fs::create_dir_all(self.project().join("notes")).unwrap();
        std::fs::write(self.file(&note.name), text).unwrap();
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn chosen(&self, which: u8) -> Option<Note> {
        let live = self.live();
        live.get(usize::from(which).checked_rem(live.len())?).cloned()
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Add(number) => {
                let name = format!("n{number}");
                if !self.left.contains(&name) && self.live().iter().all(|note| note.name != name) {
                    let who = self.fresh();
                    self.write(&Note { name, who, id: None });
                }
            }
            Step::Remove(which) => {
                if let Some(note) = self.chosen(*which) {
                    std::fs::remove_file(self.file(&note.name)).unwrap();
                }
            }
            Step::Rename(which, how) => self.rename(*which, *how),
            Step::Update => self.update(),
            Step::Sync(with_update) => {
                if *with_update || self.live().iter().any(|note| note.id.is_none()) {
                    self.update();
                }
                let twice = self.twice();
                if !twice {
                    self.succeeds(&["sync"]);
                }
            }
            Step::Deploy(which) => {
                let deployer = DEPLOYERS[usize::from(*which) % DEPLOYERS.len()];
                let root = format!("../{deployer}");
                let output =
                    self.gops(&["deploy", "--root", &root, "--yes", "--dirty", "--receipt", deployer]);
                // A `moved` line whose change is not activated yet: nothing is done.
                let fine = output.status.success() || text(&output).contains("G1006");
                assert!(fine, "{}", text(&output));
            }
            Step::Prune => self.succeeds(&["prune"]),
            Step::Settle => self.settle(),
            Step::Branches(each) => self.branches(each),
        }
    }

    fn rename(&mut self, which: u8, how: Renaming) {
        let complete = self.live().iter().all(|note| note.id.is_some());
        let Some(old) = self.chosen(which).filter(|_| complete && !self.twice()) else { return };
        let number = self.fresh();
        let new = Note { name: format!("r{number}"), ..old.clone() };
        if matches!(how, Renaming::Command) {
            self.succeeds(&["slice", "move", "Note", &old.name, &new.name]);
            std::fs::rename(self.file(&old.name), self.file(&new.name)).unwrap();
        } else {
            std::fs::remove_file(self.file(&old.name)).unwrap();
            match how {
                // Another one, as far as anybody can know.
                Renaming::Anew => self.write(&Note { who: number, id: None, ..new.clone() }),
                _ => self.write(&new),
            }
        }
        if matches!(how, Renaming::Moved) {
            let model = self.project().join("model/main.gops");
            let line = format!("\nmoved Note[\"{}\"] to Note[\"{}\"]\n", old.name, new.name);
            let text = std::fs::read_to_string(&model).unwrap();
            std::fs::write(&model, text + &line).unwrap();
        }
        if matches!(how, Renaming::Command | Renaming::Moved) {
            self.left.insert(old.name);
        }
    }

    /// Whether two notes in the sources have one number.
    fn twice(&self) -> bool {
        let mut ids: Vec<i64> = self.live().iter().filter_map(|note| note.id).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        ids.len() < all
    }

    /// Runs `gops update`. What there is no number for goes again.
    fn update(&mut self) {
        let before = self.live();
        let output = self.gops(&["update"]);
        let said = text(&output);
        if output.status.success() {
            self.look(&before, &said);
            return;
        }
        assert_eq!(self.live(), before, "something was written: {said}");
        if said.contains("G1041") {
            assert!(self.twice(), "{said}");
            return;
        }
        assert!(said.contains("G0609"), "{said}");
        // There is none, and the lock says why.
        let lock = std::fs::read_to_string(self.project().join("assigned.lock")).unwrap_or_default();
        let numbers: BTreeSet<&str> =
            lock.lines().filter_map(|line| Some(line.rsplit_once(": ")?.1)).collect();
        let lacking = before.iter().filter(|note| note.id.is_none()).count();
        assert!(numbers.len() + lacking > NUMBERS, "{said}{lock}");
        if said.contains("kept for what was deleted") {
            more(&self.seen.withheld);
        }
        for note in before.iter().filter(|note| note.id.is_none()) {
            std::fs::remove_file(self.file(&note.name)).unwrap();
        }
        self.update();
    }

    /// After each update: every number is that of one note.
    fn look(&mut self, before: &[Note], said: &str) {
        let live = self.live();
        assert!(!self.twice(), "two have one number: {live:?}\n{said}");
        for note in &live {
            let Some(id) = note.id else { panic!("{note:?} has no number: {said}") };
            assert!((1..=NUMBERS as i64).contains(&id), "{note:?}: {said}");
            let had = before.iter().any(|b| b.name == note.name && b.id.is_some());
            for deployer in DEPLOYERS {
                // The same note may have had another name, or be there again under its old one.
                let other = self
                    .deployed(deployer)
                    .into_iter()
                    .find(|there| there.id == note.id && there.who != note.who && there.name != note.name);
                assert!(
                    other.is_none(),
                    "{note:?} has what {deployer} still has as {other:?}, {had}: {said}"
                );
            }
            if self.given.insert(id, note.who).is_some_and(|who| who != note.who) {
                more(&self.seen.reused);
            }
        }
    }

    fn settle(&mut self) {
        self.update();
        if self.twice() {
            return;
        }
        self.succeeds(&["sync"]);
        (0..2).for_each(|deployer| self.play(&Step::Deploy(deployer)));
        self.succeeds(&["prune"]);
        // What was never activated, or changed its name by hand: of that only people know.
        for name in self.kept() {
            if DEPLOYERS.iter().all(|deployer| !self.root(deployer).join(&name).exists()) {
                self.succeeds(&["update", "--release", &format!("Note[name={name}]")]);
            }
        }
    }

    /// The names of the notes whose numbers are kept.
    fn kept(&self) -> Vec<String> {
        let lock = std::fs::read_to_string(self.project().join("assigned.lock")).unwrap_or_default();
        let (_, reserved) = lock.split_once("\nreserved:\n").unwrap_or_default();
        let name = |line: &str| Some(line.split_once("[name=")?.1.split_once(']')?.0.to_owned());
        reserved.lines().filter_map(name).collect()
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    }

    fn branches(&mut self, [theirs, ours]: &[Step; 2]) {
        self.update();
        self.commit();
        self.git(&["checkout", "-q", "-b", "side"]);
        self.in_branch(theirs);
        let side = self.live();
        self.git(&["checkout", "-q", "main"]);
        self.in_branch(ours);
        let main = self.live();
        self.git(&["merge", "-q", "--no-edit", "side"]);
        self.git(&["branch", "-q", "-D", "side"]);
        if !self.twice() {
            return self.update();
        }
        more(&self.seen.twice);
        let output = self.gops(&["update"]);
        assert!(text(&output).contains("G1041"), "{}", text(&output));
        // Nobody has deployed what came from the side.
        for note in side.iter().filter(|note| !main.contains(note)) {
            if self.file(&note.name).exists() {
                self.write(&Note { id: None, ..note.clone() });
            }
        }
        self.update();
    }

    fn in_branch(&mut self, step: &Step) {
        match step {
            // Of another name than in the other branch.
            Step::Add(_) => {
                let who = self.fresh();
                self.write(&Note { name: format!("b{who}"), who, id: None });
            }
            step => self.play(step),
        }
        self.update();
        self.commit();
    }

    /// Once everything is settled, nothing is kept.
    fn ends(&mut self) {
        self.settle();
        assert_eq!(self.kept(), Vec::<String>::new());
    }
}

#[test]
fn no_two_that_are_live_or_not_settled_have_one_assigned_value() {
    let seen = Seen::default();
    let config = Config {
        cases: count("GOPS_LIVES", 4) as u32,
        failure_persistence: None,
        max_shrink_iters: 10,
        ..Config::default()
    };
    // Always the same lives: what they must have come across is asserted.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let lives = proptest::collection::vec(step(), 4..30);
    let result = runner.run(&lives, |steps| {
        let mut life = Life::new(&seen);
        // Without anything active there is nothing to deploy.
        life.play(&Step::Add(0));
        life.settle();
        steps.iter().for_each(|step| life.play(step));
        life.ends();
        Ok(())
    });
    result.unwrap_or_else(|failed| panic!("{failed}"));
    let seen = [&seen.withheld, &seen.reused, &seen.twice].map(Cell::get);
    assert!(seen.iter().all(|count| *count > 0), "withheld, reused, given out twice: {seen:?}");
}
