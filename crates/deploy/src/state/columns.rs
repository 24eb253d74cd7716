//! Rows, intents, generations and journal entries as columns of SQL, and back.

use std::sync::Arc;

use ecow::EcoString;
use rusqlite::types::Type;
use rusqlite::{Connection, Row as Record, ToSql, params};
use rustc_hash::FxHashSet;
use sha2::{Digest as _, Sha256};

use crate::handler::{Recorded, Timestamp, Token};

use super::Condition;
use super::journal::{Entry, hex};
use super::ledger::SUSPECT;
use super::{
    Change, Closed, Generation, Holding, Intent, Operation, Place, Row, RowKey, Snapshot, StoreError,
};

/// How many columns a row has.
const WIDTH: usize = 22;

/// What no gops writes was read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Damage(EcoString);

/// An error that says what no gops writes.
pub(super) fn damaged(what: EcoString) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(Damage(what)))
}

/// The error as one of the ledger's content, if it is one.
pub(super) fn as_damage(error: rusqlite::Error) -> Result<StoreError, rusqlite::Error> {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, inner) if inner.is::<Damage>() => {
            Ok(StoreError::Damaged(inner.to_string()))
        }
        other => Err(other),
    }
}

/// Shares texts that many rows have: types, handlers, targets, identities.
#[derive(Default)]
struct Shared(FxHashSet<EcoString>);

impl Shared {
    fn get(&mut self, record: &Record<'_>, at: usize) -> rusqlite::Result<EcoString> {
        let text = record.get_ref(at)?.as_str()?;
        if let Some(known) = self.0.get(text) {
            return Ok(known.clone());
        }
        let text = EcoString::from(text);
        self.0.insert(text.clone());
        Ok(text)
    }
}

fn text(record: &Record<'_>, at: usize) -> rusqlite::Result<EcoString> {
    Ok(record.get_ref(at)?.as_str()?.into())
}

fn optional(record: &Record<'_>, at: usize) -> rusqlite::Result<Option<EcoString>> {
    Ok(record.get_ref(at)?.as_str_or_null()?.map(EcoString::from))
}

fn unsigned(record: &Record<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(record.get::<_, i64>(at)? as u64)
}

/// Reads an enum, or a token: whatever is written as a text and not every text is one.
fn known<T>(record: &Record<'_>, at: usize, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text = record.get_ref(at)?.as_str()?;
    parse(text).ok_or_else(|| damaged(ecow::eco_format!("column {at} holds `{text}`")))
}

/// Lists of texts are written as JSON.
fn list(shared: &mut Shared, record: &Record<'_>, at: usize) -> rusqlite::Result<Box<[EcoString]>> {
    let text = record.get_ref(at)?.as_str()?;
    let items: Vec<std::borrow::Cow<'_, str>> = serde_json::from_str(text)
        .map_err(|_| damaged(ecow::eco_format!("column {at} holds `{text}`, not a list")))?;
    let mut share = |item: &str| match shared.0.get(item) {
        Some(known) => known.clone(),
        None => {
            let item = EcoString::from(item);
            shared.0.insert(item.clone());
            item
        }
    };
    Ok(items.iter().map(|item| share(item)).collect())
}

fn list_text(items: &[EcoString]) -> String {
    let items: Vec<&str> = items.iter().map(EcoString::as_str).collect();
    serde_json::to_string(&items).unwrap_or_default()
}

/// Reads the columns of a row that start at `at`.
fn read_row(shared: &mut Shared, record: &Record<'_>, at: usize) -> rusqlite::Result<Row> {
    let token = match record.get_ref(at + 15)?.as_str_or_null()? {
        None => None,
        Some(_) => Some(known(record, at + 15, Token::parse)?),
    };
    Ok(Row {
        key: RowKey { id: text(record, at)?, incarnation: unsigned(record, at + 1)? as u32 },
        holding: known(record, at + 2, Holding::parse)?,
        condition: known(record, at + 3, Condition::parse)?,
        kind: shared.get(record, at + 4)?,
        handler: shared.get(record, at + 5)?,
        handler_version: unsigned(record, at + 6)? as u32,
        place: Place {
            target: shared.get(record, at + 7)?,
            identity: shared.get(record, at + 8)?,
            reach: shared.get(record, at + 9)?,
        },
        claims: list(&mut Shared::default(), record, at + 10)?,
        digest: text(record, at + 11)?,
        recorded: Recorded {
            fields: text(record, at + 12)?,
            stamp: text(record, at + 13)?,
            physical: shared.get(record, at + 14)?,
            token,
            outputs: text(record, at + 16)?,
        },
        requires: list(shared, record, at + 17)?,
        protect: unsigned(record, at + 18)? != 0,
        keep: unsigned(record, at + 19)? != 0,
        generation: unsigned(record, at + 20)?,
        ready: unsigned(record, at + 21)? != 0,
    })
}

