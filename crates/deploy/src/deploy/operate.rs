//! What an operator says about a ledger: under its lock, in its journal, after a copy of it. Nothing
//! on a target is touched, and what is dropped is kept in the journal.

use std::path::PathBuf;

use ecow::{EcoString, eco_format};

use crate::base::id::{self, KeyValue};
use crate::diag::did_you_mean;
use crate::graph::Node;
use crate::handler::{Clock as _, Registry, SystemClock, SystemRandom, Token};
use crate::state::{
    Change, Closed, Condition, End, Row, RowKey, Snapshot, SqliteStore, Store as _, ledger_folder,
};

use super::Error;
use super::planning::plan::Plan;
use super::run::{Observer, Options, take_lock};

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// The same object goes on under another id.
    Move {
        /// The id that it has.
        from: String,
        /// What the project has under the id that it gets.
        to: Box<Node>,
    },
    /// What is in doubt is ours.
    Claim(String),
    /// gops is to know nothing of it any more; it stays where it is.
    Forget(String),
    /// A target is no more, and what was on it with it.
    Retire {
        /// The id or the key of the target.
        target: String,
        /// Which of several machines that had its name.
        identity: Option<String>,
    },
    /// It is not protected any more.
    Unprotect(String),
}

/// What is about to be written into a ledger, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// A line each.
    pub lines: Vec<String>,
}

/// The ledger of a project, to be looked at; none if it was never deployed.
pub fn ledger(options: &Options) -> Result<Option<Snapshot>, Error> {
    let folder = folder(options)?;
    match SqliteStore::open_existing(&folder)? {
        Some(mut store) => Ok(Some(store.load()?)),
        None => Ok(None),
    }
}

/// The whole ledger as one document.
pub fn export(options: &Options) -> Result<serde_json::Value, Error> {
    match SqliteStore::open_existing(&folder(options)?)? {
        Some(mut store) => Ok(store.export()?),
        None => Err(nothing()),
    }
}

/// Puts the ledger of a document in the place of the present one, if `agree` says so. Gives the path of
/// the copy of what was there.
pub fn import(
    document: &serde_json::Value,
    options: &Options,
    agree: &mut dyn FnMut(&Orders) -> bool,
) -> Result<Option<PathBuf>, Error> {
    let mut store = SqliteStore::open(&folder(options)?, &SystemRandom)?;
    take_lock(&mut store, &Token::new(&SystemRandom), None, &SystemClock, &mut Nobody)?;
    let was = store.load()?;
    let count = |table: &str| {
        let rows = document.get("tables").and_then(|t| t.get(table)).and_then(|t| t.get("rows"));
        rows.and_then(serde_json::Value::as_array).map_or(0, Vec::len)
    };
    let orders = Orders {
        lines: vec![format!(
            "the ledger with {} and {} is replaced by one with {} and {}",
            many(was.rows.len(), "resource"),
            many(was.generations.len(), "generation"),
            many(count("rows"), "resource"),
            many(count("generations"), "generation"),
        )],
    };
    if !agree(&orders) {
        return Ok(None);
    }
    let copy = store.copy()?;
    store.import(document, SystemClock.now(), &options.author)?;
    Ok(Some(copy))
}

/// Does what is said, if `agree` says so. Gives the path of the copy of the ledger as it was.
pub fn operate(
    order: &Order,
    options: &Options,
    agree: &mut dyn FnMut(&Orders) -> bool,
) -> Result<Option<PathBuf>, Error> {
    let folder = folder(options)?;
    if SqliteStore::open_existing(&folder)?.is_none() {
        return Err(nothing());
    }
    let mut store = SqliteStore::open(&folder, &SystemRandom)?;
    take_lock(&mut store, &Token::new(&SystemRandom), None, &SystemClock, &mut Nobody)?;
    let ledger = store.load()?;
    let (changes, orders) = Desk { ledger: &ledger, author: &options.author }.changes(order)?;
    if !agree(&orders) {
        return Ok(None);
    }
    let copy = store.copy()?;
    store.commit(ledger.revision, SystemClock.now(), &changes)?;
    Ok(Some(copy))
}

/// Who is told that somebody else is at work: nobody waits for that here.
pub(super) struct Nobody;

impl Observer for Nobody {
    fn planned(&mut self, _: &Plan) -> bool {
        false
    }
}

pub(super) fn folder(options: &Options) -> Result<PathBuf, Error> {
    Ok(ledger_folder(options.state.as_deref(), &options.project, options.environment.as_deref())?)
}

