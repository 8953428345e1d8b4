//! The audit log (§19): a chain of entries without personal data, written with the change that each records.
//!
//! **Invariant:** nothing here changes or removes an entry.

mod export;
mod mirror;

use std::collections::BTreeMap;

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Store, Transaction};

use crate::{
    Result,
    keys::sha256,
    keyspace::{AUDIT, AUDIT_HEAD, HERE},
};

pub(crate) use export::last_line;
pub use export::{Exported, verify_export, verify_mirror};
pub(crate) use mirror::Mirror;

/// What the first entry follows.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry before it has its place in the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Who: `system`, or who was named by the caller.
    pub actor: String,
    /// What was done.
    pub action: &'static str,
    /// To what: an id.
    pub object: String,
    /// The request that it was done for.
    pub request: Option<String>,
    /// Whom it is about: keyed hashes of identifiers, which go with the pepper and say nothing without it.
    pub subject: Option<String>,
    /// Facts without personal data.
    pub details: BTreeMap<String, String>,
}

tokio::task_local! {
    /// Who calls the service, while the call is answered.
    static CALLER: String;
}

/// Does `work` in the name of `caller`: changes that do not name an actor themselves are theirs.
pub(crate) async fn called_by<T>(caller: String, work: impl Future<Output = T>) -> T {
    CALLER.scope(caller, work).await
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Entry {
    /// Its number; the first is 1.
    #[n(0)]
    pub seq: u64,
    /// When.
    #[n(1)]
    pub at: Timestamp,
    /// Who.
    #[n(2)]
    pub actor: String,
    /// What was done.
    #[n(3)]
    pub action: String,
    /// To what.
    #[n(4)]
    pub object: String,
    /// The request that it was done for.
    #[n(5)]
    pub request: Option<String>,
    /// Facts without personal data.
    #[n(6)]
    pub details: BTreeMap<String, String>,
    /// The hash of the entry before.
    #[n(7)]
    pub prev_hash: String,
    /// The hash of this one.
    #[n(8)]
    pub hash: String,
    /// Whom it is about, as keyed hashes.
    #[cbor(n(9), default)]
    pub subject: Option<String>,
}

/// The end of the chain.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Head {
    /// The number of the last entry.
    #[n(0)]
    pub seq: u64,
    /// Its hash.
    #[n(1)]
    pub hash: String,
}

/// Why the log is not what was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the audit log is broken at entry {seq}")]
pub struct Broken {
    /// The first bad number.
    pub seq: u64,
}

impl Draft {
    /// What the connector does by itself.
    pub(crate) fn system(action: &'static str, object: &str) -> Self {
        Draft::by("system", action, object)
    }

    /// What is done for whoever calls the service at the moment; what nobody calls for, the connector does by itself.
    pub(crate) fn for_caller(action: &'static str, object: &str) -> Self {
        let caller = CALLER.try_with(String::clone);
        Draft::by(caller.as_deref().unwrap_or("system"), action, object)
    }

    /// What somebody does.
    pub(crate) fn by(actor: &str, action: &'static str, object: &str) -> Self {
        let (actor, object) = (actor.to_owned(), object.to_owned());
        Draft { actor, action, object, request: None, subject: None, details: BTreeMap::new() }
    }

    /// For this request.
    pub(crate) fn of_request(mut self, request: &str) -> Self {
        self.request = Some(request.to_owned());
        self
    }

    /// About the persons with these keyed hashes.
    pub(crate) fn about(mut self, lookups: &[&str]) -> Self {
        self.subject = Some(lookups.join(","));
        self
    }

    /// With each of these facts.
    pub(crate) fn with_all(self, facts: impl Iterator<Item = (&'static str, String)>) -> Self {
        facts.fold(self, |draft, (name, value)| draft.with(name, value))
    }

    /// With this fact.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }
}

impl Entry {
    /// The canonical JSON (RFC 8785) of everything but the hashes: all values are texts or whole numbers.
    fn canonical(&self) -> String {
        let mut fields: BTreeMap<&str, serde_json::Value> = BTreeMap::from([
            ("action", self.action.as_str().into()),
            ("actor", self.actor.as_str().into()),
            ("at", self.at.rfc3339().to_string().into()),
            ("details", serde_json::json!(self.details)),
            ("object", self.object.as_str().into()),
            ("request_ref", self.request.clone().into()),
            ("seq", self.seq.into()),
        ]);
        // Entries from before there was such a field hash as they did.
        if let Some(subject) = &self.subject {
            fields.insert("subject_ref", subject.as_str().into());
        }
        serde_json::to_string(&fields).expect("texts and numbers are JSON")
    }

    fn expected_hash(&self) -> String {
        sha256(format!("{}{}", self.prev_hash, self.canonical()).as_bytes())
    }

