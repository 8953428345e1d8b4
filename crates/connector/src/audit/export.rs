//! The log away from home: as lines, the last of which signs the end of the chain, and checked there without the connector.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use serde_json::{Value, json};

use super::{Broken, GENESIS, Head, signed_text};
use crate::{
    keys::sha256,
    signing::{self, Signer},
};

/// A log that is whole, up to its last entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Its entries.
    pub entries: u64,
    /// The hash of the last one: whoever checks it compares it with one that they know.
    pub hash: String,
    /// The key that signed its end, if somebody did: whoever checks it compares it with the one they know.
    pub public_key: Option<String>,
}

/// The last line of an export that ends with `head`.
pub(crate) fn last_line(head: Option<&Head>, signer: &Signer) -> String {
    let (seq, hash) = head.map_or((0, GENESIS), |head| (head.seq, head.hash.as_str()));
    let signature = signer.sign(signed_text(seq, hash).as_bytes());
    json!({"seq": seq, "hash": hash, "public_key": signer.public_key(), "signature": signature}).to_string()
}

/// The hash that an entry should have, from its line: canonical JSON (RFC 8785) of everything but the hashes.
fn expected_hash(prev_hash: &str, mut fields: BTreeMap<String, Value>) -> Option<String> {
    fields.remove("prev_hash");
    fields.remove("hash");
    // What is inside is sorted too, whoever wrote the line.
    if let Some(details) = fields.get_mut("details") {
        let sorted: BTreeMap<String, String> = serde_json::from_value(details.take()).ok()?;
        *details = json!(sorted);
    }
    let canonical = serde_json::to_string(&fields).ok()?;
    Some(sha256(format!("{prev_hash}{canonical}").as_bytes()))
}

/// Follows an exported log from its first entry to the signature under its end; answers what it is, or the first bad number.
///
/// # Errors
/// When it cannot be read.
pub fn verify_export(log: impl BufRead) -> io::Result<Result<Exported, Broken>> {
    let checked = verify_mirror(log)?;
    Ok(checked.and_then(|log| if log.public_key.is_some() { Ok(log) } else { Err(Broken { seq: log.entries + 1 }) }))
}

/// Follows a log that goes on: like an exported one, but nobody needs to have signed its end, and so it cannot tell whether
/// entries are missing there.
///
/// # Errors
/// When it cannot be read.
pub fn verify_mirror(log: impl BufRead) -> io::Result<Result<Exported, Broken>> {
    let (mut seq, mut hash) = (0_u64, GENESIS.to_owned());
    let mut signed = None;
    for line in log.lines() {
        let broken = Ok(Err(Broken { seq: seq + 1 }));
        let Ok(fields) = serde_json::from_str::<BTreeMap<String, Value>>(&line?) else { return broken };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        // Nothing comes after the signature.
        if signed.is_some() {
            return broken;
        }
        if fields.contains_key("signature") {
            let (signature, key) = (text("signature"), text("public_key"));
            let is_the_end = fields.get("seq").and_then(Value::as_u64) == Some(seq) && text("hash") == hash;
            if !is_the_end || !signing::verify(signed_text(seq, &hash).as_bytes(), &signature, &key) {
                return broken;
            }
            signed = Some(key);
            continue;
        }
        let told = text("hash");
        let is_next = fields.get("seq").and_then(Value::as_u64) == Some(seq + 1) && text("prev_hash") == hash;
        if !is_next || expected_hash(&hash, fields).is_none_or(|expected| expected != told) {
            return broken;
        }
        (seq, hash) = (seq + 1, told);
    }
    Ok(Ok(Exported { entries: seq, hash, public_key: signed }))
}

#[cfg(test)]
mod tests {
    use ids::Timestamp;
    use store::{Store, Transaction};

    use super::*;
    use crate::audit::{Draft, head, list, record};

    /// The lines of an exported log of three entries.
    async fn exported() -> Vec<String> {
        let store = Store::memory();
        let signer = Signer::of_seed(&[7; 32]);
        for number in 0..3 {
            let draft = Draft::system("request.created", "dsr_1").of_request("dsr_1").about(&["a", "b"]);
            let draft = draft.with("type", "access").with("number", number);
            let now = Timestamp::from_micros(1_760_000_000_000_000 + number);
            let written = store.write(async |tx: &mut Transaction| record(tx, &draft, now).await);
            written.await.unwrap();
        }
        let mut lines: Vec<String> = list(&store, 0).await.unwrap().iter().map(super::super::Entry::to_json).collect();
        lines.push(last_line(head(&mut store.read()).await.unwrap().as_ref(), &signer));
        lines
    }

    fn verified(lines: &[String]) -> Result<Exported, Broken> {
        verify_export(lines.join("\n").as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn a23_41_an_exported_log_is_checked_without_the_connector() {
        let lines = exported().await;
        assert_eq!(verified(&lines).unwrap().entries, 3);
        let mut edited = lines.clone();
        edited[1] = edited[1].replace("\"type\":\"access\"", "\"type\":\"deletion\"");
        assert_eq!(verified(&edited), Err(Broken { seq: 2 }));
        let mut removed = lines.clone();
        removed.remove(1);
        assert_eq!(verified(&removed), Err(Broken { seq: 2 }));
        let mut moved = lines.clone();
        moved.swap(0, 1);
        assert_eq!(verified(&moved), Err(Broken { seq: 1 }));
    }

    #[tokio::test]
    async fn a23_41_the_end_of_an_exported_log_is_signed() {
        let lines = exported().await;
        let mut cut = lines.clone();
        cut.remove(2);
        assert_eq!(verified(&cut), Err(Broken { seq: 3 }), "the last entry is gone");
        assert_eq!(verified(&lines[..3]), Err(Broken { seq: 4 }), "nobody signed");
        let mut forged = lines.clone();
        forged[3] = last_line(None, &Signer::of_seed(&[8; 32]));
        assert_eq!(verified(&forged), Err(Broken { seq: 4 }));
    }

    #[tokio::test]
    async fn a_mirror_is_followed_to_its_last_entry_without_a_signature() {
        let mut lines = exported().await;
        lines.pop();
        let checked = |lines: &[String]| verify_mirror(lines.join("\n").as_bytes()).unwrap();
        let whole = checked(&lines).unwrap();
        assert_eq!((whole.entries, whole.public_key), (3, None));
        assert!(lines[2].contains(&whole.hash));
        lines[1] = lines[1].replace("access", "deletion");
        assert_eq!(checked(&lines), Err(Broken { seq: 2 }));
        assert_eq!(checked(&lines[2..]), Err(Broken { seq: 1 }));
    }
}
