//! Requests of persons (§2, §8): who asks for what, when it is due, and how their identifiers are kept.

use ids::Timestamp;
use minicbor::{Decode, Encode};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Error, Result,
    deadlines::Regulation,
    keys::{DataKey, Place},
    redact::{Sensitive, masked},
    status::State,
    words::words,
};

/// What the id of a request begins with.
pub(crate) const PREFIX_OF_IDS: &str = "dsr_";
/// The most identifiers of one request.
pub const IDENTIFIERS_MAX: usize = 20;
/// The longest identifier, in characters.
const IDENTIFIER_CHARS_MAX: usize = 255;

words! {
    /// What is asked.
    Kind {
        /// To see.
        0 Access = "access",
        /// To be forgotten.
        1 Deletion = "deletion",
    }
}

words! {
    /// What an identifier is.
    Category {
        /// An e-mail address.
        0 Email = "email",
        /// The id of the user at the other side.
        1 UserId = "user_id",
    }
}

words! {
    /// What a reader of a request must be told beside its status.
    Flag {
        /// Several users matched one identifier.
        0 MultipleMatches = "multiple_matches",
        /// The job ran for more than a day.
        1 TaskSlow = "task_slow",
        /// The job ran for more than two weeks.
        2 Attention = "attention",
        /// It failed after it was reported as submitted.
        3 PostCompletionFailure = "post_completion_failure",
        /// A new account has the id of an erased one.
        4 ReRegistered = "re_registered",
        /// A user vanished while the data was fetched.
        5 Gone = "gone",
    }
}

/// An identifier as it is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenIdentifier {
    /// What it is.
    pub category: Category,
    /// The value.
    pub value: Sensitive<String>,
}

/// An identifier as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Identifier {
    /// What it is.
    #[n(0)]
    pub category: Category,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    /// The keyed hash by which it is found again.
    #[n(2)]
    pub lookup: String,
}

/// How it was verified who asks.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Verification {
    /// How.
    #[n(0)]
    pub method: String,
    /// When.
    #[n(1)]
    pub verified_at: Timestamp,
    /// By whom.
    #[n(2)]
    pub verified_by: String,
    /// Where the evidence lies, as whoever passes the request on names it.
    #[cbor(n(3), default)]
    pub evidence_ref: Option<String>,
}

/// The package of an access request.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Package {
    /// The SHA-256 of the archive.
    #[n(0)]
    pub sha256: String,
    /// Its length.
    #[n(1)]
    pub bytes: u64,
    /// Whether it holds everything that was asked.
    #[n(2)]
    pub is_complete: bool,
}

/// A request.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Request {
    /// `dsr_` and a ULID.
    #[n(0)]
    pub id: String,
    /// The id of whoever passes the request on; unique.
    #[n(1)]
    pub external_id: Option<String>,
    /// What is asked.
    #[n(2)]
    pub kind: Kind,
    /// About whom.
    #[n(3)]
    pub identifiers: Vec<Identifier>,
    /// Which law sets the deadline.
    #[n(4)]
    pub regulation: Regulation,
    /// When the person asked.
    #[n(5)]
    pub received_at: Timestamp,
    /// When the answer is due.
    #[n(6)]
    pub due_at: Timestamp,
    /// When it is due after an extension.
    #[n(7)]
    pub extended_due_at: Option<Timestamp>,
    /// How it was verified who asks.
    #[n(8)]
    pub verification: Option<Verification>,
    /// Who passed the request on.
    #[n(9)]
    pub requested_by: String,
    /// Where it stands: rolled up from its executions.
    #[n(10)]
    pub state: State,
    /// Whether it only looks.
    #[n(11)]
    pub is_dry_run: bool,
    /// The hash that finds duplicates.
    #[n(12)]
    pub dedupe_key: String,
    /// When it was stored.
    #[n(13)]
    pub created_at: Timestamp,
    /// When it became final.
    #[n(14)]
    pub finished_at: Option<Timestamp>,
    /// One for each integration.
    #[n(15)]
    pub executions: Vec<String>,
    /// Whether its identifiers and records were destroyed.
    #[n(16)]
    pub is_shredded: bool,
    /// The batch that it came with.
    #[n(17)]
    pub batch: Option<String>,
    /// The share of the time at whose end was warned last, in percent.
    #[cbor(n(18), default)]
    pub warned_percent: u8,
}

