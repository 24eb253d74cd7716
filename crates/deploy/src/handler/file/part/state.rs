//! What a file says of a part, and the file with another part: pure.

use ecow::EcoString;

use crate::graph::{GraphValue, Secret};
use crate::handler::file::look::sha256;
use crate::handler::{Cost, Fault, FieldChange, PrintKey, Shown};

use super::block;
use super::body::Body;
use super::keys::{Edit, Format, Pointer, at};
use super::line;
use super::mark::ShortMark;
use super::record::{Known, text_print, value_print};
use super::spec::{Kind, Part, PartSpec};
use super::words::{Words, is_wanted, name_of, plain_of};

/// What a part is to be and was: at least one of them.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub kind: Kind,
    pub spec: Option<&'a PartSpec<'a>>,
    pub last: Option<&'a Known>,
    pub intended: Option<&'a Known>,
    /// With what secrets are hashed.
    pub key: &'a PrintKey,
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

    fn lines(&self) -> line::Written<'a> {
        line::Written {
            lines: self.known().flat_map(Known::lines).collect(),
            secret: self.known().flat_map(Known::secret_lines).map(EcoString::as_str).collect(),
            key: self.key,
        }
    }

    /// Whether it is or was a secret, so that nothing of it is told.
    fn is_secret(&self) -> bool {
        let wanted = self.spec.is_some_and(|spec| match &spec.part {
            Part::Line(line) => line.line.is_secret(),
            Part::Block(block) => block.content.is_secret(),
            Part::Keys(_, leaves) => leaves.iter().any(|(_, value)| value.has_secret()),
        });
        wanted || self.known().any(|known| known.has_secret(None))
    }

    fn print(&self, bytes: &[u8]) -> EcoString {
        let whole = if self.is_secret() { self.key.print(bytes) } else { sha256(bytes) };
        whole.get(..32).map_or_else(|| whole.clone(), EcoString::from)
    }

    /// A text that was found, under a name; of a secret its hash.
    fn told(&self, name: &str, found: &[u8]) -> Vec<(EcoString, GraphValue)> {
        if self.is_secret() {
            let print = GraphValue::Str(self.key.print(found));
            return vec![(name.into(), GraphValue::Secret(Secret::hidden())), ("print".into(), print)];
        }
        vec![(name.into(), GraphValue::Str(String::from_utf8_lossy(found).into_owned().into()))]
    }

    /// What a document says. Of one with secrets nothing is quoted.
    fn document(&self, format: Format, bytes: &[u8]) -> Result<GraphValue, Fault> {
        format.read(bytes).map_err(|fault| match self.is_secret() {
            true => Fault::new(format!("the file is no {} that can be changed", format.name())),
            false => fault,
        })
    }

    fn line(&self, bytes: &[u8]) -> Option<State> {
        let wanted = match self.spec.map(|spec| &spec.part) {
            Some(Part::Line(line)) => Some(line),
            _ => None,
        };
        let body = Body::of(bytes);
        let (_, found) = line::find(&body, &self.lines(), wanted)?;
        Some(State {
            fields: GraphValue::map(self.told("line", found)),
            as_recorded: self.last.is_some_and(|known| known.has_line(found, self.key)),
            as_intended: self.intended.is_some_and(|known| known.has_line(found, self.key)),
            mark: None,
            print: self.print(found),
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
        let mut fields = self.told("content", found.content.as_bytes());
        fields.extend([
            ("comment".into(), value(fence.comment)),
            ("comment_end".into(), value(fence.comment_end)),
        ]);
        Ok(Some(State {
            fields: GraphValue::map(fields),
            as_recorded: self.last.is_some_and(|known| known.has_content(&found.content, self.key)),
            as_intended: self.intended.is_some_and(|known| known.has_content(&found.content, self.key)),
            print: self.print(&body.bytes(found.lines)),
            mark: Some(found.mark),
        }))
    }

    fn keys(&self, format: Format, bytes: &[u8]) -> Result<Option<State>, Fault> {
        let document = self.document(format, bytes)?;
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
            at(&document, pointer).is_some_and(|value| known.has_value(pointer, value, self.key))
        };
        let whole = |known: &Known| known.keys().all(|pointer| has(known, pointer));
        // Of what is to go, what still is as it was applied goes; the rest is somebody else's now.
        let in_part = |known: &Known| known.keys().any(|pointer| has(known, pointer));
        let goes = self.spec.is_none() && self.intended.is_none();
        let secret = |pointer: &Pointer| {
            let wanted = leaves.iter().any(|(leaf, value)| leaf == pointer && value.has_secret());
            wanted || self.known().any(|known| known.has_secret(Some(pointer)))
        };
        let mut prints = Vec::new();
        let mut values = Vec::with_capacity(found.len());
        for (pointer, value) in &found {
            let name = ecow::eco_format!("{pointer}");
            if secret(pointer) {
                prints.push((name.clone(), GraphValue::Str(self.key.print(&value.to_json()))));
                values.push((name, GraphValue::Secret(Secret::hidden())));
            } else {
                values.push((name, (*value).clone()));
            }
        }
        let mut fields = vec![("values".into(), GraphValue::map(values))];
        if !prints.is_empty() {
            fields.push(("prints".into(), GraphValue::map(prints)));
        }
        // What tells the state apart is what the part itself consists of.
        let own = |pointer: &Pointer| match self.spec {
            Some(_) => leaves.iter().any(|(leaf, _)| leaf == pointer),
            None => self.last.is_some_and(|known| known.keys().any(|key| key == pointer)),
        };
        let owned = found.iter().filter(|(pointer, _)| own(pointer));
        let owned = owned.map(|(pointer, value)| (ecow::eco_format!("{pointer}"), (*value).clone()));
        let print = self.print(&GraphValue::map(owned.collect()).to_json());
        Ok(Some(State {
            fields: GraphValue::map(fields),
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
            Part::Line(line) => line::put(bytes, &self.lines(), line),
            Part::Block(block) => block::put(bytes, self.fence(), block, mark),
            Part::Keys(format, leaves) => {
                let before = self.document(*format, bytes)?;
                let mut bytes = bytes.to_vec();
                for pointer in self.dropped(&before, leaves) {
                    bytes = format.edit(&bytes, &Edit::Unset(pointer))?;
                }
                for (pointer, value) in leaves {
                    if !self.lets_be(spec, *format, pointer, value, &before) {
                        bytes = format.edit(&bytes, &Edit::Set(pointer, &*plain_of(value)?))?;
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
        let (last, secrets) = (self.last, self.key);
        let keys = last.into_iter().flat_map(Known::keys);
        keys.filter(move |pointer| {
            let wanted = leaves.iter().any(|(leaf, _)| leaf == *pointer);
            let value = at(document, pointer);
            let ours = |value| last.is_some_and(|last| last.has_value(pointer, value, secrets));
            !wanted && value.is_some_and(ours)
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
        let Ok(plain) = plain_of(value) else { return false };
        let applied =
            self.last.is_some_and(|last| last.has_value(pointer, &format.as_read(&plain), self.key));
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
                let before = self.document(format, bytes)?;
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
    let print = found.get("print").and_then(GraphValue::as_str);
    let entries = |of: fn(&Known) -> &[EcoString]| last.map(of).unwrap_or_default();
    match &spec.part {
        Part::Line(line) => {
            let (from, to) = (found.get("line"), line.line.value());
            let same = match line.line.secret() {
                Some(secret) => {
                    let wanted = text_print(line.line, |line| line.into());
                    is_wanted(print, wanted.as_deref(), &secret.name(), entries(Known::secret_lines))
                }
                None => from == Some(&to),
            };
            (!same).then(|| change("line".into(), from, Some(to), Shown::Plain)).into_iter().collect()
        }
        Part::Block(block) => {
            let content = match block.content {
                Words::Plain(content) => GraphValue::Str(block::lines_of(content)),
                other => other.value(),
            };
            let same = |secret: &Secret| {
                let wanted = text_print(block.content, block::lines_of);
                is_wanted(print, wanted.as_deref(), &secret.name(), entries(Known::contents))
            };
            let settled = block.content.secret().is_some_and(same);
            let fields = [
                ("content", content, Shown::Lines),
                ("comment", text(block.fence.comment), Shown::Plain),
                ("comment_end", text(block.fence.comment_end), Shown::Plain),
            ];
            let differs = |(name, to, shown): (&str, GraphValue, Shown)| {
                let from = found.get(name);
                let same = from == Some(&to) || (settled && name == "content");
                (!same).then(|| change(name.into(), from, Some(to), shown))
            };
            fields.into_iter().filter_map(differs).collect()
        }
        Part::Keys(format, leaves) => {
            let values = found.get("values").and_then(GraphValue::entries).unwrap_or_default();
            let prints = found.get("prints");
            let print_at = |pointer: &Pointer| {
                prints.and_then(|prints| prints.get(&ecow::eco_format!("{pointer}"))?.as_str())
            };
            let value_at = |pointer: &Pointer| {
                let name = ecow::eco_format!("{pointer}");
                values.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
            };
            let set = leaves.iter().filter_map(|(pointer, value)| {
                let from = value_at(pointer);
                let (same, applied, to) = match name_of(value) {
                    Some(name) => {
                        let known = last.map(|last| last.values(pointer)).unwrap_or_default();
                        let wanted = value_print(*format, value);
                        let same = is_wanted(print_at(pointer), wanted.as_deref(), &name, known);
                        let applied = known.iter().any(|known| known.ends_with(&format!(" {name}")));
                        (same, applied, (*value).clone())
                    }
                    None => {
                        let to = format.as_read(value);
                        let applied = last.is_some_and(|last| last.has_shown(pointer, &to, None));
                        (from == Some(&to), applied, to)
                    }
                };
                let let_be = from.is_some() && applied && spec.ignores(&field(pointer));
                (!same && !let_be).then(|| change(field(pointer), from, Some(to), Shown::Plain))
            });
            let dropped = last.into_iter().flat_map(Known::keys).filter_map(|pointer| {
                let wanted = leaves.iter().any(|(leaf, _)| leaf == pointer);
                let ours = |value: &&GraphValue| {
                    last.is_some_and(|last| last.has_shown(pointer, value, print_at(pointer)))
                };
                let from = value_at(pointer).filter(ours);
                (!wanted).then_some(from?).map(|from| change(field(pointer), Some(from), None, Shown::Plain))
            });
            set.chain(dropped).collect()
        }
    }
}