/// Calls `run` with the columns of a row.
fn with_row<T>(row: &Row, run: impl FnOnce(&[&dyn ToSql; WIDTH]) -> T) -> T {
    let recorded = &row.recorded;
    run(&[
        &row.key.id.as_str(),
        &i64::from(row.key.incarnation),
        &row.holding.as_str(),
        &row.condition.as_str(),
        &row.kind.as_str(),
        &row.handler.as_str(),
        &i64::from(row.handler_version),
        &row.place.target.as_str(),
        &row.place.identity.as_str(),
        &row.place.reach.as_str(),
        &list_text(&row.claims),
        &row.digest.as_str(),
        &recorded.fields.as_str(),
        &recorded.stamp.as_str(),
        &recorded.physical.as_str(),
        &recorded.token.as_ref().map(Token::as_str),
        &recorded.outputs.as_str(),
        &list_text(&row.requires),
        &i64::from(row.protect),
        &i64::from(row.keep),
        &(row.generation as i64),
        &row.ready,
    ])
}

const ROW: &str = "id, incarnation, holding, condition, kind, handler, handler_version, target, identity,
    reach, claims, digest, fields, stamp, physical, token, outputs, requires, protect, keep, generation, ready";

/// Reads all rows.
pub(super) fn read_rows(connection: &Connection, into: &mut Snapshot) -> rusqlite::Result<()> {
    let mut shared = Shared::default();
    let count: i64 = connection.query_row("SELECT COUNT(*) FROM rows", [], |record| record.get(0))?;
    let mut query = connection.prepare(&format!("SELECT {ROW} FROM rows ORDER BY id, incarnation"))?;
    let mut records = query.query([])?;
    let mut rows = Vec::with_capacity(count.max(0) as usize);
    while let Some(record) = records.next()? {
        rows.push(Box::new(read_row(&mut shared, record, 0)?));
    }
    into.rows = rows.into_iter().collect();
    Ok(())
}

/// Reads all open intents.
pub(super) fn read_intents(connection: &Connection, into: &mut Snapshot) -> rusqlite::Result<()> {
    let mut shared = Shared::default();
    let sql =
        format!("SELECT number, epoch, operation, before, intent_token, {ROW}, moved, deadline FROM intents");
    let mut query = connection.prepare(&sql)?;
    let mut records = query.query([])?;
    while let Some(record) = records.next()? {
        let number = unsigned(record, 0)?;
        let intent = Intent {
            number,
            epoch: unsigned(record, 1)?,
            operation: known(record, 2, Operation::parse)?,
            before: optional(record, 3)?,
            token: known(record, 4, Token::parse)?,
            row: read_row(&mut shared, record, 5)?,
            moved: read_key(record, 5 + WIDTH)?,
            deadline: Timestamp(record.get(6 + WIDTH)?),
        };
        into.intents.insert(number, intent);
    }
    Ok(())
}

/// Keys within other records are written as JSON: the id, then the incarnation.
fn read_key(record: &Record<'_>, at: usize) -> rusqlite::Result<Option<RowKey>> {
    let Some(text) = record.get_ref(at)?.as_str_or_null()? else { return Ok(None) };
    let (id, incarnation): (String, u32) = serde_json::from_str(text)
        .map_err(|_| damaged(ecow::eco_format!("column {at} holds `{text}`, not a key")))?;
    Ok(Some(RowKey { id: id.into(), incarnation }))
}

fn key_text(key: &RowKey) -> String {
    serde_json::to_string(&(key.id.as_str(), key.incarnation)).unwrap_or_default()
}

/// The columns of a generation that are always read.
pub(super) const GENERATION: &str =
    "number, revision, desired, started, finished, scope_rows, removed, data, history, author, cause";

/// Reads what [`GENERATION`] names.
pub(super) fn read_generation(record: &Record<'_>) -> rusqlite::Result<Generation> {
    Ok(Generation {
        number: unsigned(record, 0)?,
        revision: text(record, 1)?,
        desired: text(record, 2)?,
        started: Timestamp(record.get(3)?),
        finished: record.get::<_, Option<i64>>(4)?.map(Timestamp),
        rows: unsigned(record, 5)?,
        removed: unsigned(record, 6)?,
        data: text(record, 7)?,
        history: numbers(record, 8)?,
        author: text(record, 9)?,
        cause: text(record, 10)?,
        files: Vec::new(),
        graph: None,
    })
}

/// About how large a part of a graph is: more than that SQLite need not hold at once.
const PART: usize = 1 << 20;

