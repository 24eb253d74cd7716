//! Against what the real programs made: `tests/data/secrets`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::MemorySystem;
use crate::data::{Limits, parse_yaml};

use super::identity::{Identities, Outside};
use super::{Plain, SecretError, Vault, age, sops};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/secrets")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

/// The keys of a user who has these variables; `~` stands for the folder of the keys.
fn identities(variables: &[(&str, &str)]) -> Result<Identities, SecretError> {
    let keys = folder().join("keys").display().to_string();
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.replace('~', &keys))
    };
    Identities::find(&Outside { variable: &variable, read: &|path| std::fs::read_to_string(path) })
}

fn first_key() -> Identities {
    identities(&[("SOPS_AGE_KEY_FILE", "~/age-1")]).unwrap()
}

fn open(name: &str, identities: &Identities) -> Result<Vec<(String, Plain)>, SecretError> {
    let id = crate::base::FileId::new(name);
    let parse = if name.ends_with("json") { crate::data::parse_json } else { parse_yaml };
    let document = parse(id, &fixture(name), &Limits::default()).document.unwrap();
    Ok(sops::open(name, &document, identities)?.into_iter().collect())
}

fn text(text: &str) -> Plain {
    Plain::Str(text.to_owned())
}

#[test]
fn all_values_of_a_whole_file_are_opened_with_their_types() {
    let site = vec![
        ("/name".to_owned(), text("shop")),
        ("/port".to_owned(), Plain::Int(8443)),
        ("/tier".to_owned(), text("prod")),
        ("/admin_password".to_owned(), text("p@ss: with ünïcode\nand a second line")),
        ("/tokens/0/name".to_owned(), text("ci")),
        ("/tokens/0/value".to_owned(), text("0123456789abcdef")),
        ("/tokens/1/name".to_owned(), text("bot")),
        ("/tokens/1/value".to_owned(), text("true")),
        ("/limits/retries".to_owned(), Plain::Int(3)),
        ("/limits/ratio".to_owned(), Plain::Float(0.5)),
        ("/limits/verbose".to_owned(), Plain::Bool(true)),
    ];
    assert!(open("whole.sops.yaml", &first_key()).unwrap() == site);
    assert!(open("two-recipients.sops.yaml", &first_key()).unwrap() == site);
    let second = identities(&[("SOPS_AGE_KEY_FILE", "~/age-2")]).unwrap();
    assert!(open("two-recipients.sops.yaml", &second).unwrap() == site);
    let ssh = identities(&[("SOPS_AGE_SSH_PRIVATE_KEY_FILE", "~/ssh")]).unwrap();
    assert!(open("ssh-recipient.sops.yaml", &ssh).unwrap() == site);
}

#[test]
fn the_code_is_over_what_stands_readable_too() {
    for name in
        ["fields-regex.sops.yaml", "mac-only-encrypted.sops.yaml", "plain-field-edited-mac-only.sops.yaml"]
    {
        let found = open(name, &first_key()).unwrap();
        let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/admin_password", "/tokens/0/value", "/tokens/1/value"], "{name}");
    }
    assert!(open("fields-suffix.sops.yaml", &first_key()).unwrap().len() == 1);
    assert!(
        open("service.sops.json", &first_key()).unwrap()
            == [("/env/DB_PASSWORD".to_owned(), text("hunter2"))]
    );
    let manifest = open("manifest.sops.yml", &first_key()).unwrap();
    assert!(manifest[0] == ("/Container/Environment/0".to_owned(), text("DB_PASSWORD=hunter2")));
}

#[test]
fn what_was_changed_is_refused_by_name() {
    for (name, expected) in [
        ("bad/plain-field-edited.sops.yaml", "a value in it was changed, added or taken out (MAC mismatch)"),
        ("bad/mac-missing.sops.yaml", "it has no message authentication code"),
        (
            "bad/ciphertext-edited.sops.yaml",
            "the value at `/admin_password` was changed or put there from elsewhere",
        ),
        ("bad/values-swapped.sops.yaml", "the value at `/name` was changed or put there from elsewhere"),
    ] {
        let error = open(name, &first_key()).unwrap_err();
        assert_eq!(error.to_string(), format!("`{name}` is damaged: {expected}"));
    }
}

#[test]
fn a_key_that_is_missing_or_another_one_is_said() {
    let none = identities(&[("HOME", "/nowhere")]).unwrap();
    let error = open("whole.sops.yaml", &none).unwrap_err();
    assert_eq!(error.to_string(), "no key is there to open `whole.sops.yaml`");
    let help = error.help().unwrap();
    assert!(
        help.contains("SOPS_AGE_KEY_FILE") && help.contains("/nowhere/.config/sops/age/keys.txt"),
        "{help}"
    );
    let error = open("bad/other-recipient.sops.yaml", &first_key()).unwrap_err();
    assert_eq!(error.to_string(), "none of the keys opens `bad/other-recipient.sops.yaml`");
    let help = error.help().unwrap();
    assert!(help.contains("is encrypted for age1") && help.contains("keys/age-1 were tried"), "{help}");
}

