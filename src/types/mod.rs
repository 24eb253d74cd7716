//! Types, the checking of models, the shapes of instances.
