//! The connection to one agent: requests go out one after the other without waiting, answers come
//! back in their order. One that broke off is made anew once, by the next request.

use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use ecow::EcoString;

use crate::base::System;
use crate::handler::{Fault, Greeting, Root};

use super::frame::{Frame, invalid};
use super::message::{Answer, Ask, BANNER, Introduced, VERSION, frame, parse};

/// How much may come before the agent's banner: what a login shell prints.
const NOISE: usize = 64 << 10;

/// Makes connections to one agent.
pub(super) trait Connect: Send + Sync {
    /// The host, as messages name it.
    fn host(&self) -> &str;

    /// Makes one.
    fn connect(&self) -> Result<Pipes, Fault>;
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
    input: BufReader<Box<dyn Read + Send>>,
    /// To the thread that writes: so that this one reads while requests are still going out, and
    /// neither end waits for the other to empty its pipe.
    output: Sender<Frame>,
    why: Box<dyn FnOnce(Stage) -> Fault + Send>,
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

    /// Says hello.
    pub(super) fn hello(&self, hello: Introduced) -> Result<Greeting, Fault> {
        let mut answers = self.ask(&[Ask::Hello(hello.clone())]);
        let answer = answers.pop().unwrap_or_else(|| Err(Lost::Unasked(Fault::new("nothing was asked"))));
        match answer {
            Ok(Answer::Hello(answer)) => {
                let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                state.hello = Some(hello);
                answer
            }
            Ok(other) => Err(self.misunderstood(&other)),
            Err(lost) => Err(lost.fault()),
        }
    }

    /// What is said where an answer is to something else.
    pub(super) fn misunderstood(&self, answer: &Answer) -> Fault {
        match answer {
            Answer::Refused(fault) => Fault::new(format!("{}: {fault}", self.connect.host())),
            _ => Fault::new(format!("{}: the agent answers something else", self.connect.host())),
        }
    }

    /// Asks; one answer each, in order.
    pub(super) fn ask(&self, asks: &[Ask<'_>]) -> Vec<Result<Answer, Lost>> {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let unasked = |fault: Fault| asks.iter().map(|_| Err(Lost::Unasked(fault.clone()))).collect();
        if let Err(fault) = self.mend(&mut state) {
            return unasked(fault);
        }
        let frames = match asks.iter().map(frame).collect::<io::Result<Vec<_>>>() {
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
            match wire.answer(&*self.project) {
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

    fn broken(&self, state: &mut State, error: &io::Error) -> Fault {
        let Line::Up(wire) = std::mem::replace(&mut state.line, Line::Broken) else {
            return Fault::new("there is no connection");
        };
        wire.ended(error, Stage::Speaking)
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
        let said = match wire.ask(&Ask::Hello(hello.clone()), &*self.project) {
            Ok(said) => said,
            Err(error) => return Err(wire.ended(&error, Stage::Speaking)),
        };
        match said {
            Answer::Hello(Ok(greeting)) => {
                let known = greeting.fence.filter(|_| hello.enter);
                match known.is_some_and(|known| !known.admits(&hello.fence)) {
                    false => Ok(wire),
                    true => Err(Fault::new(format!("another deployer is at work on {host}"))),
                }
            }
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
        let mut wire = Wire { input: BufReader::new(input), output: sender, why };
        if let Err(error) = wire.banner() {
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
        match wire.ask(&Ask::Who { version: VERSION, root: root.clone() }, project) {
            Ok(Answer::Who(identity)) => Ok((wire, identity)),
            Ok(Answer::Refused(fault)) => Err(Fault::new(format!("{}: {fault}", connect.host()))),
            Ok(_) => Err(Fault::new(format!("{}: the agent answers something else", connect.host()))),
            Err(error) => Err(wire.ended(&error, Stage::Speaking)),
        }
    }

    fn banner(&mut self) -> io::Result<()> {
        let mut noise = NOISE;
        loop {
            let mut line = Vec::new();
            let read = (&mut self.input).take(noise as u64).read_until(b'\n', &mut line)?;
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

    fn ask(&mut self, ask: &Ask<'_>, project: &dyn System) -> io::Result<Answer> {
        let _ = self.output.send(frame(ask)?);
        self.answer(project)
    }

    /// The next answer; gives the agent the files that it wants before.
    fn answer(&mut self, project: &dyn System) -> io::Result<Answer> {
        loop {
            let bytes = match Frame::read(&mut self.input)? {
                Some(Frame::Message(bytes)) => bytes,
                Some(_) => return Err(invalid("the agent sent a file")),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            };
            let Answer::Wants(path) = parse(&bytes)? else { return parse(&bytes) };
            let file = match project.read(&path) {
                Ok(bytes) => Frame::File(bytes.to_vec()),
                Err(error) => Frame::NoFile(error.to_string()),
            };
            let _ = self.output.send(file);
        }
    }

    /// Why nothing more comes.
    fn ended(self, error: &io::Error, stage: Stage) -> Fault {
        let Wire { input, output, why } = self;
        drop((input, output));
        let mut fault = why(stage);
        if error.kind() == io::ErrorKind::InvalidData {
            fault.message = format!("{} ({error})", fault.message);
        }
        fault
    }
}
