//! `gops update`

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use ecow::EcoString;

use super::check::summary;
use super::sealing::Sealing;
use super::ui::Stream;
use super::workspace::{Workspace, find_root};
use super::{Context, Exit, Failure};
use crate::base::{Edited, FileId};
use crate::project::transaction::{Change, DiskFolder, commit};
use crate::project::update::{Chance, Filled, Outside, Update as Made, update};
use crate::secret::Sops;

/// Fill what is missing: write the values of `assigned` fields into their files
///
/// First, each `migration` of the model is applied to the files that still need it.
///
/// A field that is declared `assigned` gets its value once: the next number that is free, a
/// random token, what another one was at that time. It is written into the file of the instance,
/// beside what you wrote and without another byte changed, and from then on it is data: review
/// it and commit it. A file with nothing to add is not touched. All is written or nothing.
///
/// `assigned.lock` remembers which number was given to whom, so that the number of something
/// that was deleted is not given out again before it is gone everywhere.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops update            fill what is missing
  gops update --dry-run  show what would be written
  gops update --release 'Vlan[name=old]'
                         its number is free again: it was deleted, and nothing of it is left")]
pub(crate) struct Update {
    /// Show what would change in each file, and write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// What was deleted and is gone everywhere: its values are free again
    #[arg(long, value_name = "ELEMENT")]
    release: Vec<String>,
}

impl Update {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut writing = Writing::open(context, self.dry_run)?;
        let outside = Outside {
            chance: &OperatingSystem::open()?,
            seal: &Sealing(Sops::new(&writing.workspace.root)),
            is_settled: &|element| self.release.iter().any(|released| is_meant(released, element)),
        };
        let edited = writing.edited.clone();
        let made = update(&mut writing.workspace.session, &edited, &outside);
        context.ui.diagnostics(
            crate::diag::render::Format::Human,
            &made.report.diagnostics,
            &writing.workspace,
            Stream::Err,
        );
        if made.report.has_errors() {
            summary(context, &made.report.diagnostics, made.report.instances);
            context.ui.note("nothing was written");
            return Ok(Exit::Errors);
        }
        if self.dry_run {
            writing.show(context);
        } else {
            writing.commit()?;
        }
        for (file, migration) in &made.migrated {
            use crate::diag::render::Sources as _;
            context.ui.result(&format!("{}: migrated by `{migration}`\n", writing.workspace.shown(*file)));
        }
        for one in &made.filled {
            context.ui.result(&filled(one, &writing.workspace));
        }
        context.ui.note(&totals(&made, self.dry_run));
        let of =
            |holder: &EcoString| holder.rsplit_once(" of ").map_or("", |(_, element)| element).to_owned();
        let released: Vec<String> = made.released.iter().map(of).collect();
        let nothing = |written: &&String| !released.iter().any(|element| is_meant(written, element));
        let unknown: Vec<&String> = self.release.iter().filter(nothing).collect();
        for written in &unknown {
            context.ui.note(&format!(
                "`{written}` was not released: nothing is kept for it (assigned.lock lists what is kept)"
            ));
        }
        Ok(if unknown.is_empty() { Exit::Fine } else { Exit::Errors })
    }
}

/// Whether an element is what somebody wrote: `net::Vlan[name=a]`, or short `Vlan[name=a]`.
fn is_meant(written: &str, element: &str) -> bool {
    element == written || element.strip_suffix(written).is_some_and(|rest| rest.ends_with("::"))
}

/// A project whose files are to be changed, all or none.
pub(crate) struct Writing {
    pub workspace: Workspace,
    pub edited: Arc<Edited>,
    folder: DiskFolder,
    _lock: Option<std::fs::File>,
}

impl Writing {
    /// Opens the project, and keeps others from writing to it unless nothing will be written.
    pub fn open(context: &Context, dry_run: bool) -> Result<Self, Failure> {
        let root = find_root(context.here())?;
        let folder = DiskFolder::new(&root);
        // First the lock: what is read before may be old once it is written.
        let lock = match dry_run {
            true => None,
            false => Some(folder.lock().map_err(|_| Failure::Writing(root))?),
        };
        let (workspace, edited) = Workspace::open_edited(context)?;
        Ok(Writing { workspace, edited, folder, _lock: lock })
    }

