//! Digests and identifiers made of text.

use sha2::{Digest, Sha256, Sha512};

use crate::eval::value::Value;

use super::{Args, Cx, Done, wrong_help};

/// Hexadecimal digits in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

pub(super) fn sha256(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len() / 16, 0)?;
    cx.string(hex(&Sha256::digest(text.as_bytes())))
}

pub(super) fn sha512(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len() / 16, 0)?;
    cx.string(hex(&Sha512::digest(text.as_bytes())))
}

/// CRC-32 with the polynomial of IEEE 802.3, as zlib, gzip and PNG have it.
pub(super) fn crc32(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    cx.charge(text.len() / 4, 0)?;
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
        }
    }
    Ok(Value::Int(i64::from(!crc)))
}

/// SHA-1 (RFC 3174). Good for nothing but UUIDs of version 5, which are defined by it.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words = [0u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        for at in 16..80 {
            words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (round, word) in words.iter().enumerate() {
            let (mixed, constant) = match round / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (place, value) in state.iter_mut().zip([a, b, c, d, e]) {
            *place = place.wrapping_add(value);
        }
    }
    let mut out = [0; 20];
    for (place, byte) in out.iter_mut().zip(state.iter().flat_map(|word| word.to_be_bytes())) {
        *place = byte;
    }
    out
}

/// The bytes of a UUID as text.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let lengths = text.split('-').map(str::len);
    if !lengths.eq([8, 4, 4, 4, 12]) || !text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
    Some(number.to_be_bytes())
}

/// A UUID of version 5 (RFC 9562, section 5.5).
pub(super) fn uuid5(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    // RFC 9562, section 6.6.
    const NAMESPACES: [(&str, u8); 4] = [("dns", 0x10), ("url", 0x11), ("oid", 0x12), ("x500", 0x14)];
    const NAMESPACE: u128 = 0x6ba7_b800_9dad_11d1_80b4_00c0_4fd4_30c8;
    let (namespace, name) = (args.str(0)?, args.str(1)?);
    cx.charge(name.len() / 8, 0)?;
    let known = NAMESPACES.iter().find(|(known, _)| known == namespace);
    let space = match known {
        Some((_, number)) => Some((NAMESPACE | u128::from(*number) << 96).to_be_bytes()),
        None => parse_uuid(namespace),
    };
    let Some(space) = space else {
        return wrong_help(
            format!("`{namespace}` is no namespace"),
            "it is `dns`, `url`, `oid`, `x500`, or a UUID",
        );
    };
    let mut message = space.to_vec();
    message.extend_from_slice(name.as_bytes());
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().zip(sha1(&message)) {
        *place = byte;
    }
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let all = hex(&bytes);
    let part = |from, to| all.get(from..to).unwrap_or_default();
    cx.string([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_has_its_test_vectors() {
        assert_eq!(hex(&sha1(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(&sha1(long)), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        assert_eq!(hex(&sha1(&[b'a'; 1_000_000])), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        // The lengths around a block: made with `sha1sum`.
        let table = [
            (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
            (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
            (63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"),
            (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
        ];
        for (length, digest) in table {
            assert_eq!(hex(&sha1(&vec![b'a'; length])), digest, "{length}");
        }
    }

    #[test]
    fn uuids_are_read_whole() {
        assert!(parse_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8").is_some());
        assert!(parse_uuid("6ba7b8109dad11d180b400c04fd430c8").is_none());
        assert!(parse_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430cg").is_none());
    }
}
