//! The expected nodes of a graph, as a reader would write them:
//!
//! ```text
//! TextFile[host=h1,path=/etc/motd]
//!     content: "hello"
//!     .requires: ["Directory[host=h1,path=/etc]"]
//! ...
//! ```
//!
//! An id may stand without the path of its type. A member that starts with a dot is one of the
//! node itself, the others are its fields; values are JSON. Nodes that are not named must not
//! exist, unless a line says `...`.

use serde_json::Value;

use super::literate::{Block, Document};

struct Expected {
    id: String,
    line: usize,
    members: Vec<(usize, String, Value)>,
}

fn read(document: &Document, block: &Block) -> Result<(Vec<Expected>, bool), String> {
    let (mut nodes, mut more) = (Vec::<Expected>::new(), false);
    for (number, text) in block.text.lines().enumerate() {
        let line = block.line + number;
        let bare = text.trim();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        if bare == "..." {
            more = true;
        } else if !text.starts_with([' ', '\t']) {
            nodes.push(Expected { id: bare.to_owned(), line, members: Vec::new() });
        } else {
            let node = nodes.last_mut().ok_or_else(|| document.says(line, "a field of no node"))?;
            let (name, value) =
                bare.split_once(": ").ok_or_else(|| document.says(line, "write `name: JSON`"))?;
            let value =
                serde_json::from_str(value).map_err(|e| document.says(line, format!("no JSON: {e}")))?;
            node.members.push((line, name.to_owned(), value));
        }
    }
    Ok((nodes, more))
}

/// What of the block does not hold for the document `json`.
pub fn compare(document: &Document, block: &Block, json: &[u8]) -> Vec<String> {
    let graph: Value = match serde_json::from_slice(json) {
        Ok(graph) => graph,
        Err(error) => return vec![document.says(block.line, format!("the graph is no JSON: {error}"))],
    };
    let found: Vec<&Value> = graph["nodes"].as_array().map_or(Vec::new(), |nodes| nodes.iter().collect());
    let (expected, more) = match read(document, block) {
        Ok(read) => read,
        Err(what) => return vec![what],
    };
    let mut wrong = Vec::new();
    for node in &expected {
        match found.iter().find(|f| is_id(&f["id"], &node.id)) {
            None => wrong.push(document.says(node.line, format!("there is no node `{}`", node.id))),
            Some(found) => wrong.extend(members(document, node, found)),
        }
    }
    let named = |f: &&&Value| expected.iter().any(|node| is_id(&f["id"], &node.id));
    if !more {
        let others = found.iter().filter(|f| !named(f));
        wrong.extend(others.map(|f| document.says(block.line, format!("not expected:\n{}", show(f)))));
    }
    if !wrong.is_empty() {
        let all: String = found.iter().map(|f| show(f)).collect();
        wrong.push(format!("the graph has:\n{all}"));
    }
    wrong
}

fn members(document: &Document, node: &Expected, found: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (line, name, expected) in &node.members {
        let value = match name.strip_prefix('.') {
            Some("requires") => Value::Array(ids(&found["requires"])),
            Some(member) => found[member].clone(),
            None => found["fields"][name].clone(),
        };
        if !same(&value, expected) {
            wrong.push(document.says(*line, format!("`{name}` of `{}` is {value}", node.id)));
        }
    }
    wrong
}

fn ids(requires: &Value) -> Vec<Value> {
    requires.as_array().map_or(Vec::new(), |all| all.iter().map(|r| r["id"].clone()).collect())
}

/// Equal, but that an id may stand without the path of its type.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (Value::String(_), Value::String(b)) => found == expected || is_id(found, b),
        _ => found == expected,
    }
}

fn is_id(found: &Value, written: &str) -> bool {
    let Some(found) = found.as_str() else { return false };
    found == written || short(found) == written
}

/// `TextFile[…]` for `std::files::TextFile[…]`.
fn short(id: &str) -> &str {
    let end = id.find('[').unwrap_or(id.len());
    id[..end].rfind("::").map_or(id, |at| &id[at + 2..])
}

fn show(node: &Value) -> String {
    let mut text = format!("    {}\n", short(node["id"].as_str().unwrap_or_default()));
    for (name, value) in node["fields"].as_object().into_iter().flatten() {
        text += &format!("        {name}: {value}\n");
    }
    let requires = ids(&node["requires"]);
    if !requires.is_empty() {
        let requires: Vec<&str> = requires.iter().filter_map(Value::as_str).map(short).collect();
        text += &format!("        .requires: {}\n", serde_json::json!(requires));
    }
    text
}

#[test]
fn nodes_are_compared_as_written() {
    let graph = br#"{"nodes":[
        {"id":"std::files::Directory[path=/a]","fields":{"path":"/a"},"requires":[]},
        {"id":"std::files::TextFile[path=/a/b]","fields":{"content":"x","host":{"$ref":"std::host::Host[name=h]"}},
         "requires":[{"id":"std::files::Directory[path=/a]","why":"parent directory"}],"state":"present"}]}"#;
    let compare = |text: &str| {
        let text = format!("```graph\n{text}```\n");
        let document = Document::parse("t.md", &text).unwrap();
        let block = document.blocks().next().unwrap();
        super::nodes::compare(&document, block, graph)
    };
    let whole = "TextFile[path=/a/b]\n    content: \"x\"\n    .state: \"present\"\n    .requires: [\"Directory[path=/a]\"]\n    host: {\"$ref\": \"Host[name=h]\"}\n";
    assert_eq!(compare(&format!("{whole}std::files::Directory[path=/a]\n")), Vec::<String>::new());
    assert_eq!(compare(&format!("...\n{whole}")), Vec::<String>::new());
    assert!(compare(whole)[0].contains("not expected"));
    assert!(compare("...\nTextFile[path=/a/c]\n")[0].contains("t.md:3: there is no node"));
    assert!(compare("...\nTextFile[path=/a/b]\n    content: \"y\"\n")[0].contains("is \"x\""));
}
