//! Files of sops, opened. Each value is encrypted with one key, bound to its path; that key is
//! wrapped for each recipient; a code over all values, bound to the time of the last change, shows
//! whether one was left out, added or put elsewhere.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use indexmap::IndexMap;
use sha2::{Digest as _, Sha512};

use crate::data::{Document, NodeKind};

use super::age::{self, Closed};
use super::error::SecretError;
use super::identity::Identities;
use super::{Plain, base64};

/// What the code begins with that is over encrypted values alone (`sops.go`).
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b,
    0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// The encrypted values of a document, by their JSON pointers, once all of it is proved whole.
pub(super) fn open(
    file: &str,
    document: &Document,
    identities: &Identities,
) -> Result<IndexMap<String, Plain>, SecretError> {
    let damaged = |what: &str| SecretError::Damaged { file: file.to_owned(), what: what.to_owned() };
    let sops = document.sops().ok_or_else(|| damaged("it is not encrypted"))?;
    let said = |name: &str| document.get(sops, name).and_then(|node| document.str(node));
    let key = data_key(file, document, sops, identities)?;
    let only_encrypted =
        document.get(sops, "mac_only_encrypted").is_some_and(|n| *document.value(n) == NodeKind::Bool(true));
    let mut walk =
        Walk { file, document, sops, key: &key, only_encrypted, found: IndexMap::new(), mac: Sha512::new() };
    if only_encrypted {
        walk.mac.update(ONLY_ENCRYPTED);
    }
    walk.below(Document::ROOT, &mut String::new(), &mut String::new())?;
    let mac = said("mac").filter(|mac| !mac.is_empty());
    let mac = mac.ok_or_else(|| damaged("it has no message authentication code"))?;
    let modified = said("lastmodified").map(|text| text.as_str()).unwrap_or_default();
    let signed =
        decrypt(&key, mac, modified).ok_or_else(|| damaged("its message authentication code was changed"))?;
    let computed: String = walk.mac.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
    match signed.0.as_slice() == computed.as_bytes() {
        true => Ok(walk.found),
        false => Err(damaged("a value in it was changed, added or taken out (MAC mismatch)")),
    }
}

/// The key of the values.
fn data_key(
    file: &str,
    document: &Document,
    sops: u32,
    identities: &Identities,
) -> Result<Vec<u8>, SecretError> {
    let unknown = |what: String| SecretError::Unknown { file: file.to_owned(), what };
    let groups =
        document.get(sops, "key_groups").into_iter().flat_map(|node| document.children(node)).count();
    if groups > 1 {
        return Err(unknown("its key is shared out over several groups".to_owned()));
    }
    // With one group, sops writes that in full.
    let holder = document.get(sops, "key_groups").and_then(|node| document.children(node).next());
    let holder = holder.unwrap_or(sops);
    let all: Vec<u32> =
        document.get(holder, "age").into_iter().flat_map(|node| document.children(node)).collect();
    if all.is_empty() {
        let others = ["pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"];
        let has =
            |name: &&str| document.get(holder, name).is_some_and(|n| document.children(n).next().is_some());
        let others: Vec<&str> = others.into_iter().filter(has).collect();
        return Err(unknown(match others.is_empty() {
            true => "it names nobody who has a key".to_owned(),
            false => format!("it is encrypted with {} alone", others.join(", ")),
        }));
    }
    let text = |node: u32, name: &str| document.get(node, name).and_then(|node| document.str(node));
    let mut recipients = Vec::new();
    for recipient in all {
        let wrapped = text(recipient, "enc").map(|enc| age::open(enc.as_bytes(), identities));
        match wrapped {
            Some(Ok(key)) if key.len() == 32 => return Ok(key),
            Some(Err(Closed::NotOurs)) => {
                recipients.extend(text(recipient, "recipient").map(|recipient| short(recipient)));
            }
            _ => {
                let what = "the key in it is no age file".to_owned();
                return Err(SecretError::Damaged { file: file.to_owned(), what });
            }
        }
    }
    Err(identities.failed(file, recipients))
}

/// A recipient as people tell it from others.
fn short(recipient: &str) -> String {
    match recipient.split_once(' ') {
        // An ssh key: its kind, and what its owner calls it.
        Some((kind, key)) => format!("{kind} {}", key.split(' ').nth(1).unwrap_or("…")),
        None => recipient.to_owned(),
    }
}

