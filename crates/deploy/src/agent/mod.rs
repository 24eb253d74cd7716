//! What runs on a host that is reached over ssh, and how it is spoken to.
//!
//! `gops agent` on the host has the same handlers as the gops that deploys. It is started over
//! ssh, by [`ssh`], and asked over the connection's two pipes, by [`link`], for what
//! [`Handler`](crate::handler::Handler) does with a target; whoever deploys sees a `dyn Handler`
//! ([`remote`]) and knows no difference.
//!
//! Invariants: the agent answers in the order of the requests, and writes nothing but answers; it
//! does nothing for a run that its host has not accepted, or no longer; it ends with its input;
//! two versions never speak to each other, since a gops speaks to a copy of itself alone.
//!
//! What takes root's rights is done by a second agent, which the first starts by `sudo` when it is asked
//! for that ([`sudo`]); the one connection serves both.
//!
//! Deliberately absent: a daemon, a port, an installation. What stays on a host is one file in a
//! cache, and which run was accepted last.

mod frame;
mod gate;
mod link;
mod machine;
mod message;
mod process;
mod program;
mod remote;
mod serve;
mod ssh;
mod sudo;

#[cfg(test)]
mod tests;

pub use machine::Machine;
pub use remote::{Remotes, Wanted, way};
pub use serve::serve;
pub use ssh::Ssh;
