//! The `test` blocks of the models: each once, or once for every environment.

use std::sync::Arc;

use ecow::EcoString;

use crate::db::Database;
use crate::diag::{Diagnostic, Place};
use crate::eval::testing::{Aftermath, Outcome, Surroundings, run_test};
use crate::eval::value::FileValue;
use crate::eval::{Files, Reference, Version, World};
use crate::graph::Header;
use crate::handler::Registry;
use crate::model::program::TestDef;

use super::assemble::{Assembled, Assembly, Objects, assemble};
use super::draft::Drafter;
use super::history::moves;
use super::history::transient::{self, Shared, Side};
use super::origins::Origins;
use super::queries::{self, CheckedModel};
use super::session::{Session, TestOutcome};
use super::world::DbWorld;

/// A test reads the project's files, and nothing else of it; handlers judge what it makes.
struct Around<'a> {
    world: DbWorld<'a>,
    db: &'a Database,
    model: &'a CheckedModel,
    handlers: &'a Registry,
}

impl Files for Around<'_> {
    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString> {
        World::file(&self.world, path)
    }

    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString> {
        World::files(&self.world, folder, pattern)
    }
}

impl Around<'_> {
    /// The graph of what a test's instances make.
    fn assembled(&self, made: &Outcome, objects: &Objects) -> Assembled {
        let origins = Origins::new(self.db, &self.model.nodes);
        let drafter = Drafter::new(&self.model.program, self.handlers, &origins);
        let assembly = Assembly { drafter: &drafter, objects, made_by: &made.made_by };
        assemble(&assembly, Header::default())
    }
}

fn objects(made: &Outcome) -> Objects {
    made.objects.iter().map(|(r, o)| (r.clone(), o.clone())).collect()
}

impl Surroundings for Around<'_> {
    fn judge(&self, made: &Outcome) -> Vec<Diagnostic> {
        self.assembled(made, &objects(made)).diagnostics
    }

    fn aftermath(&self, now: (&dyn Version, &Outcome), then: &[(&dyn Version, &Outcome)]) -> Aftermath {
        let lasting = objects(now.1);
        let Assembled { builder: mut graph, claims, .. } = self.assembled(now.1, &lasting);
        let earlier: Vec<Objects> = then.iter().map(|(_, made)| objects(made)).collect();
        let program = &self.model.program;
        let versions = then.iter().map(|(version, _)| Some(*version)).collect();
        let moves = moves::moves(program, now.0, versions, &[]);
        for ((_, made), objects) in then.iter().zip(&earlier) {
            let mut made = self.assembled(made, objects).builder;
            moves.note(program, &made, None, &mut graph);
            graph.add_absent(&mut made);
        }
        let shared = Shared {
            program: &self.model.program,
            nodes: &self.model.nodes,
            handlers: self.handlers,
            claims: &claims,
        };
        let side = |version, objects| Side { version, objects, texts: self.db };
        let sides: Vec<Option<Side<'_>>> =
            then.iter().zip(&earlier).map(|((version, _), objects)| Some(side(*version, objects))).collect();
        let added = transient::add(&shared, side(now.0, &lasting), &sides, &moves, &mut graph);
        let transient = added.objects;
        let gone = |r: &&Arc<Reference>| !lasting.contains_key(*r) && !transient.contains_key(*r);
        let absent = earlier.iter().flat_map(|o| o.keys()).filter(gone).cloned().collect();
        let mut diagnostics = moves.diagnostics;
        diagnostics.extend(added.diagnostics);
        diagnostics.extend(added.earlier.into_iter().flat_map(|(_, said)| said));
        Aftermath { transient, absent, diagnostics }
    }
}

impl Session {
    /// Runs the tests of the models whose title contains the filter, in the order of files and
    /// places. A model with an error in it runs none: the one outcome says what is wrong.
    pub fn test(&mut self, filter: Option<&str>) -> Vec<TestOutcome> {
        // The tests of the standard library are run where it is made.
        self.tests(&|t| !is_std(t) && filter.is_none_or(|f| t.name.contains(f)))
    }