/// Goes through a document in order.
struct Walk<'a> {
    file: &'a str,
    document: &'a Document,
    sops: u32,
    key: &'a [u8],
    only_encrypted: bool,
    found: IndexMap<String, Plain>,
    mac: Sha512,
}

impl Walk<'_> {
    /// What is below a node. Documents are nested to a bounded depth.
    fn below(&mut self, node: u32, pointer: &mut String, path: &mut String) -> Result<(), SecretError> {
        let (document, sops) = (self.document, self.sops);
        for (index, child) in document.children(node).enumerate().filter(|(_, child)| *child != sops) {
            let (pointed, bound) = (pointer.len(), path.len());
            pointer.push('/');
            match document.key(child) {
                Some(key) => {
                    pointer.push_str(&key.replace("~", "~0").replace("/", "~1"));
                    path.push_str(key);
                    path.push(':');
                }
                // The items of a list are bound to the path of the list.
                None => pointer.push_str(&index.to_string()),
            }
            self.value(child, pointer, path)?;
            pointer.truncate(pointed);
            path.truncate(bound);
        }
        Ok(())
    }

    fn value(&mut self, node: u32, pointer: &mut String, path: &mut String) -> Result<(), SecretError> {
        let plain = match self.document.value(node) {
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => return self.below(node, pointer, path),
            NodeKind::Null => return Ok(()),
            NodeKind::Encrypted(encrypted) => {
                let plain = decrypt(self.key, &encrypted.text, path).and_then(Opened::plain);
                let plain = plain.ok_or_else(|| SecretError::Damaged {
                    file: self.file.to_owned(),
                    what: format!("the value at `{pointer}` was changed or put there from elsewhere"),
                })?;
                self.mac.update(plain.signed());
                self.found.insert(pointer.clone(), plain);
                return Ok(());
            }
            NodeKind::Str(text) => Plain::Str(text.to_string()),
            NodeKind::Int(value) => Plain::Int(*value),
            NodeKind::Float(value) => Plain::Float(*value),
            NodeKind::Bool(value) => Plain::Bool(*value),
            NodeKind::BigInt(text) => Plain::Str(text.to_string()),
            NodeKind::Invalid => Plain::Str(String::new()),
        };
        if !self.only_encrypted {
            self.mac.update(plain.signed());
        }
        Ok(())
    }
}

/// What a ciphertext was made from, and its type.
struct Opened(Vec<u8>, String);

impl Opened {
    fn plain(self) -> Option<Plain> {
        let text = String::from_utf8(self.0).ok()?;
        Some(match self.1.as_str() {
            "str" | "bytes" => Plain::Str(text),
            "int" => Plain::Int(text.parse().ok()?),
            "float" => Plain::Float(text.parse().ok()?),
            "bool" => Plain::Bool(match text.as_str() {
                "True" | "true" => true,
                "False" | "false" => false,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// Opens `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
fn decrypt(key: &[u8], text: &str, bound_to: &str) -> Option<Opened> {
    let rest = text.strip_prefix("ENC[AES256_GCM,data:")?.strip_suffix(']')?;
    let (data, rest) = rest.split_once(",iv:")?;
    let (nonce, rest) = rest.split_once(",tag:")?;
    let (tag, ty) = rest.split_once(",type:")?;
    let mut sealed = base64::decode(data.as_bytes())?;
    sealed.extend(base64::decode(tag.as_bytes())?);
    let nonce = base64::decode(nonce.as_bytes())?;
    let payload = Payload { msg: &sealed, aad: bound_to.as_bytes() };
    // sops takes nonces of 32 bytes; files of other programs may have the usual 12.
    let plain = match nonce.len() {
        32 => {
            let cipher = AesGcm::<aes_gcm::aes::Aes256, U32, U16>::new_from_slice(key).ok()?;
            cipher.decrypt(nonce.as_slice().try_into().ok()?, payload)
        }
        12 => {
            let cipher = AesGcm::<aes_gcm::aes::Aes256, U12, U16>::new_from_slice(key).ok()?;
            cipher.decrypt(nonce.as_slice().try_into().ok()?, payload)
        }
        _ => return None,
    };
    Some(Opened(plain.ok()?, ty.to_owned()))
}