/// Keeps the graph of a generation.
fn keep_graph(connection: &Connection, number: u64, graph: &str) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("INSERT INTO graphs VALUES (?1, ?2, ?3)")?;
    let (mut rest, mut part) = (graph, 0);
    while part == 0 || !rest.is_empty() {
        let (content, behind) = rest.split_at(rest.floor_char_boundary(PART));
        put.execute(params![number as i64, part, content])?;
        (rest, part) = (behind, part + 1);
    }
    Ok(())
}

/// Reads the graph of a generation, if it is kept.
pub(super) fn read_graph(connection: &Connection, number: u64) -> rusqlite::Result<Option<Box<str>>> {
    let mut query = connection.prepare("SELECT content FROM graphs WHERE generation = ?1 ORDER BY part")?;
    let mut records = query.query([number as i64])?;
    let mut graph: Option<String> = None;
    while let Some(record) = records.next()? {
        graph.get_or_insert_default().push_str(record.get_ref(0)?.as_str()?);
    }
    Ok(graph.map(String::into_boxed_str))
}

fn numbers(record: &Record<'_>, at: usize) -> rusqlite::Result<Vec<u64>> {
    let text = record.get_ref(at)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|_| damaged(ecow::eco_format!("column {at} holds `{text}`, not numbers")))
}

/// Reads the files of a generation.
pub(super) fn read_files(
    connection: &Connection,
    number: u64,
) -> rusqlite::Result<Vec<(EcoString, Arc<[u8]>)>> {
    let sql = "SELECT path, coding, content FROM generation_files
        JOIN files ON files.digest = generation_files.digest WHERE generation = ?1 ORDER BY path";
    let mut query = connection.prepare(sql)?;
    let mut records = query.query([number as i64])?;
    let mut files = Vec::new();
    while let Some(record) = records.next()? {
        let content = record.get_ref(2)?.as_str()?;
        let bytes: Arc<[u8]> = match record.get_ref(1)?.as_str()? {
            "text" => content.as_bytes().into(),
            _ => unhex(content).ok_or_else(|| damaged("a file is kept that is no hex".into()))?.into(),
        };
        files.push((text(record, 0)?, bytes));
    }
    Ok(files)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Keeps the files of a generation: what is in several generations once.
fn keep_files(connection: &Connection, generation: &Generation) -> rusqlite::Result<()> {
    let put = "INSERT INTO files VALUES (?1, ?2, ?3) ON CONFLICT (digest) DO NOTHING";
    let mut put = connection.prepare_cached(put)?;
    let name = "INSERT INTO generation_files VALUES (?1, ?2, ?3)";
    let mut name = connection.prepare_cached(name)?;
    for (path, bytes) in &generation.files {
        let digest = hex(&Sha256::digest(bytes));
        match std::str::from_utf8(bytes) {
            Ok(text) => put.execute(params![digest.as_str(), "text", text])?,
            Err(_) => put.execute(params![digest.as_str(), "hex", hex(bytes).as_str()])?,
        };
        name.execute(params![generation.number as i64, path.as_str(), digest.as_str()])?;
    }
    Ok(())
}

/// Reads a line of the journal.
pub(super) fn read_entry(record: &Record<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        number: unsigned(record, 0)?,
        serial: unsigned(record, 1)?,
        time: Timestamp(record.get(2)?),
        event: text(record, 3)?,
        subject: text(record, 4)?,
        detail: text(record, 5)?,
        hash: text(record, 6)?,
    })
}

/// Makes one change.
pub(super) fn write(connection: &Connection, change: &Change, now: Timestamp) -> rusqlite::Result<()> {
    match change {
        Change::Open(intent) => open(connection, intent),
        Change::Close { number, outcome: Closed::Done | Closed::NoEffect, .. } => {
            let mut sql = connection.prepare_cached("DELETE FROM intents WHERE number = ?1")?;
            sql.execute([*number as i64]).map(drop)
        }
        Change::Put(row) => put(connection, row),
        Change::Refresh { key, stamp } => {
            let sql = "UPDATE rows SET stamp = ?3 WHERE id = ?1 AND incarnation = ?2";
            let mut sql = connection.prepare_cached(sql)?;
            sql.execute(params![key.id.as_str(), i64::from(key.incarnation), stamp.as_str()]).map(drop)
        }
        Change::Drop { key, .. } => {
            let sql = "DELETE FROM rows WHERE id = ?1 AND incarnation = ?2";
            let mut sql = connection.prepare_cached(sql)?;
            sql.execute(params![key.id.as_str(), i64::from(key.incarnation)]).map(drop)
        }
        Change::Start(generation) => start(connection, generation, now),
        Change::Greeted { identity } => greeted(connection, identity),
        Change::Suspect { identity } => {
            let sql = "INSERT INTO greeted VALUES (?1, ?2)
                ON CONFLICT (identity) DO UPDATE SET epoch = excluded.epoch";
            connection.prepare_cached(sql)?.execute(params![identity.as_str(), SUSPECT as i64]).map(drop)
        }
        Change::Removed { number, rows } => {
            let sql = "UPDATE generations SET removed = removed + ?2 WHERE number = ?1";
            let mut sql = connection.prepare_cached(sql)?;
            sql.execute([*number as i64, *rows as i64]).map(drop)
        }
        Change::Finish { number } => {
            let mut sql =
                connection.prepare_cached("UPDATE generations SET finished = ?2 WHERE number = ?1")?;
            sql.execute([*number as i64, now.0]).map(drop)
        }
    }
}

