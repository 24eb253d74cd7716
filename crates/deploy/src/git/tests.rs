//! In real repositories, made by the `git` program.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::base::{EntryKind, System as _, SystemError};

/// A scratch repository.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        let scratch = Scratch(tempfile::tempdir().unwrap());
        scratch.git(&["init", "-q", "-b", "main"]);
        scratch
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.0.path(), arguments)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits everything; gives the commit's id.
    fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        // Equal commits of one second are one commit.
        let number = self.git(&["rev-list", "--all", "--count"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", &number]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn open(&self) -> Repository {
        Repository::open(self.0.path()).unwrap()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let config = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"];
    let run = Command::new("git").arg("-C").arg(folder).args(config).args(arguments).output().unwrap();
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

fn text(tree: &GitTree, path: &str) -> Result<String, SystemError> {
    tree.read(path).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn a_tree_lists_and_reads() {
    let scratch = Scratch::new();
    scratch.write("a/b/c.txt", "x");
    scratch.write("a/z", "y");
    scratch.write("a.txt", "top");
    scratch.commit();
    scratch.write("a/z", "changed since");
    let repository = scratch.open();
    let head = repository.head().unwrap().unwrap();
    let tree = repository.tree(&head).unwrap();
    let memory = crate::base::MemorySystem::new([("a/b/c.txt", "x"), ("a/z", "y"), ("a.txt", "top")]);
    for folder in ["", "a", "a/b", "none"] {
        assert_eq!(tree.list(folder), memory.list(folder), "{folder}");
    }
    assert_eq!(text(&tree, "a/z").unwrap(), "y");
    assert_eq!(tree.read("a"), Err(SystemError::WrongKind("a".into(), "file")));
    assert_eq!(tree.read("a/none"), Err(SystemError::NotFound("a/none".into())));
    assert!(tree.has("a.txt") && !tree.has("a") && !tree.is_empty());
}

#[test]
fn a_project_may_be_a_folder_of_the_repository() {
    let scratch = Scratch::new();
    scratch.write("infra/net/gops.toml", "n");
    scratch.write("other.txt", "o");
    let first = scratch.commit();
    let repository = Repository::open(&scratch.path().join("infra/net")).unwrap();
    let tree = repository.tree(&repository.find("HEAD").unwrap()).unwrap();
    assert_eq!(text(&tree, "gops.toml").unwrap(), "n");
    assert_eq!(tree.list("").unwrap().len(), 1);
    // It was not always there.
    scratch.git(&["mv", "infra", "systems"]);
    scratch.commit();
    let repository = Repository::open(&scratch.path().join("systems/net")).unwrap();
    assert!(repository.tree(&repository.find(&first).unwrap()).unwrap().is_empty());
    // It was a link once.
    let linked = Scratch::new();
    std::os::unix::fs::symlink("real", linked.path().join("net")).unwrap();
    linked.commit();
    std::fs::remove_file(linked.path().join("net")).unwrap();
    linked.write("net/gops.toml", "n");
    let repository = Repository::open(&linked.path().join("net")).unwrap();
    let error = repository.tree(&repository.find("HEAD").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "`net` is a symbolic link in `HEAD`, and gops reads none");
}

#[test]
fn links_and_submodules_are_not_followed() {
    let inner = Scratch::new();
    inner.write("x.yaml", "x");
    inner.commit();
    let scratch = Scratch::new();
    scratch.write("s/a.yaml", "a");
    std::os::unix::fs::symlink("a.yaml", scratch.path().join("s/link.yaml")).unwrap();
    std::os::unix::fs::symlink("s", scratch.path().join("folder")).unwrap();
    scratch.git(&["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "s/sub"]);
    scratch.commit();
    let repository = scratch.open();
    let tree = repository.tree(&repository.find("HEAD").unwrap()).unwrap();
    assert_eq!(tree.read("s/link.yaml"), Err(SystemError::Symlink("s/link.yaml".into())));
    assert_eq!(tree.read("folder/a.yaml"), Err(SystemError::Symlink("folder/a.yaml".into())));
    assert_eq!(tree.list("folder"), Err(SystemError::Symlink("folder".into())));
    assert_eq!(tree.read("s/sub/x.yaml"), Err(SystemError::Submodule("s/sub".into())));
    assert_eq!(tree.list("s/sub"), Err(SystemError::Submodule("s/sub".into())));
    let kinds: Vec<EntryKind> = tree.list("s").unwrap().into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EntryKind::File, EntryKind::Symlink, EntryKind::Directory]);
}

#[test]
fn names_of_revisions() {
    let scratch = Scratch::new();
    let repository = scratch.open();
    assert_eq!(repository.find("main"), Err(GitError::NoCommit));
    assert_eq!(repository.merge_base(None), Err(GitError::NoCommit));
    assert_eq!(repository.head(), Ok(None));
    scratch.write("a", "1");
    let first = scratch.commit();
    scratch.git(&["tag", "-a", "v1", "-m", "v1"]);
    let second = scratch.commit();
    scratch.git(&["branch", "topic"]);
    let repository = scratch.open();
    for (written, id) in
        [("HEAD~1", &first), ("v1", &first), ("main", &second), ("topic", &second), (&first, &first)]
    {
        assert_eq!(&repository.find(written).unwrap().id, id, "{written}");
    }
    let error = repository.find("topci").unwrap_err();
    assert_eq!(error.to_string(), "there is no revision `topci`");
    assert_eq!(error.help(), "did you mean `topic`?");
    assert!(repository.find("HEAD~9").is_err());
    assert!(repository.find("HEAD~1..HEAD").is_err());
    assert!(repository.find("").is_err());
}

#[test]
fn a_change_starts_where_it_left_the_default_branch() {
    let scratch = Scratch::new();
    let fork = scratch.commit();
    scratch.git(&["checkout", "-q", "-b", "topic"]);
    scratch.commit();
    scratch.git(&["checkout", "-q", "main"]);
    scratch.commit();
    scratch.git(&["checkout", "-q", "topic"]);
    assert_eq!(scratch.open().merge_base(None).unwrap(), Commit { name: "main".into(), id: fork.clone() });
    // Detached, as most CI jobs are.
    scratch.git(&["checkout", "-q", "--detach"]);
    assert_eq!(scratch.open().merge_base(None).unwrap().id, fork);
    // What the remote calls its branch is before what is here.
    scratch.git(&["branch", "-m", "main", "trunk"]);
    let error = scratch.open().merge_base(None).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot tell what to compare with: there is no branch `origin/HEAD`")
    );
    assert_eq!(scratch.open().merge_base(Some("trunk")).unwrap().name, "trunk");
    scratch.git(&["update-ref", "refs/remotes/origin/trunk", "topic"]);
    scratch.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    assert_eq!(scratch.open().merge_base(None).unwrap().name, "origin/HEAD");
    assert_eq!(scratch.open().merge_base(Some("trunk")).unwrap().name, "origin/trunk");
    assert_eq!(
        scratch.open().merge_base(Some("none")).unwrap_err().to_string(),
        "cannot tell what to compare with: there is no branch `none`"
    );
    scratch.git(&["checkout", "-q", "--orphan", "alone"]);
    scratch.commit();
    let error = scratch.open().merge_base(Some("trunk")).unwrap_err();
    assert_eq!(error, GitError::Unrelated { branch: "origin/trunk".into() });
}

#[test]
fn a_shallow_clone_says_what_mends_the_job() {
    let scratch = Scratch::new();
    scratch.commit();
    scratch.commit();
    let place = tempfile::tempdir().unwrap();
    let clone = place.path().join("clone");
    let url = format!("file://{}", scratch.path().display());
    git(place.path(), &["clone", "-q", "--depth", "1", &url, "clone"]);
    let repository = Repository::open(&clone).unwrap();
    let error = repository.find("HEAD~1").unwrap_err();
    assert_eq!(error.to_string(), "there is no revision `HEAD~1` in this shallow clone");
    assert!(error.help().contains("fetch-depth: 0"), "{}", error.help());
    let error = repository.merge_base(None).unwrap_err();
    assert_eq!(error, GitError::ShallowBase { branch: "origin/HEAD".into() });
    assert!(error.help().contains("GIT_DEPTH: 0"));
    git(&clone, &["fetch", "-q", "--unshallow"]);
    assert!(Repository::open(&clone).unwrap().find("HEAD~1").is_ok());
}

#[test]
fn where_there_is_no_repository() {
    let folder = tempfile::tempdir().unwrap();
    let error = Repository::open(folder.path()).unwrap_err();
    assert!(matches!(error, GitError::NoRepository(_)), "{error}");
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let error = Repository::open(folder.path()).unwrap_err();
    assert!(matches!(error, GitError::Unreadable(_)), "{error}");
}

#[test]
fn what_differs_from_the_work_tree() {
    let scratch = Scratch::new();
    for name in ["same", "touched", "edited", "gone", "staged", "linked"] {
        scratch.write(&format!("p/{name}"), "1");
    }
    scratch.write("other", "1");
    scratch.commit();
    scratch.write("p/edited", "2");
    scratch.write("p/staged", "2");
    scratch.write("p/touched", "1");
    scratch.write("p/new", "1");
    scratch.write("other", "2");
    scratch.git(&["add", "p/staged"]);
    std::fs::remove_file(scratch.path().join("p/gone")).unwrap();
    std::fs::remove_file(scratch.path().join("p/linked")).unwrap();
    std::os::unix::fs::symlink("same", scratch.path().join("p/linked")).unwrap();
    let repository = Repository::open(&scratch.path().join("p")).unwrap();
    let mut tree = repository.tree(&repository.find("HEAD").unwrap()).unwrap();
    let changed = repository.compare(&mut tree).unwrap();
    assert_eq!(changed, ["edited", "gone", "linked", "staged"]);
    for path in ["same", "touched", "edited", "gone", "staged", "linked"] {
        assert_eq!(text(&tree, path).unwrap(), "1", "{path}");
    }
    // A change of the same size within the same tick is seen too.
    for round in 0..20 {
        let content = format!("{round:02}");
        scratch.write("p/same", &content);
        scratch.commit();
        scratch.write("p/same", "xx");
        let repository = Repository::open(&scratch.path().join("p")).unwrap();
        let mut tree = repository.tree(&repository.find("HEAD").unwrap()).unwrap();
        assert_eq!(repository.compare(&mut tree).unwrap(), ["linked", "same"]);
        assert_eq!(text(&tree, "same").unwrap(), content);
    }
}
