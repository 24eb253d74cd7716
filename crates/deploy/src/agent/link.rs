//! The connection to one agent: requests go out one after the other without waiting, answers come
//! back in their order. One that broke off is made anew once, by the next request.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecow::EcoString;

use crate::base::System;
use crate::handler::{Fault, Greeting, Rights, Root};

use super::frame::{Frame, invalid};
use super::message::{Answer, Ask, BANNER, Introduced, PIECE, VERSION, parse, request};

/// How much may come before the agent's banner: what a login shell prints.
pub(super) const NOISE: usize = 64 << 10;

/// How long an agent may take to say who it is, and to let a run in: it ends others before.
const ANSWER: Duration = Duration::from_secs(60);

/// Makes connections to one agent.
pub(super) trait Connect: Send + Sync {
    /// The host, as messages name it.
    fn host(&self) -> &str;

    /// Makes one.
    fn connect(&self) -> Result<Pipes, Fault>;

    /// With which rights is done there what does not say it itself.
    fn rights(&self) -> Rights {
        Rights::Login
    }

    /// Whether something may be under way there that an earlier run began as root.
    fn is_unfinished(&self) -> bool {
        false
    }
}

/// A connection that was made.
pub(super) struct Pipes {
    pub input: Box<dyn Read + Send>,
    pub output: Box<dyn Write + Send>,
    /// Asked once the input has ended, before the banner or after it: why that was.
    pub why: Box<dyn FnOnce(Stage) -> Fault + Send>,
}

/// How far a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The agent has not said anything.
    Starting,
    /// It has.
    Speaking,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(super) enum Lost {
    /// Nothing was asked.
    Unasked(Fault),
    /// It was asked, and may have been done.
    Asked(Fault),
}

impl Lost {
    pub(super) fn fault(self) -> Fault {
        match self {
            Lost::Unasked(fault) | Lost::Asked(fault) => fault,
        }
    }
}

/// One agent, reached.
pub(super) struct Link {
    connect: Box<dyn Connect>,
    root: Root,
    project: Arc<dyn System>,
    state: Mutex<State>,
}

struct State {
    line: Line,
    identity: EcoString,
    /// What was said last, to be said again to the agent of a new connection.
    hello: Option<Introduced>,
}

enum Line {
    Up(Wire),
    Broken,
    /// It could not be made anew.
    Down(Fault),
}

/// A connection with its banner read.
struct Wire {
    /// From the thread that reads: so that one that says nothing is waited for so long and no longer.
    input: Receiver<io::Result<Frame>>,
    /// To the thread that writes: so that this one reads while requests are still going out, and
    /// neither end waits for the other to empty its pipe.
    output: Sender<Frame>,
    why: Box<dyn FnOnce(Stage) -> Fault + Send>,
    root: Elevation,
}

/// The agent that runs as root, which is started when something is asked of it.
enum Elevation {
    Unasked,
    /// It has let this run in.
    Greeted,
    Refused(Fault),
}

impl Link {
    /// Connects, and learns which machine it is.
    pub(super) fn new(
        connect: Box<dyn Connect>,
        root: Root,
        project: Arc<dyn System>,
    ) -> Result<Self, Fault> {
        let (wire, identity) = Wire::open(&*connect, &root, &*project)?;
        let state = State { line: Line::Up(wire), identity, hello: None };
        Ok(Link { connect, root, project, state: Mutex::new(state) })
    }

