//! The ledger in one SQLite file: WAL, so that a reader works while a writer writes;
//! synchronous=FULL, so that what was committed is there after a power failure.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::handler::{Random, Timestamp, Token};

use super::columns;
use super::journal::{Entry, ROOT};
use super::place::{self, Lock};
use super::store::{Coord, Holder, LockError, Rebuilt, Store, StoreError};
use super::{Change, Generation, Revision, Snapshot};

/// The newest version of the tables that this program knows.
pub(super) const VERSION: i64 = 6;

/// The subset that SQLite and PostgreSQL share: texts and 64-bit numbers.
const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE rows (
    id TEXT NOT NULL, incarnation BIGINT NOT NULL,
    holding TEXT NOT NULL, condition TEXT NOT NULL,
    kind TEXT NOT NULL, handler TEXT NOT NULL, handler_version BIGINT NOT NULL,
    target TEXT NOT NULL, identity TEXT NOT NULL, reach TEXT NOT NULL,
    claims TEXT NOT NULL, digest TEXT NOT NULL,
    fields TEXT NOT NULL, stamp TEXT NOT NULL, physical TEXT NOT NULL, token TEXT, outputs TEXT NOT NULL,
    requires TEXT NOT NULL, protect BIGINT NOT NULL, keep BIGINT NOT NULL, generation BIGINT NOT NULL,
    ready BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (id, incarnation)
);
CREATE TABLE intents (
    number BIGINT PRIMARY KEY, epoch BIGINT NOT NULL, operation TEXT NOT NULL,
    before TEXT, intent_token TEXT NOT NULL,
    id TEXT NOT NULL, incarnation BIGINT NOT NULL,
    holding TEXT NOT NULL, condition TEXT NOT NULL,
    kind TEXT NOT NULL, handler TEXT NOT NULL, handler_version BIGINT NOT NULL,
    target TEXT NOT NULL, identity TEXT NOT NULL, reach TEXT NOT NULL,
    claims TEXT NOT NULL, digest TEXT NOT NULL,
    fields TEXT NOT NULL, stamp TEXT NOT NULL, physical TEXT NOT NULL, token TEXT, outputs TEXT NOT NULL,
    requires TEXT NOT NULL, protect BIGINT NOT NULL, keep BIGINT NOT NULL, generation BIGINT NOT NULL,
    ready BIGINT NOT NULL DEFAULT 1, moved TEXT, deadline BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE generations (
    number BIGINT PRIMARY KEY, revision TEXT NOT NULL, desired TEXT NOT NULL,
    started BIGINT NOT NULL, finished BIGINT,
    scope_rows BIGINT NOT NULL DEFAULT 0, removed BIGINT NOT NULL DEFAULT 0,
    data TEXT NOT NULL DEFAULT '', history TEXT NOT NULL DEFAULT '[]',
    author TEXT NOT NULL DEFAULT '', cause TEXT NOT NULL DEFAULT ''
);
CREATE TABLE graphs (
    generation BIGINT NOT NULL, part BIGINT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (generation, part)
);
CREATE TABLE files (digest TEXT PRIMARY KEY, coding TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE generation_files (
    generation BIGINT NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (generation, path)
);
CREATE TABLE journal (
    number BIGINT PRIMARY KEY, serial BIGINT NOT NULL, time BIGINT NOT NULL,
    event TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE epochs (epoch BIGINT PRIMARY KEY, nonce TEXT NOT NULL);
CREATE TABLE greeted (identity TEXT PRIMARY KEY, epoch BIGINT NOT NULL);
";

/// What makes the tables of each version those of the next, from 1 to 2 on.
const MIGRATIONS: [&str; 5] = [
    "
ALTER TABLE rows ADD COLUMN ready BIGINT NOT NULL DEFAULT 1;
ALTER TABLE intents ADD COLUMN ready BIGINT NOT NULL DEFAULT 1;
ALTER TABLE intents ADD COLUMN moved TEXT;
ALTER TABLE generations ADD COLUMN scope_rows BIGINT NOT NULL DEFAULT 0;
ALTER TABLE generations ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;
CREATE TABLE epochs (epoch BIGINT PRIMARY KEY, nonce TEXT NOT NULL);
CREATE TABLE greeted (identity TEXT PRIMARY KEY, epoch BIGINT NOT NULL);
",
    "
ALTER TABLE generations ADD COLUMN data TEXT NOT NULL DEFAULT '';
ALTER TABLE generations ADD COLUMN history TEXT NOT NULL DEFAULT '[]';
CREATE TABLE files (digest TEXT PRIMARY KEY, coding TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE generation_files (
    generation BIGINT NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (generation, path)
);
",
    "
ALTER TABLE generations ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE generations ADD COLUMN cause TEXT NOT NULL DEFAULT '';
",
    "
ALTER TABLE intents ADD COLUMN deadline BIGINT NOT NULL DEFAULT 0;
",
    // Beside the rest of a generation: every look at that would read its way past the graph, and
    // every change of it would write the graph anew.
    "
CREATE TABLE graphs (
    generation BIGINT NOT NULL, part BIGINT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (generation, part)
);
INSERT INTO graphs SELECT number, 0, graph FROM generations WHERE graph IS NOT NULL;
ALTER TABLE generations DROP COLUMN graph;
",
];

/// A ledger in a folder of its own.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    /// Open only to notice that somebody moved or deleted the database.
    file: File,
    path: PathBuf,
    lock: Option<Lock>,
}

impl SqliteStore {
    /// Opens the ledger of a folder; makes both if they are not there.
    pub fn open(folder: &Path, random: &dyn Random) -> Result<Self, StoreError> {
        place::make_folder(folder)?;
        let path = folder.join("ledger.db");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(StoreError::file("open", &path))?;
        let store = Self::connect(path, file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
        store.prepare(random)?;
        Ok(store)
    }

    /// Opens the ledger of a folder for reading; `None` if there is none yet.
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join("ledger.db");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("open", &path)(error)),
        };
        let store = Self::connect(path, file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        match store.version()? {
            0 => Ok(None),
            VERSION => Ok(Some(store)),
            older => store.in_memory(older).map(Some),
        }
    }

    /// The ledger of an older gops as this one reads it, without a change to its file.
    fn in_memory(self, from: i64) -> Result<Self, StoreError> {
        let done = usize::try_from(from - 1).unwrap_or_default();
        let copied = || -> rusqlite::Result<Connection> {
            let connection = Connection::open_in_memory()?;
            connection.execute("ATTACH ?1 AS old", [self.path.to_string_lossy().as_ref()])?;
            let newer: &[&str] = match from {
                ..=1 => &[],
                2 => &["epochs", "greeted"],
                _ => &["epochs", "greeted", "files", "generation_files"],
            };
            for table in ["meta", "rows", "intents", "generations", "journal"].iter().chain(newer) {
                connection.execute_batch(&format!("CREATE TABLE {table} AS SELECT * FROM old.{table}"))?;
            }
            for migration in MIGRATIONS.iter().skip(done) {
                connection.execute_batch(migration)?;
            }
            connection.execute_batch("DETACH old")?;
            Ok(connection)
        };
        let connection = copied().map_err(|e| self.reading(e))?;
        Ok(SqliteStore { connection, ..self })
    }

    fn connect(path: PathBuf, file: File, flags: OpenFlags) -> Result<Self, StoreError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)
            .and_then(|c| c.busy_timeout(std::time::Duration::from_secs(10)).map(|()| c));
        match connection {
            Ok(connection) => Ok(SqliteStore { connection, file, path, lock: None }),
            Err(source) => {
                Err(StoreError::Database { doing: "open", path: path.display().to_string(), source })
            }
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn reading(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Database { doing: "read", path: self.path.display().to_string(), source }
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|e| writing(&self.path, e))
    }

    /// The version of the tables; 0 if there are none.
    fn version(&self) -> Result<i64, StoreError> {
        let version = self.connection.query_row("PRAGMA user_version", [], |row| row.get(0));
        let version = version.map_err(|e| self.reading(e))?;
        if version > VERSION {
            let path = self.path.display().to_string();
            return Err(StoreError::Version { path, found: version, known: VERSION });
        }
        Ok(version)
    }

    /// Makes the tables of a new ledger.
    fn prepare(&self, random: &dyn Random) -> Result<(), StoreError> {
        match self.version()? {
            0 => {}
            VERSION => return Ok(()),
            older => return self.migrate(older),
        }
        let lineage = format!("{:032x}", random.next());
        let made = || -> rusqlite::Result<()> {
            let commit = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            // Two first runs at once: the second finds what the first made.
            let version: i64 = commit.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if version == 0 {
                commit.execute_batch(TABLES)?;
                let mut put = commit.prepare("INSERT INTO meta (name, value) VALUES (?1, ?2)")?;
                for (name, value) in
                    [("lineage", lineage.as_str()), ("serial", "0"), ("epoch", "0"), ("intent", "1")]
                {
                    put.execute((name, value))?;
                }
                drop(put);
                commit.pragma_update(None, "user_version", VERSION)?;
            }
            commit.commit()
        };
        made().map_err(|e| writing(&self.path, e))
    }

    /// Brings the tables of an older gops up to date, after a copy of them was made.
    fn migrate(&self, from: i64) -> Result<(), StoreError> {
        let copy = self.path.with_extension(format!("v{from}.db"));
        if !copy.exists() {
            let sql = "VACUUM INTO ?1";
            let made = self.connection.execute(sql, [copy.to_string_lossy().as_ref()]);
            made.map_err(|e| writing(&copy, e))?;
        }
        let done = || -> rusqlite::Result<()> {
            let commit = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let found: i64 = commit.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            let done = usize::try_from(found - 1).unwrap_or_default();
            for migration in MIGRATIONS.iter().skip(done) {
                commit.execute_batch(migration)?;
            }
            commit.pragma_update(None, "user_version", VERSION)?;
            commit.commit()
        };
        done().map_err(|e| writing(&self.path, e))
    }

    /// Refuses to write once the files are no longer those that were opened.
    fn confirm(&self) -> Result<(), StoreError> {
        if let Some(lock) = &self.lock {
            lock.confirm()?;
        }
        place::same_file(&self.file, &self.path)
    }

    fn snapshot(&self) -> rusqlite::Result<Snapshot> {
        // One transaction: a writer may commit between two queries.
        let view = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        let mut snapshot = Snapshot {
            lineage: meta(&view, "lineage")?.into(),
            revision: revision(&view)?,
            next_intent: number(&view, "intent")?,
            ..Snapshot::default()
        };
        columns::read_rows(&view, &mut snapshot)?;
        columns::read_intents(&view, &mut snapshot)?;
        columns::read_epochs(&view, &mut snapshot)?;
        let sql = format!("SELECT {} FROM generations ORDER BY number", columns::GENERATION);
        let mut query = view.prepare(&sql)?;
        let read = query.query_map([], columns::read_generation)?;
        snapshot.generations = read.collect::<rusqlite::Result<_>>()?;
        Ok(snapshot)
    }

    fn write(
        &mut self,
        at: Revision,
        now: Timestamp,
        changes: &[Change],
        rebuilt: Option<&Rebuilt<'_>>,
    ) -> rusqlite::Result<Result<Revision, StoreError>> {
        let commit = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = revision(&commit)?;
        if let Err(refused) = found.admit(at) {
            return Ok(Err(refused));
        }
        let epoch = rebuilt.map_or(found.epoch, |rebuilt| found.epoch.max(rebuilt.epoch));
        let next = Revision { serial: found.serial + 1, epoch };
        {
            let mut journal = Journal::open(&commit, next.serial, now)?;
            if let Some(rebuilt) = rebuilt {
                journal.said("recovered", rebuilt.author)?;
            }
            for change in changes {
                columns::write(&commit, change, now)?;
                journal.add(change)?;
            }
        }
        let opened = changes.iter().filter_map(|c| match c {
            Change::Open(intent) => Some(intent.number + 1),
            _ => None,
        });
        if let Some(next) = opened.max() {
            put_meta(&commit, "intent", next)?;
        }
        put_meta(&commit, "serial", next.serial)?;
        if let Some(rebuilt) = rebuilt {
            put_meta(&commit, "epoch", next.epoch)?;
            commit.execute("DELETE FROM epochs", [])?;
            commit.execute("UPDATE meta SET value = ?1 WHERE name = 'lineage'", [rebuilt.lineage])?;
        }
        commit.commit()?;
        Ok(Ok(next))
    }
}

/// Adds entries to the end of the journal.
struct Journal<'c> {
    put: rusqlite::CachedStatement<'c>,
    serial: u64,
    now: Timestamp,
    number: u64,
    hash: EcoString,
}