    /// The entry as a line of an export.
    pub fn to_json(&self) -> String {
        let body = self.canonical();
        let body = body.strip_suffix('}').unwrap_or(&body);
        format!(r#"{body},"prev_hash":"{}","hash":"{}"}}"#, self.prev_hash, self.hash)
    }
}

/// Adds an entry; answers its number.
pub(crate) async fn record(tx: &mut Transaction, draft: &Draft, now: Timestamp) -> Result<u64> {
    let head = AUDIT_HEAD.get(tx, HERE, &()).await?;
    let head = head.unwrap_or_else(|| Head { seq: 0, hash: GENESIS.to_owned() });
    let mut entry = Entry {
        seq: head.seq + 1,
        at: now,
        actor: draft.actor.clone(),
        action: draft.action.to_owned(),
        object: draft.object.clone(),
        request: draft.request.clone(),
        subject: draft.subject.clone(),
        details: draft.details.clone(),
        prev_hash: head.hash,
        hash: String::new(),
    };
    entry.hash = entry.expected_hash();
    AUDIT.put(tx, HERE, &entry.seq, &entry);
    AUDIT_HEAD.put(tx, HERE, &(), &Head { seq: entry.seq, hash: entry.hash });
    Ok(entry.seq)
}

/// What a checkpoint signs.
pub(crate) fn signed_text(seq: u64, hash: &str) -> String {
    format!("{seq}:{hash}")
}

/// The end of the chain.
pub(crate) async fn head(tx: &mut Transaction) -> Result<Option<Head>> {
    Ok(AUDIT_HEAD.get(tx, HERE, &()).await?)
}

/// The entries after number `after`, at most a page.
///
/// # Errors
/// When the store fails.
pub async fn list(store: &Store, after: u64) -> Result<Vec<Entry>> {
    let mut tx = store.read();
    let page = AUDIT.scan(&mut tx, HERE, AUDIT.after(HERE, &after), Direction::Forward, Limit::PAGE).await?;
    Ok(page.rows.into_iter().map(|(_, entry)| entry).collect())
}

/// Walks the chain from the first entry to the head; answers how many entries there are, or the first bad one.
///
/// # Errors
/// When the store fails.
pub async fn verify(store: &Store) -> Result<Result<u64, Broken>> {
    let mut chain = Chain::default();
    loop {
        let page = list(store, chain.seq).await?;
        if page.is_empty() {
            break;
        }
        for entry in &page {
            if let Err(broken) = chain.follow(entry) {
                return Ok(Err(broken));
            }
        }
    }
    let ended = head(&mut store.read()).await?.is_none_or(|head| (head.seq, head.hash) == (chain.seq, chain.hash));
    Ok(if ended { Ok(chain.seq) } else { Err(Broken { seq: chain.seq + 1 }) })
}

/// A walk along the chain.
struct Chain {
    seq: u64,
    hash: String,
}

impl Default for Chain {
    fn default() -> Self {
        Chain { seq: 0, hash: GENESIS.to_owned() }
    }
}

impl Chain {
    fn follow(&mut self, entry: &Entry) -> Result<(), Broken> {
        let is_next = entry.seq == self.seq + 1 && entry.prev_hash == self.hash;
        if !is_next || entry.hash != entry.expected_hash() {
            return Err(Broken { seq: self.seq + 1 });
        }
        (self.seq, self.hash) = (entry.seq, entry.hash.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_760_000_000_000_000;

    async fn log(entries: u64) -> Store {
        let store = Store::memory();
        for number in 0..entries {
            let draft = Draft::system("request.created", "dsr_1").with("number", number);
            let now = Timestamp::from_micros(NOW);
            let written = store.write(async |tx: &mut Transaction| record(tx, &draft, now).await);
            written.await.unwrap();
        }
        store
    }

    async fn change(store: &Store, change: impl Fn(&mut Entry) + Sync + Send, seq: u64, to: u64) {
        let written = store.write(async |tx: &mut Transaction| {
            let mut entry = AUDIT.get(tx, HERE, &seq).await?.unwrap();
            change(&mut entry);
            AUDIT.put(tx, HERE, &to, &entry);
            Ok::<_, crate::Error>(())
        });
        written.await.unwrap();
    }

    #[tokio::test]
    async fn a23_41_an_untouched_log_is_whole() {
        assert_eq!(verify(&log(300).await).await.unwrap(), Ok(300));
        assert_eq!(verify(&log(0).await).await.unwrap(), Ok(0));
    }

    #[tokio::test]
    async fn a23_41_an_edited_entry_is_named() {
        let store = log(5).await;
        change(&store, |entry| entry.actor = "nobody".into(), 3, 3).await;
        assert_eq!(verify(&store).await.unwrap(), Err(Broken { seq: 3 }));
    }

    #[tokio::test]
    async fn a23_41_an_edited_entry_with_a_new_hash_breaks_at_the_next() {
        let store = log(5).await;
        change(
            &store,
            |entry| {
                entry.actor = "nobody".into();
                entry.hash = entry.expected_hash();
            },
            3,
            3,
        )
        .await;
        assert_eq!(verify(&store).await.unwrap(), Err(Broken { seq: 4 }));
    }

    #[tokio::test]
    async fn a23_41_a_removed_entry_is_named_even_the_last() {
        for removed in [2_u64, 5] {
            let store = log(5).await;
            let written = store.write(async |tx: &mut Transaction| {
                AUDIT.delete(tx, HERE, &removed);
                Ok::<_, crate::Error>(())
            });
            written.await.unwrap();
            assert_eq!(verify(&store).await.unwrap(), Err(Broken { seq: removed }));
        }
    }

    #[tokio::test]
    async fn a23_41_reordered_entries_are_named() {
        let store = log(5).await;
        change(&store, |entry| entry.seq = 2, 3, 2).await;
        assert_eq!(verify(&store).await.unwrap(), Err(Broken { seq: 2 }));
    }
}
