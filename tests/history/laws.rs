//! Random trees, random edits, up to six earlier versions: the fold is what its definition says.

use std::sync::Arc;

use gops::eval::Instance;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::reading::Model;
use super::reference;

/// A path that two elements share now and then, null among them.
fn name() -> impl Strategy<Value = Json> {
    prop_oneof![Just(json!("a")), Just(json!("b")), Just(json!("null")), Just(json!("1")), Just(Json::Null)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("x".to_owned()), Just("y".to_owned())]
}

/// Elements with one key: the later of two is left out, as no instance has both.
fn distinct(items: Vec<Json>, keys: &[&str]) -> Json {
    let mut kept: Vec<Json> = Vec::new();
    for item in items {
        if !kept.iter().any(|k| keys.iter().all(|key| k.get(key) == item.get(key))) {
            kept.push(item);
        }
    }
    Json::Array(kept)
}

fn page() -> impl Strategy<Value = Json> {
    let part = (0..3i64, text()).prop_map(|(n, text)| json!({ "n": n, "text": text }));
    (name(), text(), proptest::collection::vec(part, 0..3)).prop_map(
        |(path, body, parts)| json!({ "path": path, "body": body, "parts": distinct(parts, &["n"]) }),
    )
}

fn entry() -> impl Strategy<Value = Json> {
    let file = ("[ab]", text()).prop_map(|(name, text)| json!({ "name": name, "text": text }));
    let files = proptest::collection::vec(file, 0..3);
    ("[ab]", any::<bool>(), text(), files).prop_map(|(name, folder, text, files)| match folder {
        true => json!({ "type": "folder", "name": name, "files": distinct(files, &["name"]) }),
        false => json!({ "type": "file", "name": name, "text": text }),
    })
}

fn probe() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(json!({ "type": "none" })),
        text().prop_map(|t| json!({ "type": "http", "path": t })),
        (0..2i64).prop_map(|p| json!({ "type": "tcp", "port": p })),
    ]
}

fn field() -> impl Strategy<Value = (&'static str, Json)> {
    prop_oneof![
        (80..82i64).prop_map(|p| ("port", json!(p))),
        proptest::collection::vec(text(), 0..3).prop_map(|t| ("tags", json!(t))),
        proptest::collection::btree_set(text(), 0..3).prop_map(|t| ("names", json!(t))),
        proptest::collection::btree_map("[ab]", text(), 0..3).prop_map(|m| ("labels", json!(m))),
        proptest::option::of(text()).prop_map(|c| ("tls", c.map_or(Json::Null, |c| json!({ "cert": c })))),
        proptest::option::of((name(), text()))
            .prop_map(|o| ("owner", o.map_or(Json::Null, |(id, mail)| json!({ "id": id, "mail": mail })))),
        probe().prop_map(|p| ("probe", p)),
        proptest::collection::vec(page(), 0..4).prop_map(|p| ("pages", distinct(p, &["path"]))),
        proptest::collection::btree_map("[ab]", page(), 0..3).prop_map(|boxes| {
            let unnamed = |(name, mut page): (String, Json)| {
                page.as_object_mut().map(|p| p.remove("path"));
                (name, page)
            };
            ("boxes", Json::Object(boxes.into_iter().map(unnamed).collect()))
        }),
        proptest::collection::vec(entry(), 0..4).prop_map(|e| ("entries", distinct(e, &["name", "type"]))),
        proptest::collection::vec(text(), 0..3)
            .prop_map(|r| ("rules", r.into_iter().map(|from| json!({ "from": from })).collect())),
    ]
}

/// What is done to a version to make the next one: fields that are set, and lists turned round.
#[derive(Clone, Debug)]
struct Edit {
    set: Vec<(&'static str, Json)>,
    turned: bool,
    gone: bool,
}

fn edit() -> impl Strategy<Value = Edit> {
    (proptest::collection::vec(field(), 0..3), proptest::bool::weighted(0.2), proptest::bool::weighted(0.1))
        .prop_map(|(set, turned, gone)| Edit { set, turned, gone })
}

fn versions(start: Vec<(&'static str, Json)>, edits: Vec<Edit>) -> Vec<Option<Json>> {
    let mut now: Map<String, Json> = Map::new();
    now.insert("name".into(), json!("s"));
    now.extend(start.into_iter().map(|(k, v)| (k.to_owned(), v)));
    let mut all = vec![Some(Json::Object(now.clone()))];
    for edit in edits {
        now.extend(edit.set.into_iter().map(|(k, v)| (k.to_owned(), v)));
        if edit.turned {
            for list in ["pages", "entries"] {
                if let Some(Json::Array(items)) = now.get_mut(list) {
                    items.reverse();
                }
            }
        }
        all.push((!edit.gone).then(|| Json::Object(now.clone())));
    }
    all.reverse();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_is_what_its_definition_says(
        start in proptest::collection::vec(field(), 0..8),
        edits in proptest::collection::vec(edit(), 0..7),
    ) {
        let model = Model::new();
        let read: Vec<Option<Arc<Instance>>> = versions(start, edits)
            .iter()
            .map(|v| v.as_ref().map(|v| model.json(&v.to_string())))
            .collect();
        let all: Vec<Option<&Instance>> = read.iter().map(Option::as_deref).collect();
        let (current, earlier) = all.split_first().expect("there is one");
        let found = gops::history::fold(&model.program, *current, earlier);
        let expected = reference::fold(&model.program, *current, earlier);
        prop_assert_eq!(found, expected);
    }
}