fn nothing() -> Error {
    order(
        "nothing was deployed yet, so there is no ledger",
        "`--state DIR` and `--env NAME` name another one",
    )
}

pub(super) fn order(what: impl Into<String>, help: impl Into<String>) -> Error {
    Error::Order { what: what.into(), help: help.into() }
}

pub(super) fn many(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Turns what is said into changes; pure.
struct Desk<'a> {
    ledger: &'a Snapshot,
    author: &'a str,
}

type Decided = (Vec<Change>, Orders);

impl Desk<'_> {
    fn changes(&self, order: &Order) -> Result<Decided, Error> {
        match order {
            Order::Move { from, to } => self.rename(from, to),
            Order::Claim(id) => self.claim(id),
            Order::Forget(id) => self.forget(id),
            Order::Retire { target, identity } => self.retire(target, identity.as_deref()),
            Order::Unprotect(id) => self.unprotect(id),
        }
    }

    /// The id of a resource that somebody means.
    fn named(&self, written: &str) -> Result<EcoString, Error> {
        let rows = self.ledger.rows.keys().map(|key| &key.id);
        let mut ids: Vec<&EcoString> =
            rows.chain(self.ledger.intents.values().map(|intent| &intent.row.key.id)).collect();
        ids.sort();
        ids.dedup();
        one_of(written, &ids, "resource in the ledger")
    }

    fn claim(&self, written: &str) -> Result<Decided, Error> {
        let id = self.named(written)?;
        let shown = id::shown(&id);
        let doubtful = self.ledger.rows_of(&id).filter(|row| row.condition == Condition::Doubt);
        // It is read anew: nothing is sure of it but whose it is.
        let claimed = doubtful.map(|row| unsure(Row { condition: Condition::Ok, ..row.clone() }));
        let changes: Vec<Change> = claimed.map(Change::Put).collect();
        if changes.is_empty() {
            return Err(order(format!("`{shown}` is not in doubt"), "`gops status` says what is"));
        }
        let line = format!("{shown} is ours: it is deleted once it is no longer wanted");
        Ok((changes, Orders { lines: vec![line] }))
    }

    fn unprotect(&self, written: &str) -> Result<Decided, Error> {
        let id = self.named(written)?;
        let shown = id::shown(&id);
        let is = |row: &&Row| row.protect || row.condition == Condition::Retained;
        let open = |row: &Row| {
            let condition = if row.condition == Condition::Retained { Condition::Ok } else { row.condition };
            Change::Put(Row { protect: false, condition, ..row.clone() })
        };
        let changes: Vec<Change> = self.ledger.rows_of(&id).filter(is).map(open).collect();
        if changes.is_empty() {
            return Err(order(format!("`{shown}` is not protected"), "nothing keeps it from being deleted"));
        }
        let line = format!(
            "{shown} is not protected any more: the next deploy deletes it, unless the project wants it"
        );
        Ok((changes, Orders { lines: vec![line] }))
    }

    fn forget(&self, written: &str) -> Result<Decided, Error> {
        let id = self.named(written)?;
        let rows: Vec<&Row> = self.ledger.rows_of(&id).collect();
        let changes = self.drop(&rows, |row| row.key.id == id, End::Forgotten);
        let line = format!(
            "{} is forgotten: it stays where it is, and gops neither changes nor deletes it, unless the project wants it",
            id::shown(&id)
        );
        Ok((changes, Orders { lines: vec![line] }))
    }

    fn retire(&self, written: &str, identity: Option<&str>) -> Result<Decided, Error> {
        let intents = self.ledger.intents.values().map(|intent| &intent.row);
        let places: std::collections::BTreeSet<_> =
            self.ledger.rows.values().chain(intents).map(|row| &row.place).collect();
        let mut targets: Vec<&EcoString> = places.iter().map(|place| &place.target).collect();
        targets.dedup();
        let target = one_of(written, &targets, "target in the ledger")?;
        let mut machines: Vec<&EcoString> =
            places.iter().filter(|place| place.target == target).map(|place| &place.identity).collect();
        machines.dedup();
        let shown = id::shown(&target);
        let machine = match (identity, machines.as_slice()) {
            (None, [one]) => (*one).clone(),
            (None, several) => {
                let listed: Vec<String> = several.iter().map(|m| format!("`--identity {m}`")).collect();
                let what = format!("{} machines had the name `{shown}`", several.len());
                return Err(order(what, format!("say which is no more: {}", listed.join(" or "))));
            }
            (Some(written), _) => one_of(written, &machines, "machine of that name in the ledger")?,
        };
        let is_there = |row: &Row| row.place.target == target && row.place.identity == machine;
        let rows: Vec<&Row> = self.ledger.rows.values().filter(|row| is_there(row)).collect();
        let count = rows.len();
        let changes = self.drop(&rows, is_there, End::Retired);
        let mut lines = vec![format!("{shown} is no more, and {} on it with it:", many(count, "resource"))];
        lines.extend(rows.iter().map(|row| format!("  {}", id::shown(&row.key.id))));
        Ok((changes, Orders { lines }))
    }

    /// Rows that leave, and the effects that are under way with them.
    fn drop(&self, rows: &[&Row], of: impl Fn(&Row) -> bool, end: End) -> Vec<Change> {
        let intents = self.ledger.intents.values().filter(|intent| of(&intent.row));
        let closed = intents.map(|intent| Change::Close {
            number: intent.number,
            outcome: Closed::NoEffect,
            evidence: eco_format!("{} said that it is {end}: {}", self.author, intent.row.to_json()),
        });
        let dropped = rows.iter().map(|row| Change::Drop {
            key: row.key.clone(),
            end,
            evidence: eco_format!("{} said so: {}", self.author, row.to_json()),
        });
        closed.chain(dropped).collect()
    }

    /// The object stays where it is: under an id that the project has elsewhere it would be lost sight
    /// of, and stay for ever.
    fn rename(&self, from: &str, to: &Node) -> Result<Decided, Error> {
        let from = self.named(from)?;
        let shown = (id::shown(&from), id::shown(&to.id));
        let live = self.ledger.rows_of(&from).find(|row| row.condition != Condition::Deposed);
        let Some(row) = live else {
            return Err(order(format!("`{}` is about to be deleted", shown.0), "run `gops deploy` first"));
        };
        if self.ledger.rows_of(&to.id).next().is_some() {
            let what = format!("the ledger has a `{}` already", shown.1);
            return Err(order(what, "forget that first, or write another id"));
        }
        if self.ledger.intents.values().any(|intent| [&from, &to.id].contains(&&intent.row.key.id)) {
            let what = format!("an effect on `{}` is under way or was not accounted for", shown.0);
            return Err(order(what, "run `gops deploy` first: it finds out what became of it"));
        }
        let registry = Registry::standard();
        let claims = registry.get(&to.handler).map(|handler| handler.claims(to)).unwrap_or_default();
        let is_there = row.place.target == to.target && row.handler == to.handler && *row.claims == *claims;
        if !is_there {
            let what = format!("`{}` is elsewhere than `{}` is to be", shown.0, shown.1);
            let help = "write `moved … to …` in the model: then a deploy brings it there";
            return Err(order(what, help));
        }
        let evidence = eco_format!("{} said that it goes on as {}", self.author, to.id);
        let mut changes = vec![Change::Drop { key: row.key.clone(), end: End::HandedOver, evidence }];
        let key = RowKey { id: to.id.clone(), incarnation: 1 };
        let kind = to.type_.clone();
        changes.push(Change::Put(Row { digest: EcoString::new(), key, kind, ..row.clone() }));
        for user in self.ledger.rows.values().filter(|user| user.requires.contains(&from)) {
            let name = |id: &EcoString| if *id == from { to.id.clone() } else { id.clone() };
            changes.push(Change::Put(Row {
                requires: user.requires.iter().map(name).collect(),
                ..user.clone()
            }));
        }
        let line = format!("{} goes on as {}", shown.0, shown.1);
        Ok((changes, Orders { lines: vec![line] }))
    }
}

