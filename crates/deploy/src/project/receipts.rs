//! What the receipts of the deployers tell: see [`crate::history::receipt`].

use std::collections::BTreeSet;

use ecow::EcoString;

use crate::base::{FileId, System, SystemError};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::moved::{Identity, identity};
use crate::history::receipt::{Known, Receipt};
use crate::model::program::MovedDef;

use super::config::{CONFIG_FILE, Config, Deployer};
use super::history::moves::{line, shown};
use super::queries;
use super::session::Session;
use super::world::DbWorld;

/// The receipts of the deployers that `gops.toml` names, in its order; none of one that has written
/// none yet, or one that cannot be read, which is said.
pub fn receipts<'c>(
    system: &dyn System,
    config: &'c Config,
) -> (Vec<(&'c Deployer, Option<Receipt>)>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let mut read = |deployer: &Deployer| -> Option<Receipt> {
        let wrong = match system.read(&deployer.receipt) {
            Ok(bytes) => match Receipt::parse(&bytes) {
                Ok(receipt) if receipt.project == config.name => return Some(receipt),
                Ok(receipt) => format!("it is of the project `{}`", receipt.project),
                Err(wrong) => wrong,
            },
            Err(SystemError::NotFound(_)) => return None,
            Err(error) => error.to_string(),
        };
        let place = Place::File(FileId::new(&deployer.receipt));
        let message = format!("the receipt of `{}` cannot be read: {wrong}", deployer.name);
        let problem = Diagnostic::new(codes::RECEIPT, place, message)
            .help("nothing counts as settled for it until its next deploy writes it again");
        problems.push(problem.resolved(&super::origins::Nowhere));
        None
    };
    let found = config.deployers.iter().map(|deployer| (deployer, read(deployer))).collect();
    (found, problems)
}

/// A `moved` line of a swap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Swap {
    /// The line, by ids.
    pub line: EcoString,
    /// The instances that it names, or that hold what it names.
    pub instances: [EcoString; 2],
}

impl Session {
    /// What whoever deploys this has seen then: for its receipt.
    pub fn known(&self) -> Known {
        let numbers = self.view.iter().flat_map(|view| &view.numbers);
        let with_earlier = numbers.filter(|(_, numbers)| numbers.len() > 1);
        let versions =
            with_earlier.filter_map(|(id, numbers)| Some((id.clone(), *numbers.last()?))).collect();
        Known { versions, moves: self.moved_lines() }
    }

    /// The instances that go under another id now, old and new.
    pub(super) fn moved_instances(&self) -> Vec<(EcoString, EcoString)> {
        let model = queries::checked_model(&self.db);
        let program = &*model.program;
        let world = DbWorld::new(&self.db);
        let ids = |moved: &MovedDef| match moved {
            MovedDef::Object { from, to } => {
                let (from, to) = (identity(&world, from).0?, identity(&world, to).0?);
                let whole = from.steps.is_empty() && to.steps.is_empty();
                whole.then(|| (shown(program, &from), shown(program, &to)))
            }
            MovedDef::Type { .. } => None,
        };
        program.moves.iter().filter_map(ids).map(|(from, to)| (from.into(), to.into())).collect()
    }

    /// Those of them that are part of a swap or of a longer round: one arrives where another leaves,
    /// back to the first. With the line, and the ids.
    pub(super) fn swapped_instances(&self) -> Vec<Swap> {
        let model = queries::checked_model(&self.db);
        let program = &*model.program;
        let world = DbWorld::new(&self.db);
        let mut declared = Vec::new();
        for moved in &program.moves {
            if let MovedDef::Object { from, to } = moved
                && let (Some(from), Some(to)) = (identity(&world, from).0, identity(&world, to).0)
            {
                declared.push((from, to));
            }
        }
        let in_round = |(from, to): &&(Identity, Identity)| {
            let mut at = to;
            for _ in 0..declared.len() {
                match declared.iter().find(|(next, _)| next == at) {
                    Some((_, next)) => at = next,
                    None => return false,
                }
                if at == from || to == from {
                    return true;
                }
            }
            false
        };
        let root = |identity: &Identity| {
            let whole = Identity { steps: Vec::new(), ..identity.clone() };
            shown(program, &whole).into()
        };
        let swap = |(from, to): &(Identity, Identity)| Swap {
            line: line(program, from, to),
            instances: [root(from), root(to)],
        };
        declared.iter().filter(in_round).map(swap).collect()
    }

    /// The `moved` lines of the model, by ids.
    pub fn moved_lines(&self) -> BTreeSet<EcoString> {
        let model = queries::checked_model(&self.db);
        let program = &*model.program;
        let world = DbWorld::new(&self.db);
        let text = |moved: &MovedDef| match moved {
            MovedDef::Object { from, to } => {
                let (from, _) = identity(&world, from);
                let (to, _) = identity(&world, to);
                Some(line(program, &from?, &to?))
            }
            MovedDef::Type { from, to } => {
                Some(ecow::eco_format!("type {from} to {}", program.ty(*to).decl().path))
            }
        };
        program.moves.iter().filter_map(text).collect()
    }

    /// Warns of each `moved` line that an earlier model had, this one has not, and some deployer has
    /// not carried out: it would delete and make anew what was to be moved.
    pub fn removed_moves(&self, earlier: &BTreeSet<EcoString>) -> Vec<Diagnostic> {
        let Some(config) = self.config().filter(|c| !c.deployers.is_empty() && !earlier.is_empty()) else {
            return Vec::new();
        };
        let (receipts, mut said) = receipts(&**self.db.system(), config);
        for line in earlier.difference(&self.moved_lines()) {
            let open =
                receipts.iter().filter(|(_, receipt)| !receipt.as_ref().is_some_and(|r| r.has_moved(line)));
            let open: Vec<String> = open.map(|(deployer, _)| format!("`{}`", deployer.name)).collect();
            if open.is_empty() {
                continue;
            }
            let message = format!("`moved {line}` is removed before {} carried it out", open.join(", "));
            let problem = Diagnostic::new(codes::MOVE_REMOVED, Place::File(FileId::new(CONFIG_FILE)), message)
                .help("leave the line in the model until their receipts have it; what they still have under the old id is deleted and made anew otherwise");
            said.push(problem.resolved(&super::origins::Nowhere));
        }
        said
    }
}
