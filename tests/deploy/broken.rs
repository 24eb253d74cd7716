//! Hosts that fail in the middle of a deploy: the agent there is ended at a system call that strace
//! picks, or that call fails.

// What is left out is for who runs it.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::ssh::{Fleet, Machine, can, gops};
use super::text;

/// A host whose agent runs under strace, with these options.
struct Broken {
    fleet: Fleet,
    /// What runs as the agent.
    agent: PathBuf,
}

fn can_trace() -> bool {
    let run = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    let can = run.is_ok_and(|output| output.status.success());
    if !can {
        println!("left out: strace is not installed, or may not trace here");
    }
    can
}

impl Broken {
    /// A host that has its copy of the program already.
    fn new() -> Self {
        let fleet = Fleet::new(&["web1"]);
        fleet.say(&BTreeMap::from([("web1", notes(1))]));
        fleet.deploys();
        let copies = std::fs::read_dir(fleet.at.join("hosts/cache/gops")).unwrap();
        let agent = copies.map(|entry| entry.unwrap().path().join("gops")).next().unwrap();
        std::fs::copy(gops(), fleet.at.join("agent")).unwrap();
        Broken { fleet, agent }
    }

    /// From now on agents fail so: all of them, or the next one alone. What is looked at before an agent
    /// is used is the size of its file.
    fn fails(&self, inject: &str, once: bool) {
        let (real, began) = (self.fleet.at.join("agent"), self.fleet.at.join("began"));
        let _ = std::fs::remove_file(&began);
        let unless = if once {
            format!("[ -e {} ] && exec {} agent\n", began.display(), real.display())
        } else {
            String::new()
        };
        let script = format!(
            "#!/bin/sh\n{unless}: > {}\nexec strace -f -qq -o /dev/null -e inject={inject} {} agent\n",
            began.display(),
            real.display()
        );
        let size = std::fs::metadata(gops()).unwrap().len() as usize;
        let padding = "#".repeat(size - script.len());
        self.put(|path| std::fs::write(path, script + &padding).unwrap());
    }

    /// From now on agents work.
    fn mends(&self) {
        self.put(|path| {
            let _ = std::fs::copy(gops(), path).unwrap();
        });
    }

    fn put(&self, write: impl FnOnce(&PathBuf)) {
        let new = self.agent.with_extension("new");
        write(&new);
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::rename(&new, &self.agent).unwrap();
    }

    /// What the project says is there, byte for byte, and a run has nothing to do.
    fn has_all(&self, count: usize) {
        let wanted: BTreeMap<String, String> = notes(count).texts;
        assert_eq!(self.fleet.notes("web1"), wanted);
        assert!(self.fleet.deploys().contains("Nothing to do"));
    }
}

fn notes(count: usize) -> Machine {
    let texts: Vec<(String, String)> =
        (0..count).map(|n| (format!("n{n:02}"), format!("text {n} of {count}"))).collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    super::ssh::texts(&texts)
}

#[test]
fn a_connection_that_is_cut_in_the_middle_of_an_effect_is_made_anew_and_nothing_is_done_twice() {
    if !can() || !can_trace() {
        return;
    }
    let broken = Broken::new();
    broken.fleet.say(&BTreeMap::from([("web1", notes(20))]));
    // Some are in place and not recorded, some lie beside their place.
    broken.fails("renameat2:signal=KILL:when=7", true);
    let output = broken.fleet.run("deploy");
    assert!(broken.fleet.at.join("began").exists(), "{}", text(&output));
    assert!(output.status.success(), "{}", text(&output));
    broken.has_all(20);
}

#[test]
fn a_host_whose_agent_ends_each_time_is_accounted_for_by_the_next_run() {
    if !can() || !can_trace() {
        return;
    }
    let broken = Broken::new();
    broken.fleet.say(&BTreeMap::from([("web1", notes(30))]));
    broken.fails("renameat2:signal=KILL:when=3", false);
    let output = broken.fleet.run("deploy");
    assert!(matches!(output.status.code(), Some(1 | 3)), "{}", text(&output));
    assert!(text(&output).contains("broke off"), "{}", text(&output));
    broken.mends();
    broken.fleet.deploys();
    broken.has_all(30);
    // What was made is known: it goes when nobody wants it.
    broken.fleet.say(&BTreeMap::new());
    broken.fleet.deploys();
    assert!(!broken.fleet.at.join("root/web1/notes").exists());
}

#[test]
fn a_host_whose_disk_is_full_says_which_path_and_is_gone_on_with_once_there_is_room() {
    if !can() || !can_trace() {
        return;
    }
    let broken = Broken::new();
    // The last one but for the gate's own, at each kind of call that takes room.
    for (round, call) in ["renameat2", "fsync,syncfs", "fsetxattr"].iter().enumerate() {
        let count = 20 + round;
        broken.fleet.say(&BTreeMap::from([("web1", notes(count))]));
        broken.fails(&format!("{call}:error=ENOSPC:when=3+"), false);
        let output = broken.fleet.run("deploy");
        let said = text(&output);
        assert!(matches!(output.status.code(), Some(1 | 3)), "{call}: {said}");
        let named =
            said.lines().any(|line| line.to_lowercase().contains("no space left") && line.contains("/notes"));
        assert!(named, "{call}: {said}");
        let beside = || {
            let entries = std::fs::read_dir(broken.fleet.at.join("root/web1/notes")).unwrap();
            entries.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(".gops")).count()
        };
        broken.mends();
        broken.fleet.deploys();
        assert_eq!(beside(), 0, "{call}: nothing is left beside");
        broken.has_all(count);
    }
}
