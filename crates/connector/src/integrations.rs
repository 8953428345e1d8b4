//! Integrations and their credentials (§2, §5, §6.1): where the data is, and what may be asked of it.

mod contents;
mod watching;

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::Transaction;

use crate::{
    Error, Result, Secret,
    audit::{self, Draft},
    hooks,
    keys::{DataKey, Place},
    keyspace::{self, CREDENTIAL, HERE, INTEGRATION},
    words::words,
};

pub use contents::Contents;
pub use watching::{Ledger, Poll, Watching};

/// What the id of an integration begins with.
pub(crate) const PREFIX_OF_IDS: &str = "int_";
/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 80;
/// How much of an API key is ever shown, in characters.
const HINT_CHARS: usize = 4;

words! {
    /// When a deletion counts as done on this integration (fact 14).
    Behavior {
        /// Continue processing until the deletion request is completed: the default.
        0 WaitForCompletion = "wait_for_completion",
        /// Mark as complete when the deletion request is successfully submitted.
        1 CompleteOnSubmit = "complete_on_submit",
    }
}

words! {
    /// Whether the integration works.
    Health {
        /// Nobody has tried.
        0 Untested = "untested",
        /// The test passed.
        1 Connected = "connected",
        /// It works in part.
        2 Degraded = "degraded",
        /// The credentials are refused.
        3 Disconnected = "disconnected",
        /// An operator switched it off.
        4 Disabled = "disabled",
    }
}

words! {
    /// What happens when several users match one identifier.
    MultiMatch {
        /// An operator decides.
        0 Hold = "hold",
        /// All are meant.
        1 All = "all",
    }
}

words! {
    /// How thoroughly something is deleted.
    Depth {
        /// Hidden, and can be restored.
        0 Soft = "soft",
        /// Content is removed.
        1 Pruning = "pruning",
        /// Nothing stays.
        2 Hard = "hard",
    }
}

words! {
    /// The JSON forms of the `files` option, in which the sources are silent (§22 O1).
    FilesForm {
        /// `"files":"hard"`.
        0 Word = "hard",
        /// `"files":true`.
        1 Flag = "true",
    }
}

impl FilesForm {
    /// The form itself.
    pub(crate) fn json(self) -> serde_json::Value {
        match self {
            FilesForm::Word => "hard".into(),
            FilesForm::Flag => true.into(),
        }
    }
}

/// What a deletion asks for (§11.2).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct DeleteOptions {
    /// User records.
    #[n(0)]
    pub user: Depth,
    /// Messages.
    #[n(1)]
    pub messages: Depth,
    /// One-to-one conversations.
    #[n(2)]
    pub conversations: Depth,
    /// One-to-one calls.
    #[n(3)]
    pub calls: Depth,
    /// Who gets the channels of the deleted.
    #[n(4)]
    pub new_channel_owner_id: Option<String>,
    /// The forms of `files` to try, in order.
    #[n(5)]
    pub files_forms: Vec<FilesForm>,
}

/// What may happen without a person deciding.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Policies {
    /// Several matches of an access request.
    #[n(0)]
    pub multi_match_access: MultiMatch,
    /// Several matches of a deletion.
    #[n(1)]
    pub multi_match_delete: MultiMatch,
    /// Whether deletions wait for an approver.
    #[n(2)]
    pub needs_approval: bool,
    /// Whether requests wait until it is verified who asks.
    #[n(3)]
    pub needs_verification: bool,
    /// The grace before a deletion, in seconds.
    #[n(4)]
    pub cooling_off_secs: u32,
    /// Whether nobody approves a request of their own.
    #[n(5)]
    pub four_eyes: bool,
}

