//! A whole ledger as one document, and back: to keep it, to bring it to another machine, to mend it
//! by hand. Every table with all its columns, so that nothing is lost on the way.

use std::path::PathBuf;

use ecow::{EcoString, eco_format};
use rusqlite::types::{ToSqlOutput, Value as Column, ValueRef};
use rusqlite::{Connection, Transaction, TransactionBehavior, params_from_iter};
use serde_json::{Map, Value, json};

use crate::handler::Timestamp;

use super::columns::damaged;
use super::journal::{Entry, ROOT, broken};
use super::sqlite::VERSION;
use super::{Row, Store as _, StoreError};
use super::{SqliteStore, columns};

/// The format of the document.
const FORMAT: u64 = 1;

/// The tables, in an order in which they can be filled.
const TABLES: [&str; 10] = [
    "meta",
    "rows",
    "intents",
    "generations",
    "graphs",
    "files",
    "generation_files",
    "journal",
    "epochs",
    "greeted",
];

impl SqliteStore {
    /// All of it.
    pub fn export(&mut self) -> Result<Value, StoreError> {
        let read = || -> rusqlite::Result<Value> {
            // One transaction: a writer may commit between two tables.
            let view = Transaction::new_unchecked(self.connection(), TransactionBehavior::Deferred)?;
            let mut tables = Map::new();
            for table in TABLES {
                tables.insert(table.to_owned(), dump(&view, table)?);
            }
            Ok(json!({ "format": FORMAT, "version": VERSION, "tables": tables }))
        };
        read().map_err(|e| self.reading(e))
    }

    /// Puts the ledger of a document in the place of this one, whole or not at all. Its journal goes
    /// on with a line that says so.
    pub fn import(&mut self, document: &Value, now: Timestamp, author: &str) -> Result<(), StoreError> {
        let wrong = |what: String| StoreError::Import(what);
        let number = |name: &str| document.get(name).and_then(Value::as_u64);
        if number("format") != Some(FORMAT) {
            return Err(wrong(format!("it has no `format` {FORMAT}")));
        }
        if number("version") != Some(VERSION.unsigned_abs()) {
            return Err(wrong(format!(
                "it is of another version than {VERSION}: use the gops that wrote it"
            )));
        }
        let at = self.load()?.revision;
        let placed = self.place(document, at, now, author);
        placed.map_err(|e| match columns::as_damage(e) {
            Ok(damage) => wrong(damage.to_string()),
            Err(error) => wrong(error.to_string()),
        })
    }

    fn place(
        &mut self,
        document: &Value,
        at: super::Revision,
        now: Timestamp,
        author: &str,
    ) -> rusqlite::Result<()> {
        let commit = Transaction::new_unchecked(self.connection(), TransactionBehavior::Immediate)?;
        for table in TABLES {
            let from = document.get("tables").and_then(|tables| tables.get(table));
            fill(&commit, table, from.ok_or_else(|| damaged(eco_format!("there is no table `{table}`")))?)?;
        }
        let entries: Vec<Entry> = {
            let sql =
                "SELECT number, serial, time, event, subject, detail, hash FROM journal ORDER BY number";
            let mut query = commit.prepare(sql)?;
            query.query_map([], columns::read_entry)?.collect::<rusqlite::Result<_>>()?
        };
        if let Some(number) = broken(&entries) {
            return Err(damaged(eco_format!(
                "entry {number} of its journal does not follow from the one before"
            )));
        }
        // Whoever was given the lock of either has an older one now.
        let meta = |name: &str| -> rusqlite::Result<u64> {
            let sql = "SELECT CAST(value AS BIGINT) FROM meta WHERE name = ?1";
            commit.query_row(sql, [name], |row| row.get::<_, i64>(0)).map(|n| n as u64)
        };
        let (serial, epoch) = (meta("serial")?.max(at.serial) + 1, meta("epoch")?.max(at.epoch));
        for (name, value) in [("serial", serial), ("epoch", epoch)] {
            commit.execute("UPDATE meta SET value = ?2 WHERE name = ?1", (name, value.to_string()))?;
        }
        let last = entries.last();
        let entry = Entry::said(
            "imported",
            author,
            last.map_or(1, |last| last.number + 1),
            serial,
            now,
            last.map_or(ROOT, |last| &last.hash),
        );
        let put = "INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, '', ?6)";
        let (number, serial) = (entry.number as i64, entry.serial as i64);
        let texts = (entry.event.as_str(), entry.subject.as_str(), entry.hash.as_str());
        commit.execute(put, (number, serial, entry.time.0, texts.0, texts.1, texts.2))?;
        commit.commit()
    }

