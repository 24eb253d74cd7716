//! Whatever is written, gops says what is wrong with it and goes on: the projects of the language's
//! cases with words taken out, put in and exchanged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use crate::harness::checking::Project;
use crate::harness::literate::File;

thread_local! {
    static PROJECTS: Vec<Vec<File>> = crate::lang::projects();
}

/// The words of a text, each with what stands before it.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.len() - rest.trim_start().len();
        let word =
            rest[start..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len() - start);
        let next = rest[start..].chars().next().map_or(0, char::len_utf8);
        let (one, more) = rest.split_at(start + word.max(next));
        words.push(one);
        rest = more;
    }
    words
}

fn mutated(text: &str, changes: &[(u8, u16, u16)]) -> String {
    let mut words: Vec<&str> = words(text);
    for &(kind, a, b) in changes {
        if words.is_empty() {
            break;
        }
        let (a, b) = (usize::from(a) % words.len(), usize::from(b) % words.len());
        match kind % 4 {
            0 => drop(words.remove(a)),
            1 => words.insert(a, words[b]),
            2 => words.swap(a, b),
            _ => words[a] = words[b],
        }
    }
    words.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, max_shrink_iters: 200, ..Default::default() })]

    #[test]
    fn nothing_stops_a_check(
        project in any::<u16>(),
        file in any::<u16>(),
        changes in proptest::collection::vec(any::<(u8, u16, u16)>(), 1..6),
    ) {
        let mut files = PROJECTS.with(|all| all[usize::from(project) % all.len()].clone());
        // Models most of all: there is more to misunderstand.
        let models: Vec<usize> =
            (0..files.len()).filter(|i| files[*i].path.ends_with(".gops")).collect();
        let at = match models.as_slice() {
            [] => usize::from(file) % files.len(),
            _ if file % 4 == 0 => usize::from(file / 4) % files.len(),
            models => models[usize::from(file) % models.len()],
        };
        let text = mutated(&String::from_utf8_lossy(&files[at].bytes), &changes);
        files[at].bytes = text.clone().into_bytes();
        let checked = catch_unwind(AssertUnwindSafe(|| {
            let mut project = Project::new(&files, None);
            let mut found = project.session.check().diagnostics;
            found.extend(project.session.test(None).into_iter().flat_map(|o| o.diagnostics));
            project.show(&found)
        }));
        prop_assert!(checked.is_ok(), "{}:\n{}", files[at].path, text);
        // A mistake that nobody explains is one of gops.
        let shown = checked.unwrap_or_default();
        prop_assert!(!shown.contains("G0821"), "{}:\n{}\n{}", files[at].path, text, shown);
    }
}