/// An integration.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Integration {
    /// `int_` and a ULID.
    #[n(0)]
    pub id: String,
    /// What people call it; unique.
    #[n(1)]
    pub name: String,
    /// The base URL, normalised.
    #[n(2)]
    pub base_url: String,
    /// The name of the dialect that the other side speaks.
    #[n(3)]
    pub dialect: String,
    /// The field in which users have their e-mail address.
    #[n(4)]
    pub email_field: String,
    /// When a deletion counts as done.
    #[n(5)]
    pub async_deletion_behavior: Behavior,
    /// What a deletion asks for.
    #[n(6)]
    pub delete_options: DeleteOptions,
    /// The share of the limits that is used, in percent.
    #[n(7)]
    pub throttle_percent: u8,
    /// What may happen without a person deciding.
    #[n(8)]
    pub policies: Policies,
    /// Whether it works.
    #[n(9)]
    pub health: Health,
    /// Why not.
    #[n(10)]
    pub health_reason: Option<String>,
    /// When it was last tested.
    #[n(11)]
    pub last_tested_at: Option<Timestamp>,
    /// What the last test found.
    #[n(12)]
    pub capabilities: Vec<String>,
    /// When it was made.
    #[n(13)]
    pub created_at: Timestamp,
    /// The version of the credentials in use.
    #[n(14)]
    pub credential: u32,
    /// What requests take in.
    #[cbor(n(15), default)]
    pub contents: Contents,
    /// How a deletion is followed.
    #[cbor(n(16), default)]
    pub watching: Watching,
}

impl Integration {
    /// What is promised less than it could be, as long as it is set so (§11.2).
    pub fn warnings(&self) -> Vec<&'static str> {
        let warnings = [
            (!self.delete_options.is_hard(), "deletions are not hard in everything: they are never called erased"),
            (!self.watching.verify_erasure, "nobody looks whether anything is left: deletions are never called erased"),
            (self.watching.ledger == Ledger::Off, "erasures are not remembered: nobody who comes back is found"),
            (!(70..=80).contains(&self.throttle_percent), "the share of the limits is not 70 to 80 percent"),
            (
                self.health != Health::Untested && !self.capabilities.iter().any(|one| one == "delete"),
                "the right to delete is unproven",
            ),
            (
                self.health != Health::Untested && !self.capabilities.iter().any(|one| one == "email"),
                "users cannot be searched by e-mail",
            ),
        ];
        warnings.into_iter().filter(|(holds, _)| *holds).map(|(_, told)| told).collect()
    }

    /// Whether feeds data is exported and deleted too.
    pub fn includes_feeds(&self) -> bool {
        self.contents.include_feeds.unwrap_or_else(|| self.capabilities.iter().any(|one| one == "feeds"))
    }
}

words! {
    /// What a version of the credentials is good for.
    CredentialState {
        /// In use.
        0 Active = "active",
        /// Replaced, and kept for a day for calls in flight.
        1 Retired = "retired",
        /// Stored, and about to be tried.
        2 Next = "next",
    }
}

/// A key and a secret, sealed under the data key of the integration.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Credential {
    /// The first characters of the API key: all that is ever shown.
    #[n(0)]
    pub hint: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed_key: Vec<u8>,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed_secret: Vec<u8>,
    /// What it is good for.
    #[n(3)]
    pub state: CredentialState,
    /// When it was replaced, or stored to be tried.
    #[n(4)]
    pub ended_at: Option<Timestamp>,
}

/// An API key and secret as they are given.
pub struct Pair {
    /// The API key.
    pub key: Secret,
    /// The API secret.
    pub secret: Secret,
}

impl Default for DeleteOptions {
    fn default() -> Self {
        DeleteOptions {
            user: Depth::Hard,
            messages: Depth::Hard,
            conversations: Depth::Hard,
            calls: Depth::Hard,
            new_channel_owner_id: None,
            files_forms: vec![FilesForm::Word, FilesForm::Flag],
        }
    }
}

impl DeleteOptions {
    /// Whether nothing stays: only then may "erased" be said.
    pub fn is_hard(&self) -> bool {
        [self.user, self.messages, self.conversations, self.calls].iter().all(|depth| *depth == Depth::Hard)
    }

    /// Checks what the other side would refuse (fact 24).
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&self) -> Result<()> {
        let invalid = |message: &str| Err(Error::invalid("delete_options", message));
        if [self.conversations, self.calls].contains(&Depth::Pruning) {
            return invalid("`conversations` and `calls` are `soft` or `hard`");
        }
        if self.user == Depth::Hard && (self.messages != Depth::Hard || self.conversations != Depth::Hard) {
            return invalid("a hard `user` needs hard `messages` and `conversations`");
        }
        if self.files_forms.is_empty() {
            return invalid("`files_forms` needs at least one form: files are never left out silently");
        }
        Ok(())
    }
}

