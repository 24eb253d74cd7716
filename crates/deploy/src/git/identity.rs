//! Which repository this is, wherever it is cloned to: asked of the `git` program.

use std::path::Path;
use std::process::Command;

use super::GitError;

/// The first commit of the repository that holds `folder`, along first parents; none outside
/// of Git, and before the first commit. It tells projects of one name apart, wherever they
/// are cloned to.
pub fn first_commit(folder: &Path) -> Result<Option<String>, GitError> {
    if !folder.ancestors().any(|f| f.join(".git").exists()) {
        return Ok(None);
    }
    if ask(folder, &["rev-parse", "--is-shallow-repository"])?.as_deref() == Some("true") {
        return Err(GitError::Shallow);
    }
    ask(folder, &["rev-list", "--first-parent", "--max-parents=0", "HEAD"])
}

/// Whether a revision is another or descends from it; `None` if Git does not know one of them,
/// or is not there.
pub fn descends(folder: &Path, revision: &str, from: &str) -> Option<bool> {
    let arguments = ["merge-base", "--is-ancestor", "--end-of-options", from, revision];
    let run = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    match run.status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

/// The first line that git prints; none if it says no.
fn ask(folder: &Path, arguments: &[&str]) -> Result<Option<String>, GitError> {
    let run = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let output = run.map_err(|e| GitError::Program(e.to_string()))?;
    if !output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().map(str::to_owned).filter(|l| !l.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_commit_stays() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let config = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
            let run = Command::new("git").arg("-C").arg(folder.path()).args(config).args(arguments).output();
            assert!(run.unwrap().status.success(), "{arguments:?}");
        };
        assert_eq!(first_commit(folder.path()).unwrap(), None);
        git(&["init", "-q"]);
        assert_eq!(first_commit(folder.path()).unwrap(), None);
        git(&["commit", "-q", "--allow-empty", "-m", "a"]);
        let first = first_commit(folder.path()).unwrap();
        let revision = first.clone().unwrap();
        assert_eq!(descends(folder.path(), "HEAD", &revision), Some(true));
        assert_eq!(descends(folder.path(), "HEAD", &"0".repeat(40)), None);
        assert_eq!(first.as_ref().map(String::len), Some(40));
        git(&["commit", "-q", "--allow-empty", "-m", "b"]);
        assert_eq!(first_commit(folder.path()).unwrap(), first);
        assert_eq!(descends(folder.path(), &revision, "HEAD"), Some(false));
    }
}
