//! A ledger that was lost, or is older than its targets, brought up to date from the marks of what it
//! made. Nothing on a target is touched.

mod rows;
mod search;

use std::path::PathBuf;
use std::sync::Arc;

use ecow::eco_format;

use crate::agent::Remotes;
use crate::base::System;
use crate::graph::{GraphBuilder, id};
use crate::handler::{Clock as _, Registry, SystemClock, SystemRandom, Token};
use crate::state::{Rebuilt, Row, SqliteStore, Store as _};

use super::Error;
use super::operate::{Nobody, Orders, folder, many, order};
use super::run::{Options, take_lock};
use super::target::Targets;
pub(super) use search::Search;

/// Brings the ledger of a project up to date with the marks on its targets, if `agree` says so to what
/// it would learn. `lineage` says whose marks, where there are those of several lost ledgers. Gives the
/// path of the copy of the ledger as it was.
pub fn reclaim(
    graph: &GraphBuilder,
    project: &Arc<dyn System>,
    options: &Options,
    lineage: Option<&str>,
    agree: &mut dyn FnMut(&Orders) -> bool,
) -> Result<Option<PathBuf>, Error> {
    let mut store = SqliteStore::open(&folder(options)?, &SystemRandom)?;
    let nonce = Token::new(&SystemRandom);
    take_lock(&mut store, &nonce, None, &SystemClock, &mut Nobody)?;
    let ledger = store.load()?;
    let mut targets = Targets::of(graph, &ledger, options.root.as_deref())?;
    let registry = Registry::standard();
    let remotes = Remotes::connect(targets.remote(), &registry, project);
    targets.identify(|target| remotes.identity(target));
    let name = match &options.environment {
        Some(environment) => eco_format!("{}/{environment}", options.project),
        None => options.project.clone(),
    };
    let search = Search {
        ledger: &ledger,
        targets: &targets,
        registry: &registry,
        reach: &remotes,
        project: project.clone(),
        name: &name,
        nonce,
        clock: &SystemClock,
    };
    let Some(taken) = search.taken(graph, lineage)? else {
        return Err(order(
            "there is nothing on the targets that the ledger does not know",
            "nothing was done",
        ));
    };
    if !agree(&said(&taken.rows, &taken.said)) {
        return Ok(None);
    }
    let copy = store.copy()?;
    let lineage = taken.lineage.clone();
    let rebuilt = Rebuilt { lineage: &lineage, epoch: taken.epoch, author: &options.author };
    let changes = taken.changes();
    store.rebuild(ledger.revision, SystemClock.now(), &rebuilt, &changes)?;
    Ok(Some(copy))
}

fn said(rows: &[Row], more: &[String]) -> Orders {
    let mut lines = vec![format!(
        "{} taken back into the ledger:",
        match rows.len() {
            1 => "1 resource is".to_owned(),
            n => format!("{} are", many(n, "resource")),
        }
    )];
    lines.extend(rows.iter().map(|row| format!("  {}", id::shown(&row.key.id))));
    lines.extend(more.iter().cloned());
    Orders { lines }
}
