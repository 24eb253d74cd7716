//! What is seen while a deploy is at work: a bar for each target on a terminal, plain lines
//! elsewhere.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::super::ui::Ui;
use crate::deploy::{Plan, Progress, Verdict};
use crate::graph::id;

/// At most so many bars; what is nearest to its end makes room.
const BARS: usize = 8;
const WIDTH: usize = 24;
/// No oftener than an eye can follow: drawing must cost nothing beside the work.
const FRAME: Duration = Duration::from_millis(50);

/// Follows a run.
pub(super) struct Watcher<'a> {
    ui: &'a Ui,
    targets: BTreeMap<String, Target>,
    /// How many lines were drawn last.
    drawn: usize,
    /// When.
    last: Option<Instant>,
}

#[derive(Default)]
struct Target {
    all: usize,
    ended: usize,
    now: String,
}

impl<'a> Watcher<'a> {
    pub fn new(ui: &'a Ui) -> Self {
        Watcher { ui, targets: BTreeMap::new(), drawn: 0, last: None }
    }

    /// The plan is to be done.
    pub fn start(&mut self, plan: &Plan) {
        for entry in plan.entries.iter().filter(|e| e.action.is_work() && e.blocked.is_none()) {
            self.targets.entry(id::shown(&entry.target).into_owned()).or_default().all += 1;
        }
    }

    pub fn progress(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Waiting { holder } => {
                let who = holder.map_or_else(
                    || "another deploy".to_owned(),
                    |h| format!("the deploy of process {} on {}, since {}", h.process, h.machine, h.since),
                );
                self.ui.note(&format!("waiting for {who}"));
            }
            Progress::Looking(count) => self.ui.detail(&format!("looking at {count} resources")),
            Progress::Begun(plan, entries) => {
                for entry in entries.iter().filter_map(|&e| plan.entries.get(e)) {
                    let target = self.targets.entry(id::shown(&entry.target).into_owned()).or_default();
                    target.now = id::shown(&entry.id).into_owned();
                }
                self.draw();
            }
            Progress::Ended(plan, entry, verdict) => {
                if let Some(entry) = plan.entries.get(*entry) {
                    let target = self.targets.entry(id::shown(&entry.target).into_owned()).or_default();
                    target.ended += usize::from(**verdict != Verdict::Said);
                    self.line(&id::shown(&entry.id), verdict);
                }
                self.draw();
            }
        }
    }

    /// Without a terminal, what is done is told one by one if somebody wants to know.
    fn line(&self, short: &str, verdict: &Verdict) {
        if self.ui.progress() {
            return;
        }
        match verdict {
            Verdict::Done => self.ui.detail(&format!("done     {short}")),
            Verdict::Unready(fault) | Verdict::Failed(fault) | Verdict::Unknown(fault) => {
                self.ui.detail(&format!("failed   {short}: {}", fault.message));
            }
            Verdict::Said | Verdict::Planned | Verdict::Skipped(_) => {}
        }
    }

    fn draw(&mut self) {
        if !self.ui.progress() || self.last.is_some_and(|last| last.elapsed() < FRAME) {
            return;
        }
        self.last = Some(Instant::now());
        let mut open: Vec<(&String, &Target)> =
            self.targets.iter().filter(|(_, t)| t.ended < t.all).collect();
        open.truncate(BARS);
        let lines: Vec<String> = open.iter().map(|(name, target)| bar(name, target)).collect();
        self.ui.redraw(self.drawn, &lines);
        self.drawn = lines.len();
    }

    /// Takes the bars away.
    pub fn end(&mut self) {
        if self.drawn > 0 {
            self.ui.redraw(self.drawn, &[]);
            self.drawn = 0;
        }
    }
}

fn bar(name: &str, target: &Target) -> String {
    let full = (target.ended * WIDTH).checked_div(target.all).unwrap_or(WIDTH).min(WIDTH);
    let bar = "█".repeat(full) + &"░".repeat(WIDTH - full);
    format!("{name:16} {bar} {}/{} {}", target.ended, target.all, target.now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills() {
        let target = |ended| Target { all: 4, ended, now: "TextFile[path=/x]".into() };
        assert!(bar("h1", &target(0)).contains(&"░".repeat(WIDTH)));
        assert!(bar("h1", &target(2)).contains("█░"));
        assert!(bar("h1", &target(4)).contains(&"█".repeat(WIDTH)));
        assert!(bar("h1", &Target::default()).contains("0/0"));
    }
}
