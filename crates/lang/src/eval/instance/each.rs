//! Files of several instances.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::data::NodeKind;
use crate::diag::{Diagnostic, Place};
use crate::model::RecordDef;

use super::Doc;
use super::collections::{check_removal, key_fields, raw_key};
use super::layers::Src;
use super::problems;
use super::records::REMOVE;

/// The instances of a file of several.
#[derive(Debug, Default)]
pub struct Items<'a> {
    /// Each with its documents and the nodes in them, the base first.
    pub items: Vec<Vec<(Doc<'a>, u32)>>,
    /// What is wrong with what is laid over them.
    pub diagnostics: Vec<Diagnostic>,
}

/// Takes a file of several instances apart, and puts what other files lay over it to the
/// instances with the same keys. `documents` are the base first, then what is laid over it.
pub fn items<'a>(slice: &RecordDef, documents: &[Doc<'a>]) -> Items<'a> {
    let mut out = Items::default();
    let mut index: FxHashMap<EcoString, usize> = FxHashMap::default();
    let mut found: Vec<Option<Vec<(Doc<'a>, u32)>>> = Vec::new();
    for (depth, &doc) in documents.iter().enumerate() {
        let root = Src { doc, node: 0 };
        let nodes: Vec<Src<'a>> = match root.kind() {
            NodeKind::Sequence(_) => root.children().collect(),
            // An empty file holds no instances.
            NodeKind::Null => Vec::new(),
            _ => vec![root],
        };
        for src in nodes {
            let key = raw_key(slice, src);
            if depth == 0 {
                // Two with one key are a mistake that shows once they are read.
                index.entry(key).or_insert(found.len());
                found.push(Some(vec![(doc, src.node)]));
            } else {
                let base = index.get(&key).and_then(|&at| found.get_mut(at));
                lay_over(slice, src, base, &mut out.diagnostics);
            }
        }
    }
    out.items = found.into_iter().flatten().collect();
    out
}

fn lay_over<'a>(
    slice: &RecordDef,
    src: Src<'a>,
    base: Option<&mut Option<Vec<(Doc<'a>, u32)>>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let removed = src.get(REMOVE).is_some();
    let Some(base @ Some(_)) = base else {
        let declared = Place::Model { file: slice.decl.file, node: slice.decl.node.0 };
        diagnostics.push(match removed {
            true => problems::nothing_to_remove(src),
            false => problems::no_base(slice, src, declared),
        });
        return;
    };
    if removed {
        let allowed: Vec<&str> = key_fields(slice).chain([REMOVE]).collect();
        diagnostics.extend(check_removal(&allowed, src));
        *base = None;
    } else if let Some(places) = base {
        places.push((src.doc, src.node));
    }
}
