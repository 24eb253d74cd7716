//! The agent: does what it is asked, and answers.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::base::{Entry, System, SystemError};
use crate::graph::Node;
use crate::handler::{
    Clock, Effect, Fault, Greeting, Handler, PrintKey, Readiness, Registry, Rights, Root, Session,
    SystemClock,
};

use super::frame::Frame;
use super::gate::{self, Gate};
use super::machine::{Machine, settled};
use super::message::{Answer, Applied, Ask, BANNER, Introduced, Looked, VERSION, frame, parse};
use super::sudo::Sudo;

/// Serves the handlers of this program on standard input and output, until the input ends.
pub fn serve() -> io::Result<()> {
    let folder = gate::folder().unwrap_or_else(|| "/var/lib/gops/agent".into());
    let (input, output) = (io::stdin(), io::stdout());
    let (input, output) = (io::BufReader::new(input), io::BufWriter::new(output));
    serve_on(Box::new(input), Box::new(output), &Registry::standard(), &folder)
}

/// The same on any pipes; `folder` is where it is kept which runs were accepted.
pub(super) fn serve_on(
    input: Box<dyn Read + Send>,
    output: Box<dyn Write + Send>,
    registry: &Registry,
    folder: &Path,
) -> io::Result<()> {
    let wire = Arc::new(Mutex::new(Wire { input, output, queued: VecDeque::new() }));
    lock(&wire).banner()?;
    let project = Arc::new(RemoteProject { wire: wire.clone(), last: Mutex::new(None) });
    let mut agent =
        Agent { registry, folder, clock: &SystemClock, machine: Machine::this(), project, guest: None };
    let is_root = rustix::process::geteuid().is_root();
    let mut root = None;
    loop {
        // The guard is dropped before the answer is made: that may ask for a file.
        let Some((rights, bytes)) = lock(&wire).next()? else { return Ok(()) };
        if rights == Rights::Root && !is_root {
            let answer = pass_on(root.get_or_insert_with(Sudo::start), bytes, &wire)?;
            lock(&wire).pass(answer)?;
        } else {
            let answer = agent.answer(&bytes);
            lock(&wire).send(&answer)?;
        }
    }
}

/// Has root's agent answer; one that has ended is not started again for this run, so that nobody takes
/// what it left half done for what was never begun.
fn pass_on(root: &mut Result<Sudo, Fault>, request: Vec<u8>, wire: &Mutex<Wire>) -> io::Result<Frame> {
    let fault = match root {
        Err(fault) => fault.clone(),
        Ok(sudo) => match sudo.ask(request, |wants| lock(wire).file(Frame::Message(wants)))? {
            Ok(answer) => return Ok(Frame::Message(answer)),
            Err(fault) => fault,
        },
    };
    *root = Err(fault.clone());
    frame(&Answer::Refused(fault))
}

