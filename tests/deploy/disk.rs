//! Every write, sync, rename and removal of a deploy fails once, with a full disk and with a
//! broken one.
//!
//! strace has the real program's system calls fail. `GOPS_INJECT=1` fails every one; without it,
//! so that the suite stays short, every so many. Where strace cannot run, the test says so.

// What a long run came across is for who runs it.
#![allow(clippy::print_stdout)]

use std::process::{Command, Output, Stdio};

use super::{Chance, Lab, Notes, count, text};

const CALLS: &str = "write,writev,pwrite64,pwritev,fsync,fdatasync,syncfs,rename,renameat,renameat2,unlink,\
unlinkat,rmdir,ftruncate,fallocate,mkdir,mkdirat,symlinkat,linkat,fsetxattr,fchmod,fchown,utimensat";

fn strace(lab: &Lab, options: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-qq", "-o"]).arg(lab.state.join("../calls")).args(options);
    command.arg(env!("CARGO_BIN_EXE_gops")).args(lab.arguments("deploy"));
    command.stdin(Stdio::null()).output().unwrap()
}

/// The calls of a deploy that touch its files: which one, and the how many of its name.
fn calls(lab: &Lab) -> Vec<(String, u32)> {
    let log = std::fs::read_to_string(lab.state.join("../calls")).unwrap();
    let folder = lab.state.parent().unwrap().display().to_string();
    let mut counts: std::collections::BTreeMap<String, u32> = Default::default();
    let mut found = Vec::new();
    for line in log.lines() {
        let Some((head, rest)) = line.split_once('(') else { continue };
        let name = head.rsplit(' ').next().unwrap_or_default().to_owned();
        let number = counts.entry(name.clone()).or_default();
        *number += 1;
        if rest.contains(&folder) && !rest.contains("ENOENT") {
            found.push((name, *number));
        }
    }
    found
}

fn can_trace() -> bool {
    let run = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    run.is_ok_and(|output| output.status.success())
}

#[test]
fn whatever_fails_on_the_disk_nothing_is_lost() {
    if !can_trace() {
        println!("left out: strace is not installed, or may not trace here");
        return;
    }
    let step = count("GOPS_INJECT", 40).max(1) as usize;
    let mut chance = Chance(3);
    let first = chance.notes(&Notes::new(), 20);
    let second = chance.notes(&first, 20);
    let (mut failed, mut survived) = (0, 0);
    // Making everything from nothing, and changing it: each with each call.
    for (before, after) in [(None, &first), (Some(&first), &second)] {
        let at_start = || {
            let lab = Lab::new();
            if let Some(before) = before {
                lab.say(before);
                lab.converges(before, "nothing");
            }
            lab.say(after);
            lab
        };
        let lab = at_start();
        let plain = strace(&lab, &["-e", &format!("trace={CALLS}")]);
        assert!(plain.status.success(), "{}", text(&plain));
        let all = calls(&lab);
        assert!(all.len() > 20, "{} calls", all.len());
        let errors = ["ENOSPC", "EIO"];
        let cases = all.iter().flat_map(|call| errors.iter().map(move |error| (call, error)));
        for ((name, number), error) in cases.step_by(step) {
            let lab = at_start();
            let inject = format!("inject={name}:error={error}:when={number}");
            let output = strace(&lab, &["-e", &format!("trace={CALLS}"), "-e", &inject]);
            let what = format!("{inject}: {}", text(&output));
            assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{what}");
            if output.status.success() {
                survived += 1;
            } else {
                failed += 1;
                let said = text(&output);
                let state = lab.state.display().to_string();
                // An error of the ledger has its cause in the line below.
                let lines: Vec<String> = said.lines().map(str::to_lowercase).collect();
                let errors = ["no space left", "input/output error", "disk i/o error", "is full"];
                let fails = |line: &String| errors.iter().any(|error| line.contains(error));
                let names = |line: &String| line.contains("/notes") || line.contains(&state.to_lowercase());
                let named = lines.iter().enumerate().filter(|(_, line)| fails(line)).any(|(at, _)| {
                    lines.get(at.saturating_sub(2)..=at).unwrap_or_default().iter().any(names)
                });
                assert!(named, "nothing names path and error: {what}");
            }
            lab.no_orphans(&what);
            lab.converges(after, &what);
        }
    }
    println!("{failed} deploys stopped or went on without what failed, {survived} had no need of it");
    assert!(failed > 0);
}