    fn tests(&mut self, wanted: &dyn Fn(&TestDef) -> bool) -> Vec<TestOutcome> {
        let model = queries::checked_model(&self.db);
        let ready = queries::ready(&self.db);
        let origins = Origins::new(&self.db, &model.nodes);
        let resolved = |d: &Diagnostic| d.clone().resolved(&origins);
        let wrong: Vec<Diagnostic> =
            self.setup_and(&model.diagnostics).filter(|d| d.is_error()).map(resolved).collect();
        if let Some(place) = wrong.first().and_then(|d| d.labels.first()).map(|l| l.place) {
            return vec![TestOutcome { name: "the model".to_owned(), place, diagnostics: wrong }];
        }
        let around =
            Around { world: DbWorld::new(&self.db), db: &self.db, model: &model, handlers: &self.handlers };
        let environments = self.project.environments(&self.db);
        let chosen: Vec<Option<u16>> = match self.project.environment(&self.db) {
            None if !environments.is_empty() => (0..environments.len() as u16).map(Some).collect(),
            one => vec![one],
        };
        let mut outcomes = Vec::new();
        for test in ready.program.tests.iter().filter(|t| wanted(t)) {
            for environment in &chosen {
                let outcome = run_test(&ready.program, &ready.plan, test, *environment, &around);
                let place = Place::Model { file: test.body.file, node: test.node.0 };
                let named = environment.and_then(|at| environments.get(at as usize));
                outcomes.push(TestOutcome {
                    name: match named {
                        Some(environment) => format!("{} ({environment})", test.name),
                        None => test.name.to_string(),
                    },
                    place,
                    diagnostics: outcome.diagnostics.iter().map(resolved).collect(),
                });
            }
        }
        outcomes
    }
}