impl Default for Policies {
    fn default() -> Self {
        Policies {
            multi_match_access: MultiMatch::All,
            multi_match_delete: MultiMatch::Hold,
            needs_approval: false,
            needs_verification: false,
            cooling_off_secs: 0,
            four_eyes: false,
        }
    }
}

impl Credential {
    /// Seals a pair.
    pub(crate) fn seal(pair: &Pair, integration: &str, version: u32, key: &DataKey) -> Self {
        let row = format!("{integration}/{version}");
        let seal = |field, secret: &Secret| key.seal(place(&row, field), secret.expose().as_bytes());
        Credential {
            hint: pair.key.expose().chars().take(HINT_CHARS).collect(),
            sealed_key: seal("api_key", &pair.key),
            sealed_secret: seal("api_secret", &pair.secret),
            state: CredentialState::Active,
            ended_at: None,
        }
    }

    /// The same pair, good for something else since `ended_at`.
    pub(crate) fn in_state(self, state: CredentialState, ended_at: Option<Timestamp>) -> Self {
        Credential { state, ended_at, ..self }
    }

    /// Opens the pair.
    pub(crate) fn open(&self, integration: &str, version: u32, key: &DataKey) -> Result<Pair> {
        let row = format!("{integration}/{version}");
        let open = |field, sealed: &[u8]| Ok::<_, Error>(Secret::new(key.open_text(place(&row, field), sealed)?));
        Ok(Pair { key: open("api_key", &self.sealed_key)?, secret: open("api_secret", &self.sealed_secret)? })
    }
}

fn place<'a>(row: &'a str, field: &'a str) -> Place<'a> {
    Place { table: "credential", row, field }
}

/// Gives an integration another health, and tells of it when it is another.
pub(crate) async fn set_health(
    tx: &mut Transaction,
    integration: &mut Integration,
    health: Health,
    reason: Option<String>,
    now: Timestamp,
) -> Result<()> {
    let before = std::mem::replace(&mut integration.health, health);
    integration.health_reason = reason;
    if before == health {
        return Ok(());
    }
    let draft = Draft::system("integration.health_changed", &integration.id).with("health", health);
    let seq = audit::record(tx, &draft.with("before", before), now).await?;
    let data = serde_json::json!({
        "integration_id": integration.id,
        "health": health.word(),
        "before": before.word(),
        "reason": integration.health_reason,
    });
    hooks::announce(tx, "integration.health_changed", &integration.id, &data, seq, now).await
}

/// The integration, which must be there.
pub(crate) async fn load(tx: &mut Transaction, id: &str) -> Result<Integration> {
    INTEGRATION.get(tx, HERE, &id.to_owned()).await?.ok_or_else(|| Error::missing("integration", id))
}

/// All integrations.
pub(crate) async fn list(tx: &mut Transaction) -> Result<Vec<Integration>> {
    let rows = keyspace::all(tx, &INTEGRATION, INTEGRATION.range(HERE)).await?;
    Ok(rows.into_iter().map(|(_, integration)| integration).collect())
}

/// The credentials in use.
pub(crate) async fn credential(tx: &mut Transaction, integration: &Integration) -> Result<Credential> {
    let key = (integration.id.clone(), integration.credential);
    CREDENTIAL.get(tx, HERE, &key).await?.ok_or_else(|| Error::missing("credential", &integration.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_user_needs_hard_messages_and_conversations() {
        let options = DeleteOptions::default();
        assert!(options.check().is_ok() && options.is_hard());
        assert!(DeleteOptions { messages: Depth::Soft, ..options.clone() }.check().is_err());
        assert!(DeleteOptions { conversations: Depth::Soft, ..options.clone() }.check().is_err());
        let soft = DeleteOptions { user: Depth::Soft, messages: Depth::Soft, ..options };
        assert!(soft.check().is_ok() && !soft.is_hard());
    }
}
