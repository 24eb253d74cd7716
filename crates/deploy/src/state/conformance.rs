//! What every store promises, run against each of them.

use ecow::EcoString;

use crate::handler::{Random as _, Recorded, SeededRandom, Timestamp, Token};

use super::*;

/// Both traits, as a deployer uses them.
trait Ledger: Store + Coord {}
impl<T: Store + Coord> Ledger for T {}

fn holder() -> Holder {
    Holder { process: 1, machine: "m".into(), since: Timestamp(0) }
}

fn nonce() -> Token {
    Token::new(&SeededRandom::new(9))
}

fn row(id: &str, incarnation: u32) -> Row {
    let token = Token::new(&SeededRandom::new(u64::from(incarnation)));
    Row {
        key: RowKey { id: id.into(), incarnation },
        holding: Holding::Made,
        condition: Condition::Ok,
        kind: "std::files::TextFile".into(),
        handler: "file".into(),
        handler_version: 1,
        place: Place { target: "local".into(), identity: "m".into(), reach: EcoString::new() },
        claims: [EcoString::from("path:/a\"b\\")].into(),
        digest: "00".into(),
        recorded: Recorded {
            fields: r#"{"path":"/a"}"#.into(),
            stamp: "1 2 3".into(),
            physical: "fs".into(),
            token: Some(token),
            outputs: "{}".into(),
        },
        requires: ["x".into(), "y".into()].into(),
        protect: incarnation > 1,
        keep: false,
        generation: 3,
        ready: incarnation > 1,
    }
}

fn intent(number: u64, id: &str) -> Intent {
    Intent {
        number,
        epoch: 1,
        operation: Operation::Create,
        row: row(id, 1),
        before: (number > 1).then(|| "seen".into()),
        token: Token::new(&SeededRandom::new(number)),
        moved: (number > 1).then(|| row(id, 7).key),
        deadline: Timestamp(number as i64),
    }
}

/// More than is kept in one piece, and no character ends where a piece would.
fn large_graph() -> Box<str> {
    format!("{{{}}}", "ä".repeat(700_000)).into()
}

/// Files, of which one is no text.
fn files() -> Vec<(EcoString, std::sync::Arc<[u8]>)> {
    vec![("a.yaml".into(), b"name: a\n".as_slice().into()), ("b.bin".into(), [0, 255].as_slice().into())]
}

/// Every kind of change, in an order in which it may come.
fn changes() -> Vec<Vec<Change>> {
    let generation = Generation {
        number: 1,
        revision: "abc+".into(),
        desired: "sha256:0".into(),
        graph: Some(large_graph()),
        started: Timestamp(5),
        finished: None,
        rows: 4,
        removed: 0,
        history: vec![3, 0],
        data: "sha256:1".into(),
        files: files(),
        author: "alice@box".into(),
        cause: "rollback to generation 1".into(),
    };
    let done = |number| Change::Close { number, outcome: Closed::Done, evidence: "seen".into() };
    vec![
        vec![Change::Start(generation), Change::Open(intent(1, "a")), Change::Open(intent(2, "b"))],
        vec![Change::Put(row("a", 1)), done(1), Change::Put(row("b", 1)), Change::Put(row("b", 2))],
        vec![
            Change::Put(Row { condition: Condition::Deposed, requires: [].into(), ..row("b", 1) }),
            Change::Refresh { key: row("b", 2).key, stamp: "new".into() },
            Change::Drop { key: row("a", 1).key, end: End::Gone, evidence: "absent".into() },
            done(2),
        ],
        vec![Change::Suspect { identity: "x".into() }],
        vec![Change::Greeted { identity: "m".into() }, Change::Removed { number: 1, rows: 2 }],
        vec![Change::Removed { number: 1, rows: 3 }, Change::Finish { number: 1 }],
    ]
}

