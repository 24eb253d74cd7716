//! Bech32 (BIP 173), as far as age's keys need it.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The bytes behind a prefix; nothing if the text is something else.
pub(super) fn decode(text: &str, prefix: &str) -> Option<Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    if lower != text && text.to_ascii_uppercase() != text {
        return None;
    }
    let data = lower.strip_prefix(prefix)?.strip_prefix('1')?;
    let values: Vec<u8> = data
        .bytes()
        .map(|byte| ALPHABET.iter().position(|known| *known == byte).and_then(|at| u8::try_from(at).ok()))
        .collect::<Option<_>>()?;
    let expanded = prefix.bytes().map(|b| b >> 5).chain([0]).chain(prefix.bytes().map(|b| b & 31));
    if checksum(expanded.chain(values.iter().copied())) != 1 {
        return None;
    }
    let values = values.get(..values.len().checked_sub(6)?)?;
    let mut out = Vec::with_capacity(values.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for value in values {
        bits = (bits << 5 | u32::from(*value)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    (count < 5 && bits & ((1 << count) - 1) == 0).then_some(out)
}

fn checksum(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        let bits = GENERATOR.iter().enumerate().filter(|(at, _)| top >> at & 1 == 1);
        bits.fold(sum, |sum, (_, generator)| sum ^ generator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_bip_173() {
        assert_eq!(decode("A12UEL5L", "a"), Some(Vec::new()));
        let all = decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef");
        assert_eq!(all.map(|bytes| bytes.len()), Some(20));
        for wrong in ["A12UEL5M", "a12UEL5L", "b12uel5l", "a1", "a", ""] {
            assert_eq!(decode(wrong, "a"), None, "{wrong}");
        }
    }
}
