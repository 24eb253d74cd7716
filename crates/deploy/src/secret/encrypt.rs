//! Encrypting, as the `sops` program does: it knows the rules of a project (`.sops.yaml`) and the
//! recipients that a file has. A secret goes to it through a pipe, never through a file or an
//! argument, which others on the machine could read.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The `sops` program, for the files of a project.
#[derive(Clone, Debug)]
pub struct Sops {
    root: PathBuf,
}

/// Why nothing was encrypted.
#[derive(Debug, thiserror::Error)]
pub enum SopsError {
    /// The program is not there.
    #[error("the program `sops` is not installed")]
    NotInstalled,
    /// It could not be run.
    #[error("`sops` cannot be run: {0}")]
    Run(#[from] std::io::Error),
    /// It said no. What it says holds no secret: it was given none but through the pipe.
    #[error("`sops` says: {0}")]
    Refused(String),
}

impl Sops {
    /// For the project at `root`, where its `.sops.yaml` is.
    pub fn new(root: &Path) -> Self {
        Sops { root: root.to_owned() }
    }

    /// The encrypted form of a text, as the rules for `path` say.
    pub fn encrypt(&self, path: &str, plain: &str) -> Result<Vec<u8>, SopsError> {
        let kind = if path.ends_with(".json") { "json" } else { "yaml" };
        let mut command = Command::new("sops");
        command.current_dir(&self.root).args(["encrypt", "--filename-override", path]);
        command.args(["--input-type", kind, "--output-type", kind, "/dev/stdin"]);
        run(command, plain)
    }

    /// An encrypted file with one more value, in JSON; `index` is its place: `["ports"][0]["token"]`.
    pub fn set(&self, path: &str, now: &[u8], index: &str, value: &str) -> Result<Vec<u8>, SopsError> {
        // `sops set` changes a file in its place: a copy of what is encrypted already.
        let name = path.rsplit('/').next().unwrap_or(path);
        let folder = std::env::temp_dir().join(format!("gops-sops-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let copy = folder.join(name);
        let changed = self.set_in(&copy, now, index, value);
        let removed = std::fs::remove_dir_all(&folder);
        let changed = changed?;
        removed?;
        Ok(changed)
    }

    fn set_in(&self, copy: &Path, now: &[u8], index: &str, value: &str) -> Result<Vec<u8>, SopsError> {
        std::fs::write(copy, now)?;
        let mut command = Command::new("sops");
        command.current_dir(&self.root).args(["set", "--value-stdin"]).arg(copy).arg(index);
        run(command, value)?;
        Ok(std::fs::read(copy)?)
    }
}

/// Runs the program with a text on its standard input.
fn run(mut command: Command, input: &str) -> Result<Vec<u8>, SopsError> {
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(SopsError::NotInstalled),
        Err(error) => return Err(error.into()),
    };
    if let Some(mut stdin) = child.stdin.take() {
        // It may end before it has read all; what it says then tells more than the broken pipe.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Err(SopsError::Refused(said.join("; ")))
}