#[test]
fn keys_come_from_where_sops_has_them() {
    let text = String::from_utf8(fixture("keys/age-1")).unwrap();
    assert_eq!(identities(&[("SOPS_AGE_KEY", &text)]).unwrap().keys().count(), 1);
    let read = |path: &Path| match path.ends_with("sops/age/keys.txt") {
        true => Ok(format!("{text}\n\n{text}")),
        false => Err(io::ErrorKind::NotFound.into()),
    };
    let variable = |name: &str| (name == "XDG_CONFIG_HOME").then(|| "/settings".to_owned());
    let found = Identities::find(&Outside { variable: &variable, read: &read }).unwrap();
    assert_eq!(found.keys().count(), 2);
    for (variables, expected) in [
        ([("SOPS_AGE_KEY", "AGE-SECRET-KEY-1X")], "the 1. key in it is no key of age"),
        ([("SOPS_AGE_KEY_FILE", "~/none")], "No such file or directory"),
        ([("SOPS_AGE_SSH_PRIVATE_KEY_FILE", "~/ssh.pub")], "the 1. key in it is no key of age"),
    ] {
        let error = identities(&variables).unwrap_err().to_string();
        assert!(error.starts_with("the key in ") && error.contains(expected), "{error}");
        assert!(!error.contains("AGE-SECRET"), "{error}");
    }
}

#[test]
fn age_files_are_opened_armored_or_not() {
    for name in ["key.age", "key.armored.age"] {
        assert!(age::open(&fixture(name), &first_key()).unwrap() == fixture("plain/key"), "{name}");
    }
    let bytes = fixture("key.age");
    assert_eq!(age::open(&bytes, &identities(&[]).unwrap()), Err(age::Closed::NotOurs));
    // Whatever byte is changed or left out, it is not opened.
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(age::open(&changed, &first_key()).is_err(), "{at}");
        assert!(age::open(&bytes[..at], &first_key()).is_err(), "{at}");
    }
}

#[test]
fn values_are_found_by_their_names() {
    let system = MemorySystem::default();
    system.write("a#b/site.sops.yaml", &fixture("fields-regex.sops.yaml"));
    system.write("plain.yaml", b"password: hunter2\nports: [1, 2]\n");
    system.write("key.age", &fixture("key.age"));
    let vault = Vault::new(Arc::new(system)).with(first_key());
    assert!(vault.value("plain.yaml#/password", None) == Ok(text("hunter2")));
    assert!(vault.value("plain.yaml#/ports/1", None) == Ok(Plain::Int(2)));
    let changed = |file: &str| SecretError::Changed { file: file.to_owned() };
    assert!(vault.value("plain.yaml#/password", Some("ab")) == Err(changed("plain.yaml")));
    assert!(
        vault.value("a#b/site.sops.yaml#/tokens/0/value", Some("ab")) == Err(changed("a#b/site.sops.yaml"))
    );
    let missing = vault.value("plain.yaml#/other", None).unwrap_err();
    assert_eq!(missing.to_string(), "`plain.yaml` has no value at `/other`");
    let document =
        parse_yaml(crate::base::FileId::new("x"), &fixture("fields-regex.sops.yaml"), &Limits::default());
    let document = document.document.unwrap();
    let cipher = document.get(0, "admin_password").map(|node| document.value(node).clone());
    let Some(crate::data::NodeKind::Encrypted(cipher)) = cipher else { panic!() };
    let sha256: String = <sha2::Sha256 as sha2::Digest>::digest(cipher.text.as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let found = vault.value("a#b/site.sops.yaml#/admin_password", Some(&sha256));
    assert!(found == Ok(text("p@ss: with ünïcode\nand a second line")));
    assert!(!format!("{found:?} {vault:?} {:?}", first_key()).contains("ünï"));
}

/// What `gops update` writes into an encrypted file: the code of `mac_only_encrypted` is not over it, that
/// of other files is.
#[test]
fn a_plain_line_that_the_code_is_not_over_can_be_added() {
    use crate::data::edit::{Format, Source, apply};
    use crate::data::insert::{Insertion, insert_unsealed};
    let added = |name: &str| {
        let (file, bytes, limits) = (crate::base::FileId::new(name), fixture(name), Limits::default());
        let source = Source { file, format: Format::Yaml, bytes: &bytes, limits: &limits, document: 0 };
        let value = parse_yaml(file, b"7", &limits).document.unwrap();
        let insertion = Insertion { mapping: 0, key: "id".into(), value, after: Some(1) };
        let edits = insert_unsealed(source, &insertion).unwrap();
        let changed = apply(&bytes, &edits).unwrap();
        let document = parse_yaml(file, &changed, &limits).document.unwrap();
        sops::open(name, &document, &first_key()).map(|values| values.len())
    };
    assert_eq!(added("mac-only-encrypted.sops.yaml").unwrap(), 3);
    let Err(SecretError::Damaged { .. }) = added("fields-regex.sops.yaml") else {
        panic!("its code is over all values");
    };
}
