//! What is to be looked at.

use std::sync::Arc;

use ecow::EcoString;

use crate::graph::Node;
use crate::handler::{Look, Recorded, Token};

/// [`Look`], with what it looks at.
#[derive(Clone, Debug)]
pub(in crate::deploy) struct LookRequest {
    pub kind: EcoString,
    pub node: Option<Arc<Node>>,
    pub recorded: Option<Recorded>,
    pub intended: Option<Recorded>,
    pub token: Option<Token>,
    pub closely: bool,
    pub entries: bool,
}

impl LookRequest {
    /// As handlers take it.
    pub(in crate::deploy) fn look(&self) -> Look<'_> {
        Look {
            kind: &self.kind,
            node: self.node.as_deref(),
            recorded: self.recorded.as_ref(),
            intended: self.intended.as_ref(),
            token: self.token.as_ref(),
            closely: self.closely,
            entries: self.entries,
        }
    }
}
