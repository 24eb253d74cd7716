//! `gops sim`

use clap::Args;

use super::{Context, Exit, Failure};
use crate::deploy::sim::{self, Case, Extent, Stats, Violation};

/// Drive the deployer through random lives on simulated targets, and check what must hold
///
/// Every life follows from its seed. One that fails is made small and printed as a line that
/// --case replays.
#[derive(Args)]
#[command(hide = true)]
pub(crate) struct Sim {
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many seeds
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    seeds: u64,
    /// Lives in which the ledger is lost, or an old copy is put in its place, and rebuilt from marks
    #[arg(long)]
    lost: bool,
    /// Replay one life, as it was printed
    #[arg(long, value_name = "JSON", conflicts_with_all = ["seed", "seeds", "lost"])]
    case: Option<String>,
    /// With --case: tell all that happens in it
    #[arg(long, requires = "case")]
    tell: bool,
    /// Instead: every crash point of all graphs of up to N resources
    #[arg(long, value_name = "N", conflicts_with_all = ["seed", "seeds", "lost", "case"])]
    exhaustive: Option<u8>,
    /// With --exhaustive: so many crashes in a row
    #[arg(long, value_name = "COUNT", default_value_t = 2, requires = "exhaustive")]
    crashes: u32,
    /// Go on after a failure, and do not make it small
    #[arg(long)]
    all: bool,
}

impl Sim {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let ui = &context.ui;
        if let Some(text) = &self.case {
            let case = Case::parse(text).map_err(|problem| Failure::Case { problem })?;
            let lived = if self.tell {
                let (lines, lived) = sim::tell(&case);
                lines.iter().for_each(|line| ui.result(&format!("{line}\n")));
                lived
            } else {
                sim::live(&case)
            };
            return Ok(match lived {
                Ok(stats) => {
                    ui.result(&said(&stats));
                    Exit::Fine
                }
                Err(violation) => {
                    ui.result(&format!("{violation}\n"));
                    Exit::Errors
                }
            });
        }
        if let Some(resources) = self.exhaustive {
            return Ok(match sim::exhaustive(resources, self.crashes) {
                Ok(extent) => {
                    let Extent { graphs, edits, crashes, stats } = extent;
                    let said = said(&stats);
                    ui.result(&format!(
                        "{graphs} graphs, {edits} edits, {crashes} different crashes; {said}"
                    ));
                    Exit::Fine
                }
                Err((case, violation)) => {
                    ui.result(&format!("{violation}\n  gops sim --case '{}'\n", case.text()));
                    Exit::Errors
                }
            });
        }
        let mut stats = Stats::default();
        let mut failed = 0;
        for seed in (self.seed..).take(usize::try_from(self.seeds).unwrap_or(usize::MAX)) {
            let case = if self.lost { sim::losing(seed) } else { sim::case(seed) };
            match sim::live(&case) {
                Ok(more) => stats.add(more),
                Err(violation) => {
                    failed += 1;
                    ui.result(&self.failure(seed, &case, &violation));
                    if !self.all {
                        break;
                    }
                }
            }
        }
        ui.result(&said(&stats));
        Ok(if failed == 0 { Exit::Fine } else { Exit::Errors })
    }

    fn failure(&self, seed: u64, case: &Case, violation: &Violation) -> String {
        if self.all {
            return format!("seed {seed}: {violation}\n");
        }
        let small = sim::shrink(case, violation);
        let why = sim::live(&small).err();
        let why = why.map_or_else(String::new, |violation| violation.to_string());
        format!("seed {seed}: {violation}\nmade small: {why}\n  gops sim --case '{}'\n", small.text())
    }
}

fn said(stats: &Stats) -> String {
    let Stats { runs, crashes, effects, steps } = stats;
    format!("{runs} runs, {crashes} of them cut off, {effects} effects, {steps} steps, each checked\n")
}
