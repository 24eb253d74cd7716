//! `--watch`: runs something again whenever a file of the project is saved.

#[cfg(feature = "watch")]
use std::path::Path;

use super::workspace::Workspace;
use super::{Context, Exit, Failure};

/// Calls `react` now and after each change of files, until the process is ended. `react` finds
/// the session up to date.
#[cfg(feature = "watch")]
pub(crate) fn watch(
    context: &Context,
    workspace: &mut Workspace,
    mut react: impl FnMut(&mut Workspace) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    use notify::{RecursiveMode, Watcher as _};
    let (send, events) = std::sync::mpsc::channel();
    // A file that is saved before the first reaction ends must not be missed.
    let mut watcher = notify::recommended_watcher(send).map_err(unwatchable(&workspace.root))?;
    watcher.watch(&workspace.root, RecursiveMode::Recursive).map_err(unwatchable(&workspace.root))?;
    react(workspace)?;
    context.ui.note("waiting for changes; Ctrl-C ends");
    while let Some(paths) = next_changes(&events, &workspace.root) {
        if paths.is_empty() {
            continue;
        }
        for path in &paths {
            context.ui.detail(&format!("changed: {path}"));
        }
        workspace.session.refresh(&paths);
        react(workspace)?;
    }
    Ok(Exit::Fine)
}

/// The program was built without watching.
#[cfg(not(feature = "watch"))]
pub(crate) fn watch(
    _: &Context,
    _: &mut Workspace,
    _: impl FnMut(&mut Workspace) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    Err(Failure::Feature("watch"))
}

#[cfg(feature = "watch")]
fn unwatchable(root: &Path) -> impl FnOnce(notify::Error) -> Failure {
    let path = root.to_owned();
    move |error| Failure::Read { path, source: std::io::Error::other(error) }
}

/// The paths that changed since the last call, sorted; waits until there is one, and then as
/// long as more follow at once, for an editor that saves does so in several steps.
#[cfg(feature = "watch")]
fn next_changes(
    events: &std::sync::mpsc::Receiver<notify::Result<notify::Event>>,
    root: &Path,
) -> Option<Vec<String>> {
    use std::time::{Duration, Instant};
    const QUIET: Duration = Duration::from_millis(20);
    const AT_MOST: Duration = Duration::from_millis(500);
    let mut paths = std::collections::BTreeSet::new();
    let mut gather = |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        // Reading a file is an event too, and reacting reads files.
        if !matches!(event.kind, notify::EventKind::Access(_)) {
            paths.extend(event.paths.iter().filter_map(|p| in_project(p, root)));
        }
    };
    gather(events.recv().ok()?);
    let end = Instant::now() + AT_MOST;
    while let Ok(event) = events.recv_timeout(QUIET) {
        gather(event);
        if Instant::now() > end {
            break;
        }
    }
    Some(paths.into_iter().collect())
}

/// The path from the project's root, if it can be of interest.
#[cfg(feature = "watch")]
fn in_project(path: &Path, root: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?.to_str()?;
    let hidden = below.split('/').next().is_some_and(|first| first == ".git");
    (!hidden && !below.is_empty()).then(|| below.to_owned())
}
