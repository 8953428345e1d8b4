//! Blocklists: `/blocklists` (chat §11.11).

use serde::Serialize;

use super::dialect::Time;

/// A blocklist.
#[expect(clippy::struct_excessive_bools, reason = "they are the API's switches")]
#[derive(Serialize, Debug)]
pub struct Blocklist<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds: `word`, `regex`, `domain`, `domain_allowlist`, `email` or `email_allowlist`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The words.
    pub words: &'a [String],
    /// The team that it belongs to.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub team: &'a str,
    /// Whether a word counts inside of others.
    pub is_substring_matching_enabled: bool,
    /// Whether digits and signs count as letters.
    pub is_leet_check_enabled: bool,
    /// Whether plurals count.
    pub is_plural_check_enabled: bool,
    /// Whether foreign letters count as those that they look like.
    pub is_confusable_folding_enabled: bool,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What calls about one list answer.
#[derive(Serialize, Debug)]
pub struct OneBlocklist<'a> {
    /// As it is now.
    pub blocklist: Blocklist<'a>,
}

/// What `GET /blocklists` answers.
#[derive(Serialize, Debug)]
pub struct Blocklists<'a> {
    /// A page of them.
    pub blocklists: Vec<Blocklist<'a>>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
