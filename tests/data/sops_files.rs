//! Files that sops really encrypted, read without a key and compared with what went in.

use gops::data::edit::Format;
use gops::data::{Document, EncryptedType, Limits, NodeKind};

use super::{codes, file};

fn read(name: &str) -> Document {
    let path = format!("{}/tests/data/sops/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).expect(&path);
    let parsed = Format::of(name).unwrap().parse(file(), &bytes, &Limits::default());
    assert_eq!(codes(&parsed), [] as [&str; 0], "{name}");
    parsed.document.unwrap()
}

/// Whether the encrypted node can be what the plain one is.
fn fits(encrypted: &NodeKind, plain: &NodeKind) -> bool {
    match (encrypted, plain) {
        (NodeKind::Encrypted(encrypted), plain) => matches!(
            (encrypted.ty, plain),
            (EncryptedType::Str, NodeKind::Str(_))
                | (EncryptedType::Int, NodeKind::Int(_))
                | (EncryptedType::Float, NodeKind::Float(_))
                | (EncryptedType::Bool, NodeKind::Bool(_))
        ),
        (encrypted, plain) => encrypted == plain,
    }
}

/// How many values of a file are encrypted, after comparing it with the plain one.
fn compare(encrypted: &str, plain: &str) -> usize {
    let (encrypted_name, encrypted, plain) = (encrypted, read(encrypted), read(plain));
    let sops = encrypted.sops().expect(encrypted_name);
    assert_eq!(plain.sops(), None);
    assert_eq!(encrypted.node(sops).end as usize, encrypted.nodes.len(), "sops stands last");
    let nodes: Vec<_> = encrypted.nodes[..sops as usize].iter().zip(&plain.nodes).collect();
    assert_eq!(nodes.len(), plain.nodes.len());
    for (number, (e, p)) in nodes.iter().enumerate().skip(1) {
        assert_eq!(e.key, p.key, "{encrypted_name}");
        assert!(fits(&e.value, &p.value), "{encrypted_name} {number}: {:?} {:?}", e.value, p.value);
    }
    nodes.iter().filter(|(e, _)| matches!(e.value, NodeKind::Encrypted(_))).count()
}

#[test]
fn every_value_is_typed_without_a_key() {
    let site = "plain/site.yaml";
    assert_eq!(compare("whole.sops.yaml", site), 11);
    assert_eq!(compare("two-recipients.sops.yaml", site), 11);
    assert_eq!(compare("ssh-recipient.sops.yaml", site), 11);
    assert_eq!(compare("fields-regex.sops.yaml", site), 3);
    assert_eq!(compare("mac-only-encrypted.sops.yaml", site), 3);
    assert_eq!(compare("fields-suffix.sops.yaml", "plain/site-suffix.yaml"), 1);
    assert_eq!(compare("service.sops.json", "plain/service.json"), 1);
    assert_eq!(compare("manifest.sops.yml", "plain/manifest.sops.yml"), 2);
}

#[test]
fn files_that_sops_refuses_parse() {
    for name in
        ["ciphertext-edited", "mac-missing", "other-recipient", "plain-field-edited", "values-swapped"]
    {
        assert!(read(&format!("bad/{name}.sops.yaml")).sops().is_some(), "{name}");
    }
    assert!(read("plain-field-edited-mac-only.sops.yaml").sops().is_some());
}
