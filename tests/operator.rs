//! The page for operators quotes what is said and names what there is.

use std::path::Path;

fn texts(folder: &Path, ends: &str, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, ends, found);
        } else if path.to_string_lossy().ends_with(ends) {
            found.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// What stands between backquotes in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_for_operators_quotes_what_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/operator.md")).unwrap();
    let mut said = String::new();
    texts(&root.join("src"), ".rs", &mut said);
    texts(&root.join("crates"), ".rs", &mut said);
    texts(&root.join("tests/cli"), ".md", &mut said);
    let reference = std::fs::read_to_string(root.join("docs/reference/cli.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for message in quoted(cells[1]) {
            assert!(said.contains(message), "nothing says `{message}`");
        }
        for named in quoted(cells[3]).flat_map(str::split_whitespace).filter(|word| word.starts_with("--")) {
            assert!(reference.contains(named), "there is no `{named}`");
        }
        for command in quoted(cells[3]).filter_map(|named| named.strip_prefix("gops ")) {
            let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
            let mut words = command.split(' ').take_while(is_word);
            let section = format!("\n## gops {}\n", words.next().unwrap_or_default());
            let (_, section) =
                reference.split_once(&section).unwrap_or_else(|| panic!("no `gops {command}`"));
            let section = section.split("\n## ").next().unwrap();
            for word in words {
                assert!(section.contains(&format!("\n  {word} ")), "there is no `gops {command}`");
            }
        }
    }
}
