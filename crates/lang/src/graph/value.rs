//! The values of a node's fields.

use std::convert::Infallible;
use std::fmt;

use ecow::EcoString;
use sha2::{Digest as _, Sha256};

use super::canonical::Writer;
use super::read::{Json, ReadError, read_json};

/// A value as the graph document has it. Durations are integers in nanoseconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum GraphValue {
    /// Nothing. Fields of structs, entities and resources that are null are left out; in `any`,
    /// lists and maps a null stays.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A finite float.
    Float(f64),
    /// A string.
    Str(EcoString),
    /// A list, or a set in its order.
    List(Vec<GraphValue>),
    /// A record or a map, sorted by the bytes of the keys, each once; see [`GraphValue::map`].
    /// Keys are the user's: a `$` is doubled only in the document.
    Map(Vec<(EcoString, GraphValue)>),
    /// Another object, by its id: `{"$ref": "…"}`.
    Ref(EcoString),
    /// A value that is never shown: `{"$secret": …}`.
    Secret(Secret),
    /// A value known only after a deploy: `{"$later": …}`.
    Later(Later),
}

// Floats are finite, and nothing compares `0.0` with `-0.0` to a difference in the document.
impl Eq for GraphValue {}

/// What stands for a secret that was opened.
const KNOWN: &str = "known";

/// What stands for a secret of which nothing is said.
const HIDDEN: &str = "hidden";

fn hex_digit(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0')
}

/// A secret, by what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A value of an instance: `{"$secret": {"sha256": "…", "source": "shop::Site[name=a].token"}}`.
    Source {
        /// The path of the value: the id of its instance, then the way down its elements.
        source: EcoString,
        /// The hash of the ciphertext in hex, if it is encrypted; a plain secret is masked, so
        /// that the graph says nothing of it.
        sha256: Option<EcoString>,
    },
    /// Computed from secrets and plain values: `{"$secret": {"args": […], "call": "concat"}}`.
    Call(Call),
    /// Opened, for the handler that applies it; in documents there is none.
    Known(Box<Known>),
}

/// A secret that was opened. Neither its `Debug` nor its JSON tells the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// The value.
    pub value: Box<GraphValue>,
    /// Its name: another one where it is made of something else.
    pub name: EcoString,
    /// The key with which it, or what it is part of, is hashed where it has to be told later
    /// whether it changed.
    pub key: [u8; 32],
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({})", self.name)
    }
}

/// A later value, by what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Later {
    /// What a node yields once it is deployed: `{"$later": {"id": "…", "output": "sha256"}}`.
    Output {
        /// The node.
        id: EcoString,
        /// The output's name.
        output: EcoString,
    },
    /// Computed from later values and others, secrets among them:
    /// `{"$later": {"args": […], "call": "concat"}}`.
    Call(Call),
}

/// A pure builtin applied to values, as the deployer will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The builtin.
    pub function: EcoString,
    /// What it is given.
    pub args: Vec<GraphValue>,
}