/// The row with nothing in it that would spare a close look.
fn unsure(mut row: Row) -> Row {
    row.recorded.stamp = EcoString::new();
    row.digest = EcoString::new();
    row
}

/// The one that somebody means: by its id, by that as it is shown, or by its key.
fn one_of(written: &str, known: &[&EcoString], what: &str) -> Result<EcoString, Error> {
    let key = |id: &str| {
        id::parse(id).ok().and_then(|id| match id.keys.as_slice() {
            [(_, KeyValue::Str(key))] => Some(key.clone()),
            _ => None,
        })
    };
    let is = |id: &&&EcoString| {
        id.as_str() == written || id::shown(id) == written || key(id).as_deref() == Some(written)
    };
    let found: Vec<&&EcoString> = known.iter().filter(is).collect();
    match found.as_slice() {
        [one] => Ok((**one).clone()),
        [] => {
            let shown: Vec<String> = known.iter().map(|id| id::shown(id).into_owned()).collect();
            let none = || "`gops state show` lists what there is".to_owned();
            let help = did_you_mean(written, shown.iter().map(String::as_str)).unwrap_or_else(none);
            Err(order(format!("there is no {what} `{written}`"), help))
        }
        several => {
            let ids: Vec<String> = several.iter().map(|id| format!("`{id}`")).collect();
            Err(order(format!("`{written}` may be one of several"), format!("write {}", ids.join(" or "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphValue, LOCAL};
    use crate::handler::Recorded;
    use crate::state::{Holding, Place};

    fn node(kind: &str, path: &str) -> Box<Node> {
        Box::new(Node::new(
            eco_format!("{kind}[path={path}]"),
            "file",
            GraphValue::map(vec![
                ("path".into(), GraphValue::Str(path.into())),
                ("content".into(), GraphValue::Str("".into())),
            ]),
        ))
    }

    fn row(id: &str, condition: Condition) -> Row {
        Row {
            key: RowKey { id: id.into(), incarnation: 1 },
            holding: Holding::Made,
            condition,
            kind: "std::files::TextFile".into(),
            handler: "file".into(),
            handler_version: 1,
            place: Place { target: LOCAL.into(), identity: "m".into(), reach: EcoString::new() },
            claims: [EcoString::from("path:/a")].into(),
            digest: "d".into(),
            recorded: Recorded { stamp: "s".into(), ..Recorded::default() },
            requires: Box::default(),
            protect: false,
            keep: false,
            generation: 1,
            ready: true,
        }
    }

    fn changes(rows: Vec<Row>, order: &Order) -> Result<Vec<Change>, String> {
        let rows = rows.into_iter().map(Box::new).collect();
        let ledger = Snapshot { rows, ..Snapshot::default() };
        let changes = Desk { ledger: &ledger, author: "alice" }.changes(order);
        changes.map(|(changes, _)| changes).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_is_in_doubt_is_claimed_and_then_looked_at_anew() {
        let order = Order::Claim("k::T[n=1]".into());
        let changed = changes(vec![row("k::T[n=1]", Condition::Doubt)], &order).unwrap();
        let [Change::Put(claimed)] = changed.as_slice() else { panic!("{changed:?}") };
        assert_eq!((claimed.condition, claimed.digest.as_str()), (Condition::Ok, ""));
        assert!(claimed.recorded.stamp.is_empty());
        assert!(changes(vec![row("k::T[n=1]", Condition::Ok)], &order).is_err());
    }

    #[test]
    fn another_id_is_for_the_same_place_alone() {
        let known = || {
            let user =
                Row { requires: ["old::File[path=/a]".into()].into(), ..row("k::T[n=1]", Condition::Ok) };
            vec![row("old::File[path=/a]", Condition::Ok), user]
        };
        let to = |kind: &str, path: &str| Order::Move { from: "File[path=/a]".into(), to: node(kind, path) };
        let changed = changes(known(), &to("std::files::TextFile", "/a")).unwrap();
        let [Change::Drop { end: End::HandedOver, .. }, Change::Put(new), Change::Put(user)] =
            changed.as_slice()
        else {
            panic!("{changed:?}")
        };
        assert_eq!(new.key.id, "std::files::TextFile[path=/a]");
        assert_eq!(user.requires.iter().collect::<Vec<_>>(), [&new.key.id]);
        let elsewhere = changes(known(), &to("std::files::TextFile", "/b")).unwrap_err();
        assert_eq!(elsewhere, "`File[path=/a]` is elsewhere than `TextFile[path=/b]` is to be");
    }

    #[test]
    fn of_several_machines_with_one_name_one_is_retired() {
        let mut other = row("k::T[n=2]", Condition::Ok);
        other.place.identity = "n".into();
        let rows = || vec![row("k::T[n=1]", Condition::Ok), other.clone()];
        let retire = |identity: Option<&str>| Order::Retire {
            target: LOCAL.into(),
            identity: identity.map(str::to_owned),
        };
        assert!(changes(rows(), &retire(None)).unwrap_err().contains("2 machines"));
        let changed = changes(rows(), &retire(Some("n"))).unwrap();
        let [Change::Drop { key, end: End::Retired, evidence }] = changed.as_slice() else {
            panic!("{changed:?}")
        };
        assert_eq!(key.id, "k::T[n=2]");
        assert!(evidence.starts_with("alice said so: {") && evidence.contains("path:/a"), "{evidence}");
    }
}
