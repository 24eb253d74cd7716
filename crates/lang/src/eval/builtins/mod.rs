//! The builtins. Each is a function of its arguments; those that take a function value are in
//! `higher`, because they evaluate.

mod digest;
mod encode;
mod higher;
mod list;
mod map;
mod net;
mod number;
mod path;
mod text;
mod time;

pub use encode::any_of_document;

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::diag::{Code, codes::eval as codes};
use crate::model::prelude::Builtin as B;
use crate::model::{Hir, HirKind, Program};

use super::budget::{self, Cost};
use super::convert::to_map;
use super::deferred::{marks, operation};
use super::machine::{Eval, Machine};
use super::plan::Plan;
use super::value::Value;

/// Why a builtin gives nothing.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    /// Something about an argument is wrong.
    Argument {
        /// The kind of problem.
        code: Code,
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// It takes more than it may.
    Budget,
    /// Not for values of these kinds: the checker should have refused it.
    Kinds,
}

pub(super) type Done = Result<Value, Fault>;

/// Says what is wrong with an argument.
fn wrong<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Argument { code: codes::BAD_ARGUMENT, message: message.into(), help: None })
}

fn wrong_help<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Argument { code: codes::BAD_ARGUMENT, message: message.into(), help: Some(help.into()) })
}

fn overflow<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Argument { code: codes::OVERFLOW, message: message.into(), help: None })
}

/// Compiled regular expressions, by their text; `None` for one that does not compile.
pub type Regexes = FxHashMap<EcoString, Option<regex::Regex>>;

/// What a builtin needs beside its arguments.
pub struct Cx<'a> {
    /// The model, for the data names of records and enums.
    pub program: &'a Program,
    /// The order of keys.
    pub plan: &'a Plan,
    /// What the run has taken.
    pub cost: &'a mut Cost,
    /// What was compiled before.
    pub regexes: &'a mut Regexes,
}

impl Cx<'_> {
    /// Counts what is about to be gone through and made.
    fn charge(&mut self, steps: usize, bytes: usize) -> Result<(), Fault> {
        self.cost.steps = self.cost.steps.saturating_add(steps as u64);
        self.cost.bytes = self.cost.bytes.saturating_add(bytes as u64);
        match self.cost.exceeds(&budget::RUN) {
            Some(_) => Err(Fault::Budget),
            None => Ok(()),
        }
    }

    /// A string of what was made.
    fn string(&mut self, text: impl Into<EcoString>) -> Done {
        let text = text.into();
        self.charge(text.len() / 64, text.len())?;
        Ok(Value::Str(text))
    }

    /// A list of what was made.
    fn list(&mut self, items: Vec<Value>) -> Done {
        self.charge(items.len(), items.len() * size_of::<Value>())?;
        Ok(Value::List(items.into()))
    }

    /// A list of strings.
    fn strings<'s>(&mut self, parts: impl Iterator<Item = &'s str>) -> Done {
        let mut items = Vec::new();
        for part in parts {
            self.charge(1, part.len() + size_of::<Value>())?;
            items.push(Value::Str(part.into()));
        }
        Ok(Value::List(items.into()))
    }
}

/// The arguments of a builtin: one that is not given is null.
#[derive(Clone, Copy)]
struct Args<'a>(&'a [Value]);

impl<'a> Args<'a> {
    fn get(self, at: usize) -> &'a Value {
        self.0.get(at).unwrap_or(&Value::Null)
    }

    fn str(self, at: usize) -> Result<&'a EcoString, Fault> {
        match self.get(at) {
            Value::Str(text) => Ok(text),
            _ => Err(Fault::Kinds),
        }
    }

    fn opt_str(self, at: usize) -> Result<Option<&'a EcoString>, Fault> {
        match self.get(at) {
            Value::Null => Ok(None),
            _ => self.str(at).map(Some),
        }
    }

    fn int(self, at: usize) -> Result<i64, Fault> {
        match self.get(at) {
            Value::Int(v) => Ok(*v),
            _ => Err(Fault::Kinds),
        }
    }

    fn opt_int(self, at: usize) -> Result<Option<i64>, Fault> {
        match self.get(at) {
            Value::Null => Ok(None),
            _ => self.int(at).map(Some),
        }
    }

    fn float(self, at: usize) -> Result<f64, Fault> {
        match self.get(at) {
            Value::Float(v) => Ok(*v),
            _ => Err(Fault::Kinds),
        }
    }

    /// The elements of a list, a set or a range.
    fn seq(self, cx: &mut Cx<'_>, at: usize) -> Result<Arc<[Value]>, Fault> {
        seq(cx, self.get(at))
    }

    fn map(self, at: usize) -> Result<&'a Arc<[(Value, Value)]>, Fault> {
        match self.get(at) {
            Value::Map(entries) => Ok(entries),
            _ => Err(Fault::Kinds),
        }
    }
}

