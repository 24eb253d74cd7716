//! The known ways to get this wrong that are about the fold: each is a defect in a system in use
//! today.

use std::sync::Arc;

use gops::eval::Instance;

use super::reading::{Model, shown};

/// Folds versions in YAML, the current one first; an empty text is a version without the instance.
fn folded(versions: &[&str]) -> Vec<String> {
    let model = Model::new();
    let read: Vec<Option<Arc<Instance>>> =
        versions.iter().map(|v| (!v.is_empty()).then(|| model.yaml("sites/a.yaml", v))).collect();
    let all: Vec<Option<&Instance>> = read.iter().map(Option::as_deref).collect();
    let (current, earlier) = all.split_first().expect("there is a current version");
    shown(&gops::history::fold(&model.program, *current, earlier), *current, earlier)
}

#[test]
fn deleted_activated_and_created_again_is_a_create() {
    let one = "{ name: a, pages: [{ path: /x }] }";
    assert_eq!(folded(&[one, "", one]), ["root create", "  pages[path=/x] create"]);
    assert_eq!(folded(&[one, one]), ["root keep @0", "  pages[path=/x] keep @0"]);
}

#[test]
fn what_is_deleted_keeps_the_values_of_the_newest_version_that_had_it() {
    let three = ["", "", "{ name: a, port: 2 }", "{ name: a, port: 1, pages: [{ path: /x }] }"];
    assert_eq!(folded(&three), ["root delete @1", "  pages[path=/x] delete @2"]);
}

#[test]
fn a_changed_key_of_a_single_struct_removes_the_old_one() {
    let changed = ["{ name: a, owner: { id: me } }", "{ name: a, owner: { id: you } }"];
    assert_eq!(folded(&changed), ["root update @0", "  owner create", "  owner delete @0"]);
    let same = ["{ name: a, owner: { id: me, mail: x } }", "{ name: a, owner: { id: me, mail: y } }"];
    assert_eq!(folded(&same), ["root update @0", "  owner update @0"]);
}

#[test]
fn a_changed_tag_removes_the_old_value() {
    let changed = ["{ name: a, probe: { type: http } }", "{ name: a, probe: { type: tcp, port: 1 } }"];
    assert_eq!(folded(&changed), ["root update @0", "  probe#0 create", "  probe#1 delete @0"]);
}

#[test]
fn a_file_beside_a_folder_of_one_name_is_another_element() {
    let both = "{ name: a, entries: [{ type: file, name: x }, { type: folder, name: x }] }";
    let one = "{ name: a, entries: [{ type: folder, name: x }] }";
    let expected = [
        "root update @0",
        "  entries[type=folder,name=x]#1 keep @0",
        "  entries[type=file,name=x]#0 delete @0",
    ];
    assert_eq!(folded(&[one, both]), expected);
}

#[test]
fn a_renamed_file_with_the_same_key_is_no_change() {
    let model = Model::new();
    let text = "{ name: a, token: t, tls: { cert: c }, pages: [{ path: /x }] }";
    let (now, then) = (model.yaml("sites/new.yaml", text), model.yaml("sites/old.yaml", text));
    let folded = model.fold(Some(&now), &[Some(&then)]);
    let expected = ["root keep @0", "  tls keep @0", "  pages[path=/x] keep @0"];
    assert_eq!(shown(&folded, Some(&now), &[Some(&then)]), expected);
}

#[test]
fn a_reorder_alone_is_no_change() {
    let one = "{ name: a, pages: [{ path: /x }, { path: /y }] }";
    let other = "{ name: a, pages: [{ path: /y }, { path: /x }] }";
    let expected = ["root keep @0", "  pages[path=/x] keep @0", "  pages[path=/y] keep @0"];
    assert_eq!(folded(&[one, other]), expected);
    // The order of a primitive list is its value.
    assert_eq!(folded(&["{ name: a, tags: [x, y] }", "{ name: a, tags: [y, x] }"]), ["root update @0"]);
}

#[test]
fn a_new_field_that_takes_its_default_is_no_change() {
    assert_eq!(folded(&["{ name: a, port: 80, tags: [] }", "{ name: a }"]), ["root keep @0"]);
}

#[test]
fn a_child_and_then_its_parent_removed_are_both_known() {
    let versions = [
        "{ name: a }",
        "{ name: a, pages: [{ path: /x, parts: [{ n: 1 }] }] }",
        "{ name: a, pages: [{ path: /x, parts: [{ n: 1 }, { n: 2 }] }] }",
    ];
    let expected = [
        "root update @0",
        "  pages[path=/x] delete @0",
        "    parts[n=1] delete @0",
        "    parts[n=2] delete @1",
    ];
    assert_eq!(folded(&versions), expected);
}

#[test]
fn a_deletion_is_carried_through_later_versions() {
    let gone = "{ name: a }";
    let there = "{ name: a, pages: [{ path: /x }] }";
    // What older versions tell of deletions does not make the holder an update.
    assert_eq!(folded(&[gone, gone, gone, there]), ["root keep @0", "  pages[path=/x] delete @2"]);
}

#[test]
fn changed_and_reverted_with_several_versions_kept() {
    let a = "{ name: a, port: 1 }";
    let b = "{ name: a, port: 2 }";
    assert_eq!(folded(&[a, b, a]), ["root update @0"]);
    assert_eq!(folded(&[a, a, b]), ["root keep @0"]);
}

#[test]
fn removed_and_added_back_with_several_versions_kept() {
    let with = "{ name: a, pages: [{ path: /x }] }";
    let without = "{ name: a }";
    assert_eq!(folded(&[with, without, with]), ["root update @0", "  pages[path=/x] create"]);
    assert_eq!(folded(&[with, with, without]), ["root keep @0", "  pages[path=/x] keep @0"]);
}

#[test]
fn a_subtree_moved_between_parents_is_deleted_there_and_created_here() {
    let then = "{ name: a, pages: [{ path: /x, parts: [{ n: 1 }] }, { path: /y }] }";
    let now = "{ name: a, pages: [{ path: /x }, { path: /y, parts: [{ n: 1 }] }] }";
    let expected = [
        "root update @0",
        "  pages[path=/x] update @0",
        "    parts[n=1] delete @0",
        "  pages[path=/y] update @0",
        "    parts[n=1] create",
    ];
    assert_eq!(folded(&[now, then]), expected);
}

#[test]
fn keys_compare_by_type() {
    let null = "{ name: a, pages: [{ path: null }] }";
    let text = r#"{ name: a, pages: [{ path: "null" }] }"#;
    let expected = ["root update @0", "  pages[path=null] create", r#"  pages[path="null"] delete @0"#];
    assert_eq!(folded(&[null, text]), expected);
}

#[test]
fn a_plain_struct_is_a_part_of_the_value() {
    let one = "{ name: a, rules: [{ from: x }, { from: y }] }";
    let other = "{ name: a, rules: [{ from: y }, { from: x }] }";
    assert_eq!(folded(&[one, one]), ["root keep @0"]);
    assert_eq!(folded(&[one, other]), ["root update @0"]);
}

#[test]
fn a_first_version_is_created_and_no_version_is_nothing() {
    assert_eq!(
        folded(&["{ name: a, boxes: { k: { body: x } } }"]),
        ["root create", "  boxes[path=k] create"]
    );
    assert_eq!(folded(&["", ""]), [""; 0]);
}
