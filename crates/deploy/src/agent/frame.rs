//! Frames: how messages and files follow each other on a pipe.
//!
//! Four bytes with the length, the highest first, one byte that says what it is, and so many bytes.

use std::io::{self, Read, Write};

/// What a frame holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A request or an answer, as JSON.
    Message(Vec<u8>),
    /// A request for the agent that runs as root on the same host.
    Root(Vec<u8>),
    /// Bytes of a file of the project, and whether they are its last.
    File(Vec<u8>, bool),
    /// Why there are none.
    NoFile(String),
}

/// The longest frame.
const LONGEST: usize = 1 << 30;

impl Frame {
    /// Writes it; nothing is flushed.
    pub(super) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let (kind, bytes) = match self {
            Frame::Message(bytes) => (b'M', bytes.as_slice()),
            Frame::Root(bytes) => (b'R', bytes.as_slice()),
            Frame::File(bytes, false) => (b'F', bytes.as_slice()),
            Frame::File(bytes, true) => (b'L', bytes.as_slice()),
            Frame::NoFile(why) => (b'N', why.as_bytes()),
        };
        let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= LONGEST);
        let length = length.ok_or_else(|| invalid("a frame that is too long"))?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&[kind])?;
        to.write_all(bytes)
    }

    /// Reads one; `None` where the pipe ends before it begins.
    pub(super) fn read(from: &mut dyn Read) -> io::Result<Option<Self>> {
        let mut head = [0; 5];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match from.read(rest) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let [a, b, c, d, kind] = head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > LONGEST {
            return Err(invalid("a frame that is too long"));
        }
        // The room grows with what comes: a length alone costs nothing.
        let mut bytes = Vec::with_capacity(length.min(1 << 20));
        from.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match kind {
            b'M' => Ok(Some(Frame::Message(bytes))),
            b'R' => Ok(Some(Frame::Root(bytes))),
            b'F' => Ok(Some(Frame::File(bytes, false))),
            b'L' => Ok(Some(Frame::File(bytes, true))),
            b'N' => Ok(Some(Frame::NoFile(String::from_utf8_lossy(&bytes).into_owned()))),
            _ => Err(invalid("a frame of no known kind")),
        }
    }
}

/// What is no protocol of ours.
pub(super) fn invalid(problem: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_and_a_cut_one_is_none() {
        let frames = [
            Frame::Message(b"{}".to_vec()),
            Frame::Root(b"[]".to_vec()),
            Frame::File(vec![0; 70_000], false),
            Frame::File(vec![1], true),
            Frame::NoFile("gone".into()),
        ];
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut bytes).unwrap());
        let mut pipe = bytes.as_slice();
        for frame in &frames {
            assert_eq!(Frame::read(&mut pipe).unwrap().as_ref(), Some(frame));
        }
        assert_eq!(Frame::read(&mut pipe).unwrap(), None);
        for end in [1, 4, 5, 6] {
            let error = Frame::read(&mut bytes.get(..end).unwrap()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{end}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bytes in [b"HTTP/1.1 400".as_slice(), &[0, 0, 0, 0, b'?'], &[0xff; 8]] {
            let error = Frame::read(&mut &*bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
    }
}
