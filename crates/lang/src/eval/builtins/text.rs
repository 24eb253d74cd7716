//! Text. Positions and lengths count Unicode scalar values; case is Unicode's, in no locale.

use ecow::EcoString;

use crate::base::Name;
use crate::eval::print;
use crate::eval::value::Value;

use super::{Args, Cx, Done, Fault, count, wrong, wrong_help};

pub(super) fn len(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(args.str(0)?.chars().count() as i64))
}

pub(super) fn is_empty(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(args.str(0)?.is_empty()))
}

pub(super) fn contains(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(args.str(0)?.contains(args.str(1)?.as_str())))
}

pub(super) fn starts_with(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(args.str(0)?.starts_with(args.str(1)?.as_str())))
}

pub(super) fn ends_with(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(args.str(0)?.ends_with(args.str(1)?.as_str())))
}

pub(super) fn split(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let separator = args.str(1)?;
    match (args.opt_int(2)?, separator.is_empty()) {
        (None, true) => chars(cx, args),
        (None, false) => cx.strings(args.str(0)?.split(separator.as_str())),
        (Some(_), true) => wrong("an empty separator leaves no part that could be the last one"),
        (Some(most), false) if most < 1 => wrong(format!("`most` is {most}, and there is always one part")),
        (Some(most), false) => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            cx.strings(args.str(0)?.splitn(most, separator.as_str()))
        }
    }
}

pub(super) fn split_once(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(two(args.str(0)?.split_once(args.str(1)?.as_str())))
}

pub(super) fn split_last(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(two(args.str(0)?.rsplit_once(args.str(1)?.as_str())))
}

/// What stands before and after a separator.
fn two(parts: Option<(&str, &str)>) -> Value {
    let Some((before, after)) = parts else { return Value::Null };
    let part = |name, text: &str| (Name::new(name), Value::Str(text.into()));
    Value::Anon([part("after", after), part("before", before)].into())
}

pub(super) fn lines(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.strings(args.str(0)?.lines())
}

pub(super) fn words(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.strings(args.str(0)?.split_whitespace())
}

pub(super) fn chars(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len(), text.len() * size_of::<Value>())?;
    Ok(Value::List(text.chars().map(|c| Value::Str(EcoString::from(c))).collect()))
}

pub(super) fn index_of(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let found = text.find(args.str(1)?.as_str()).and_then(|at| text.get(..at));
    Ok(found.map_or(Value::Null, |before| Value::Int(before.chars().count() as i64)))
}

pub(super) fn indexes_of(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (text, part) = (args.str(0)?, args.str(1)?);
    if part.is_empty() {
        return wrong("an empty text stands everywhere");
    }
    cx.charge(text.len(), 0)?;
    let starts = text.char_indices().enumerate();
    let found =
        starts.filter(|(_, (at, _))| text.get(*at..).is_some_and(|rest| rest.starts_with(part.as_str())));
    let found: Vec<Value> = found.map(|(index, _)| Value::Int(index as i64)).collect();
    cx.list(found)
}

pub(super) fn bytes(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len(), text.len() * size_of::<Value>())?;
    Ok(Value::List(text.bytes().map(|byte| Value::Int(byte.into())).collect()))
}

