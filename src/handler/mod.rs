//! What a handler is, the registry of handlers, and the handlers.
