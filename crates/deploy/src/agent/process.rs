//! Processes that an agent is spoken to through, and what they say when they end.

use std::io::Read;
use std::process::{Child, ChildStderr};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How much of what is complained about is kept.
const COMPLAINTS: usize = 8 << 10;
/// How long is waited for the last complaint once the pipes are closed.
const LINGER: Duration = Duration::from_secs(2);

/// A process, and what it complains about.
pub(super) struct Process {
    child: Child,
    complaints: Receiver<String>,
}

/// How it ended.
pub(super) struct Ended {
    /// What it ended with, if nothing else ended it.
    pub code: Option<i32>,
    /// What was written to its standard error.
    pub complaints: String,
}

impl Process {
    /// One that was started, with its standard error.
    pub(super) fn new(child: Child, complaints: ChildStderr) -> Self {
        Process { child, complaints: collect(complaints) }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended, both pipes being closed.
    pub(super) fn end(&mut self) -> Ended {
        let complaints = match self.complaints.recv_timeout(LINGER) {
            Ok(complaints) => complaints,
            Err(_) => {
                // It has no reason to live on.
                let _ = self.child.kill();
                self.complaints.recv_timeout(LINGER).unwrap_or_default()
            }
        };
        let code = self.child.wait().ok().and_then(|status| status.code());
        Ended { code, complaints }
    }
}

impl Process {
    /// Waits until it has ended by itself.
    pub(super) fn wait(&mut self) {
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads what is complained about, to its end, in the background: nobody else empties that pipe.
fn collect(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut kept, mut buffer) = (Vec::new(), [0; 1024]);
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
            let over = kept.len().saturating_sub(COMPLAINTS);
            kept.drain(..over);
        }
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    receiver
}

impl Ended {
    /// The last line that says something.
    pub(super) fn last(&self) -> Option<&str> {
        self.complaints.lines().rev().map(str::trim).find(|line| !line.is_empty())
    }

    pub(super) fn has(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.complaints.contains(text))
    }
}