impl<'c> Journal<'c> {
    fn open(connection: &'c Connection, serial: u64, now: Timestamp) -> rusqlite::Result<Self> {
        let last = "SELECT number, hash FROM journal ORDER BY number DESC LIMIT 1";
        let last: Option<(i64, String)> =
            connection.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (number, hash) = last.unwrap_or((0, ROOT.to_owned()));
        let put = connection.prepare_cached("INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        Ok(Journal { put, serial, now, number: number as u64, hash: hash.into() })
    }

    fn add(&mut self, change: &Change) -> rusqlite::Result<()> {
        let Some(entry) = Entry::of(change, self.number + 1, self.serial, self.now, &self.hash) else {
            return Ok(());
        };
        self.put(entry)
    }

    /// What somebody said of the ledger as a whole.
    fn said(&mut self, event: &str, author: &str) -> rusqlite::Result<()> {
        let entry = Entry::said(event, author, self.number + 1, self.serial, self.now, &self.hash);
        self.put(entry)
    }

    fn put(&mut self, entry: Entry) -> rusqlite::Result<()> {
        self.put.execute(params![
            entry.number as i64,
            entry.serial as i64,
            entry.time.0,
            entry.event.as_str(),
            entry.subject.as_str(),
            entry.detail.as_str(),
            entry.hash.as_str()
        ])?;
        self.number = entry.number;
        self.hash = entry.hash;
        Ok(())
    }
}

fn writing(path: &Path, source: rusqlite::Error) -> StoreError {
    StoreError::Database { doing: "write", path: path.display().to_string(), source }
}

fn meta(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    let mut query = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    query.query_row([name], |row| row.get(0))
}

fn number(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let text = meta(connection, name)?;
    text.parse().map_err(|_| columns::damaged(eco_format!("meta `{name}` is `{text}`")))
}

fn put_meta(connection: &Connection, name: &str, value: u64) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")?;
    put.execute((name, value.to_string())).map(drop)
}

