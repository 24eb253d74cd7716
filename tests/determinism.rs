//! The real program in different surroundings: the same inputs give the same bytes, wherever it
//! is started, in whatever language and time zone, with any number of threads, and in whatever
//! order the folder lists its files.

use std::path::Path;
use std::process::Command;

use crate::project::order::{project, reversed, shuffled_items, without_lines};
use crate::project::shop::MODEL;

/// What is around a run of the program.
#[derive(Clone, Copy, Debug)]
struct Around {
    zone: &'static str,
    language: &'static str,
    threads: &'static str,
    /// Started elsewhere, with `-C`.
    elsewhere: bool,
}

const USUAL: Around = Around { zone: "UTC", language: "C.UTF-8", threads: "1", elsewhere: false };

const OTHERS: [Around; 4] = [
    Around { zone: "Pacific/Kiritimati", language: "C", ..USUAL },
    Around { zone: "America/St_Johns", language: "de_DE.UTF-8", threads: "8", ..USUAL },
    Around { elsewhere: true, ..USUAL },
    Around { zone: "Pacific/Kiritimati", language: "tr_TR.UTF-8", threads: "8", elsewhere: true },
];

/// Writes the files in this order, which is the one in which some file systems list them.
fn write(root: &Path, files: &[(String, String)]) {
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// What the program prints on both streams, and its exit code.
fn run(root: &Path, around: Around, arguments: &[&str]) -> (Vec<u8>, Vec<u8>, Option<i32>) {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gops"));
    command.env_clear().env("TZ", around.zone).env("LANG", around.language).env("LC_ALL", around.language);
    command.args(["--threads", around.threads]);
    match around.elsewhere {
        true => command.current_dir(elsewhere.path()).arg("-C").arg(root),
        false => command.current_dir(root),
    };
    let output = command.args(arguments).output().unwrap();
    (output.stdout, output.stderr, output.status.code())
}

/// The project with one mistake of each of several kinds.
fn broken() -> Vec<(String, String)> {
    let mut files = project(&MODEL.replace("\"/srv/${name}\"", "\"/srv/${nme}\""));
    for (at, (_, text)) in files.iter_mut().skip(2).enumerate() {
        match at % 40 {
            3 => text.push_str("prot: 80\n"),
            9 => text.push_str("port: [\n"),
            17 => *text = text.replace("on: ", "on: no"),
            _ => {}
        }
    }
    files
}

const SOUND: &[&[&str]] = &[&["compile", "-o", "-"], &["graph", "--format", "dot"], &["schema"]];
const BROKEN: &[&[&str]] = &[&["check"], &["check", "--format", "json"]];

#[test]
fn the_same_bytes_everywhere() {
    for (files, commands) in [(project(MODEL), SOUND), (broken(), BROKEN)] {
        let folder = tempfile::tempdir().unwrap();
        // `-C` and the working directory are to be the same in what is shown.
        let root = folder.path().canonicalize().unwrap();
        write(&root, &files);
        let mirrored = tempfile::tempdir().unwrap();
        let backwards: Vec<(String, String)> = files.iter().rev().cloned().collect();
        write(mirrored.path(), &backwards);
        for &arguments in commands {
            let expected = run(&root, USUAL, arguments);
            assert!(!expected.0.is_empty() || !expected.1.is_empty(), "{arguments:?} says nothing");
            for around in OTHERS {
                assert!(run(&root, around, arguments) == expected, "{arguments:?} differs with {around:?}");
            }
            let other = run(mirrored.path(), USUAL, arguments);
            assert!(other == expected, "{arguments:?} depends on the order of files");
        }
    }
}

#[test]
fn the_same_graph_in_any_order() {
    let graph = |files: &[(String, String)]| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), files);
        let (graph, said, code) = run(folder.path(), USUAL, &["compile", "-o", "-"]);
        assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&said));
        without_lines(&String::from_utf8(graph).unwrap())
    };
    let plain = graph(&project(MODEL));
    for seed in [3, 7, 1_000_003] {
        let mut shuffled = project(&shuffled_items(seed));
        reversed(&mut shuffled, seed);
        assert!(graph(&shuffled) == plain, "the graph depends on an order (seed {seed})");
    }
}