/// The elements of a list, a set or a range.
fn seq(cx: &mut Cx<'_>, value: &Value) -> Result<Arc<[Value]>, Fault> {
    match value {
        Value::List(items) | Value::Set(items) => {
            cx.charge(items.len(), 0)?;
            if items.iter().any(|v| matches!(v, Value::Wrong)) {
                Err(Fault::Kinds)
            } else {
                Ok(items.clone())
            }
        }
        Value::Range(range) => {
            let (first, last) = range.bounds().ok_or(Fault::Kinds)?;
            let count = usize::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0);
            cx.charge(count, count.saturating_mul(size_of::<Value>()))?;
            Ok((first..=last).map(Value::Int).collect())
        }
        _ => Err(Fault::Kinds),
    }
}

/// A count or width that is not negative.
fn count(value: i64, what: &str) -> Result<usize, Fault> {
    match usize::try_from(value) {
        Ok(count) => Ok(count),
        Err(_) => wrong(format!("{what} is {value}, and must not be negative")),
    }
}

/// No builtin has more parameters.
const MOST_ARGS: usize = 4;

/// Calls a builtin.
pub(super) fn call<'w>(m: &mut Machine<'w>, hir: &'w Hir, builtin: B, args: &'w [Option<Hir>]) -> Eval {
    let is_lambda = |arg: &Option<Hir>| matches!(arg, Some(Hir { kind: HirKind::Lambda { .. }, .. }));
    if builtin.fills() {
        return crate::eval::assign::call(m, hir, builtin, args);
    }
    if args.iter().any(is_lambda) {
        return higher::call(m, hir, builtin, args);
    }
    let mut values = [const { Value::Null }; MOST_ARGS];
    for (place, arg) in values.iter_mut().zip(args) {
        if let Some(arg) = arg {
            *place = m.eval(arg)?;
        }
    }
    let values = values.get_mut(..args.len()).unwrap_or_default();
    if !moves_only(builtin) {
        for value in values.iter() {
            m.walk(hir, value)?;
        }
    }
    if is_marked(builtin, values) {
        return m.made(hir, operation(builtin.info().name, values.to_vec()));
    }
    if let Some(first) = values.first_mut()
        && matches!(first, Value::Anon(_))
        && let Some(map) = to_map(m.program, first)
        && builtin.info().signature.starts_with("map<")
    {
        *first = map;
    }
    let mut cx = Cx { program: m.program, plan: m.plan, cost: &mut m.cost, regexes: &mut m.regexes };
    match apply(&mut cx, builtin, values) {
        Ok(value @ (Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Deferred(_))) => {
            m.made(hir, value)
        }
        Ok(value) => Ok(value),
        Err(fault) => Err(fail(m, hir, args, fault)),
    }
}

/// Says why a builtin gives nothing.
#[cold]
fn fail(m: &mut Machine<'_>, hir: &Hir, args: &[Option<Hir>], fault: Fault) -> super::machine::Stop {
    match fault {
        Fault::Budget => m.exhausted(hir),
        Fault::Kinds => m.unexpected(hir),
        Fault::Argument { code, message, help } => {
            let value = args.iter().flatten().find(|arg| m.data_place(arg).is_some());
            let mut problem = m.problem_with(code, hir, value.unwrap_or(hir), message);
            problem.help = help;
            m.report(problem)
        }
    }
}

/// Whether the result has to wait for a marked argument. What only moves elements about leaves
/// their marks on them.
fn is_marked(builtin: B, values: &[Value]) -> bool {
    if moves_only(builtin) {
        return values.iter().any(|v| matches!(v, Value::Deferred(_)));
    }
    values.iter().any(|v| match v {
        Value::Str(_) | Value::Int(_) | Value::Null | Value::Bool(_) => false,
        other => marks(other).any(),
    })
}

