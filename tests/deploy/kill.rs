//! `kill -9` at random moments of real deploys.
//!
//! `GOPS_KILLS=1000 cargo test --test all deploy::kill -- --nocapture` kills a thousand.

// What a long run came across is for who runs it.
#![allow(clippy::print_stdout)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Chance, Lab, Notes, count};

#[test]
fn killed_at_any_moment_nothing_is_lost() {
    let kills = count("GOPS_KILLS", 6);
    let mut chance = Chance(count("GOPS_KILL_SEED", 1));
    let lab = Lab::new();
    let mut notes = Notes::new();
    // How long a deploy takes here, so that the moments spread over all of it.
    let mut usual = Duration::from_millis(200);
    let (mut cut, mut whole) = (0, 0);
    while cut < kills {
        notes = chance.notes(&notes, 30);
        lab.say(&notes);
        // Several in a row, also while the one before is being recovered from.
        for _ in 0..1 + chance.below(3) {
            let share = chance.below(1000) as u32;
            let mut command = Command::new(env!("CARGO_BIN_EXE_gops"));
            command.args(lab.arguments("deploy")).stdin(Stdio::null());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let until = Instant::now() + usual * share / 1000;
            // The moment of the kill is what is tested; nothing waits for anything here.
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            let _ = child.kill();
            match child.wait().unwrap().code() {
                None => cut += 1,
                Some(_) => whole += 1,
            }
            lab.no_orphans("kill -9");
        }
        let started = Instant::now();
        lab.converges(&notes, "kill -9");
        usual = (started.elapsed() / 2).clamp(Duration::from_millis(20), Duration::from_secs(5));
    }
    println!("{cut} deploys killed, {whole} were done before that");
    lab.say(&Notes::new());
    lab.converges(&Notes::new(), "everything");
}
