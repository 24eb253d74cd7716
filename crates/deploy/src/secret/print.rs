//! Keyed hashes of secrets: they tell that one changed, and nothing to whoever has no key.

use std::fmt;

use ecow::EcoString;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The key of the hashes: another one for each ledger, and another one for each target of it, so
/// that a host can try out nothing but what it has.
#[derive(Clone, PartialEq, Eq)]
pub struct PrintKey([u8; 32]);

impl PrintKey {
    /// A key of these bytes, which are random.
    pub fn new(bytes: [u8; 32]) -> Self {
        PrintKey(bytes)
    }

    /// The bytes: for whoever keeps it, and for the agent on a target.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key for one target.
    pub fn of_target(&self, identity: &str) -> PrintKey {
        PrintKey(self.hash(identity.as_bytes()))
    }

    /// The hash of a value, as hexadecimal digits.
    pub fn print(&self, value: &[u8]) -> EcoString {
        let mut printer = self.printer();
        printer.update(value);
        printer.finish()
    }

    /// Hashes a value that comes in parts.
    pub fn printer(&self) -> Printer {
        // HMAC pads a key with zeros to the length of a block.
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(self.0) {
            *to = from;
        }
        Printer(Hmac::<Sha256>::new(&block.into()))
    }

    fn hash(&self, value: &[u8]) -> [u8; 32] {
        let mut printer = self.printer();
        printer.update(value);
        printer.0.finalize().into_bytes().into()
    }
}

/// A hash on its way.
pub struct Printer(Hmac<Sha256>);

impl Printer {
    /// The next part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The hash of all parts, as hexadecimal digits.
    pub fn finish(self) -> EcoString {
        let bytes = self.0.finalize().into_bytes();
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')).collect()
    }
}

impl fmt::Debug for PrintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrintKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_hmac_of_sha_256() {
        // RFC 4231, test case 2, with the key padded to the length that ours have: HMAC pads with
        // zeros itself.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let print = PrintKey::new(key).print(b"what do ya want for nothing?");
        assert_eq!(print, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_ne!(
            PrintKey::new(key).of_target("a").print(b""),
            PrintKey::new(key).of_target("b").print(b"")
        );
    }
}
