//! Files of age, opened: <https://c2sp.org/age>. The header has the file key, wrapped for each
//! recipient; the payload is in chunks, each of which is proof against changes, as is their order
//! and end.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::base64;
use super::identity::{Identities, Identity};

/// A key, a share, a point.
pub(super) type Key = [u8; 32];

const VERSION: &[u8] = b"age-encryption.org/v1\n";
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// Why an age file was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// It is for none of the keys.
    NotOurs,
    /// It is for a passphrase.
    Passphrase,
    /// It was changed or cut off.
    Damaged(&'static str),
}

const HEADER: Closed = Closed::Damaged("its header is no age header");

/// Whether bytes begin as an age file does.
pub(super) fn is_age(bytes: &[u8]) -> bool {
    bytes.starts_with(VERSION) || bytes.trim_ascii_start().starts_with(BEGIN.as_bytes())
}

/// What is in an age file.
pub(super) fn open(bytes: &[u8], identities: &Identities) -> Result<Vec<u8>, Closed> {
    if bytes.starts_with(VERSION) {
        return open_binary(bytes, identities);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| HEADER)?.trim();
    let body = text.strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END)).ok_or(HEADER)?;
    let packed: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let bytes = base64::decode(&packed).ok_or(Closed::Damaged("its armor is no base64"))?;
    open_binary(&bytes, identities)
}

fn open_binary(bytes: &[u8], identities: &Identities) -> Result<Vec<u8>, Closed> {
    let header = Header::read(bytes).ok_or(HEADER)?;
    let file_key = header.file_key(identities)?;
    let signing = derive(&file_key, &[], b"header").ok_or(HEADER)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&signing).map_err(|_| HEADER)?;
    mac.update(header.signed);
    mac.verify_slice(&header.mac).map_err(|_| Closed::Damaged("its header was changed"))?;
    payload(&file_key, header.payload).ok_or(Closed::Damaged("its content was changed or cut off"))
}

/// The parts of a file.
struct Header<'a> {
    stanzas: Vec<Stanza<'a>>,
    /// All that the code is over: up to and with `---`.
    signed: &'a [u8],
    mac: Vec<u8>,
    payload: &'a [u8],
}

/// The file key, wrapped for one recipient.
struct Stanza<'a> {
    args: Vec<&'a str>,
    body: Vec<u8>,
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(VERSION)?;
        let mut stanzas = Vec::new();
        loop {
            if let Some(after) = rest.strip_prefix(b"---") {
                let signed = bytes.get(..bytes.len() - after.len())?;
                let (mac, payload) = line(after)?;
                let mac = base64::decode(mac.strip_prefix(' ')?.as_bytes())?;
                return Some(Header { stanzas, signed, mac, payload });
            }
            let (first, after) = line(rest.strip_prefix(b"-> ")?)?;
            rest = after;
            let mut body = String::new();
            loop {
                let (text, after) = line(rest)?;
                rest = after;
                body.push_str(text);
                if text.len() < 64 {
                    break;
                }
            }
            let body = base64::decode(body.as_bytes())?;
            stanzas.push(Stanza { args: first.split(' ').collect(), body });
        }
    }

    fn file_key(&self, identities: &Identities) -> Result<Vec<u8>, Closed> {
        for stanza in &self.stanzas {
            if let Some(key) = identities.keys().find_map(|identity| stanza.unwrap(identity)) {
                return Ok(key);
            }
        }
        let passphrase = self.stanzas.iter().any(|stanza| stanza.args.first() == Some(&"scrypt"));
        Err(if passphrase { Closed::Passphrase } else { Closed::NotOurs })
    }
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((std::str::from_utf8(line).ok()?, rest.get(1..)?))
}

impl Stanza<'_> {
    /// The file key, if this is for this identity.
    fn unwrap(&self, identity: &Identity) -> Option<Vec<u8>> {
        let share = |text: &str| -> Option<Key> { base64::decode(text.as_bytes())?.try_into().ok() };
        let wrapping = match (identity, self.args.as_slice()) {
            (Identity::X25519(secret), ["X25519", text]) => {
                let share = share(text)?;
                let own = x25519(secret, &x25519_dalek::X25519_BASEPOINT_BYTES)?;
                let salt = [share.as_slice(), own.as_slice()].concat();
                derive(&x25519(secret, &share)?, &salt, b"age-encryption.org/v1/X25519")?
            }
            (Identity::Ssh(key), ["ssh-ed25519", tag, text]) => {
                if !key.is_named(&base64::decode(tag.as_bytes())?) {
                    return None;
                }
                key.wrapping(&share(text)?)?
            }
            _ => return None,
        };
        if self.body.len() != 16 + TAG {
            return None;
        }
        let cipher = ChaCha20Poly1305::new_from_slice(&wrapping).ok()?;
        cipher.decrypt(&Nonce::default(), self.body.as_slice()).ok()
    }
}

/// The product of a scalar and a point; nothing for a point that gives everybody the same.
pub(super) fn x25519(scalar: &Key, point: &Key) -> Option<Key> {
    let product = x25519_dalek::x25519(*scalar, *point);
    (product != [0; 32]).then_some(product)
}

/// HKDF with SHA-256.
pub(super) fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> Option<Key> {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info, &mut key).ok()?;
    Some(key)
}

fn payload(file_key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, mut rest) = bytes.split_at_checked(16)?;
    let key = derive(file_key, nonce, b"payload")?;
    let cipher = ChaCha20Poly1305::new_from_slice(&key).ok()?;
    let mut plain = Vec::with_capacity(rest.len());
    for number in 0_u64.. {
        let is_last = rest.len() <= CHUNK + TAG;
        let (chunk, after) = rest.split_at_checked(rest.len().min(CHUNK + TAG))?;
        let mut nonce = [0; 12];
        nonce.get_mut(3..11)?.copy_from_slice(&number.to_be_bytes());
        *nonce.last_mut()? = u8::from(is_last);
        let opened = cipher.decrypt(&Nonce::from(nonce), chunk).ok()?;
        // Only the one chunk of an empty file is empty.
        if opened.is_empty() && number > 0 {
            return None;
        }
        plain.extend_from_slice(&opened);
        if is_last {
            break;
        }
        rest = after;
    }
    Some(plain)
}