fn a_commit_is_what_the_snapshot_says(mut open: impl FnMut() -> Box<dyn Ledger>) {
    let mut store = open();
    let mut at = store.acquire(&holder(), &nonce()).unwrap();
    let mut expected = store.load().unwrap();
    assert_eq!(expected.revision, at);
    assert_eq!(expected.lineage.len(), 32);
    for (turn, changes) in changes().into_iter().enumerate() {
        let now = Timestamp(100 + turn as i64);
        at = store.commit(at, now, &changes).unwrap();
        expected.apply(changes, now);
        expected.revision = at;
        assert_eq!(store.load().unwrap(), expected);
    }
    drop(store);
    let mut store = open();
    assert_eq!(store.load().unwrap(), expected);
    assert_eq!(expected.next_intent, 3);
    assert_eq!(expected.greeted.len(), 2);
    assert_eq!(expected.epochs.get(&1), Some(&nonce()));
    assert!(expected.intents.is_empty());
    let generation = store.generation(1).unwrap().unwrap();
    assert_eq!(generation.graph, Some(large_graph()));
    assert_eq!(generation.finished, Some(Timestamp(105)));
    assert_eq!(generation.files, files());
    assert_eq!((generation.history, generation.data.as_str()), (vec![3, 0], "sha256:1"));
    assert_eq!((generation.rows, generation.removed), (4, 5));
    assert_eq!(store.generation(2).unwrap(), None);
}

fn the_journal_shows_what_was_touched(mut open: impl FnMut() -> Box<dyn Ledger>) {
    let mut store = open();
    let mut at = store.acquire(&holder(), &nonce()).unwrap();
    for changes in changes() {
        at = store.commit(at, Timestamp(1), &changes).unwrap();
    }
    let mut entries = store.journal(0).unwrap();
    assert_eq!(entries.len(), 13);
    assert_eq!(broken(&entries), None);
    assert_eq!(store.journal(9).unwrap(), entries[9..]);
    entries[4].detail.push('x');
    assert_eq!(broken(&entries), Some(5));
    entries.remove(4);
    assert_eq!(broken(&entries), Some(6));
}

fn a_stale_commit_is_refused(mut open: impl FnMut() -> Box<dyn Ledger>) {
    let mut first = open();
    let at = first.acquire(&holder(), &nonce()).unwrap();
    let put = [Change::Put(row("a", 1))];
    let next = first.commit(at, Timestamp(1), &put).unwrap();
    let refused = first.commit(at, Timestamp(1), &[Change::Put(row("z", 1))]);
    assert!(matches!(refused, Err(StoreError::Changed { .. })), "{refused:?}");
    drop(first);
    let mut second = open();
    let theirs = second.acquire(&holder(), &nonce()).unwrap();
    assert!(theirs.epoch > next.epoch);
    let refused = open().commit(next, Timestamp(1), &[Change::Put(row("z", 1))]);
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    assert_eq!(second.load().unwrap().rows.len(), 1);
}

fn one_at_a_time(mut open: impl FnMut() -> Box<dyn Ledger>) {
    let mut first = open();
    let at = first.acquire(&holder(), &nonce()).unwrap();
    match open().acquire(&holder(), &nonce()) {
        Err(LockError::Held { holder: Some(found) }) => assert_eq!(found, holder()),
        other => panic!("{other:?}"),
    }
    drop(first);
    assert_eq!(open().acquire(&holder(), &nonce()).unwrap().epoch, at.epoch + 1);
}

fn a_rebuilt_ledger_is_of_the_lineage_and_later_than_its_targets(mut open: impl FnMut() -> Box<dyn Ledger>) {
    let mut store = open();
    let at = store.acquire(&holder(), &nonce()).unwrap();
    let rebuilt = Rebuilt { lineage: "lost", epoch: 7, author: "alice@box" };
    let changes = [Change::Put(row("a", 1)), Change::Suspect { identity: "m".into() }];
    let stale = Revision { serial: at.serial - 1, ..at };
    assert!(matches!(
        store.rebuild(stale, Timestamp(1), &rebuilt, &changes),
        Err(StoreError::Changed { .. })
    ));
    let next = store.rebuild(at, Timestamp(1), &rebuilt, &changes).unwrap();
    assert_eq!(next, Revision { serial: at.serial + 1, epoch: 7 });
    let ledger = store.load().unwrap();
    assert_eq!((ledger.lineage.as_str(), ledger.revision, ledger.rows.len()), ("lost", next, 1));
    assert_eq!(ledger.greeted.get("m"), Some(&SUSPECT));
    assert!(ledger.epochs.is_empty(), "{:?}", ledger.epochs);
    // One that is later already stays so.
    let earlier = Rebuilt { epoch: 3, ..rebuilt };
    assert_eq!(store.rebuild(next, Timestamp(2), &earlier, &[]).unwrap().epoch, 7);
    let entries = store.journal(0).unwrap();
    assert_eq!(broken(&entries), None);
    let said: Vec<&str> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(said.iter().filter(|event| **event == "recovered").count(), 2, "{said:?}");
    drop(store);
    assert_eq!(open().acquire(&holder(), &nonce()).unwrap().epoch, 8);
}

