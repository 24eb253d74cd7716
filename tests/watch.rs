//! `--watch`: a saved file is seen, and what changed is printed.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A machine that builds something else at the same time is slow.
const PATIENCE: Duration = Duration::from_secs(60);

struct Watching {
    child: Child,
    lines: Receiver<String>,
    /// Lines that nobody has waited for yet.
    passed: Vec<String>,
}

impl Watching {
    fn start(project: &Path, command: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gops"))
            .arg("-C")
            .arg(project)
            .args([command, "--watch"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = send.send(line);
                }
            });
        }
        Watching { child, lines, passed: Vec::new() }
    }

    /// Waits for a line that contains the text. The two streams of the program overtake each other,
    /// so lines that come before it are kept for those who wait for them.
    #[track_caller]
    fn wait(&mut self, text: &str) {
        if let Some(at) = self.passed.iter().position(|line| line.contains(text)) {
            self.passed.remove(at);
            return;
        }
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return;
            }
            self.passed.push(line);
        }
        panic!("`{text}` was not printed, but\n{}", self.passed.join("\n"));
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("gops.toml", "name = \"w\"\nedition = \"2026\"\n");
    write(
        "model/main.gops",
        "use std::files::TextFile\n\
         slice Note in \"notes\" { key name: string, text: string }\n\
         impl Note { TextFile { path: \"/${name}\", content: text } }\n",
    );
    write("notes/a.yaml", "name: a\ntext: one\n");
    folder
}

#[test]
fn compile_follows_saved_files() {
    let folder = project();
    let path = |name: &str| folder.path().join("notes").join(name);
    let mut watching = Watching::start(folder.path(), "compile");
    watching.wait("1 resource: 1 TextFile");
    watching.wait("waiting for changes");
    std::fs::write(path("a.yaml"), "name: a\ntext: two\n").unwrap();
    watching.wait("content: \"one\" -> \"two\"");
    std::fs::write(path("b.yaml"), "name: b\ntext: b\n").unwrap();
    watching.wait("+ TextFile");
    std::fs::rename(path("b.yaml"), path("c.yaml")).unwrap();
    watching.wait("no change in the graph");
    std::fs::remove_file(path("c.yaml")).unwrap();
    watching.wait("- TextFile");
}

#[test]
fn check_follows_mistakes_and_models() {
    let folder = project();
    let mut watching = Watching::start(folder.path(), "check");
    watching.wait("checked 1 instance: no errors");
    watching.wait("waiting for changes");
    std::fs::write(folder.path().join("notes/a.yaml"), "name: a\n").unwrap();
    watching.wait("checked 1 instance: 1 error");
    let model = folder.path().join("model/main.gops");
    let text = std::fs::read_to_string(&model).unwrap().replace("text: string", "text: string = \"x\"");
    std::fs::write(&model, text).unwrap();
    watching.wait("checked 1 instance: no errors");
}