fn revision(connection: &Connection) -> rusqlite::Result<Revision> {
    Ok(Revision { serial: number(connection, "serial")?, epoch: number(connection, "epoch")? })
}

impl Store for SqliteStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.snapshot().map_err(|e| columns::as_damage(e).unwrap_or_else(|e| self.reading(e)))
    }

    fn commit(&mut self, at: Revision, now: Timestamp, changes: &[Change]) -> Result<Revision, StoreError> {
        self.confirm()?;
        let written = self.write(at, now, changes, None);
        written.map_err(|e| columns::as_damage(e).unwrap_or_else(|e| writing(&self.path, e)))?
    }

    fn rebuild(
        &mut self,
        at: Revision,
        now: Timestamp,
        rebuilt: &Rebuilt<'_>,
        changes: &[Change],
    ) -> Result<Revision, StoreError> {
        self.confirm()?;
        let written = self.write(at, now, changes, Some(rebuilt));
        written.map_err(|e| columns::as_damage(e).unwrap_or_else(|e| writing(&self.path, e)))?
    }

    fn generation(&mut self, number: u64) -> Result<Option<Generation>, StoreError> {
        let sql = format!("SELECT {} FROM generations WHERE number = ?1", columns::GENERATION);
        let found = self.connection.query_row(&sql, [number as i64], columns::read_generation);
        let found = found.optional().and_then(|found| match found {
            None => Ok(None),
            Some(found) => {
                let graph = columns::read_graph(&self.connection, number)?;
                let files = columns::read_files(&self.connection, number)?;
                Ok(Some(Generation { graph, files, ..found }))
            }
        });
        found.map_err(|e| columns::as_damage(e).unwrap_or_else(|e| self.reading(e)))
    }

    fn journal(&mut self, after: u64) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT number, serial, time, event, subject, detail, hash FROM journal
             WHERE number > ?1 ORDER BY number";
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let mut query = self.connection.prepare(sql)?;
            query.query_map([after as i64], columns::read_entry)?.collect()
        };
        read().map_err(|e| self.reading(e))
    }
}

impl Coord for SqliteStore {
    fn acquire(&mut self, holder: &Holder, nonce: &Token) -> Result<Revision, LockError> {
        let path = self.path.with_extension("lock");
        self.lock = Some(Lock::take(&path, holder)?);
        let count = || -> rusqlite::Result<Revision> {
            let commit = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let found = revision(&commit)?;
            let next = Revision { serial: found.serial + 1, epoch: found.epoch + 1 };
            put_meta(&commit, "serial", next.serial)?;
            put_meta(&commit, "epoch", next.epoch)?;
            let put = "INSERT INTO epochs VALUES (?1, ?2)";
            commit.execute(put, params![next.epoch as i64, nonce.as_str()])?;
            commit.commit()?;
            Ok(next)
        };
        Ok(count().map_err(|e| writing(&self.path, e))?)
    }
}