    fn changes(&self) -> Vec<Change> {
        let before = self.edited.before();
        let changes = self.edited.changes().into_iter();
        let differs = |path: &str, bytes: &Option<Arc<[u8]>>| before.read(path).ok() != *bytes;
        changes.filter(|(p, b)| differs(p, b)).map(|(path, bytes)| Change { path, bytes }).collect()
    }

    /// The paths of what will be written, as the user sees them.
    pub fn changed(&self) -> Vec<String> {
        use crate::diag::render::Sources as _;
        self.changes().iter().map(|change| self.workspace.shown(FileId::new(&change.path))).collect()
    }

    /// Writes what changed.
    pub fn commit(&self) -> Result<(), Failure> {
        let changes = self.changes();
        if changes.is_empty() {
            return Ok(());
        }
        commit(&self.folder, &changes)
            .map_err(|source| Failure::Unwritten { path: self.workspace.root.clone(), source })
    }

    /// Shows what would change, file by file.
    pub fn show(&self, context: &Context) {
        for Change { path, bytes } in self.changes() {
            let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
            let before = self.edited.before().read(&path).ok();
            let (old, new) = (text(before.as_deref()), text(bytes.as_deref()));
            let diff = similar::TextDiff::from_lines(&old, &new);
            let shown = Path::new(&path).display();
            let header = (format!("a/{shown}"), format!("b/{shown}"));
            context
                .ui
                .result(&diff.unified_diff().context_radius(2).header(&header.0, &header.1).to_string());
        }
    }
}

/// `slices/vlans/b.yaml: id: 101`
fn filled(one: &Filled, workspace: &Workspace) -> String {
    use crate::diag::render::Sources as _;
    let value = one.value.as_deref().unwrap_or("(secret)");
    let again = if one.again { "   (the one that it had)" } else { "" };
    format!("{}: {}: {value}{again}\n", workspace.shown(one.file), one.field)
}

fn totals(made: &Made, dry_run: bool) -> String {
    let count = made.filled.len();
    let s = if count == 1 { "" } else { "s" };
    let would = if dry_run { "would fill" } else { "filled" };
    let mut text = match count {
        0 if !made.migrated.is_empty() => {
            let would = if dry_run { "would migrate" } else { "migrated" };
            let files: std::collections::BTreeSet<&str> =
                made.migrated.iter().map(|(f, _)| f.path()).collect();
            let s = if files.len() == 1 { "" } else { "s" };
            format!("{would} {} file{s}", files.len())
        }
        0 => "nothing is missing".to_owned(),
        _ => format!("{would} {count} value{s}"),
    };
    let list = |holders: &[EcoString]| {
        let shown = holders.iter().take(5).map(|h| h.as_str()).collect::<Vec<_>>().join(", ");
        if holders.len() > 5 { format!("{shown}, …") } else { shown }
    };
    if !made.reserved.is_empty() {
        let _ = write!(text, "; kept until its deletion is settled: {}", list(&made.reserved));
    }
    if !made.released.is_empty() {
        let _ = write!(text, "; free again: {}", list(&made.released));
    }
    for (gone, live) in &made.shared {
        let _ = write!(
            text,
            "\nnote: {live} has the value that is kept for {gone}: if it is what that was, a `moved` line says so; \
             else take the value out, and the next `gops update` gives another one"
        );
    }
    text
}

/// Randomness that nobody can guess.
struct OperatingSystem(std::fs::File);

impl OperatingSystem {
    fn open() -> Result<Self, Failure> {
        const SOURCE: &str = "/dev/urandom";
        std::fs::File::open(SOURCE).map(OperatingSystem).map_err(Failure::read(SOURCE))
    }
}

impl Chance for OperatingSystem {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        use std::io::Read as _;
        (&self.0).read_exact(bytes)
    }
}
