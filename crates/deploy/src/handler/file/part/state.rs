//! What a file says of a part, and the file with another part: pure.

use ecow::EcoString;

use crate::graph::GraphValue;
use crate::handler::file::look::sha256;
use crate::handler::{Cost, Fault, FieldChange, Shown};

use super::block;
use super::body::Body;
use super::keys::{Edit, Format, Pointer, at};
use super::line;
use super::mark::ShortMark;
use super::record::Known;
use super::spec::{Kind, Part, PartSpec};

/// What a part is to be and was: at least one of them.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub kind: Kind,
    pub spec: Option<&'a PartSpec<'a>>,
    pub last: Option<&'a Known>,
    pub intended: Option<&'a Known>,
}

/// A part that is there.
pub(super) struct State {
    /// Its fields, named as those of the node; the keys of a document by their pointers.
    pub fields: GraphValue,
    pub as_recorded: bool,
    pub as_intended: bool,
    /// The mark that it carries itself, if parts of its kind carry one.
    pub mark: Option<Option<ShortMark>>,
    /// What tells this state from others.
    pub print: EcoString,
}

impl<'a> About<'a> {
    /// What a file says of the part; nothing if it does not have it.
    pub(super) fn find(&self, bytes: &[u8]) -> Result<Option<State>, Fault> {
        match self.kind {
            Kind::Line => Ok(self.line(bytes)),
            Kind::Block => self.block(bytes),
            Kind::Keys(format) => self.keys(format, bytes),
        }
    }

