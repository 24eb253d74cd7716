//! A project in which everything reads single files: references in a chain, constants, texts. There
//! an open project asks those alone whom an edit concerns, and must forget nobody.

use std::sync::Arc;

use gops::base::MemorySystem;
use gops::project::{Options, Session};
use proptest::prelude::*;

use super::incremental::everything;
use super::shop::CONFIG;

const MODEL: &str = r#"
use std::files::TextFile

const LABEL = "label"
const MOTD = file("/texts/motd.txt").text

slice Region in "regions" { key name: string, zone: string }
slice Host in "hosts" { key name: string, region: ref<Region>, address: string }
slice Site in "sites" {
    key name: string
    on: ref<Host>
    peer: ref<Site>?
    motd: bool = false
    check peer == null or peer.on.region == on.region, "${name} and its peer are in one region" at peer
    let zone: string = on.region.zone
}
slice Note in "notes" { key name: string, body: string = file("/texts/body.txt").text }

impl Host { TextFile { path: "/hosts/${name}", content: "${address} ${region.zone} ${LABEL}" } }
impl Site {
    TextFile {
        path: "/sites/${name}"
        content: "${on.address} ${if peer != null { peer.zone } else { zone }} ${if motd { file("/texts/site.txt").text } else { MOTD }}"
    }
}
impl Note { TextFile { path: "/notes/${name}", content: body } }
"#;

#[derive(Clone, Debug)]
enum Edit {
    /// The file, the key in it, the zone.
    Region(usize, usize, usize),
    Host(usize, usize, usize, usize),
    Site(usize, usize, Option<usize>, bool),
    Note(usize, bool),
    Text(&'static str, usize),
    Remove(&'static str, usize),
    Break(&'static str, usize),
    /// Lines before everything.
    Move(&'static str, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let text = || prop_oneof![Just("motd"), Just("body"), Just("site")];
    let folder = || prop_oneof![Just("regions"), Just("hosts"), Just("sites")];
    prop_oneof![
        // Mostly the key stays what it was.
        6 => (0..2usize, 0..4usize).prop_map(|(file, zone)| Edit::Region(file, file, zone)),
        1 => (0..2usize, 0..3usize, 0..4usize).prop_map(|(file, key, zone)| Edit::Region(file, key, zone)),
        6 => (0..3usize, 0..2usize, 0..4usize).prop_map(|(file, on, to)| Edit::Host(file, file, on, to)),
        1 => (0..3usize, 0..4usize, 0..2usize, 0..4usize).prop_map(|(f, k, on, to)| Edit::Host(f, k, on, to)),
        6 => (0..4usize, 0..3usize, proptest::option::weighted(0.4, 0..4usize), any::<bool>())
            .prop_map(|(file, on, peer, motd)| Edit::Site(file, on, peer, motd)),
        1 => (0..2usize, any::<bool>()).prop_map(|(file, body)| Edit::Note(file, body)),
        3 => (text(), 0..4usize).prop_map(|(which, text)| Edit::Text(which, text)),
        1 => (folder(), 0..2usize).prop_map(|(folder, file)| Edit::Remove(folder, file)),
        1 => (folder(), 0..2usize).prop_map(|(folder, file)| Edit::Break(folder, file)),
        2 => (folder(), 0..2usize).prop_map(|(folder, file)| Edit::Move(folder, file)),
    ]
}

fn apply(system: &MemorySystem, edit: &Edit) -> String {
    use gops::base::System as _;
    let (path, text) = match edit {
        Edit::Region(file, key, zone) => {
            (format!("regions/{file}.yaml"), format!("name: r{key}\nzone: z{zone}\n"))
        }
        Edit::Host(file, key, region, address) => (
            format!("hosts/{file}.yaml"),
            format!("name: h{key}\nregion: r{region}\naddress: 10.0.0.{address}\n"),
        ),
        Edit::Site(file, on, peer, motd) => {
            let peer = peer.map_or_else(String::new, |peer| format!("peer: s{peer}\n"));
            (format!("sites/{file}.yaml"), format!("name: s{file}\non: h{on}\nmotd: {motd}\n{peer}"))
        }
        Edit::Note(file, body) => {
            let body = if *body { "body: own\n" } else { "" };
            (format!("notes/{file}.yaml"), format!("name: n{file}\n{body}"))
        }
        Edit::Text(which, text) => (format!("texts/{which}.txt"), format!("text {text}\n")),
        Edit::Remove(folder, file) => {
            let path = format!("{folder}/{file}.yaml");
            system.remove(&path);
            return path;
        }
        Edit::Break(folder, file) => (format!("{folder}/{file}.yaml"), "name: [\n".to_owned()),
        Edit::Move(folder, file) => {
            let path = format!("{folder}/{file}.yaml");
            let Ok(old) = system.read(&path) else { return path };
            (path, format!("# moved\n{}", String::from_utf8_lossy(&old)))
        }
    };
    system.write(&path, text.as_bytes());
    path
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whom_an_edit_concerns_is_asked(edits in proptest::collection::vec((edit(), any::<bool>()), 1..20)) {
        let system = Arc::new(MemorySystem::new([("gops.toml", CONFIG), ("model/main.gops", MODEL)]));
        for n in 0..4 {
            for edit in [Edit::Region(n % 2, n % 2, n), Edit::Host(n % 3, n % 3, n % 2, n), Edit::Site(n, n % 3, None, n == 0)] {
                apply(&system, &edit);
            }
        }
        for which in ["motd", "body", "site"] {
            apply(&system, &Edit::Text(which, 0));
        }
        let mut open = Session::open(system.clone(), Options::default());
        let (said, made) = everything(&mut open);
        prop_assert!(made.is_some(), "the project is valid at first: {:#?}", said);
        let mut paths = Vec::new();
        for (edit, look) in &edits {
            paths.push(apply(&system, edit));
            // Several edits at once, now and then.
            if *look {
                open.refresh(&std::mem::take(&mut paths));
                let incremental = everything(&mut open);
                let cold = everything(&mut Session::open(system.clone(), Options::default()));
                prop_assert_eq!(incremental, cold, "after {:?}", edit);
            }
        }
    }
}