fn moves_only(builtin: B) -> bool {
    matches!(
        builtin,
        B::ListLen
            | B::ListIsEmpty
            | B::First
            | B::Last
            | B::ListGet
            | B::Compact
            | B::Flatten
            | B::ListReversed
            | B::Zip
            | B::Enumerate
            | B::Take
            | B::Skip
            | B::Chunks
            | B::WithoutAt
            | B::ListRepeat
            | B::ToList
            | B::ToMap
            | B::MapLen
            | B::MapIsEmpty
            | B::MapContains
            | B::MapGet
            | B::Keys
            | B::Values
            | B::Entries
            | B::MapMerge
            | B::MergeDeep
            | B::MapWithout
            | B::MapWithoutKey
            | B::MapCompact
    )
}

/// Applies a builtin that takes no function value.
#[rustfmt::skip]
pub fn apply(cx: &mut Cx<'_>, builtin: B, args: &[Value]) -> Done {
    let args = Args(args);
    let implementation: fn(&mut Cx<'_>, Args<'_>) -> Done = match builtin {
        B::StringLen => text::len,
        B::StringIsEmpty => text::is_empty,
        B::StringContains => text::contains,
        B::StartsWith => text::starts_with,
        B::EndsWith => text::ends_with,
        B::Split => text::split,
        B::SplitOnce => text::split_once,
        B::SplitLast => text::split_last,
        B::Lines => text::lines,
        B::Words => text::words,
        B::Chars => text::chars,
        B::StringIndexOf => text::index_of,
        B::IndexesOf => text::indexes_of,
        B::StringCount => text::count_of,
        B::Trim => text::trim,
        B::TrimStart => text::trim_start,
        B::TrimEnd => text::trim_end,
        B::RemovePrefix => text::remove_prefix,
        B::RemoveSuffix => text::remove_suffix,
        B::Upper => text::upper,
        B::Lower => text::lower,
        B::Title => text::title,
        B::Capitalize => text::capitalize,
        B::Replace => text::replace,
        B::ReplaceMatches => text::replace_matches,
        B::StringRepeat => text::repeat,
        B::PadStart => text::pad_start,
        B::PadEnd => text::pad_end,
        B::Matches => text::matches,
        B::Captures => text::captures,
        B::FindMatches => text::find_matches,
        B::StringReversed => text::reversed,
        B::Indent => text::indent,
        B::Dedent => text::dedent,
        B::CodePoints => text::code_points,
        B::FromCodePoints => text::from_code_points,
        B::StringBytes => text::bytes,
        B::FromBytes => text::from_bytes,
        B::ShellQuoted => text::shell_quoted,
        B::XmlEscaped => text::xml_escaped,

        B::ListLen => list::len,
        B::ListIsEmpty => list::is_empty,
        B::ListContains => list::contains,
        B::ListIndexOf => list::index_of,
        B::First => list::first,
        B::Last => list::last,
        B::ListGet => list::get,
        B::Compact => list::compact,
        B::Sorted => list::sorted,
        B::Unique => list::unique,
        B::Duplicates => list::duplicates,
        B::Flatten => list::flatten,
        B::ListReversed => list::reversed,
        B::Zip => list::zip,
        B::Enumerate => list::enumerate,
        B::Take => list::take,
        B::Skip => list::skip,
        B::Chunks => list::chunks,
        B::ListWithout => list::without,
        B::WithoutAt => list::without_at,
        B::ListRepeat => list::repeat,
        B::ListSum => list::sum,
        B::ListMin => list::min,
        B::ListMax => list::max,
        B::Average => list::average,
        B::Join => list::join,
        B::ToSet => list::to_set,
        B::ToList => list::to_list,
        B::ToMap => list::to_map,
        B::Union => list::union,
        B::Intersection => list::intersection,
        B::Difference => list::difference,
        B::IsSubset => list::is_subset,
        B::Range => list::range,

        B::MapLen => map::len,
        B::MapIsEmpty => map::is_empty,
        B::MapContains => map::contains,
        B::MapGet => map::get,
        B::Keys => map::keys,
        B::Values => map::values,
        B::Entries => map::entries,
        B::MapMerge => map::merge,
        B::MergeDeep => map::merge_deep,
        B::MergePatch => map::merge_patch,
        B::Prune => map::prune,
        B::MapWithout => map::without,
        B::MapWithoutKey => map::without_key,
        B::MapCompact => map::compact,

        B::Abs => number::abs,
        B::Sign => number::sign,
        B::Floor => number::floor,
        B::Ceil => number::ceil,
        B::Round => number::round,
        B::RoundTo => number::round_to,
        B::Fixed => number::fixed,
        B::Clamp => number::clamp,
        B::Min2 => number::min,
        B::Max2 => number::max,
        B::Pow => number::pow,
        B::Sqrt => number::sqrt,
        B::Modulo => number::modulo,
        B::DivCeil => number::div_ceil,
        B::BitAnd => number::bit_and,
        B::BitOr => number::bit_or,
        B::BitXor => number::bit_xor,
        B::ShiftLeft => number::shift_left,
        B::ShiftRight => number::shift_right,
        B::StringToInt => number::string_to_int,
        B::FloatToInt => number::float_to_int,
        B::ParseInt => number::parse_int,
        B::IntToFloat => number::int_to_float,
        B::StringToFloat => number::string_to_float,
        B::ParseFloat => number::parse_float,
        B::ToBase => number::to_base,
        B::IntHex => number::hex,
        B::ToString => text::to_string,

        B::ParseSize => time::size,
        B::SizeBytes => time::bytes,
        B::ParseDuration => time::duration,
        B::Seconds => time::seconds,
        B::Milliseconds => time::milliseconds,

        B::ToJson => encode::to_json,
        B::ToJsonPretty => encode::to_json_pretty,
        B::FromJson => encode::from_json,
        B::ToYaml => encode::to_yaml,
        B::ToYamlStream => encode::to_yaml_stream,
        B::FromYaml => encode::from_yaml,
        B::ToToml => encode::to_toml,
        B::FromToml => encode::from_toml,
        B::ToIni => encode::to_ini,
        B::Base64 => encode::base64,
        B::FromBase64 => encode::from_base64,
        B::IsBase64 => encode::is_base64,
        B::StringHex => encode::hex,
        B::FromHex => encode::from_hex,
        B::UrlEncoded => encode::url_encoded,
        B::UrlDecoded => encode::url_decoded,
        B::Sha256 => digest::sha256,
        B::Sha512 => digest::sha512,
        B::Crc32 => digest::crc32,
        B::Uuid5 => digest::uuid5,
        B::Kind => encode::kind,

        B::Basename => path::basename,
        B::Dirname => path::dirname,
        B::Extension => path::extension,
        B::JoinPath => path::join_path,
        B::Relative => path::relative,

        B::IsIp => net::is_ip,
        B::IsIpv4 => net::is_ipv4,
        B::IsIpv6 => net::is_ipv6,
        B::IsNetwork => net::is_network,
        B::IsMac => net::is_mac,
        B::Network => net::network,
        B::NetworkAddress => net::network_address,
        B::Broadcast => net::broadcast,
        B::Netmask => net::netmask,
        B::PrefixLength => net::prefix_length,
        B::Hosts => net::hosts,
        B::Subnet => net::subnet,
        B::NthHost => net::nth_host,
        B::ContainsIp => net::contains_ip,
        B::Overlaps => net::overlaps,
        B::IpAdd => net::ip_add,
        B::IpVersion => net::ip_version,
        B::ReverseName => net::reverse_name,
        B::Mac => net::mac,
        B::LocalMac => net::local_mac,

        // These need more than their arguments, and so are never called here.
        B::FreeInt | B::RandomString | B::RandomUuid | B::Pin => return Err(Fault::Kinds),
        // So are these, with a function value.
        B::ListMap | B::FlatMap | B::ListFilter | B::FilterMap | B::Fold | B::Any | B::All | B::Find | B::ListCount
        | B::SortedBy | B::UniqueBy | B::GroupBy | B::IndexBy | B::ListMinBy | B::ListMaxBy | B::MapFilter
        | B::MapValues => return Err(Fault::Kinds),
    };
    implementation(cx, args)
}
