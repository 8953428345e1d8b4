//! The format against itself, read step by step from its own words, and against Debian's `age`, in both directions.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};

use super::*;

const PASSPHRASE: &str = "still water runs deep";
/// What the body is: more than one chunk.
const BODY_BYTES: usize = CHUNK_BYTES + 1000;

/// Who opens a file.
enum Opener<'a> {
    Key(&'a PrivateKey),
    Passphrase(&'a str),
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD_NO_PAD.decode(text).unwrap()
}

fn plain(key: &[u8; 32], nonce: [u8; NONCE_LEN], sealed: &[u8]) -> Vec<u8> {
    let mut bytes = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    sealing(key).unwrap().open_in_place(nonce, Aad::empty(), &mut bytes).unwrap().to_vec()
}

/// Opens a file as the format says.
fn open(sealed: &[u8], opener: &Opener<'_>) -> Vec<u8> {
    let end = sealed.windows(5).position(|window| window == b"\n--- ").unwrap() + 5;
    let (head, rest) = sealed.split_at(end);
    let mac_end = rest.iter().position(|byte| *byte == b'\n').unwrap();
    let lines: Vec<&str> = std::str::from_utf8(head).unwrap().lines().collect();
    assert_eq!(lines[0], VERSION);
    let words: Vec<&str> = lines[1].split(' ').collect();
    let key = match (opener, &words[..]) {
        (Opener::Key(secret), ["->", "X25519", share]) => {
            let share = decoded(share);
            let salt = [&share[..], secret.compute_public_key().unwrap().as_ref()].concat();
            let peer = UnparsedPublicKey::new(&X25519, &share);
            let info = b"age-encryption.org/v1/X25519";
            agree(secret, peer, broken(()), |shared| derived(shared, &salt, info)).unwrap()
        }
        (Opener::Passphrase(text), ["->", "scrypt", salt, work]) => {
            let salt = decoded(salt).try_into().unwrap();
            recipient::stretched(text, &salt, work.parse().unwrap()).unwrap()
        }
        _ => panic!("a stanza for somebody else: {words:?}"),
    };
    let file_key = plain(&key, [0; NONCE_LEN], &decoded(lines[2]));
    let mac_key = hmac::Key::new(hmac::HMAC_SHA256, &derived(&file_key, &[], b"header").unwrap()[..]);
    let mac = decoded(std::str::from_utf8(&rest[..mac_end]).unwrap());
    hmac::verify(&mac_key, &head[..head.len() - 1], &mac).unwrap();
    let (nonce, payload) = rest[mac_end + 1..].split_at(16);
    let key = derived(&file_key, nonce, b"payload").unwrap();
    let chunks: Vec<&[u8]> = payload.chunks(CHUNK_BYTES + 16).collect();
    let mut bytes = Vec::new();
    for (number, chunk) in chunks.iter().enumerate() {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&(number as u64).to_be_bytes());
        nonce[11] = u8::from(number + 1 == chunks.len());
        bytes.extend(plain(&key, nonce, chunk));
    }
    bytes
}

fn sealed(body: &[u8], recipient: &Recipient) -> Vec<u8> {
    let mut out = Encryptor::new(Vec::new(), recipient, &Surroundings::system()).unwrap();
    out.write_all(body).unwrap();
    out.finish().unwrap()
}

/// Bytes of no pattern that a cipher could hide behind.
fn body() -> Vec<u8> {
    (0..BODY_BYTES).map(|n| (n * n % 251) as u8).collect()
}

#[test]
fn what_is_sealed_for_a_recipient_opens_with_the_key_of_the_recipient() {
    let dir = tempfile::tempdir().unwrap();
    let (recipient, secret) = identity(dir.path());
    for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
        let body = vec![b'x'; length];
        assert_eq!(open(&sealed(&body, &recipient), &Opener::Key(&secret)), body, "{length}");
    }
}

#[test]
fn what_is_sealed_with_a_passphrase_opens_with_it() {
    let recipient = Recipient::cheap_passphrase(PASSPHRASE, 10);
    let (body, sealed) = (body(), sealed(&body(), &recipient));
    assert_eq!(open(&sealed, &Opener::Passphrase(PASSPHRASE)), body);
}

/// Runs a command of Debian's package `age`, which `cargo xtask test` installs.
fn age(dir: &Path, program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("`{program}`, of Debian's package, must be there: {error}"));
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same where it asks for a passphrase, which it does on a terminal alone: `script` gives it one.
fn age_asking(dir: &Path, words: &str) {
    let command = format!("age {words}");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]).current_dir(dir);
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keyboard = script.stdin.take().unwrap();
    for _ in 0..2 {
        writeln!(keyboard, "{PASSPHRASE}").unwrap();
    }
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stdout));
    drop(keyboard);
}

/// An identity that `age-keygen` made in `identity.txt`: its recipient, and the key of it.
fn identity(dir: &Path) -> (Recipient, PrivateKey) {
    age(dir, "age-keygen", &["-o", "identity.txt"]);
    let recipient = age(dir, "age-keygen", &["-y", "identity.txt"]);
    let text = std::fs::read_to_string(dir.join("identity.txt")).unwrap();
    let secret = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap().to_lowercase();
    let secret = recipient::bech32(&secret, "age-secret-key-").unwrap();
    let recipient = Recipient::parse(recipient.trim()).unwrap();
    (recipient, PrivateKey::from_private_key(&X25519, &secret).unwrap())
}

#[test]
fn debians_age_opens_what_is_sealed_for_a_recipient_and_seals_what_opens_here() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (recipient, secret) = identity(dir.path());
    std::fs::write(path("ours.age"), sealed(&body(), &recipient)).unwrap();
    age(dir.path(), "age", &["--decrypt", "-i", "identity.txt", "-o", "ours", "ours.age"]);
    assert_eq!(std::fs::read(path("ours")).unwrap(), body());
    std::fs::write(path("theirs"), body()).unwrap();
    age(dir.path(), "age", &["--encrypt", "-i", "identity.txt", "-o", "theirs.age", "theirs"]);
    assert_eq!(open(&std::fs::read(path("theirs.age")).unwrap(), &Opener::Key(&secret)), body());
}

#[test]
fn debians_age_opens_what_is_sealed_with_a_passphrase_and_seals_what_opens_here() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let recipient = Recipient::passphrase(crate::Secret::new(PASSPHRASE.to_owned())).unwrap();
    std::fs::write(path("ours.age"), sealed(&body(), &recipient)).unwrap();
    age_asking(dir.path(), "--decrypt -o ours ours.age");
    assert_eq!(std::fs::read(path("ours")).unwrap(), body());
    std::fs::write(path("theirs"), body()).unwrap();
    age_asking(dir.path(), "--encrypt --passphrase -o theirs.age theirs");
    assert_eq!(open(&std::fs::read(path("theirs.age")).unwrap(), &Opener::Passphrase(PASSPHRASE)), body());
}