fn put(connection: &Connection, row: &Row) -> rusqlite::Result<()> {
    const PUT: &str = "INSERT INTO rows VALUES
        (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
        ON CONFLICT (id, incarnation) DO UPDATE SET holding = excluded.holding,
        condition = excluded.condition, kind = excluded.kind, handler = excluded.handler,
        handler_version = excluded.handler_version, target = excluded.target,
        identity = excluded.identity, reach = excluded.reach, claims = excluded.claims,
        digest = excluded.digest, fields = excluded.fields, stamp = excluded.stamp,
        physical = excluded.physical, token = excluded.token, outputs = excluded.outputs,
        requires = excluded.requires, protect = excluded.protect, keep = excluded.keep,
        generation = excluded.generation, ready = excluded.ready";
    let mut sql = connection.prepare_cached(PUT)?;
    with_row(row, |columns| sql.execute(columns.as_slice())).map(drop)
}

fn open(connection: &Connection, intent: &Intent) -> rusqlite::Result<()> {
    const OPEN: &str = "INSERT INTO intents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
        ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)";
    let mut sql = connection.prepare_cached(OPEN)?;
    let number = intent.number as i64;
    let epoch = intent.epoch as i64;
    let before = intent.before.as_ref().map(EcoString::as_str);
    let moved = intent.moved.as_ref().map(key_text);
    let head: [&dyn ToSql; 5] =
        [&number, &epoch, &intent.operation.as_str(), &before, &intent.token.as_str()];
    with_row(&intent.row, |columns| {
        let all: Vec<&dyn ToSql> =
            head.iter().chain(columns).copied().chain([&moved as &dyn ToSql, &intent.deadline.0]).collect();
        sql.execute(all.as_slice()).map(drop)
    })
}

fn start(connection: &Connection, generation: &Generation, now: Timestamp) -> rusqlite::Result<()> {
    let mut sql = connection.prepare_cached(
        "INSERT INTO generations (number, revision, desired, started, finished,
            scope_rows, removed, data, history, author, cause)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    sql.execute(params![
        generation.number as i64,
        generation.revision.as_str(),
        generation.desired.as_str(),
        now.0,
        generation.finished.map(|t| t.0),
        generation.rows as i64,
        generation.removed as i64,
        generation.data.as_str(),
        serde_json::to_string(&generation.history).unwrap_or_default(),
        generation.author.as_str(),
        generation.cause.as_str(),
    ])?;
    if let Some(graph) = &generation.graph {
        keep_graph(connection, generation.number, graph)?;
    }
    keep_files(connection, generation)
}

/// The epoch of a target is the ledger's; older ones that no target can name are not needed. While
/// one is suspect, whose epoch is written as -1, any may be named.
fn greeted(connection: &Connection, identity: &str) -> rusqlite::Result<()> {
    const PUT: &str = "INSERT INTO greeted SELECT ?1, CAST(value AS BIGINT) FROM meta WHERE name = 'epoch'
        ON CONFLICT (identity) DO UPDATE SET epoch = excluded.epoch";
    connection.prepare_cached(PUT)?.execute([identity])?;
    let prune = "DELETE FROM epochs WHERE epoch < (SELECT MIN(epoch) FROM greeted)";
    connection.prepare_cached(prune)?.execute([]).map(drop)
}

/// Reads what was agreed with targets.
pub(super) fn read_epochs(connection: &Connection, into: &mut Snapshot) -> rusqlite::Result<()> {
    let mut query = connection.prepare("SELECT epoch, nonce FROM epochs")?;
    let mut records = query.query([])?;
    while let Some(record) = records.next()? {
        into.epochs.insert(unsigned(record, 0)?, known(record, 1, Token::parse)?);
    }
    let mut query = connection.prepare("SELECT identity, epoch FROM greeted")?;
    let mut records = query.query([])?;
    while let Some(record) = records.next()? {
        into.greeted.insert(text(record, 0)?, unsigned(record, 1)?);
    }
    Ok(())
}
