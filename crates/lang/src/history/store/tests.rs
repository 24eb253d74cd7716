//! What can be wrong with a store.

use super::*;
use crate::base::MemorySystem;

fn active(number: u64, previous: Option<&Version>, text: &str) -> Version {
    let part = Part { path: "slices/a.yaml".into(), content: Content::File(text.into()) };
    Version {
        instance: "m::Site[name=a]".into(),
        number,
        previous: previous.map(Version::digest),
        state: State::Active(vec![part]),
        moved: Vec::new(),
    }
}

fn deleted(before: &Version) -> Version {
    Version {
        number: before.number + 1,
        previous: Some(before.digest()),
        state: State::Deleted,
        ..before.clone()
    }
}

fn place(version: &Version) -> String {
    path(None, &version.instance, version.number)
}

fn stored(versions: &[&Version]) -> MemorySystem {
    let system = MemorySystem::default();
    versions.iter().for_each(|v| system.write(&place(v), v.text().as_bytes()));
    system
}

fn problems(system: &MemorySystem) -> Vec<String> {
    let (_, problems) = Store::read(system, None);
    problems.into_iter().map(|d| format!("{} {}", d.code.id(), d.message)).collect()
}

fn numbers(system: &MemorySystem) -> Vec<u64> {
    let (store, problems) = Store::read(system, None);
    assert_eq!(problems, []);
    store.unwrap().instances.values().flatten().map(|kept| kept.version.number).collect()
}

#[test]
fn what_is_written_is_read() {
    let first = active(1, None, "name: a\r\ntext: \"<<<<<<< x\"\n# ä");
    let second = deleted(&first);
    let item = Content::Item { line: 7, text: "{\"name\": \"a\",\n \"x\": 0o644}".into() };
    let third = Version {
        number: 3,
        previous: Some(second.digest()),
        state: State::Active(vec![Part { path: "all.yaml".into(), content: item }]),
        moved: vec!["m::Site[name=a] to m::Site[name=b]".into()],
        ..second.clone()
    };
    for version in [&first, &second, &third] {
        assert_eq!(Version::parse(version.text().as_bytes()).as_ref(), Ok(version));
    }
    let system = stored(&[&first, &second, &third]);
    assert_eq!(numbers(&system), [1, 2, 3]);
    assert_eq!(Store::read(&MemorySystem::default(), None), (None, vec![]));
}

#[test]
fn the_format_is_this() {
    insta::assert_snapshot!(active(1, None, "name: a\n").text(), @r#"
    {
      "format": 1,
      "instance": "m::Site[name=a]",
      "version": 1,
      "previous": null,
      "digest": "sha256:919c550fd70698329f39dc72eb404cc5d76fda19f1acb53882ddf60cb948fe45",
      "files": [
        {
          "path": "slices/a.yaml",
          "lines": [
            "name: a",
            ""
          ]
        }
      ]
    }
    "#);
}

#[test]
fn a_renamed_file_is_no_change() {
    let version = active(1, None, "name: a\n");
    let mut renamed = version.clone();
    let State::Active(parts) = &mut renamed.state else { panic!() };
    parts[0].path = "slices/deep/b.yaml".into();
    assert_eq!(version.digest(), renamed.digest());
    assert_ne!(version.digest(), active(1, None, "name: b\n").digest());
}

/// The fifteenth of the known ways to get this wrong.
#[test]
fn gaps_damage_and_unknown_files_are_said() {
    let first = active(1, None, "1");
    let second = active(2, Some(&first), "2");
    let third = active(3, Some(&second), "3");
    // What is pruned is no gap.
    assert_eq!(numbers(&stored(&[&second, &third])), [2, 3]);
    assert_eq!(problems(&stored(&[&first, &third])), ["G1062 version 2 of `m::Site[name=a]` is not there"]);

    let system = stored(&[&first]);
    let edited = first.text().replace("\"1\"", "\"2\"");
    assert_ne!(edited, first.text());
    system.write(&place(&first), edited.as_bytes());
    assert_eq!(
        problems(&system),
        ["G1062 this version cannot be read: its digest is that of another text: it was edited"]
    );
    let half = first.text();
    system.write(&place(&first), half.get(..half.len() / 2).unwrap().as_bytes());
    assert!(problems(&system)[0].starts_with("G1062 this version cannot be read: EOF"));
    system.write(&place(&first), b"\xff");
    assert_eq!(problems(&system).len(), 1);

    let system = stored(&[&first]);
    system.write("active/m.Site/other@v1.json", first.text().as_bytes());
    system.write("active/m.Site/README.md", b"");
    system.write("active/m.Site/.hidden", b"");
    system.write("active/notes", b"");
    system.write("active/m.Site/deep/x@v1.json", b"");
    assert_eq!(
        problems(&system),
        [
            "G1062 `active/m.Site/README.md` is no version of an instance",
            "G1062 `active/m.Site/deep` is no version of an instance",
            "G1062 this is version 1 of `m::Site[name=a]`, under another name",
            "G1062 `active/notes` is no version of an instance",
        ]
    );
    let outside = first.text().replace("slices/a.yaml", "../a.yaml");
    assert!(Version::parse(outside.as_bytes()).unwrap_err().contains("no file of the project"));
}

#[test]
fn two_branches_are_seen_and_put_one_after_the_other() {
    let base = active(1, None, "base");
    let ours = active(2, Some(&base), "ours");
    let theirs = active(2, Some(&base), "theirs");
    let later = active(3, Some(&theirs), "later");
    // One of the files was taken from the other branch.
    let system = stored(&[&base, &ours, &later]);
    let said = "G1063 version 3 of `m::Site[name=a]` does not follow version 2: two branches activated it";
    assert_eq!(problems(&system), [said]);
    apply(&system);
    assert_eq!(numbers(&system), [1, 2, 3]);

    // Git could not merge them.
    let conflict =
        |a: &Version, b: &Version| format!("<<<<<<< HEAD\n{}=======\n{}>>>>>>> b\n", a.text(), b.text());
    let system = stored(&[&base, &later]);
    system.write(&place(&ours), conflict(&ours, &theirs).as_bytes());
    assert_eq!(problems(&system), ["G1063 two branches activated this instance, and Git left it to you"]);
    apply(&system);
    assert_eq!(numbers(&system), [1, 2, 3, 4]);
    let (store, _) = Store::read(&system, None);
    let texts: Vec<_> = store.unwrap().instances["m::Site[name=a]"]
        .iter()
        .filter_map(|kept| match &kept.version.parts()?[0].content {
            Content::File(text) => Some(text.to_string()),
            Content::Item { .. } => None,
        })
        .collect();
    assert_eq!(texts, ["base", "ours", "theirs", "later"]);
    assert_eq!(resolve(&system, None), Resolved::default());

    // One branch deleted it; and of a side that cannot be read nothing is lost.
    let gone = deleted(&base);
    let system = stored(&[&base]);
    system.write(&place(&ours), conflict(&gone, &ours).as_bytes());
    apply(&system);
    assert_eq!(numbers(&system), [1, 2, 3]);
    let system = stored(&[&base]);
    let broken = conflict(&gone, &ours).replace("\"instance\"", "\"instanc\"");
    system.write(&place(&ours), broken.as_bytes());
    apply(&system);
    assert_eq!(problems(&system), ["G1063 two branches activated this instance, and Git left it to you"]);
}

fn apply(system: &MemorySystem) {
    for (path, bytes) in resolve(system, None).changes {
        match bytes {
            Some(bytes) => system.write(&path, &bytes),
            None => assert!(system.remove(&path)),
        }
    }
}