impl GivenIdentifier {
    /// An identifier, normalised: outer spaces go, e-mail addresses are in NFC; nothing is folded.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn new(category: Category, value: &str) -> Result<Self> {
        let value: String = match category {
            Category::Email => value.trim().nfc().collect(),
            Category::UserId => value.to_owned(),
        };
        let invalid = |message: &str| Err(Error::invalid("identifiers", message));
        if value.is_empty() || value.chars().count() > IDENTIFIER_CHARS_MAX {
            return invalid("must have 1 to 255 characters");
        }
        if value.chars().any(char::is_control) {
            return invalid("must not have control characters");
        }
        if category == Category::Email && !is_email(&value) {
            return invalid("is not an e-mail address");
        }
        Ok(GivenIdentifier { category, value: Sensitive::new(value) })
    }

    /// The values to look for: as given, and an e-mail address also in lower case.
    pub(crate) fn searched(&self) -> Vec<String> {
        let value = self.value.expose();
        let lower = value.to_lowercase();
        match self.category {
            Category::Email if lower != *value => vec![value.clone(), lower],
            _ => vec![value.clone()],
        }
    }

    /// What two spellings of one identifier have in common.
    pub(crate) fn normal(&self) -> String {
        match self.category {
            Category::Email => format!("email:{}", self.value.expose().to_lowercase()),
            Category::UserId => format!("user_id:{}", self.value.expose()),
        }
    }

    /// Seals it for `request`.
    pub(crate) fn seal(&self, request: &str, number: usize, key: &DataKey, pepper: &DataKey) -> Identifier {
        let field = number.to_string();
        let sealed = key.seal(place(request, &field), self.value.expose().as_bytes());
        Identifier { category: self.category, sealed, lookup: pepper.hash(self.normal().as_bytes()) }
    }

    /// As operators see it.
    pub fn masked(&self) -> String {
        masked(self.value.expose())
    }
}

impl Request {
    /// Opens the identifiers.
    pub(crate) fn open(&self, key: &DataKey) -> Result<Vec<GivenIdentifier>> {
        let open = |(number, identifier): (usize, &Identifier)| {
            let value = key.open_text(place(&self.id, &number.to_string()), &identifier.sealed)?;
            Ok(GivenIdentifier { category: identifier.category, value: Sensitive::new(value) })
        };
        self.identifiers.iter().enumerate().map(open).collect()
    }

    /// When the answer is due, extension included.
    pub fn due(&self) -> Timestamp {
        self.extended_due_at.unwrap_or(self.due_at)
    }
}

fn place<'a>(request: &'a str, field: &'a str) -> Place<'a> {
    Place { table: "request", row: request, field }
}

/// One `@` between a name and a host with a dot, and no spaces.
fn is_email(value: &str) -> bool {
    let Some((name, host)) = value.rsplit_once('@') else { return false };
    let labels = || host.split('.');
    !name.is_empty() && labels().count() > 1 && labels().all(|label| !label.is_empty()) && !value.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(value: &str) -> Result<GivenIdentifier> {
        GivenIdentifier::new(Category::Email, value)
    }

    #[test]
    fn an_email_address_loses_outer_spaces_and_is_searched_in_lower_case_too() {
        let amy = email("  Amy@Example.com ").unwrap();
        assert_eq!(amy.searched(), ["Amy@Example.com", "amy@example.com"]);
        assert_eq!(amy.masked(), "A***@E***.com");
        assert_eq!(email("amy@example.com").unwrap().searched(), ["amy@example.com"]);
        assert_eq!(email("a+b.c@example.com").unwrap().searched(), ["a+b.c@example.com"], "nothing is folded");
    }

    #[test]
    fn an_email_address_is_composed() {
        assert_eq!(email("e\u{301}@example.com").unwrap().value.expose(), "é@example.com");
    }

    #[test]
    fn a_user_id_keeps_its_case_and_its_spaces() {
        let jack = GivenIdentifier::new(Category::UserId, " Jack ").unwrap();
        assert_eq!(jack.searched(), [" Jack "]);
    }

    #[test]
    fn what_is_no_email_address_is_refused_without_being_repeated() {
        for value in
            ["", "amy", "amy@", "@example.com", "amy@example", "a b@example.com", "amy@example..com", "a@b.c\n d"]
        {
            let error = email(value).unwrap_err().to_string();
            assert!(value.is_empty() || !error.contains(value), "{error}");
        }
    }
}