    /// A copy of the ledger beside it, named by where it is at. Gives its path.
    pub fn copy(&mut self) -> Result<PathBuf, StoreError> {
        use std::os::unix::fs::PermissionsExt as _;
        let serial = self.load()?.revision.serial;
        let copy = self.path().with_extension(format!("before-{serial}.db"));
        if !copy.exists() {
            let made = self.connection().execute("VACUUM INTO ?1", [copy.to_string_lossy().as_ref()]);
            made.map_err(|e| self.reading(e))?;
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&copy, mode).map_err(StoreError::file("write", &copy))?;
        }
        Ok(copy)
    }
}

fn names(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let query = connection.prepare(&format!("SELECT * FROM {table} LIMIT 0"))?;
    Ok(query.column_names().map(str::to_owned).collect())
}

fn dump(connection: &Connection, table: &str) -> rusqlite::Result<Value> {
    let columns = names(connection, table)?;
    let mut query = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
    let mut records = query.query([])?;
    let mut rows = Vec::new();
    while let Some(record) = records.next()? {
        let mut row = Vec::with_capacity(columns.len());
        for at in 0..columns.len() {
            row.push(match record.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => json!(number),
                ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                ValueRef::Real(_) | ValueRef::Blob(_) => {
                    return Err(damaged(eco_format!("`{table}` holds what no gops writes")));
                }
            });
        }
        rows.push(Value::Array(row));
    }
    Ok(json!({ "columns": columns, "rows": rows }))
}

fn fill(connection: &Connection, table: &str, from: &Value) -> rusqlite::Result<()> {
    let wrong = |what: &str| damaged(eco_format!("the table `{table}` {what}"));
    let columns = names(connection, table)?;
    let given: Option<Vec<&str>> = from
        .get("columns")
        .and_then(Value::as_array)
        .and_then(|columns| columns.iter().map(Value::as_str).collect());
    if given.is_none_or(|given| given != columns) {
        return Err(wrong("has other columns"));
    }
    let rows = from.get("rows").and_then(Value::as_array).ok_or_else(|| wrong("has no rows"))?;
    connection.execute(&format!("DELETE FROM {table}"), [])?;
    let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
    let mut put = connection.prepare(&format!("INSERT INTO {table} VALUES ({})", places.join(", ")))?;
    for row in rows {
        let row = row.as_array().filter(|row| row.len() == columns.len());
        let values =
            row.ok_or_else(|| wrong("has a row of another length"))?.iter().map(|value| match value {
                Value::Null => Ok(ToSqlOutput::Owned(Column::Null)),
                Value::Number(number) => {
                    let number =
                        number.as_i64().ok_or_else(|| wrong("has a number that is none of a ledger"))?;
                    Ok(ToSqlOutput::Owned(Column::Integer(number)))
                }
                Value::String(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
                _ => Err(wrong("has a value that is neither a text nor a number")),
            });
        put.execute(params_from_iter(values.collect::<rusqlite::Result<Vec<_>>>()?))?;
    }
    Ok(())
}

impl Row {
    /// All that the ledger knows, for people, scripts and the journal. Secrets stand in it by their
    /// keyed prints alone.
    pub fn to_json(&self) -> Value {
        let read =
            |text: &EcoString| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text.as_str()));
        json!({
            "id": self.key.id.as_str(),
            "incarnation": self.key.incarnation,
            "holding": self.holding.as_str(),
            "condition": self.condition.as_str(),
            "type": self.kind.as_str(),
            "handler": self.handler.as_str(),
            "handler_version": self.handler_version,
            "target": self.place.target.as_str(),
            "identity": self.place.identity.as_str(),
            "reach": read(&self.place.reach),
            "claims": self.claims,
            "digest": self.digest.as_str(),
            "fields": read(&self.recorded.fields),
            "stamp": self.recorded.stamp.as_str(),
            "physical": self.recorded.physical.as_str(),
            "token": self.recorded.token.as_ref().map(crate::handler::Token::as_str),
            "outputs": read(&self.recorded.outputs),
            "requires": self.requires,
            "protect": self.protect,
            "keep": self.keep,
            "generation": self.generation,
            "ready": self.ready,
        })
    }
}
