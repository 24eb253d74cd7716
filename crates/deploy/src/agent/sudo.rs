//! The agent that runs as root: the same program, started by `sudo` when something is asked of root
//! for the first time, and spoken to over its two pipes. What is asked of it and what it answers passes
//! through the agent of who logged in, unread.

use std::io::{self, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use crate::handler::Fault;

use super::frame::{Frame, invalid};
use super::link::banner;
use super::message::WANTS;
use super::process::{Ended, Process};

/// An agent that runs as root.
pub(super) struct Sudo {
    input: BufReader<ChildStdout>,
    output: Option<ChildStdin>,
    process: Process,
}

impl Sudo {
    /// Starts one.
    pub(super) fn start() -> Result<Self, Fault> {
        let failed = |what: &str, error: io::Error| Fault::new(format!("cannot {what}: {error}"));
        let this = std::env::current_exe().map_err(|e| failed("find the agent's own file", e))?;
        let mut command = Command::new("sudo");
        command.args(["-n", "--"]).arg(this).arg("agent").env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Fault::new("there is no `sudo`")
                .help("install it there (`apt install sudo`), log in as root, or take `become: sudo` out"),
            _ => failed("start `sudo`", error),
        })?;
        let (Some(output), Some(input), Some(complaints)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Fault::new("sudo has no pipes"));
        };
        let process = Process::new(child, complaints);
        let mut sudo = Sudo { input: BufReader::new(input), output: Some(output), process };
        match banner(&mut sudo.input) {
            Ok(()) => Ok(sudo),
            Err(_) => Err(refused(&sudo.ended(), &user())),
        }
    }

    /// Asks it; `lend` hands over the pieces of files that it wants before it answers, each for the
    /// message that asks for it. The outer error is that of `lend`.
    pub(super) fn ask(
        &mut self,
        request: Vec<u8>,
        mut lend: impl FnMut(Vec<u8>) -> io::Result<Frame>,
    ) -> io::Result<Result<Vec<u8>, Fault>> {
        let mut next = Frame::Message(request);
        loop {
            match self.turn(&next) {
                Ok(answer) if answer.starts_with(WANTS) => next = lend(answer)?,
                Ok(answer) => return Ok(Ok(answer)),
                Err(error) => {
                    let ended = self.ended();
                    let why = ended.last().map_or_else(|| error.to_string(), str::to_owned);
                    return Ok(Err(Fault::new(format!("the agent that runs as root ended: {why}"))
                        .help("run it again: it is looked up then what was done there")));
                }
            }
        }
    }

    fn turn(&mut self, frame: &Frame) -> io::Result<Vec<u8>> {
        let output = self.output.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        frame.write(output)?;
        output.flush()?;
        match Frame::read(&mut self.input)? {
            Some(Frame::Message(answer)) => Ok(answer),
            Some(_) => Err(invalid("the agent sent a file")),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn ended(&mut self) -> Ended {
        self.output = None;
        self.process.end()
    }
}

impl Drop for Sudo {
    fn drop(&mut self) {
        // It ends with its input, and what it does by then is done to the end.
        self.output = None;
        self.process.wait();
    }
}

/// Who asks `sudo`, as the login says it.
fn user() -> String {
    let named = ["LOGNAME", "USER"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "its user".to_owned())
}

/// Why `sudo` has not started it.
fn refused(ended: &Ended, user: &str) -> Fault {
    let why = ended.last().unwrap_or("it does not say why");
    let allow = format!(
        "write `{user} ALL=(root) NOPASSWD: ALL` there with `visudo -f /etc/sudoers.d/gops`, or take \
         `become: sudo` out"
    );
    if ended.has(&["a password is required", "a terminal is required"]) {
        return Fault::new(format!("`sudo` asks `{user}` for a password")).help(allow);
    }
    if ended.has(&["must have a tty"]) {
        return Fault::new(format!("`sudo` wants `{user}` to have a terminal"))
            .help(format!("write `Defaults:{user} !requiretty` there with `visudo -f /etc/sudoers.d/gops`"));
    }
    if ended.has(&["not allowed to", "not in the sudoers", "may not run"]) {
        return Fault::new(format!("`sudo` does not let `{user}` do anything as root: {why}")).help(allow);
    }
    Fault::new(format!("`sudo` does not start gops as root: {why}")).help(allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sudo_says_is_told_with_what_to_do() {
        let said = |complaints: &str| {
            let ended = Ended { code: Some(1), complaints: complaints.to_owned() };
            let fault = refused(&ended, "admin");
            format!("{}\n{}", fault.message, fault.help.unwrap_or_default())
        };
        for (complaint, message, help) in [
            ("sudo: a password is required\n", "`sudo` asks `admin` for a password", "admin ALL=(root)"),
            ("sudo: sorry, you must have a tty to run sudo\n", "to have a terminal", "!requiretty"),
            ("Sorry, user admin may not run sudo on h1.\n", "does not let `admin`", "NOPASSWD"),
            ("admin is not in the sudoers file.\n", "does not let `admin`", "visudo"),
            ("sudo: unable to execute /x: Permission denied\n", "does not start gops", "visudo"),
        ] {
            let said = said(complaint);
            assert!(said.contains(message) && said.contains(help), "{said}");
        }
    }
}