pub(super) fn from_bytes(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let mut bytes = Vec::with_capacity(items.len());
    for item in items.iter() {
        let Value::Int(value) = item else { return Err(Fault::Kinds) };
        match u8::try_from(*value) {
            Ok(byte) => bytes.push(byte),
            Err(_) => return wrong(format!("{value} is no byte: they go from 0 to 255")),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => cx.string(text),
        Err(_) => wrong("these bytes are not UTF-8 text"),
    }
}

pub(super) fn count_of(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let part = args.str(1)?;
    if part.is_empty() {
        return wrong("an empty text stands everywhere, and cannot be counted");
    }
    Ok(Value::Int(args.str(0)?.matches(part.as_str()).count() as i64))
}

pub(super) fn trim(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match args.opt_str(1)? {
        Some(set) => cx.string(text.trim_matches(|c| set.contains(c))),
        None => cx.string(text.trim()),
    }
}

pub(super) fn trim_start(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match args.opt_str(1)? {
        Some(set) => cx.string(text.trim_start_matches(|c| set.contains(c))),
        None => cx.string(text.trim_start()),
    }
}

pub(super) fn trim_end(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match args.opt_str(1)? {
        Some(set) => cx.string(text.trim_end_matches(|c| set.contains(c))),
        None => cx.string(text.trim_end()),
    }
}

pub(super) fn remove_prefix(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.string(text.strip_prefix(args.str(1)?.as_str()).unwrap_or(text))
}

pub(super) fn remove_suffix(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.string(text.strip_suffix(args.str(1)?.as_str()).unwrap_or(text))
}

pub(super) fn upper(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.string(args.str(0)?.as_str().to_uppercase())
}

pub(super) fn lower(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.string(args.str(0)?.as_str().to_lowercase())
}

pub(super) fn title(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut out = String::new();
    let mut inside = false;
    for c in args.str(0)?.chars() {
        if inside {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric();
    }
    cx.string(out)
}

pub(super) fn capitalize(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut chars = args.str(0)?.chars();
    let mut out: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    out.push_str(chars.as_str());
    cx.string(out)
}

pub(super) fn replace(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (text, from, to) = (args.str(0)?, args.str(1)?, args.str(2)?);
    if from.is_empty() {
        return wrong("an empty text stands everywhere, and cannot be replaced");
    }
    // Counted before it is made: a short text by a long one may grow out of all bounds.
    let times = text.matches(from.as_str()).count();
    cx.charge(text.len() / 16, times.saturating_mul(to.len()))?;
    cx.string(text.as_str().replace(from.as_str(), to))
}

pub(super) fn repeat(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let times = count(args.int(1)?, "the count")?;
    cx.charge(0, text.len().saturating_mul(times))?;
    Ok(Value::Str(text.repeat(times)))
}

fn padding(cx: &mut Cx<'_>, args: Args<'_>) -> Result<String, Fault> {
    let have = args.str(0)?.chars().count();
    let width = count(args.int(1)?, "the width")?;
    let fill = args.opt_str(2)?.map_or(" ", EcoString::as_str);
    if fill.is_empty() {
        return wrong("what is filled with is empty");
    }
    let missing = width.saturating_sub(have);
    cx.charge(0, missing.saturating_mul(4))?;
    Ok(fill.chars().cycle().take(missing).collect())
}

pub(super) fn pad_start(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let padding = padding(cx, args)?;
    cx.string(padding + args.str(0)?)
}

pub(super) fn pad_end(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let padding = padding(cx, args)?;
    cx.string(format!("{}{padding}", args.str(0)?))
}

/// A regular expression, compiled once in a run. Its size is limited, and so is the time that it
/// takes: the engine is linear.
fn regex(cx: &mut Cx<'_>, pattern: &str, whole: bool, text: &str) -> Result<regex::Regex, Fault> {
    const SIZE: usize = 1 << 20;
    cx.charge(text.len() / 16, 0)?;
    let full: EcoString = if whole { format!(r"\A(?:{pattern})\z") } else { pattern.to_owned() }.into();
    if let Some(Some(known)) = cx.regexes.get(&full) {
        return Ok(known.clone());
    }
    cx.charge(1_000 + pattern.len() * 10, 0)?;
    match regex::RegexBuilder::new(&full).size_limit(SIZE).dfa_size_limit(SIZE).build() {
        Ok(compiled) => {
            cx.regexes.insert(full, Some(compiled.clone()));
            Ok(compiled)
        }
        Err(regex::Error::CompiledTooBig(_)) => {
            wrong(format!("the regular expression `{pattern}` is too large"))
        }
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            wrong_help(format!("`{pattern}` is no regular expression"), last)
        }
    }
}

pub(super) fn matches(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    Ok(Value::Bool(regex(cx, args.str(1)?, true, text)?.is_match(text)))
}

pub(super) fn captures(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let regex = regex(cx, args.str(1)?, true, text)?;
    match regex.captures(text) {
        Some(found) => cx.strings(found.iter().map(|group| group.map_or("", |g| g.as_str()))),
        None => Ok(Value::Null),
    }
}

pub(super) fn find_matches(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let regex = regex(cx, args.str(1)?, false, text)?;
    cx.strings(regex.find_iter(text).map(|found| found.as_str()))
}

pub(super) fn replace_matches(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (text, to) = (args.str(0)?, args.str(2)?);
    let regex = regex(cx, args.str(1)?, false, text)?;
    let mut out = String::new();
    let mut done = 0;
    for found in regex.captures_iter(text) {
        let Some(all) = found.get(0) else { continue };
        out.push_str(text.get(done..all.start()).unwrap_or_default());
        let before = out.len();
        found.expand(to, &mut out);
        cx.charge(1, out.len() - before)?;
        done = all.end();
    }
    out.push_str(text.get(done..).unwrap_or_default());
    cx.string(out)
}

pub(super) fn reversed(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.string(args.str(0)?.chars().rev().collect::<EcoString>())
}

pub(super) fn indent(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let width = count(args.int(1)?, "the width")?;
    let lines = text.split_inclusive('\n');
    cx.charge(0, lines.clone().count().saturating_mul(width))?;
    let spaces = " ".repeat(width);
    let mut out = String::with_capacity(text.len());
    for line in lines {
        if !line.trim_end_matches(['\r', '\n']).is_empty() {
            out.push_str(&spaces);
        }
        out.push_str(line);
    }
    cx.string(out)
}

pub(super) fn dedent(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let mut common: Option<&str> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let white = &line[..line.len() - line.trim_start().len()];
        common = Some(match common {
            None => white,
            Some(before) => {
                let same = before.bytes().zip(white.bytes()).take_while(|(a, b)| a == b).count();
                before.get(..same).unwrap_or_default()
            }
        });
    }
    let common = common.unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        // A line of white space alone may be shorter than what is taken away.
        match line.strip_prefix(common) {
            Some(rest) => out.push_str(rest),
            None => out.push_str(line.trim_start_matches([' ', '\t'])),
        }
    }
    cx.string(out)
}

pub(super) fn code_points(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len(), text.len() * size_of::<Value>())?;
    Ok(Value::List(text.chars().map(|c| Value::Int(i64::from(u32::from(c)))).collect()))
}

pub(super) fn from_code_points(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut out = String::new();
    for item in args.seq(cx, 0)?.iter() {
        let Value::Int(number) = item else { return Err(Fault::Kinds) };
        match u32::try_from(*number).ok().and_then(char::from_u32) {
            Some(c) => out.push(c),
            None => return wrong(format!("{number} is no Unicode scalar value")),
        }
    }
    cx.string(out)
}

pub(super) fn shell_quoted(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return Ok(Value::Str(text.clone()));
    }
    cx.string(format!("'{}'", text.as_str().replace('\'', r"'\''")))
}

pub(super) fn xml_escaped(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut out = String::new();
    for c in args.str(0)?.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    cx.string(out)
}

pub(super) fn to_string(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    if let Value::Str(text) = args.get(0) {
        return Ok(Value::Str(text.clone()));
    }
    let mut out = String::new();
    if !print::text(&mut out, cx.program, args.get(0)) {
        return Err(Fault::Kinds);
    }
    cx.string(out)
}