    fn known(&self) -> impl Iterator<Item = &'a Known> {
        self.last.into_iter().chain(self.intended)
    }

    fn lines(&self) -> Vec<&'a str> {
        self.known().flat_map(Known::lines).collect()
    }

    fn line(&self, bytes: &[u8]) -> Option<State> {
        let wanted = match self.spec.map(|spec| &spec.part) {
            Some(Part::Line(line)) => Some(line),
            _ => None,
        };
        let body = Body::of(bytes);
        let (_, found) = line::find(&body, &self.lines(), wanted)?;
        let text = GraphValue::Str(String::from_utf8_lossy(found).into_owned().into());
        Some(State {
            fields: GraphValue::map(vec![("line".into(), text)]),
            as_recorded: self.last.is_some_and(|known| known.has_line(found)),
            as_intended: self.intended.is_some_and(|known| known.has_line(found)),
            mark: None,
            print: print(found),
        })
    }

    fn fence(&self) -> Option<block::Fence<'a>> {
        self.known().find_map(Known::fence)
    }

    fn block(&self, bytes: &[u8]) -> Result<Option<State>, Fault> {
        let body = Body::of(bytes);
        let wanted = match self.spec.map(|spec| &spec.part) {
            Some(Part::Block(block)) => Some(block.fence),
            _ => None,
        };
        let mut found = None;
        for fence in wanted.into_iter().chain(self.fence()) {
            found = fence.find(&body)?.map(|block| (fence, block));
            if found.is_some() {
                break;
            }
        }
        let Some((fence, found)) = found else { return Ok(None) };
        let value = |text: &str| GraphValue::Str(text.into());
        let fields = vec![
            ("content".into(), GraphValue::Str(found.content.clone())),
            ("comment".into(), value(fence.comment)),
            ("comment_end".into(), value(fence.comment_end)),
        ];
        Ok(Some(State {
            fields: GraphValue::map(fields),
            as_recorded: self.last.is_some_and(|known| known.has_content(&found.content)),
            as_intended: self.intended.is_some_and(|known| known.has_content(&found.content)),
            print: print(&body.bytes(found.lines)),
            mark: Some(found.mark),
        }))
    }

    fn keys(&self, format: Format, bytes: &[u8]) -> Result<Option<State>, Fault> {
        let document = format.read(bytes)?;
        let leaves: &[(Pointer, &GraphValue)] = match self.spec.map(|spec| &spec.part) {
            Some(Part::Keys(_, leaves)) => leaves,
            _ => &[],
        };
        let wanted = leaves.iter().map(|(pointer, _)| pointer);
        let mut pointers: Vec<&Pointer> = wanted.chain(self.known().flat_map(Known::keys)).collect();
        pointers.sort();
        pointers.dedup();
        let found: Vec<(&Pointer, &GraphValue)> =
            pointers.into_iter().filter_map(|pointer| Some((pointer, at(&document, pointer)?))).collect();
        if found.is_empty() {
            return Ok(None);
        }
        let has = |known: &Known, pointer: &Pointer| {
            at(&document, pointer).is_some_and(|value| known.has_value(pointer, value))
        };
        let whole = |known: &Known| known.keys().all(|pointer| has(known, pointer));
        // Of what is to go, what still is as it was applied goes; the rest is somebody else's now.
        let in_part = |known: &Known| known.keys().any(|pointer| has(known, pointer));
        let goes = self.spec.is_none() && self.intended.is_none();
        let values = found.iter().map(|(pointer, value)| (ecow::eco_format!("{pointer}"), (*value).clone()));
        let values = GraphValue::map(values.collect());
        // What tells the state apart is what the part itself consists of.
        let own = |pointer: &Pointer| match self.spec {
            Some(_) => leaves.iter().any(|(leaf, _)| leaf == pointer),
            None => self.last.is_some_and(|known| known.keys().any(|key| key == pointer)),
        };
        let owned = found.iter().filter(|(pointer, _)| own(pointer));
        let owned = owned.map(|(pointer, value)| (ecow::eco_format!("{pointer}"), (*value).clone()));
        let print = print(&GraphValue::map(owned.collect()).to_json());
        Ok(Some(State {
            fields: GraphValue::map(vec![("values".into(), values)]),
            as_recorded: self.last.is_some_and(|known| if goes { in_part(known) } else { whole(known) }),
            as_intended: self.intended.is_some_and(whole),
            mark: None,
            print,
        }))
    }

    /// The file with the part as it is to be.
    pub(super) fn put(&self, bytes: &[u8], mark: Option<&ShortMark>) -> Result<Vec<u8>, Fault> {
        let Some(spec) = self.spec else { return Ok(bytes.to_vec()) };
        match &spec.part {
            Part::Line(line) => Ok(line::put(bytes, &self.lines(), line)),
            Part::Block(block) => block::put(bytes, self.fence(), block, mark),
            Part::Keys(format, leaves) => {
                let before = format.read(bytes)?;
                let mut bytes = bytes.to_vec();
                for pointer in self.dropped(&before, leaves) {
                    bytes = format.edit(&bytes, &Edit::Unset(pointer))?;
                }
                for (pointer, value) in leaves {
                    if !self.lets_be(spec, *format, pointer, value, &before) {
                        bytes = format.edit(&bytes, &Edit::Set(pointer, value))?;
                    }
                }
                Ok(bytes)
            }
        }
    }

    /// The keys that were applied, are wanted no more, and are still as they were applied.
    fn dropped(
        &self,
        document: &'a GraphValue,
        leaves: &'a [(Pointer, &'a GraphValue)],
    ) -> impl Iterator<Item = &'a Pointer> {
        let last = self.last;
        let keys = last.into_iter().flat_map(Known::keys);
        keys.filter(move |pointer| {
            let wanted = leaves.iter().any(|(leaf, _)| leaf == *pointer);
            let value = at(document, pointer);
            !wanted && value.is_some_and(|value| last.is_some_and(|last| last.has_value(pointer, value)))
        })
    }

    /// Whether a key drifted and that is to be ignored: what is wanted of it was applied before.
    fn lets_be(
        &self,
        spec: &PartSpec<'_>,
        format: Format,
        pointer: &Pointer,
        value: &GraphValue,
        document: &GraphValue,
    ) -> bool {
        let applied = self.last.is_some_and(|last| last.has_value(pointer, &format.as_read(value)));
        applied && at(document, pointer).is_some() && spec.ignores(&field(pointer))
    }

    /// The file without the part.
    pub(super) fn take(&self, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        match self.kind {
            Kind::Line => Ok(line::take(bytes, &self.lines())),
            Kind::Block => match self.fence() {
                Some(fence) => block::take(bytes, fence),
                None => Ok(bytes.to_vec()),
            },
            Kind::Keys(format) => {
                let before = format.read(bytes)?;
                let mut bytes = bytes.to_vec();
                for pointer in self.dropped(&before, &[]) {
                    bytes = format.edit(&bytes, &Edit::Unset(pointer))?;
                }
                Ok(bytes)
            }
        }
    }

    /// Whether nothing is left in a file but what a format needs.
    pub(super) fn is_empty(&self, bytes: &[u8]) -> bool {
        let mut text = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
        match self.kind {
            Kind::Line | Kind::Block => text.next().is_none(),
            Kind::Keys(_) => {
                matches!((text.next(), text.next(), text.next()), (None, ..) | (Some(b'{'), Some(b'}'), None))
            }
        }
    }
}

