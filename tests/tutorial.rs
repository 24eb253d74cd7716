//! The tutorial, followed word for word: its files are written, and its commands run, in order.

use std::path::Path;
use std::process::Command;

use crate::harness::literate::Document;

struct Reader {
    _temporary: tempfile::TempDir,
    project: std::path::PathBuf,
    root: String,
    commands: Vec<String>,
}

impl Reader {
    fn write(&self, path: &str, text: &str) {
        let path = self.project.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.project.join(path)).unwrap_or_default()
    }

    /// Runs a command of the text; says whether it ended well, and what it printed.
    fn run(&mut self, line: &str) -> (bool, String) {
        let line = line.split('#').next().unwrap_or_default().replace("/tmp/", &self.root);
        let yes = if line.contains("gops deploy") { " --yes" } else { "" };
        let binaries = Path::new(env!("CARGO_BIN_EXE_gops")).parent().unwrap();
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap_or_default());
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{}{yes}", line.trim())])
            .current_dir(&self.project)
            .env("PATH", path)
            .env("HOME", self.project.parent().unwrap())
            .env("XDG_STATE_HOME", self.project.parent().unwrap().join("state"))
            .output()
            .unwrap();
        self.commands.push(line);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[test]
fn the_tutorial_works() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tutorial.md")).unwrap();
    let document = Document::parse("docs/tutorial.md", &text).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let mut reader = Reader {
        project: temporary.path().join("bookmarks"),
        root: format!("{}/", temporary.path().display()),
        commands: Vec::new(),
        _temporary: temporary,
    };
    std::fs::create_dir_all(&reader.project).unwrap();
    let mut blocks = document.blocks().peekable();
    let mut inside = false;
    let mut checks = 0;
    for (number, line) in text.lines().enumerate() {
        while let Some(block) = blocks.next_if(|b| b.line <= number + 1) {
            match block.words.get(1) {
                Some(path) => reader.write(path, &block.text),
                // Without a path it comes after what there is.
                None => {
                    let model = reader.read("model/main.gops");
                    reader.write("model/main.gops", &format!("{model}\n{}", block.text));
                }
            }
        }
        inside ^= line.starts_with("```");
        let Some(command) = line.strip_prefix("    ").filter(|l| !inside && l.starts_with("gops ")) else {
            continue;
        };
        if command.starts_with("gops init") {
            continue;
        }
        let (fine, said) = reader.run(command);
        // The first check finds the mistake that was made on purpose.
        let first = command == "gops check" && checks == 0;
        checks += usize::from(command == "gops check");
        assert_eq!(fine, !first, "docs/tutorial.md:{}: {command}\n{said}", number + 1);
        assert!(first || !said.contains("warning["), "docs/tutorial.md:{}: {said}", number + 1);
        if first {
            assert!(said.contains("write it without quotes"), "{said}");
            let blue = reader.read("slices/teams/blue.yaml").replace('"', "");
            reader.write("slices/teams/blue.yaml", &blue);
        }
    }
    assert!(reader.commands.len() >= 9, "{:?}", reader.commands);
    assert!(reader.run("ls /tmp/bookmarks/srv/bookmarks/red/news.url").0);
    assert!(reader.run("ls /tmp/bookmarks-prod/srv/bookmarks/red/status.url").0);
}