impl GraphValue {
    /// A map of these entries, in any order. Of two with one key the later one is kept.
    pub fn map(mut entries: Vec<(EcoString, GraphValue)>) -> Self {
        entries.reverse();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|a, b| a.0 == b.0);
        GraphValue::Map(entries)
    }

    /// Reads a value from JSON, canonical or not.
    pub fn parse(json: &[u8]) -> Result<Self, ReadError> {
        Self::from_json(read_json(json)?)
    }

    /// Writes the value as canonical JSON.
    pub fn write(&self, out: &mut Writer<'_>) {
        match self {
            GraphValue::Null => out.null(),
            GraphValue::Bool(value) => out.bool(*value),
            GraphValue::Int(value) => out.int(*value),
            GraphValue::Float(value) => out.float(*value),
            GraphValue::Str(text) => out.str(text),
            GraphValue::List(items) => write_list(out, items),
            GraphValue::Map(entries) => {
                out.begin_map();
                for (key, value) in entries {
                    out.key(key);
                    value.write(out);
                }
                out.end_map();
            }
            GraphValue::Ref(id) => out.reference(id),
            GraphValue::Secret(secret) => secret.write(out),
            GraphValue::Later(later) => later.write(out),
        }
    }

    /// The canonical JSON of the value.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut Writer::new(&mut out));
        out
    }

    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&GraphValue> {
        match self {
            GraphValue::Map(entries) => {
                let at = entries.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
                entries.get(at).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn entries(&self) -> Option<&[(EcoString, GraphValue)]> {
        match self {
            GraphValue::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            GraphValue::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The value of an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            GraphValue::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of a truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            GraphValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The id of a reference.
    pub fn as_ref_id(&self) -> Option<&str> {
        match self {
            GraphValue::Ref(id) => Some(id),
            _ => None,
        }
    }

    /// Whether a secret or a later value stands anywhere in it.
    pub fn is_marked(&self) -> bool {
        match self {
            GraphValue::Secret(_) | GraphValue::Later(_) => true,
            GraphValue::List(items) => items.iter().any(Self::is_marked),
            GraphValue::Map(entries) => entries.iter().any(|(_, value)| value.is_marked()),
            _ => false,
        }
    }

    /// The value with something else in the place of each secret, at any depth.
    pub fn map_secrets<E>(&self, to: &mut dyn FnMut(&Secret) -> Result<GraphValue, E>) -> Result<Self, E> {
        Ok(match self {
            GraphValue::Secret(secret) => to(secret)?,
            GraphValue::List(items) => {
                GraphValue::List(items.iter().map(|item| item.map_secrets(to)).collect::<Result<_, E>>()?)
            }
            GraphValue::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((key.clone(), value.map_secrets(to)?)));
                GraphValue::Map(entries.collect::<Result<_, E>>()?)
            }
            GraphValue::Later(Later::Call(Call { function, args })) => {
                let args = args.iter().map(|arg| arg.map_secrets(to)).collect::<Result<_, E>>()?;
                GraphValue::Later(Later::Call(Call { function: function.clone(), args }))
            }
            other => other.clone(),
        })
    }

    /// Whether a value that is known later stands anywhere in it.
    pub fn has_later(&self) -> bool {
        match self {
            GraphValue::Later(_) => true,
            GraphValue::Secret(Secret::Call(call)) => call.args.iter().any(Self::has_later),
            GraphValue::List(items) => items.iter().any(Self::has_later),
            GraphValue::Map(entries) => entries.iter().any(|(_, value)| value.has_later()),
            _ => false,
        }
    }

    /// Whether a secret stands anywhere in it.
    pub fn has_secret(&self) -> bool {
        match self {
            GraphValue::Secret(_) => true,
            GraphValue::List(items) => items.iter().any(Self::has_secret),
            GraphValue::Map(entries) => entries.iter().any(|(_, value)| value.has_secret()),
            GraphValue::Later(Later::Call(call)) => call.args.iter().any(Self::has_secret),
            _ => false,
        }
    }

    pub(super) fn from_json(json: Json) -> Result<Self, ReadError> {
        Ok(match json {
            Json::Null => GraphValue::Null,
            Json::Bool(value) => GraphValue::Bool(value),
            Json::Int(value) => GraphValue::Int(value),
            Json::Float(value) => GraphValue::Float(value),
            Json::Str(text) => GraphValue::Str(text),
            Json::List(items) => GraphValue::List(values(items)?),
            Json::Map(entries) => from_map(entries)?,
        })
    }
}

fn values(items: Vec<Json>) -> Result<Vec<GraphValue>, ReadError> {
    items.into_iter().map(GraphValue::from_json).collect()
}

fn from_map(entries: Vec<(EcoString, Json)>) -> Result<GraphValue, ReadError> {
    let is_special = |key: &str| key.starts_with('$') && !key.starts_with("$$");
    if !entries.iter().any(|(key, _)| key.starts_with('$')) {
        let entries = entries.into_iter().map(|(k, v)| Ok((k, GraphValue::from_json(v)?)));
        return Ok(GraphValue::Map(entries.collect::<Result<_, ReadError>>()?));
    }
    if !entries.iter().any(|(key, _)| is_special(key)) {
        let undouble = |key: EcoString| match key.strip_prefix("$$") {
            Some(rest) => ecow::eco_format!("${rest}"),
            None => key,
        };
        let entries = entries.into_iter().map(|(k, v)| Ok((undouble(k), GraphValue::from_json(v)?)));
        return Ok(GraphValue::Map(entries.collect::<Result<_, ReadError>>()?));
    }
    let mut entries = entries.into_iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => match (key.as_str(), value) {
            ("$ref", Json::Str(id)) => Ok(GraphValue::Ref(id)),
            ("$secret", Json::Map(parts)) => Secret::from_map(parts).map(GraphValue::Secret),
            ("$later", Json::Map(parts)) => Later::from_map(parts).map(GraphValue::Later),
            _ => Err(ReadError::shape(format!("`{key}` is none of `$ref`, `$secret`, `$later`"))),
        },
        _ => Err(ReadError::shape("a key that starts with one `$` stands alone".to_owned())),
    }
}

fn write_list(out: &mut Writer<'_>, items: &[GraphValue]) {
    out.begin_list();
    for item in items {
        item.write(out);
    }
    out.end_list();
}

impl Secret {
    fn write(&self, out: &mut Writer<'_>) {
        out.begin_map();
        out.member("$secret");
        match self {
            Secret::Source { source, sha256 } => {
                out.begin_map();
                if let Some(sha256) = sha256 {
                    out.member("sha256");
                    out.str(sha256);
                }
                out.member("source");
                out.str(source);
                out.end_map();
            }
            Secret::Call(call) => call.write(out),
            Secret::Known(known) => {
                let args = vec![GraphValue::Str(known.name.clone())];
                Call { function: KNOWN.into(), args }.write(out);
            }
        }
        out.end_map();
    }

    /// What tells it from secrets that are made of something else, also of another ciphertext.
    pub fn name(&self) -> EcoString {
        if let Secret::Known(known) = self {
            return known.name.clone();
        }
        let mut json = Vec::new();
        match self {
            // Whether what it is made of is open makes no difference.
            Secret::Call(Call { function, args }) => {
                let name = |secret: &Secret| {
                    let args = vec![GraphValue::Str(secret.name())];
                    Ok::<_, Infallible>(GraphValue::Secret(Secret::Call(Call {
                        function: KNOWN.into(),
                        args,
                    })))
                };
                let named = args.iter().map(|arg| {
                    let Ok(named) = arg.map_secrets(&mut |secret| name(secret));
                    named
                });
                let call = Call { function: function.clone(), args: named.collect() };
                call.write(&mut Writer::new(&mut json));
            }
            other => other.write(&mut Writer::new(&mut json)),
        }
        let digits = Sha256::digest(&json);
        digits.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
    }

    /// The name of one that was opened, read from where its value did not go.
    pub fn was_known(&self) -> Option<&EcoString> {
        match self {
            Secret::Call(call) if call.function == KNOWN => match call.args.as_slice() {
                [GraphValue::Str(name)] => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// What has been said of a secret where it was: that there was one.
    pub fn hidden() -> Self {
        Secret::Call(Call { function: HIDDEN.into(), args: Vec::new() })
    }

    /// Whether it says no more than that there was one.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Secret::Call(call) if call.function == HIDDEN)
    }

    fn from_map(parts: Vec<(EcoString, Json)>) -> Result<Self, ReadError> {
        let mut source = None;
        let mut sha256 = None;
        for (key, value) in &parts {
            match (key.as_str(), value) {
                ("source", Json::Str(text)) => source = Some(text.clone()),
                ("sha256", Json::Str(text)) => sha256 = Some(text.clone()),
                _ => return Call::from_map(parts).map(Secret::Call),
            }
        }
        match source {
            Some(source) => Ok(Secret::Source { source, sha256 }),
            None => Err(ReadError::shape("a `$secret` has a `source` or a `call`".to_owned())),
        }
    }
}

impl Later {
    fn write(&self, out: &mut Writer<'_>) {
        out.begin_map();
        out.member("$later");
        match self {
            Later::Output { id, output } => {
                out.begin_map();
                out.member("id");
                out.str(id);
                out.member("output");
                out.str(output);
                out.end_map();
            }
            Later::Call(call) => call.write(out),
        }
        out.end_map();
    }

    fn from_map(parts: Vec<(EcoString, Json)>) -> Result<Self, ReadError> {
        if let [(id_key, Json::Str(id)), (output_key, Json::Str(output))] = parts.as_slice()
            && id_key == "id"
            && output_key == "output"
        {
            return Ok(Later::Output { id: id.clone(), output: output.clone() });
        }
        Call::from_map(parts).map(Later::Call)
    }
}

impl Call {
    fn write(&self, out: &mut Writer<'_>) {
        out.begin_map();
        out.member("args");
        write_list(out, &self.args);
        out.member("call");
        out.str(&self.function);
        out.end_map();
    }

    fn from_map(parts: Vec<(EcoString, Json)>) -> Result<Self, ReadError> {
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some((args_key, Json::List(args))), Some((call_key, Json::Str(function))), None)
                if args_key == "args" && call_key == "call" =>
            {
                Ok(Call { function, args: values(args)? })
            }
            _ => Err(ReadError::shape("a call has `args` and `call`, and nothing else".to_owned())),
        }
    }
}