/// The name of a key among the fields of a node.
pub(super) fn field(pointer: &Pointer) -> EcoString {
    let plain = |part: &str| !part.is_empty() && !part.contains(['.', '[', ']', '"']);
    pointer.0.iter().fold("values".into(), |path: EcoString, part| match plain(part) {
        true => ecow::eco_format!("{path}.{part}"),
        false => {
            let quoted = String::from_utf8(GraphValue::Str(part.clone()).to_json()).unwrap_or_default();
            ecow::eco_format!("{path}[{quoted}]")
        }
    })
}

fn print(bytes: &[u8]) -> EcoString {
    let whole = sha256(bytes);
    whole.get(..32).map_or_else(|| whole.clone(), EcoString::from)
}

/// What has to change, field by field.
pub(super) fn changes(spec: &PartSpec<'_>, last: Option<&Known>, found: &GraphValue) -> Vec<FieldChange> {
    let change = |field: EcoString, from: Option<&GraphValue>, to: Option<GraphValue>, shown| FieldChange {
        field,
        from: from.cloned(),
        to,
        cost: Cost::Live,
        shown,
    };
    let text = |text: &str| GraphValue::Str(text.into());
    match &spec.part {
        Part::Line(line) => {
            let (from, to) = (found.get("line"), text(line.line));
            (from != Some(&to))
                .then(|| change("line".into(), from, Some(to), Shown::Plain))
                .into_iter()
                .collect()
        }
        Part::Block(block) => {
            let content = GraphValue::Str(block::lines_of(block.content));
            let fields = [
                ("content", content, Shown::Lines),
                ("comment", text(block.fence.comment), Shown::Plain),
                ("comment_end", text(block.fence.comment_end), Shown::Plain),
            ];
            let differs = |(name, to, shown): (&str, GraphValue, Shown)| {
                let from = found.get(name);
                (from != Some(&to)).then(|| change(name.into(), from, Some(to), shown))
            };
            fields.into_iter().filter_map(differs).collect()
        }
        Part::Keys(format, leaves) => {
            let values = found.get("values").and_then(GraphValue::entries).unwrap_or_default();
            let value_at = |pointer: &Pointer| {
                let name = ecow::eco_format!("{pointer}");
                values.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
            };
            let set = leaves.iter().filter_map(|(pointer, value)| {
                let (from, to) = (value_at(pointer), format.as_read(value));
                let let_be = from.is_some()
                    && last.is_some_and(|last| last.has_value(pointer, &to))
                    && spec.ignores(&field(pointer));
                (from != Some(&to) && !let_be).then(|| change(field(pointer), from, Some(to), Shown::Plain))
            });
            let dropped = last.into_iter().flat_map(Known::keys).filter_map(|pointer| {
                let wanted = leaves.iter().any(|(leaf, _)| leaf == pointer);
                let from =
                    value_at(pointer).filter(|value| last.is_some_and(|l| l.has_value(pointer, value)));
                (!wanted).then_some(from?).map(|from| change(field(pointer), Some(from), None, Shown::Plain))
            });
            set.chain(dropped).collect()
        }
    }
}
