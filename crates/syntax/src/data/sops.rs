//! Documents that sops encrypted, as far as they can be read without a key.
//!
//! The form of a scalar is that of sops' `aes` package: base64 of ciphertext, nonce and tag, and
//! the type of the plain value.

use ecow::EcoString;

use super::{Document, Encrypted, EncryptedType, NodeKind};

/// The key of the mapping that sops adds to each document it encrypts.
pub const SOPS: &str = "sops";

impl Document {
    /// The mapping that sops added, where it encrypted the document. It is no field of the data.
    pub fn sops(&self) -> Option<u32> {
        match self.value(Self::ROOT) {
            NodeKind::Mapping(_) => {
                let node = self.get(Self::ROOT, SOPS)?;
                matches!(self.value(node), NodeKind::Mapping(_)).then_some(node)
            }
            _ => None,
        }
    }
}

/// Turns the ciphertexts of a document that sops encrypted into encrypted scalars.
pub(super) fn mark_encrypted(document: &mut Document) {
    let Some(sops) = document.sops() else { return };
    let below = sops..document.node(sops).end;
    for (number, node) in (0..).zip(&mut document.nodes) {
        if let NodeKind::Str(text) = &node.value
            && !below.contains(&number)
            && let Some(ty) = encrypted_type(text)
        {
            node.value = NodeKind::Encrypted(Encrypted { ty, text: EcoString::clone(text) });
        }
    }
}

/// What a text is once sops decrypts it, if it has the form of a ciphertext.
pub fn encrypted_type(text: &str) -> Option<EncryptedType> {
    let rest = text.strip_prefix("ENC[AES256_GCM,data:")?.strip_suffix(']')?;
    let (data, rest) = rest.split_once(",iv:")?;
    let (iv, rest) = rest.split_once(",tag:")?;
    let (tag, ty) = rest.split_once(",type:")?;
    let base64 = |s: &str| {
        !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    };
    if ![data, iv, tag].into_iter().all(base64) {
        return None;
    }
    Some(match ty {
        "str" => EncryptedType::Str,
        "int" => EncryptedType::Int,
        "float" => EncryptedType::Float,
        "bool" => EncryptedType::Bool,
        "bytes" => EncryptedType::Bytes,
        "comment" => EncryptedType::Comment,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertexts_are_recognised_by_their_whole_form() {
        let of = |ty: &str| encrypted_type(&format!("ENC[AES256_GCM,data:bG9s,iv:YQ==,tag:Yg==,type:{ty}]"));
        assert_eq!(of("str"), Some(EncryptedType::Str));
        assert_eq!(of("int"), Some(EncryptedType::Int));
        assert_eq!(of("float"), Some(EncryptedType::Float));
        assert_eq!(of("bool"), Some(EncryptedType::Bool));
        assert_eq!(of("bytes"), Some(EncryptedType::Bytes));
        assert_eq!(of("comment"), Some(EncryptedType::Comment));
        assert_eq!(of("date"), None);
        assert_eq!(encrypted_type("ENC[AES256_GCM,data:,iv:YQ==,tag:Yg==,type:str]"), None);
        assert_eq!(encrypted_type("ENC[AES256_GCM,data:a b,iv:YQ==,tag:Yg==,type:str]"), None);
        assert_eq!(encrypted_type("ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:Yg==,type:str] "), None);
        assert_eq!(encrypted_type("plain"), None);
    }
}