macro_rules! suite {
    ($($law:ident)*) => {
        mod memory {
            $(#[test] fn $law() {
                let store = super::MemoryStore::new(&super::SeededRandom::new(1));
                super::$law(|| Box::new(store.reopen()));
            })*
        }
        mod sqlite {
            $(#[test] fn $law() {
                let folder = tempfile::tempdir().unwrap();
                let random = super::SeededRandom::new(1);
                let folder = folder.path().join("state");
                super::$law(|| Box::new(super::SqliteStore::open(&folder, &random).unwrap()));
            })*
        }
    };
}

suite! {
    a_commit_is_what_the_snapshot_says
    the_journal_shows_what_was_touched
    a_stale_commit_is_refused
    a_rebuilt_ledger_is_of_the_lineage_and_later_than_its_targets
    one_at_a_time
}

#[test]
fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mut store = SqliteStore::open(&state, &SeededRandom::new(1)).unwrap();
    let at = store.acquire(&holder(), &nonce()).unwrap();
    store.commit(at, Timestamp(1), &[Change::Put(row("a", 1))]).unwrap();
    for entry in std::fs::read_dir(&state).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", entry.path());
    }
    assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_displaced_database_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(folder.path(), &SeededRandom::new(1)).unwrap();
    let at = store.acquire(&holder(), &nonce()).unwrap();
    std::fs::rename(folder.path().join("ledger.db"), folder.path().join("moved.db")).unwrap();
    let refused = store.commit(at, Timestamp(1), &[]);
    assert!(matches!(refused, Err(StoreError::Displaced { .. })), "{refused:?}");
}

#[test]
fn a_reader_works_while_a_writer_writes_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    assert!(SqliteStore::open_existing(&state).unwrap().is_none());
    assert!(!state.exists());
    let mut writer = SqliteStore::open(&state, &SeededRandom::new(1)).unwrap();
    let at = writer.acquire(&holder(), &nonce()).unwrap();
    let mut reader = SqliteStore::open_existing(&state).unwrap().unwrap();
    writer.commit(at, Timestamp(1), &[Change::Put(row("a", 1))]).unwrap();
    assert_eq!(reader.load().unwrap().rows.len(), 1);
    assert_ne!(SeededRandom::new(1).next(), SeededRandom::new(2).next());
}

/// A ledger of version 1, as an older gops left it.
#[test]
fn an_older_ledger_is_copied_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("version1.sql")).unwrap();
    drop(old);
    let mut reader = SqliteStore::open_existing(folder.path()).unwrap().unwrap();
    assert_eq!(reader.load().unwrap().rows.len(), 1);
    assert!(!folder.path().join("ledger.v1.db").exists(), "a reader changes nothing");
    drop(reader);
    let mut store = SqliteStore::open(folder.path(), &SeededRandom::new(1)).unwrap();
    let ledger = store.load().unwrap();
    assert_eq!(ledger.lineage, "0123");
    assert_eq!(ledger.revision, Revision { serial: 4, epoch: 2 });
    assert!(ledger.rows.values().all(|row| row.ready) && ledger.rows.len() == 1);
    assert_eq!(store.generation(1).unwrap().unwrap().graph.as_deref(), Some("{}"));
    let at = store.acquire(&holder(), &nonce()).unwrap();
    store.commit(at, Timestamp(1), &[Change::Open(intent(2, "a")), Change::Put(row("a", 1))]).unwrap();
    assert_eq!(store.load().unwrap().intents.len(), 1);
    let copy = rusqlite::Connection::open(folder.path().join("ledger.v1.db")).unwrap();
    let version: i64 = copy.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}