    /// What it is, whatever its name.
    pub(super) fn identity(&self) -> EcoString {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).identity.clone()
    }

    /// Where its files are.
    pub(super) fn root(&self) -> &Root {
        &self.root
    }

    /// With which rights is done there what does not say it itself.
    pub(super) fn rights(&self) -> Rights {
        self.connect.rights()
    }

    /// Says hello.
    pub(super) fn hello(&self, hello: Introduced) -> Result<Greeting, Fault> {
        let mut answers = self.ask(Rights::Login, &[Ask::Hello(hello.clone())], ANSWER);
        let answer = answers.pop().unwrap_or_else(|| Err(Lost::Unasked(Fault::new("nothing was asked"))));
        match answer {
            Ok(Answer::Hello(answer)) => {
                let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                state.hello = Some(hello);
                if let Line::Up(wire) = &mut state.line {
                    // What was said to root before was of another kind: it let nobody in, if it was to plan.
                    wire.root = Elevation::Unasked;
                }
                if self.connect.is_unfinished() && answer.is_ok() {
                    // Nothing of it may land later, whatever this run has to do there.
                    self.elevate(&mut state)?;
                }
                answer
            }
            Ok(other) => Err(self.misunderstood(&other)),
            Err(lost) => Err(lost.fault()),
        }
    }

    /// What is said where an answer is to something else.
    pub(super) fn misunderstood(&self, answer: &Answer) -> Fault {
        match answer {
            Answer::Refused(fault) => of(self.connect.host(), fault),
            _ => Fault::new(format!("{}: the agent answers something else", self.connect.host())),
        }
    }

    /// Asks the agent with these rights; one answer each, in order. A host that says nothing for so long
    /// is given up.
    pub(super) fn ask(
        &self,
        rights: Rights,
        asks: &[Ask<'_>],
        patience: Duration,
    ) -> Vec<Result<Answer, Lost>> {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let unasked = |fault: Fault| asks.iter().map(|_| Err(Lost::Unasked(fault.clone()))).collect();
        if let Err(fault) = self.mend(&mut state) {
            return unasked(fault);
        }
        if rights == Rights::Root
            && let Err(fault) = self.elevate(&mut state)
        {
            return unasked(fault);
        }
        let frames = match asks.iter().map(|ask| request(rights, ask)).collect::<io::Result<Vec<_>>>() {
            Ok(frames) => frames,
            Err(error) => return unasked(Fault::new(format!("it cannot be sent: {error}"))),
        };
        let Line::Up(wire) = &mut state.line else { return unasked(Fault::new("there is no connection")) };
        for frame in frames {
            // If the thread is gone, so is the connection, which is what reading will say.
            let _ = wire.output.send(frame);
        }
        let mut answers = Vec::with_capacity(asks.len());
        let mut broken = None;
        for _ in asks {
            match wire.answer(&*self.project, patience) {
                Ok(answer) => answers.push(Ok(answer)),
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        if let Some(error) = broken {
            let fault = self.broken(&mut state, &error);
            answers.resize_with(asks.len(), || Err(Lost::Asked(fault.clone())));
        }
        answers
    }

    /// Says hello to the agent that runs as root, once a connection.
    fn elevate(&self, state: &mut State) -> Result<(), Fault> {
        let Line::Up(wire) = &mut state.line else { return Err(Fault::new("there is no connection")) };
        match &wire.root {
            Elevation::Unasked => {}
            Elevation::Greeted => return Ok(()),
            Elevation::Refused(fault) => return Err(fault.clone()),
        }
        let Some(hello) = &state.hello else { return Err(Fault::new("nobody has said hello to the agent")) };
        let said = match wire.ask(Rights::Root, &Ask::Hello(hello.clone()), &*self.project, ANSWER) {
            Ok(said) => said,
            Err(error) => return Err(self.broken(state, &error)),
        };
        let host = self.connect.host();
        let refused = match said {
            Answer::Hello(Ok(greeting)) if greeting.identity != state.identity => {
                Some(Fault::new(format!("{host} is another machine for root than for who logs in")))
            }
            Answer::Hello(Ok(greeting)) => overtaken(host, hello, greeting),
            Answer::Hello(Err(fault)) => Some(of(host, &fault)),
            other => Some(self.misunderstood(&other)),
        };
        let Line::Up(wire) = &mut state.line else { return Err(Fault::new("there is no connection")) };
        match refused {
            Some(fault) => {
                wire.root = Elevation::Refused(fault.clone());
                Err(fault)
            }
            None => {
                wire.root = Elevation::Greeted;
                Ok(())
            }
        }
    }

    fn broken(&self, state: &mut State, error: &io::Error) -> Fault {
        let Line::Up(wire) = std::mem::replace(&mut state.line, Line::Broken) else {
            return Fault::new("there is no connection");
        };
        let fault = wire.ended(error, Stage::Speaking);
        if error.kind() != io::ErrorKind::TimedOut {
            return fault;
        }
        let fault = Fault::new(format!("{} {error}", self.connect.host()))
            .help("see what it waits for, and run it again: it is looked up then what was done there");
        // It would be waited for as long each time.
        state.line = Line::Down(fault.clone());
        fault
    }

    /// Makes a connection that broke off anew, to the same machine and for the same run.
    fn mend(&self, state: &mut State) -> Result<(), Fault> {
        match &state.line {
            Line::Up(_) => return Ok(()),
            Line::Down(fault) => return Err(fault.clone()),
            Line::Broken => {}
        }
        match self.again(state) {
            Ok(wire) => {
                state.line = Line::Up(wire);
                Ok(())
            }
            Err(mut fault) => {
                // Everything else that this run would ask fails at once.
                fault.passing = false;
                state.line = Line::Down(fault.clone());
                Err(fault)
            }
        }
    }

    fn again(&self, state: &State) -> Result<Wire, Fault> {
        let host = self.connect.host();
        let (mut wire, identity) = Wire::open(&*self.connect, &self.root, &*self.project)?;
        if identity != state.identity {
            return Err(Fault::new(format!("{host} is another machine since the connection broke off")));
        }
        let Some(hello) = &state.hello else { return Ok(wire) };
        let said = match wire.ask(Rights::Login, &Ask::Hello(hello.clone()), &*self.project, ANSWER) {
            Ok(said) => said,
            Err(error) => return Err(wire.ended(&error, Stage::Speaking)),
        };
        match said {
            Answer::Hello(Ok(greeting)) => overtaken(host, hello, greeting).map_or(Ok(wire), Err),
            Answer::Hello(Err(fault)) => Err(fault),
            other => Err(self.misunderstood(&other)),
        }
    }
}

impl Wire {
    /// Connects, reads the banner, and asks which machine it is.
    fn open(connect: &dyn Connect, root: &Root, project: &dyn System) -> Result<(Self, EcoString), Fault> {
        let Pipes { input, output, why } = connect.connect()?;
        let (sender, frames) = channel::<Frame>();
        let (began, input) = reader(input);
        let mut wire = Wire { input, output: sender, why, root: Elevation::Unasked };
        let banner = began.recv_timeout(ANSWER).unwrap_or_else(|_| Err(silent(ANSWER)));
        if let Err(error) = banner {
            drop(output);
            return Err(wire.ended(&error, Stage::Starting));
        }
        std::thread::spawn(move || {
            let mut output = BufWriter::new(output);
            let mut next = frames.recv();
            while let Ok(frame) = next {
                if frame.write(&mut output).is_err() {
                    return;
                }
                next = match frames.try_recv() {
                    Ok(frame) => Ok(frame),
                    Err(_) => match output.flush() {
                        Ok(()) => frames.recv(),
                        Err(_) => return,
                    },
                };
            }
        });
        match wire.ask(Rights::Login, &Ask::Who { version: VERSION, root: root.clone() }, project, ANSWER) {
            Ok(Answer::Who(identity)) => Ok((wire, identity)),
            Ok(Answer::Refused(fault)) => Err(of(connect.host(), &fault)),
            Ok(_) => Err(Fault::new(format!("{}: the agent answers something else", connect.host()))),
            Err(error) => Err(wire.ended(&error, Stage::Speaking)),
        }
    }

    fn ask(
        &mut self,
        rights: Rights,
        ask: &Ask<'_>,
        project: &dyn System,
        patience: Duration,
    ) -> io::Result<Answer> {
        let _ = self.output.send(request(rights, ask)?);
        self.answer(project, patience)
    }

    /// The next answer; gives the agent the files that it wants before.
    fn answer(&mut self, project: &dyn System, patience: Duration) -> io::Result<Answer> {
        let mut lent = None;
        loop {
            let bytes = match self.input.recv_timeout(patience) {
                Ok(Ok(Frame::Message(bytes))) => bytes,
                Ok(Ok(_)) => return Err(invalid("the agent sent a file")),
                Ok(Err(error)) => return Err(error),
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(RecvTimeoutError::Timeout) => return Err(silent(patience)),
            };
            let Answer::Wants { path, from } = parse(&bytes)? else { return parse(&bytes) };
            let file = match piece(&mut lent, project, path, from) {
                Ok((bytes, last)) => Frame::File(bytes, last),
                Err(why) => Frame::NoFile(why),
            };
            let _ = self.output.send(file);
        }
    }

    /// Why nothing more comes.
    fn ended(self, error: &io::Error, stage: Stage) -> Fault {
        let Wire { input, output, why, root: _ } = self;
        drop((input, output));
        let mut fault = why(stage);
        if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::TimedOut) {
            fault.message = format!("{} ({error})", fault.message);
        }
        fault
    }
}

/// What is read from an agent: the banner, then frames, until the input ends.
fn reader(input: Box<dyn Read + Send>) -> (Receiver<io::Result<()>>, Receiver<io::Result<Frame>>) {
    let ((begins, began), (sender, frames)) = (channel(), channel());
    std::thread::spawn(move || {
        let mut input = BufReader::new(input);
        let banner = banner(&mut input);
        let goes_on = banner.is_ok();
        if begins.send(banner).is_err() || !goes_on {
            return;
        }
        loop {
            let frame = match Frame::read(&mut input) {
                Ok(Some(frame)) => Ok(frame),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let goes_on = frame.is_ok();
            if sender.send(frame).is_err() || !goes_on {
                return;
            }
        }
    });
    (began, frames)
}

/// What a host says, with its name.
fn of(host: &str, fault: &Fault) -> Fault {
    Fault { message: format!("{host}: {}", fault.message), ..fault.clone() }
}

/// Whether a host has let a later run in than the one that says hello.
fn overtaken(host: &str, hello: &Introduced, greeting: Greeting) -> Option<Fault> {
    let known = greeting.fence.filter(|_| hello.enter)?;
    match known.admits(&hello.fence) {
        true => None,
        false => Some(Fault::new(format!("another deployer is at work on {host}"))),
    }
}

/// Skips what is printed before an agent says that it is one.
pub(super) fn banner(input: &mut impl BufRead) -> io::Result<()> {
    let mut noise = NOISE;
    loop {
        let mut line = Vec::new();
        let read = input.take(noise as u64).read_until(b'\n', &mut line)?;
        noise = noise.saturating_sub(read);
        if !line.ends_with(b"\n") {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(version) = line.strip_prefix(BANNER.as_bytes()) {
            let ours = format!("{VERSION}\n");
            return match version == ours.as_bytes() {
                true => Ok(()),
                false => Err(invalid("the agent speaks another version")),
            };
        }
    }
}

/// It was waited for so long.
fn silent(patience: Duration) -> io::Error {
    let message = format!("has not said anything for {patience:?}");
    io::Error::new(io::ErrorKind::TimedOut, message)
}

/// A file of the project while it is handed over, a piece at a time, and how far it was read.
struct Lent {
    path: String,
    at: u64,
    file: Box<dyn Read>,
}

/// The next piece of a file, and whether it is the last.
fn piece(
    lent: &mut Option<Lent>,
    project: &dyn System,
    path: String,
    from: u64,
) -> Result<(Vec<u8>, bool), String> {
    let mut file = match lent.take().filter(|lent| lent.path == path && lent.at == from) {
        Some(lent) => lent,
        None => {
            let mut file = project.open(&path).map_err(|e| e.to_string())?;
            io::copy(&mut file.by_ref().take(from), &mut io::sink()).map_err(|e| e.to_string())?;
            Lent { path, at: from, file }
        }
    };
    let mut bytes = Vec::new();
    file.file.by_ref().take(PIECE).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    file.at += bytes.len() as u64;
    let last = (bytes.len() as u64) < PIECE;
    *lent = Some(file).filter(|_| !last);
    Ok((bytes, last))
}
