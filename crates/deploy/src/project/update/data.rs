//! Values as they are written into data.

use ecow::EcoString;

use crate::data::{Document, Node, NodeKind};
use crate::eval::Value;
use crate::model::{Program, RecordDef, TypeDef};

/// The document that reads as a value; what of the value has no place in data.
pub(super) fn document(program: &Program, value: &Value) -> Result<Document, &'static str> {
    let mut writer = Writer { program, nodes: Vec::new() };
    writer.write(None, value)?;
    Ok(Document { nodes: writer.nodes })
}

struct Writer<'a> {
    program: &'a Program,
    nodes: Vec<Node>,
}

type Key = Option<EcoString>;

impl Writer<'_> {
    fn scalar(&mut self, key: Key, value: NodeKind) {
        let end = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { key, value, octal: false, padded: false, end });
    }

    fn container(
        &mut self,
        key: Key,
        value: NodeKind,
        fill: impl FnOnce(&mut Self) -> Result<u32, &'static str>,
    ) -> Result<(), &'static str> {
        let at = self.nodes.len();
        self.nodes.push(Node { key, value, octal: false, padded: false, end: 0 });
        let count = fill(self)?;
        let end = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(at) {
            node.end = end;
            if let NodeKind::Sequence(of) | NodeKind::Mapping(of) = &mut node.value {
                *of = count;
            }
        }
        Ok(())
    }

    fn write(&mut self, key: Key, value: &Value) -> Result<(), &'static str> {
        match value {
            Value::Null => self.scalar(key, NodeKind::Null),
            Value::Bool(v) => self.scalar(key, NodeKind::Bool(*v)),
            Value::Int(v) => self.scalar(key, NodeKind::Int(*v)),
            Value::Float(v) => self.scalar(key, NodeKind::Float(*v)),
            Value::Str(v) => self.scalar(key, NodeKind::Str(v.clone())),
            Value::Duration(_) | Value::Size(_) | Value::Enum(..) | Value::Variant(_, _, None) => {
                self.scalar(key, NodeKind::Str(self.text(value)));
            }
            Value::List(items) | Value::Set(items) => {
                return self.container(key, NodeKind::Sequence(0), |w| {
                    items.iter().try_for_each(|item| w.write(None, item))?;
                    Ok(items.len() as u32)
                });
            }
            Value::Map(entries) => {
                return self.container(key, NodeKind::Mapping(0), |w| {
                    entries.iter().try_for_each(|(k, v)| w.write(Some(w.text(k)), v))?;
                    Ok(entries.len() as u32)
                });
            }
            Value::Anon(fields) => {
                return self.container(key, NodeKind::Mapping(0), |w| {
                    fields.iter().try_for_each(|(k, v)| w.write(Some(k.as_str().into()), v))?;
                    Ok(fields.len() as u32)
                });
            }
            Value::Record(record) => {
                let def = self.program.record(record.ty).ok_or("a value without a type")?;
                return self.container(key, NodeKind::Mapping(0), |w| w.fields(def, &record.fields));
            }
            Value::Variant(ty, _, Some(record)) => {
                let TypeDef::Union(union) = self.program.ty(*ty) else {
                    return Err("a value without a type");
                };
                let def = self.program.record(record.ty).ok_or("a value without a type")?;
                let tag = self.text(value);
                return self.container(key, NodeKind::Mapping(0), |w| {
                    w.scalar(Some(union.tag.as_str().into()), NodeKind::Str(tag));
                    Ok(w.fields(def, &record.fields)? + 1)
                });
            }
            Value::Ref(reference) => match &*reference.key {
                [only] => return self.write(key, only),
                several => {
                    let def = self.program.record(reference.ty).ok_or("a value without a type")?;
                    return self.container(key, NodeKind::Mapping(0), |w| {
                        for (part, value) in def.keys.iter().zip(several) {
                            w.write(Some(part.name.clone()), value)?;
                        }
                        Ok(several.len() as u32)
                    });
                }
            },
            Value::Range(_) => return Err("a range"),
            Value::File(_) => return Err("a file"),
            Value::Deferred(deferred) if deferred.secret => return Err("made of another secret"),
            Value::Deferred(_) => return Err("known only after a deploy"),
            Value::Wrong => return Err("wrong"),
        }
        Ok(())
    }

    /// The fields that are not null, by their data names.
    fn fields(&mut self, def: &RecordDef, values: &[Value]) -> Result<u32, &'static str> {
        let mut count = 0;
        for (field, value) in def.fields.iter().zip(values).filter(|(_, v)| !matches!(v, Value::Null)) {
            self.write(Some(field.data_name.clone()), value)?;
            count += 1;
        }
        Ok(count)
    }

    fn text(&self, value: &Value) -> EcoString {
        if let Value::Variant(ty, variant, _) = value {
            return crate::eval::print::variant_name(self.program, *ty, *variant);
        }
        let mut text = String::new();
        crate::eval::print::text(&mut text, self.program, value);
        text.into()
    }
}
