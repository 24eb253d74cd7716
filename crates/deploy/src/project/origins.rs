//! Lines and columns: of model places, of elements in data, for origins and diagnostics.

use std::cell::RefCell;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::{FileId, FileSpan, LineIndex, Span};
use crate::data::Spans;
use crate::db::{Database, Db as _};
use crate::diag::{DataPart, Place, Resolver};
use crate::eval::{Element, Instance, Object};
use crate::graph::Origin;
use crate::model::Node;
use crate::model::program::NodeTables;

use super::assemble::Objects;
use super::queries::{self, UnitInstances};
use super::render::Renderer;

/// The spans of the documents of a file.
type FileSpans = Arc<[(FileId, Spans)]>;

/// Where places are looked up: in the database, or in a version that was kept of it.
pub trait Texts {
    /// What a unit holds: by its base file.
    fn unit(&self, file: FileId) -> Option<&Arc<UnitInstances>>;

    /// The spans of a file's nodes; nothing of a file that nobody read.
    fn spans(&self, file: FileId) -> Vec<(FileId, Spans)>;

    /// The text of a file: a model, an instance, the standard library.
    fn text(&self, file: FileId) -> Option<String>;

    /// Where a field of an object is given a value, and where in the data that came from.
    fn field_source(&self, object: &Object, field: &str) -> Option<(Place, Option<Place>)>;
}

impl Texts for Database {
    fn unit(&self, file: FileId) -> Option<&Arc<UnitInstances>> {
        Some(queries::instances(self, self.source(file)))
    }

    fn spans(&self, file: FileId) -> Vec<(FileId, Spans)> {
        self.known(file).map(|source| super::units::spans(self, source)).unwrap_or_default()
    }

    fn text(&self, file: FileId) -> Option<String> {
        text(self, file)
    }

    fn field_source(&self, object: &Object, field: &str) -> Option<(Place, Option<Place>)> {
        crate::eval::blame::field_source(&super::world::DbWorld::new(self), object, field)
    }
}

/// Knows where everything is.
pub struct Origins<'a> {
    texts: &'a dyn Texts,
    nodes: &'a NodeTables,
    lines: RefCell<FxHashMap<FileId, Arc<(String, LineIndex)>>>,
    models: RefCell<FxHashMap<(FileId, Node), EcoString>>,
    /// Of files that are pointed into: a file with many mistakes is not parsed for each.
    spans: RefCell<FxHashMap<FileId, FileSpans>>,
    /// The last element asked for: objects of one element come together.
    last: RefCell<Option<(Element, EcoString, EcoString)>>,
}

impl<'a> Origins<'a> {
    /// Over a database, or a version that was kept.
    pub fn new(texts: &'a dyn Texts, nodes: &'a NodeTables) -> Self {
        Origins {
            texts,
            nodes,
            lines: RefCell::default(),
            models: RefCell::default(),
            spans: RefCell::default(),
            last: RefCell::default(),
        }
    }

    /// What the graph says of who made an object, if it was made for an element: at once.
    pub fn of_element(&self, object: &Object, renderer: &Renderer<'_>) -> Option<Origin> {
        let (instance, element) = self.element_texts(object.origin.element?, renderer);
        Some(Origin { instance, element, model: self.model(object.origin.file, object.origin.node) })
    }

    /// What the graph says of who made an object: whose element is that of whoever caused it,
    /// through the entities that stand between.
    pub fn origin(&self, object: &Object, objects: &Objects, renderer: &Renderer<'_>) -> Origin {
        let mut maker = object;
        for _ in 0..64 {
            if let Some(found) = self.of_element(maker, renderer) {
                return Origin { model: self.model(object.origin.file, object.origin.node), ..found };
            }
            let Some(next) = maker.origin.maker.as_ref().and_then(|m| objects.get(m)) else { break };
            maker = next;
        }
        Origin { model: self.model(object.origin.file, object.origin.node), ..Origin::default() }
    }

    fn element_texts(&self, element: Element, renderer: &Renderer<'_>) -> (EcoString, EcoString) {
        if let Some((last, instance, text)) = &*self.last.borrow()
            && *last == element
        {
            return (instance.clone(), text.clone());
        }
        let file = element.instance.file;
        let found = self.texts.unit(file).and_then(|unit| Some((unit, instance(unit, element)?)));
        let Some((unit, instance)) = found else {
            return (EcoString::new(), EcoString::new());
        };
        let text = element_text(renderer, instance, element.index);
        // A file that is one instance stands for its root: line 1, column 1.
        let place = instance.elements.get(element.index as usize).and_then(|e| e.place);
        let at = match place.filter(|_| element.index != 0 || element.instance.item != 0) {
            Some((file, node)) => {
                let span = self.data_span(&unit.spans, file, node, DataPart::Value);
                self.line_column(FileSpan { file, span })
            }
            None => {
                let mut at = EcoString::from(file.path());
                at.push_str(":1:1");
                at
            }
        };
        let text = EcoString::from(text);
        *self.last.borrow_mut() = Some((element, at.clone(), text.clone()));
        (at, text)
    }

