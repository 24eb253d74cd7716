//! The model as a value: names resolved, schemas and bodies lowered from the trees of all model
//! files. Nothing here holds a span: a [`Node`] numbers a place of a module, and the side table
//! [`Nodes`] knows its bytes, so that a comment or white-space edit leaves the value equal.

pub mod hir;
pub mod kinds;
pub mod lower;
pub mod nodes;
pub mod order;
pub mod prelude;
pub mod program;
pub mod render;
pub mod schema;
pub mod scopes;
pub mod show;
pub mod source;
pub mod ty;

pub use hir::{Body, Hir, HirKind, Node, Nodes};
pub use lower::{Declarations, ModuleSource, Pending, PendingKind, Settings, declare, lower_type};
pub use nodes::NodeBuilder;
pub use program::Program;
pub use schema::{EnumDef, FieldDef, FieldKind, RecordDef, TypeDef, UnionDef, VariantDef};
pub use scopes::{FunctionItem, ModuleId, Scopes, TypeItem, ValueItem};
pub use show::show;
pub use ty::{Type, TypeId};