fn is_std(test: &TestDef) -> bool {
    test.body.file.path().starts_with("std:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MemorySystem;
    use crate::project::Options;

    fn session(files: &[(&str, &str)]) -> Session {
        let system = MemorySystem::default();
        system.write("gops.toml", b"name = \"example\"\nedition = \"2026\"\n");
        for (path, text) in files {
            system.write(path, text.as_bytes());
        }
        Session::open(Arc::new(system), Options::default())
    }

    #[test]
    fn the_standard_library_passes_its_tests() {
        let mut session = session(&[("model/main.gops", "")]);
        let outcomes = session.tests(&is_std);
        assert!(!outcomes.is_empty());
        for outcome in outcomes {
            assert_eq!(outcome.diagnostics, [], "{}", outcome.name);
        }
    }

    /// The messages of one test's problems.
    fn said(model: &str, test: &str) -> Vec<String> {
        let text = format!("{model}\ntest \"it\" {{\n{test}\n}}\n");
        let mut session = session(&[("model/main.gops", &text), ("files/a.txt", "hello\n")]);
        let outcomes = session.test(None);
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes.into_iter().flat_map(|o| o.diagnostics).map(|d| d.message).collect()
    }

    const MODEL: &str = r#"
use std::host::Host
use std::files::TextFile

slice Machine in "machines" { key name: string, address: string = "-", unique address }
slice Site in "sites" {
    key name: string
    on: ref<Machine>
    port: int where 1..=65535 = 8080
    token: secret<string>?
    pages: list<Page> = []
    needs: set<ref<Site>> = []
    let root: string = "/srv/${name}"
    check port != 22, "port 22 is kept for ssh" at port
}
struct Page {
    key path: string
    let file: string = "${parent.root}${path}"
    check path != "/z", "a page has a name" at path
}
inverse Machine.sites: set<Site> by on
acyclic Site by needs, "sites need each other"
check m in all(Machine): m.sites.len() <= 1, "${m.name} is full" at m.name
entity Vhost { key site: Site, port: int }

impl Machine { Host { name } }
impl Site { Vhost { site: self, port } }
impl Page { TextFile { host: Host[name: parent.on.name], path: file, content: "x" } }
impl Vhost {
    TextFile { host: Host[name: site.on.name], path: "/vhosts/${site.name}", content: "${site.token ?? "none"}" }
}
"#;

    #[test]
    fn what_follows_is_there() {
        let test = r#"
            let m = Machine { name: "h" }
            let s = Site { name: "a", on: m, token: "t", pages: [{ path: "/x" }] }
            expect TextFile[host: Host[name: "h"], path: "/srv/a/x"].content == "x"
            expect TextFile[host: Host[name: "h"], path: "/vhosts/a"].content == "t"
            expect m.sites == [s].to_set()
            expect all(Vhost).len() == 1 and all(TextFile).len() == 2
            expect TextFile[host: Host[name: "h"], path: "/nothing"]? == null
            expect file("../files/a.txt").text == "hello\n"
        "#;
        assert_eq!(said(MODEL, test), [""; 0]);
    }

    #[test]
    fn what_is_not_so_is_said() {
        let machine = r#"let m = Machine { name: "h" }"#;
        let with = |rest: &str| said(MODEL, &format!("{machine}\n{rest}"));
        assert_eq!(with(r#"expect m.name == "g""#), ["the two sides are not equal"]);
        assert_eq!(with(r#"expect not (m.name == "h")"#), ["this is not so"]);
        assert_eq!(with(r#"Site { name: "a", on: m, port: 22 }"#), ["port 22 is kept for ssh"]);
        assert_eq!(with(r#"Site { name: "a", on: m, pages: [{ path: "/z" }] }"#), ["a page has a name"]);
        assert_eq!(
            with(r#"Site { name: "a", on: Machine["g"] }"#),
            ["there is no `Machine[name: \"g\"]`", "there is no `Host[name: \"g\"]`"]
        );
        assert_eq!(with("Site { name: \"a\", on: m }\nSite { name: \"b\", on: m }"), ["h is full"]);
        assert_eq!(with(r#"Machine { name: "h", address: "+" }"#), ["`Machine[name: \"h\"]` is made twice"]);
        assert_eq!(with(r#"Machine { name: "g" }"#), ["another `Machine` has the same `address`"]);
        let circle = r#"Site { name: "a", on: m, needs: [Site["a"]] }"#;
        assert_eq!(with(circle), ["sites need each other: a circle of `Site`"]);
    }

    #[test]
    fn secrets_are_compared_and_not_shown() {
        let test = r#"
            let s = Site { name: "a", on: Machine { name: "h" }, token: "geheim" }
            expect s.token == "anders"
        "#;
        let text = format!("{MODEL}\ntest \"it\" {{ {test} }}");
        let outcomes = session(&[("model/main.gops", &text)]).test(None);
        let [outcome] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert_eq!(outcome.diagnostics.len(), 1);
        assert!(!format!("{outcome:?}").contains("geheim"), "{outcome:?}");
    }

    #[test]
    fn outputs_are_given() {
        let model = r#"
use std::host::Host
use std::files::TextFile
slice Site in "sites" { key name: string }
impl Site {
    let a = TextFile { host: Host { name: "h" }, path: "/a", content: "a" }
    TextFile { host: Host[name: "h"], path: "/b", content: "${a.sha256.upper()}" }
}"#;
        let output = r#"TextFile[host: Host[name: "h"], path: "/a"].sha256"#;
        let expect = r#"expect TextFile[host: Host[name: "h"], path: "/b"].content == "AB""#;
        let site = r#"Site { name: "s" }"#;
        assert_eq!(said(model, &format!("{site}\n{expect}"))[0], "this is known only after a deploy");
        assert_eq!(said(model, &format!("given {output} = \"ab\"\n{site}\n{expect}")), [""; 0]);
        assert_eq!(said(model, &format!("{site}\ngiven {output} = \"ab\"\n{expect}")), [""; 0]);
    }

    #[test]
    fn expected_errors_leave_nothing_behind() {
        let test = r#"
            let m = Machine { name: "h" }
            expect error "kept for ssh" { Site { name: "a", on: m, port: 22 } }
            expect error "there is no" { Site { name: "a", on: Machine["g"] } }
            expect error "where 1..=65535" { Site { name: "a", on: m, port: 0 } }
            expect all(Site).len() == 0
        "#;
        assert_eq!(said(MODEL, test), [""; 0]);
        let test = r#"expect error "kept for ssh" { Machine { name: "h" } }"#;
        assert_eq!(said(MODEL, test), ["no problem says `kept for ssh`"]);
    }
}
