//! Names, imports and schemas, lowered from the tree of a model.