    /// `model/web.gops:31:9`.
    pub fn model(&self, file: FileId, node: Node) -> EcoString {
        if let Some(known) = self.models.borrow().get(&(file, node)) {
            return known.clone();
        }
        let text = self.line_column(self.resolve(Place::Model { file, node: node.0 }));
        self.models.borrow_mut().insert((file, node), text.clone());
        text
    }

    /// Where the element that caused an object stands in the data.
    pub fn data_place(&self, object: &Object) -> Option<Place> {
        let element = object.origin.element?;
        let instance = instance(self.texts.unit(element.instance.file)?, element)?;
        let (file, node) = instance.elements.get(element.index as usize)?.place?;
        Some(Place::Data { file, node, part: DataPart::Value })
    }

    /// Where a field of an object is given a value, and where in the data that came from.
    pub fn field_source(&self, object: &Object, field: &str) -> Option<(Place, Option<Place>)> {
        self.texts.field_source(object, field)
    }

    fn data_span(&self, spans: &[(FileId, Spans)], file: FileId, node: u32, part: DataPart) -> Span {
        let Some((_, spans)) = spans.iter().find(|(f, _)| *f == file) else { return Span::at(0) };
        let value = spans.values.get(node as usize).copied().unwrap_or_default();
        match part {
            DataPart::Value => value,
            DataPart::Key => {
                spans.keys.get(node as usize).copied().filter(|k| !k.is_empty()).unwrap_or(value)
            }
        }
    }

    fn line_column(&self, at: FileSpan) -> EcoString {
        let known = self.lines.borrow().get(&at.file).cloned();
        let lines = known.unwrap_or_else(|| {
            let text = self.texts.text(at.file).unwrap_or_default();
            let index = LineIndex::new(&text);
            let lines = Arc::new((text, index));
            self.lines.borrow_mut().insert(at.file, lines.clone());
            lines
        });
        let place = lines.1.line_column(&lines.0, at.span.start as usize);
        EcoString::from(format!("{}:{}:{}", at.file, place.line, place.column))
    }
}

/// An element as the graph names it: `shop::Site[name=a].pages[path=/x]`.
pub fn element_text(renderer: &Renderer<'_>, instance: &Instance, index: u32) -> String {
    let reference = crate::eval::Reference { ty: instance.ty, key: instance.key.clone() };
    let mut text = String::with_capacity(64);
    renderer.write_id(&mut text, &reference);
    let mut steps = Vec::new();
    let mut at = Some(index);
    while let Some(found) = at.and_then(|i| instance.elements.get(i as usize)) {
        if found.parent.is_some() {
            steps.push(&found.step);
        }
        at = found.parent;
    }
    for step in steps.into_iter().rev() {
        text.push('.');
        text.push_str(step);
    }
    text
}

/// The instance of an element: at the place that its number says, unless some before it could
/// not be read.
fn instance(unit: &queries::UnitInstances, element: Element) -> Option<&Instance> {
    let is_it = |i: &&Arc<Instance>| i.id == element.instance;
    let there = unit.instances.get(element.instance.item as usize).filter(is_it);
    there.or_else(|| unit.instances.iter().find(is_it)).map(|i| &**i)
}

/// The text of a file: a model, an instance, the standard library.
pub fn text(db: &Database, file: FileId) -> Option<String> {
    if let Some(text) = super::stdlib::text(file) {
        return Some(text.to_owned());
    }
    let bytes = db.known(file)?.content(db).as_ref().ok()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// Resolves places before there is a model: those that are not given in bytes are the start of
/// their file.
pub struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, place: Place) -> FileSpan {
        match place {
            Place::Span(at) => at,
            other => FileSpan { file: other.file(), span: Span::at(0) },
        }
    }
}

impl Resolver for Origins<'_> {
    fn resolve(&self, place: Place) -> FileSpan {
        let file = place.file();
        let span = match place {
            Place::Span(at) => at.span,
            Place::Model { node, .. } => {
                let nodes = self.nodes.get(&file);
                nodes.and_then(|n| n.spans.get(node as usize)).copied().unwrap_or_default()
            }
            Place::Data { node, part, .. } => {
                let mut known = self.spans.borrow_mut();
                let read = || self.texts.spans(file).into();
                self.data_span(known.entry(file).or_insert_with(read), file, node, part)
            }
            Place::File(_) => Span::at(0),
        };
        FileSpan { file, span }
    }
}