fn lock(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The two pipes.
struct Wire {
    input: Box<dyn Read + Send>,
    output: Box<dyn Write + Send>,
    /// Requests that came while a file was waited for.
    queued: VecDeque<(Rights, Vec<u8>)>,
}

impl Wire {
    fn banner(&mut self) -> io::Result<()> {
        writeln!(self.output, "{BANNER}{VERSION}")?;
        self.output.flush()
    }

    /// The next request, and whom it is for.
    fn next(&mut self) -> io::Result<Option<(Rights, Vec<u8>)>> {
        if let Some(request) = self.queued.pop_front() {
            return Ok(Some(request));
        }
        match Frame::read(&mut self.input)? {
            Some(Frame::Message(bytes)) => Ok(Some((Rights::Login, bytes))),
            Some(Frame::Root(bytes)) => Ok(Some((Rights::Root, bytes))),
            Some(_) => Err(super::frame::invalid("a file that nobody wanted")),
            None => Ok(None),
        }
    }

    fn send(&mut self, answer: &Answer) -> io::Result<()> {
        self.pass(frame(answer)?)
    }

    fn pass(&mut self, answer: Frame) -> io::Result<()> {
        answer.write(&mut self.output)?;
        self.output.flush()
    }

    /// A piece of a file of the project, and whether it is the last.
    fn piece(&mut self, path: &str, from: u64) -> io::Result<(Vec<u8>, bool)> {
        match self.file(frame(&Answer::Wants { path: path.to_owned(), from })?)? {
            Frame::File(bytes, last) => Ok((bytes, last)),
            Frame::NoFile(why) => Err(io::Error::other(why)),
            Frame::Message(_) | Frame::Root(_) => Err(super::frame::invalid("no file")),
        }
    }

    /// What is answered to a message that wants a file.
    fn file(&mut self, wants: Frame) -> io::Result<Frame> {
        self.pass(wants)?;
        loop {
            match Frame::read(&mut self.input) {
                Ok(Some(Frame::Message(bytes))) => self.queued.push_back((Rights::Login, bytes)),
                Ok(Some(Frame::Root(bytes))) => self.queued.push_back((Rights::Root, bytes)),
                Ok(Some(file)) => return Ok(file),
                ended => {
                    // Nobody is there any more who could hear of what is queued.
                    self.queued.clear();
                    return Err(ended.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
    }
}

/// The files of the project, which are where the deploy comes from.
struct RemoteProject {
    wire: Arc<Mutex<Wire>>,
    /// The small file that was asked for last: many resources may have the same bytes.
    last: Mutex<Option<(String, Arc<[u8]>)>>,
}

/// A file of the project as it comes, a piece at a time: it may be larger than memory.
struct Pieces {
    wire: Arc<Mutex<Wire>>,
    path: String,
    piece: io::Cursor<Vec<u8>>,
    /// Where the next piece begins; none after the last.
    next: Option<u64>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match (self.piece.read(buffer)?, self.next) {
                (0, Some(from)) if !buffer.is_empty() => {
                    // What was read is let go before the next comes.
                    self.piece = io::Cursor::default();
                    let (bytes, last) = lock(&self.wire).piece(&self.path, from)?;
                    self.next = (!last).then_some(from + bytes.len() as u64);
                    self.piece = io::Cursor::new(bytes);
                }
                (read, _) => return Ok(read),
            }
        }
    }
}

impl fmt::Debug for RemoteProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteProject")
    }
}

impl System for RemoteProject {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        let mut bytes = Vec::new();
        let read = self.open(path)?.read_to_end(&mut bytes);
        read.map_err(|e| SystemError::Io(path.to_owned(), e.to_string()))?;
        Ok(bytes.into())
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read>, SystemError> {
        let mut last = self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((known, bytes)) = &*last
            && known == path
        {
            return Ok(Box::new(io::Cursor::new(bytes.clone())));
        }
        let (bytes, whole) =
            lock(&self.wire).piece(path, 0).map_err(|e| SystemError::Io(path.to_owned(), e.to_string()))?;
        if whole {
            let bytes: Arc<[u8]> = bytes.into();
            *last = Some((path.to_owned(), bytes.clone()));
            return Ok(Box::new(io::Cursor::new(bytes)));
        }
        let next = Some(bytes.len() as u64);
        let (wire, path) = (self.wire.clone(), path.to_owned());
        Ok(Box::new(Pieces { wire, path, piece: io::Cursor::new(bytes), next }))
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError> {
        Err(SystemError::Io(path.to_owned(), "it is on another machine".to_owned()))
    }
}

/// An agent at work.
struct Agent<'a> {
    registry: &'a Registry,
    folder: &'a Path,
    clock: &'a dyn Clock,
    machine: Machine,
    project: Arc<RemoteProject>,
    /// Who said hello.
    guest: Option<Guest>,
}

struct Guest {
    hello: Introduced,
    gate: Gate,
}

impl Agent<'_> {
    fn answer(&mut self, bytes: &[u8]) -> Answer {
        let answer = parse(bytes).and_then(|ask| self.does(ask));
        answer.unwrap_or_else(|error| Answer::Refused(Fault::new(format!("the agent was asked: {error}"))))
    }

    fn does(&mut self, ask: Ask<'_>) -> io::Result<Answer> {
        let key = self.guest.as_ref().map_or([0; 32], |guest| guest.hello.key.0);
        Ok(match ask {
            Ask::Who { version, .. } if version != VERSION => {
                let fault = Fault::new(format!("the agent speaks version {VERSION}, not {version}"));
                Answer::Refused(fault)
            }
            Ask::Who { root, .. } => Answer::Who(self.identity(&root)),
            Ask::Hello(hello) => Answer::Hello(self.hello(hello)),
            Ask::Observe { handler, batch } => {
                let nodes = nodes(&batch, Looked::node)?;
                let looks: Vec<_> = batch.iter().zip(&nodes).map(|(l, n)| l.look(n.as_ref())).collect();
                Answer::Seen(match self.session(&handler) {
                    Ok((handler, session)) => handler.observe(&session, &looks),
                    Err(fault) => looks.iter().map(|_| Err(fault.clone())).collect(),
                })
            }
            Ask::Ready { handler, batch } => {
                let nodes = nodes(&batch, Looked::node)?;
                let looks: Vec<_> = batch.iter().zip(&nodes).map(|(l, n)| l.look(n.as_ref())).collect();
                Answer::Ready(match self.session(&handler) {
                    Ok((handler, session)) => handler.ready(&session, &looks),
                    Err(fault) => looks.iter().map(|_| Readiness::Failed(fault.clone())).collect(),
                })
            }
            Ask::Apply { handler, batch } => {
                let nodes = nodes(&batch, |applied: &Applied<'_>| applied.node(key))?;
                let requests: Vec<_> = batch.iter().zip(&nodes).map(|(a, n)| a.apply(n.as_ref())).collect();
                Answer::Applied(match self.let_in(&handler) {
                    Ok((handler, session)) => handler.apply(&session, &requests),
                    Err(fault) => requests.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
                })
            }
            Ask::Discard { handler, batch } => {
                let nodes = nodes(&batch, |applied: &Applied<'_>| applied.node(key))?;
                let requests: Vec<_> = batch.iter().zip(&nodes).map(|(a, n)| a.apply(n.as_ref())).collect();
                Answer::Discarded(match self.let_in(&handler) {
                    Ok((handler, session)) => handler.discard(&session, &requests),
                    Err(fault) => requests.iter().map(|_| Err(fault.clone())).collect(),
                })
            }
            Ask::Delete { handler, batch } => {
                let requests: Vec<_> = batch.iter().map(|delete| delete.delete()).collect();
                Answer::Deleted(match self.let_in(&handler) {
                    Ok((handler, session)) => handler.delete(&session, &requests),
                    Err(fault) => requests.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
                })
            }
            Ask::Marked { handler } => Answer::Marked(match self.session(&handler) {
                Ok((handler, session)) => handler.marked(&session),
                Err(fault) => Some(Err(fault)),
            }),
        })
    }

    fn identity(&self, root: &Root) -> ecow::EcoString {
        self.machine.identity(root.folder.as_deref().map(settled).as_deref())
    }

    fn hello(&mut self, mut hello: Introduced) -> Result<Greeting, Fault> {
        hello.root.folder = hello.root.folder.as_deref().map(settled);
        let identity = self.identity(&hello.root);
        // Whoever expects another machine has no business here.
        let enter = hello.enter && identity == hello.identity;
        hello.identity = identity.clone();
        let same = |guest: &Guest| guest.hello.lineage == hello.lineage && guest.hello.fence == hello.fence;
        let mut gate = match self.guest.take().filter(same) {
            Some(guest) => guest.gate,
            None => Gate::new(self.folder, &hello),
        };
        let others = gate.others()?;
        let fence = if enter { gate.enter(self.clock)? } else { gate.known()? };
        if let (true, Some(above)) = (enter, hello.root.folder.as_deref().and_then(Path::parent)) {
            match std::fs::create_dir_all(above) {
                // Root may, and what needs it without root says so itself.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                made => made
                    .map_err(|e| Fault::new(format!("cannot make `{}` on the host: {e}", above.display())))?,
            }
        }
        self.guest = Some(Guest { hello, gate });
        Ok(Greeting { identity, fence, keeps: true, late: false, others })
    }

    /// A handler and what it works with, for whoever said hello.
    fn session(&self, handler: &str) -> Result<(&dyn Handler, Session<'_>), Fault> {
        let known = self.registry.get(handler);
        let handler = known.ok_or_else(|| Fault::new(format!("the agent has no handler `{handler}`")))?;
        let guest = self.guest.as_ref().ok_or_else(|| Fault::new("nobody has said hello to the agent"))?;
        let hello = &guest.hello;
        let session = Session {
            target: hello.target.clone(),
            identity: hello.identity.clone(),
            root: hello.root.clone(),
            lineage: hello.lineage.clone(),
            fence: hello.fence.clone(),
            key: PrintKey::new(hello.key.0),
            clock: self.clock,
            // Whoever asked looks to the connection.
            patience: std::time::Duration::MAX,
            until: None,
            project: self.project.clone(),
        };
        Ok((handler, session))
    }

    /// The same for what changes something, which only the run does that was accepted last.
    fn let_in(&self, handler: &str) -> Result<(&dyn Handler, Session<'_>), Fault> {
        let found = self.session(handler)?;
        match &self.guest {
            Some(guest) => guest.gate.check().map(|()| found),
            None => Ok(found),
        }
    }
}

fn nodes<T>(batch: &[T], node: impl Fn(&T) -> io::Result<Option<Node>>) -> io::Result<Vec<Option<Node>>> {
    batch.iter().map(node).collect()
}
