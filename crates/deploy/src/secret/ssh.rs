//! OpenSSH's private keys, as far as age files are encrypted for them: Ed25519, without a
//! passphrase (`PROTOCOL.key` of OpenSSH).

use sha2::{Digest as _, Sha256, Sha512};

use super::age::{Key, derive, x25519};
use super::base64;

const LABEL: &[u8] = b"age-encryption.org/v1/ssh-ed25519";
const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// A private key.
pub(super) struct SshKey {
    scalar: Key,
    /// The public key as it travels: `string "ssh-ed25519", string key`.
    wire: Vec<u8>,
}

impl SshKey {
    /// Whether a text is such a key, whatever is in it.
    pub(super) fn is_one(text: &str) -> bool {
        text.trim_start().starts_with(BEGIN)
    }

    /// Reads a private key, or says why it cannot be used.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const DAMAGED: &str = "it is no private key of OpenSSH";
        let body = text.trim().strip_prefix(BEGIN).and_then(|t| t.strip_suffix(END)).ok_or(DAMAGED)?;
        let packed: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let bytes = base64::decode(&packed).ok_or(DAMAGED)?;
        let mut input = Input(bytes.strip_prefix(b"openssh-key-v1\0").ok_or(DAMAGED)?);
        let cipher = input.string().ok_or(DAMAGED)?;
        let (_kdf, _options) = (input.string().ok_or(DAMAGED)?, input.string().ok_or(DAMAGED)?);
        if cipher != b"none" {
            return Err("it has a passphrase, which gops does not ask for");
        }
        let count = input.number().ok_or(DAMAGED)?;
        let wire = input.string().ok_or(DAMAGED)?.to_vec();
        let mut private = Input(input.string().ok_or(DAMAGED)?);
        let (one, two) = (private.number().ok_or(DAMAGED)?, private.number().ok_or(DAMAGED)?);
        if count != 1 || one != two {
            return Err(DAMAGED);
        }
        if private.string().ok_or(DAMAGED)? != b"ssh-ed25519" {
            return Err("it is no Ed25519 key, and age files for others are not opened");
        }
        let _public = private.string().ok_or(DAMAGED)?;
        let seed = private.string().and_then(|both| both.get(..32)).ok_or(DAMAGED)?;
        let hash = Sha512::digest(seed);
        let scalar: Key = hash.first_chunk().copied().ok_or(DAMAGED)?;
        Ok(SshKey { scalar, wire })
    }

    /// The tag by which a file names this key.
    pub(super) fn is_named(&self, tag: &[u8]) -> bool {
        Sha256::digest(&self.wire).get(..4) == Some(tag)
    }

    /// The key that a file key is wrapped with.
    pub(super) fn wrapping(&self, share: &Key) -> Option<Key> {
        let own = x25519(&self.scalar, &BASE)?;
        let tweak = derive(&[], &self.wire, LABEL)?;
        let shared = x25519(&tweak, &x25519(&self.scalar, share)?)?;
        let salt = [share.as_slice(), own.as_slice()].concat();
        derive(&shared, &salt, LABEL)
    }
}

const BASE: Key = x25519_dalek::X25519_BASEPOINT_BYTES;

/// What is left to read, in the types of RFC 4251.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}
